"""Time that runs faster, by libfaketime: the product has no hook for it.

libfaketime reads `@INSTANT xSPEED` when a process starts and lets that process's clocks run from there. All
processes of one journey must agree, so each gets the instant that the journey has reached when it starts.
"""

import os
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

_LIBRARIES = sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))


@dataclass(slots=True)
class BentTime:
    """A journey's clock: `start_ms` at its making, then `speed` times as fast as the wall clock."""

    start_ms: int
    speed: int = 1
    began: float = field(default_factory=time.monotonic)

    @classmethod
    def at(cls, iso: str, *, speed: int = 1) -> "BentTime":
        """Return a clock that starts at an instant such as "2026-11-18T09:00Z"."""
        return cls(int(datetime.fromisoformat(iso).timestamp() * 1000), speed)

    def now_ms(self) -> int:
        """Return the journey's instant."""
        return self.start_ms + int((time.monotonic() - self.began) * 1000 * self.speed)

    def environment(self) -> dict[str, str]:
        """Return the environment for a process that starts now."""
        instant = datetime.fromtimestamp(self.now_ms() / 1000, UTC)
        return {
            **os.environ,
            "LD_PRELOAD": _library(),
            "FAKETIME": f"@{instant:%Y-%m-%d %H:%M:%S} x{self.speed}",
            "FAKETIME_DONT_RESET": "1",
            "NO_FAKE_STAT": "1",
            "TZ": "UTC",
            "PYTHONUNBUFFERED": "1",
        }

    def sleep_until(self, instant_ms: int) -> None:
        """Wait until the journey reaches `instant_ms`; return at once if it has."""
        while (left := instant_ms - self.now_ms()) > 0:
            time.sleep(min(0.2, left / 1000 / self.speed))


@dataclass(slots=True)
class SetClock:
    """A wall clock that goes at its pace and can be set while processes run by it; their steady one is real.

    A server doubts its clock when it is set by more than two minutes (R6).
    """

    file: Path

    @classmethod
    def at(cls, file: Path, instant_ms: int) -> "SetClock":
        """Return a clock that shows an instant now; `file` is where its processes read it."""
        clock = cls(file)
        clock.put(instant_ms)
        return clock

    def put(self, instant_ms: int) -> None:
        """Set the clock, for all its processes at once."""
        fresh = self.file.with_suffix(".fresh")
        fresh.write_text(f"{instant_ms / 1000 - time.time():+.3f}\n", encoding="ascii")
        fresh.replace(self.file)

    def environment(self) -> dict[str, str]:
        """Return the environment for a process that goes by this clock."""
        return {
            **os.environ,
            "LD_PRELOAD": _library(),
            "FAKETIME_TIMESTAMP_FILE": str(self.file),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "NO_FAKE_STAT": "1",
            "TZ": "UTC",
        }


def _library() -> str:
    if not _LIBRARIES:
        raise FileNotFoundError("libfaketime is not installed; make system installs it")
    return str(_LIBRARIES[0])
