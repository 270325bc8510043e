"""Presence on a Linux desktop: its own idle time, and what login manager and lockers tell (R14, R18)."""

import os
from collections.abc import Callable, Mapping

from jeepney import DBusAddress

from capture.edges import Idle
from capture.linux.bus import Bus, BusError
from capture.linux.logind import Logind
from capture.linux.screen_savers import ScreenSavers
from diary.clock import Clock, SystemClock

RETRY_MS = 30_000  # before a desktop that gave no answer is asked again
ANSWER_SECONDS_MAX = 1.0  # the tracker waits for it, every second


class LinuxIdle:
    """Presence on a Linux desktop (see `Idle`). `drawn` is what tells it of input, such as the X server."""

    def __init__(
        self, drawn: Idle, environment: Mapping[str, str] = os.environ, clock: Clock | None = None
    ) -> None:
        clock = clock or SystemClock()
        self._drawn = drawn
        self._wake: Callable[[], None] = _wake_nobody
        self._mutter = MutterIdle(environment, clock)
        self._logind = Logind(environment, clock, self._changed)
        self._lockers = ScreenSavers(environment, self._changed)

    def idle_ms(self) -> int | None:
        """Return how long there was no input (see `Idle`)."""
        idle_ms = self._drawn.idle_ms()
        return self._mutter.idle_ms() if idle_ms is None else idle_ms

    def is_locked(self) -> bool:
        """Return whether the screen is locked or blanked (see `Idle`)."""
        # Each is asked, so that each listens.
        told = (self._drawn.is_locked(), self._logind.is_away(self.idle_ms), self._lockers.is_covered())
        return any(told)

    def watch(self, wake: Callable[[], None]) -> None:
        """Have `wake` called when that may have changed (see `Idle`)."""
        self._wake = wake

    def close(self) -> None:
        """Close the connections and end their threads."""
        self._wake = _wake_nobody
        self._drawn.close()
        self._mutter.close()
        self._logind.close()
        self._lockers.close()

    def _changed(self) -> None:
        self._wake()


class MutterIdle:
    """The idle time of a GNOME desktop (org.gnome.Mutter.IdleMonitor), where nothing else tells it."""

    _MONITOR = DBusAddress(
        "/org/gnome/Mutter/IdleMonitor/Core", "org.gnome.Mutter.IdleMonitor", "org.gnome.Mutter.IdleMonitor"
    )

    def __init__(self, environment: Mapping[str, str], clock: Clock) -> None:
        self._environment = environment
        self._clock = clock
        self._bus: Bus | None = None
        self._retry_at_ms = 0

    def idle_ms(self) -> int | None:
        """Return how long there was no input; None where it is not told. Never raises."""
        if self._clock.monotonic_ms() < self._retry_at_ms:
            return None
        try:
            if self._bus is None:
                self._bus = Bus("session", self._environment)
            (idle_ms,) = self._bus.ask(self._MONITOR, "GetIdletime", seconds_max=ANSWER_SECONDS_MAX)
        except (BusError, ValueError):
            self.close()
            self._retry_at_ms = self._clock.monotonic_ms() + RETRY_MS
            return None
        return int(idle_ms)

    def close(self) -> None:
        """Close the connection."""
        bus, self._bus = self._bus, None
        if bus is not None:
            bus.close()


def _wake_nobody() -> None:
    """Nobody waits."""
