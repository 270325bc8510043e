"""A contract's log and its seals as they are kept (R45, R56, R57)."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

from diary.evidence.merkle import CompactRange
from diary.evidence.receipt import Cursor
from diary.evidence.statement import SignedStatement
from diary.rules.ids import ContractId, Millis, Slot
from diary.rules.merge import Held

SEALS_PAGE_MAX = 20  # one is up to 50 KB: the largest page stays near a megabyte
EMPTY = CompactRange()


@dataclass(frozen=True, slots=True)
class Log:
    """One log: its epoch, the range of its leaves, and how many seals its contract has (R45, R56, R57)."""

    log_epoch: int
    leaves: CompactRange = EMPTY
    seals: int = 0

    @property
    def size(self) -> int:
        """Return how many rows it has."""
        return self.leaves.size

    @property
    def cursor(self) -> Cursor:
        """Return how far it can be read."""
        return Cursor(self.log_epoch, self.size, self.seals)


@dataclass(frozen=True, slots=True)
class NewSeal:
    """A contract's seal on its way into storage: its number, its week's name, what was signed (R57)."""

    contract: ContractId
    number: int
    week: str
    signed: SignedStatement


class LogBooks(Protocol):
    """What is held of one account's logs and seals, under its lock: verbs of one transaction."""

    @property
    def sealed_until_ms(self) -> Millis:
        """Return the lock up to which the account's weeks are sealed, 0 before there was one (R57)."""
        ...

    def logs(self, contracts: Collection[ContractId]) -> dict[ContractId, Log]:
        """Return those of the contracts' logs that this account has."""
        ...

    def all_logs(self) -> dict[ContractId, Log]:
        """Return all the account's logs: the epoch is that of the account (R43)."""
        ...

    def segments(self, first: Slot, end: Slot) -> dict[ContractId, list[Held]]:
        """Return every accepted capture and entry of the slots from `first` to before `end` (R57).

        Each with its leaf, those of a contract in the order of its log. A contract that has none is no key.
        """
        ...

    def newest_seals(self, week: str) -> dict[ContractId, SignedStatement]:
        """Return the newest seal of a week, by its name, of each contract that has one (R43)."""
        ...

    def keep_seals(self, seals: Sequence[NewSeal]) -> None:
        """Keep seals, whose numbers go on from those that their contracts have (R57)."""
        ...

    def note_sealed(self, until_ms: Millis) -> None:
        """Note the lock up to which the account's weeks are sealed."""
        ...
