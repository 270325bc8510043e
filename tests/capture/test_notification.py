"""What every backend of notifications promises, on a real daemon (dunst) and on the toy that other tests use.

desktop-notifier, which serves Windows and macOS, is run with its own Linux backend: what is ours around it is
the same on all three.
"""

import asyncio
from pathlib import Path

import pytest

from capture.notification import Button, Gone, Notice, Pressed
from capture.notification_bus import BusNotifier
from tests.capture.notices import (
    KEEP,
    REMOVE,
    LinuxSystemNotifier,
    Side,
    begun,
    off_loop,
    thumbnail,
    toy_side,
)
from tests.event_loop import check_soon, run
from tests.notification_desktop import NotificationDesktop
from tests.rule import rule

pytestmark = pytest.mark.screen


@pytest.fixture(params=["bus", "system", "toy"])
def side(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Side:
    if request.param == "toy":
        return toy_side()
    screen: NotificationDesktop = request.getfixturevalue("screen")
    for name, value in screen.environment().items():
        monkeypatch.setenv(name, value)
    make = BusNotifier if request.param == "bus" else lambda: LinuxSystemNotifier(tmp_path / "notices")
    return Side(make, screen, screen.shown)


@rule("R17")
def test_the_button_that_is_pressed_is_the_answer(side: Side) -> None:
    async def story() -> None:
        async with begun(side.make) as ours:
            assert (ours.offers.buttons, ours.offers.because) == (True, "")
            handle = await ours.show(Notice("Snapshot", "Mill", thumbnail(), (KEEP, REMOVE), 60_000))
            await check_soon(lambda: side.shown() == 1)
            await off_loop(lambda: side.hand.press("Remove"))
            await check_soon(lambda: Pressed(handle, "remove") in ours.answers)
            await off_loop(side.hand.close_all)
            await check_soon(lambda: side.shown() == 0)

    run(story())


@rule("R17")
def test_an_answer_names_the_notification_that_it_is_about(side: Side) -> None:
    async def story() -> None:
        async with begun(side.make) as ours:
            first = await ours.show(
                Notice("First", "", None, (Button("remove", "Remove the first"),), 60_000)
            )
            second = await ours.show(
                Notice("Second", "", None, (Button("remove", "Remove the second"),), 60_000)
            )
            await check_soon(lambda: side.shown() == 2)
            await off_loop(lambda: side.hand.press("Remove the first"))
            await check_soon(lambda: Pressed(first, "remove") in ours.answers)
            assert not [each for each in ours.answers if each.handle == second]
            await off_loop(side.hand.close_all)
            await check_soon(lambda: side.shown() == 0)

    run(story())


@rule("R17")
def test_it_goes_when_its_time_is_over(side: Side) -> None:
    async def story() -> None:
        async with begun(side.make) as ours:
            handle = await ours.show(Notice("Snapshot", "Mill", thumbnail(), (REMOVE,), 1_000))
            await check_soon(lambda: Gone(handle, "time") in ours.answers)
            await check_soon(lambda: side.shown() == 0)

    run(story())


@rule("R17")
def test_it_goes_when_it_is_withdrawn(side: Side) -> None:
    async def story() -> None:
        async with begun(side.make) as ours:
            first, second = [await ours.show(Notice(word, "", None, (REMOVE,), 60_000)) for word in "ab"]
            await check_soon(lambda: side.shown() == 2)
            await ours.notifier.withdraw(first)
            await check_soon(lambda: side.shown() == 1)
            await ours.notifier.withdraw(first)  # twice is once
            await ours.notifier.withdraw(second)
            await check_soon(lambda: side.shown() == 0)

    run(story())


@rule("R18")
def test_one_without_an_end_stays_until_its_user_closes_it(side: Side) -> None:
    async def story() -> None:
        async with begun(side.make) as ours:
            handle = await ours.show(Notice("Away?", "Keep the time?", None, (KEEP,)))
            await check_soon(lambda: side.shown() == 1)
            await asyncio.sleep(1.5)
            assert ours.answers == []
            await off_loop(side.hand.close)
            await check_soon(lambda: Gone(handle, "user") in ours.answers)

    run(story())


@rule("R17")
def test_one_takes_the_place_of_another(side: Side) -> None:
    async def story() -> None:
        async with begun(side.make) as ours:
            first = await ours.show(Notice("Snapshot", "in 60 s", None, (REMOVE,), 60_000))
            await check_soon(lambda: side.shown() == 1)
            again = await ours.show(Notice("Snapshot", "in 30 s", None, (REMOVE,), 60_000, replaces=first))
            await check_soon(lambda: side.shown() == 1)
            await off_loop(lambda: side.hand.press("Remove"))
            await check_soon(lambda: Pressed(again, "remove") in ours.answers)
            await off_loop(side.hand.close_all)
            await check_soon(lambda: side.shown() == 0)

    run(story())


@rule("R17")
@pytest.mark.parametrize("kind", ["bus", "toy"])
def test_what_an_earlier_run_showed_is_taken_over_by_the_next(kind: str, screen: NotificationDesktop) -> None:
    real = Side(lambda: BusNotifier(screen.environment()), screen, screen.shown)
    side = real if kind == "bus" else toy_side()

    async def story() -> None:
        async with begun(side.make) as first:
            handle = await first.show(Notice("Snapshot", "Mill", None, (REMOVE,), 60_000))
            other = await first.show(Notice("Snapshot", "Weir", None, (KEEP,), 60_000))
        async with begun(side.make) as second:
            await check_soon(lambda: side.shown() == 2)
            again = await second.show(Notice("Snapshot", "Mill", None, (REMOVE,), 60_000, replaces=handle))
            await check_soon(lambda: side.shown() == 2)
            await off_loop(lambda: side.hand.press("Remove"))
            await check_soon(lambda: Pressed(again, "remove") in second.answers)
            for each in (again, other):
                await second.notifier.withdraw(each)
            await check_soon(lambda: side.shown() == 0)

    run(story())
