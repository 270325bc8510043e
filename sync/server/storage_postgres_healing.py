"""What an account is still to be shown, in PostgreSQL (R43, R61, R69)."""

from collections.abc import Collection, Sequence

from diary.rules.ids import AccountId, ContractId, Slot
from sync.server.kept_healing import LostSeal
from sync.server.postgres_lines import Line, all_rows, bigints

NOTE = "UPDATE account SET healing_from = %(first)s WHERE account = %(account)s"

KEEP_SEALS = """
    INSERT INTO lost_seal (account, contract, week, log_epoch, number)
    SELECT DISTINCT ON (contract, week) %(account)s, contract, week, log_epoch, number
      FROM unnest(%(contracts)s::text[], %(weeks)s::text[], %(epochs)s::bigint[], %(numbers)s::bigint[])
        AS shown (contract, week, log_epoch, number)
     ORDER BY contract, week, log_epoch DESC, number DESC
        ON CONFLICT (account, contract, week) DO UPDATE
       SET log_epoch = excluded.log_epoch, number = excluded.number
     WHERE (excluded.log_epoch, excluded.number) > (lost_seal.log_epoch, lost_seal.number)
"""

SEALS = """
    SELECT contract, week, log_epoch, number
      FROM lost_seal
     WHERE account = %(account)s AND week = ANY(%(weeks)s)
"""


class PostgresHealingBooks:
    """`HealingBooks` within the transaction of a hold."""

    def __init__(self, line: Line, account: AccountId, waits_from: int | None) -> None:
        self._line = line
        self._account = account
        self._waits_from = None if waits_from is None else Slot(waits_from)

    @property
    def waits_from(self) -> Slot | None:
        """See `HealingBooks.waits_from`."""
        return self._waits_from

    def note(self, first: Slot | None) -> None:
        """See `HealingBooks.note`."""
        self._line.execute(NOTE, {"account": self._account, "first": first})
        self._waits_from = first

    def keep_seals(self, lost: Sequence[LostSeal]) -> None:
        """See `HealingBooks.keep_seals`."""
        if not lost:
            return
        asked = {
            "account": self._account,
            "contracts": [one.contract for one in lost],
            "weeks": [one.week for one in lost],
            "epochs": bigints(one.log_epoch for one in lost),
            "numbers": bigints(one.number for one in lost),
        }
        self._line.execute(KEEP_SEALS, asked)

    def seals(self, weeks: Collection[str]) -> dict[tuple[ContractId, str], LostSeal]:
        """See `HealingBooks.seals`."""
        rows = all_rows(self._line, SEALS, account=self._account, weeks=list(weeks))
        found = (LostSeal(*row) for row in rows)
        return {(one.contract, one.week): one for one in found}
