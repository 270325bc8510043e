"""Notifications without a desktop: the promises of `Notifier` kept in memory, a test as their user."""

import asyncio
from collections.abc import Callable
from itertools import count

from capture.notification import Answer, Gone, Handle, Notice, NotShown, Offers, Pressed, Shown


class ToyService:
    """What outlives a run of the tracker: the notifications on the screen, and who hears of them."""

    def __init__(self) -> None:
        self.on_screen: dict[Handle, Notice] = {}
        self.was_shown: list[Notice] = []
        self.listener: Callable[[Answer], None] | None = None
        self.numbers = count(1)
        self.is_quiet = False

    def tell(self, answer: Answer) -> None:
        """Hand an answer to whoever listens now."""
        self.on_screen.pop(answer.handle, None)
        if self.listener is not None:
            self.listener(answer)

    def press(self, label: str) -> None:
        """Press the button with this label, on the newest notification that has it."""
        for handle, notice in reversed(self.on_screen.items()):
            for button in notice.buttons:
                if button.label == label:
                    self.tell(Pressed(handle, button.word))
                    return
        raise LookupError(label)

    def close(self) -> None:
        """Close the newest as its user would."""
        self.tell(Gone(list(self.on_screen)[-1], "user"))

    def close_all(self) -> None:
        """Close all as their user would."""
        while self.on_screen:
            self.close()


class ToyNotifier:
    """One run's side of it (see `Notifier`)."""

    def __init__(self, service: ToyService, because: str = "") -> None:
        self.service = service
        self.because = because
        self.timers: dict[Handle, asyncio.TimerHandle] = {}

    async def begin(self, take: Callable[[Answer], None]) -> Offers:
        if self.because:
            return Offers(because=self.because)
        self.service.listener = take
        return Offers(buttons=True, pictures=True, service="toy")

    async def show(self, notice: Notice) -> Shown | NotShown:
        if self.because:
            return NotShown(self.because)
        if notice.replaces is not None:
            self.service.on_screen.pop(notice.replaces, None)
        handle = Handle(f"toy {next(self.service.numbers)}")
        self.service.on_screen[handle] = notice
        self.service.was_shown.append(notice)
        if notice.stays_ms is not None:
            loop = asyncio.get_running_loop()
            self.timers[handle] = loop.call_later(notice.stays_ms / 1000, self._over, handle)
        return Shown(handle, self.service.is_quiet)

    async def withdraw(self, handle: Handle) -> None:
        if handle in self.service.on_screen:
            self.service.tell(Gone(handle, "time"))

    async def end(self) -> None:
        for timer in self.timers.values():
            timer.cancel()
        self.service.listener = None

    def _over(self, handle: Handle) -> None:
        if handle in self.service.on_screen:
            self.service.tell(Gone(handle, "time"))
