"""How long nobody was there, by the compositor's notice (R14, R18).

ext-idle-notify-v1, and org_kde_kwin_idle, which older compositors offer in its place: the compositor tells
when there was no input for a second, and when there is some again. Where it speaks version 2 of the former,
it is asked about input alone; else a film that keeps the screen awake counts as somebody there.
"""

import os
from collections.abc import Callable, Mapping

from capture.wayland.wire import Arguments, WaylandError, Wire
from diary.clock import Clock, SystemClock

QUIET_MS = 1000  # after so long without input the compositor says so; the tracker looks as often


class WaylandIdle:
    """Presence as a compositor tells it (see `Idle`). What it told is read when it is asked for."""

    def __init__(self, environment: Mapping[str, str] = os.environ, clock: Clock | None = None) -> None:
        self._environment = environment
        self._clock = clock or SystemClock()
        self._wire: Wire | None = None
        self._asked_at_ms = 0
        self._quiet_since_ms: int | None = None

    def offered(self) -> bool:
        """Return whether the compositor tells it at all. Never raises."""
        return self._ready()

    def idle_ms(self) -> int | None:
        """Return how long there was no input (see `Idle`)."""
        if not self._ready() or self._wire is None:
            return None
        try:
            while self._wire.listen(0):
                pass
        except WaylandError:
            self.close()
            return None
        now_ms = self._clock.monotonic_ms()
        if self._quiet_since_ms is not None:
            return now_ms - self._quiet_since_ms
        # Until the first quiet second could have been told, nothing is known.
        return 0 if now_ms - self._asked_at_ms > QUIET_MS else None

    def is_locked(self) -> bool:
        """Return False: a compositor does not tell it, the session's manager does (see `Idle`)."""
        return False

    def watch(self, wake: Callable[[], None]) -> None:
        """Tell nothing: it is asked (see `Idle`)."""

    def close(self) -> None:
        """Close the connection."""
        wire, self._wire = self._wire, None
        if wire is not None:
            wire.close()

    def _ready(self) -> bool:
        """Return whether the compositor is listened to, connecting where that is not so."""
        if self._wire is not None:
            return True
        wire = None
        try:
            wire = Wire(self._environment)
            self._ask(wire)
        except WaylandError:
            if wire is not None:
                wire.close()
            return False
        self._wire = wire
        return True

    def _ask(self, wire: Wire) -> None:
        seat = wire.bind("wl_seat", 1)
        if seat is None:
            raise WaylandError("The compositor has no seat.")
        if (notifier := wire.bind("ext_idle_notifier_v1", 2)) is not None:
            version = wire.offers["ext_idle_notifier_v1"][0].version
            wire.send(notifier, 2 if version >= 2 else 1, wire.new(self._told), QUIET_MS, seat)
        elif (idle := wire.bind("org_kde_kwin_idle", 1)) is not None:
            wire.send(idle, 0, wire.new(self._told), seat, QUIET_MS)
        else:
            raise WaylandError("The compositor does not tell when nobody is there.")
        self._asked_at_ms = self._clock.monotonic_ms()
        self._quiet_since_ms = None

    def _told(self, opcode: int, _event: Arguments) -> None:
        """Take in that it is quiet (0), or no longer (1): both protocols number them so."""
        self._quiet_since_ms = self._clock.monotonic_ms() - QUIET_MS if opcode == 0 else None
