"""What an account is still to be shown, in PostgreSQL (R43, R61, R69)."""

from collections.abc import Collection, Sequence

from diary.rules.ids import AccountId, ContractId, Slot
from sync.server.kept_healing import LostSeal
from sync.server.postgres_lines import Line, all_rows, bigints

# What was issued once more, before it was known to be lost, stands beside what is shown again (R61).
HEALING = """
    ALTER TABLE invoice ADD COLUMN healed BOOLEAN NOT NULL DEFAULT false;
    DROP INDEX invoice_once;
    CREATE UNIQUE INDEX invoice_once
        ON invoice (account, payer, currency, week)
     WHERE corrects IS NULL AND NOT healed;

    CREATE TABLE lost_seal (
        account TEXT COLLATE "C" NOT NULL REFERENCES account,
        contract TEXT COLLATE "C" NOT NULL CHECK (length(contract) = 32),
        week TEXT COLLATE "C" NOT NULL CHECK (length(week) = 8),
        log_epoch BIGINT NOT NULL CHECK (log_epoch >= 1),
        number BIGINT NOT NULL CHECK (number >= 1),
        PRIMARY KEY (account, contract, week)
    );
"""

KNOW_HEALING = (
    """
    ALTER TABLE account ADD COLUMN healing_from BIGINT CHECK (healing_from >= 0);
"""
    + HEALING
)
"""What gives older tables these."""

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
