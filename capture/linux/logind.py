"""Lock, sleep and switching to another user, as the login manager tells them (R18).

org.freedesktop.login1 of systemd and elogind. Sleep is held up for a moment, at most as long as the login
manager allows, so that the tracker stops counting before it and not after.
"""

import contextlib
import os
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from jeepney import DBusAddress, HeaderFields, Message

from capture.linux.bus import Bus, BusError, BusListener
from diary.clock import Clock

NAME = "org.freedesktop.login1"
FIRST_LOOK_SECONDS_MAX = 1.0
NOTED_SECONDS_MAX = 3.0  # the login manager waits five by default before it sleeps all the same
SEAL_SECONDS = 0.5  # after the tracker has noted it: the segment under way is written meanwhile
HINT_MS_MAX = 5_000  # lockers that tell the login manager do so at once
_SIGNAL_ARGUMENTS = "org.freedesktop.DBus.Properties"

_MANAGER = DBusAddress("/org/freedesktop/login1", NAME, f"{NAME}.Manager")


@dataclass(slots=True)
class _Standing:
    """How things stand. `locked_at_ms` is when locking was asked for and nobody has confirmed it yet."""

    is_hinted: bool = False
    is_elsewhere: bool = False
    is_asleep: bool = False
    locked_at_ms: int | None = None


class Logind:
    """The login manager's word on this user's session. `changed` is called in a thread of its own."""

    def __init__(self, environment: Mapping[str, str], clock: Clock, changed: Callable[[], None]) -> None:
        self._session_id = environment.get("XDG_SESSION_ID", "")
        self._clock = clock
        self._changed = changed
        self._standing = _Standing()
        self._session = ""
        self._delay: Any = None  # while this descriptor is open, sleep waits
        self._noted = threading.Event()
        self._listener = BusListener(
            "system", environment, begin=self._begin, take=self._take, lost=self._lose
        )

    def is_away(self, idle_ms: Callable[[], int | None]) -> bool:
        """Return whether the session is locked, asleep or not the one in front. Never raises.

        A locker that does not confirm a lock does not tell its end either: then the first input after it is
        the end, as `idle_ms` tells.
        """
        self._listener.start(seconds_max=FIRST_LOOK_SECONDS_MAX)
        standing = self._standing
        since_ms = standing.locked_at_ms
        if since_ms is not None and (unused_ms := idle_ms()) is not None:
            lasts_ms = self._clock.monotonic_ms() - since_ms
            if unused_ms < lasts_ms - HINT_MS_MAX:
                standing.locked_at_ms = None
        self._noted.set()
        return (
            standing.is_hinted
            or standing.is_elsewhere
            or standing.is_asleep
            or standing.locked_at_ms is not None
        )

    def close(self) -> None:
        """End listening; sleep waits for nothing any longer."""
        self._noted.set()
        self._listener.close()
        self._let_sleep()

    def _begin(self, bus: Bus) -> None:
        manager = _MANAGER.interface
        for member in ("PrepareForSleep", "SessionNew", "SessionRemoved"):
            bus.subscribe(manager, member)
        self._hold_sleep(bus)
        with contextlib.suppress(BusError):  # older ones do not have it
            self._standing.is_asleep = bool(bus.property(_MANAGER, "PreparingForSleep"))
        self._session = self._own_session(bus)
        if not self._session:
            return
        session = DBusAddress(self._session, NAME, f"{NAME}.Session")
        bus.subscribe(_SIGNAL_ARGUMENTS, "PropertiesChanged", self._session)
        for member in ("Lock", "Unlock"):
            bus.subscribe(session.interface, member, self._session)
        self._note(bus.properties(session))

    def _take(self, bus: Bus, told: Message) -> None:
        member = told.header.fields.get(HeaderFields.member)
        if member == "PrepareForSleep":
            self._sleep(bus, begins=bool(told.body[0]))
        elif member in {"Lock", "Unlock"}:
            self._standing.locked_at_ms = self._clock.monotonic_ms() if member == "Lock" else None
            if member == "Unlock":
                self._standing.is_hinted = False
        elif member == "PropertiesChanged":
            self._note({name: value for name, (_, value) in told.body[1].items()})
        elif not self._session or told.body[1] == self._session:
            # A login, or the end of the one that was listened to: look for this user's session anew.
            raise BusError("The session has changed.")
        self._changed()

    def _note(self, properties: dict[str, Any]) -> None:
        if "LockedHint" in properties:
            self._standing.is_hinted = bool(properties["LockedHint"])
            self._standing.locked_at_ms = None
        if "Active" in properties:
            self._standing.is_elsewhere = not properties["Active"]

    def _sleep(self, bus: Bus, *, begins: bool) -> None:
        self._standing.is_asleep = begins
        if not begins:
            self._hold_sleep(bus)
            return
        self._noted.clear()
        self._changed()
        if self._noted.wait(NOTED_SECONDS_MAX):
            threading.Event().wait(SEAL_SECONDS)
        self._let_sleep()

    def _hold_sleep(self, bus: Bus) -> None:
        self._let_sleep()
        why = ("sleep", "Work Diary", "Stop counting before the computer sleeps", "delay")
        with contextlib.suppress(BusError):  # not everyone is allowed to
            (self._delay,) = bus.ask(_MANAGER, "Inhibit", "ssss", why)

    def _let_sleep(self) -> None:
        delay, self._delay = self._delay, None
        if delay is not None:
            delay.close()

    def _own_session(self, bus: Bus) -> str:
        """Return the path of this user's session at a screen; "" where there is none."""
        (sessions,) = bus.ask(_MANAGER, "ListSessions")
        own = [found for found in sessions if found[1] == os.getuid()]
        # A tracker may have been started from a login over the network, or by no login at all.
        own.sort(key=lambda found: (bool(found[3]), found[0] == self._session_id), reverse=True)
        return str(own[0][4]) if own else ""

    def _lose(self) -> None:
        self._standing = _Standing()
        self._session = ""
        self._let_sleep()
        self._changed()
