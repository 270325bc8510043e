"""The snapshot's moment on a real screen."""

import pytest
from Xlib import X
from Xlib.display import Display

from capture.edges import Edges, blind_edges
from capture.photograph import photograph
from diary.clock import GivenClock
from diary.rules.ids import Millis
from tests.desktop import Desktop
from tests.rule import rule

CLOCK = GivenClock(Millis(1_795_000_000_000))


@rule("R13")
@pytest.mark.screen
def test_a_snapshot_is_picture_thumbnail_application_title_and_moment(desktop: Desktop, edges: Edges) -> None:
    taken = photograph(edges, "all", CLOCK)
    assert taken
    assert (taken.application, taken.title, taken.no_picture) == ("XTerm", "Ledger — draft", None)
    assert [role for role, _ in taken.pictures] == ["screen", "thumbnail"]
    assert (taken.moment.wall_ms, taken.moment.boot) == (CLOCK.now_ms(), "given")


@rule("R16")
@pytest.mark.screen
def test_of_a_locked_screen_nothing_is_kept_but_the_reason(desktop: Desktop, edges: Edges) -> None:
    display = Display()
    display.force_screen_saver(X.ScreenSaverActive)
    display.sync()
    taken = photograph(edges, "all", CLOCK)
    assert taken
    assert (taken.no_picture, taken.title, taken.pictures) == ("locked", "", ())
    display.close()


@rule("R16")
def test_a_machine_without_a_display_says_so() -> None:
    taken = photograph(blind_edges("none"), "all", CLOCK)
    assert taken
    assert taken.no_picture == "no_display"
