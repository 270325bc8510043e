"""Whatever a contract is called, neither the desktop nor the tracker's log obeys it (R24, R46)."""

import html
from collections.abc import Iterator
from pathlib import Path

import pytest

from capture.notification import BODY_CHARACTERS_MAX, LINE_CHARACTERS_MAX, Button, Notice, Shown
from capture.notification_bus import BusNotifier
from diary.rules.plain_text import plain
from tests.capture.test_tracker import at_work
from tests.desktop import Desktop
from tests.event_loop import run
from tests.hostile_texts import CONTROL, FORMULAS, MARKUP, TEXTS, TURNING, obeyed
from tests.notification_desktop import NotificationDesktop
from tests.plain_service import Told, plain_service, told
from tests.rule import rule

pytestmark = pytest.mark.screen


@pytest.fixture(scope="module")
def screen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NotificationDesktop]:
    folder = tmp_path_factory.mktemp("bus")
    with Desktop.start(1280, 800) as desktop, NotificationDesktop.on(desktop, folder) as running:
        yield running


def notice(text: str) -> Notice:
    buttons = (Button("keep", "Keep"), Button("move", f"Move to {text}"))
    return Notice(f"Snapshot of 09:10: {text}", f"Recorded on {text}. It goes.", None, buttons, 60_000)


@rule("R17")
@rule("R24")
def test_a_desktop_is_told_every_text_as_text(screen: NotificationDesktop) -> None:
    async def tell_all(notifier: BusNotifier) -> None:
        await notifier.begin(lambda _: None)
        for text in TEXTS:
            assert isinstance(await notifier.show(notice(text)), Shown), text[:40]
        await notifier.end()

    def check(text: str, heard: Told) -> None:
        assert obeyed(heard.summary + heard.body + "".join(heard.actions)) == set()
        assert "\n" not in heard.summary + heard.body
        assert not {"<", ">"} & set(heard.body)  # the body is markup there, and holds none
        words = plain(text).split()
        if len(text) < LINE_CHARACTERS_MAX - 30:
            assert heard.summary.split()[3:] == words
            assert html.unescape(heard.body).split() == plain(notice(text).body).split()
            assert heard.actions[3].split()[2:] == words
        assert max(len(heard.summary), len(heard.actions[3])) <= LINE_CHARACTERS_MAX
        assert len(html.unescape(heard.body)) <= BODY_CHARACTERS_MAX

    screen.stop_daemon()
    address = screen.environment()["DBUS_SESSION_BUS_ADDRESS"]
    try:
        with plain_service(address, "body actions body-markup") as service:
            run(tell_all(BusNotifier(screen.environment())))
            for text in TEXTS:
                check(text, told(service))
    finally:
        screen.start_daemon()


@rule("R17")
@rule("R24")
def test_a_real_daemon_shows_every_text_and_the_next_one(screen: NotificationDesktop) -> None:
    async def tell_each() -> list[int]:
        notifier = BusNotifier(screen.environment())
        await notifier.begin(lambda _: None)
        counts = []
        for text in (*TEXTS, "afterwards"):
            shown = await notifier.show(notice(text))
            assert isinstance(shown, Shown), text[:40]
            counts.append(screen.shown())
            await notifier.withdraw(shown.handle)
        await notifier.end()
        return counts

    assert run(tell_each()) == [1] * (len(TEXTS) + 1)


@rule("R46")
def test_the_trackers_log_says_nothing_that_was_written(
    tmp_path: Path, screen: NotificationDesktop, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in screen.environment().items():
        monkeypatch.setenv(name, value)
    title = "".join((CONTROL[3], TURNING[1], MARKUP[0], FORMULAS[0]))
    with at_work(tmp_path, "2026-11-18T09:05Z") as worker:
        with worker.diary() as diary:
            diary.change_terms(worker.contract, title=title, client=CONTROL[4], labels=(CONTROL[2],))
            diary.start(worker.contract, memo="\n".join(TEXTS)[:4000], label=CONTROL[2])
        worker.begin(part=0.1)
        screen.wait_until_shown(1)
        worker.end()
        said = worker.said()
    assert "recording" in said
    assert obeyed(said) == set()
    assert [text for text in ("alert", "owned", "HYPERLINK", "never closed", "nul") if text in said] == []
