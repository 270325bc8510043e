"""What a server tells of its work to whoever counts it; `sync.server.metrics` is who does."""

from collections.abc import Callable, Iterable
from typing import Protocol


class Counts(Protocol):
    """Somebody who counts; no call may fail or wait."""

    def watch_clock(self, is_sure: Callable[[], bool]) -> None:
        """Be told how to ask whether the clock is trusted (R6)."""
        ...

    def pushed(self, versions: int, refusals: Iterable[str]) -> None:
        """Count a push of so many versions, some of them refused for these reasons."""
        ...

    def picture_moved(self, way: str, size: int) -> None:
        """Count bytes of a picture that went "in" or "out"."""
        ...


class Uncounted:
    """Nobody who counts."""

    def watch_clock(self, is_sure: Callable[[], bool]) -> None:
        """Ask nothing."""

    def pushed(self, versions: int, refusals: Iterable[str]) -> None:
        """Count nothing."""

    def picture_moved(self, way: str, size: int) -> None:
        """Count nothing."""
