"""The tracker as a process, with a private window, a locked screen, nobody there: what each slot becomes."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path

import pytest
from PIL import Image
from Xlib import X
from Xlib.display import Display

from diary.rules.ids import Slot
from diary.rules.timesheet import SegmentView
from tests.capture.painted import GREEN, RED, has_colour, program
from tests.capture.test_tracker import NINE, Worker, at_work
from tests.rule import rule

pytestmark = [pytest.mark.screen, pytest.mark.journey]

KEYS, CLICKS, NOTCHES = 60, 7, 5


@dataclass(frozen=True, slots=True)
class Morning:
    """A morning at a desk, and what was recorded of it."""

    worker: Worker
    said: str
    segments: dict[Slot, SegmentView]

    def tracked(self, slot: int) -> str:
        minutes = self.segments[Slot(slot)].minutes
        return "".join("-" if minute is None else "x" for minute in minutes)


@contextmanager
def locked(worker: Worker) -> Iterator[None]:
    """Cover the screen as a screen saver does."""
    display = Display(worker.desktop.display)
    display.force_screen_saver(X.ScreenSaverActive)
    display.sync()
    yield
    display.force_screen_saver(X.ScreenSaverReset)
    display.sync()
    display.close()


def wait_until(worker: Worker, minute: float) -> None:
    worker.time.sleep_until(NINE * 600_000 + int(minute * 60_000))


@pytest.fixture(scope="module")
def morning(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Morning]:
    """Each moment is near the start of its slot. A private window stands beside a public one all the time.

    9:10: the screen is locked from 9:14 to 9:17. 9:20: some input that is counted, then nobody from 9:24 on;
    after two minutes tracking pauses, and the answer is to drop it.
    """
    with (
        at_work(tmp_path_factory.mktemp("morning"), "2026-11-18T09:07Z") as worker,
        program(worker.desktop.display, "Browser") as browser,
    ):
        browser.open("My Bank", RED, (60, 60, 300, 200))
        browser.focus(browser.open("Documentation", GREEN, (500, 300, 300, 200)))
        with worker.diary() as diary:
            diary.add_private_rule(words="my bank")
            diary.set_setting("idle_minutes", "2")
            diary.start(worker.contract)
        worker.begin(part=0.02)
        worker.work_until(14)
        with locked(worker):
            worker.until(lambda: "The screen is locked" in worker.said())
            wait_until(worker, 17)
        worker.work_until(19.3)
        worker.until(lambda: "09:20: recording." in worker.said())
        paused = worker.said().count("Paused after 2 minutes")  # behind the lock it paused too
        send(worker)
        worker.until(lambda: worker.said().count("Paused after 2 minutes") > paused)
        with worker.diary() as diary:
            asked = diary.idle_question()
            assert asked
            assert asked.minutes in {1, 2, 3}
            diary.answer_idle("drop")
        worker.until(lambda: "is dropped" in worker.said())
        worker.work_until(30.5)
        worker.wait_for(NINE + 2)
        worker.end()
        yield Morning(worker, worker.said(), worker.recorded())


def send(worker: Worker) -> None:
    """Send input that is counted by the sender too."""
    worker.desktop.type_text("a" * KEYS, delay_ms=4)
    worker.desktop.click(CLICKS)
    worker.desktop.scroll(NOTCHES)


def pictures_of(morning: Morning, slot: int) -> list[Image.Image]:
    (shot,) = morning.segments[Slot(slot)].snapshots
    with morning.worker.diary() as diary:
        return [Image.open(io.BytesIO(diary.picture(name))) for name in (shot.screen, shot.thumbnail)]


@rule("R22")
def test_a_private_window_is_in_no_recorded_picture_and_the_segment_says_masked(morning: Morning) -> None:
    for slot in (NINE + 1, NINE + 2):
        segment = morning.segments[Slot(slot)]
        assert segment.no_picture == (), morning.said
        assert (segment.masked, segment.kind, segment.bills) == (True, "automatic", True)
        assert segment.titles == ("Documentation",)
        for picture in pictures_of(morning, slot):
            assert has_colour(picture, GREEN)
            assert not has_colour(picture, RED)


@rule("R18")
def test_a_locked_screen_counts_no_minute(morning: Morning) -> None:
    tracked = morning.tracked(NINE + 1)
    # Of three minutes at least one is whole in them, however the processes' clocks differ by some seconds.
    assert "-" in tracked[4:8], morning.said
    assert (tracked[:4], tracked[8:]) == ("xxxx", "xx")
    assert "The screen is unlocked" in morning.said


@rule("R14")
def test_counts_are_what_was_sent_through_the_whole_pipeline(morning: Morning) -> None:
    # Until the first minute that was dropped; what comes after the answer is typed without counting.
    sent = list(takewhile(bool, morning.segments[Slot(NINE + 2)].minutes))
    counted = [(one.keystrokes, one.clicks, one.scrolls) for one in sent if one]
    assert [sum(filter(None, column)) for column in zip(*counted, strict=True)] == [KEYS, CLICKS, NOTCHES]


@rule("R18")
def test_minutes_without_anybody_are_dropped_as_was_answered(morning: Morning) -> None:
    assert "Paused after 2 minutes without input" in morning.said
    tracked = morning.tracked(NINE + 2)
    assert tracked[0] == "x", morning.said
    assert "-" in tracked[1:5]
    assert tracked.rstrip("-x") == ""
    with morning.worker.diary() as diary:
        assert diary.idle_question() is None


@rule("R22")
def test_where_the_client_forbids_masking_tracking_pauses_while_a_private_window_is_shown(
    tmp_path: Path,
) -> None:
    with (
        at_work(tmp_path, "2026-11-18T09:09Z") as worker,
        program(worker.desktop.display, "Browser") as browser,
    ):
        window = browser.open("My Bank", RED, (60, 60, 300, 200))
        with worker.diary() as diary:
            diary.add_private_rule(words="my bank")
            diary.start(diary.new_contract(title="Strict", masking_allowed=False).id)
        worker.begin(part=0.5)
        worker.until(lambda: "this contract allows no masking: paused" in worker.said())
        worker.work_until(16)  # the moment of the slot at 9:10, if it ever began, would have come by then
        browser.minimise(window)
        worker.until(lambda: "No private window is on the screen any more" in worker.said())
        worker.work_until(30.5)
        recorded = worker.wait_for(NINE + 2)
        assert (recorded.masked, recorded.tracked_minutes) == (False, 10)
        assert not any(has_colour(picture, RED) for picture in _all_pictures(worker))
        assert worker.end() == 0


def _all_pictures(worker: Worker) -> list[Image.Image]:
    with worker.diary() as diary:
        return [
            Image.open(io.BytesIO(diary.picture(shot.screen)))
            for segment in worker.recorded().values()
            for shot in segment.snapshots
        ]
