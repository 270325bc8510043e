"""How often, never what: counts of keys, clicks and scrolls (R14, R15).

This is the one file that sees input events, and the one that imports pynput. X's RECORD extension is asked
for key releases and button presses only; the listener reads an event's type, and a button's number to tell
clicks from the wheel. On Windows and macOS the type alone is read, which says all of it; where Windows keeps
the rest is never looked at. Which key it was is never decoded, and nothing outlives the increment.
"""

import threading
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from capture.draft import Sample
from capture.x11.connection import X11

SCROLL_BUTTONS = frozenset({4, 5, 6, 7})  # X's wheel: up, down, left, right


# Messages of Windows' low-level hooks (winuser.h).
_HOOK_ACTION = 0
_KEY_UPS = frozenset({0x0101, 0x0105})
_BUTTON_DOWNS = frozenset({0x0201, 0x0204, 0x0207, 0x020B})
_WHEELS = frozenset({0x020A, 0x020E})
READY_SECONDS_MAX = 5.0


class _Listener(Protocol):
    """What counts until it is stopped, or dies with its desktop."""

    @property
    def is_dead(self) -> bool: ...
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


class _InputCounts:
    """Counts by a listener that is made anew at each start (see `InputCounts`)."""

    def __init__(self, listen: Callable[[_Counters], _Listener | None]) -> None:
        self._counters = _Counters()
        self._listen = listen
        self._listener: _Listener | None = None

    def start(self) -> bool:
        """Begin to count, ready when this returns (see `InputCounts`)."""
        if self._listener is not None and not self._listener.is_dead:
            return True
        self._counters.take()
        self._listener = self._listen(self._counters)
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


class X11InputCounts(_InputCounts):
    """Counts on an X server (see `InputCounts`)."""

    def __init__(self) -> None:
        super().__init__(_listen_on_x11)


class WindowsInputCounts(_InputCounts):
    """Counts on Windows (see `InputCounts`)."""

    def __init__(self) -> None:
        super().__init__(_listen_on_windows)


class MacInputCounts(_InputCounts):
    """Counts on macOS (see `InputCounts`). `quartz` is the system's module of that name."""

    def __init__(self, quartz: Any) -> None:
        super().__init__(lambda counters: _listen_on_macos(counters, quartz))


def _listen_on_x11(counters: _Counters) -> "_Listener | None":
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


class _Pair:
    """Windows' two listeners, which count and stop together."""

    def __init__(self, *listeners: Any) -> None:
        self._listeners = listeners

    @property
    def is_dead(self) -> bool:
        return not all(listener.is_alive() for listener in self._listeners)

    def stop(self) -> None:
        for listener in self._listeners:
            listener.stop()
        for listener in self._listeners:
            listener.join(READY_SECONDS_MAX)


def _listen_on_windows(counters: _Counters) -> _Listener | None:
    """Return listeners that count already; None where the hooks cannot be set."""
    try:
        from pynput import keyboard, mouse
    except (ImportError, OSError):
        return None

    class Counting:
        """pynput's listener, of whose events only the message's number is read."""

        counted: Mapping[int, int] = {}
        bare: Any = None  # whose own beginning is left out: it loads the keyboard's layout to tell keys apart

        def __init__(self) -> None:
            super(self.bare, self).__init__()
            self.counts_now = threading.Event()

        def _handler(self, code: int, message: int, _place: int) -> None:
            # `_place` is where Windows says which key or where it was; it is not looked at.
            if code == _HOOK_ACTION and (which := self.counted.get(message)) is not None:
                counters.add(which)

        def _process(self, _first: int, _second: int) -> None:
            self.counts_now.set()

        def begin(self: Any) -> bool:
            """Start; return whether it listens. The hook is set before the first message is worked off."""
            self.start()
            self.wait()
            self._message_loop._event.wait(READY_SECONDS_MAX)  # noqa: SLF001  # nothing public tells of the queue
            self._message_loop.post(self._WM_PROCESS, 0, 0)
            return bool(self.counts_now.wait(READY_SECONDS_MAX))

    class Keys(Counting, keyboard.Listener):  # type: ignore[misc]  # pynput publishes no types
        counted, bare = dict.fromkeys(_KEY_UPS, 0), keyboard.Listener

    class Buttons(Counting, mouse.Listener):  # type: ignore[misc]  # as above
        counted, bare = dict.fromkeys(_BUTTON_DOWNS, 1) | dict.fromkeys(_WHEELS, 2), mouse.Listener

    listeners = Keys(), Buttons()
    pair = _Pair(*listeners)
    begun = [listener.begin() for listener in listeners]
    if all(begun):
        return pair
    pair.stop()
    return None


class _Tap:
    """A tap on macOS' events, in a thread of its own.

    Not by pynput: its listener loads the keyboard's layout, which crashes outside the main thread, and reads
    the key.
    """

    def __init__(self, counters: _Counters, quartz: Any) -> None:
        self._quartz = quartz
        self._counters = counters
        self._counted = {
            quartz.kCGEventKeyUp: 0,
            quartz.kCGEventLeftMouseDown: 1,
            quartz.kCGEventRightMouseDown: 1,
            quartz.kCGEventOtherMouseDown: 1,
            quartz.kCGEventScrollWheel: 2,
        }
        self._tap: Any = None
        self._loop: Any = None
        self._looked = threading.Event()
        self._thread = threading.Thread(target=self._run, name="input counts", daemon=True)

    @property
    def is_dead(self) -> bool:
        return not self._thread.is_alive()

    def begin(self) -> bool:
        """Start; return whether it listens."""
        self._thread.start()
        self._looked.wait(READY_SECONDS_MAX)
        return self._tap is not None

    def stop(self) -> None:
        if self._loop is not None:
            self._quartz.CFRunLoopStop(self._loop)
        self._thread.join(READY_SECONDS_MAX)

    def _run(self) -> None:
        quartz = self._quartz
        mask = 0
        for kind in self._counted:
            mask |= quartz.CGEventMaskBit(kind)
        self._tap = quartz.CGEventTapCreate(
            quartz.kCGSessionEventTap, quartz.kCGHeadInsertEventTap, quartz.kCGEventTapOptionListenOnly,
            mask, self._note, None,
        )  # fmt: skip
        if self._tap is not None:
            source = quartz.CFMachPortCreateRunLoopSource(None, self._tap, 0)
            self._loop = quartz.CFRunLoopGetCurrent()
            quartz.CFRunLoopAddSource(self._loop, source, quartz.kCFRunLoopCommonModes)
            quartz.CGEventTapEnable(self._tap, True)
        self._looked.set()
        if self._tap is not None:
            quartz.CFRunLoopRun()

    def _note(self, _proxy: Any, kind: int, event: Any, _given: Any) -> Any:
        if (which := self._counted.get(kind)) is not None:
            self._counters.add(which)
        elif kind == self._quartz.kCGEventTapDisabledByTimeout:
            self._quartz.CGEventTapEnable(self._tap, True)
        return event


def _listen_on_macos(counters: _Counters, quartz: Any) -> _Listener | None:
    """Return a tap that counts already; None where its user has not allowed it, who is asked then."""
    if not quartz.CGPreflightListenEventAccess():
        quartz.CGRequestListenEventAccess()
        return None
    tap = _Tap(counters, quartz)
    return tap if tap.begin() else None
