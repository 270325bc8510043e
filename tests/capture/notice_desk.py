"""A diary and a screen of notifications before tests of what the tracker shows there (R17, R18)."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from capture.notification import Notice
from diary.clock import GivenClock
from diary.contracts import Contract
from diary.diary import Diary
from tests.event_loop import run
from tests.toy_notifier import ToyNotifier, ToyService


@dataclass
class NoticeDesk:
    """A diary, its clock, and a screen on which notifications stay when the tracker ends or is killed."""

    diary: Diary
    clock: GivenClock
    contract: Contract
    service: ToyService = field(default_factory=ToyService)
    said: list[str] = field(default_factory=list)
    wakes: int = 0

    def __post_init__(self) -> None:
        self.home = self.diary.home

    def live(self, story: Callable[[ToyNotifier], Awaitable[None]], because: str) -> None:
        """Live one run of the tracker's notifications; it is killed at the end, without a word."""

        async def lived() -> None:
            # A diary belongs to its thread, and a loop has one of its own.
            self.diary = Diary.open(self.home, clock=self.clock)
            notifier = ToyNotifier(self.service, because)
            await story(notifier)
            for timer in notifier.timers.values():
                timer.cancel()
            self.diary.close()

        self.diary.close()
        run(lived())
        self.diary = Diary.open(self.home, clock=self.clock)

    def wake(self) -> None:
        """Count how often the tracker was woken."""
        self.wakes += 1

    @property
    def on_screen(self) -> list[Notice]:
        return list(self.service.on_screen.values())
