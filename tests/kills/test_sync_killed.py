"""A sync dies at each labelled point: nothing is lost or counts twice, what was destroyed stays so (R40)."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from diary.clock import GivenClock
from tests.kills.nursery import Nursery
from tests.kills.pair import WEDNESDAY, Pair, begin_pair
from tests.practice import instant
from tests.rule import rule
from tests.sync.stage import serving

SAMPLE = 7  # points from one sampled to the next; make soak visits all


@pytest.fixture
def pair(folder: Path) -> Iterator[Pair]:
    with serving(folder / "server", GivenClock(instant(WEDNESDAY))) as url:
        yield begin_pair(folder, url, folder / "server")


def check_deaths(pair: Pair, nursery: Nursery, sample: int) -> None:
    words = "--home", str(pair.homes[0]), "sync"
    # The first process that closes the diary keeps a spare of its keys: a commit that the others do not have.
    assert nursery.diary(*words, at_ms=pair.clock.now_ms()).wait().status == 0
    pair.act()
    # A day's first sync also looks for pictures to be thinned (R31): the others have a commit less.
    assert nursery.diary(*words, at_ms=pair.clock.now_ms()).wait().status == 0
    pair.check_rest()
    pair.act()
    whole = nursery.diary(*words, at_ms=pair.clock.now_ms()).wait()
    assert whole.status == 0, whole.said
    pair.check_rest()
    for point in whole.points[::sample]:
        pair.act()
        ended = nursery.diary(*words, at_ms=pair.clock.now_ms(), dies_at=point).wait()
        assert ended.killed, (point, ended)
        pair.check_rest()


@rule("R40")
@rule("R25")
def test_a_sync_killed_at_some_points_leaves_no_trace(pair: Pair, nursery: Nursery) -> None:
    check_deaths(pair, nursery, SAMPLE)


@pytest.mark.soak
@pytest.mark.timeout(3600)
@rule("R40")
@rule("R25")
def test_a_sync_killed_at_any_point_leaves_no_trace(pair: Pair, nursery: Nursery) -> None:
    check_deaths(pair, nursery, 1)
