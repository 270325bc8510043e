"""What runs beside the tracker ends with it, and holds up its end no longer than may be (R19)."""

import asyncio

import pytest

from capture import errands
from capture.errands import Errands
from diary.errors import MachineError
from tests.event_loop import run
from tests.rule import rule


class DiskFullError(MachineError):
    says = "The disk is full."
    mend = "Make room."


@rule("R19")
def test_what_runs_is_done_before_the_last_of_it() -> None:
    done: list[str] = []

    async def doing(what: str, turns: int) -> None:
        for _ in range(turns):
            await asyncio.sleep(0)
        done.append(what)

    async def story() -> None:
        errands = Errands(done.append)
        errands.run(doing("shown", 5))
        await errands.end(lambda: doing("taken away", 0))

    run(story())
    assert done == ["shown", "taken away"]


@rule("R19")
@pytest.mark.parametrize("hangs", ["before", "last"])
def test_a_desktop_that_answers_nobody_does_not_hold_up_the_end(
    hangs: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(errands, "ENDING_SECONDS_MAX", 0.05)
    done: list[str] = []

    async def never() -> None:
        await asyncio.Event().wait()

    async def at_once() -> None:
        done.append("at once")

    async def story() -> None:
        ending = Errands(print)
        ending.run(never() if hangs == "before" else at_once())
        await ending.end(never if hangs == "last" else at_once)
        done.append("ended")

    run(story())
    assert done == (["ended"] if hangs == "before" else ["at once", "ended"])


@rule("R19")
def test_what_the_diary_cannot_do_now_is_said_and_survived() -> None:
    said: list[str] = []

    async def fails() -> None:
        raise DiskFullError

    async def nothing() -> None:
        return

    async def story() -> None:
        errands = Errands(said.append)
        errands.run(fails())
        errands.run(nothing())
        await errands.end(nothing)

    run(story())
    assert said == ["The disk is full. Make room."]
