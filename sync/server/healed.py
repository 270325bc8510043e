"""Who signed what a restored server is shown: devices, and clients in their contract (R43, R48, R51)."""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field

from diary.evidence import device_list, signature
from diary.evidence.list_leaf import check_leaf
from diary.evidence.merkle import push_hash
from diary.evidence.receipt import LogRow, SignedPush
from diary.evidence.seats import JoiningError, Seats
from diary.rules.devices import DeviceListInClear
from diary.rules.ids import ContractId, Millis, ReplicaId
from diary.rules.seat import types_of
from diary.rules.segment import Header
from sync.server.storage import AccountHold

HASHES_A_VERSION_BYTES = 64
NO_LIST = 1 << 62  # after every device list


@dataclass(frozen=True, slots=True)
class Shown:
    """A row that the server's own signature proves: it was received, there and then."""

    row: LogRow
    header: Header
    header_hash: bytes
    body_hash: bytes

    @property
    def order(self) -> tuple[int, int, bool, int, int]:
        """Return by what rows enter again: device lists by their numbers, then the others as they came (R50).

        When a list came does not say which it follows: a server that was restored, and its clock set back,
        received a later one at an earlier instant; and of two proofs one may name a place in an older epoch.
        """
        row = self.row
        number = self.header.devices.number if self.header.devices else NO_LIST
        return number, row.received_at_ms, not self.header.in_own_log, row.log_epoch, row.index


@dataclass(slots=True)
class Healing:
    """One request's rows on their way in, under the account's lock."""

    hold: AccountHold
    pushes: dict[str, SignedPush]
    devices: DeviceListInClear | None
    seats: dict[ContractId, Seats] = field(default_factory=dict)
    checked: dict[str, frozenset[bytes] | None] = field(default_factory=dict)

    def learn_devices(self, lost: Iterable[Shown]) -> None:
        """Follow the lists that were lost, as far as they follow the known one (R50)."""
        for shown in lost:
            if shown.header.type != "device_list" or not shown.header.in_own_log:
                continue
            raw, body = shown.row.header.encode(), shown.row.body or b""
            try:
                self.devices = device_list.check(shown.header, raw, body, self.devices)
            except device_list.DeviceListError:
                continue  # it forks from what was signed since: a reader must not be shown both

    def learn_seats(self, lost: Iterable[Shown]) -> None:
        """Follow the invitations and joinings that were lost, in the order in which they came (R51)."""
        for shown in lost:
            header, raw = shown.header, shown.row.header.encode()
            is_invitation = header.grant is not None and header.grant.invitation is not None
            if header.type == "joining" or (is_invitation and self.signed(shown)):
                there = self.seats.setdefault(header.contract, Seats())
                with suppress(JoiningError):  # it is shown to nobody, as no reader would believe it
                    there.learn(header, raw, shown.row.body or b"", Millis(shown.row.received_at_ms))

    def seat_of(self, replica: ReplicaId) -> tuple[ContractId, str] | None:
        """Return the contract of a client's seat that may still ask, and its key; None for no such (R51)."""
        for contract, there in self.seats.items():
            seat = there.in_force(replica)
            if seat is not None:
                return contract, seat.keys.sign
        return None

    def signed(self, shown: Shown) -> bool:
        """Return whether a device's or a client's push signed the row, as every reader will check (R48)."""
        name = shown.row.push
        if name not in self.checked:
            self.checked[name] = self._hashes_of(name, shown.header.contract)
        hashes = self.checked[name]
        assert self.devices is not None, "who shows rows is listed"
        return (
            hashes is not None
            and shown.header_hash + shown.body_hash in hashes
            and self.pushes[name].replica == shown.header.replica
            and self._may_write(shown.header)
            and (shown.header.devices is None or self._goes_with_known(shown))
        )

    def _may_write(self, header: Header) -> bool:
        assert self.devices is not None, "who shows rows is listed"
        if device_list.counts(self.devices, header.replica, header.n):
            return True
        # One that ended since wrote it before: the server's own leaf says so.
        there = self.seats.get(header.contract)
        seat = there.seats.get(header.replica) if there is not None else None
        return seat is not None and header.type in types_of(seat.role)

    def _goes_with_known(self, shown: Shown) -> bool:
        """Return whether a device list may be shown to readers beside the one that is known (R50)."""
        devices, known = shown.header.devices, self.devices
        assert devices is not None, "only a device list is asked about"
        assert known is not None, "who shows rows is listed"
        if shown.header.in_own_log:
            return devices.number <= known.number
        try:
            return check_leaf(shown.header, shown.row.body or b"", known).number <= known.number
        except device_list.DeviceListError:
            return False

    def _hashes_of(self, name: str, contract: ContractId) -> frozenset[bytes] | None:
        """Return the pairs of hashes that a push signed; None where nobody's signature holds."""
        push = self.pushes.get(name)
        if push is None or push_hash(push).hex() != name or len(push.hashes) % HASHES_A_VERSION_BYTES:
            return None
        signer = device_list.device(self.devices, push.replica) if self.devices else None
        seat = self.seats[contract].seats.get(push.replica) if contract in self.seats else None
        public = signer.sign if signer is not None else seat.keys.sign if seat is not None else None
        if public is None:
            return None
        if not signature.verify(bytes.fromhex(public), signature.PUSH, push.hashes, push.signature):
            return None
        return frozenset(pieces(push.hashes, HASHES_A_VERSION_BYTES))


def pieces(joined: bytes, size: int) -> Iterator[bytes]:
    """Yield the parts of that size of which some bytes are joined."""
    for start in range(0, len(joined), size):
        yield joined[start : start + size]
