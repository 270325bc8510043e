"""What Windows gives (R13, R14, R22)."""

from collections.abc import Callable
from typing import Any

from capture.edges import ActiveWindow, Edges, Monitors, NoPicture, Shot, VisibleWindow
from capture.input_counts import WindowsInputCounts
from capture.one_line import one_line
from capture.picture_by_mss import picture_by_mss
from capture.win32.system import WindowsSystem


def windows_edges(libraries: Any = None, open_camera: Callable[[], Any] | None = None) -> Edges:
    """Return Windows' edges. Given libraries and a camera stand in for the system's own in tests."""
    system = WindowsSystem(libraries)
    return Edges(
        WindowsInputCounts(),
        WindowsWindows(system),
        WindowsScreen(open_camera),
        WindowsIdle(system),
        desktop="Windows",
    )


class WindowsWindows:
    """The windows of this user's desktop."""

    def __init__(self, system: WindowsSystem) -> None:
        self._system = system

    def active(self) -> ActiveWindow:
        """Return the window with the focus (see `Windows`)."""
        window = self._system.foreground()
        if not window:
            return ActiveWindow()
        seen = self._seen(window)
        left, top, width, height = seen.box
        return ActiveWindow(seen.application, seen.title, (left + width // 2, top + height // 2))

    def visible(self) -> tuple[VisibleWindow, ...]:
        """Return every window that may have pixels on a monitor (see `Windows`)."""
        seen = (self._seen(window) for window in self._system.shown())
        return tuple(window for window in seen if window.box[2] > 0 and window.box[3] > 0)

    def close(self) -> None:
        """Nothing is open between two questions."""

    def _seen(self, window: int) -> VisibleWindow:
        application = one_line(self._system.application(window))
        return VisibleWindow(application, one_line(self._system.title(window)), self._system.box(window))


class WindowsScreen:
    """The monitors of this user's desktop."""

    def __init__(self, open_camera: Callable[[], Any] | None = None) -> None:
        self._open_camera = open_camera

    def grab(self, monitors: Monitors, middle: tuple[int, int] | None) -> Shot | NoPicture:
        """Return all monitors, or the one that holds `middle` (see `Screen`)."""
        return picture_by_mss(monitors, middle, self._open_camera)


class WindowsIdle:
    """Presence as Windows sees it. It tells nothing by itself: it is asked each second."""

    def __init__(self, system: WindowsSystem) -> None:
        self._system = system

    def idle_ms(self) -> int | None:
        """Return how long there was no input (see `Idle`)."""
        return self._system.idle_ms()

    def is_locked(self) -> bool:
        """Return whether input goes elsewhere: lock screen, another user (see `Idle`)."""
        return self._system.is_locked()

    def watch(self, wake: Callable[[], None]) -> None:
        """Tell nothing: it is asked (see `Idle`)."""

    def close(self) -> None:
        """Nothing is open between two questions."""
