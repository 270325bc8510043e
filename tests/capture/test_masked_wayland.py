"""Private windows on a real sway: no pixel of them is in any picture, wherever they are (R22).

Each is asked of both ways to know where windows are: by sway's own socket, to the pixel, and as on any other
wlroots compositor, by monitor.
"""

import io
from collections.abc import Iterator

import pytest
from PIL import Image

from capture.edges import Edges, Monitors, edges_of
from capture.photograph import is_private_shown, photograph
from capture.privacy import Privacy
from diary.clock import GivenClock
from diary.rules.ids import Millis
from diary.rules.private import PrivateRule
from tests.capture.painted import GREEN, MAGENTA, RED, has_colour
from tests.patience import until
from tests.rule import rule
from tests.sway import Sway

pytestmark = pytest.mark.screen

CLOCK = GivenClock(Millis(1_795_000_000_000))
BANK = Privacy((PrivateRule(words="my bank"),))
FORBIDDEN = Privacy(BANK.rules, may_mask=False)


@pytest.fixture(scope="module")
def desk() -> Iterator[Sway]:
    with Sway.start(title="Ledger", outputs=2) as running:
        yield running


@pytest.fixture
def sway(desk: Sway) -> Iterator[Sway]:
    """Give a desktop with a public green window on the left monitor and a public magenta on the right."""
    desk.message("focus output HEADLESS-1")
    desk.open_terminal("Documentation", colour=GREEN)
    desk.message("focus output HEADLESS-2")
    desk.open_terminal("Music", colour=MAGENTA)
    desk.message("focus output HEADLESS-1")
    yield desk
    desk.message('[title="^(?!Ledger).*"] kill')
    desk.until(lambda: len(titles(desk)) == 1, "the other windows to close")


@pytest.fixture(params=["by sway", "by monitor"])
def edges(sway: Sway, request: pytest.FixtureRequest) -> Iterator[Edges]:
    more = {} if request.param == "by sway" else {"SWAYSOCK": ""}
    found = edges_of(sway.environment() | more)
    assert ("positions" in found.lacks) == bool(more)
    yield found
    found.close()


def titles(sway: Sway) -> list[str]:
    """Return the titles of all windows there are."""
    found, waiting = [], [sway.message("-t", "get_tree")]
    while waiting:
        node = waiting.pop()
        found += [str(node["name"])] if node.get("pid") else []
        waiting += [*node.get("nodes", ()), *node.get("floating_nodes", ())]
    return found


def pictures(edges: Edges, privacy: Privacy, monitors: Monitors = "all") -> list[Image.Image]:
    """Return picture and thumbnail of a snapshot."""
    taken = photograph(edges, monitors, CLOCK, privacy)
    assert taken
    assert len(taken.pictures) == 2, taken.no_picture
    return [Image.open(io.BytesIO(picture)) for _, picture in taken.pictures]


def is_shown(edges: Edges, *colours: tuple[int, int, int]) -> bool:
    return all(has_colour(picture, colour) for picture in pictures(edges, Privacy()) for colour in colours)


def sees(edges: Edges, title: str) -> bool:
    """Return whether the desktop has told of a window yet."""
    return any(seen.title == title for seen in edges.windows.visible() or ())


def check_masked(edges: Edges, *left: tuple[int, int, int]) -> None:
    """Check that nothing of the private window is in a picture, and what is left there of the others."""
    assert until(lambda: is_shown(edges, RED))  # without the rule it would be there
    assert until(lambda: sees(edges, "My Bank"))
    for picture in pictures(edges, BANK):
        assert not has_colour(picture, RED)
        assert all(has_colour(picture, colour) for colour in left)
    assert is_private_shown(edges, "all", FORBIDDEN)
    assert photograph(edges, "all", CLOCK, FORBIDDEN) is None


@rule("R22")
def test_a_private_window_with_the_focus_leaves_no_pixel(sway: Sway, edges: Edges) -> None:
    sway.open_terminal("My Bank", colour=RED)
    check_masked(edges, MAGENTA)
    taken = photograph(edges, "all", CLOCK, BANK)
    assert taken
    assert (taken.masked, taken.title, taken.application) == (True, "", "")


@rule("R22")
def test_a_private_window_without_the_focus_leaves_no_pixel(sway: Sway, edges: Edges) -> None:
    sway.open_terminal("My Bank", colour=RED)
    sway.message('[title="Music"] focus')
    check_masked(edges, MAGENTA)


@rule("R22")
def test_a_private_window_on_the_other_monitor_leaves_no_pixel(sway: Sway, edges: Edges) -> None:
    sway.message("focus output HEADLESS-2")
    sway.open_terminal("My Bank", colour=RED)
    sway.message('[title="Documentation"] focus')
    check_masked(edges, GREEN)
    assert until(lambda: edges.windows.active().title == "Documentation")
    for picture in pictures(edges, BANK, "active"):
        assert has_colour(picture, GREEN)
        assert not has_colour(picture, RED)
    assert not is_private_shown(edges, "active", FORBIDDEN)


@rule("R22")
def test_a_private_window_that_floats_over_two_monitors_leaves_no_pixel(sway: Sway, edges: Edges) -> None:
    sway.open_terminal("My Bank", colour=RED)
    sway.message("floating enable, resize set 600 300, move absolute position 980 100")
    sway.message('[title="Documentation"] focus')
    check_masked(edges)


@rule("R22")
def test_a_private_window_that_fills_the_screen_leaves_no_pixel(sway: Sway, edges: Edges) -> None:
    sway.open_terminal("My Bank", colour=RED)
    sway.message("fullscreen enable")
    check_masked(edges, MAGENTA)
