"""What may change until when (R9, R21, R35, R37, R39, R44)."""

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from diary.rules.change import (
    LIVES_MAX,
    SIBLINGS_MAX,
    VERSIONS_MAX,
    Allowed,
    Refused,
    decide,
    frozen_record,
)
from diary.rules.contract import TermsHistory
from diary.rules.ids import Millis, ReplicaId, Slot
from diary.rules.merge import Held, standing
from diary.rules.segment import Header, parse_header
from diary.rules.week import Week, ends_at_ms, starts_at_ms
from tests.diary.rules.made import (
    DESKTOP,
    IN_TIME,
    LAPTOP,
    LOCK,
    PHONE,
    SLOT,
    capture,
    entry,
    history,
    ms,
    received,
)
from tests.rule import rule

MINUTE = 60_000
PLAIN = history()


def answer(
    header: Header,
    held: Sequence[Held] = (),
    at_ms: int = IN_TIME,
    terms: TermsHistory = PLAIN,
    **keywords: Any,
) -> str:
    """Return "allowed" or the reason of the refusal."""
    decision = decide(header, held, terms, Millis(at_ms), **keywords)
    match decision:
        case Allowed():
            return "allowed"
        case Refused():
            assert decision.because
            return decision.reason


SEGMENT = (received(capture(LAPTOP, 1)), received(entry(LAPTOP, 2)))
DELETION = entry(LAPTOP, 9, covers={LAPTOP: 2}, life=1)
EDIT = entry(LAPTOP, 9, covers={LAPTOP: 2})

# The lock.


@rule("R3")
@pytest.mark.parametrize(
    "header", [EDIT, DELETION, entry(DESKTOP, 1, covers={LAPTOP: 2}, manual=True), capture(DESKTOP, 1)]
)
def test_the_lock_falls_at_noon_to_the_millisecond(header: Header) -> None:
    assert answer(header, SEGMENT, LOCK - 1) == "allowed"
    assert answer(header, SEGMENT, LOCK) == "week_locked"


@rule("R37a")
@given(st.integers(0, 2**28 - 1), st.integers(-(10**9), 10**9))
def test_an_edit_is_taken_exactly_until_its_own_weeks_lock(slot: int, distance_ms: int) -> None:
    week = Week.of(Slot(slot))
    held = [received(capture(slot=Slot(slot)), starts_at_ms(Slot(slot)))]
    at_ms = week.locked_at_ms + distance_ms
    expected = "week_locked" if distance_ms >= 0 else "allowed"
    if at_ms >= starts_at_ms(Slot(slot)):
        assert answer(entry(slot=Slot(slot)), held, at_ms) == expected


@rule("R37a")
@given(st.integers(3, 10**6))
def test_a_frozen_week_refuses_a_change_whatever_its_vector_says(n: int) -> None:
    assert answer(entry(DESKTOP, n, covers={LAPTOP: n, PHONE: n}), SEGMENT, LOCK + n) == "week_locked"


@rule("R37b")
def test_the_frozen_record_is_the_merge_of_what_the_log_held_before_the_lock() -> None:
    siblings = [received(entry(DESKTOP, 1), LOCK - 1), received(entry(PHONE, 1), LOCK - 2)]
    after = [received(capture(DESKTOP, 3), LOCK), received(entry(LAPTOP, 4, life=1), LOCK + 1)]
    unsent = [received(entry(LAPTOP, 5), None)]
    record = standing(frozen_record([*after, *siblings, *unsent, *SEGMENT], SLOT))
    assert record == standing([*SEGMENT, *siblings])
    assert len(record.frontier) == 3


@rule("R37c")
def test_a_capture_after_the_lock_is_late_where_the_frozen_week_holds_nothing() -> None:
    assert answer(capture(), [], LOCK) == "allowed"
    assert answer(capture(), [received(entry(DESKTOP, 1))], LOCK) == "allowed", "a memo alone is no time"
    assert answer(capture(), [received(capture(DESKTOP))], LOCK) == "week_locked"
    assert answer(capture(), [received(entry(DESKTOP, 1, manual=True))], LOCK) == "week_locked"
    assert answer(capture(), [received(capture(DESKTOP), LOCK + 5)], LOCK + 9) == "allowed", "both are late"


@rule("R37c")
@pytest.mark.parametrize("at_ms", [IN_TIME, LOCK - 1, LOCK, LOCK + 10**9])
def test_a_capture_for_a_deleted_slot_is_refused_as_deleted_before_the_lock_and_after(at_ms: int) -> None:
    deleted = [*SEGMENT, received(DELETION)]
    added = [*deleted, received(entry(LAPTOP, 10, covers={LAPTOP: 9}, life=2, manual=True))]
    assert answer(capture(DESKTOP, 1), deleted, at_ms) == "slot_deleted"
    assert answer(capture(DESKTOP, 1), added, at_ms) == "slot_deleted"


LATE = (received(capture(LAPTOP, 1), LOCK + 1),)


@rule("R37a")
def test_entries_of_late_time_are_taken_after_the_lock() -> None:
    assert answer(entry(LAPTOP, 2), LATE, LOCK + 2) == "allowed"
    assert answer(entry(DESKTOP, 1), LATE, LOCK + 2) == "allowed"


@rule("R38")
def test_late_time_can_be_deleted_whatever_the_contracts_state_but_not_added_again() -> None:
    closed = history(("2026-11-01T00:00Z", {}), ("2026-11-24T00:00Z", {"state": "closed"}))
    deletion = entry(LAPTOP, 2, life=1)
    assert answer(deletion, LATE, ms("2026-11-25T00:00Z"), closed) == "allowed"
    again = entry(LAPTOP, 3, covers={LAPTOP: 2}, life=2, manual=True)
    assert answer(again, [*LATE, received(deletion, LOCK + 2)], LOCK + 3) == "week_locked"


@rule("R37a")
def test_late_time_lets_no_new_claim_of_manual_time_into_a_frozen_week() -> None:
    assert answer(entry(DESKTOP, 1, manual=True), LATE, LOCK + 2) == "week_locked"


@rule("R37a")
def test_after_the_lock_neither_an_empty_slot_nor_a_deleted_one_takes_an_entry() -> None:
    deleted = [*SEGMENT, received(DELETION)]
    assert answer(entry(LAPTOP, 2), [], LOCK) == "week_locked"
    assert answer(entry(LAPTOP, 2, life=1), [], LOCK) == "week_locked"
    assert answer(entry(LAPTOP, 10, covers={LAPTOP: 9}, life=1), deleted, LOCK) == "week_locked"
    assert answer(entry(DESKTOP, 1, covers={LAPTOP: 2}), deleted, LOCK) == "week_locked"


@rule("R39")
def test_a_device_whose_clock_may_be_wrong_refuses_only_what_the_server_would_refuse_too() -> None:
    assert answer(EDIT, SEGMENT, LOCK + 2 * MINUTE, slack_ms=2 * MINUTE) == "week_locked"
    assert answer(EDIT, SEGMENT, LOCK + 2 * MINUTE - 1, slack_ms=2 * MINUTE) == "allowed"
    begins = starts_at_ms(SLOT)
    assert answer(capture(), [], begins - MINUTE) == "slot_in_future"
    assert answer(capture(), [], begins - MINUTE, slack_ms=MINUTE) == "allowed"


@rule("R39")
def test_offline_a_capture_not_yet_sent_is_late_time_once_its_week_is_frozen() -> None:
    assert answer(entry(LAPTOP, 2), [received(capture(), None)], LOCK + 1) == "allowed"


# The contract's state.

PAUSED_AT = ms("2026-11-17T12:05Z")
PAUSED = history(("2026-11-01T00:00Z", {}), (PAUSED_AT, {"state": "paused"}))
CLOSED = history(("2026-11-01T00:00Z", {}), (PAUSED_AT, {"state": "closed"}))


def slot_from(text: str) -> Slot:
    return Slot(ms(text) // 600_000)


@rule("R9")
@pytest.mark.parametrize(("terms", "word"), [(PAUSED, "contract_paused"), (CLOSED, "contract_closed")])
def test_pausing_and_closing_stop_new_slots_manual_time_and_edits_from_that_instant(
    terms: TermsHistory, word: str
) -> None:
    under_way, before = slot_from("2026-11-17T12:00Z"), slot_from("2026-11-17T11:50Z")
    assert answer(capture(slot=under_way), [], PAUSED_AT + 9, terms) == word
    assert answer(entry(manual=True), [], PAUSED_AT, terms) == word
    assert answer(EDIT, SEGMENT, PAUSED_AT, terms) == word
    assert answer(EDIT, SEGMENT, PAUSED_AT - 1, terms) == "allowed"
    assert answer(capture(slot=before), [], PAUSED_AT + 9, terms) == "allowed"


@rule("R9")
def test_a_slot_that_ended_in_the_instant_of_the_pause_had_ended_before_it() -> None:
    slot = slot_from("2026-11-17T11:50Z")
    terms = history(("2026-11-01T00:00Z", {}), (ends_at_ms(slot), {"state": "paused"}))
    assert answer(capture(slot=slot), [], PAUSED_AT, terms) == "allowed"
    assert answer(capture(slot=Slot(slot + 1)), [], PAUSED_AT, terms) == "contract_paused"


@rule("R9")
def test_a_slot_of_the_pause_stays_out_when_the_contract_is_active_again() -> None:
    terms = history(
        ("2026-11-01T00:00Z", {}),
        (PAUSED_AT, {"state": "paused"}),
        ("2026-11-17T15:00Z", {"state": "active"}),
    )
    late = ms("2026-11-18T00:00Z")
    assert answer(capture(slot=slot_from("2026-11-17T14:00Z")), [], late, terms) == "contract_paused"
    assert answer(capture(slot=slot_from("2026-11-17T15:00Z")), [], late, terms) == "allowed"


@rule("R9")
def test_the_entry_first_written_with_a_capture_is_taken_though_the_contract_is_paused() -> None:
    at_ms = PAUSED_AT + 5
    memo = entry(LAPTOP, 2, stamp=(PAUSED_AT - 1, LAPTOP))
    recorded = [received(capture(LAPTOP, 1), at_ms)]
    assert answer(memo, recorded, at_ms, PAUSED) == "allowed"
    assert answer(entry(LAPTOP, 2), recorded, at_ms, PAUSED) == "allowed"
    second = entry(LAPTOP, 3, covers={LAPTOP: 2})
    assert answer(second, [*recorded, received(memo, at_ms)], at_ms, PAUSED) == "contract_paused"
    assert answer(entry(DESKTOP, 1), recorded, at_ms, PAUSED) == "contract_paused", "it recorded nothing"
    assert answer(memo, [], at_ms, PAUSED) == "contract_paused", "without its capture"
    assert answer(entry(LAPTOP, 2, manual=True), recorded, at_ms, PAUSED) == "contract_paused"
    typed_after = entry(LAPTOP, 2, stamp=(PAUSED_AT + 3_600_000, LAPTOP))
    assert answer(typed_after, recorded, PAUSED_AT + 4_000_000, PAUSED) == "contract_paused"


@rule("R9")
@pytest.mark.parametrize("terms", [PAUSED, CLOSED])
def test_the_freelancer_may_delete_until_the_lock_whatever_the_state(terms: TermsHistory) -> None:
    assert answer(DELETION, SEGMENT, LOCK - 1, terms) == "allowed"
    assert answer(DELETION, SEGMENT, LOCK, terms) == "week_locked"


# Manual time.


@rule("R21")
def test_manual_time_is_added_only_where_the_terms_allow_it() -> None:
    forbidden = history(("2026-11-01T00:00Z", {"manual_allowed": False}))
    assert answer(entry(manual=True), [], IN_TIME, forbidden) == "manual_not_allowed"
    assert answer(entry(manual=True), [], IN_TIME) == "allowed"
    assert answer(entry(), [], IN_TIME, forbidden) == "allowed", "a memo claims nothing"


@rule("R21")
def test_an_edit_of_manual_time_carries_its_claim_on_though_the_permission_is_gone() -> None:
    forbidden = history(
        ("2026-11-01T00:00Z", {"manual_allowed": True}), ("2026-11-15T00:00Z", {"manual_allowed": False})
    )
    claimed = [received(entry(LAPTOP, 2, manual=True), ms("2026-11-17T00:00Z"))]
    edit = entry(LAPTOP, 3, covers={LAPTOP: 2}, manual=True)
    assert answer(edit, claimed, IN_TIME, forbidden) == "allowed"
    assert answer(edit, [received(entry(LAPTOP, 2))], IN_TIME, forbidden) == "manual_not_allowed"


@rule("R21")
def test_to_add_a_deleted_segment_again_is_manual_time() -> None:
    forbidden = history(("2026-11-01T00:00Z", {"manual_allowed": False}))
    deleted = [*SEGMENT, received(DELETION)]
    again = entry(LAPTOP, 10, covers={LAPTOP: 9}, life=2, manual=True)
    assert answer(again, deleted) == "allowed"
    assert answer(again, deleted, IN_TIME, forbidden) == "manual_not_allowed"


@rule("R21")
def test_a_claim_of_an_ended_life_permits_nothing_in_the_next() -> None:
    withdrawn = history(
        ("2026-11-01T00:00Z", {"manual_allowed": True}), ("2026-11-15T00:00Z", {"manual_allowed": False})
    )
    held = [received(entry(LAPTOP, 2, manual=True)), received(DELETION)]
    again = entry(LAPTOP, 10, covers={LAPTOP: 9}, life=2, manual=True)
    assert answer(again, held) == "allowed"
    assert answer(again, held, IN_TIME, withdrawn) == "manual_not_allowed"


# Lives and vectors.


@rule("R32")
def test_a_replica_captures_a_slot_once_and_two_replicas_may() -> None:
    assert answer(capture(LAPTOP, 7), SEGMENT) == "capture_exists"
    assert answer(capture(LAPTOP, 7), LATE, LOCK + 9) == "capture_exists"
    assert answer(capture(DESKTOP, 7), SEGMENT) == "allowed"


@rule("R35")
def test_a_life_follows_the_one_before_it() -> None:
    deleted = [*SEGMENT, received(DELETION)]
    assert answer(entry(LAPTOP, 10, covers={LAPTOP: 9}, life=4, manual=True), deleted) == "bad_header"
    assert answer(entry(LAPTOP, 10, covers={}, life=2, manual=True), []) == "bad_header"
    assert answer(entry(LAPTOP, 10, covers={LAPTOP: 9}, life=2, manual=False), deleted) == "bad_header"
    assert answer(entry(DESKTOP, 10, covers={LAPTOP: 2}, life=2, manual=True), deleted) == "bad_header"
    assert answer(entry(DESKTOP, 1, life=1), []) == "allowed", "a deletion of what only the device held"


@rule("R35")
def test_a_deletion_may_end_a_life_that_never_arrived() -> None:
    deleted = [*SEGMENT, received(DELETION)]
    assert answer(entry(LAPTOP, 11, covers={LAPTOP: 10}, life=3), deleted) == "allowed"


@rule("R35")
def test_a_change_of_a_life_that_ended_is_taken_and_counts_for_nothing() -> None:
    deleted = [*SEGMENT, received(DELETION)]
    edit = entry(DESKTOP, 1, covers={LAPTOP: 2})
    assert answer(edit, deleted) == "allowed"
    assert standing([*deleted, received(edit)]).frontier == standing(deleted).frontier


@rule("R34")
def test_a_version_covers_what_its_own_replica_knew_before() -> None:
    held = [received(entry(DESKTOP, 4)), received(entry(LAPTOP, 2, covers={DESKTOP: 4}))]
    assert answer(entry(LAPTOP, 3), held) == "bad_header"
    assert answer(entry(LAPTOP, 3, covers={DESKTOP: 4}), held) == "allowed"


# Limits.


@rule("R44")
def test_a_slot_that_has_not_begun_takes_nothing_but_a_deletion() -> None:
    begins = starts_at_ms(SLOT)
    assert answer(capture(), [], begins - 1) == "slot_in_future"
    assert answer(entry(manual=True), [], begins - 1) == "slot_in_future"
    assert answer(capture(), [], begins) == "allowed"
    assert answer(entry(life=1), [], begins - 1) == "allowed"


@rule("R44")
def test_a_stamp_may_be_ten_minutes_ahead_and_no_more() -> None:
    assert answer(entry(stamp=(IN_TIME + 10 * MINUTE, LAPTOP)), []) == "allowed"
    assert answer(entry(stamp=(IN_TIME + 10 * MINUTE + 1, LAPTOP)), []) == "clock_ahead"
    assert answer(entry(stamp=(IN_TIME + 11 * MINUTE, LAPTOP)), [], slack_ms=MINUTE) == "allowed"


def replica(number: int) -> ReplicaId:
    return ReplicaId(f"{number:032x}")


SIBLINGS = [received(entry(replica(number), 1)) for number in range(SIBLINGS_MAX)]


@rule("R44")
def test_thirty_two_siblings_stand_side_by_side_and_no_more_but_a_merge_of_them_may_enter() -> None:
    assert answer(entry(LAPTOP, 1), SIBLINGS[:-1]) == "allowed"
    assert answer(entry(LAPTOP, 1), SIBLINGS) == "too_many_siblings"
    assert answer(entry(LAPTOP, 1, covers={replica(0): 1}), SIBLINGS) == "allowed"
    everything = {held.header.replica: 1 for held in SIBLINGS}
    assert answer(entry(LAPTOP, 1, covers=everything), SIBLINGS) == "allowed"


VERSIONS = [received(capture(LAPTOP, 1))] + [
    received(entry(LAPTOP, n, covers={LAPTOP: n - 1})) for n in range(2, VERSIONS_MAX + 1)
]


@rule("R44")
def test_a_segment_has_two_hundred_versions_captures_included() -> None:
    following = entry(LAPTOP, VERSIONS_MAX + 1, covers={LAPTOP: VERSIONS_MAX})
    assert answer(following, VERSIONS[:-1]) == "allowed"
    assert answer(following, VERSIONS) == "too_many_versions"
    assert answer(capture(DESKTOP, 1), VERSIONS) == "too_many_versions"


def lives(count: int) -> list[Held]:
    """Return a segment that was deleted and added again until it has `count` lives."""
    return [
        received(entry(LAPTOP, life + 1, covers={LAPTOP: max(life, 1)}, life=life, manual=life % 2 == 0))
        for life in range(count)
    ]


@rule("R44")
def test_a_segment_has_thirty_two_lives_of_which_the_last_is_a_deletion() -> None:
    def following(life: int) -> Header:
        return entry(LAPTOP, life + 1, covers={LAPTOP: life}, life=life, manual=life % 2 == 0)

    assert answer(following(LIVES_MAX - 2), lives(LIVES_MAX - 2)) == "allowed"
    assert answer(following(LIVES_MAX - 1), lives(LIVES_MAX - 1)) == "allowed"
    assert answer(following(LIVES_MAX), lives(LIVES_MAX)) == "too_many_lives"


@rule("R44")
@settings(deadline=None)
@given(st.integers(0, 1), st.integers(-(10**10), LOCK - 1))
def test_no_limit_ever_refuses_a_deletion(number: int, at_ms: int) -> None:
    held = (SIBLINGS, VERSIONS)[number]
    deletion = entry(
        DESKTOP, 1, covers={version.header.replica: version.header.n for version in held}, life=1,
        stamp=(LOCK * 2, DESKTOP),
    )  # fmt: skip
    crowd = {replica(one): 1 for one in range(VERSIONS_MAX + 50)}
    widest = entry(DESKTOP, 1, covers=crowd, life=1)
    assert parse_header(widest.to_bytes()) == widest
    assert answer(deletion, held, at_ms) == answer(widest, held, at_ms) == "allowed"
