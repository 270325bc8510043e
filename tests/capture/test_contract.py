"""What every desktop's edges promise, held by each of them (see `tests.capture.rigs` for what is real)."""

import threading
from collections.abc import Iterator

import pytest

from capture.draft import Sample
from capture.edges import Shot
from tests.capture.rigs import RIGS, Rig
from tests.patience import until
from tests.rule import rule

pytestmark = pytest.mark.screen


@pytest.fixture(scope="module", params=RIGS)
def rig(request: pytest.FixtureRequest) -> Iterator[Rig]:
    with RIGS[request.param]() as found:
        found.opens("Ledger — draft")
        yield found
        found.edges.close()
        assert until(lambda: not [each for each in threading.enumerate() if each.name == "input counts"])


def taken(rig: Rig, middle: tuple[int, int] | None = None) -> Shot:
    shot = rig.edges.screen.grab("active" if middle else "all", middle)
    assert isinstance(shot, Shot)
    return shot


@rule("R14")
def test_a_desktop_is_named_and_says_what_it_lacks_and_no_more(rig: Rig) -> None:
    assert rig.edges.desktop
    assert set(rig.edges.lacks) == rig.lacks
    assert rig.edges.introduced() == tuple(rig.edges.lacks.values())


@rule("R13")
def test_a_picture_holds_all_monitors_or_the_one_that_is_asked_for(rig: Rig) -> None:
    left, right = rig.monitors
    whole = taken(rig)
    assert (whole.picture.width, whole.left, whole.top, whole.scale) == (left + right, 0, 0, 1)
    one, other = taken(rig, (left // 2, 300)), taken(rig, (left + right // 2, 300))
    assert (one.picture.width, one.left) == (left, 0)
    assert (other.picture.width, other.left) == (right, left)
    assert taken(rig, (-5000, 0)).picture.size == whole.picture.size


@rule("R13")
def test_the_active_window_is_the_one_opened_last(rig: Rig) -> None:
    rig.opens("A letter\nin two lines")
    assert until(lambda: rig.edges.windows.active().title in {"A letter in two lines", "A letter"})
    active = rig.edges.windows.active()
    assert active.application == rig.application
    assert active.middle is not None
    assert taken(rig, active.middle).picture.width in rig.monitors


@rule("R22")
def test_every_window_on_the_screen_is_there_with_a_box_that_holds_its_middle(rig: Rig) -> None:
    rig.opens("Statement")
    visible = rig.edges.windows.visible()
    assert visible is not None
    titles = [window.title for window in visible]
    assert "Ledger — draft" in titles
    above = next(window for window in visible if window.title == "Statement")
    assert above.application == rig.application
    middle = rig.edges.windows.active().middle
    assert middle is not None
    left, top, width, height = above.box
    assert left < middle[0] < left + width
    assert top < middle[1] < top + height


@rule("R14")
@rule("R15")
def test_counts_are_what_was_sent_or_none(rig: Rig) -> None:
    counts = rig.edges.input_counts
    assert counts.take_minute() == Sample()
    assert counts.start() is ("counts" not in rig.lacks)
    if "counts" in rig.lacks:
        rig.types(1)
        assert counts.take_minute() == Sample()
        return
    assert counts.start()
    rig.types(12)
    rig.clicks(3)
    rig.scrolls(2)
    total = [0, 0, 0]

    def all_came() -> bool:
        sample = counts.take_minute()
        for place, more in enumerate((sample.keystrokes, sample.clicks, sample.scrolls)):
            assert more is not None
            total[place] += more
        return total == [12, 3, 2]

    assert until(all_came), total
    assert counts.take_minute() == Sample(0, 0, 0)
    counts.stop()
    rig.types(3)
    assert counts.take_minute() == Sample()
    counts.stop()


@rule("R14")
def test_idle_time_grows_until_there_is_input(rig: Rig) -> None:
    idle = rig.edges.idle
    rig.edges.input_counts.start()
    idle.idle_ms()
    rig.waits(2.5)
    assert until(lambda: (idle.idle_ms() or 0) >= 1500)
    rig.types(1)
    assert until(lambda: idle.idle_ms() is not None and (idle.idle_ms() or 0) < 1000)
    rig.edges.input_counts.stop()


@rule("R18")
def test_a_locked_screen_is_known_and_so_is_its_end(rig: Rig) -> None:
    idle = rig.edges.idle
    assert not idle.is_locked()
    rig.locks()
    assert until(idle.is_locked)
    rig.unlocks()
    assert until(lambda: not idle.is_locked())
