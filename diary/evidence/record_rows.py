"""The rows of a bundle's record, one by one: in the log, signed, by whom they may be, and opened (R48, R56).

Keys are learnt from the record itself: the device list proves itself to who knows the account's id, which is
the hash of the root's key; seats are known by their joinings. Pure.
"""

import hashlib
from dataclasses import dataclass, field
from typing import TypeVar

import msgspec

from diary.errors import DamageError
from diary.evidence import bundle, device_list
from diary.evidence.bundle import Disclosed, Record
from diary.evidence.disclosed import Act, Content, Opened, Row
from diary.evidence.head import LogHead, read_head
from diary.evidence.list_leaf import check_leaf
from diary.evidence.merkle import leaf_hash, push_hash
from diary.evidence.proof import proves_inclusion
from diary.evidence.receipt import SignedPush
from diary.evidence.seats import JoiningError, Seats
from diary.evidence.signature import PUSH, verify
from diary.rules.contract import TermsHistory, versions_of
from diary.rules.devices import DeviceListInClear
from diary.rules.ids import Millis, ReplicaId
from diary.rules.json_form import at
from diary.rules.parties import wrong_side
from diary.rules.sealed_content import CaptureContent, EntryContent, ReasonContent, TermsContent
from diary.rules.seat import SeatRole
from diary.rules.segment import Header, MalformedHeaderError, parse_header
from diary.rules.unreadable import UNREADABLE
from diary.rules.week import Week, starts_at_ms
from diary.sealing.derive import KEY_BYTES
from diary.sealing.row import open_disclosed

Name = tuple[ReplicaId, int]
_Kind = TypeVar("_Kind")
_OPENED = frozenset({"capture", "entry", "terms"}) | bundle.ACT_TYPES
HASHES_BYTES = 64  # of one version in a push: SHA-256 of header and of body


class RowFaultError(ValueError):
    """A row cannot be believed; `where` names it as a person would, `because` is a sentence's end."""

    def __init__(self, where: str, because: str) -> None:
        self.where = where
        self.because = because
        super().__init__(f"{where}: {because}")


@dataclass(slots=True)
class Checked:
    """What the record's rows came to: `seats` with their role and signing key.

    `keys` are the disclosed keys, by the version's name.
    """

    opened: Opened
    devices: DeviceListInClear
    seats: dict[ReplicaId, tuple[SeatRole, str]]
    keys: dict[Name, bytes] = field(repr=False)

    @property
    def list_number(self) -> int:
        """Return the number of the newest device list that the record shows."""
        return self.devices.number


def public_of(checked: Checked, replica: ReplicaId) -> bytes | None:
    """Return the signing key of a device that counts or of a seat, None for anybody else (R48)."""
    if replica in checked.seats:
        return bytes.fromhex(checked.seats[replica][1])
    listed = device_list.device(checked.devices, replica)
    return bytes.fromhex(listed.sign) if listed is not None and listed.revoked_from is None else None


def check_rows(record: Record, head: LogHead) -> Checked:
    """Return the rows of a record, each found in the log, signed by its writer, and opened (R59).

    Raises:
        RowFaultError: One of them is not to be believed, or says nothing that a record needs.
    """
    return _Checking(record, head).run()


def opened_record(record: Record) -> Opened:
    """Return a record that its maker has just put together, its rows checked.

    Raises:
        RowFaultError: See `check_rows`.
    """
    return check_rows(record, read_head(record.head, bytes.fromhex(record.server_key))).opened


@dataclass(slots=True)
class _Checking:
    """One pass over the rows, in the order of the log."""

    record: Record
    head: LogHead
    devices: DeviceListInClear | None = None
    seats: Seats = field(default_factory=Seats)
    history: TermsHistory | None = None
    terms: TermsContent | None = None
    pushes: dict[str, frozenset[bytes]] = field(default_factory=dict)
    rows: list[Row] = field(default_factory=list)
    acts: list[Act] = field(default_factory=list)
    keys: dict[Name, bytes] = field(default_factory=dict, repr=False)

    def run(self) -> Checked:
        headers = [_header_of(one) for one in self.record.versions]
        self._learn_lists(headers)
        last, names = -1, set()
        for one, header in zip(self.record.versions, headers, strict=True):
            if one.index <= last or header.name in names:
                raise RowFaultError(_where(header, one), "it stands out of order, or twice")
            last = one.index
            names.add(header.name)
            self._row(one, header)
        if self.devices is None:
            raise RowFaultError("the record", "it shows no device list")
        if self.history is None or self.terms is None:
            raise RowFaultError("the record", "it shows no terms of the contract")
        unused = set(self.record.pushes) - {one.push for one in self.record.versions}
        if unused:
            raise RowFaultError("the record", f"push {min(unused)} signs nothing that is shown")
        seats = {replica: (seat.role, seat.keys.sign) for replica, seat in self.seats.seats.items()}
        clients = frozenset(replica for replica, (role, _) in seats.items() if role == "client")
        opened = Opened(self.record, tuple(self.rows), self.history, self.terms, tuple(self.acts), clients)
        return Checked(opened, self.devices, seats, self.keys)

    def _learn_lists(self, headers: list[Header]) -> None:
        """Learn the devices first: a list drops none and changes no key, so the newest names all (R50)."""
        for one, header in zip(self.record.versions, headers, strict=True):
            if header.type != "device_list":
                continue
            try:
                shown = check_leaf(header, one.body or b"", self.devices)
            except device_list.DeviceListError as error:
                raise RowFaultError(_where(header, one), error.what_happened) from error
            if self.devices is None or shown.number > self.devices.number:
                self.devices = shown

    def _row(self, one: Disclosed, header: Header) -> None:
        where, raw = _where(header, one), one.header.encode()
        if (header.account, header.contract) != (self.record.account, self.record.contract):
            raise RowFaultError(where, "it is another contract's")
        body_hash = _hash(one.body_hash, where)
        if one.body is not None and hashlib.sha256(one.body).digest() != body_hash:
            raise RowFaultError(where, "its sealed content was changed")
        if one.key is not None and (one.body is None or header.type not in _OPENED):
            raise RowFaultError(where, "a key is shown that opens nothing")
        hashes = hashlib.sha256(raw).digest() + body_hash
        leaf = self._check_in_log(one, header, hashes, where)
        self._learn_seat(one, header, raw, where)
        if hashes not in self._signed_hashes(one.push, header.replica, where):
            raise RowFaultError(where, "its writer did not sign it")
        self._check_writer(header, where)
        if header.type == "terms":
            self._learn_terms(one, header, where)
        elif header.slot is not None and header.type in {"capture", "entry"}:
            self._learn_segment(one, header, leaf, where)
        elif header.type in bundle.ACT_TYPES and self.record.format >= bundle.ACTS_SINCE:
            self._learn_act(one, header, where)

    def _check_in_log(self, one: Disclosed, header: Header, hashes: bytes, where: str) -> bytes:
        """Return its leaf, once it is found to stand in the log of the head (R56)."""
        leaf = leaf_hash(
            header.type,
            header.contract,
            one.log_epoch,
            one.received_at_ms,
            hashes[:32],
            hashes[32:],
            _hash(one.push, where),
        )
        path = [_hash(node, where) for node in one.proof]
        if not proves_inclusion(one.index, self.head.size, leaf, path, bytes.fromhex(self.head.root)):
            says = (
                f"it does not stand at row {one.index} of the log with this content and this time of receipt"
            )
            raise RowFaultError(where, says)
        return leaf

    def _signed_hashes(self, name: str, replica: ReplicaId, where: str) -> frozenset[bytes]:
        """Return what a push signed, once its signature is found to be its writer's (R48)."""
        if name not in self.pushes:
            signed = self.record.pushes.get(name)
            if signed is None:
                raise RowFaultError(where, f"push {name}, which signs it, is missing")
            public = self._key_of(signed.replica)
            if public is None:
                raise RowFaultError(where, f"{signed.replica}, which wrote it, is no device and no seat")
            is_signed = verify(public, PUSH, signed.hashes, signed.signature)
            if push_hash(signed).hex() != name or not is_signed:
                raise RowFaultError(where, f"push {name} is not signed by {signed.replica}")
            self.pushes[name] = frozenset(_split(signed))
        if self.record.pushes[name].replica != replica:
            raise RowFaultError(where, "it stands in another device's push")
        return self.pushes[name]

    def _key_of(self, replica: ReplicaId) -> bytes | None:
        seat = self.seats.seats.get(replica)
        if seat is not None:
            return bytes.fromhex(seat.keys.sign)
        listed = None if self.devices is None else device_list.device(self.devices, replica)
        return None if listed is None else bytes.fromhex(listed.sign)

    def _check_writer(self, header: Header, where: str) -> None:
        """Raise unless the writer may write this: a device that counts, or a seat on its side (R8, R50)."""
        seats = self.seats.roles
        if header.replica not in seats:
            listed = None if self.devices is None else device_list.device(self.devices, header.replica)
            if listed is None or not device_list.counts_at(listed, header.n):
                raise RowFaultError(where, "the device list does not count it")
        refused = None if header.type == "joining" else wrong_side(header, seats, self.history)
        if refused is not None:
            raise RowFaultError(where, refused.because)

    def _learn_seat(self, one: Disclosed, header: Header, raw: bytes, where: str) -> None:
        try:
            self.seats.learn(header, raw, one.body or b"", Millis(one.received_at_ms))
        except JoiningError as error:
            raise RowFaultError(where, error.what_happened) from error

    def _learn_terms(self, one: Disclosed, header: Header, where: str) -> None:
        at_ms = Millis(one.received_at_ms)
        if self.history is None:
            found = versions_of([(header, at_ms)])
            if not found:
                raise RowFaultError(where, "the first terms say nothing but a state")
            self.history = TermsHistory(found)
        else:
            self.history = self.history.followed_by(header, at_ms)
        if one.body is not None and one.key is not None:
            self.terms = _decoded(TermsContent, self._opened(one, header, where), where)

    def _learn_segment(self, one: Disclosed, header: Header, leaf: bytes, where: str) -> None:
        assert header.slot is not None, "asked about a capture or an entry"
        shown = self.record.slots
        if header.slot not in Week.parse(self.record.week).slots or (
            shown is not None and header.slot not in shown
        ):
            raise RowFaultError(where, "its slot is none of those that are shown")
        content: Content | None = None
        if one.body is not None and one.key is not None:
            plain = self._opened(one, header, where)
            if header.type == "capture":
                content = _decoded(CaptureContent, plain, where)
            else:
                content = _decoded(EntryContent, plain, where)
            self.keys[header.name] = one.key
        self.rows.append(Row(header, one.index, Millis(one.received_at_ms), content, leaf))

    def _learn_act(self, one: Disclosed, header: Header, where: str) -> None:
        if not bundle.is_said_of(header, Week.parse(self.record.week), self.record.slots):
            raise RowFaultError(where, "it is of none of the slots that are shown, or of others too")
        reason = None
        if one.body is not None and one.key is not None:
            reason = _decoded(ReasonContent, self._opened(one, header, where), where).reason
        self.acts.append(Act(header, Millis(one.received_at_ms), reason))

    def _opened(self, one: Disclosed, header: Header, where: str) -> bytes:
        assert one.body is not None, "asked where there is content"
        assert one.key is not None, "asked where there is a key"
        if len(one.key) != KEY_BYTES or header.commit is None:
            raise RowFaultError(where, "its key is none")
        try:
            return open_disclosed(one.header.encode(), one.body, one.key)
        except DamageError as error:
            raise RowFaultError(where, error.what_happened) from error


def _decoded(kind: type[_Kind], content: bytes, where: str) -> _Kind:
    try:
        return msgspec.json.decode(content, type=kind)
    except UNREADABLE as error:
        raise RowFaultError(where, f"its content cannot be read: {error}") from error


def _split(signed: SignedPush) -> list[bytes]:
    hashes = signed.hashes
    return [hashes[start : start + HASHES_BYTES] for start in range(0, len(hashes), HASHES_BYTES)]


def _header_of(one: Disclosed) -> Header:
    try:
        return parse_header(one.header.encode())
    except MalformedHeaderError as error:
        raise RowFaultError(f"row {one.index}", f"its header cannot be read: {error}") from error


def _hash(text: str, where: str) -> bytes:
    try:
        found = bytes.fromhex(text)
    except ValueError:
        found = b""
    if len(found) != 32 or found.hex() != text:  # SHA-256
        raise RowFaultError(where, "a hash of it is none")
    return found


def _where(header: Header, one: Disclosed) -> str:
    if header.slot is None:
        return f"row {one.index}, {header.type}"
    return f"row {one.index}, {header.type} of {at(starts_at_ms(header.slot)):%Y-%m-%d %H:%M} UTC"
