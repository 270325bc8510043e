"""Whole days and weeks: what a session makes of them is what the rules say, worked out in another way."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from capture.absence import Answer
from diary.rules.ids import ContractId
from tests.capture.life import Choice, Life, Stretch, expected, lived, to_its_end
from tests.rule import rule

MILL = ContractId("a" * 32)
BAKERY = ContractId("b" * 32)
ORCHARD = ContractId("c" * 32)
KINDS = ("work", "work", "work", "quiet", "quiet", "locked", "private", "asleep")

STRETCHES = st.builds(Stretch, st.sampled_from(KINDS), st.integers(1, 25))
CHOICES = st.builds(Choice, st.sampled_from([None, MILL, MILL, BAKERY]))
ANSWERS = st.sampled_from([None, Answer("keep"), Answer("drop"), Answer("move", ORCHARD)])


def lives(least: int, most: int) -> st.SearchStrategy[Life]:
    """Return lives of so many events; ten minutes each on average."""
    return st.builds(
        Life,
        st.lists(st.one_of(STRETCHES, STRETCHES, STRETCHES, CHOICES), min_size=least, max_size=most).map(
            lambda found: [Choice(MILL), *found]
        ),
        st.lists(ANSWERS, max_size=5),
        st.lists(st.floats(0, 0.9999), min_size=1, max_size=7),
    )


def check_life(life: Life) -> None:
    life = to_its_end(life)
    run = lived(life)
    told = [*life.events, *life.answers, *life.draws]
    assert run.seen == expected(life), "\n".join(map(str, told))
    assert run.twice == []
    assert run.disk == {}
    assert run.asked is None


@rule("R12")
@rule("R16")
@rule("R18")
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(life=lives(0, 14))
def test_a_day_gives_the_segments_that_the_rules_say(life: Life) -> None:
    check_life(life)


@rule("R12")
@rule("R18")
@pytest.mark.soak
@pytest.mark.timeout(3600)
@pytest.mark.filterwarnings("ignore:Generating overly large repr")  # a week is
@settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
# Without a least number most of them would be an hour long.
@given(life=lives(700, 1000))
def test_a_week_gives_the_segments_that_the_rules_say(life: Life) -> None:
    check_life(life)


@rule("R18")
def test_a_day_in_the_office_gives_the_segments_a_person_would_name() -> None:
    # Worked out by hand, so that machine and oracle cannot be wrong in the same way. Each moment is five
    # minutes into its slot. Nobody is there from 20 to 50, and comes back to say that it was for Orchard.
    life = Life(
        [
            Choice(MILL),
            Stretch("work", 20),
            Stretch("quiet", 30),
            Stretch("work", 19),
            Stretch("locked", 31),
            Stretch("work", 10),
        ],
        [Answer("move", ORCHARD)],
    )
    captures = lived(to_its_end(life)).seen
    first = min(captures)
    # The moment at 25 fell into the absence, the slots from 30 on into the pause; the screen was locked from
    # 69 to 100, and nothing begins on a locked screen.
    assert [(slot - first, seen.contract, seen.locked) for slot, seen in sorted(captures.items())] == [
        (0, MILL, False),
        (1, MILL, False),
        (2, ORCHARD, False),
        (5, MILL, False),
        (6, MILL, False),
        (10, MILL, False),
    ]
