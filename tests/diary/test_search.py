"""Search: what stands is found, what is gone is not, and nothing of it lies in a file (R25, R31, R52)."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from diary import envelope
from diary.clock import GivenClock
from diary.contracts import Contract
from diary.diary import Diary
from diary.rules.ids import Slot
from diary.search import _epoch_keys
from diary.search_reading import Half, folded
from diary.store import versions
from tests.practice import draft_of, instant, practice_diary, record_slot, slot
from tests.rule import rule

NINE = slot("2026-11-16T09:00Z")
Desk = tuple[Diary, GivenClock, Contract]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    diary, clock, contract = practice_diary(tmp_path, "2026-11-16T08:50Z", manual_allowed=True)
    with diary:
        yield diary, clock, contract


def found(diary: Diary, text: str, limit: int | None = None, skip: int = 0) -> list[Slot]:
    return [hit.slot for hit in diary.search(text, limit=limit, skip=skip).hits]


@rule("R31")
def test_memo_label_application_and_title_are_searched_in_any_case_the_newest_first(desk: Desk) -> None:
    diary, _, contract = desk
    record_slot(diary, contract, NINE, memo="Straße und Ärger", label="Design")
    record_slot(diary, contract, Slot(NINE + 1), memo="Ledger", title="strasse.txt — editor")
    assert found(diary, "STRASSE") == [NINE + 1, NINE]
    assert found(diary, "ärger") == [NINE]
    assert found(diary, "design") == [NINE]
    assert found(diary, "editor") == [NINE + 1, NINE]
    assert found(diary, "nowhere") == found(diary, "") == []


@rule("R25")
@rule("R31")
def test_what_was_edited_away_or_removed_is_found_no_more(desk: Desk) -> None:
    diary, _, contract = desk
    places = [record_slot(diary, contract, Slot(NINE + at), memo="Persimmon") for at in range(3)]
    assert found(diary, "persimmon") == [NINE + 2, NINE + 1, NINE]
    diary.edit(places[:1], memo="Walnut")
    diary.remove(places[1:2])
    assert found(diary, "persimmon") == [NINE + 2]
    assert found(diary, "walnut") == [NINE]


@rule("R31")
def test_what_another_process_wrote_is_found(desk: Desk) -> None:
    diary, clock, contract = desk
    record_slot(diary, contract, NINE, memo="Persimmon")
    assert found(diary, "persimmon") == [NINE]
    with Diary.open(diary.home, clock=clock) as other:
        record_slot(other, contract, Slot(NINE + 1), memo="Another persimmon")
        other.remove([(contract.id, NINE)])
    assert found(diary, "persimmon") == [NINE + 1]


@rule("R31")
def test_pages_of_hits_follow_each_other_without_gap_or_repetition(desk: Desk) -> None:
    diary, _, contract = desk
    slots = [Slot(NINE + at) for at in range(7)]
    for at in slots:
        record_slot(diary, contract, at, memo="Same")
    pages = [diary.search("same", limit=3, skip=skip) for skip in (0, 3, 6)]
    assert [hit.slot for page in pages for hit in page.hits] == slots[::-1]
    assert [page.more for page in pages] == [True, True, False]


@rule("R31")
def test_the_segment_under_way_is_no_hit_until_it_is_recorded(desk: Desk) -> None:
    diary, clock, contract = desk
    clock.put(instant("2026-11-16T09:04Z"))
    draft = draft_of(contract, NINE, memo="Under way", replica=diary.replica)
    diary.keep_draft(draft)
    assert found(diary, "under way") == []
    clock.put(instant("2026-11-16T09:10Z"))
    diary.record(draft)
    assert found(diary, "under way") == [NINE]


@rule("R52")
def test_a_search_writes_nothing(desk: Desk) -> None:
    diary, _, contract = desk
    record_slot(diary, contract, NINE, memo="Persimmon")
    before = {path.name: path.read_bytes() for path in diary.home.iterdir()}
    assert found(diary, "persimmon") == [NINE]
    after = {path.name: path.read_bytes() for path in diary.home.iterdir()}
    before.pop("diary.db-shm", None), after.pop("diary.db-shm", None)  # locks and page numbers, no rows
    assert after == before


@rule("R31")
def test_progress_is_told_while_much_is_read(desk: Desk) -> None:
    diary, _, contract = desk
    record_slot(diary, contract, NINE)
    told: list[tuple[int, int]] = []
    diary.search("x", limit=1, progress=lambda done, total: told.append((done, total)))
    assert told[0][0] == 0
    assert told[0][1] >= 2  # a capture and its entry, and what has no slot


@rule("R31")
def test_a_second_process_reads_its_half_as_this_one_would(desk: Desk) -> None:
    diary, _, contract = desk
    for number in range(6):
        record_slot(diary, contract, Slot(NINE + number), memo=f"Persimmon {number}", label="Design")
    state = diary._state
    keys = _epoch_keys(state)
    end = versions.middle(state.connection)
    half = Half.begin(diary.home, keys, after=end)
    assert half is not None
    rest = versions.all_with_content(state.connection, after=end)
    expected = list(folded(rest, lambda contract_id, epoch: envelope.epoch_key(state, contract_id, epoch)))
    assert half.result() == expected
    assert 0 < len(expected) < versions.count(state.connection)


@rule("R31")
@rule("R52")
def test_a_half_without_its_key_gives_no_text_and_one_without_a_diary_nothing(
    desk: Desk, tmp_path: Path
) -> None:
    diary, _, contract = desk
    record_slot(diary, contract, NINE, memo="Persimmon")
    keyless = Half.begin(diary.home, [], after=0)
    nowhere = Half.begin(tmp_path / "nothing", [], after=0)
    assert keyless is not None
    assert nowhere is not None
    assert {text for *_, text in keyless.result() or ()} == {""}
    assert nowhere.result() is None


@rule("R31")
def test_a_search_that_two_processes_read_for_finds_the_same(desk: Desk) -> None:
    diary, clock, contract = desk
    for number in range(6):
        record_slot(diary, contract, Slot(NINE + number), memo=f"Persimmon {number}")
    diary.remove([(contract.id, Slot(NINE + 2))])
    with Diary.open(diary.home, clock=clock) as other:
        other._texts.shared_from = 1
        assert found(other, "persimmon") == found(diary, "persimmon")
        assert other._texts.by_name == diary._texts.by_name
        record_slot(diary, contract, Slot(NINE + 7), memo="Persimmon afterwards")
        assert found(other, "afterwards") == [NINE + 7]
