"""What a reader believes of a feed: nothing that it has not checked (R45, R48, R50).

Every row must continue the log without a hole, bear the hashes that its writer's push signed, and be by a
device that the account's list counts at that number. Pure: pages and what is known in, checked rows or a
named fault out. A fault is an alarm: it stays until a person has looked.
"""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import msgspec

from diary.evidence import device_list
from diary.evidence.alarm import FeedFaultError
from diary.evidence.list_leaf import ListPlace, check_leaf
from diary.evidence.merkle import leaf_hash, push_hash
from diary.evidence.opening import FIRST_EPOCH
from diary.evidence.receipt import Cursor, LogRow, Page, SignedPush
from diary.evidence.seats import JoiningError, Seats
from diary.evidence.signature import PUSH, verify
from diary.rules.acts import ACT_TYPES
from diary.rules.contract import TermsHistory, versions_of
from diary.rules.devices import DeviceListInClear, ListedDevice
from diary.rules.ids import AccountId, ContractId, Millis, ReplicaId
from diary.rules.parties import wrong_side
from diary.rules.seat import types_of
from diary.rules.segment import Header, MalformedHeaderError, parse_header

HASHES_PER_VERSION_BYTES = 64

# What a side may say depends on what stands before it; captures and entries, most rows, are a device's.
_SIDED_TYPES = frozenset({"terms", *ACT_TYPES})


def _no_terms(_: ContractId) -> TermsHistory | None:
    """Return what a reader knows of terms who has read nothing."""
    return None


def _nobody(_: ContractId) -> Seats:
    """Return a contract that nobody was ever invited to."""
    return Seats()


@dataclass(frozen=True, slots=True)
class CheckedPush:
    """A push whose signature holds: its writer and the hashes it signed."""

    signed: SignedPush
    hashes: frozenset[bytes]


class CheckedRow(msgspec.Struct, frozen=True, gc=False):
    """A row that passed: `raw` are the header's exact bytes, `leaf` is its leaf in the log (R56)."""

    row: LogRow
    raw: bytes
    header: Header
    body_hash: bytes
    leaf: bytes


@dataclass(slots=True)
class Reader:
    """What a reader of one account's feeds knows so far; `check` adds to it.

    `devices` is the newest device list that the log of `lists_from` has shown, None before the first one:
    the account's own log, or, for who reads a single contract, that contract's (see `list_leaf`).
    `pushes` holds the checked pushes at hand, so that each is verified once. `seats_before` returns the
    invitations and seats of a contract as far as its log was read before (R51), `terms_before` its terms.
    """

    account: AccountId
    devices: DeviceListInClear | None
    pushes: dict[str, CheckedPush]
    lists_from: ListPlace = "account"
    seats_before: Callable[[ContractId], Seats] = _nobody
    terms_before: Callable[[ContractId], TermsHistory | None] = _no_terms
    _terms: dict[ContractId, TermsHistory | None] = field(init=False, default_factory=dict)
    _seats: dict[ContractId, Seats] = field(init=False, default_factory=dict)
    _listed: dict[ReplicaId, ListedDevice] = field(init=False)

    def __post_init__(self) -> None:
        """List the devices by their replica: every row asks for one."""
        self._list(self.devices)

    def check(self, page: Page, cursor: Cursor | None) -> list[CheckedRow]:
        """Return the page's rows that are new after `cursor`, each of them checked (R45, R48).

        Rows before the cursor are a reply that came twice: they are left out. In the account's own log a
        device list counts from its own row on.

        Raises:
            FeedFaultError: A row, or the page's head, is not to be believed.
        """
        start = _start_of(page, cursor)
        if self.devices is None and self.lists_from == "contract":
            self._learn_first_leaf(page)
        checked = []
        epoch = FIRST_EPOCH
        for place, row in enumerate(page.rows, start=page.rows[0].index if page.rows else 0):
            if row.index != place or not epoch <= row.log_epoch <= page.head.log_epoch:
                raise FeedFaultError("hole", f"row {place} of the log of contract {page.contract} is missing")
            epoch = row.log_epoch  # a log goes on in a later one behind what a restored server kept (R43)
            if row.index >= start:
                checked.append(self._checked(row, page))
        return checked

    def _checked(self, row: LogRow, page: Page) -> CheckedRow:
        raw = row.header.encode()
        header = _header_of(raw, row)
        if header.contract != page.contract or header.account != self.account:
            raise FeedFaultError("wrong_place", f"version {_name(header)} stands in another contract's log")
        try:
            body_hash = bytes.fromhex(row.body_hash)
        except ValueError:
            body_hash = b""
        if row.body is not None and hashlib.sha256(row.body).digest() != body_hash:
            raise FeedFaultError("bad_signature", f"the content of version {_name(header)} was altered")
        if header.type == "device_list":
            self._learn_devices(header, raw, row)
        if header.type == "joining":
            self._let_join(header, raw, row)
        push = self.pushes.get(row.push) or self._checked_push(row.push, page)
        if header.replica != push.signed.replica:
            raise FeedFaultError("bad_signature", f"version {_name(header)} is in another device's push")
        header_hash = hashlib.sha256(raw).digest()
        if header_hash + body_hash not in push.hashes:
            raise FeedFaultError("bad_signature", f"version {_name(header)} was signed by nobody")
        if not self._counts(header):
            self._check_seat(header)
        if header.type in _SIDED_TYPES:
            self._check_side(header, row)
        elif header.grant is not None and header.grant.invitation is not None:
            self._seats_of(header.contract).learn(header, raw, row.body or b"", Millis(row.received_at_ms))
        hashes = (header_hash, body_hash, bytes.fromhex(row.push))
        leaf = leaf_hash(header.type, header.contract, row.log_epoch, row.received_at_ms, *hashes)
        return CheckedRow(row, raw, header, body_hash, leaf)

    def _learn_devices(self, header: Header, raw: bytes, row: LogRow) -> None:
        """Follow the account's list in its own log; in a contract's it must go with what is known (R50)."""
        try:
            if header.in_own_log:
                self._list(device_list.check(header, raw, row.body or b"", self.devices))
                return
            shown = check_leaf(header, row.body or b"", self.devices)
        except device_list.DeviceListError as error:
            raise FeedFaultError("device_list", error.what_happened.rstrip(".")) from error
        known = 0 if self.devices is None else self.devices.number
        if self.lists_from == "contract" and shown.number > known:
            self._list(shown)

    def _learn_first_leaf(self, page: Page) -> None:
        """Learn the list of a log that began before anybody wrote it there (R50)."""
        for row in page.rows:
            raw = row.header.encode()
            header = _header_of(raw, row)
            if header.type == "device_list" and header.account == self.account:
                self._learn_devices(header, raw, row)
                return

    def _list(self, devices: DeviceListInClear | None) -> None:
        self.devices = devices
        self._listed = {listed.replica: listed for listed in devices.devices} if devices else {}

    def _seats_of(self, contract: ContractId) -> Seats:
        if contract not in self._seats:
            self._seats[contract] = self.seats_before(contract)
        return self._seats[contract]

    def _let_join(self, header: Header, raw: bytes, row: LogRow) -> None:
        """Let a client's seat join if an invitation in the log allows it (R51)."""
        if header.replica in self._listed:
            raise FeedFaultError("bad_joining", f"version {_name(header)} joins under a device's id")
        try:
            seats = self._seats_of(header.contract)
            seats.learn(header, raw, row.body or b"", Millis(row.received_at_ms))
        except JoiningError as error:
            what = f"a client joined contract {header.contract} who was not let in ({error.reason})"
            raise FeedFaultError("bad_joining", what) from error

    def _check_seat(self, header: Header) -> None:
        """Check that a row that no device wrote is by a seat in force, and its to write (R48, R51)."""
        seats = self._seats_of(header.contract)
        seat = seats.in_force(header.replica)
        if seat is None:
            raise FeedFaultError("unlisted_device", f"version {_name(header)} is by no device of the account")
        if header.type not in types_of(seat.role):
            what = f"version {_name(header)}, a {header.type}, is by a {seat.role}, who may write none"
            raise FeedFaultError("wrong_side", what)

    def _check_side(self, header: Header, row: LogRow) -> None:
        """Check that a row is its writer's side's to write, by what stands before it in the log (R8, R48).

        Of what came back behind a restored server's log the order is lost: when it came first, the server
        judged it by a log that nobody has any more, so there only its type is judged (R43).
        """
        contract, is_healed = header.contract, row.received_at_ms < row.log_epoch
        if contract not in self._terms:
            self._terms[contract] = self.terms_before(contract)
        history = self._terms[contract]
        refused = wrong_side(header, self._seats_of(contract).roles, None if is_healed else history)
        if refused is not None:
            what = f"version {_name(header)} is not its writer's to write: {refused.because}"
            raise FeedFaultError("wrong_side", what)
        if header.type == "terms":
            at_ms = Millis(row.received_at_ms)
            known = history.followed_by(header, at_ms).versions if history else versions_of([(header, at_ms)])
            self._terms[contract] = TermsHistory(known) if known else None

    def _checked_push(self, name: str, page: Page) -> CheckedPush:
        """Return the push of that hash once its signature is found to be its writer's."""
        signed = page.pushes.get(name)
        if signed is None or push_hash(signed).hex() != name or len(signed.hashes) % HASHES_PER_VERSION_BYTES:
            raise FeedFaultError("bad_signature", "a push that should sign a row is not shown")
        listed = self._listed.get(signed.replica)
        seat = None if listed is not None else self._seats_of(page.contract).seats.get(signed.replica)
        public = listed.sign if listed is not None else seat.keys.sign if seat is not None else None
        if public is None:
            what = f"a push is signed by {signed.replica}, which is no device of the account"
            raise FeedFaultError("unlisted_device", what)
        if not verify(bytes.fromhex(public), PUSH, signed.hashes, signed.signature):
            raise FeedFaultError(
                "bad_signature", f"a push of device {signed.replica} bears a false signature"
            )
        self.pushes[name] = CheckedPush(signed, frozenset(_split(signed.hashes)))
        return self.pushes[name]

    def _counts(self, header: Header) -> bool:
        listed = self._listed.get(header.replica)
        return listed is not None and device_list.counts_at(listed, header.n)


def _split(hashes: bytes) -> Iterator[bytes]:
    for start in range(0, len(hashes), HASHES_PER_VERSION_BYTES):
        yield hashes[start : start + HASHES_PER_VERSION_BYTES]


def _start_of(page: Page, cursor: Cursor | None) -> int:
    """Return the first index that is new, once page and head are found to continue the log (R45)."""
    if cursor is None:
        known_epoch, size = page.head.log_epoch, 0
    else:
        known_epoch, size = cursor.log_epoch, cursor.size
    if page.head.log_epoch != known_epoch:
        what = f"the log of contract {page.contract} was begun anew: the server lost what it had"
        raise FeedFaultError("log_epoch", what)
    if page.head.size < size:
        what = f"the log of contract {page.contract} shrank from {size} to {page.head.size} rows"
        raise FeedFaultError("log_shrank", what)
    if page.rows and page.rows[0].index > size:
        raise FeedFaultError("hole", f"row {size} of the log of contract {page.contract} is missing")
    if page.rows and page.rows[-1].index >= page.head.size:
        raise FeedFaultError("hole", f"the log of contract {page.contract} is longer than its head says")
    return size


def _header_of(raw: bytes, row: LogRow) -> Header:
    try:
        return parse_header(raw)
    except MalformedHeaderError as error:
        raise FeedFaultError("wrong_place", f"row {row.index} bears no header ({error})") from error


def _name(header: Header) -> str:
    return f"{ReplicaId(header.replica)}:{header.n}"
