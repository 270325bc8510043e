"""Which pictures give way: old ones, oldest first, never before the server has them (R31)."""

from hypothesis import given
from hypothesis import strategies as st

from diary.rules.ids import Millis, Slot
from diary.rules.thinning import WANTED_FOR_MS, Budget, HeldPicture, giving_way, may_give_way
from diary.rules.week import DAY_MILLIS, Week, ends_at_ms
from tests.practice import instant, slot
from tests.rule import rule

NINE = slot("2026-08-03T09:00Z")
NOW = instant("2026-11-25T09:00Z")
BUDGET = Budget(bytes=0, days=90)


def held(
    at: Slot = NINE, *, size: int = 1000, at_server: bool = True, wanted_at_ms: int | None = None
) -> HeldPicture:
    return HeldPicture(f"{at}", at, size, at_server, None if wanted_at_ms is None else Millis(wanted_at_ms))


@rule("R31")
def test_a_picture_gives_way_once_it_is_old_locked_and_at_the_server() -> None:
    assert may_give_way(held(), NOW, BUDGET)
    assert not may_give_way(held(at_server=False), NOW, BUDGET)
    old_enough = Millis(ends_at_ms(NINE) + 90 * DAY_MILLIS)
    assert may_give_way(held(), old_enough, BUDGET)
    assert not may_give_way(held(), Millis(old_enough - 1), BUDGET)
    assert not may_give_way(held(slot("2026-11-23T08:00Z")), NOW, Budget(bytes=0, days=0))
    assert not may_give_way(held(), NOW, BUDGET, disputed={Week.of(NINE)})


@rule("R31")
def test_what_was_asked_for_again_stays_a_week() -> None:
    assert not may_give_way(held(wanted_at_ms=Millis(NOW - WANTED_FOR_MS + 1)), NOW, BUDGET)
    assert may_give_way(held(wanted_at_ms=Millis(NOW - WANTED_FOR_MS)), NOW, BUDGET)


@rule("R31")
@given(
    sizes=st.lists(st.integers(1, 5000), max_size=40),
    budget=st.integers(0, 100_000),
    more=st.integers(0, 100_000),
)
def test_the_oldest_go_first_and_none_more_than_needed(sizes: list[int], budget: int, more: int) -> None:
    pictures = [held(Slot(NINE + number), size=size) for number, size in enumerate(sizes)]
    total = sum(sizes) + more
    gone = list(giving_way(pictures, total, NOW, Budget(budget, 90)))
    assert gone == pictures[: len(gone)]
    left = total - sum(one.size for one in gone)
    assert left <= budget or len(gone) == len(pictures)
    assert not gone or left + gone[-1].size > budget
