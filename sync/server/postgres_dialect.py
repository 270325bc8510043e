"""How PostgreSQL is asked by the books (R69)."""

from collections.abc import Collection, Sequence
from typing import Any

from diary.rules.ids import AccountId
from sync.server.dialect import Columns
from sync.server.faults import again
from sync.server.postgres_lines import Line, Lines, all_rows, bigints
from sync.server.storage_rows import Row


class PostgresAskedDatabase:
    """`AskedDatabase` in the database that the server's processes share."""

    def __init__(self, lines: Lines) -> None:
        self._lines = lines

    def ask(self, statement: str, /, **asked: Any) -> list[Any]:
        """See `AskedDatabase.ask`."""
        return again(lambda: self._lines.alone(lambda line: all_rows(line, statement, **asked)))


class PostgresHeldDatabase:
    """`HeldDatabase` within the transaction of a hold."""

    def __init__(self, line: Line, account: AccountId) -> None:
        self._line = line
        self._account = account

    def ask(self, statement: str, /, **asked: Any) -> list[Any]:
        """See `HeldDatabase.ask`."""
        return all_rows(self._line, statement, **{"account": self._account, **asked})

    def run(self, statement: str, /, **asked: Any) -> None:
        """See `HeldDatabase.run`: sent without waiting for its answer."""
        self._line.execute(statement, {"account": self._account, **asked})

    def enter(self, statement: str, columns: Columns, rows: Sequence[Row]) -> None:
        """See `HeldDatabase.enter`: by one statement, which takes each column as a list."""
        if not rows:
            return
        lists = columns.named([list(column) for column in zip(*rows, strict=True)])
        numbers = {name: bigints(lists[name]) for name in columns.numbers}
        self.run(statement, **lists | numbers)

    def texts(self, values: Collection[str]) -> list[str]:
        """See `HeldDatabase.texts`."""
        return list(values)

    def numbers(self, values: Collection[int]) -> str:
        """See `HeldDatabase.numbers`."""
        return bigints(values)
