"""Checks a bundle with nothing but its bytes: no diary, no network, no trust in whoever sent it (R59, R60).

Every line of the answer is one claim: it holds, it fails, or it is only stated. What is proven is that the
record is unchanged since the server received it, by whom it was written and when it came; never more. A step
that cannot stand on the one before is not taken. Pure: bytes in, lines out.
"""

import contextlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from diary.evidence import bundle
from diary.evidence.bundle import MANIFEST, NEEDED, PICTURES, RECORD, SIGNATURE, Manifest, Record
from diary.evidence.bundle_zip import ContainerError, unpacked
from diary.evidence.disclosed import Opened, Row, reckoned, segments_of, stood_in, tables_of, totals_of
from diary.evidence.head import LogHead, read_head
from diary.evidence.proof import proves_consistency
from diary.evidence.record_rows import Checked, RowFaultError, check_rows, public_of
from diary.evidence.seal import Seal, differing, read_seal, says_the_same
from diary.evidence.statement import BrokenStatementError, ForgedStatementError
from diary.evidence.table_differences import differences
from diary.rules.delay import lag_says
from diary.rules.ids import Slot
from diary.rules.json_form import at, iso
from diary.rules.plain_text import plain
from diary.rules.sealed_content import CaptureContent
from diary.rules.timesheet import SegmentView, Totals
from diary.rules.week import Week, starts_at_ms
from diary.sealing import row as sealing
from diary.sealing.padding import PICTURE_BLOCK_BYTES, pad

Outcome = Literal["holds", "stated", "fails"]
WHY_NOT = frozenset({"", "deleted", "late", "overlapping", "over_limit", "manual_not_allowed", "fixed_price"})
_WHOLE = "the bundle"
THE_SERVER = "the server"
_HASH = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Line:
    """One claim about one thing; `about` is a file, a segment's time, or what else it is about."""

    outcome: Outcome
    about: str
    says: str


@dataclass(slots=True)
class Verification:
    """All that was found; `record`, `head` and `totals` are None until they could be believed."""

    lines: list[Line] = field(default_factory=list)
    record: Record | None = None
    head: LogHead | None = None
    totals: tuple[Totals, ...] = ()

    @property
    def holds(self) -> bool:
        """Return whether nothing fails."""
        return not any(line.outcome == "fails" for line in self.lines)

    def add(self, outcome: Outcome, about: str, says: str) -> None:
        """Add a line."""
        self.lines.append(Line(outcome, about, says))


class _StopError(Exception):
    """Nothing further can be said of the bundle: what stands so far says why."""


def verify(whole: bytes, *, server_key: str | None = None) -> Verification:
    """Return what holds, what is only stated and what fails of a bundle's bytes (R59).

    `server_key`, in hexadecimal, is the key that the reader knows to be the server's; without it the bundle's
    own is taken, and said to be only stated.
    """
    found = Verification()
    with contextlib.suppress(_StopError):
        _verify(whole, server_key, found)
    return found


def _verify(whole: bytes, server_key: str | None, found: Verification) -> None:
    files = _files(whole, found)
    manifest = _manifest(files, found)
    record = _record(files, found)
    found.record = record
    _server(record, server_key, found)
    head = found.head = _head(record, found)
    checked = _rows(record, head, found)
    _maker(files, manifest, checked, found)
    opened = checked.opened
    _pictures(files, opened, checked, found)
    _seal(opened, head, found)
    segments = segments_of(opened)
    for name, says in differences(files, tables_of(opened, segments)).items():
        for each in says:
            found.add("fails", name, each)
        if not says:
            found.add("holds", name, "each cell is as the record makes it")
    _not_shown(opened, found)
    _acts(opened, found)
    _segments(segments, found)
    found.totals = totals_of(opened, segments)
    found.add("stated", "the record", _STATED)


_NO_DIGESTS = (
    "its seal is of before there were digests: it is over what bills, and a memo could have been left out"
)
_STATED = (
    "what the screen showed, what was counted and what the memo says is as the freelancer's device stated "
    "it; when each version was received is the server's word, which both parties hold signed"
)


def _fail(found: Verification, about: str, says: str) -> _StopError:
    found.add("fails", about, says)
    return _StopError()


def _files(whole: bytes, found: Verification) -> dict[str, bytes]:
    try:
        return unpacked(whole)
    except ContainerError as error:
        raise _fail(found, error.where, error.because) from error


def _manifest(files: Mapping[str, bytes], found: Verification) -> Manifest:
    """Return the manifest, after every file was compared with it."""
    for name in (MANIFEST, SIGNATURE):
        if name not in files:
            raise _fail(found, name, "it is missing")
    try:
        manifest = bundle.read_manifest(files[MANIFEST])
    except bundle.UnreadablePartError as error:
        raise _fail(found, MANIFEST, f"it cannot be read: {error}") from error
    changed = bundle.changed_files(manifest, files)
    for name, says in sorted(changed.items()):
        found.add("fails", name, says)
    for name in NEEDED:
        if name not in files and name not in changed:
            changed[name] = ""
            found.add("fails", name, "it is missing")
    in_order = [*manifest.files, MANIFEST, SIGNATURE]
    if not changed and list(files) != in_order:
        found.add("fails", _WHOLE, "its files stand in another order than its manifest's")
    if not changed:
        found.add("holds", _WHOLE, f"{len(files)} files: none changed, added or missing")
    return manifest


def _record(files: Mapping[str, bytes], found: Verification) -> Record:
    if RECORD not in files:
        raise _StopError
    try:
        record = bundle.read_record(files[RECORD])
    except bundle.UnreadablePartError as error:
        raise _fail(found, RECORD, f"it cannot be read: {error}") from error
    because = _fault_in(record)
    if because:
        raise _fail(found, RECORD, because)
    return record


def _fault_in(record: Record) -> str:
    """Return what in a record contradicts the rest of it, or an empty string."""
    try:
        slots = Week.parse(record.week).slots
    except ValueError:
        return f"“{record.week}” is no week"
    try:
        ZoneInfo(record.zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return f"“{record.zone}” is no zone that is known here"
    # Written otherwise it would be the same key, and another file.
    if any(_HASH.fullmatch(text) is None for text in (record.server_key, *record.seal_proof)):
        return "a key or a hash is not 64 hexadecimal digits"
    return _fault_in_slots(record, slots)


def _fault_in_slots(record: Record, slots: range) -> str:
    shown = record.slots or ()
    if any(slot not in slots for slot in (*shown, *record.overlapping)):
        return "a slot is of another week"
    if any(list(each) != sorted(set(each)) for each in (shown, record.overlapping)):
        return "slots stand out of order, or twice"
    if record.seal is None and record.seal_proof:
        return "a seal's proof stands without a seal"
    if (record.slots is None) != (record.stated is None):
        return "what bills is stated where only some slots are shown, and nowhere else"
    stated = record.stated or {}
    if any(word not in WHY_NOT for word in stated.values()) or not set(stated) <= set(map(str, shown)):
        return "what is stated to bill is no such word, or of another slot"
    return ""


def _server(record: Record, expected: str | None, found: Verification) -> None:
    key = record.server_key
    if expected is None:
        says = f"its key is {key}: compare it with the server's own (GET /v1/server, or your invitation link)"
        found.add("stated", THE_SERVER, says)
    elif expected.strip().lower() == key:
        found.add("holds", THE_SERVER, f"its key is the one that was given: {key}")
    else:
        raise _fail(found, THE_SERVER, f"its key is {key}, not the one that was given")


def _head(record: Record, found: Verification) -> LogHead:
    try:
        head = read_head(record.head, bytes.fromhex(record.server_key))
    except (ForgedStatementError, BrokenStatementError, ValueError) as error:
        raise _fail(found, "the log", "its head is not signed by the server's key") from error
    if head.contract != record.contract:
        raise _fail(found, "the log", "its head is another contract's")
    says = f"the server signed its head at {iso(head.at_ms)}: {head.size} rows"
    found.add("holds", "the log", says)
    return head


def _rows(record: Record, head: LogHead, found: Verification) -> Checked:
    try:
        checked = check_rows(record, head)
    except RowFaultError as fault:
        raise _fail(found, fault.where, fault.because) from fault
    found.add("holds", "the account", f"{record.account}: its root signed device list {checked.list_number}")
    rows = len(record.versions)
    says = f"each of {rows} rows stands in the log, and was signed by a device or seat that may write it"
    found.add("holds", "the rows", says)
    return checked


def _maker(files: Mapping[str, bytes], manifest: Manifest, checked: Checked, found: Verification) -> None:
    public = public_of(checked, manifest.maker)
    if public is None:
        found.add("fails", MANIFEST, f"{manifest.maker} is no device and no seat of this contract")
    elif not bundle.is_signed_by(public, files[MANIFEST], files[SIGNATURE]):
        found.add("fails", SIGNATURE, "the manifest, or this signature of its maker over it, was changed")
    else:
        role, _ = checked.seats.get(manifest.maker, (None, ""))
        who = "a device of the freelancer" if role is None else f"a seat of the {role}"
        says = f"made by {manifest.maker}, {who}, at {iso(manifest.made_at_ms)} by its clock"
        found.add("holds", _WHOLE, says)
    for name in files:
        if name in {bundle.REPORT, bundle.PRINT}:
            says = "its words are its maker's; what it shows is proven by the tables and the record"
            found.add("stated", name, says)
        elif name in bundle.STYLES:
            found.add("stated", name, "how the report looks is its maker's")
        elif name not in {*NEEDED, MANIFEST, SIGNATURE} and not name.startswith(f"{PICTURES}/"):
            found.add("fails", name, "it is no part of a bundle")


def _pictures(files: Mapping[str, bytes], opened: Opened, checked: Checked, found: Verification) -> None:
    """Seal each picture again, and compare it with what its signed header names (R41, R47)."""
    record = opened.record
    named: set[str] = set()
    _said_of_pictures(opened, checked, found)
    for row in opened.rows:
        if not isinstance(row.content, CaptureContent) or row.header.name not in checked.keys:
            continue
        for index, (name, _) in enumerate(row.header.pictures or ()):
            where = record.pictures.get(name)
            about = _time(row.header.slot or Slot(0))
            if where is None or (where.file is None) == (where.absent is None):
                found.add("fails", about, f"nothing is said of picture {name}")
            elif where.file is None:
                if where.absent != "not_included":
                    found.add("stated", about, f"picture {name} is not here: {where.absent}")
            elif where.file not in files or not where.file.startswith(f"{PICTURES}/"):
                found.add("fails", about, f"{where.file} is missing")
            else:
                named.add(where.file)
                if not _is_picture(files[where.file], row, index, name, checked):
                    found.add("fails", where.file, f"it is not the picture that was recorded at {about}")
    for name in sorted(files):
        if name.startswith(f"{PICTURES}/") and name not in named:
            found.add("fails", name, "no row of the record names this picture")
    found.add("holds", "the pictures", f"{len(named)} files were compared with the hashes that were signed")


def _said_of_pictures(opened: Opened, checked: Checked, found: Verification) -> None:
    """Say of which pictures the record speaks although no row names them, or none can prove their file."""
    of_rows = {
        name: row.header.name in checked.keys for row in opened.rows for name, _ in row.header.pictures or ()
    }
    for name, where in opened.record.pictures.items():
        if name not in of_rows:
            found.add("fails", RECORD, f"it speaks of picture {name}, which no row names")
        elif not of_rows[name] and (where.file is not None or where.absent is None):
            found.add("fails", RECORD, f"picture {name} is of a row whose content is not shown")


def _is_picture(picture: bytes, row: Row, index: int, name: str, checked: Checked) -> bool:
    header = row.header
    place = sealing.PicturePlace(
        header.account, header.contract, header.slot or Slot(0), header.replica, header.n, index
    )
    sealed_size = len(pad(picture, PICTURE_BLOCK_BYTES))
    stated = (header.pictures or ())[index][1]
    ciphertext = sealing.seal_picture(picture, row_key=checked.keys[header.name], place=place)
    return sealed_size == stated and sealing.picture_name(ciphertext) == name


def _seal(opened: Opened, head: LogHead, found: Verification) -> None:
    record = opened.record
    week = Week.parse(record.week)
    if record.seal is None:
        frozen = week.is_frozen(head.at_ms)
        if record.slots is not None:
            says = "only some slots are shown: that nothing stands beside them, and what bills, is stated"
        elif frozen:
            says = "the week is frozen and its seal is not here: that nothing was left out is stated"
        else:
            says = "it was not frozen when this was made: it can change, and nothing is sealed yet"
        found.add("stated", record.week, says)
        return
    seal = _read_seal(record, head, found)
    if record.slots is not None:
        raise _fail(found, record.week, "a seal is shown beside some slots alone")
    mine = reckoned(opened)
    if not says_the_same(seal.reckoning, mine):
        for slot in differing(seal.reckoning, mine):
            found.add("fails", _time(slot), "the seal says otherwise of it than the rows that are here")
        raise _fail(found, record.week, "the seal says otherwise than the rows do: some were left out")
    says = (
        f"sealed as number {seal.number} at {iso(seal.sealed_at_ms)}: {seal.reckoning.billable} segments bill"
    )
    found.add("holds", record.week, f"{says}, as its rows and terms make it")
    if not seal.reckoning.has_digests:
        found.add("stated", record.week, _NO_DIGESTS)


def _read_seal(record: Record, head: LogHead, found: Verification) -> Seal:
    assert record.seal is not None, "asked where there is one"
    try:
        seal = read_seal(record.seal, bytes.fromhex(record.server_key))
        path = [bytes.fromhex(one) for one in record.seal_proof]
        roots = bytes.fromhex(seal.root), bytes.fromhex(head.root)
    except (ForgedStatementError, BrokenStatementError, ValueError) as error:
        raise _fail(found, record.week, "its seal is not signed by the server's key") from error
    if (seal.account, seal.contract, seal.week) != (record.account, record.contract, record.week):
        raise _fail(found, record.week, "its seal is of another week or contract")
    if not proves_consistency(seal.size, head.size, path, *roots):
        raise _fail(found, record.week, "its seal is of a log that did not grow into this one")
    return seal


def _not_shown(opened: Opened, found: Verification) -> None:
    """Say of which versions that stand only the header is shown (R54)."""
    by_name = {row.header.name: row for row in opened.rows}
    for stood in stood_in(opened.rows):
        if stood.stands.deleted:
            found.add("stated", _time(stood.slot), "the segment was deleted: nothing of it is shown")
            continue
        standing = (held.header for held in (*stood.stands.captures, *stood.stands.frontier))
        hidden = [header for header in standing if by_name[header.name].content is None]
        if hidden and stood.slot in opened.said.redacted:
            found.add("holds", _time(stood.slot), "both parties had its content redacted")
            continue
        for header in hidden:
            says = f"the content of {header.type} {header.replica}:{header.n} is not shown"
            found.add("stated", _time(stood.slot), says)


def _acts(opened: Opened, found: Verification) -> None:
    """Say what the parties said of the slots that are shown, in their words (R38, R54, R62)."""
    week = Week.parse(opened.record.week)
    for act in opened.acts:
        words = f": “{plain(act.reason)}”" if act.reason else ""
        says = f"{act.what} by {opened.who(act)}, received {iso(act.received_at_ms)}{words}"
        for slot in act.slots:
            if slot in week.slots:
                found.add("holds", _time(slot), says)
    if opened.record.format >= bundle.ACTS_SINCE:
        says = "that no other acceptance, dispute or redaction was left out is stated"
        found.add("stated", "the parties' words", says)


def _segments(segments: Sequence[SegmentView], found: Verification) -> None:
    for one in segments:
        received_ms = one.received_at_ms
        assert received_ms is not None, "all rows of a record were received"
        bills = "bills" if one.bills else f"does not bill: {one.why_not}"
        received = f"received {iso(received_ms)}, {lag_says(one.slot, received_ms)}"
        says = f"{one.kind}, {received}; row {one.leaf_index}; {bills}"
        if one.defective:
            found.add("fails", _time(one.slot), f"its content disagrees with its header; {says}")
        else:
            found.add("holds", _time(one.slot), says)


def _time(slot: Slot) -> str:
    return f"{at(starts_at_ms(slot)):%Y-%m-%d %H:%M} UTC"
