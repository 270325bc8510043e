"""Refused changes told at once: nothing is left out, and what is typed names what was listed (R37d)."""

from hypothesis import given
from hypothesis import strategies as st

from diary.rules.ids import Slot
from diary.rules.refused_runs import numbers_meant, numbers_said, runs_of
from tests.rule import rule

SLOTS = st.one_of(st.none(), st.integers(0, 12).map(Slot))
CHANGES = st.lists(st.tuples(SLOTS, st.sampled_from("ab")), max_size=20)
NUMBERS = st.sets(st.integers(0, 60))


@rule("R37d")
@given(CHANGES)
def test_every_refused_change_stands_in_one_run_of_its_kind_and_of_slots_in_a_row(
    changes: list[tuple[Slot | None, str]],
) -> None:
    listed = list(enumerate(changes))
    runs = runs_of(listed, slot_of=lambda one: one[1][0], alike=lambda one: one[1][1])
    assert sorted(one for run in runs for one in run) == sorted(listed, key=lambda one: one[0])
    for run in runs:
        slots = [slot for _, (slot, _) in run]
        assert len({kind for _, (_, kind) in run}) == 1
        first = slots[0]
        assert len(run) == 1 or (first is not None and slots == list(range(first, first + len(run))))
    assert [min(place for place, _ in run) for run in runs] == sorted(
        min(place for place, _ in run) for run in runs
    )


@rule("R37d")
def test_slots_in_a_row_are_one_run_however_they_are_listed_and_a_second_change_another() -> None:
    listed = [Slot(3), Slot(1), Slot(2), Slot(7), Slot(2)]
    runs = runs_of(listed, slot_of=lambda one: one, alike=lambda _: "")
    assert runs == [(1, 2, 3), (7,), (2,)]


@rule("R37d")
@given(NUMBERS, NUMBERS)
def test_what_is_said_of_numbers_means_them_again(numbers: set[int], others: set[int]) -> None:
    said = numbers_said(numbers)
    # Between the ends of a range that is said there is no other number.
    assert numbers_meant(said.split(), numbers | others) == sorted(numbers)
    assert sorted(numbers_meant(["all"], numbers)) == sorted(numbers)


@rule("R37d")
def test_a_word_that_names_none_is_said() -> None:
    for word in ("x", "", "-3", "3-", "5-4", "8-9", "٣", "1" * 30):
        assert numbers_meant(["1", word], [1, 2, 3]) == word
    assert numbers_meant(["9"], [1]) == [9], "a single number is looked up by whoever keeps them"
    assert numbers_meant(["all"], []) == []
