"""What a commit destroyed is made unreadable, tried again by itself until it is done (R25)."""

import threading
from collections.abc import Callable
from contextlib import closing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diary.rules.ids import AccountId
from sync.server.faults import BusyError
from sync.server.remover import AGAIN_FIRST_SECONDS, AGAIN_MAX_SECONDS, Remover, pause_seconds
from tests.rule import rule

ONE, OTHER = AccountId("a" * 32), AccountId("b" * 32)
PATIENCE_SECONDS = 60  # for a machine that has much to do


class Place:
    """A place for pictures, and a storage, that fail so many times; `asked` is what they were asked for."""

    def __init__(self, fails: int, sweeps_fail: int = 0, fault: Callable[[], Exception] = OSError) -> None:
        self.fails, self.sweeps_fail, self.fault = fails, sweeps_fail, fault
        self.asked: list[AccountId | None] = []
        self.removed = False
        self.swept = threading.Event()  # after a removal
        self.pauses: list[int] = []

    def sweep(self) -> bool:
        self.sweeps_fail -= 1
        if self.sweeps_fail < 0 and self.removed:
            self.swept.set()
        return self.sweeps_fail < 0

    def remove(self, account: AccountId | None) -> None:
        self.asked.append(account)
        if self.fails:
            self.fails -= 1
            raise self.fault()
        self.removed = True

    def remover(self) -> "closing[Remover]":
        def pause(failures: int) -> float:
            self.pauses.append(failures)
            return 0.01

        return closing(Remover(self.sweep, self.remove, pause))


def busy() -> BusyError:
    return BusyError(what="the store is away")


@rule("R25")
@pytest.mark.parametrize("fault", [busy, OSError])
def test_a_removal_that_fails_is_tried_again_by_itself(fault: Callable[[], Exception]) -> None:
    place = Place(fails=3, fault=fault)
    with place.remover() as remover:
        remover.finish(ONE)
        assert place.swept.wait(PATIENCE_SECONDS)
    assert place.asked == [ONE] * 4
    assert place.pauses == [1, 2, 3]


@rule("R25")
def test_a_sweep_that_fails_is_tried_again_by_itself() -> None:
    place = Place(fails=0, sweeps_fail=3)
    with place.remover() as remover:
        remover.finish(ONE)
        assert place.swept.wait(PATIENCE_SECONDS)
    assert place.asked == [ONE]


@rule("R25")
def test_while_a_place_is_away_no_account_is_forgotten() -> None:
    place = Place(fails=4, fault=busy)
    with place.remover() as remover:
        for account in (ONE, OTHER, None):
            remover.finish(account)
        assert place.swept.wait(PATIENCE_SECONDS)
    assert {ONE, OTHER, None} <= set(place.asked[4:])


@rule("R25")
def test_a_remover_that_ends_tries_no_more() -> None:
    place = Place(fails=1_000_000, fault=busy)
    with place.remover() as remover:
        remover.finish(ONE)
    tried = len(place.asked)
    remover.finish(ONE)
    assert len(place.asked) == tried


@given(st.integers(1, 10_000))
def test_pauses_grow_to_a_minute(failures: int) -> None:
    assert AGAIN_FIRST_SECONDS <= pause_seconds(failures) <= pause_seconds(failures + 1) <= AGAIN_MAX_SECONDS
