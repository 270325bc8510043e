"""The edges on a real X server with a real window, moved by real input."""

import subprocess
import threading
import time
from collections.abc import Callable

import pytest
from Xlib import X
from Xlib.display import Display

from capture.draft import Sample
from capture.edges import ActiveWindow, Edges, InputCounts, Shot
from capture.picture_by_mss import monitor_of
from capture.snapshot import encode
from tests.desktop import Desktop
from tests.rule import rule

pytestmark = pytest.mark.screen


def counted(counts: InputCounts, enough: Callable[[list[int]], bool]) -> list[int]:
    """Add up what is counted until there is enough, and a moment longer for what is too much."""
    total = [0, 0, 0]
    for wait in range(100):
        time.sleep(0.05)
        sample = counts.take_minute()
        more = (sample.keystrokes or 0, sample.clicks or 0, sample.scrolls or 0)
        total = [before + new for before, new in zip(total, more, strict=True)]
        if enough(total) and wait > 4 and not any(more):
            break
    return total


@rule("R14")
def test_counts_are_what_was_sent(desktop: Desktop, edges: Edges) -> None:
    counts = edges.input_counts
    assert counts.start()
    desktop.type_text("the quick brown fox\n", delay_ms=2)
    desktop.move(600, 400)
    desktop.click(7)
    desktop.scroll(5)
    assert counted(counts, lambda total: sum(total) >= 32) == [20, 7, 5]
    counts.stop()


@rule("R14")
def test_nothing_is_lost_between_the_start_and_the_first_input(desktop: Desktop, edges: Edges) -> None:
    # What was once seen to be lost: the first clicks of a listener that had called itself ready.
    display = Display()
    counts = edges.input_counts
    for _ in range(10):
        assert counts.start()
        display.xtest_fake_input(X.ButtonPress, 1)
        display.xtest_fake_input(X.ButtonRelease, 1)
        display.sync()
        assert counted(counts, lambda total: total[1] >= 1) == [0, 1, 0]
        counts.stop()
    display.close()


@rule("R14")
def test_a_key_held_down_counts_once(desktop: Desktop, edges: Edges) -> None:
    counts = edges.input_counts
    assert counts.start()
    desktop.hold_key("x", 1.2)
    assert counted(counts, lambda total: total[0] >= 1) == [1, 0, 0]
    counts.stop()


@rule("R15")
def test_after_the_stop_nothing_is_counted_and_no_thread_listens(desktop: Desktop, edges: Edges) -> None:
    counts = edges.input_counts
    assert counts.start()
    counts.stop()
    desktop.type_text("secret")
    assert counts.take_minute() == Sample()
    for _ in range(100):
        if not any("Listener" in thread.name for thread in threading.enumerate()):
            break
        time.sleep(0.02)
    assert not any("Listener" in thread.name for thread in threading.enumerate())


@rule("R13")
def test_the_active_windows_names_are_read_whatever_encoding_they_are_in(
    desktop: Desktop, edges: Edges
) -> None:
    found = edges.windows.active()
    assert (found.application, found.title) == ("XTerm", "Ledger — draft")
    desktop.retitle("Größe 寸法 – line\nbreak")
    assert edges.windows.active().title == "Größe 寸法 – line break"


@rule("R13")
def test_no_window_with_the_focus_is_no_error(desktop: Desktop, edges: Edges) -> None:
    display = Display()
    root = display.screen().root
    root.change_property(display.intern_atom("_NET_ACTIVE_WINDOW"), display.intern_atom("WINDOW"), 32, [0])
    display.sync()
    assert edges.windows.active() == ActiveWindow()
    display.close()


@rule("R13")
def test_the_picture_shows_the_window_and_the_thumbnail_is_small(desktop: Desktop, edges: Edges) -> None:
    shot = edges.screen.grab("all", None)
    assert isinstance(shot, Shot)
    picture = shot.picture
    assert (picture.size, shot.left, shot.top, shot.scale) == ((1280, 800), 0, 0, 1)
    assert picture.getpixel((500, 400)) == (255, 255, 255)  # the terminal
    assert picture.getpixel((1200, 700)) == (0, 0, 0)  # beside it
    assert len(encode(picture).thumbnail) < 8_000


@rule("R13")
def test_the_active_windows_monitor_can_be_taken_alone(desktop: Desktop, edges: Edges) -> None:
    for monitor in ("LEFT 640/150x800/200+0+0 screen", "RIGHT 640/150x800/200+640+0 none"):
        subprocess.run(["xrandr", "--setmonitor", *monitor.split()], check=True)
    shot = edges.screen.grab("active", edges.windows.active().middle)
    assert isinstance(shot, Shot)
    assert (shot.picture.size, shot.left) == ((640, 800), 0)
    shot = edges.screen.grab("active", (700, 100))
    assert isinstance(shot, Shot)
    assert (shot.picture.size, shot.left, shot.top) == ((640, 800), 640, 0)


@rule("R16")
def test_a_blank_screen_is_said_to_be_black(desktop: Desktop, edges: Edges) -> None:
    display = Display()
    cover = display.screen().root.create_window(
        0, 0, 1280, 800, 0, X.CopyFromParent, background_pixel=0, override_redirect=True
    )
    cover.map()
    display.sync()
    time.sleep(0.2)
    assert edges.screen.grab("all", None) == "black"
    display.close()


@rule("R14")
def test_idle_time_grows_and_input_ends_it(desktop: Desktop, edges: Edges) -> None:
    idle = edges.idle
    desktop.key("a")
    time.sleep(1)
    before = idle.idle_ms()
    desktop.key("a")
    after = idle.idle_ms()
    assert before is not None
    assert after is not None
    assert after < 900 < before


@rule("R16")
def test_a_screen_saver_over_the_screen_counts_as_locked(desktop: Desktop, edges: Edges) -> None:
    idle = edges.idle
    assert not idle.is_locked()
    display = Display()
    display.force_screen_saver(X.ScreenSaverActive)
    display.sync()
    assert idle.is_locked()
    display.close()


@rule("R19")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # python-xlib's failed sockets
def test_an_x_server_that_goes_away_takes_nothing_with_it(desktop: Desktop, edges: Edges) -> None:
    counts, windows, idle = edges.input_counts, edges.windows, edges.idle
    assert counts.start()
    assert windows.active().title
    assert idle.idle_ms() is not None
    desktop.kill_server()
    time.sleep(0.3)
    assert windows.active() == ActiveWindow()
    assert idle.idle_ms() is None
    assert edges.screen.grab("all", None) == "no_display"
    assert counts.take_minute() == Sample()
    assert not counts.start()
    counts.stop()


def test_a_middle_on_no_monitor_means_all_of_them() -> None:
    left = {"left": 0, "top": 0, "width": 640, "height": 800}
    right = {"left": 640, "top": 0, "width": 640, "height": 800}
    both = {"left": 0, "top": 0, "width": 1280, "height": 800}
    assert monitor_of([both, left, right], (700, 10)) == right
    assert monitor_of([both, left, right], (2000, 10)) == both
    assert monitor_of([both, left, right], None) == both


@rule("R13")
def test_monitors_plugged_in_and_out_between_two_snapshots_need_nothing(
    desktop: Desktop, edges: Edges
) -> None:
    def monitors(*words: str) -> None:
        subprocess.run(["xrandr", *words], check=True)

    def seen() -> tuple[tuple[int, int], int]:
        shot = edges.screen.grab("active", (900, 300))
        assert isinstance(shot, Shot)
        return shot.picture.size, shot.left

    assert seen() == ((1280, 800), 0)
    monitors("--setmonitor", "LEFT", "640/150x800/200+0+0", "screen")
    monitors("--setmonitor", "RIGHT", "640/150x800/200+640+0", "none")
    assert seen() == ((640, 800), 640)
    monitors("--delmonitor", "RIGHT")
    assert seen() == ((1280, 800), 0)  # on no monitor now: all of them
    monitors("--setmonitor", "RIGHT", "320/75x800/200+640+0", "none")
    assert seen() == ((320, 800), 640)
