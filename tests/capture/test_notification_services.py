"""What services of notifications can and cannot do, and what is made of each (R15, R17)."""

import asyncio
import threading
from pathlib import Path

import pytest
from jeepney import HeaderFields, MatchRule, Message

from capture import message_notice
from capture.notification import Answer, Gone, Handle, Notice, NotShown, Offers, Pressed, Shown
from capture.notification_bus import NO_BUS, BusNotifier
from tests.capture.notices import REMOVE, LinuxSystemNotifier, begun, has_colour, off_loop, thumbnail
from tests.desktop import DesktopError
from tests.event_loop import check_soon, run
from tests.notification_desktop import NotificationDesktop
from tests.plain_service import Told, plain_service, told
from tests.rule import rule

pytestmark = pytest.mark.screen


@rule("R17")
def test_the_picture_is_drawn_and_lies_in_no_file_where_the_system_allows_it(
    screen: NotificationDesktop, tmp_path: Path
) -> None:
    async def story() -> None:
        async with begun(lambda: BusNotifier(screen.environment())) as ours:
            assert ours.offers.pictures
            handle = await ours.show(Notice("Snapshot", "Mill", thumbnail(), (REMOVE,), 60_000))
            await check_soon(lambda: has_colour(screen, tmp_path / "seen.png", (200, 30, 90)))
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
            await check_soon(lambda: has_colour(screen, tmp_path / "seen.png", (200, 30, 90)))
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


@rule("R68")
def test_a_message_is_shown_and_stays_when_its_teller_has_gone(
    screen: NotificationDesktop, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in screen.environment().items():
        monkeypatch.setenv(name, value)
    told: list[bool] = []

    def tell() -> None:  # as the room that syncs does: in a thread of its own, with a loop of its own
        told.append(message_notice.tell("A message from Ada on Orchard", "Good \x1b[31mmorning"))

    teller = threading.Thread(target=tell)
    teller.start()
    teller.join(60)
    assert told == [True]
    assert screen.shown() == 1


@rule("R68")
def test_where_no_desktop_shows_notifications_a_message_is_said_alone(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", f"unix:path={tmp_path}/none")
    told: list[bool] = []
    teller = threading.Thread(target=lambda: told.append(message_notice.tell("A message", "")))
    teller.start()
    teller.join(60)
    assert told == [False]
