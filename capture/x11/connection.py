"""One connection to an X server that may go away and come back (R19)."""

import contextlib
from collections.abc import Callable
from typing import TypeVar

from Xlib.display import Display
from Xlib.error import ConnectionClosedError, DisplayError, XError

Answer = TypeVar("Answer")


class X11:
    """A connection that opens when it is first needed, and opens anew after the server went away."""

    def __init__(self) -> None:
        self._display: Display | None = None

    def ask(self, question: Callable[[Display], Answer]) -> Answer | None:
        """Return what the server answers; None where it refuses, or where there is no server."""
        try:
            if self._display is None:
                self._display = Display()
                # A window may close between two questions; that is no news for anyone's terminal.
                self._display.set_error_handler(_say_nothing)
            return question(self._display)
        except XError:
            return None
        except (ConnectionClosedError, DisplayError, OSError):
            self.close()
            return None

    def close(self) -> None:
        """Close the connection, if there is one."""
        display, self._display = self._display, None
        if display is not None:
            with contextlib.suppress(ConnectionClosedError, DisplayError, OSError):
                display.close()  # the server may have gone first: then this fails and the socket is left
            display.display.socket.close()


def _say_nothing(_error: XError, _request: object) -> None:
    """Take note of nothing: what matters of a refusal is that there is no answer."""
