"""Lock and screen saver, as the desktop's own locker tells them on the session's bus (R18)."""

import contextlib
from collections.abc import Callable, Mapping

from jeepney import DBusAddress, HeaderFields, Message

from capture.linux.bus import Bus, BusError, BusListener

FIRST_LOOK_SECONDS_MAX = 1.0
LOCKERS: Mapping[str, str] = {
    "org.gnome.ScreenSaver": "/org/gnome/ScreenSaver",
    "org.freedesktop.ScreenSaver": "/org/freedesktop/ScreenSaver",
    "org.cinnamon.ScreenSaver": "/org/cinnamon/ScreenSaver",
    "org.mate.ScreenSaver": "/org/mate/ScreenSaver",
    "org.xfce.ScreenSaver": "/org/xfce/ScreenSaver",
}
_BUS = DBusAddress("/org/freedesktop/DBus", "org.freedesktop.DBus", "org.freedesktop.DBus")


class ScreenSavers:
    """The desktop's lockers. `changed` is called in a thread of its own."""

    def __init__(self, environment: Mapping[str, str], changed: Callable[[], None]) -> None:
        self._changed = changed
        self._covering: set[str] = set()
        self._listener = BusListener(
            "session", environment, begin=self._begin, take=self._take, lost=self._lose
        )

    def is_covered(self) -> bool:
        """Return whether one of them covers the screen. Never raises."""
        self._listener.start(seconds_max=FIRST_LOOK_SECONDS_MAX)
        return bool(self._covering)

    def close(self) -> None:
        """End listening."""
        self._listener.close()

    def _begin(self, bus: Bus) -> None:
        for name, path in LOCKERS.items():
            bus.subscribe(name, "ActiveChanged")
            bus.subscribe(_BUS.interface, "NameOwnerChanged", about=name)
            (is_there,) = bus.ask(_BUS, "NameHasOwner", "s", (name,))
            if is_there:
                with contextlib.suppress(BusError):  # some answer to the name and know nothing of locking
                    (is_active,) = bus.ask(DBusAddress(path, name, name), "GetActive")
                    self._note(name, is_active=bool(is_active))

    def _take(self, _bus: Bus, told: Message) -> None:
        if told.header.fields.get(HeaderFields.member) == "ActiveChanged":
            self._note(str(told.header.fields.get(HeaderFields.interface)), is_active=bool(told.body[0]))
        else:
            self._note(str(told.body[0]), is_active=False)  # it came, or it went: then it covers nothing

    def _note(self, name: str, *, is_active: bool) -> None:
        before = bool(self._covering)
        if is_active:
            self._covering.add(name)
        else:
            self._covering.discard(name)
        if bool(self._covering) != before:
            self._changed()

    def _lose(self) -> None:
        self._covering.clear()
        self._changed()
