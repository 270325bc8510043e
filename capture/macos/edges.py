"""What macOS gives, by Quartz (R13, R14, R18, R22).

It wants two permissions of its user, for pictures (and with them titles) and for counting input. Each is
asked for by the system itself, once, when it is first needed; until then the edges say that it is missing.
"""

import importlib
from collections.abc import Callable, Mapping
from typing import Any

from capture.edges import ActiveWindow, Edges, Monitors, NoPicture, Shot, VisibleWindow
from capture.input_counts import MacInputCounts
from capture.one_line import one_line
from capture.picture_by_mss import picture_by_mss

APPLICATION_LAYER = 0  # where applications' windows lie; menus, the dock and the menu bar lie above
_ANY_INPUT = 0xFFFFFFFF  # kCGAnyInputEventType, which the module has as a signed number in some versions


def macos_edges(quartz: Any = None, open_camera: Callable[[], Any] | None = None) -> Edges:
    """Return macOS' edges. A given module and camera stand in for the system's own in tests."""
    quartz = quartz if quartz is not None else importlib.import_module("Quartz")
    return Edges(
        MacInputCounts(quartz),
        MacWindows(quartz),
        MacScreen(quartz, open_camera),
        MacIdle(quartz),
        desktop="macOS",
    )


class MacWindows:
    """The windows on the screen. Without the permission for pictures macOS leaves out their titles."""

    def __init__(self, quartz: Any) -> None:
        self._quartz = quartz

    def active(self) -> ActiveWindow:
        """Return the window with the focus (see `Windows`): the highest of the applications'."""
        for window in reversed(self._listed()):
            if window.get("kCGWindowLayer") == APPLICATION_LAYER:
                seen = self._seen(window)
                left, top, width, height = seen.box
                return ActiveWindow(seen.application, seen.title, (left + width // 2, top + height // 2))
        return ActiveWindow()

    def visible(self) -> tuple[VisibleWindow, ...] | None:
        """Return every window that may have pixels on a monitor (see `Windows`)."""
        listed = self._listed()
        if not self._quartz.CGPreflightScreenCaptureAccess():
            return None  # without titles a rule on titles would match nothing
        return tuple(self._seen(window) for window in listed if window.get("kCGWindowAlpha", 1))

    def close(self) -> None:
        """Nothing is open between two questions."""

    def _listed(self) -> list[Mapping[str, Any]]:
        """Return the windows on the screen, the lowest first: macOS names the highest first."""
        quartz = self._quartz
        wanted = quartz.kCGWindowListOptionOnScreenOnly | quartz.kCGWindowListExcludeDesktopElements
        return list(quartz.CGWindowListCopyWindowInfo(wanted, quartz.kCGNullWindowID) or ())[::-1]

    def _seen(self, window: Mapping[str, Any]) -> VisibleWindow:
        place = window.get("kCGWindowBounds") or {}
        left, top = self._corner()
        x, y = int(place.get("X", 0)), int(place.get("Y", 0))
        return VisibleWindow(
            one_line(str(window.get("kCGWindowOwnerName") or "")),
            one_line(str(window.get("kCGWindowName") or "")),
            (x - left, y - top, int(place.get("Width", 0)), int(place.get("Height", 0))),
        )

    def _corner(self) -> tuple[int, int]:
        """Return the corner of the whole: monitors left of the main one or above it have negative places."""
        _, displays, _ = self._quartz.CGGetActiveDisplayList(32, None, None)
        origins = [self._quartz.CGDisplayBounds(display).origin for display in displays]
        return min((int(at.x) for at in origins), default=0), min((int(at.y) for at in origins), default=0)


class MacScreen:
    """The monitors, in points: a picture of a screen of twice as many pixels has half of them."""

    def __init__(self, quartz: Any, open_camera: Callable[[], Any] | None = None) -> None:
        self._quartz = quartz
        self._open_camera = open_camera

    def grab(self, monitors: Monitors, middle: tuple[int, int] | None) -> Shot | NoPicture:
        """Return all monitors, or the one that holds `middle` (see `Screen`)."""
        # Without permission macOS gives a picture of the empty desktop, which would pass for one.
        if not self._quartz.CGPreflightScreenCaptureAccess():
            self._quartz.CGRequestScreenCaptureAccess()
            return "no_permission"
        return picture_by_mss(monitors, middle, self._open_camera)


class MacIdle:
    """Presence as macOS sees it. It tells nothing by itself: it is asked each second."""

    def __init__(self, quartz: Any) -> None:
        self._quartz = quartz

    def idle_ms(self) -> int | None:
        """Return how long there was no input (see `Idle`)."""
        seconds = self._quartz.CGEventSourceSecondsSinceLastEventType(
            self._quartz.kCGEventSourceStateHIDSystemState, _ANY_INPUT
        )
        return int(seconds * 1000)

    def is_locked(self) -> bool:
        """Return whether the screen is locked, or another user in front (see `Idle`)."""
        session = self._quartz.CGSessionCopyCurrentDictionary()
        if session is None:
            return True  # nobody is logged in at a screen
        in_front = session.get("kCGSSessionOnConsoleKey", True)
        return bool(session.get("CGSSessionScreenIsLocked")) or not in_front

    def watch(self, wake: Callable[[], None]) -> None:
        """Tell nothing: it is asked (see `Idle`)."""

    def close(self) -> None:
        """Nothing is open between two questions."""
