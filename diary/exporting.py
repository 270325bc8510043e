"""Writes a week's or a span's tables, pictures and page into a folder, whole or not at all (R58)."""

import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from diary.errors import MachineError, NothingError
from diary.evidence.week_csv import segments_csv, totals_csv
from diary.export_page import Front, export_page, seals_say
from diary.fetching import fetch_thinned
from diary.rules.ids import ContractId, Slot
from diary.rules.json_form import at
from diary.rules.progress import Progress, told_of
from diary.rules.timesheet import Place, SealView, SegmentView, totals
from diary.rules.week import Week, starts_at_ms

if TYPE_CHECKING:
    from diary.look_door import LookDoor

SEGMENTS = "segments.csv"
TOTALS = "totals.csv"
PICTURES = "pictures"
PAGE = "index.html"
STYLES = ("grid.css", "export.css")
# The first bytes of the formats that a snapshot may have, and how such files are named.
_FORMATS = ((b"ftypavif", "avif"), (b"ftypavis", "avif"), (b"WEBP", "webp"), (b"PNG", "png"))
_HEAD_BYTES = 16
_PAGE_ROOM = Path(__file__).parent / "page"


class NotWritableError(MachineError):
    """The folder could not be written; what was begun is gone again."""

    says = "The export to {folder} could not be written: {fault}."
    mend = "Free some space, or name another folder with --out."


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written: where, how many lines and pictures.

    `missing` pictures are not to be had, those of the slots `without`; `because` says what was in the way of
    fetching them, "" for nothing.
    """

    folder: Path
    segments: int
    pictures: int
    missing: int
    without: tuple[Slot, ...] = ()
    because: str = ""


def free_folder(wanted: Path) -> Path:
    """Return the folder itself if nothing is there, else the first free one beside it: 2026-W47-2."""
    folder, number = wanted, 1
    while folder.exists():
        number += 1
        folder = wanted.with_name(f"{wanted.name}-{number}")
    return folder


@dataclass(frozen=True, slots=True)
class Chosen:
    """What is exported: `name` names its folder, `heading` its page; `slots` of None are the whole weeks."""

    name: str
    heading: str
    weeks: tuple[Week, ...]
    slots: frozenset[Slot] | None = None
    contract: ContractId | None = None

    def has(self, segment: SegmentView) -> bool:
        """Return whether a segment of the weeks is asked for."""
        of_contract = self.contract in {None, segment.contract}
        return (
            of_contract and segment.state != "deleted" and (self.slots is None or segment.slot in self.slots)
        )


def export(
    diary: "LookDoor",
    chosen: Chosen,
    folder: Path,
    *,
    zone: ZoneInfo,
    pictures: bool = False,
    progress: Progress | None = None,
) -> Exported:
    """Write what was chosen into `folder`, which is replaced if it is there; all appears at once or none.

    With `pictures`, `diary` is a whole `Diary`: thinned ones are fetched through it first. `progress` is told
    of the weeks that are read; with `pictures` of the segments whose pictures are written: that takes longer.

    Raises:
        NotWritableError: The disk or the folder refused.
    """
    by_week = _chosen_of(diary, chosen, None if pictures else progress)
    because = fetch_thinned(diary, chain.from_iterable(each for _, each in by_week)) if pictures else ""
    if pictures:
        by_week = _chosen_of(diary, chosen)  # what was fetched is here now
    segments = [one for _, each in by_week for one in each]
    known = diary.contracts()
    histories = {one.id: one.history for one in known}
    titles = {one.id: one.title for one in known}
    sums = [(week, totals(each, histories, titles)) for week, each in by_week]
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{folder.name}-", dir=folder.parent) as made:
            begun = Path(made) / folder.name
            begun.mkdir(mode=0o700)
            files, without = _write_pictures(diary, segments, begun, progress) if pictures else (None, [])
            _write(begun / SEGMENTS, segments_csv(segments, zone=zone, picture_files=files))
            _write(begun / TOTALS, totals_csv(sums))
            if files is not None:
                for style in STYLES:
                    _write(begun / style, style_text(style))
                sealed = [
                    says
                    for week in chosen.weeks
                    for says in seals_say(week, _seals(diary, week, chosen), titles)
                ]
                page = export_page(chosen.heading, segments, sums, files, STYLES, zone, Front(sealed))
                _write(begun / PAGE, page)
            if folder.exists():
                folder.rename(Path(made) / "replaced")
            begun.rename(folder)
    except OSError as error:
        raise NotWritableError(folder=folder, fault=error.strerror or error) from error
    written = sum(map(len, files.values())) if files else 0
    return Exported(folder, len(segments), written, len(without), tuple(dict.fromkeys(without)), because)


def _chosen_of(
    diary: "LookDoor", chosen: Chosen, progress: Progress | None = None
) -> list[tuple[Week, list[SegmentView]]]:
    return [
        (week, [one for one in diary.week(week).segments if chosen.has(one)])
        for week in told_of(chosen.weeks, progress)
    ]


def _seals(diary: "LookDoor", week: Week, chosen: Chosen) -> list[SealView]:
    """Return the seals that hold of what is exported: whole weeks, since a seal is over all of one (R57)."""
    if chosen.slots is not None:
        return []
    return [one for one in diary.week(week).seals if chosen.contract in {None, one.contract}]


def _write_pictures(
    diary: "LookDoor", segments: Sequence[SegmentView], folder: Path, progress: Progress | None
) -> tuple[Mapping[Place, Sequence[str]], list[Slot]]:
    """Write the opened pictures; return their files by place, and the slot of each that is not here."""
    (folder / PICTURES).mkdir(mode=0o700)
    files: dict[Place, list[str]] = {}
    taken: dict[str, int] = {}
    without: list[Slot] = []
    for segment in told_of(segments, progress):
        for snapshot in segment.snapshots:
            for name in filter(None, (snapshot.screen, snapshot.camera)):
                try:
                    picture = diary.picture(name)
                except NothingError:
                    without.append(segment.slot)
                    continue
                slot = f"{at(starts_at_ms(segment.slot)):%Y%m%dT%H%MZ}"
                taken[slot] = taken.get(slot, 0) + 1
                number = "" if taken[slot] == 1 else f"-{taken[slot]}"
                file = f"{PICTURES}/{slot}{number}.{picture_ending(picture)}"
                (folder / file).write_bytes(picture)
                files.setdefault((segment.contract, segment.slot), []).append(file)
    return files, without


def style_text(style: str) -> str:
    """Return one of `STYLES`."""
    return (_PAGE_ROOM / style).read_text(encoding="utf-8")


def picture_ending(picture: bytes) -> str:
    """Return how a file of this picture is named at its end."""
    head = picture[:_HEAD_BYTES]
    return next((ending for mark, ending in _FORMATS if mark in head), "jpg")


def _write(path: Path, text: str) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def is_ours(folder: Path) -> bool:
    """Return whether a folder holds an earlier export and nothing else: replacing it loses nothing."""
    return folder.is_dir() and {path.name for path in folder.iterdir()} <= {
        SEGMENTS,
        TOTALS,
        PICTURES,
        PAGE,
        *STYLES,
    }
