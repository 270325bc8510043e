"""Makes a bundle: a week of one contract that anybody can check without us (R59).

Everything in it is what this diary holds already: rows, the pushes that signed them, the tree over the log,
what the server signed. Nothing leaves the computer but the file; the only keys in it are those of the
versions that it shows.
"""

import hashlib
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import count, zip_longest
from zoneinfo import ZoneInfo

from diary import envelope, looking, showing
from diary.bundle_report import Report
from diary.contracts import Contract
from diary.errors import DamageError, NothingError
from diary.evidence import bundle
from diary.evidence.bundle import Disclosed, PictureFile, Record
from diary.evidence.bundle_zip import packed
from diary.evidence.disclosed import Opened, segments_of, tables_of
from diary.evidence.record_rows import RowFaultError, opened_record
from diary.evidence.seal import Seal, overlapping
from diary.evidence.verify import verify
from diary.exporting import picture_ending
from diary.rules.ids import ContractId, Millis, Slot
from diary.rules.json_form import at
from diary.rules.merge import Held, standing
from diary.rules.sealed_content import CaptureContent, Content
from diary.rules.segment import Header, stored_header
from diary.rules.timesheet import NOT_COUNTED, SegmentView, SnapshotView
from diary.rules.week import Week, starts_at_ms
from diary.sealing.row import row_key
from diary.state import OpenDiary
from diary.store import epochs, heads, log_trees, receipts, seals, versions
from diary.store.epochs import LeafParts
from diary.store.versions import StoredVersion
from diary.witnessing import pinned_key

_ALWAYS = frozenset({"terms", "device_list", "joining"})


class NothingToBundleError(NothingError):
    """There is nothing that a server could have received (R59)."""

    says = "Nothing of {what} has reached a server: a bundle shows what was received there."
    mend = "Sync, then make it again: diary sync."


class UnprovenError(DamageError):
    """What was put together does not hold when it is checked as anybody would check it (R59)."""

    says = "The bundle was not written, since it does not hold: {about}: {because}."
    mend = "Sync, then make it again: diary sync. If it stays, look at diary audit and diary doctor."


@dataclass(frozen=True, slots=True)
class Bundled:
    """A bundle's bytes, which were checked, and what could not be had.

    `without` are slots whose pictures are not here, `unsynced` those that no server has received yet;
    `printed`: there is a report to print in it, which needs `workdiary[print]`.
    """

    whole: bytes
    segments: int
    pictures: int
    without: tuple[Slot, ...]
    unsynced: tuple[Slot, ...]
    printed: bool


def make_bundle(
    diary: OpenDiary, contract: Contract, week: Week, slots: Collection[Slot] | None, zone: ZoneInfo
) -> Bundled:
    """Return the bundle of a contract's week, or of some of its slots (R59).

    Raises:
        NothingToBundleError: No server has received anything of it.
        UnprovenError: It does not hold when it is checked.
    """
    with diary.reading():
        chosen = [
            one
            for one in looking.week(diary, week).segments
            if one.contract == contract.id and (slots is None or one.slot in slots)
        ]
        record, files = _Making(diary, contract.id, week, slots, zone, chosen).run()
    at_ms = diary.now_ms()
    try:
        opened = opened_record(record)
    except RowFaultError as fault:
        raise UnprovenError(about=fault.where, because=fault.because) from fault
    shown = segments_of(opened)
    raw = bundle.record_bytes(record)
    report = Report(
        opened,
        tuple(shown),
        zone,
        maker=diary.replica,
        made_at_ms=at_ms,
        record_hash=hashlib.sha256(raw).hexdigest(),
    )
    parts = {
        bundle.RECORD: raw,
        **{name: text.encode() for name, text in tables_of(opened, shown).items()},
        **report.page(),
        **report.printed(partial(_thumbnail, diary)),
        **files,
    }
    content = dict(sorted(parts.items()))
    signed = bundle.manifest_of(content, diary.replica, at_ms, diary.keys.sign_seed)
    whole = packed({**content, **signed})
    for line in verify(whole, server_key=record.server_key).lines:
        if line.outcome == "fails":
            raise UnprovenError(about=line.about, because=line.says)
    live = [one for one in chosen if one.state not in NOT_COUNTED]
    return Bundled(
        whole,
        segments=len(shown),
        pictures=len(files),
        without=tuple(_without(opened, shown)),
        unsynced=tuple(one.slot for one in live if not one.synced),
        printed=bundle.PRINT in parts,
    )


def _without(opened: Opened, shown: Iterable[SegmentView]) -> Iterator[Slot]:
    """Yield the slots of which a picture is not in the bundle."""
    pictures = opened.record.pictures
    for one in shown:
        names = (name for shot in one.snapshots for name in (shot.screen, shot.camera) if name)
        if any(pictures[name].file is None for name in names):
            yield one.slot


def _thumbnail(diary: OpenDiary, shot: SnapshotView) -> bytes | None:
    """Return a snapshot's thumbnail, or the picture that it was made of; None where neither is here."""
    names = filter(None, (shot.thumbnail, shot.screen, shot.camera))
    return next((picture for name in names if (picture := _picture(diary, name)) is not None), None)


def _picture(diary: OpenDiary, name: str) -> bytes | None:
    try:
        return showing.picture(diary, name)
    except (DamageError, NothingError):
        return None


@dataclass(slots=True)
class _Making:
    """One record under way, within one snapshot of the file."""

    diary: OpenDiary
    contract: ContractId
    week: Week
    slots: Collection[Slot] | None
    zone: ZoneInfo
    chosen: Sequence[SegmentView]

    def run(self) -> tuple[Record, dict[str, bytes]]:
        """Return the record, and the pictures by their file."""
        connection = self.diary.connection
        kept = heads.newest_proven(connection, self.contract)
        server_key = pinned_key(self.diary)
        if kept is None or server_key is None:
            raise NothingToBundleError(what=self.week.name)
        parts = epochs.leaf_parts(connection, self.contract, 0, kept.head.size)
        shown = [(one, header) for one in parts if self._is_shown(header := stored_header(one.header))]
        standing_names = self._standing((header, one.received_at_ms) for one, header in shown)
        tree = log_trees.tree(connection, self.contract)
        pictures, files = self._pictures(header for _, header in shown if header.name in standing_names)
        # Of the terms' words only the newest are shown: nobody asks what a contract was called before.
        newest_terms = max((one.index for one, header in shown if header.terms is not None), default=-1)
        rows = tuple(
            self._disclosed(
                one,
                header,
                opens=header.name in standing_names
                or one.index == newest_terms
                or header.type in bundle.ACT_TYPES,
                proof=tree.inclusion(one.index, kept.head.size),
            )
            for one, header in shown
        )
        if not any(header.slot is not None for _, header in shown):
            raise NothingToBundleError(what=self.week.name)
        seal = None
        if self.slots is None:
            known = seals.newest_of(connection, self.week.name).get(self.contract)
            seal = known if known is not None and known.agrees else None
        pushes = {row.push: receipts.push(connection, row.push) for row in rows}
        others = {one.slot for one in self.chosen if one.why_not == "overlapping"}
        record = Record(
            format=bundle.FORMAT,
            account=self.diary.account,
            contract=self.contract,
            week=self.week.name,
            slots=None if self.slots is None else tuple(sorted(self.slots)),
            zone=self.zone.key,
            server_key=server_key.hex(),
            head=kept.signed,
            versions=rows,
            pushes={name: push for name, push in pushes.items() if push is not None},
            pictures=pictures,
            seal=None if seal is None else seal.signed,
            seal_proof=()
            if seal is None
            else tuple(node.hex() for node in tree.consistency(seal.seal.size, kept.head.size)),
            overlapping=tuple(sorted(others if seal is None else _overlapping(seal.seal, others))),
            stated=None
            if self.slots is None
            else {str(one.slot): one.why_not or "" for one in self.chosen if one.synced},
        )
        return record, files

    def _is_shown(self, header: Header) -> bool:
        if header.type in _ALWAYS:
            return True
        if header.grant is not None:
            return header.grant.invitation is not None
        if header.type in bundle.ACT_TYPES:
            return bundle.is_said_of(header, self.week, self.slots)
        if header.type not in {"capture", "entry"} or header.slot is None:
            return False
        return header.slot in self.week.slots and (self.slots is None or header.slot in self.slots)

    def _standing(self, headers: Iterable[tuple[Header, Millis]]) -> set[versions.Name]:
        """Return the names of the captures and entries that stand, by what the server has received."""
        by_slot: dict[Slot, list[Held]] = {}
        for header, at_ms in headers:
            if header.slot is not None:
                by_slot.setdefault(header.slot, []).append(Held(header, at_ms))
        names: set[versions.Name] = set()
        for held in by_slot.values():
            stands = standing(held)
            if not stands.deleted:
                names |= {one.header.name for one in (*stands.captures, *stands.frontier)}
        return names

    def _disclosed(self, one: LeafParts, header: Header, *, opens: bool, proof: Sequence[bytes]) -> Disclosed:
        """Return a row with its proof; its own key goes with it where its content is shown (R47)."""
        stored = versions.find(self.diary.connection, one.name)
        body = key = None
        if stored is not None and (header.type in {"device_list", "joining"} or opens):
            body = stored.sealed.body
        # Words are sealed; an acceptance or a redaction may have none.
        if body is not None and opens and stored is not None and stored.sealed.wrap is not None:
            key = row_key(stored.sealed, envelope.epoch_key(self.diary, self.contract, header.epoch or 0))
        return Disclosed(
            log_epoch=one.log_epoch,
            index=one.index,
            received_at_ms=one.received_at_ms,
            push=one.push or "",
            header=one.header.decode(),
            body_hash=one.body_hash.hex(),
            body=body,
            key=key,
            proof=tuple(node.hex() for node in proof),
        )

    def _pictures(self, headers: Iterable[Header]) -> tuple[dict[str, PictureFile], dict[str, bytes]]:
        """Return where the pictures of these versions lie, and those that are here by their file (R59)."""
        where: dict[str, PictureFile] = {}
        files: dict[str, bytes] = {}
        missing = {name for one in self.chosen for name in _missing_of(one)}
        for header in headers:
            if not header.pictures:
                continue
            stored = versions.find(self.diary.connection, header.name)
            content = None if stored is None else self._content(stored)
            roles = content.roles if isinstance(content, CaptureContent) else ()
            for (name, _), role in zip_longest(header.pictures, roles[: len(header.pictures)]):
                if role == "thumbnail":
                    where[name] = PictureFile(absent="not_included")
                    continue
                picture = _picture(self.diary, name)
                if picture is None:
                    where[name] = PictureFile(absent="missing" if name in missing else "thinned")
                    continue
                file = _free_name(header.slot or Slot(0), picture, files)
                files[file] = picture
                where[name] = PictureFile(file=file)
        return where, files

    def _content(self, stored: StoredVersion) -> Content | None:
        try:
            return envelope.content_of(self.diary, stored)
        except (DamageError, NothingError):
            return None


def _overlapping(seal: Seal, others: Collection[Slot]) -> Collection[Slot]:
    """Return the slots of another contract: as the seal says, of late time as is known here (R28)."""
    sealed = {slot.slot for slot in seal.reckoning.slots}
    return overlapping(seal.reckoning) | (set(others) - sealed)


def _missing_of(one: SegmentView) -> Iterator[str]:
    for shot in one.snapshots:
        if shot.missing:
            yield from filter(None, (shot.screen, shot.camera))


def _free_name(slot: Slot, picture: bytes, taken: Collection[str]) -> str:
    """Return a file's name that says when the picture was taken and what kind it is."""
    begins = f"{bundle.PICTURES}/{at(starts_at_ms(slot)):%Y%m%dT%H%MZ}"
    ending = picture_ending(picture)
    numbered = (f"{begins}.{ending}" if number == 1 else f"{begins}-{number}.{ending}" for number in count(1))
    return next(name for name in numbered if name not in taken)
