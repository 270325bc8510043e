"""Quartz as far as it is called, with a desktop behind it: what it answers in, and when it refuses."""

import queue
import threading
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from capture.edges import Box
from tests.capture.systems.camera import MONITORS


@dataclass
class Window:
    """A window on the screen; the layer of menus is 101, the dock's 20."""

    title: str
    application: str
    box: Box  # in points, which may be negative
    layer: int = 0
    alpha: float = 1.0


@dataclass
class Quartz:
    """A Mac's desktop, called as pyobjc's module is. `windows` are from the lowest to the highest."""

    windows: list[Window] = field(default_factory=list)
    may_take_pictures: bool = True
    may_count: bool = True
    asked: list[str] = field(default_factory=list)
    session: dict[str, Any] | None = field(default_factory=lambda: {"kCGSSessionOnConsoleKey": True})
    idle_seconds: float = 0.0

    kCGEventKeyUp = 11  # noqa: N815  # the names here are Apple's
    kCGEventLeftMouseDown = 1  # noqa: N815
    kCGEventRightMouseDown = 3  # noqa: N815
    kCGEventOtherMouseDown = 25  # noqa: N815
    kCGEventScrollWheel = 22  # noqa: N815
    kCGEventTapDisabledByTimeout = 0xFFFFFFFE  # noqa: N815
    kCGSessionEventTap = 1  # noqa: N815
    kCGHeadInsertEventTap = 0  # noqa: N815
    kCGEventTapOptionListenOnly = 1  # noqa: N815
    kCFRunLoopCommonModes = "common"  # noqa: N815
    kCGWindowListOptionOnScreenOnly = 1  # noqa: N815
    kCGWindowListExcludeDesktopElements = 16  # noqa: N815
    kCGNullWindowID = 0  # noqa: N815
    kCGEventSourceStateHIDSystemState = 1  # noqa: N815

    def __post_init__(self) -> None:
        self._taps: list[dict[str, Any]] = []
        self._loops: dict[int, queue.Queue[Any]] = {}

    def sends(self, kind: int) -> None:
        """Let one event happen: each tap that listens to its kind gets it, in the thread of its loop."""
        self.idle_seconds = 0.0
        for tap in self._taps:
            if tap["enabled"] and tap["mask"] & (1 << kind if kind < 64 else 0):
                self._gives(tap, kind)

    def disables(self) -> None:
        """Disable each tap, as the system does when one is slow, and tell it."""
        for tap in self._taps:
            tap["enabled"] = False
            self._gives(tap, self.kCGEventTapDisabledByTimeout)

    def _gives(self, tap: dict[str, Any], kind: int) -> None:
        event, done = object(), threading.Event()  # nothing can be read of it, and nobody tries
        given: list[Any] = []

        def call() -> None:
            given.append(tap["callback"](None, kind, event, None))
            done.set()

        tap["loop"].put(call)
        assert done.wait(20)
        assert given == [event]  # passed on as it was

    def CGEventMaskBit(self, kind: int) -> int:  # noqa: N802
        return 1 << kind

    def CGEventTapCreate(  # noqa: N802
        self, where: int, place: int, option: int, mask: int, callback: Any, given: Any
    ) -> Any:
        assert option == self.kCGEventTapOptionListenOnly
        if not self.may_count:
            return None
        tap = {"mask": mask, "callback": callback, "enabled": False, "loop": None}
        self._taps.append(tap)
        return tap

    def CFMachPortCreateRunLoopSource(self, _allocator: Any, tap: Any, _order: int) -> Any:  # noqa: N802
        return tap

    def CFRunLoopGetCurrent(self) -> Any:  # noqa: N802
        return self._loops.setdefault(threading.get_ident(), queue.Queue())

    def CFRunLoopAddSource(self, loop: Any, source: Any, _mode: str) -> None:  # noqa: N802
        source["loop"] = loop

    def CGEventTapEnable(self, tap: Any, enabled: bool) -> None:  # noqa: N802, FBT001
        tap["enabled"] = enabled

    def CFRunLoopRun(self) -> None:  # noqa: N802
        loop = self.CFRunLoopGetCurrent()
        while (told := loop.get(timeout=60)) is not None:
            told()
        self._taps = [tap for tap in self._taps if tap["loop"] is not loop]

    def CFRunLoopStop(self, loop: Any) -> None:  # noqa: N802
        loop.put(None)

    def CGPreflightListenEventAccess(self) -> bool:  # noqa: N802
        return self.may_count

    def CGRequestListenEventAccess(self) -> bool:  # noqa: N802
        self.asked.append("input")
        return False

    def CGPreflightScreenCaptureAccess(self) -> bool:  # noqa: N802
        return self.may_take_pictures

    def CGRequestScreenCaptureAccess(self) -> bool:  # noqa: N802
        self.asked.append("pictures")
        return False

    def CGWindowListCopyWindowInfo(self, _wanted: int, _beside: int) -> list[dict[str, Any]]:  # noqa: N802
        return [
            {
                "kCGWindowLayer": window.layer,
                "kCGWindowAlpha": window.alpha,
                "kCGWindowOwnerName": window.application,
                **({"kCGWindowName": window.title} if self.may_take_pictures else {}),
                "kCGWindowBounds": dict(
                    zip(("X", "Y", "Width", "Height"), map(float, window.box), strict=True)
                ),
            }
            for window in reversed(self.windows)
        ]

    def CGGetActiveDisplayList(self, _most: int, _displays: Any, _count: Any) -> Any:  # noqa: N802
        return 0, (1, 2), 2

    def CGDisplayBounds(self, display: int) -> Any:  # noqa: N802
        box = MONITORS[display]
        return SimpleNamespace(origin=SimpleNamespace(x=float(box["left"]), y=float(box["top"])))

    def CGEventSourceSecondsSinceLastEventType(self, _source: int, _kind: int) -> float:  # noqa: N802
        return self.idle_seconds

    def CGSessionCopyCurrentDictionary(self) -> dict[str, Any] | None:  # noqa: N802
        return self.session
