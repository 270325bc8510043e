"""What every storage gives of a contract's weeks before its log is read (R28, R64, R69)."""

from pathlib import Path

import pytest

from diary.clock import GivenClock
from diary.rules.ids import ContractId, Slot
from diary.rules.week import SLOTS_PER_WEEK, Week
from sync.server import storage_sqlite_weeks as sql
from sync.server.storage import Storage
from sync.server.storage_sqlite import SqliteStorage
from sync.server.week_books import WeeksPart
from tests.rule import rule
from tests.sync.server.test_storage_seats import INVITATION
from tests.sync.server.versions import (
    ACCOUNT,
    CONTRACT,
    OTHER_ACCOUNT,
    OTHER_CONTRACT,
    REPLICA,
    SLOT,
    append,
    capture,
    entry,
    header_of_message,
    terms,
)

WEEK = Week.of(SLOT)
WEEKS_BEFORE = {number: Slot(SLOT - number * SLOTS_PER_WEEK) for number in (1, 2)}


def rows_of(part: WeeksPart | None) -> list[tuple[int, bool]]:
    """Return index and whether there is content of the part's rows."""
    assert part is not None
    assert part.page is not None
    return [(row.index, row.body is not None) for row in part.page.rows]


@pytest.fixture
def storage_of_weeks(storage: Storage) -> Storage:
    """Return a storage with three weeks of a contract, what stands in no slot, and another contract."""
    with storage.hold(ACCOUNT) as hold:
        append(hold, terms(2), capture(5, slot=WEEKS_BEFORE[2]), capture(4), INVITATION)
        append(hold, entry(6), capture(7, slot=WEEKS_BEFORE[1]), header_of_message(8))
        append(hold, terms(9, contract=OTHER_CONTRACT), capture(10, contract=OTHER_CONTRACT))
        hold.destroy([(REPLICA, 4)])
    return storage


@rule("R64")
class TestEveryStorage:
    def test_the_newest_week_comes_with_what_stands_in_no_slot_but_messages(
        self, storage_of_weeks: Storage
    ) -> None:
        part = storage_of_weeks.weeks(ACCOUNT, CONTRACT, (), 100)
        assert rows_of(part) == [(0, True), (2, False), (3, True), (4, True)]
        assert part is not None
        assert part.first_slots == [
            Week.of(slot).first_slot for slot in (*reversed(WEEKS_BEFORE.values()), SLOT)
        ]
        assert part.shown == (WEEK,)

    def test_weeks_that_are_asked_for_come_in_the_logs_order_with_their_pushes(
        self, storage_of_weeks: Storage
    ) -> None:
        wanted = [Week.of(slot) for slot in WEEKS_BEFORE.values()]
        part = storage_of_weeks.weeks(ACCOUNT, CONTRACT, wanted, 100)
        assert [index for index, _ in rows_of(part)] == [0, 1, 3, 5]
        assert part is not None
        assert part.page is not None
        assert {row.push for row in part.page.rows} == set(part.page.pushes)
        assert rows_of(storage_of_weeks.weeks(ACCOUNT, CONTRACT, [WEEK.next()], 100)) == [
            (0, True),
            (3, True),
        ]

    @rule("R56")
    def test_they_come_with_head_and_root_of_the_whole_log(self, storage_of_weeks: Storage) -> None:
        part = storage_of_weeks.weeks(ACCOUNT, CONTRACT, (), 100)
        feed = storage_of_weeks.feed(ACCOUNT, {}, 100, 1 << 30, only=CONTRACT)
        assert part is not None
        assert part.page is not None
        assert (part.page.head, part.root) == (feed.pages[0].head, feed.roots[0])
        assert part.page.head.size == 7

    def test_more_rows_than_were_asked_for_are_not_cut(self, storage_of_weeks: Storage) -> None:
        assert rows_of(storage_of_weeks.weeks(ACCOUNT, CONTRACT, (), 4))
        part = storage_of_weeks.weeks(ACCOUNT, CONTRACT, (), 3)
        assert part is not None
        assert part.page is None

    @rule("R46")
    def test_another_accounts_log_is_none_of_this_one(self, storage_of_weeks: Storage) -> None:
        assert storage_of_weeks.weeks(OTHER_ACCOUNT, CONTRACT, (), 100) is None
        assert storage_of_weeks.weeks(ACCOUNT, ContractId("7" * 32), (), 100) is None

    def test_a_contract_without_time_has_no_weeks(self, storage: Storage) -> None:
        with storage.hold(ACCOUNT) as hold:
            append(hold, terms(2))
        part = storage.weeks(ACCOUNT, CONTRACT, (), 100)
        assert rows_of(part) == [(0, True)]
        assert part is not None
        assert (part.first_slots, part.shown) == ([], ())


@pytest.mark.parametrize("statement", ["NUMBERS", "IN_SLOTS", "SLOTLESS"])
@rule("R69")
def test_the_embedded_database_finds_weeks_by_an_index(
    statement: str, tmp_path: Path, clock: GivenClock
) -> None:
    storage = SqliteStorage(tmp_path / "server.db", clock)
    names = ("account", "contract", "first", "end", "types", "before", "length", "rows_max")
    asked = dict.fromkeys(names, "[]")
    plan = storage._connection.execute(f"EXPLAIN QUERY PLAN {getattr(sql, statement)}", asked).fetchall()
    storage.close()
    lines = [str(line) for *_, line in plan if "json_each" not in str(line)]
    assert [line for line in lines if "SCAN" in line] == []
    assert any("version_slot" in line for line in lines)
