"""The only reader of time (R3, R20).

Every other module takes its instants as arguments, or a `Clock` where it must wait or ask again.
"""

import time
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Protocol

from diary.rules.ids import Millis

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class Clock(Protocol):
    """Where instants come from: the machine, or whoever runs a demonstration or a test."""

    def now_ms(self) -> Millis:
        """Return the wall clock, milliseconds since 1970-01-01T00:00Z."""
        ...

    def monotonic_ms(self) -> int:
        """Return a clock that never jumps, milliseconds since an arbitrary start within this boot."""
        ...

    def steady_ms(self) -> int:
        """Return a clock that never jumps and counts sleep, milliseconds since an arbitrary start (R6)."""
        ...

    def boot(self) -> str:
        """Return an id of this start of the machine, within which `monotonic_ms` can be compared (R20)."""
        ...


class SystemClock:
    """The machine's own clocks."""

    def now_ms(self) -> Millis:
        """Return the wall clock (see `Clock`)."""
        return Millis(time.time_ns() // 1_000_000)  # noqa: TID251  # this is the reader of time

    def monotonic_ms(self) -> int:
        """Return the monotonic clock (see `Clock`)."""
        return int(time.monotonic() * 1000)  # noqa: TID251  # this is the reader of time

    def steady_ms(self) -> int:
        """Return the clock since boot, sleep included; where there is none, the monotonic one (R6)."""
        if hasattr(time, "CLOCK_BOOTTIME"):
            return time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1_000_000
        return self.monotonic_ms()

    def boot(self) -> str:
        """Return the kernel's boot id; elsewhere the minute in which the machine started (R20)."""
        return _kernels_boot() or f"started-{(self.now_ms() - self.monotonic_ms()) // 60_000}"


@cache  # a process lives within one boot, and asks for each instant
def _kernels_boot() -> str:
    return _BOOT_ID.read_text(encoding="ascii").strip() if _BOOT_ID.exists() else ""


@dataclass(slots=True)
class GivenClock:
    """A clock that stands where it is put: the demo's weeks, and tests."""

    at_ms: Millis
    boot_id: str = "given"

    def now_ms(self) -> Millis:
        """Return the instant that was given."""
        return self.at_ms

    def monotonic_ms(self) -> int:
        """Return the same instant: a given clock never jumps by itself."""
        return int(self.at_ms)

    def steady_ms(self) -> int:
        """Return the same instant (see `monotonic_ms`)."""
        return int(self.at_ms)

    def boot(self) -> str:
        """Return the boot id that was given."""
        return self.boot_id

    def put(self, at_ms: int) -> None:
        """Move the clock to `at_ms`."""
        self.at_ms = Millis(at_ms)
