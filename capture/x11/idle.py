"""How long the user has been away, by the X server's screen saver extension (R14, R18)."""

from collections.abc import Callable

from Xlib.display import Display
from Xlib.ext import screensaver

from capture.x11.connection import X11


class X11Idle:
    """Presence as the X server sees it (MIT-SCREEN-SAVER)."""

    def __init__(self) -> None:
        self._x11 = X11()

    def idle_ms(self) -> int | None:
        """Return how long there was no input (see `Idle`)."""
        return self._x11.ask(_idle_ms)

    def is_locked(self) -> bool:
        """Return whether the screen saver covers the screen (see `Idle`)."""
        return bool(self._x11.ask(_is_covered))

    def watch(self, wake: Callable[[], None]) -> None:
        """Tell nothing: it is asked (see `Idle`)."""

    def close(self) -> None:
        """Close the connection."""
        self._x11.close()


def _idle_ms(display: Display) -> int | None:
    if not display.has_extension("MIT-SCREEN-SAVER"):
        return None
    return int(screensaver.query_info(display.screen().root).idle)


def _is_covered(display: Display) -> bool:
    if not display.has_extension("MIT-SCREEN-SAVER"):
        return False
    return bool(screensaver.query_info(display.screen().root).state == screensaver.StateOn)
