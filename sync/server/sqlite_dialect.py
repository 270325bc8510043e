"""How the embedded database is asked by the books (R69)."""

from collections.abc import Collection, Sequence
from typing import Any

import apsw
import msgspec

from diary.rules.ids import AccountId
from sync.server.dialect import Columns
from sync.server.sqlite_transactions import SqliteTransactions
from sync.server.storage_rows import Row

_json = msgspec.json.Encoder()


class SqliteAskedDatabase:
    """`AskedDatabase` on the server's file."""

    def __init__(self, connection: apsw.Connection, transactions: SqliteTransactions) -> None:
        self._connection = connection
        self._transactions = transactions

    def ask(self, statement: str, /, **asked: Any) -> list[Any]:
        """See `AskedDatabase.ask`."""
        with self._transactions.transaction("BEGIN"):
            return list(self._connection.execute(statement, asked))


class SqliteHeldDatabase:
    """`HeldDatabase` within the transaction of a hold."""

    def __init__(self, connection: apsw.Connection, account: AccountId) -> None:
        self._connection = connection
        self._account = account

    def ask(self, statement: str, /, **asked: Any) -> list[Any]:
        """See `HeldDatabase.ask`."""
        return list(self._connection.execute(statement, {"account": self._account, **asked}))

    def run(self, statement: str, /, **asked: Any) -> None:
        """See `HeldDatabase.run`."""
        self.ask(statement, **asked)

    def enter(self, statement: str, columns: Columns, rows: Sequence[Row]) -> None:
        """See `HeldDatabase.enter`."""
        named = ({"account": self._account, **columns.named(row)} for row in rows)
        self._connection.executemany(statement, named)

    def texts(self, values: Collection[str]) -> str:
        """See `HeldDatabase.texts`: as JSON, which `json_each` reads."""
        return _json.encode(sorted(values)).decode()

    def numbers(self, values: Collection[int]) -> str:
        """See `HeldDatabase.numbers`: as JSON, which `json_each` reads."""
        return _json.encode(sorted(values)).decode()
