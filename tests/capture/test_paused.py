"""A locked screen, sleep, a clock that is set, a display that died, a private window: what each costs."""

import pytest

from capture.draft import NO_MINUTES, Draft, Sample
from capture.steps import (
    Begun,
    PictureTaken,
    PictureWithheld,
    Say,
    Tick,
)
from tests.capture.sessions import (
    AT_LEAST,
    AWAY,
    MILL,
    OFF,
    SLOT,
    Run,
    asked,
    at,
    drawing,
    dropped,
    on,
    snapshot,
    tracked,
)
from tests.rule import rule


@rule("R18")
def test_a_locked_screen_stops_counting_at_once_and_asks_nothing() -> None:
    run = Run(drawing(4), on()).until(5)
    for tenth in range(51, 300):
        run.now = tenth / 10
        run.step(Tick(at(run.now), AWAY, locked=True))
        assert not run.session.listens
    assert run.said().count("locked") == 1
    assert asked(run) == []
    assert [tracked(draft) for draft in run.finished()] == ["xxxxxx----"]
    run.until(31)
    assert "unlocked" in run.said()
    assert run.session.draft
    assert run.session.draft.slot == SLOT + 3


@rule("R16")
@rule("R18")
def test_a_moment_on_a_locked_screen_leaves_a_segment_that_says_so() -> None:
    run = Run(drawing(7), on()).until(5)
    run.picture = snapshot(7, "locked")
    for tenth in range(51, 102):
        run.now = tenth / 10
        run.step(Tick(at(run.now), AWAY, locked=True))
    (capture,) = run.finished()
    assert capture.snapshot
    assert (capture.snapshot.no_picture, tracked(capture)) == ("locked", "xxxxxx----")


@rule("R18")
@rule("R20")
def test_sleep_is_said_and_its_minutes_are_not_asked_about() -> None:
    run = Run(drawing(4), on()).until(5)
    run.now = 65
    run.step(Tick(at(65), AWAY))
    assert Say("asleep", minutes=60) in run.effects
    assert asked(run) == []
    assert [tracked(draft) for draft in run.finished()] == ["xxxxxx----"]


@rule("R18")
def test_quiet_minutes_before_sleep_are_asked_about_whoever_wakes_it() -> None:
    run = Run(drawing(2), on()).until(3.1).until(8, AWAY)
    run.now = 65
    run.step(Tick(at(65), AT_LEAST))
    (ask,) = asked(run)
    assert ask.minutes == 5


@rule("R18")
def test_a_minute_that_sleep_cut_off_is_not_asked_about() -> None:
    run = Run(drawing(2), on()).until(4.95).until(5.05, AWAY)
    run.now = 65
    run.until(65.1, AWAY)
    assert asked(run) == []
    assert [tracked(draft) for draft in run.finished()] == ["xxxxxx----"]


@rule("R18")
@rule("R20")
def test_a_clock_set_back_and_ahead_without_input_in_between_begins_no_absence_before_it() -> None:
    # They read from 12 to 14, and were there again until the clock was set.
    run = Run(drawing(0.5), on()).until(12).until(14.5, AWAY).until(14.95).until(15.05, AWAY)
    for set_to in (-57, 125):
        run.now = set_to
        run.until(set_to + 0.2, AWAY)
    assert asked(run) == []
    assert [draft.slot - SLOT for draft in run.finished()] == [0, 1]


@rule("R18")
@rule("R20")
def test_a_clock_set_back_by_mistake_and_ahead_again_pauses_nothing() -> None:
    run = Run(drawing(0.5), on()).until(14)
    for set_to in (-57, 14.2):
        run.now = set_to
        run.until(set_to + 0.2, AWAY)
    run.until(20.2)
    assert not {"idle", "active_again"} & {*run.said()}
    assert [tracked(draft) for draft in run.finished()] == ["x" * 10, "x" * 10]


@rule("R18")
@rule("R20")
def test_nobody_comes_back_because_the_clock_is_set_back() -> None:
    run = Run(drawing(2), on()).until(3).until(14, AWAY)
    run.now = -57
    run.until(-52, AWAY)
    assert run.said().count("idle") == 1
    assert "active_again" not in run.said()


@rule("R18")
@rule("R20")
def test_a_clock_set_back_does_not_keep_anybody_present() -> None:
    run = Run(drawing(4), on()).until(55)
    run.now = 5
    run.until(20, AWAY)
    assert "idle" in run.said()


@rule("R12")
@rule("R20")
@pytest.mark.parametrize("is_withheld", [False, True])
@pytest.mark.parametrize("comes", [-7.4, 0.1, 95])
def test_a_picture_that_comes_after_the_clock_was_set_back_belongs_to_its_slot(
    comes: float, *, is_withheld: bool
) -> None:
    run = Run(drawing(0), on(), pictures_come=False).until(0.2)
    run.pictures_come = True
    run.now = -8
    run.until(-7.5)
    run.now = comes
    run.step(Tick(at(comes), AT_LEAST))
    taken = PictureWithheld(at(comes), SLOT) if is_withheld else PictureTaken(at(comes), SLOT, snapshot(0))
    run.step(taken)
    run.until(max(comes, 0) + 12)
    assert (SLOT in [draft.slot for draft in run.finished()]) is not is_withheld
    assert run.pictures().count(SLOT) == 1


@rule("R14")
@rule("R18")
def test_a_desktop_that_tells_nothing_calls_nobody_absent() -> None:
    run = Run(drawing(4), on()).until(45, Sample())
    assert "idle" not in run.said()
    assert [draft.tracked_minutes for draft in run.finished()] == [10] * 4


@rule("R16")
@rule("R18")
def test_a_display_that_died_costs_no_time_seen_before_and_pauses_then() -> None:
    run = Run(drawing(4), on()).until(5).until(45, Sample())
    assert run.said().count("idle") == 1
    assert asked(run) == []
    assert [tracked(draft) for draft in run.finished()] == ["x" * 10, "x" * 5 + "-" * 5]


@rule("R22")
def test_tracking_pauses_while_a_private_window_is_shown_that_may_not_be_masked() -> None:
    run = Run(drawing(8), on()).until(2)
    for tenth in range(21, 50):
        run.now = tenth / 10
        run.step(Tick(at(run.now), AT_LEAST, private=True))
        assert not run.session.listens
    run.until(10.2)
    assert [word for word in run.said() if "private" in word] == ["private_shown", "private_gone"]
    assert [tracked(draft) for draft in run.finished()] == ["xxx--xxxxx"]


@rule("R12")
@rule("R22")
def test_a_private_window_at_the_moment_is_as_if_tracking_was_off() -> None:
    run = Run(drawing(4), on()).until(3)
    run.now = 4.5
    run.step(Tick(at(4.5), AT_LEAST, private=True))
    run.until(10.2)
    assert (run.pictures(), run.finished()) == ([], [])


@rule("R22")
def test_a_picture_that_is_withheld_leaves_no_time() -> None:
    run = Run(drawing(4), on(), withheld=True).until(10.2)
    assert run.finished() == []
    assert run.said().count("withheld") == 1
    assert dropped(run) == [0]


@rule("R22")
def test_a_picture_withheld_after_the_slots_end_leaves_no_time() -> None:
    run = Run(drawing(9.9999), on(), pictures_come=False).until(9.98).until(10.1)
    run.step(PictureWithheld(at(10.1), SLOT))
    assert run.finished() == []
    assert dropped(run) == [0]


@rule("R18")
def test_tracking_that_is_off_is_never_idle() -> None:
    run = Run(drawing(4), OFF).until(60, AWAY)
    assert run.effects == []


def test_nothing_starts_with_minutes() -> None:
    assert Run(drawing(4), OFF).step(Begun(at(0), OFF, (Draft(MILL, SLOT, at(1), NO_MINUTES),))) == []
