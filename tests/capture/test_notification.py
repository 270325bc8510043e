"""What every backend of notifications promises, on a real daemon (dunst) and on the toy that other tests use.

desktop-notifier, which serves Windows and macOS, is run with its own Linux backend: what is ours around it is
the same on all three.
"""

import asyncio
import io
from collections.abc import Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import pytest
from jeepney import HeaderFields, MatchRule, Message
from PIL import Image

from capture.notification import (
    Answer,
    Button,
    Gone,
    Handle,
    Notice,
    Notifier,
    NotShown,
    Offers,
    Pressed,
    Shown,
)
from capture.notification_bus import NO_BUS, BusNotifier
from capture.notification_system import SystemNotifier
from tests.desktop import Desktop, DesktopError
from tests.event_loop import check_soon, run
from tests.notification_desktop import NotificationDesktop
from tests.plain_service import Told, plain_service, told
from tests.rule import rule
from tests.toy_notifier import ToyNotifier, ToyService

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

pytestmark = pytest.mark.screen

REMOVE = Button("remove", "Remove")
KEEP = Button("keep", "Keep")


class Hand(Protocol):
    """The user's hand on the screen."""

    def press(self, label: str) -> None: ...
    def close(self) -> None: ...
    def close_all(self) -> None: ...


class LinuxSystemNotifier(SystemNotifier):
    """On its Linux backend, which has a line of its own to the bus."""

    async def end(self) -> None:
        system = self._system
        await super().end()
        if system is not None:
            getattr(system, "_backend").bus.disconnect()  # noqa: B009  # as far in as a test must


@dataclass
class Side:
    """One kind of notifications: how a run of it is made, the user's hand, and how many are shown."""

    make: Callable[[], Notifier]
    hand: Hand
    shown: Callable[[], int]


@dataclass
class Run:
    """A run that has begun: what it offers and what came to it."""

    notifier: Notifier
    offers: Offers
    answers: list[Answer] = field(default_factory=list)

    async def show(self, notice: Notice) -> Handle:
        shown = await self.notifier.show(notice)
        assert isinstance(shown, Shown)
        return shown.handle


@pytest.fixture(scope="module")
def screen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NotificationDesktop]:
    folder = tmp_path_factory.mktemp("bus")
    with Desktop.start(1280, 800) as desktop, NotificationDesktop.on(desktop, folder) as running:
        yield running


def toy_side() -> Side:
    service = ToyService()
    return Side(lambda: ToyNotifier(service), service, lambda: len(service.on_screen))


@pytest.fixture(params=["bus", "system", "toy"])
def side(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Side:
    if request.param == "toy":
        return toy_side()
    screen: NotificationDesktop = request.getfixturevalue("screen")
    for name, value in screen.environment().items():
        monkeypatch.setenv(name, value)
    make = BusNotifier if request.param == "bus" else lambda: LinuxSystemNotifier(tmp_path / "notices")
    return Side(make, screen, screen.shown)


@asynccontextmanager
async def begun(make: Callable[[], Notifier]) -> "AsyncIterator[Run]":
    notifier = make()
    answers: list[Answer] = []
    offers = await notifier.begin(answers.append)
    try:
        yield Run(notifier, offers, answers)
    finally:
        await notifier.end()


async def off_loop(act: Callable[[], object]) -> None:
    """Do what takes a while beside the loop, as a user does."""
    await asyncio.to_thread(act)


def thumbnail(colour: tuple[int, int, int] = (200, 30, 90)) -> bytes:
    sink = io.BytesIO()
    Image.new("RGB", (320, 180), colour).save(sink, "AVIF", quality=90)
    return sink.getvalue()


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


@rule("R17")
def test_the_picture_is_drawn_and_lies_in_no_file_where_the_system_allows_it(
    screen: NotificationDesktop, tmp_path: Path
) -> None:
    async def story() -> None:
        async with begun(lambda: BusNotifier(screen.environment())) as ours:
            assert ours.offers.pictures
            handle = await ours.show(Notice("Snapshot", "Mill", thumbnail(), (REMOVE,), 60_000))
            await check_soon(lambda: _has_colour(screen, tmp_path / "seen.png", (200, 30, 90)))
            assert [each for each in screen.folder.rglob("*") if each.suffix in {".png", ".avif"}] == []
            await ours.notifier.withdraw(handle)

    run(story())


@rule("R17")
def test_where_a_picture_must_be_a_file_it_is_the_users_alone_and_goes_with_the_notification(
    screen: NotificationDesktop, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name, value in screen.environment().items():
        monkeypatch.setenv(name, value)
    folder = tmp_path / "notices"

    def files() -> list[Path]:
        return list(folder.glob("*")) if folder.exists() else []

    async def story() -> None:
        async with begun(lambda: LinuxSystemNotifier(folder)) as ours:
            withdrawn = await ours.show(Notice("Snapshot", "Mill", thumbnail(), (REMOVE,), 60_000))
            await check_soon(lambda: _has_colour(screen, tmp_path / "seen.png", (200, 30, 90)))
            assert folder.stat().st_mode & 0o077 == 0
            assert len(files()) == 1
            await ours.notifier.withdraw(withdrawn)
            assert files() == []
            await ours.show(Notice("Snapshot", "Mill", thumbnail(), (REMOVE,), 1_000))
            assert len(files()) == 1
            await check_soon(lambda: files() == [])
            await ours.show(Notice("Snapshot", "Mill", thumbnail(), (REMOVE,), 60_000))
            await check_soon(lambda: screen.shown() == 1)
            await off_loop(lambda: screen.press("Remove"))
            await check_soon(lambda: files() == [])
        folder.mkdir(exist_ok=True)
        (folder / "left by a killed run.png").write_bytes(thumbnail())
        async with begun(lambda: LinuxSystemNotifier(folder)):
            assert files() == []

    run(story())


@rule("R17")
def test_where_nobody_would_hear_a_button_none_is_shown(
    screen: NotificationDesktop, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name, value in screen.environment().items():
        monkeypatch.setenv(name, value)

    async def story() -> None:
        async with begun(lambda: LinuxSystemNotifier(tmp_path / "notices", platform="darwin")) as ours:
            assert not ours.offers.buttons
            await ours.show(Notice("Snapshot", "Mill", None, (REMOVE,), 60_000))
            await check_soon(lambda: screen.shown() == 1)
            with pytest.raises(DesktopError):
                await off_loop(lambda: screen.press("Remove", patience=1))
            await off_loop(screen.close_all)
            await check_soon(lambda: screen.shown() == 0)

    run(story())


@rule("R17")
def test_a_service_gets_no_more_than_it_can_show(screen: NotificationDesktop) -> None:
    notice = Notice("Snapshot", "R&D <b>Mill</b>", thumbnail(), (REMOVE,), 60_000)
    address = screen.environment()["DBUS_SESSION_BUS_ADDRESS"]

    async def plainly(capabilities: str, version: str) -> tuple[Offers, Told]:
        with plain_service(address, capabilities, version) as service:
            async with begun(lambda: BusNotifier(screen.environment())) as ours:
                assert isinstance(await ours.notifier.show(notice), Shown)
                return ours.offers, told(service)

    screen.stop_daemon()
    try:
        offers, plain = run(plainly("body", "1.0"))
        assert (offers.buttons, offers.pictures, offers.service) == (False, False, "plain")
        assert (plain.actions, plain.body) == ([], "R&D <b>Mill</b>")
        assert "icon_data" in plain.hints
        offers, rich = run(plainly("body actions body-markup icon-static", "1.2"))
        assert (offers.buttons, offers.pictures) == (True, True)
        assert rich.actions == ["remove", "Remove"]
        assert rich.body == "R&amp;D &lt;b&gt;Mill&lt;/b&gt;"
        assert rich.hints["image-data"] == [320, 180, 960, False, 8, 3, 320 * 180 * 3]
        assert rich.hints["transient"]  # the desktop's history keeps no picture of it
        assert not {"image-path", "image_path"} & rich.hints.keys()
    finally:
        screen.start_daemon()


@rule("R15")
def test_what_is_typed_into_others_notifications_never_reaches_us(screen: NotificationDesktop) -> None:
    address = screen.environment()["DBUS_SESSION_BUS_ADDRESS"]

    async def story() -> None:
        notifier = BusNotifier(screen.environment())
        answers: list[Answer] = []
        await notifier.begin(answers.append)
        router = notifier._router
        assert router is not None
        heard: asyncio.Queue[Message] = asyncio.Queue(100)
        router.filter(MatchRule(type="signal"), queue=heard)  # all that comes to this process
        await notifier.show(Notice("Snapshot", "Mill", None, (REMOVE,), 60_000))
        await check_soon(lambda: [each.word for each in answers if isinstance(each, Pressed)] == ["send"])
        members = {heard.get_nowait().header.fields[HeaderFields.member] for _ in range(heard.qsize())}
        assert "ActionInvoked" in members
        assert "NotificationReplied" not in members
        await notifier.end()

    screen.stop_daemon()
    try:
        with plain_service(address, "body actions"):
            run(story())
    finally:
        screen.start_daemon()


@rule("R17")
def test_a_desktop_that_is_not_to_disturb_says_so(screen: NotificationDesktop) -> None:
    async def story() -> None:
        async with begun(lambda: BusNotifier(screen.environment())) as ours:
            assert not ours.offers.is_quiet
            await off_loop(lambda: screen.be_quiet(quiet=True))
            try:
                assert (await ours.notifier.begin(ours.answers.append)).is_quiet
                shown = await ours.notifier.show(Notice("Snapshot", "Mill", None, (REMOVE,), 60_000))
                assert isinstance(shown, Shown)
                assert shown.is_quiet
                await ours.notifier.withdraw(shown.handle)
            finally:
                await off_loop(lambda: screen.be_quiet(quiet=False))

    run(story())


@rule("R17")
def test_a_service_that_ends_takes_its_notifications_along_and_another_is_used_when_it_comes(
    screen: NotificationDesktop,
) -> None:
    async def story() -> None:
        async with begun(lambda: BusNotifier(screen.environment())) as ours:
            lost = await ours.show(Notice("Snapshot", "Mill", None, (REMOVE,), 60_000))
            await off_loop(screen.stop_daemon)
            await check_soon(lambda: Gone(lost, "desktop") in ours.answers)
            assert isinstance(await ours.notifier.show(Notice("Snapshot", "Mill")), NotShown)
            assert (await ours.notifier.begin(ours.answers.append)).because
            await off_loop(screen.start_daemon)
            handle = await ours.show(Notice("Snapshot", "Mill", None, (REMOVE,), 60_000))
            await check_soon(lambda: screen.shown() == 1)
            # A handle of the service that ended means nothing to the one that came.
            await ours.notifier.withdraw(lost)
            assert screen.shown() == 1
            await ours.notifier.withdraw(handle)
            await check_soon(lambda: screen.shown() == 0)

    run(story())


@rule("R17")
@pytest.mark.parametrize("address", ["", "unix:path=/nowhere/bus", "tcp:host=localhost", "nonsense"])
def test_without_a_session_bus_nothing_is_shown_and_it_says_why(address: str) -> None:
    environment = {"DBUS_SESSION_BUS_ADDRESS": address}

    async def story() -> None:
        async with begun(lambda: BusNotifier(environment)) as ours:
            assert ours.offers == Offers(because=NO_BUS)
            assert await ours.notifier.show(Notice("Snapshot", "Mill")) == NotShown(NO_BUS)
            await ours.notifier.withdraw(Handle("bus :1.1 1"))

    run(story())


def _has_colour(screen: NotificationDesktop, path: Path, colour: tuple[int, int, int]) -> bool:
    screen.desktop.screenshot(path)
    with Image.open(path) as picture:
        raw = picture.convert("RGB").resize((320, 200)).tobytes()
    near = [all(abs(raw[at + part] - colour[part]) < 12 for part in range(3)) for at in range(0, len(raw), 3)]
    return sum(near) > 50
