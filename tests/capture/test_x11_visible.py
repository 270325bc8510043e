"""Which windows are to be seen on a real X server, and where (R22)."""

import subprocess

import pytest
from Xlib import X
from Xlib.display import Display

from capture.edges import Edges, VisibleWindow
from tests.desktop import Desktop
from tests.patience import until
from tests.rule import rule

pytestmark = pytest.mark.screen


def seen(edges: Edges) -> tuple[VisibleWindow, ...]:
    found = edges.windows.visible()
    assert found is not None
    return found


@rule("R22")
def test_windows_are_seen_with_their_frames_also_without_the_focus_and_the_lowest_first(
    desktop: Desktop, edges: Edges
) -> None:
    desktop.open_terminal("Above")
    titles = [window.title for window in seen(edges) if window.application == "XTerm"]
    assert titles == ["Ledger — draft", "Above"]
    above = seen(edges)[-1]
    left, top, width, height = above.box
    active = edges.windows.active()
    assert active.title == "Above"
    assert active.middle is not None
    assert left < active.middle[0] < left + width
    assert top < active.middle[1] < top + height
    # The frame is part of it: the title bar shows the title.
    inner = subprocess.run(
        ["xdotool", "getactivewindow", "getwindowgeometry", "--shell"],
        check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip
    assert f"HEIGHT={height}" not in inner


@rule("R22")
def test_a_minimised_window_is_not_to_be_seen(desktop: Desktop, edges: Edges) -> None:
    subprocess.run(["xdotool", "getactivewindow", "windowminimize"], check=True)
    assert until(lambda: not any(window.application == "XTerm" for window in seen(edges)))


@rule("R22")
def test_a_window_without_a_frame_belongs_to_the_application_it_names(desktop: Desktop, edges: Edges) -> None:
    display = Display()
    screen = display.screen()
    owner = screen.root.create_window(0, 0, 10, 10, 0, X.CopyFromParent)
    owner.set_wm_class("ledger", "Ledger")
    menu = screen.root.create_window(
        900, 500, 120, 80, 1, X.CopyFromParent, background_pixel=screen.white_pixel, override_redirect=True
    )
    menu.set_wm_transient_for(owner)
    menu.map()
    display.sync()
    assert VisibleWindow("Ledger", "", (900, 500, 122, 82)) in seen(edges)
    display.close()
    assert until(lambda: not any(window.application == "Ledger" for window in seen(edges)))


@rule("R22")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # python-xlib's failed sockets
def test_without_a_server_it_is_said_that_positions_are_unknown(desktop: Desktop, edges: Edges) -> None:
    assert edges.windows.visible() is not None
    desktop.kill_server()
    assert edges.windows.visible() is None
