"""The tracker as a process beside a real notification daemon, dunst: what Remove removes (R17)."""

import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from diary.rules.ids import Slot
from diary.rules.json_form import at
from diary.rules.sealed_content import Moment
from diary.rules.week import Week, starts_at_ms
from tests.capture.film import film_at
from tests.capture.test_tracker import Worker, at_work
from tests.notification_desktop import NotificationDesktop
from tests.rule import rule

pytestmark = pytest.mark.screen

BEGINNING = "2026-11-18T09:05Z"
ENCODED = (b"ftypavif", b"WEBPVP8", b"\x89PNG\r", b"\xff\xd8\xff")  # how a picture in clear begins
HOLD_SECONDS = 3600  # two minutes of the test's own time


@dataclass
class Notified:
    """A worker at a desktop with notifications."""

    worker: Worker
    screen: NotificationDesktop

    def marks(self) -> set[Slot]:
        with self.worker.diary() as diary:
            return {draft.slot for draft in diary.drafts() if draft.removed}

    def newest(self) -> Slot:
        """Return the slot of the newest notification: on a slow machine the first may be over already."""
        with self.worker.diary() as diary:
            return diary.notices()[-1].slot

    def shown_at(self, slot: Slot) -> Moment:
        """Return when a slot's notification was shown the last time."""
        with self.worker.diary() as diary:
            return next(each.shown for each in diary.notices() if each.slot == slot)


@pytest.fixture
def notified(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Notified]:
    with (
        at_work(tmp_path, BEGINNING) as worker,
        NotificationDesktop.on(worker.desktop, tmp_path / "bus") as screen,
    ):
        for name, value in screen.environment().items():
            monkeypatch.setenv(name, value)
        with worker.diary() as diary:
            diary.set_setting("hold_seconds", HOLD_SECONDS)
            diary.start(worker.contract, memo="held")
        yield Notified(worker, screen)
        assert worker.end() == 0
        screen.wait_until_shown(0)  # what the tracker showed went with it


@rule("R4")
@rule("R17")
@rule("R19")
def test_remove_is_pressed_after_the_tracker_was_killed_and_started_again(notified: Notified) -> None:
    worker, screen = notified.worker, notified.screen
    worker.begin(part=0.1)
    screen.wait_until_shown(1)
    shown = notified.newest()
    worker.end(signal.SIGKILL)
    assert screen.shown() == 1
    before = notified.shown_at(shown)
    worker.begin(part=0.1)
    worker.until(lambda: notified.shown_at(shown) != before)  # the next run has taken its place
    screen.press(f"Remove (Snapshot of {at(starts_at_ms(shown)):%H:%M}: Mill)")
    worker.until(lambda: shown in notified.marks())
    assert shown not in worker.recorded()


@rule("R4")
@rule("R13")
@rule("R17")
def test_what_is_removed_within_the_notice_period_never_leaves(notified: Notified) -> None:
    worker, screen = notified.worker, notified.screen
    with worker.diary() as diary:
        diary.set_setting("camera", True)
        diary.set_setting("camera_source", film_at(worker.home.parent / "camera.avi"))
    worker.begin(part=0.7)
    worker.work_until(10.5)
    screen.wait_until_shown(1)
    shown = notified.newest()
    worker.wait_for(shown)
    held = worker.recorded()[shown]
    assert held.state == "held"
    assert all(shot.camera for shot in held.snapshots)  # it was turned on, and goes with the rest
    # The thumbnail is on the screen now, and in no file: not of ours, of the bus, nor of the daemon.
    files = [path for path in worker.home.parent.rglob("*") if path.is_file() and path.suffix != ".avi"]
    assert [path for path in files if any(sign in path.read_bytes() for sign in ENCODED)] == []
    screen.press(f"Remove (Snapshot of {at(starts_at_ms(shown)):%H:%M}: Mill)")
    worker.until(lambda: shown not in worker.recorded())
    with worker.diary() as diary:
        assert [each.slot for each in diary.week(Week.of(shown)).segments if each.state == "held"] == []
        assert not diary.status().unsynced
