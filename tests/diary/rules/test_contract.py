"""Terms, and from when each of them holds (R7, R8, R9)."""

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from diary.rules.contract import TermsHistory, TermsVersion, versions_of
from diary.rules.ids import Millis
from diary.rules.segment import ContractState
from tests.diary.rules.made import LAPTOP, LOCK, PHONE, TERMS, WEEK, capture, history, ms, terms
from tests.diary.rules.said import new_state, new_terms
from tests.rule import rule

HOUR = 3_600_000
START = WEEK.starts_at_ms


@rule("R8")
def test_a_raise_of_the_limit_holds_at_once() -> None:
    given_terms = history(
        ("2026-11-01T00:00Z", {"limit_minutes": 600}), ("2026-11-22T23:59Z", {"limit_minutes": 1200})
    )
    assert given_terms.limit_segments(WEEK) == 120
    assert given_terms.limit_segments(WEEK.previous()) == 60


@rule("R8")
def test_a_lowering_of_the_limit_holds_from_the_next_monday() -> None:
    given_terms = history(
        ("2026-11-01T00:00Z", {"limit_minutes": 600}), ("2026-11-16T00:00:00.001Z", {"limit_minutes": 60})
    )
    assert given_terms.limit_segments(WEEK) == 60
    assert given_terms.limit_segments(WEEK.next()) == 6


@rule("R8")
def test_a_raise_after_the_week_has_ended_is_not_the_weeks_though_it_is_not_frozen() -> None:
    given_terms = history(("2026-11-01T00:00Z", {"limit_minutes": 60}), (WEEK.ends_at_ms, {}))
    assert given_terms.limit_minutes(WEEK) == 60
    assert given_terms.limit_minutes(WEEK.next()) is None


@rule("R8")
def test_a_limit_in_segments_is_rounded_down() -> None:
    assert history(("2026-11-01T00:00Z", {"limit_minutes": 69})).limit_segments(WEEK) == 6
    assert history(("2026-11-01T00:00Z", {"limit_minutes": 9})).limit_segments(WEEK) == 0
    assert history(("2026-11-01T00:00Z", {"limit_minutes": None})).limit_segments(WEEK) is None


limits = st.one_of(st.none(), st.integers(0, 2400))
hours_of_three_weeks = st.integers(-168, 336)


@rule("R8")
@settings(max_examples=200)
@given(st.lists(st.tuples(hours_of_three_weeks, limits, st.booleans()), min_size=1, max_size=6))
def test_the_weeks_limit_is_the_greatest_in_force_in_any_hour_of_it(
    changes: list[tuple[int, int | None, bool]],
) -> None:
    in_order = sorted(changes, key=lambda change: change[0])
    given_terms = history(
        *((START + hour * HOUR, {"limit_minutes": limit, "manual_allowed": manual})
          for hour, limit, manual in changes)
    )  # fmt: skip

    def in_force(hour: int) -> tuple[int, int | None, bool]:
        known = [change for change in in_order if change[0] <= hour]
        return known[-1] if known else in_order[0]

    seen = [in_force(hour)[1] for hour in range(168)]
    expected = None if None in seen else max(limit for limit in seen if limit is not None)
    assert given_terms.limit_minutes(WEEK) == expected
    for hour in range(168):
        allowed = any(in_force(earlier)[2] for earlier in range(hour + 1))
        assert given_terms.manual_allowed_at(START + hour * HOUR) == allowed


@rule("R8")
def test_the_rate_is_that_of_the_weeks_start() -> None:
    given_terms = history(
        ("2026-11-10T00:00Z", {"rate_minor": 5000, "currency": "EUR"}),
        ("2026-11-11T00:00Z", {"rate_minor": 7000, "currency": "EUR"}),
        (START + 1, {"rate_minor": 9000, "currency": "USD"}),
    )
    assert given_terms.rate_of(WEEK.previous()) == (5000, "EUR"), "in the first week, its first"
    assert given_terms.rate_of(WEEK) == (7000, "EUR")
    assert given_terms.rate_of(WEEK.next()) == (9000, "USD")


@rule("R8")
def test_permission_for_manual_time_holds_from_its_receipt_and_is_gone_from_the_next_monday() -> None:
    given_terms = history(
        ("2026-11-01T00:00Z", {"manual_allowed": False}),
        ("2026-11-17T09:00Z", {"manual_allowed": True}),
        ("2026-11-18T09:00Z", {"manual_allowed": False}),
    )
    assert not given_terms.manual_allowed_at(ms("2026-11-17T08:59:59.999Z"))
    assert given_terms.manual_allowed_at(ms("2026-11-17T09:00Z"))
    assert given_terms.manual_allowed_at(ms("2026-11-22T23:59:59.999Z"))
    assert not given_terms.manual_allowed_at(WEEK.ends_at_ms)


@rule("R8")
def test_a_withdrawn_permission_holds_for_the_slots_of_its_week_until_their_lock() -> None:
    given_terms = history(
        ("2026-11-01T00:00Z", {"manual_allowed": True}), ("2026-11-18T09:00Z", {"manual_allowed": False})
    )
    assert given_terms.manual_allowed_for(WEEK, LOCK - 1)
    assert not given_terms.manual_allowed_for(WEEK.next(), LOCK - 1)


@rule("R8")
def test_masking_is_allowed_and_withdrawn_as_manual_time_is() -> None:
    given_terms = history(
        ("2026-11-01T00:00Z", {"masking_allowed": True}), ("2026-11-18T09:00Z", {"masking_allowed": False})
    )
    assert given_terms.masking_allowed_at(WEEK.ends_at_ms - 1)
    assert not given_terms.masking_allowed_at(WEEK.ends_at_ms)


@rule("R9")
def test_the_state_changes_at_once_and_says_since_when() -> None:
    given_terms = history(
        ("2026-11-01T00:00Z", {}),
        ("2026-11-17T09:00Z", {"state": "paused"}),
        ("2026-11-18T09:00Z", {"state": "closed"}),
        ("2026-11-19T09:00Z", {"state": "active"}),
    )
    assert given_terms.state_at(ms("2026-11-17T08:59:59.999Z")) == "active"
    assert given_terms.state_at(ms("2026-11-17T09:00Z")) == "paused"
    assert given_terms.inactive_since_ms(ms("2026-11-18T10:00Z")) == ms("2026-11-17T09:00Z")
    assert given_terms.inactive_since_ms(ms("2026-11-19T10:00Z")) is None
    assert given_terms.newest.state == "active"


@rule("R8")
def test_terms_hold_for_slots_that_are_older_than_their_first_receipt() -> None:
    given_terms = history(("2026-11-20T00:00Z", {"rate_minor": 4200}))
    assert given_terms.at(0).rate_minor == 4200
    assert given_terms.inactive_since_ms(0) is None


@rule("R8")
@given(st.permutations(range(4)))
def test_a_history_is_the_same_whatever_order_its_versions_came_in(order: list[int]) -> None:
    versions = [
        TermsVersion(terms(rate_minor=100 * number), Millis(START + number), (LAPTOP, number + 1))
        for number in range(4)
    ]
    assert TermsHistory(tuple(versions[number] for number in order)) == TermsHistory(tuple(versions))


@rule("R8")
def test_of_terms_received_in_one_instant_the_last_of_the_log_is_in_force() -> None:
    given_terms = history((START, {"limit_minutes": 600}), (START, {"limit_minutes": 60}))
    assert given_terms.limit_minutes(WEEK) == 60


@rule("R7")
def test_a_contract_without_terms_is_none() -> None:
    with pytest.raises(ValueError, match="at least one"):
        TermsHistory(())
    assert TERMS.state == "active"


@rule("R10")
def test_manual_time_may_be_allowed_for_one_week_alone() -> None:
    given_terms = history(
        ("2026-11-01T00:00Z", {"manual_allowed": False}),
        ("2026-11-19T09:00Z", {"manual_allowed": False, "manual_weeks": (WEEK.name,)}),
    )
    assert not given_terms.manual_allowed_for(WEEK, ms("2026-11-19T08:59:59.999Z"))
    assert given_terms.manual_allowed_for(WEEK, ms("2026-11-19T09:00Z"))
    assert given_terms.manual_allowed_for(WEEK, LOCK - 1)
    assert not given_terms.manual_allowed_for(WEEK.next(), LOCK - 1)


@rule("R10")
def test_the_week_before_may_be_allowed_until_its_lock_and_is_not_taken_back_within_it() -> None:
    given_terms = history(
        ("2026-11-01T00:00Z", {"manual_allowed": False}),
        (WEEK.ends_at_ms, {"manual_allowed": False, "manual_weeks": (WEEK.name,)}),
        (WEEK.ends_at_ms + 9, {"manual_allowed": False}),
    )
    assert not given_terms.manual_allowed_for(WEEK, WEEK.ends_at_ms - 1)
    assert given_terms.manual_allowed_for(WEEK, WEEK.ends_at_ms)
    assert given_terms.manual_allowed_for(WEEK, LOCK - 1)


@rule("R8")
def test_a_change_of_state_keeps_what_was_set_meanwhile() -> None:
    """A device that was offline pauses; the client had lowered the limit by then."""
    first, lowered = new_terms(terms=terms(limit_minutes=600)), new_terms(PHONE, 1, terms(limit_minutes=60))
    rows = [(first, Millis(1)), (new_state("paused", n=2), Millis(3)), (lowered, Millis(2))]
    made = TermsHistory(versions_of(rows))
    assert (made.newest.state, made.newest.limit_minutes) == ("paused", 60)
    assert made.versions[-1].state_only
    assert TermsHistory(tuple(reversed(made.versions))) == made


@rule("R8")
def test_a_contract_begins_with_its_terms_not_with_a_state() -> None:
    assert versions_of([(new_state("paused"), Millis(1)), (capture(), Millis(2))]) == ()
    later = versions_of([(new_state("paused"), Millis(1)), (new_terms(n=2), Millis(2))])
    assert [version.terms.state for version in later] == ["active"]


@rule("R8")
@given(
    st.lists(st.sampled_from(["active", "paused", "closed"]) | st.integers(0, 2400), max_size=8),
    st.randoms(use_true_random=False),
)
def test_rows_that_come_in_any_order_make_one_history(
    changes: list[ContractState | int], dice: Random
) -> None:
    rows = [(new_terms(), Millis(0))] + [
        (
            new_terms(n=n, terms=terms(limit_minutes=change))
            if isinstance(change, int)
            else new_state(change, n=n),
            Millis(n),
        )
        for n, change in enumerate(changes, 2)
    ]
    shuffled = list(rows)
    dice.shuffle(shuffled)
    made = versions_of(rows)
    assert versions_of(shuffled) == made
    limits = [None, *(change for change in changes if isinstance(change, int))]
    assert made[-1].terms.limit_minutes == limits[-1]
