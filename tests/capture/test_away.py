"""Nobody is there: what tracking does meanwhile and what it asks, asserted by its effects (R18)."""

from dataclasses import replace

import pytest

from capture.absence import Absence, Answer, AnswerWord
from capture.draft import Draft, Sample
from capture.steps import (
    Answered,
    FinishCapture,
    KeepDraft,
    Removed,
    Say,
    Settle,
    Tick,
)
from diary.rules.sealed_content import MinuteCounts
from tests.capture.sessions import (
    AWAY,
    BAKERY,
    MILL,
    MINUTE,
    NINE,
    SLOT,
    Run,
    asked,
    at,
    drawing,
    dropped,
    on,
    snapshot,
    tracked,
    typed,
)
from tests.rule import rule

BUSY = MinuteCounts(3, 0, 0, os_active=True)
STILL = MinuteCounts(0, 0, 0, os_active=False)


def left_at(minutes: float, until: float, draw: float = 4, **wish: object) -> Run:
    """A freelancer who works until some minute and is away until another."""
    return Run(drawing(draw), on(**wish)).until(minutes).until(until, AWAY)  # type: ignore[arg-type]  # as `on`


@rule("R18")
def test_a_slot_at_whose_end_nobody_was_there_waits_for_input() -> None:
    run = left_at(5, 12)
    assert run.finished() == []
    assert asked(run) == []
    run.until(12.5)
    assert [tracked(draft) for draft in run.finished()] == ["x" * 10]


@rule("R18")
def test_a_slot_in_whose_last_whole_minute_somebody_was_there_does_not_wait() -> None:
    run = left_at(9.1, 10.2)
    assert [draft.slot for draft in run.finished()] == [SLOT]


@rule("R18")
def test_after_ten_minutes_it_asks_once_about_the_minutes_without_anybody() -> None:
    run = left_at(5.1, 60)
    (ask,) = asked(run)
    assert (ask.contract, ask.minutes) == (MILL, 10)
    assert NINE + 5 * MINUTE < ask.absence.since_ms <= at(5.1)
    assert at(15) < ask.absence.until_ms <= at(15.5)
    assert run.finished() == []


@rule("R18")
@pytest.mark.parametrize(
    ("word", "finished", "gone"),
    [
        # The first moment was at 4, the second at 14, while nobody was there: as if stopped at 5, or not.
        ("keep", [(MILL, "x" * 10), (MILL, "x" * 6 + "-" * 4)], []),
        ("drop", [(MILL, "xxxxxx----")], [1]),
        ("move", [(MILL, "x" * 10), (BAKERY, "x" * 6 + "-" * 4)], []),
    ],
)
def test_an_answer_is_what_would_have_been_done_at_the_last_input(
    word: AnswerWord, finished: list[tuple[str, str]], gone: list[int]
) -> None:
    run = left_at(5.1, 25, memo=typed("for the mill"))
    answer = Answer(word, BAKERY if word == "move" else None, typed("for the bakery", 25))
    effects = run.step(Answered(at(25), answer))
    assert Settle() in effects
    assert [(draft.contract, tracked(draft)) for draft in run.finished()] == finished
    assert dropped(run) == gone
    memos = {draft.contract: draft.memo for draft in run.finished()}
    assert memos == {MILL: typed("for the mill")} | (
        {BAKERY: typed("for the bakery", 25)} if word == "move" else {}
    )


@rule("R18")
def test_what_is_moved_is_sealed_in_the_act_that_takes_it_from_the_other_contract() -> None:
    run = left_at(5.1, 25)
    effects = run.step(Answered(at(25), Answer("move", BAKERY)))
    moved = [effect for effect in effects if isinstance(effect, KeepDraft) and effect.instead_of]
    assert [(effect.draft.contract, effect.instead_of, effect.draft.slot) for effect in moved] == [
        (BAKERY, MILL, SLOT + 1)
    ]
    assert effects.index(moved[0]) < effects.index(FinishCapture(moved[0].draft))


@rule("R22")
def test_a_masked_snapshot_is_not_moved_where_masking_is_forbidden() -> None:
    run = left_at(5.1, 12)
    draft = run.session.draft
    assert draft
    run.until(13, AWAY)
    masked = replace(snapshot(14), masked=True)
    run.picture = masked
    run.until(25, AWAY)
    run.step(Answered(at(25), Answer("move", BAKERY, masking_allowed=False)))
    assert [draft.contract for draft in run.finished()] == [MILL]
    assert dropped(run) == [1]


@rule("R18")
def test_no_answer_drops_half_an_hour_after_the_return() -> None:
    run = left_at(5.1, 40).until(40.5)
    assert "active_again" in run.said()
    run.until(69)
    assert "unanswered" not in run.said()
    run.until(71)
    assert run.said().count("unanswered") == 1
    assert (SLOT, "xxxxxx----") in [(draft.slot, tracked(draft)) for draft in run.finished()]
    assert len(asked(run)) == 1


@rule("R18")
def test_no_answer_drops_after_eight_hours_though_nobody_came_back() -> None:
    run = left_at(5.1, 60)
    run.until(15 + 8 * 60 - 1, AWAY, every=1)
    assert run.finished() == []
    run.until(15 + 8 * 60 + 1, AWAY, every=0.5)
    assert [tracked(draft) for draft in run.finished()] == ["xxxxxx----"]


@rule("R18")
def test_a_second_absence_drops_what_was_asked_about_the_first() -> None:
    run = left_at(5.1, 20).until(24).until(40, AWAY)
    assert len(asked(run)) == 2
    assert run.said().count("unanswered") == 1
    assert SLOT in [draft.slot for draft in run.finished()]


@rule("R18")
def test_a_slot_of_two_absences_waits_for_the_second_answer_too() -> None:
    run = left_at(0.1, 12, draw=7)
    run.wish(on(BAKERY, since=12))
    run.until(25, AWAY)
    # The first minute of the second slot belongs to the first absence, its moment at 17 to the second.
    assert [ask.contract for ask in asked(run)] == [MILL, BAKERY]
    assert run.said().count("unanswered") == 1
    assert (run.finished(), dropped(run)) == ([], [0])
    run.step(Answered(at(25), Answer("drop")))
    assert (run.finished(), dropped(run)) == ([], [0, 1])


@rule("R12")
@rule("R18")
def test_dropping_the_moment_of_the_slot_under_way_draws_no_second_one() -> None:
    run = left_at(5.1, 16).until(16.5)  # the moment of the second slot was at 14
    run.step(Answered(at(16.5), Answer("drop")))
    draft = run.session.draft
    assert draft
    assert (draft.missed, draft.snapshot) == (True, None)
    run.until(20.2)
    assert run.pictures() == [SLOT, SLOT + 1, SLOT + 2][: len(run.pictures())]
    assert [draft.slot for draft in run.finished()] == [SLOT]


@rule("R18")
def test_an_answer_at_the_diary_is_activity() -> None:
    run = left_at(5.1, 25)
    run.step(Answered(at(25), Answer("drop")))
    run.until(26, AWAY)
    assert "active_again" in run.said()
    assert run.session.draft
    assert run.session.draft.slot == SLOT + 2


@rule("R18")
@rule("R19")
def test_a_question_and_what_waits_for_it_outlive_the_process() -> None:
    before = left_at(5.1, 25)
    (ask,) = asked(before)
    disk: dict[int, Draft] = {}
    for effect in before.effects:
        if isinstance(effect, KeepDraft):
            disk[effect.draft.slot] = effect.draft
    after = Run(drawing(4), on(), 30, disk.values(), ask.absence)
    assert after.finished() == []
    assert asked(after) == []
    after.step(Answered(at(30), Answer("keep")))
    assert [(draft.slot - SLOT, tracked(draft)) for draft in after.finished()] == [
        (0, "x" * 10),
        (1, "x" * 6 + "-" * 4),
    ]


@rule("R18")
@rule("R19")
@pytest.mark.parametrize(("tells_idle", "recorded"), [(True, [0, 1]), (False, [0, 1, 2])])
def test_a_question_is_not_dropped_by_a_tracker_started_anew_while_nobody_is_there(
    recorded: list[int], *, tells_idle: bool
) -> None:
    before = left_at(5.1, 16)
    disk = {effect.draft.slot: effect.draft for effect in before.effects if isinstance(effect, KeepDraft)}
    after = Run(drawing(4), on(), 16.5, disk.values(), asked(before)[0].absence)
    if tells_idle:
        away_since(5.1, after, 40)
    else:
        after.until(40, Sample(0, 0, 0))
    assert "unanswered" not in after.said()
    assert ("begun" in after.said()) is not tells_idle  # where nobody is known to be, no moment is drawn
    assert (after.finished(), dropped(after)) == ([], [])
    for ask in asked(after):  # perhaps anew, and then about all of the time away
        assert ask.absence.since_ms == asked(before)[0].absence.since_ms
    after.step(Answered(at(40), Answer("keep")))
    # A desktop that tells no idle time is taken for ten minutes more as if somebody was there.
    assert [draft.slot - SLOT for draft in after.finished()] == recorded


@rule("R18")
@rule("R19")
def test_a_process_that_ended_between_pause_and_question_asks_at_its_next_start() -> None:
    held = Draft(MILL, SLOT, at(4), (*(BUSY,) * 3, *(STILL,) * 7), snapshot=snapshot(4))
    going = Draft(MILL, type(SLOT)(SLOT + 1), at(14), (*(STILL,) * 4, *(None,) * 6), snapshot=snapshot(14))
    run = Run(drawing(4), on(), 30, [held, going])
    (ask,) = asked(run)
    assert ask.minutes == 11
    assert ask.absence == Absence(at(3 - 1 / MINUTE), at(30))
    run.until(31)
    assert run.finished() == []


@rule("R18")
@rule("R19")
def test_a_few_quiet_minutes_before_a_crash_wait_for_input_at_the_next_start() -> None:
    held = Draft(MILL, SLOT, at(4), (*(BUSY,) * 7, *(STILL,) * 3), snapshot=snapshot(4))
    run = Run(drawing(4), on(), 12, [held])
    assert asked(run) == []
    assert Say("held_after_restart", SLOT, 10) in run.effects
    run.until(12.5, AWAY)
    assert run.finished() == []
    run.until(13)
    assert [draft.slot for draft in run.finished()] == [SLOT]


def away_since(minutes: float, run: Run, until: float) -> Run:
    """Go on with nobody there, as the desktop tells it."""
    while run.now < until:
        run.now += 0.25
        run.step(Tick(at(run.now), Sample(0, 0, 0, idle_ms=int((run.now - minutes) * MINUTE))))
    return run


@rule("R18")
@rule("R19")
def test_a_tracker_started_anew_by_nobody_counts_the_idle_time_through() -> None:
    held = Draft(MILL, SLOT, at(4), (*(BUSY,) * 6, *(STILL,) * 4), snapshot=snapshot(4))
    run = away_since(5.5, Run(drawing(4), on(), 12, [held]), 15)
    assert asked(run) == []
    (ask,) = asked(away_since(5.5, run, 16))
    assert ask.absence == Absence(at(5.5), at(15.5))
    assert [draft.slot for draft in run.finished()] == []


@rule("R18")
@rule("R19")
def test_somebody_who_was_there_while_the_tracker_was_not_is_input() -> None:
    held = Draft(MILL, SLOT, at(4), (*(BUSY,) * 6, *(STILL,) * 4), snapshot=snapshot(4))
    run = away_since(11, Run(drawing(4), on(), 12, [held]), 12.25)
    assert [draft.slot for draft in run.finished()] == [SLOT]


@rule("R18")
def test_tracking_that_was_just_asked_for_is_not_idle_however_long_the_screen_was() -> None:
    run = away_since(-60, Run(drawing(4), on(since=3), 3), 12)
    assert "idle" not in run.said()
    assert "idle" in away_since(-60, run, 14).said()


@rule("R18")
def test_answering_twice_after_a_crash_changes_nothing_more() -> None:
    absence = Absence(at(5.1), at(15))
    moved = Draft(BAKERY, type(SLOT)(SLOT + 1), at(14), (STILL,) * 5 + (None,) * 5, snapshot=snapshot(14))
    run = Run(drawing(4), on(), 30, [moved], absence)
    run.step(Answered(at(30), Answer("move", BAKERY)))
    assert [(draft.contract, tracked(draft)) for draft in run.finished()] == [(BAKERY, "x" * 5 + "-" * 5)]


@rule("R12")
@rule("R18")
def test_what_is_removed_while_it_waits_is_recorded_by_no_answer() -> None:
    run = left_at(5.1, 25)
    run.step(Removed(at(25), MILL, SLOT))
    run.step(Answered(at(25), Answer("keep")))
    assert [draft.slot for draft in run.finished()] == [SLOT + 1]


@rule("R18")
def test_a_question_is_closed_when_all_that_it_was_about_was_removed() -> None:
    run = left_at(5.1, 25)
    assert Settle() not in run.step(Removed(at(25), MILL, SLOT))
    assert Settle() in run.step(Removed(at(25), MILL, type(SLOT)(SLOT + 1)))
