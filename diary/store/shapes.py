"""What the records of each table and index of a diary look like (R70).

By it a page that nothing leads to any more is known again: the file's own schema may be what was damaged, so
the shapes come from the schema that this program would lay.
"""

import ast
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from diary.store.records import Record, Value

_TABLES = """
    SELECT name, wr
      FROM pragma_table_list
     WHERE schema = 'main' AND type = 'table' AND name NOT LIKE 'sqlite_%'
     ORDER BY name
"""
_COLUMNS = """
    SELECT name, type, "notnull", dflt_value, pk
      FROM pragma_table_info(:table)
     ORDER BY cid
"""
_INDEXES = """
    SELECT list.name, info.cid
      FROM pragma_index_list(:table) AS list
      JOIN pragma_index_xinfo(list.name) AS info
     ORDER BY list.name, info.seqno
"""
_TYPES: dict[str, tuple[type, ...]] = {
    "INTEGER": (int,),
    "TEXT": (str,),
    "BLOB": (bytes,),
    "ANY": (int, str, bytes, float),
}


@dataclass(frozen=True, slots=True)
class Column:
    """One column: the values it takes, and what stands in a record that was written before there was one."""

    name: str
    types: tuple[type, ...]
    may_be_null: bool
    default: Value
    is_rowid: bool

    def takes(self, value: Value) -> bool:
        """Return whether a record can hold this value here."""
        if self.is_rowid:
            return value is None
        return self.may_be_null if value is None else isinstance(value, self.types)


@dataclass(frozen=True, slots=True)
class Shape:
    """A table or an index: its columns in the order of its records."""

    name: str
    columns: tuple[Column, ...]
    has_rowid: bool
    is_index: bool = False

    def fits(self, record: Record) -> bool:
        """Return whether a record can be one of these."""
        if len(record) > len(self.columns) or (self.is_index and len(record) < len(self.columns)):
            return False
        later = self.columns[len(record) :]
        return all(map(Column.takes, self.columns, record)) and all(
            column.may_be_null or column.default is not None for column in later
        )

    def named(self, record: Record, rowid: int | None) -> dict[str, Value]:
        """Return a record's values by their columns."""
        values = {column.name: column.default for column in self.columns}
        values |= {column.name: value for column, value in zip(self.columns, record, strict=False)}
        return values | {column.name: rowid for column in self.columns if column.is_rowid}


def shapes(fresh: sqlite3.Connection) -> dict[str, Shape]:
    """Return the shapes of all tables and indexes of an empty diary, by name."""
    found: dict[str, Shape] = {}
    for table, without_rowid in fresh.execute(_TABLES).fetchall():
        declared = fresh.execute(_COLUMNS, {"table": table}).fetchall()
        # An integer that is the whole primary key is the rowid itself, and empty in its record.
        has_alias = not without_rowid and sum(bool(row[4]) for row in declared) == 1
        columns = [_column(row, has_alias=has_alias) for row in declared]
        order = list(range(len(columns)))
        if without_rowid:
            # Its records begin with the primary key, in the key's order.
            order.sort(key=lambda cid: declared[cid][4] or len(columns) + 1)
        found[table] = Shape(table, tuple(columns[cid] for cid in order), not without_rowid)
        found |= {shape.name: shape for shape in _indexes(fresh, table, columns) if not without_rowid}
    return found


def _indexes(fresh: sqlite3.Connection, table: str, columns: Sequence[Column]) -> list[Shape]:
    parts: dict[str, list[Column]] = {}
    for name, cid in fresh.execute(_INDEXES, {"table": table}).fetchall():
        rowid = Column("rowid", (int,), may_be_null=False, default=None, is_rowid=False)
        parts.setdefault(name, []).append(rowid if cid < 0 else columns[cid])
    return [Shape(name, tuple(found), has_rowid=False, is_index=True) for name, found in parts.items()]


def _column(row: Sequence[object], *, has_alias: bool) -> Column:
    name, kind, not_null, default, key = row
    is_rowid = kind == "INTEGER" and bool(key) and has_alias
    return Column(
        str(name),
        _TYPES[str(kind)],
        may_be_null=not not_null,
        default=None if default is None else ast.literal_eval(str(default)),
        is_rowid=is_rowid,
    )
