"""What `diary doctor` looks at: each check says what it saw, and how to mend what is amiss (R70).

Other rooms add theirs by entry point, group "workdiary.checks": each object is a function
`checks(diary: Diary) -> Iterator[Check]`.
"""

import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Literal

from diary.attention import FREE_BYTES_LOW, free_bytes
from diary.store.connection import FILE_NAME

if TYPE_CHECKING:
    from diary.diary import Diary

CHECKS = "workdiary.checks"
FREE_BYTES_LEAST = 50_000_000
CLOCK_OFF_MS = 2 * 60_000  # R20: more than this moves a slot

Outcome = Literal["fine", "warning", "fault"]


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at; `mend` is "" where it is fine."""

    name: str
    outcome: Outcome
    says: str
    mend: str = ""


def examine(diary: "Diary") -> Iterator[Check]:
    """Yield every check, the diary's own first; one that fails itself is a fault and stops no other."""
    sources: list[tuple[str, Callable[[Diary], Iterator[Check]]]] = [("diary", own_checks)]
    for point in sorted(entry_points(group=CHECKS)):
        try:
            sources.append((point.name, point.load()))
        except ModuleNotFoundError as error:
            yield Check(point.name, "warning", f"{error.name} is not installed.", "Install workdiary[all].")
    for name, checks in sources:
        try:
            yield from checks(diary)
        except Exception as error:  # noqa: BLE001  # a doctor that falls ill helps nobody
            yield Check(name, "fault", f"The check itself failed: {type(error).__name__}: {error}.", _REPORT)


_REPORT = "Report it with what diary doctor printed."


def own_checks(diary: "Diary") -> Iterator[Check]:
    """Yield what needs no other room: file, keys, phrase, disk, clock, and what wants attention."""
    yield _file(diary)
    yield Check("keys", "fine", diary.key_place_says())
    yield _phrase(diary)
    yield _disk(diary)
    yield _clock(diary)
    yield _attention(diary)


def _file(diary: "Diary") -> Check:
    fault = diary.file_fault()
    path = diary.home / FILE_NAME
    mend = "Save what can be read of it, and hear what is lost: diary salvage. A backup: diary restore FILE."
    if fault:
        return Check("diary", "fault", f"{path} is damaged: {fault}.", mend)
    if altered := diary.altered_contents():
        return Check("diary", "fault", f"{altered} contents in {path} are not what was stored.", mend)
    size = sum(each.stat().st_size for each in diary.home.glob(f"{FILE_NAME}*"))
    says = f"{path} is whole, {size / 1_000_000:,.1f} MB, SQLite {sqlite3.sqlite_version}."
    return Check("diary", "fine", says)


def _phrase(diary: "Diary") -> Check:
    if diary.seat_in is not None:
        says = "A client's copy has no recovery phrase; one that is lost is made again by a new invitation."
        return Check("phrase", "fine", says)
    if diary.phrase() is None:
        return Check("phrase", "fine", "The recovery phrase was confirmed as written down.")
    says = "The recovery phrase is not confirmed: if this computer is lost, so is the diary."
    return Check(
        "phrase",
        "warning",
        says,
        "Write it down and confirm it: diary key phrase, then diary key phrase --confirm.",
    )


def _disk(diary: "Diary") -> Check:
    free = free_bytes(diary.home)
    says = f"{free / 1_000_000_000:,.1f} GB free where the diary lies."
    if free < FREE_BYTES_LEAST:
        return Check("disk", "fault", says, "Free some space: nothing can be recorded without.")
    if free < FREE_BYTES_LOW:
        return Check("disk", "warning", says, "Free some space soon: pictures need about 100 MB a week.")
    return Check("disk", "fine", says)


def _clock(diary: "Diary") -> Check:
    if diary.server() is None:
        return Check("clock", "fine", "There is no server to compare this computer's clock with.")
    off_ms = diary.now_ms() - diary.clock.now_ms()
    ahead = "behind" if off_ms > 0 else "ahead of"
    says = f"This computer's clock is {abs(off_ms) / 1000:,.0f} s {ahead} the server's, as of the last sync."
    if abs(off_ms) < CLOCK_OFF_MS:
        return Check("clock", "fine", says)
    return Check(
        "clock", "warning", says, "Set the clock, best by NTP; slots are corrected before they leave."
    )


def _attention(diary: "Diary") -> Check:
    found = diary.attention()
    if found.alarms:
        says = f"The server showed what cannot be right ({found.alarms} alarms)."
        return Check("alarms", "fault", says, "See what: diary audit.")
    if found.unanswered:
        return Check("alarms", "warning", found.unanswered, "It is asked again with each sync: diary sync.")
    if diary.status().destroying:
        says = "Removed content still lies in the file: another program holds it."
        return Check(
            "destroying", "warning", says, "End other programs that have the diary open; it is tried again."
        )
    return Check("alarms", "fine", "The server has shown nothing that cannot be right.")
