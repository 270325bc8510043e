"""What an account is still to be shown after its server was restored: verbs and their promises (R43, R61).

From the opening of an epoch on an account waits until one of its devices has shown all that it holds. Until
then nothing is sealed or billed for it: numbers that were given out would be given out once more.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from diary.rules.ids import ContractId, Slot

NOTHING_HEALED = Slot(2**53 - 1)
"""After every slot: the account waits, and no row that was shown has changed a week yet."""


@dataclass(frozen=True, slots=True)
class LostSeal:
    """A seal that the server signed and may have lost: which week's, and by what it is named (R57)."""

    contract: ContractId
    week: str
    log_epoch: int
    number: int


class HealingBooks(Protocol):
    """One account's healing under its lock: verbs of one transaction."""

    @property
    def waits_from(self) -> Slot | None:
        """Return the first slot of which rows were shown while the account waits; None: it does not wait."""
        ...

    def note(self, first: Slot | None) -> None:
        """Note from which slot rows were shown while the account waits; None: a device has shown all."""
        ...

    def keep_seals(self, lost: Sequence[LostSeal]) -> None:
        """Keep which seals were shown: of each contract's week the newest, by epoch and number."""
        ...

    def seals(self, weeks: Collection[str]) -> Mapping[tuple[ContractId, str], LostSeal]:
        """Return the newest seals of these weeks that were ever shown, by contract and week."""
        ...


class HoldsHealing(Protocol):
    """An account's hold, as far as healing goes."""

    @property
    def healing(self) -> HealingBooks:
        """Return what the account is still to be shown (R43)."""
        ...
