"""What is read of one contract by its weeks, where its log is not read from the front (R28, R64)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from diary.evidence.receipt import Page
from diary.rules.contract import TermsVersion
from diary.rules.ids import AccountId, ContractId, Slot
from diary.rules.merge import Held
from diary.rules.week import SLOTS_PER_DAY, SLOTS_PER_WEEK, Week

# What says who may write, by which terms, and what the parties agreed; messages are read with the log.
SLOTLESS_TYPES = (
    "device_list",
    "grant",
    "joining",
    "terms",
    "request",
    "acceptance",
    "dispute",
    "redaction",
)
# Slot 0 lies in the week that began on the Monday three days before.
SLOTS_BEFORE = 3 * SLOTS_PER_DAY


@dataclass(frozen=True, slots=True)
class Rivals:
    """Slots that several contracts of an account hold something in, and all that stands there (R28)."""

    standing: dict[tuple[ContractId, Slot], list[Held]]
    terms: dict[ContractId, tuple[TermsVersion, ...]]


@dataclass(frozen=True, slots=True)
class WeeksPart:
    """Some of a log's rows in its order, with the root of all of it (R56, R64).

    `page` bears the head of the whole log, and rows that need not stand one behind the other; it is None
    where they are more than was asked for at most. `first_slots` are those of all weeks that have rows, in
    order; `shown` are the weeks of the page.
    """

    page: Page | None
    root: bytes
    first_slots: list[Slot]
    shown: tuple[Week, ...]


class WeekBooks(Protocol):
    """Verbs that read the weeks of a contract, each of one committed state."""

    def rivals(self, account: AccountId, contract: ContractId, slots: range) -> Rivals:
        """Return what stands in those of the slots that the contract shares with others (R28)."""
        ...

    def weeks(
        self, account: AccountId, contract: ContractId, wanted: Sequence[Week], rows_max: int
    ) -> WeeksPart | None:
        """Return weeks of a contract's log with all of it that stands in no slot, messages apart (R64).

        Without `wanted` it is the newest week that has rows. None where there is no such log.
        """
        ...


def week_of_number(number: int) -> Week:
    """Return a week by what `(slot + SLOTS_BEFORE) / SLOTS_PER_WEEK` is of its slots, as databases count."""
    return Week.of(Slot(max(number * SLOTS_PER_WEEK - SLOTS_BEFORE, 0)))
