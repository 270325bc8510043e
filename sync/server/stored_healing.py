"""What an account is still to be shown, in a database of either dialect (R43, R61, R69)."""

from collections.abc import Collection, Sequence
from typing import Protocol

from diary.rules.ids import ContractId, Slot
from sync.server.dialect import Columns, HeldDatabase
from sync.server.kept_healing import LostSeal

LOST_SEAL = Columns(("contract", "week", "log_epoch", "number"), numbers=("log_epoch", "number"))


class HealingStatements(Protocol):
    """What the books ask, in one dialect: the module of its statements."""

    NOTE: str
    KEEP_SEALS: str
    SEALS: str


class StoredHealingBooks:
    """`HealingBooks` within the transaction of a hold."""

    def __init__(self, database: HeldDatabase, sql: HealingStatements, waits_from: int | None) -> None:
        self._database = database
        self._sql = sql
        self._waits_from = None if waits_from is None else Slot(waits_from)

    @property
    def waits_from(self) -> Slot | None:
        """See `HealingBooks.waits_from`."""
        return self._waits_from

    def note(self, first: Slot | None) -> None:
        """See `HealingBooks.note`."""
        self._database.run(self._sql.NOTE, first=first)
        self._waits_from = first

    def keep_seals(self, lost: Sequence[LostSeal]) -> None:
        """See `HealingBooks.keep_seals`."""
        rows = [(one.contract, one.week, one.log_epoch, one.number) for one in lost]
        self._database.enter(self._sql.KEEP_SEALS, LOST_SEAL, rows)

    def seals(self, weeks: Collection[str]) -> dict[tuple[ContractId, str], LostSeal]:
        """See `HealingBooks.seals`."""
        rows = self._database.ask(self._sql.SEALS, weeks=self._database.texts(weeks))
        found = (LostSeal(*row) for row in rows)
        return {(one.contract, one.week): one for one in found}
