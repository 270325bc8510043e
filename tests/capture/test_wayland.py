"""The edges on a real Wayland compositor: sway without a screen, with real windows and real input."""

import io
import os
import subprocess
from collections.abc import Iterator

import pytest
from PIL import Image

from capture.draft import Sample
from capture.edges import ActiveWindow, Edges, Shot, VisibleWindow, edges_of
from capture.wayland.edges import wayland_edges
from capture.wayland.sway import SwayWindows
from tests.patience import until
from tests.rule import rule
from tests.sway import Sway

pytestmark = pytest.mark.screen
DESKTOP = (0x20, 0x40, 0x60)  # the colour of what no window covers


@pytest.fixture(scope="module")
def desk() -> Iterator[Sway]:
    """Start one desktop with two monitors for all tests of this file; each opens windows of its own."""
    with Sway.start(title="Ledger — draft", outputs=2) as running:
        yield running


@pytest.fixture
def sway(desk: Sway) -> Iterator[Sway]:
    """Give the desktop as it began."""
    yield desk
    for output in ("HEADLESS-1", "HEADLESS-2"):
        desk.message(f"output {output} enable scale 1 transform normal")
    desk.message("output HEADLESS-2 position 1280 0")
    desk.message('[title="^(?!Ledger).*"] kill')
    desk.message('[title="Ledger"] focus')
    desk.until(lambda: desk.focused_title() == "Ledger — draft", "the other windows to close")
    desk.message("layout", "splith")


@pytest.fixture
def edges(sway: Sway) -> Iterator[Edges]:
    found = edges_of(sway.environment())
    assert not found.blind_because
    yield found
    found.close()


def taken(edges: Edges, middle: tuple[int, int] | None = None) -> Shot:
    shot = edges.screen.grab("active" if middle else "all", middle)
    assert isinstance(shot, Shot)
    return shot


def by_grim(sway: Sway) -> Image.Image:
    """Return the left monitor as grim, a program of its own, sees it."""
    environment = {**os.environ, **sway.environment()}
    command = ("grim", "-o", "HEADLESS-1", "-t", "ppm", "-")
    done = subprocess.run(command, env=environment, check=True, capture_output=True, timeout=60)
    return Image.open(io.BytesIO(done.stdout)).convert("RGB")


@rule("R13")
def test_the_picture_shows_all_monitors_or_the_one_with_the_active_window(sway: Sway, edges: Edges) -> None:
    whole = taken(edges)
    assert (whole.picture.size, whole.left, whole.top, whole.scale) == ((2560, 720), 0, 0, 1)
    assert whole.picture.getpixel((1900, 600)) == DESKTOP
    one = taken(edges, edges.windows.active().middle)
    assert (one.picture.size, one.left) == ((1280, 720), 0)
    other = taken(edges, (1900, 600))
    assert (other.picture.size, other.left, other.picture.getpixel((10, 10))) == ((1280, 720), 1280, DESKTOP)


@rule("R13")
def test_the_active_windows_names_are_read(sway: Sway, edges: Edges) -> None:
    assert edges.windows.active() == ActiveWindow("foot", "Ledger — draft", (640, 372))
    sway.message("workspace", "elsewhere")
    assert until(lambda: edges.windows.active() == ActiveWindow())
    sway.message("workspace", "1")
    assert until(lambda: edges.windows.active().title == "Ledger — draft")


@rule("R13")
def test_monitors_of_two_scales_make_one_picture_in_which_boxes_fit(sway: Sway, edges: Edges) -> None:
    sway.message("output HEADLESS-2 scale 2 transform 90")  # 360 by 640 logical pixels beside 1280 by 720
    assert until(lambda: taken(edges).picture.size == (2 * 1640, 2 * 720))
    whole = taken(edges)
    assert whole.picture.getpixel((2 * 1280 + 10, 10)) == DESKTOP
    assert whole.picture.getpixel((2 * 1280 + 10, 2 * 700)) == (0, 0, 0)  # below the shorter monitor
    sway.open_terminal("Seen from two scales")
    (below, above) = edges.windows.visible() or ()
    assert (below.title, above.title) == ("Ledger — draft", "Seen from two scales")
    assert above.box == (0, 0, 2 * 1280, 2 * 720)  # it has the focus
    assert below.box == (0, 0, 2 * 640, 2 * 720)
    one = taken(edges, edges.windows.active().middle)
    assert (one.picture.size, one.left, one.scale) == ((1280, 720), 0, 0.5)
    other = taken(edges, (2 * 1300, 20))
    assert (other.picture.size, other.left, other.scale) == ((720, 1280), 2 * 1280, 1)


@rule("R13")
@pytest.mark.parametrize(
    "transform",
    ["90", "180", "270", "flipped", "flipped-90", "flipped-180", "flipped-270"],
)
def test_a_turned_monitor_is_shown_as_it_is_looked_at(sway: Sway, edges: Edges, transform: str) -> None:
    sway.message(f"output HEADLESS-1 transform {transform}")
    turned = (720, 1280) if "90" in transform or "270" in transform else (1280, 720)
    assert until(lambda: sway.message("-t", "get_outputs")[0]["transform"] == transform)
    assert until(lambda: by_grim(sway).size == turned)
    assert until(lambda: taken(edges, (10, 10)).picture.tobytes() == by_grim(sway).tobytes())
    assert len(taken(edges, (10, 10)).picture.getcolors() or ()) > 4  # of which no turn is like another


@rule("R22")
def test_a_window_without_the_focus_has_its_own_box_and_the_one_with_it_its_monitor(
    sway: Sway, edges: Edges
) -> None:
    sway.open_terminal("Bank")
    assert edges.windows.visible() == (
        VisibleWindow("foot", "Ledger — draft", (0, 0, 640, 720)),
        VisibleWindow("foot", "Bank", (0, 0, 1280, 720)),
    )
    sway.message("focus", "left")
    assert edges.windows.visible() == (
        VisibleWindow("foot", "Ledger — draft", (0, 0, 1280, 720)),
        VisibleWindow("foot", "Bank", (640, 0, 640, 720)),
    )


@rule("R22")
def test_of_a_window_behind_a_tab_the_title_bar_is_to_be_seen_and_of_one_elsewhere_nothing(
    sway: Sway, edges: Edges
) -> None:
    sway.message("layout", "tabbed")
    sway.open_terminal("Bank")
    hidden, _ = edges.windows.visible() or ()
    assert hidden == VisibleWindow("foot", "Ledger — draft", (0, 0, 640, 25))
    sway.message("move container to workspace elsewhere")
    assert until(lambda: [seen.title for seen in edges.windows.visible() or ()] == ["Ledger — draft"])


@rule("R22")
def test_floating_windows_lie_above_the_others(sway: Sway, edges: Edges) -> None:
    sway.open_terminal("Bank")
    sway.message("floating enable, resize set 400 300, move position 100 100")
    sway.message("focus tiling")
    above = (edges.windows.visible() or ())[-1]
    assert (above.title, above.box[:2]) == ("Bank", (100, 100))
    assert above.box[2] < 410  # a terminal is as wide as its columns, so a little less than it was told
    assert above.box[3] < 310


@rule("R14")
def test_nothing_is_counted_and_activity_comes_from_the_desktop(sway: Sway, edges: Edges) -> None:
    assert not edges.input_counts.start()
    assert edges.input_counts.take_minute() == Sample()
    assert "counts" in edges.lacks
    idle = edges.idle
    idle.idle_ms()
    assert until(lambda: (idle.idle_ms() or 0) > 1500)
    sway.type_text("x")
    assert until(lambda: idle.idle_ms() == 0)
    assert until(lambda: (idle.idle_ms() or 0) > 1500)


@rule("R22")
def test_without_sways_own_socket_titles_and_monitors_are_known_as_on_other_compositors(sway: Sway) -> None:
    edges = edges_of(sway.environment() | {"SWAYSOCK": ""})
    assert set(edges.lacks) == {"counts", "positions"}
    sway.open_terminal("Bank")
    sway.message("move container to output right")
    assert until(lambda: edges.windows.active() == ActiveWindow("foot", "Ledger — draft", (640, 360)))
    placed = {
        VisibleWindow("foot", "Ledger — draft", (0, 0, 1280, 720)),
        VisibleWindow("foot", "Bank", (1280, 0, 1280, 720)),
    }
    assert until(lambda: set(edges.windows.visible() or ()) == placed)
    sway.message('[title="Bank"] focus')
    assert until(lambda: edges.windows.active() == ActiveWindow("foot", "Bank", (1920, 360)))
    assert taken(edges, edges.windows.active().middle).left == 1280
    edges.close()


@rule("R13")
def test_a_monitor_that_is_plugged_in_between_two_snapshots_is_on_the_second() -> None:
    with Sway.start() as sway:
        edges = wayland_edges(sway.environment())
        assert taken(edges).picture.size == (1280, 720)
        sway.message("create_output")
        assert until(lambda: taken(edges).picture.size == (1280 + 1920, 1080))
        edges.close()


@rule("R19")
def test_a_compositor_that_dies_takes_nothing_with_it() -> None:
    with Sway.start() as sway:
        edges = wayland_edges(sway.environment())
        assert edges.windows.active().application == "foot"
        assert until(lambda: edges.idle.idle_ms() is not None)
        sway.kill_server()
        assert until(lambda: edges.idle.idle_ms() is None)
        assert edges.windows.active() == ActiveWindow()
        assert edges.windows.visible() is None
        assert edges.screen.grab("all", None) == "no_display"
        edges.close()


@rule("R16")
def test_no_compositor_is_said_and_nothing_is_seen() -> None:
    edges = edges_of({"XDG_SESSION_TYPE": "wayland", "XDG_RUNTIME_DIR": "/nonexistent"})
    assert "no compositor" in edges.blind_because
    assert SwayWindows({"SWAYSOCK": "/nonexistent"}).visible() is None
