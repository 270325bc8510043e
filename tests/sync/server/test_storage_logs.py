"""Logs with their ranges, and seals, in every storage (R45, R56, R57, R69)."""

import pytest

from diary.clock import GivenClock
from diary.evidence.merkle import HASH_BYTES, root_of
from diary.evidence.receipt import Cursor
from diary.evidence.statement import SignedStatement
from diary.rules.ids import ContractId, Millis, Slot
from sync.server.kept_log import SEALS_PAGE_MAX, NewSeal
from sync.server.storage import Storage
from sync.server.storage_sqlite import SqliteStorage
from tests.rule import rule
from tests.sync.server.conftest import START
from tests.sync.server.versions import (
    ACCOUNT,
    CONTRACT,
    OTHER_ACCOUNT,
    OTHER_CONTRACT,
    ROOT,
    SLOT,
    append,
    capture,
    device_list,
    entry,
    terms,
)

EVERYTHING = 1 << 30
LOCK = Millis(START)


def seal(number: int, *, contract: ContractId = CONTRACT, week: str = "2026-W47") -> NewSeal:
    return NewSeal(contract, number, week, SignedStatement(text=f"{contract}{number}", signature=bytes(64)))


@rule("R56")
def test_a_log_is_kept_with_the_range_that_lets_it_grow(storage: Storage) -> None:
    kept: list[bytes] = []
    for n in range(2, 9):
        with storage.hold(ACCOUNT) as hold:
            made = append(hold, terms(n), capture(n + 100, slot=SLOT + n))
        kept += [bytes.fromhex(item.receipt.leaf) for item in made]
        with storage.hold(ACCOUNT) as hold:
            log = hold.logs({CONTRACT})[CONTRACT]
            assert (log.size, log.leaves.root) == (len(kept), root_of(kept))
    assert storage.feed(ACCOUNT, {}, 1000, EVERYTHING).roots[-1] == root_of(kept)
    for size in (0, 1, 5, len(kept)):
        assert storage.leaves(ACCOUNT, CONTRACT, size) == kept[:size]
    assert storage.leaves(OTHER_ACCOUNT, CONTRACT, 5) == storage.leaves(ACCOUNT, OTHER_CONTRACT, 5) == []


@rule("R45")
def test_a_part_of_a_feed_comes_with_the_whole_logs_root(storage: Storage) -> None:
    with storage.hold(ACCOUNT) as hold:
        kept = [bytes.fromhex(item.receipt.leaf) for item in append(hold, terms(2), capture(3), capture(4))]
    feed = storage.feed(ACCOUNT, {ContractId(ACCOUNT): Cursor(1, 1)}, 2, EVERYTHING)
    assert (len(feed.pages[0].rows), feed.pages[0].head.size) == (2, 3)
    assert feed.roots == [root_of(kept)]


@rule("R57")
def test_the_segments_of_a_span_are_those_of_every_contract_in_their_order(storage: Storage) -> None:
    with storage.hold(ACCOUNT) as hold:
        append(hold, terms(2), capture(3), capture(4, slot=SLOT + 1), capture(5, slot=SLOT + 9))
        append(hold, entry(6), terms(7, contract=OTHER_CONTRACT), capture(8, contract=OTHER_CONTRACT))
        found = hold.segments(Slot(SLOT), Slot(SLOT + 2))
        assert {contract: [held.header.n for held in each] for contract, each in found.items()} == {
            CONTRACT: [3, 4, 6],
            OTHER_CONTRACT: [8],
        }
        assert found[CONTRACT][0].received_at_ms == START
        assert all(len(held.leaf or b"") == HASH_BYTES for each in found.values() for held in each)
        assert hold.segments(Slot(0), Slot(SLOT)) == {}


@rule("R57")
def test_seals_come_with_their_contracts_page_once(storage: Storage) -> None:
    with storage.hold(ACCOUNT) as hold:
        append(hold, terms(2), terms(3, contract=OTHER_CONTRACT))
        hold.keep_seals([seal(1), seal(1, contract=OTHER_CONTRACT), seal(2, week="2026-W48")])
    first = storage.feed(ACCOUNT, {}, 1000, EVERYTHING).pages
    read = {page.contract: page.head for page in first}
    assert read == {
        ContractId(ACCOUNT): Cursor(1, 1),
        CONTRACT: Cursor(1, 1, 2),
        OTHER_CONTRACT: Cursor(1, 1, 1),
    }
    assert {page.contract: [one.text for one in page.seals] for page in first if page.seals} == {
        CONTRACT: [f"{CONTRACT}1", f"{CONTRACT}2"],
        OTHER_CONTRACT: [f"{OTHER_CONTRACT}1"],
    }
    assert storage.feed(ACCOUNT, read, 1000, EVERYTHING).pages == []
    with storage.hold(ACCOUNT) as hold:
        hold.keep_seals([seal(3)])
    (page,) = storage.feed(ACCOUNT, read, 1000, EVERYTHING).pages
    assert (page.rows, [one.text for one in page.seals]) == ([], [f"{CONTRACT}3"])


@rule("R57")
def test_many_seals_come_a_page_at_a_time(storage: Storage) -> None:
    with storage.hold(ACCOUNT) as hold:
        append(hold, terms(2))
        hold.keep_seals([seal(number) for number in range(1, SEALS_PAGE_MAX + 3)])
    cursors = {ContractId(ACCOUNT): Cursor(1, 1), CONTRACT: Cursor(1, 1)}
    feed = storage.feed(ACCOUNT, cursors, 1000, EVERYTHING)
    assert (len(feed.pages[0].seals), feed.more) == (SEALS_PAGE_MAX, True)
    rest = storage.feed(ACCOUNT, cursors | {CONTRACT: Cursor(1, 1, SEALS_PAGE_MAX)}, 1000, EVERYTHING)
    assert ([one.text for one in rest.pages[0].seals], rest.more) == (
        [f"{CONTRACT}{SEALS_PAGE_MAX + 1}", f"{CONTRACT}{SEALS_PAGE_MAX + 2}"],
        False,
    )


@rule("R43")
def test_of_a_weeks_seals_the_newest_is_known_for_each_contract(storage: Storage) -> None:
    with storage.hold(ACCOUNT) as hold:
        append(hold, terms(2), terms(3, contract=OTHER_CONTRACT))
        hold.keep_seals([seal(1), seal(2, week="2026-W48"), seal(3), seal(1, contract=OTHER_CONTRACT)])
        assert {contract: one.text for contract, one in hold.newest_seals("2026-W47").items()} == {
            CONTRACT: f"{CONTRACT}3",
            OTHER_CONTRACT: f"{OTHER_CONTRACT}1",
        }
        assert hold.newest_seals("2026-W46") == {}


@rule("R3")
@rule("R57")
def test_no_instant_is_before_the_lock_of_a_week_that_is_sealed(storage: Storage, clock: GivenClock) -> None:
    clock.put(LOCK + 10)
    with storage.hold(ACCOUNT) as hold:
        append(hold, terms(2))
        hold.note_sealed(Millis(LOCK + 1000))
    clock.put(LOCK)
    with storage.hold(ACCOUNT) as hold:
        assert hold.received_at_ms == LOCK + 1000


@rule("R57")
def test_until_when_weeks_are_sealed_is_known_of_each_account(storage: Storage, clock: GivenClock) -> None:
    clock.put(START + 1)
    with storage.hold(OTHER_ACCOUNT) as hold:
        hold.open_account(ROOT)
        append(hold, device_list(1), body=b"s" * 64)
    with storage.hold(ACCOUNT) as hold:
        assert hold.sealed_until_ms == 0
        hold.note_sealed(LOCK)
        assert hold.sealed_until_ms == LOCK
    with storage.hold(ACCOUNT) as hold:
        assert hold.sealed_until_ms == LOCK
    assert storage.unsealed(LOCK, 10) == [OTHER_ACCOUNT]
    assert sorted(storage.unsealed(Millis(LOCK + 1), 10)) == sorted([ACCOUNT, OTHER_ACCOUNT])
    assert len(storage.unsealed(Millis(LOCK + 1), 1)) == 1


@rule("R56")
@pytest.mark.parametrize("storage", ["sqlite"], indirect=True)
def test_a_log_that_was_kept_before_ranges_were_has_one_of_its_leaves(storage: SqliteStorage) -> None:
    with storage.hold(ACCOUNT) as hold:
        kept = [bytes.fromhex(item.receipt.leaf) for item in append(hold, terms(2), capture(3), capture(4))]
    storage._connection.execute("UPDATE contract SET peaks = NULL")
    assert storage.feed(ACCOUNT, {}, 1000, EVERYTHING).roots[-1] == root_of(kept)
    with storage.hold(ACCOUNT) as hold:
        kept += [bytes.fromhex(item.receipt.leaf) for item in append(hold, capture(5, slot=SLOT + 1))]
        assert hold.logs({CONTRACT})[CONTRACT].leaves.root == root_of(kept)
    ((peaks,),) = storage._connection.execute("SELECT count(peaks) FROM contract WHERE size = 4")
    assert peaks == 1
