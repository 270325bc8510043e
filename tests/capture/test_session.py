"""Tracking as a machine, asserted by the list of its effects."""

import random
from collections import Counter
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from capture.draft import NO_MINUTES, Draft, Sample, Wish
from capture.session import Session
from capture.steps import (
    Begun,
    DropDraft,
    Ended,
    FinishCapture,
    KeepDraft,
    PictureTaken,
    Removed,
    Say,
    TakePicture,
    Tick,
)
from diary.rules.ids import Millis, Slot
from diary.rules.sealed_content import MinuteCounts
from tests.capture.sessions import (
    AT_LEAST,
    BAKERY,
    MILL,
    OFF,
    SLOT,
    Run,
    at,
    drawing,
    on,
    snapshot,
    typed,
)
from tests.rule import rule


@rule("R12")
def test_the_first_tick_of_a_slot_draws_its_moment_and_keeps_it() -> None:
    session = Session(drawing(4))
    draft = Draft(MILL, SLOT, at(5), (None, MinuteCounts(None, None, None, os_active=False), *(None,) * 8))
    assert session.step(Begun(at(1), on(MILL, 1))) == (Say("begun", SLOT), KeepDraft(draft))
    assert session.wakes_at_ms == at(5)


@rule("R12")
def test_a_slot_with_tracking_on_throughout_is_one_capture_with_one_snapshot() -> None:
    run = Run(drawing(4), on()).until(10.5)
    assert run.pictures() == [SLOT]
    (capture,) = run.finished()
    assert (capture.contract, capture.slot, capture.tracked_minutes) == (MILL, SLOT, 10)


@rule("R12")
@settings(max_examples=60, deadline=None)
@given(
    start=st.floats(0, 9.99),
    seed=st.integers(),
    switches=st.lists(
        st.tuples(st.floats(0.01, 12), st.sampled_from([OFF, on(MILL), on(BAKERY)])), max_size=6
    ),
)
def test_no_moment_lies_outside_what_remains_and_no_slot_is_captured_twice(
    start: float, seed: int, switches: list[tuple[float, Wish]]
) -> None:
    run = Run(random.Random(seed).randrange, on(), start)
    for after, wish in switches:
        run.until(run.now + after, every=0.5)
        run.wish(replace(wish, since_ms=at(run.now)))
    run.until(run.now + 25, every=0.5)
    kept = [effect.draft for effect in run.effects if isinstance(effect, KeepDraft)]
    assert all(draft.slot * 600_000 <= draft.drawn_ms < (draft.slot + 1) * 600_000 for draft in kept)
    assert all(draft.drawn_ms >= at(start) for draft in kept)
    drawn = {(draft.slot, draft.drawn_ms) for draft in kept}
    assert max(Counter(slot for slot, _ in drawn).values(), default=0) <= 1
    assert max(Counter(run.pictures()).values(), default=0) <= 1
    assert max(Counter(draft.slot for draft in run.finished()).values(), default=0) <= 1


@rule("R12")
def test_moments_are_uniform_over_the_slot() -> None:
    chance = random.Random(20261123)
    moments = Counter[int]()
    for number in range(2_000):
        session = Session(chance.randrange)
        begin = Millis((SLOT + number) * 600_000)
        session.step(Begun(begin, on()))
        assert session.draft
        moments[(session.draft.drawn_ms - begin) // 30_000] += 1
    expected = 2_000 / 20
    chi_square = sum((moments[bin_] - expected) ** 2 / expected for bin_ in range(20))
    assert chi_square < 43.8  # 19 degrees of freedom, one in a thousand


@rule("R12")
def test_off_before_the_moment_records_nothing_and_says_so() -> None:
    run = Run(drawing(4), on()).until(2)
    assert Say("stopped_before_snapshot", SLOT) in run.wish(OFF)
    run.until(11)
    assert run.pictures() == []
    assert run.finished() == []
    assert DropDraft(MILL, SLOT) in run.effects
    assert "not_recorded" in run.said()


@rule("R12")
def test_on_again_before_the_moment_keeps_the_first_draw() -> None:
    run = Run(drawing(6), on()).until(2)
    run.wish(OFF)
    run.until(5)
    run.wish(on(since=5))
    run.until(10.2)
    (capture,) = run.finished()
    assert capture.drawn_ms == at(6)
    assert [minute is not None for minute in capture.minutes] == [True] * 3 + [False] * 2 + [True] * 5


@rule("R12")
def test_on_again_after_the_moment_draws_no_second_one() -> None:
    run = Run(drawing(4), on()).until(3)
    run.wish(OFF)
    run.until(5)
    run.wish(on(since=5))
    run.until(9.9)
    assert run.pictures() == []
    run.until(10.2)
    assert run.finished() == []


@rule("R12")
def test_a_restart_takes_up_the_draft_and_its_moment() -> None:
    before = Run(drawing(6), on()).until(2)
    before.step(Ended(at(2)))
    kept = before.session.draft
    assert kept
    after = Run(drawing(1), on(), 3, [kept]).until(10.2)
    (capture,) = after.finished()
    assert capture.drawn_ms == at(6)
    assert "taken_up" in after.said()


@rule("R19")
def test_a_process_that_was_away_at_the_moment_takes_the_picture_late_in_its_slot() -> None:
    kept = Draft(MILL, SLOT, at(2), (MinuteCounts(1, 0, 0, os_active=True), *(None,) * 9))
    run = Run(drawing(1), on(), 3, [kept])
    assert run.pictures() == [SLOT]
    run.until(10.2)
    (capture,) = run.finished()
    assert capture.minutes[0] == MinuteCounts(1, 0, 0, os_active=True)


@rule("R12")
def test_a_slot_whose_moment_came_while_tracking_was_off_stays_empty_after_a_restart() -> None:
    kept = Draft(MILL, SLOT, at(2))
    run = Run(drawing(1), on(since=3), 4, [kept]).until(10.2)
    assert run.pictures() == []
    assert run.finished() == []


@rule("R12")
def test_after_a_switch_the_slot_belongs_to_the_contract_tracked_at_the_moment() -> None:
    run = Run(drawing(4), on(MILL)).until(2)
    effects = run.wish(on(BAKERY, 2))
    # Keeping it takes the slot over: a drop of its own, before, would lose moment and minutes in a crash.
    assert [effect.draft.contract for effect in effects if isinstance(effect, KeepDraft)] == [BAKERY]
    assert not [effect for effect in effects if isinstance(effect, DropDraft)]
    run.until(6)
    run.wish(on(MILL, 6))
    run.until(10.2)
    (capture,) = run.finished()
    assert (capture.contract, capture.tracked_minutes) == (BAKERY, 10)


@rule("R12")
def test_what_was_removed_during_the_slot_is_not_recorded_again() -> None:
    run = Run(drawing(1), on()).until(3)
    assert run.step(Removed(at(3), MILL, SLOT)) == [Say("removed", SLOT)]
    until_then = len(run.effects)
    run.until(9.9)
    assert run.effects[until_then:] == []
    run.until(10.2)
    assert run.finished() == []


@rule("R12")
def test_a_removed_segment_stays_removed_after_a_restart() -> None:
    mark = Draft(MILL, SLOT, Millis(0), removed=True)
    run = Run(drawing(1), on(), 3, [mark]).until(9.9)
    assert run.pictures() == []


@rule("R12")
def test_a_segment_removed_while_its_picture_was_encoded_is_not_finished() -> None:
    session = Session(drawing(9.9))
    session.step(Begun(at(0), on()))
    for tenth in range(1, 100):
        session.step(Tick(at(tenth / 10), AT_LEAST))
    session.step(Tick(at(10.05), AT_LEAST))
    session.step(Removed(at(10.1), MILL, SLOT))
    assert session.step(PictureTaken(at(10.2), SLOT, snapshot(9.9))) == ()


@rule("R36")
def test_a_segment_takes_the_memo_set_at_its_moment_with_the_stamp_of_its_typing() -> None:
    run = Run(drawing(4), on(memo=typed("first"))).until(3)
    run.wish(on(memo=typed("second", 3)))
    run.until(5)
    run.wish(on(memo=typed("third", 5)))
    run.until(10.2)
    assert run.finished()[0].memo == typed("second", 3)


@rule("R14")
def test_counts_add_up_in_the_minute_in_which_they_were_seen() -> None:
    session = Session(drawing(9))
    session.step(Begun(at(0), on()))
    session.step(Tick(at(0.5), Sample(3, 1, 0, idle_ms=100)))
    session.step(Tick(at(0.9), Sample(2, 0, 4, idle_ms=60_000)))
    session.step(Tick(at(1.4), Sample(7, 0, 0, idle_ms=60_000)))
    assert session.draft
    assert session.draft.minutes[:3] == (
        MinuteCounts(5, 1, 4, os_active=True),
        MinuteCounts(7, 0, 0, os_active=False),
        None,
    )


@rule("R14")
def test_a_desktop_that_lets_no_program_count_leaves_the_counts_empty() -> None:
    session = Session(drawing(9))
    session.step(Begun(at(0), on()))
    session.step(Tick(at(0.5), Sample(idle_ms=10)))
    assert session.draft
    assert session.draft.minutes[0] == MinuteCounts(None, None, None, os_active=True)


@rule("R16")
def test_a_picture_that_could_not_be_taken_leaves_a_segment_that_says_why() -> None:
    session = Session(drawing(0))
    assert session.step(Begun(at(0), on()))[-1] == TakePicture(SLOT, MILL)
    session.step(PictureTaken(at(0.1), SLOT, snapshot(0.1, "black")))
    for tenth in range(1, 100):
        session.step(Tick(at(tenth / 10), AT_LEAST))
    (finish,) = [
        effect for effect in session.step(Tick(at(10.01), AT_LEAST)) if isinstance(effect, FinishCapture)
    ]
    assert finish.draft.snapshot
    assert finish.draft.snapshot.no_picture == "black"


@rule("R12")
def test_a_moment_at_the_very_end_is_taken_though_the_tick_comes_just_after_it() -> None:
    session = Session(drawing(9.9999))
    session.step(Begun(at(0), on()))
    for tenth in range(1, 100):
        session.step(Tick(at(tenth / 10), AT_LEAST))
    assert TakePicture(SLOT, MILL) in session.step(Tick(at(10.001), AT_LEAST))
    (finish,) = session.step(PictureTaken(at(10.02), SLOT, snapshot(10.01)))
    assert isinstance(finish, FinishCapture)
    assert finish.draft.slot == SLOT


@rule("R18")
def test_ten_minutes_without_activity_pause_until_there_is_input() -> None:
    run = Run(drawing(4), on()).until(3)
    away = Sample(0, 0, 0, idle_ms=3_600_000)
    run.until(19, away)
    assert run.said().count("idle") == 1
    kept = run.session.draft
    assert kept
    assert kept.slot == SLOT + 1  # begun before the pause, and nothing after it
    assert kept.tracked_minutes <= 4
    run.until(25, away)
    run.until(25.5)
    assert run.said().count("active_again") == 1
    assert run.session.draft
    assert run.session.draft.slot == SLOT + 2


@rule("R11")
def test_a_pause_ends_by_itself() -> None:
    run = Run(drawing(7), on()).until(1)
    run.wish(on(paused_until_ms=at(5)))
    assert not run.session.listens
    run.until(10.2)
    (capture,) = run.finished()
    assert [minute is not None for minute in capture.minutes] == [True] * 2 + [False] * 3 + [True] * 5
    assert "pause_over" in run.said()


@rule("R15")
def test_nothing_is_listened_to_while_tracking_is_off() -> None:
    run = Run(drawing(4), OFF).until(3)
    assert not run.session.listens
    assert run.effects == []


@rule("R19")
def test_the_draft_is_sealed_every_minute() -> None:
    run = Run(drawing(4), on()).until(9.9)
    kept = [effect.draft.tracked_minutes for effect in run.effects if isinstance(effect, KeepDraft)]
    assert sorted(set(kept)) == [*range(1, 11)]


@rule("R19")
def test_the_next_start_finishes_what_has_its_snapshot_and_drops_what_has_none() -> None:
    minutes = (MinuteCounts(1, 0, 0, os_active=True), *NO_MINUTES[1:])
    done = Draft(MILL, Slot(SLOT - 3), Millis(0), minutes, snapshot=snapshot(-25))
    lost = Draft(BAKERY, Slot(SLOT - 2), Millis(0), minutes)
    run = Run(drawing(4), OFF, 3, [done, lost])
    assert run.effects == [
        Say("finished_after_restart", done.slot, 1),
        FinishCapture(done),
        Say("lost_without_snapshot", lost.slot, 1),
        DropDraft(BAKERY, lost.slot),
    ]


@rule("R20")
def test_sleep_fills_no_minutes_in() -> None:
    run = Run(drawing(9), on()).until(1)
    run.now = 7
    run.step(Tick(at(7), AT_LEAST))
    assert run.session.draft
    assert [minute is not None for minute in run.session.draft.minutes[:8]] == [True] * 2 + [False] * 5 + [
        True
    ]


@rule("R20")
def test_a_clock_set_back_records_no_slot_twice() -> None:
    run = Run(drawing(4), on()).until(12)
    run.now = 5
    run.until(9.9)
    assert run.said().count("clock_set_back") == 1
    run.until(20.2)
    assert [draft.slot for draft in run.finished()] == [SLOT, SLOT + 1]
