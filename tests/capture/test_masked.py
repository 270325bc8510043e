"""Private windows on a real desktop: no pixel of them is in any picture (R22)."""

import io
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest
from PIL import Image

from capture.draft import Snapshot
from capture.edges import Edges, Monitors, VisibleWindow
from capture.photograph import is_private_shown, photograph, take
from capture.privacy import Privacy
from diary.clock import GivenClock
from diary.rules.ids import Millis
from diary.rules.private import PrivateRule
from tests.capture.painted import GREEN, MAGENTA, RED, Program, has_colour, program
from tests.desktop import Desktop
from tests.rule import rule

pytestmark = pytest.mark.screen

CLOCK = GivenClock(Millis(1_795_000_000_000))
BANK = Privacy((PrivateRule(words="my bank"),))
VAULT = Privacy((PrivateRule(application="vault"),))
LEFT, RIGHT = "LEFT 640/150x800/200+0+0 screen", "RIGHT 640/150x800/200+640+0 none"


@pytest.fixture
def browser(desktop: Desktop) -> Iterator[Program]:
    with program(desktop.display, "Browser") as running:
        yield running


@pytest.fixture
def vault(desktop: Desktop) -> Iterator[Program]:
    with program(desktop.display, "Vault") as running:
        yield running


def picture_of(edges: Edges, privacy: Privacy, monitors: Monitors = "all") -> Image.Image:
    taken = take(edges, monitors, privacy)
    assert taken
    assert not isinstance(taken.picture, str)
    return taken.picture


def pictures_in(taken: Snapshot | None) -> list[Image.Image]:
    assert taken
    return [Image.open(io.BytesIO(picture)) for _, picture in taken.pictures]


@rule("R22")
def test_a_private_window_without_the_focus_leaves_no_pixel_in_picture_and_thumbnail(
    browser: Program, edges: Edges
) -> None:
    private = browser.open("My Bank - Browser", RED, (60, 60, 300, 200))
    public = browser.open("Documentation", GREEN, (500, 300, 300, 200))
    browser.focus(public)
    for picture in pictures_in(photograph(edges, "all", CLOCK)):
        assert has_colour(picture, RED)  # without the rule it would be there
    taken = photograph(edges, "all", CLOCK, BANK)
    assert taken
    assert (taken.masked, taken.application, taken.title) == (True, "Browser", "Documentation")
    assert len(taken.pictures) == 2
    for picture in pictures_in(taken):
        assert has_colour(picture, GREEN)
        assert not has_colour(picture, RED)
    browser.focus(private)
    taken = photograph(edges, "all", CLOCK, BANK)
    assert taken
    assert (taken.masked, taken.application, taken.title) == (True, "", "")
    assert not any(has_colour(picture, RED) for picture in pictures_in(taken))


@rule("R22")
def test_the_frame_of_a_private_window_is_masked_with_its_title(browser: Program, edges: Edges) -> None:
    browser.open("My Bank - Browser", RED, (100, 100, 300, 200))
    (box,) = {each.box for each in edges.windows.visible() or () if "Bank" in each.title}
    assert box[2] > 300 or box[3] > 200  # openbox draws a title bar
    x, y, width, height = box
    frame = picture_of(edges, BANK).crop((x, y, x + width, y + height))
    assert frame.getextrema() == ((0, 0), (0, 0), (0, 0))


@rule("R22")
def test_a_private_window_that_is_partly_covered_or_off_the_screen_leaves_no_pixel(
    browser: Program, edges: Edges
) -> None:
    browser.open("My Bank", RED, (1100, 650, 400, 400))
    browser.open("Documentation", GREEN, (1000, 600, 200, 150))
    picture = picture_of(edges, BANK)
    assert has_colour(picture, GREEN)
    assert not has_colour(picture, RED)


@rule("R22")
def test_only_monitors_that_are_captured_are_masked(desktop: Desktop, browser: Program, edges: Edges) -> None:
    for monitor in (LEFT, RIGHT):
        subprocess.run(["xrandr", "--setmonitor", *monitor.split()], check=True, env=None)
    browser.open("My Bank", RED, (700, 100, 300, 200))
    public = browser.open("Documentation", GREEN, (100, 100, 300, 200))
    browser.focus(public)
    both = take(edges, "all", BANK)
    assert both
    assert both.masked
    assert isinstance(both.picture, Image.Image)
    assert not has_colour(both.picture, RED)
    alone = take(edges, "active", BANK)
    assert alone
    assert not alone.masked
    assert isinstance(alone.picture, Image.Image)
    assert has_colour(alone.picture, GREEN)
    assert not has_colour(alone.picture, RED)
    browser.open("My Bank again", RED, (300, 500, 500, 200))  # on both monitors
    browser.focus(public)
    assert not has_colour(picture_of(edges, BANK, "active"), RED)


@rule("R22")
def test_minimised_windows_and_those_of_other_desktops_mask_nothing(browser: Program, edges: Edges) -> None:
    browser.minimise(browser.open("My Bank", RED, (60, 60, 300, 200)))
    browser.send_to_desktop(browser.open("My Bank too", RED, (300, 300, 300, 200)), 1)
    browser.until(lambda: not is_private_shown(edges, "all", BANK))  # the frame goes a moment later
    taken = take(edges, "all", BANK)
    assert taken
    assert (taken.masked, taken.boxes) == (False, ())


@rule("R22")
@pytest.mark.parametrize("says_whose_it_is", [True, False])
def test_menus_and_dialogues_of_a_private_window_are_masked_with_it(
    browser: Program, vault: Program, edges: Edges, *, says_whose_it_is: bool
) -> None:
    window = vault.open("unlocked", RED, (60, 60, 300, 200))
    vault.open(
        "", MAGENTA, (500, 100, 120, 200),
        is_menu=True, says_its_name=False, belongs_to=window if says_whose_it_is else None,
    )  # fmt: skip
    browser.open("", GREEN, (700, 400, 120, 200), is_menu=True, says_its_name=False)
    picture = picture_of(edges, VAULT)
    assert not has_colour(picture, RED)
    assert not has_colour(picture, MAGENTA)
    assert has_colour(picture, GREEN)  # another program's menu


@rule("R22")
def test_a_menu_of_a_window_that_is_private_by_its_title_is_masked(browser: Program, edges: Edges) -> None:
    bank = browser.open("My Bank", RED, (60, 60, 300, 200))
    browser.open("", MAGENTA, (500, 100, 120, 200), is_menu=True, says_its_name=False)
    browser.open("Transfer", MAGENTA, (500, 400, 200, 150), belongs_to=bank)
    picture = picture_of(edges, BANK)
    assert not has_colour(picture, RED)
    assert not has_colour(picture, MAGENTA)


@rule("R22")
def test_a_window_that_never_stands_still_leaves_no_pixel(browser: Program, edges: Edges) -> None:
    window = browser.open("My Bank", RED, (100, 100, 300, 200))
    ending = threading.Event()

    def drag() -> None:
        for step in range(100_000):
            browser.move(window, 100 + step * 13 % 700, 100 + step * 7 % 400)
            if ending.wait(0.01):
                return

    hand = threading.Thread(target=drag)
    hand.start()
    try:
        for _ in range(3):
            assert not has_colour(picture_of(edges, BANK), RED)
    finally:
        ending.set()
        hand.join()


@rule("R22")
def test_a_page_shown_before_its_title_is_said_leaves_no_pixel(
    browser: Program, edges: Edges, monkeypatch: pytest.MonkeyPatch
) -> None:
    window = browser.open("Documentation", GREEN, (100, 100, 300, 200))
    sleep, rests = time.sleep, []

    def show_then_say(seconds: float) -> None:
        rests.append(seconds)
        if len(rests) == 1:  # between the first look and the picture
            window.change_attributes(background_pixel=RED[0] << 16)
            window.clear_area(0, 0, 0, 0)
            browser.display.sync()
        if len(rests) == 2:  # between the picture and the second look
            browser.retitle(window, "My Bank")
        sleep(seconds / 10)

    monkeypatch.setattr(time, "sleep", show_then_say)
    picture = picture_of(edges, BANK)
    assert len(rests) == 4  # the first picture was given up
    assert not has_colour(picture, RED)


class _Placeless:
    """The windows of a desktop that tells names but no positions."""

    def __init__(self, edges: Edges) -> None:
        self._windows = edges.windows
        self.active = self._windows.active
        self.close = self._windows.close

    def visible(self) -> tuple[VisibleWindow, ...] | None:
        return None


@rule("R22")
def test_where_positions_are_not_known_the_whole_picture_is_masked(browser: Program, edges: Edges) -> None:
    public = browser.open("Documentation", GREEN, (100, 100, 300, 200))
    browser.focus(public)
    placeless = replace(edges, windows=_Placeless(edges))
    taken = take(placeless, "all", BANK)
    assert taken
    assert isinstance(taken.picture, Image.Image)
    assert taken.picture.getbbox() is None
    assert (taken.masked, taken.title) == (True, "Documentation")
    assert take(placeless, "all", replace(BANK, may_mask=False)) is None
    unmasked = take(placeless, "all", Privacy())
    assert unmasked
    assert not unmasked.masked


@rule("R22")
def test_where_masking_is_forbidden_no_picture_is_taken_while_a_private_window_is_shown(
    browser: Program, edges: Edges
) -> None:
    forbidden = replace(BANK, may_mask=False)
    assert not is_private_shown(edges, "all", forbidden)
    window = browser.open("My Bank", RED, (60, 60, 300, 200))
    public = browser.open("Documentation", GREEN, (500, 300, 300, 200))
    browser.focus(public)
    assert is_private_shown(edges, "all", forbidden)
    assert photograph(edges, "all", CLOCK, forbidden) is None
    browser.minimise(window)
    browser.until(lambda: not is_private_shown(edges, "all", forbidden))
    taken = photograph(edges, "all", CLOCK, forbidden)
    assert taken
    assert (taken.masked, taken.title) == (False, "Documentation")


@rule("R22")
def test_a_word_far_behind_in_a_title_hides_the_window(browser: Program, edges: Edges) -> None:
    browser.focus(browser.open("x" * 1_000 + " my bank", RED, (60, 60, 300, 200)))
    taken = photograph(edges, "all", CLOCK, BANK)
    assert taken
    assert (taken.title, taken.masked) == ("", True)
    assert not any(has_colour(picture, RED) for picture in pictures_in(taken))
    shown = photograph(edges, "all", CLOCK)
    assert shown
    assert len(shown.title) == 300
