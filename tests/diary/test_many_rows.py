"""Rows that are inserted many at once are the same as those inserted one by one."""

import pytest

from diary.many_rows import ROWS_AT_ONCE, joined, left_over
from diary.store import feed, sealed
from sync.server import storage_sqlite_statements as sql


@pytest.mark.parametrize("count", [0, 1, ROWS_AT_ONCE - 1, ROWS_AT_ONCE, 2 * ROWS_AT_ONCE + 7])
def test_every_row_is_in_one_statement_and_in_its_turn(count: int) -> None:
    rows = [(number, f"row {number}") for number in range(count)]
    values = [value for many in joined(rows) for value in many]
    values += [value for row in left_over(rows) for value in row]
    assert values == [value for row in rows for value in row]
    assert all(len(many) == 2 * ROWS_AT_ONCE for many in joined(rows))


@pytest.mark.parametrize(
    ("one", "many"),
    [
        (feed._ADD, feed._ADD_MANY),
        (sealed._ADD_AT, sealed._ADD_MANY_AT),
        (sql.APPEND, sql.APPEND_MANY),
    ],
    ids=["feed", "sealed", "server"],
)
def test_the_statement_for_many_rows_is_that_for_one_with_more_of_them(one: str, many: str) -> None:
    into, row = one.split("VALUES")
    assert many.split() == f"{into}VALUES {', '.join([row.strip()] * ROWS_AT_ONCE)}".split()
