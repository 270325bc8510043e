"""A database as the books of money and healing ask it, whichever it is (R61, R63, R69).

What a book asks, and what it makes of the rows, stands once (`stored_invoices.py` and its neighbours). The
statements stand once a dialect (`storage_sqlite_*.py`, `storage_postgres_*.py`). How a dialect is handed
values, lists and rows is said here, and done in `sqlite_dialect.py` and `postgres_dialect.py`.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from sync.server.storage_rows import Row


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns of a table but the account, in the order of its rows, and which hold whole numbers."""

    names: tuple[str, ...]
    numbers: tuple[str, ...]

    def named(self, values: Row) -> dict[str, Any]:
        """Return a value for each column by its name."""
        return dict(zip(self.names, values, strict=True))


class AskedDatabase(Protocol):
    """A database that is asked without a lock: each statement sees one committed state."""

    def ask(self, statement: str, /, **asked: Any) -> list[Any]:
        """Return the rows that the statement gives, for the values it names."""
        ...


class HeldDatabase(Protocol):
    """A database within the transaction of one account's hold; every statement is told the account."""

    def ask(self, statement: str, /, **asked: Any) -> list[Any]:
        """Return the rows that the statement gives, for the values it names."""
        ...

    def run(self, statement: str, /, **asked: Any) -> None:
        """Run a statement that gives no rows; it may fail as late as the commit."""
        ...

    def enter(self, statement: str, columns: Columns, rows: Sequence[Row]) -> None:
        """Insert rows of the account by a statement made for these columns; nothing is done for none."""
        ...

    def texts(self, values: Collection[str]) -> Any:
        """Return a list of texts as a statement takes it."""
        ...

    def numbers(self, values: Collection[int]) -> Any:
        """Return a list of whole numbers as a statement takes it."""
        ...
