"""How often, never what: counts of keys, clicks and scrolls (R14, R15).

This is the one file that sees input events, and the one that imports pynput. X's RECORD extension is asked
for key releases and button presses only; the listener reads an event's type, and a button's number to tell
clicks from the wheel. Which key it was is never decoded, and nothing outlives the increment.
"""

import threading
from typing import Any, Protocol

from capture.draft import Sample
from capture.x11.connection import X11

SCROLL_BUTTONS = frozenset({4, 5, 6, 7})  # X's wheel: up, down, left, right


class _Listener(Protocol):
    """What is used of pynput's listener."""

    is_dead: bool

    def start(self) -> None: ...
    def stop(self) -> None: ...


class _Counters:
    """Three numbers. A lock, since the listener counts in a thread of its own."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts = [0, 0, 0]

    def add(self, which: int) -> None:
        with self._lock:
            self._counts[which] += 1

    def take(self) -> tuple[int, int, int]:
        with self._lock:
            keys, clicks, scrolls = self._counts
            self._counts = [0, 0, 0]
        return keys, clicks, scrolls


class X11InputCounts:
    """Counts on an X server (see `InputCounts`)."""

    def __init__(self) -> None:
        self._counters = _Counters()
        self._listener: _Listener | None = None

    def start(self) -> bool:
        """Begin to count, ready when this returns (see `InputCounts`)."""
        if self._listener is not None and not self._listener.is_dead:
            return True
        self._counters.take()
        self._listener = _listen(self._counters)
        return self._listener is not None

    def stop(self) -> None:
        """Stop counting and forget what was not taken."""
        listener, self._listener = self._listener, None
        if listener is not None and not listener.is_dead:
            listener.stop()
        self._counters.take()

    def take_minute(self) -> Sample:
        """Return what was counted since the last call, and count from zero (see `InputCounts`)."""
        if self._listener is None or self._listener.is_dead:
            return Sample()
        keys, clicks, scrolls = self._counters.take()
        return Sample(keys, clicks, scrolls)


def _listen(counters: _Counters) -> "_Listener | None":
    """Return a listener that counts already; None where there is no X server or it records for no one."""
    try:
        # Imported here: without an X server the import itself fails.
        from pynput import keyboard
    except ImportError:
        return None
    from Xlib import X
    from Xlib.error import ConnectionClosedError, DisplayError, XError

    class Listener(keyboard.Listener):  # type: ignore[misc]  # pynput publishes no types
        """pynput's listener, asked for two types of event and told when the server really records."""

        # Key presses are left out, since a held key repeats its press and not its release; so is the
        # pointer's motion.
        _EVENTS = (X.KeyRelease, X.ButtonPress)

        def __init__(self) -> None:
            super().__init__()
            self.is_dead = False
            self.counts_now = threading.Event()

        def _initialize(self, _display: Any) -> None:
            """Load no keyboard map: no key is ever decoded."""

        def _handler(self, events: Any) -> None:
            # The server's first message says that recording has begun; pynput calls itself ready before that,
            # and what is typed in between would be lost.
            self.counts_now.set()
            super()._handler(events)

        def _handle_message(self, _display: Any, event: Any, _injected: bool) -> None:  # noqa: FBT001  # pynput's signature
            if event.type == X.KeyRelease:
                counters.add(0)
            elif event.type == X.ButtonPress:
                counters.add(2 if event.detail in SCROLL_BUTTONS else 1)

        def _run(self) -> None:
            try:
                super()._run()
            except (ConnectionClosedError, DisplayError, XError, OSError, AttributeError):
                # The server went away under the listener; `start` makes another one when it is back.
                pass
            finally:
                self.is_dead = True
                self.counts_now.set()
                for connection in ("_display_stop", "_display_record"):
                    if hasattr(self, connection):
                        getattr(self, connection).display.socket.close()

        def _stop_platform(self) -> None:
            # By a connection of its own: on the recording one nothing ends until the next input, and the
            # listener's thread uses the other at the same moment.
            control = X11()
            control.ask(self._end_recording)
            control.close()

        def _end_recording(self, display: Any) -> None:
            display.record_disable_context(self._context)
            display.sync()

    listener = Listener()
    listener.start()
    listener.counts_now.wait()
    return None if listener.is_dead else listener
