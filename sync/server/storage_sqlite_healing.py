"""What an account is still to be shown, in the embedded database (R43, R61)."""

from collections.abc import Collection, Sequence

import apsw
import msgspec

from diary.rules.ids import AccountId, ContractId, Slot
from sync.server.kept_healing import LostSeal

NOTE = "UPDATE account SET healing_from = :first WHERE account = :account"

KEEP_SEAL = """
    INSERT INTO lost_seal (account, contract, week, log_epoch, number)
    VALUES (?, ?, ?, ?, ?)
        ON CONFLICT (account, contract, week) DO UPDATE
       SET log_epoch = excluded.log_epoch, number = excluded.number
     WHERE (excluded.log_epoch, excluded.number) > (lost_seal.log_epoch, lost_seal.number)
"""

SEALS = """
    SELECT contract, week, log_epoch, number
      FROM lost_seal
     WHERE account = :account AND week IN (SELECT value FROM json_each(:weeks))
"""

_json = msgspec.json.Encoder()


class SqliteHealingBooks:
    """`HealingBooks` within the transaction of a hold."""

    def __init__(self, connection: apsw.Connection, account: AccountId, waits_from: int | None) -> None:
        self._connection = connection
        self._account = account
        self._waits_from = None if waits_from is None else Slot(waits_from)

    @property
    def waits_from(self) -> Slot | None:
        """See `HealingBooks.waits_from`."""
        return self._waits_from

    def note(self, first: Slot | None) -> None:
        """See `HealingBooks.note`."""
        self._connection.execute(NOTE, {"account": self._account, "first": first})
        self._waits_from = first

    def keep_seals(self, lost: Sequence[LostSeal]) -> None:
        """See `HealingBooks.keep_seals`."""
        rows = [(self._account, one.contract, one.week, one.log_epoch, one.number) for one in lost]
        self._connection.executemany(KEEP_SEAL, rows)

    def seals(self, weeks: Collection[str]) -> dict[tuple[ContractId, str], LostSeal]:
        """See `HealingBooks.seals`."""
        asked = {"account": self._account, "weeks": _json.encode(sorted(weeks)).decode()}
        found = (LostSeal(*row) for row in self._connection.execute(SEALS, asked))
        return {(one.contract, one.week): one for one in found}
