"""Runs of a notifier before tests: what one offers, what comes to it, and the user's hand on the screen."""

import asyncio
import io
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from PIL import Image

from capture.notification import Answer, Button, Handle, Notice, Notifier, Offers, Shown
from capture.notification_system import SystemNotifier
from tests.notification_desktop import NotificationDesktop
from tests.toy_notifier import ToyNotifier, ToyService

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


def toy_side() -> Side:
    service = ToyService()
    return Side(lambda: ToyNotifier(service), service, lambda: len(service.on_screen))


@asynccontextmanager
async def begun(make: Callable[[], Notifier]) -> AsyncIterator[Run]:
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


def has_colour(screen: NotificationDesktop, path: Path, colour: tuple[int, int, int]) -> bool:
    screen.desktop.screenshot(path)
    with Image.open(path) as picture:
        raw = picture.convert("RGB").resize((320, 200)).tobytes()
    near = [all(abs(raw[at + part] - colour[part]) < 12 for part in range(3)) for at in range(0, len(raw), 3)]
    return sum(near) > 50
