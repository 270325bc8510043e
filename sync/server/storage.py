"""The contract of the server's storage: verbs and their promises (R3, R40, R45, R69).

Every backend passes `tests/sync/server/test_storage.py`. The account is part of every key and every
question that is asked often, so that the tables can be spread by account.

A write for an account happens inside `Storage.hold(account)`: the lock is taken first, then the clock is
read once; leaving the block commits all of it, durably, or nothing. What was committed is there after a
power cut. Reads outside of it see one committed state each.
"""

from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from types import MappingProxyType
from typing import Protocol

import msgspec

from diary.evidence.merkle import CompactRange
from diary.evidence.opening import SignedOpening
from diary.evidence.receipt import Cursor, Page, Receipt, Refusal, SignedPush
from diary.evidence.seats import Seats
from diary.rules.contract import TermsVersion
from diary.rules.ids import AccountId, ContractId, Millis, ReplicaId, Slot
from diary.rules.merge import Held
from diary.rules.segment import Header, PictureName
from sync.server.kept_healing import HoldsHealing
from sync.server.kept_invoices import HoldsInvoices, ReadsInvoices
from sync.server.kept_log import Log, LogBooks
from sync.server.kept_members import HoldsMembers
from sync.server.kept_payments import HoldsPayments, ReadsPayments
from sync.server.operating import OperatorBooks
from sync.server.week_books import WeekBooks

Place = tuple[ContractId, Slot]
Name = tuple[ReplicaId, int]

NO_ROOTS: Mapping[ContractId, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Credential:
    """By what one replica may ask: SHA-256 of its token, and whether it still counts.

    `contract` is the one contract in which a client has this seat; None for a device (R51).
    """

    token_hash: bytes
    revoked: bool
    contract: ContractId | None = None


@dataclass(frozen=True, slots=True)
class Stored:
    """What was once answered to a name, with the hashes of what was then pushed (R40)."""

    header_hash: bytes
    body_hash: bytes
    answer: Receipt | Refusal


@dataclass(frozen=True, slots=True)
class DeviceListRow:
    """The newest device list: header as it was signed, and the signature that is its body (R50)."""

    header: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Question:
    """What a push is about: the names it bears, the slots and the contracts it touches.

    `parties` are those of the contracts in which it matters who the parties are; none for captures and
    entries of a device, which are most of what is pushed.
    """

    replica: ReplicaId
    ns: frozenset[int]
    places: frozenset[Place]
    contracts: frozenset[ContractId]
    parties: frozenset[ContractId] = frozenset()


@dataclass(frozen=True, slots=True)
class Basis:
    """What is held of all that a push can depend on (see the verbs of these names in `AccountHold`)."""

    device_list: DeviceListRow | None
    answers: dict[int, Stored]
    standing: dict[Place, list[Held]]
    logs: dict[ContractId, Log]
    terms: dict[ContractId, tuple[TermsVersion, ...]]
    seats: dict[ContractId, Seats]
    acts: dict[ContractId, list[Held]]


class NewLeaf(msgspec.Struct, frozen=True):
    """An accepted version on its way into the log.

    `body` and `wrap` are None where the version comes without content or was superseded when it came.
    """

    header: Header
    header_text: str
    body_hash: bytes
    body: bytes | None
    wrap: bytes | None
    receipt: Receipt


@dataclass(frozen=True, slots=True)
class NewRefusal:
    """A refusal that is final: hashes and reason, never content (R37d, R40)."""

    header_hash: bytes
    body_hash: bytes
    refusal: Refusal


@dataclass(frozen=True, slots=True)
class PictureRow:
    """A picture that a row with content names: its padded size, and whether it came in whole (R41).

    `counted`: its size is among what the account's pictures take (R44).
    """

    size: int
    whole: bool
    counted: bool


@dataclass(frozen=True, slots=True)
class Feed:
    """Pages of the feeds that grew, the account's own log first; `more` when a limit cut them (R45).

    `leaves` are those of each page, in the same order, 32 bytes a row (R43); `roots` those of each page's
    whole log (R56).
    """

    pages: list[Page]
    more: bool
    leaves: list[bytes]
    roots: list[bytes]


class AccountHold(LogBooks, HoldsPayments, HoldsInvoices, HoldsHealing, HoldsMembers, Protocol):
    """One account under its lock: verbs of one transaction."""

    @property
    def received_at_ms(self) -> Millis:
        """Return the instant of this transaction: never less than the account's last one (R3).

        Nor is it before the lock of a week that is sealed: a clock that goes back opens none (R57).
        """
        ...

    @property
    def log_epoch(self) -> int:
        """Return the epoch in which the account's logs grow; 1 until a restored server opens one (R43)."""
        ...

    def basis(self, question: Question) -> Basis:
        """Return what the verbs below would, all at once: where questions travel, they travel together."""
        ...

    def device_list(self) -> DeviceListRow | None:
        """Return the newest device list; None when the account is not open here."""
        ...

    def answers(self, replica: ReplicaId, ns: Collection[int]) -> dict[int, Stored]:
        """Return what was answered to those of the names that are known (R40).

        A receipt comes before a refusal: what was healed may have been refused meanwhile (R43).
        """
        ...

    def written_up_to(self, replica: ReplicaId) -> int:
        """Return the greatest n of a replica's versions that stand in the logs; 0 for none (R50)."""
        ...

    def standing(self, places: Collection[Place]) -> dict[Place, list[Held]]:
        """Return every accepted capture and entry of these places, in log order; all places are keys."""
        ...

    def open_epoch(self, log_epoch: int, opening: SignedOpening) -> None:
        """Let all the account's logs grow in this epoch from now on, and keep the statement of it (R43).

        A log goes on behind the rows that it has: the epoch changes, the index does not. The account waits
        from now on to be shown what it lost (`HealingBooks`).
        """
        ...

    def foreign(self, contracts: Collection[ContractId]) -> set[ContractId]:
        """Return those of the contracts that are another account's."""
        ...

    def terms(self, contracts: Collection[ContractId]) -> dict[ContractId, tuple[TermsVersion, ...]]:
        """Return the contracts' terms in log order; a contract without terms is no key."""
        ...

    def seats(self, contracts: Collection[ContractId]) -> dict[ContractId, Seats]:
        """Return invitations and seats of the contracts, as their logs show them; all are keys (R51)."""
        ...

    def acts(self, contracts: Collection[ContractId]) -> dict[ContractId, list[Held]]:
        """Return what the parties of the contracts said to each other, in log order (R10, R38, R54, R62).

        All contracts are keys.
        """
        ...

    def open_account(self, root: str) -> None:
        """Open the account with its root signing key in hexadecimal; no harm when it is open."""
        ...

    def admit(self, replica: ReplicaId, token_hash: bytes, contract: ContractId | None = None) -> bytes:
        """Keep the replica's token hash unless it has one; return the one that is kept.

        `contract` is the one that a client's seat is in, None for a device (R51).
        """
        ...

    def end_seats(self, replicas: Collection[ReplicaId]) -> None:
        """Take the access of seats whose right has ended (R51)."""
        ...

    def append(
        self,
        push: SignedPush,
        push_hash: bytes,
        leaves: Sequence[NewLeaf],
        grown: Mapping[ContractId, CompactRange],
    ) -> None:
        """Append the leaves to their logs, which grow by one each, and keep the push that signed them.

        `grown` are the ranges of those logs with the leaves behind what they had (R56).

        A capture's pictures may be uploaded from now on. A device list becomes the newest one, and its
        revoked replicas lose their access. `received_at_ms` becomes the account's last one, whatever the
        receipts say: a healed version keeps the time of its own receipt (R43).
        """
        ...

    def refuse(self, refusals: Sequence[NewRefusal]) -> None:
        """Keep the refusals, to answer their names alike for ever (R40)."""
        ...

    def destroy(self, names: Collection[Name]) -> None:
        """Take body, wrap and pictures from the named versions; leaf and clear header stay (R25, R45)."""
        ...

    def doom(self, pictures: Collection[str]) -> None:
        """Have pictures removed that no live row names, also such as were never expected here (R25)."""
        ...


class Storage(ReadsPayments, ReadsInvoices, WeekBooks, Protocol):
    """What the server keeps."""

    @property
    def operator(self) -> OperatorBooks:
        """Return what its operator decided and did."""
        ...

    @property
    def has_one_lock(self) -> bool:
        """Return whether all accounts share one lock, so that holds come one after the other anyway."""
        ...

    def together(self) -> AbstractContextManager[None]:
        """Join the holds of this thread within the block: where they share a lock, they share the commit too.

        Each still reads the clock for itself, sees what those before it did, and takes back its own and
        nothing else when it fails. What a joined hold stored is committed when the block has ended.

        Raises:
            BusyError: The common commit failed: nothing of the block was stored.
        """
        ...

    def hold(self, account: AccountId) -> AbstractContextManager[AccountHold]:
        """Hold the account's lock for one transaction (see the module)."""
        ...

    def credential(self, account: AccountId, replica: ReplicaId) -> Credential | None:
        """Return by what the account's replica may ask; None when it is not enrolled."""
        ...

    def newest_device_list(self, account: AccountId) -> DeviceListRow | None:
        """Return the newest device list; None when the account is not open here."""
        ...

    def last_received_ms(self) -> Millis | None:
        """Return the newest instant of receipt of all accounts; None when there is no account (R6)."""
        ...

    def highest_n(self, account: AccountId, replica: ReplicaId) -> int:
        """Return the greatest n that was answered, refused ones included; 0 for none (R42)."""
        ...

    def feed(
        self,
        account: AccountId,
        cursors: Mapping[ContractId, Cursor],
        rows_max: int,
        bytes_max: int,
        *,
        only: ContractId | None = None,
        roots: Mapping[ContractId, str] = NO_ROOTS,
    ) -> Feed:
        """Return what the feeds hold past the cursors: in log order, without holes (R45).

        With `only`, as if the account had that contract and no other: a seat reads nothing else (R51).

        A feed without a cursor, or with one of another epoch, is read from its start. A cursor past the
        feed's end, or of a log that is not there, gets a page with no rows and the true head; so does one at
        its end for which `roots` names another root than the log's, in hexadecimal (R43). At least one row
        comes when there is one. A page with rows says which leaf stands before them. Seals beyond the
        cursor's count come with their contract's page, as many as `SEALS_PAGE_MAX` (R57).
        """
        ...

    def openings(self, account: AccountId, after_epoch: int) -> list[SignedOpening]:
        """Return the statements of epochs later than that one, the earliest first (R43)."""
        ...

    def leaves(self, account: AccountId, contract: ContractId, size: int) -> list[bytes]:
        """Return the first `size` leaves of a log, in its order, of all epochs (R43, R56)."""
        ...

    def last_opened(self) -> int:
        """Return the newest epoch of all accounts, which is the instant of its opening; 1 for none (R43)."""
        ...

    def unsealed(self, lock_ms: Millis, limit: int) -> list[AccountId]:
        """Return accounts whose weeks are not sealed up to that lock, and wait for nothing (R43, R57)."""
        ...

    def accounts(self, after: AccountId | None, limit: int) -> list[AccountId]:
        """Return the next accounts by their ids, from the first when `after` is None."""
        ...

    def picture(self, account: AccountId, name: str) -> PictureRow | None:
        """Return the picture if a row that still has its content names it, else None (R41)."""
        ...

    def is_picture_of(self, account: AccountId, contract: ContractId, name: str) -> bool:
        """Return whether a row with content in that contract's log names the picture (R41, R51)."""
        ...

    def pictures(self, account: AccountId, names: Collection[str]) -> dict[str, PictureRow]:
        """Return those of the pictures that a row with content names, as `picture` does one (R41)."""
        ...

    def make_room(self, account: AccountId, name: str, quota_bytes: int) -> bool:
        """Count the picture among what the account's pictures take, before its first byte comes (R44).

        False, and not counted, where they would then take more than `quota_bytes`. Asked at once by several
        uploads, no more are counted than there is room for. One that no row names any more needs no room.
        """
        ...

    def picture_arrived(self, account: AccountId, name: str) -> bool:
        """Note that the picture is whole; False when no row names it any more: a deletion wins (R25)."""
        ...

    def picture_bytes(self, account: AccountId) -> int:
        """Return how many bytes the account's whole and counted pictures are, each once (R44)."""
        ...

    def doomed(self, limit: int, account: AccountId | None = None) -> list[tuple[AccountId, str]]:
        """Return pictures whose last row lost its content and whose bytes are still to be removed.

        Without an `account` all are asked: that is for who tidies up, not for who answers a request.
        """
        ...

    def pictures_removed(self, pictures: Sequence[tuple[AccountId, str]]) -> None:
        """Note that these bytes are gone."""
        ...

    def sweep(self) -> bool:
        """Make destroyed content unreadable in the storage's own files; False: to be tried again (R25)."""
        ...

    def close(self) -> None:
        """Release the files; nothing may be asked afterwards."""
        ...


def pictures_of(leaf: NewLeaf) -> tuple[PictureName, ...]:
    """Return the pictures that may be uploaded for this leaf: none without content (R41)."""
    return leaf.header.pictures or () if leaf.body is not None else ()
