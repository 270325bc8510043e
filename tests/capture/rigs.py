"""The desktops that keep the contract of the edges, each with what it takes to work on it.

X11 and sway are the real thing. Windows and macOS are fakes of the systems' calls, which say nothing of the
systems themselves: they hold what the backends make of the answers.
"""

import os
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest
from Xlib import X
from Xlib.display import Display

from capture.edges import Edges, Lack, edges_of
from capture.macos.edges import macos_edges
from capture.win32.edges import windows_edges
from tests.buses import MOCK, own_bus
from tests.capture.systems import macos, windows
from tests.capture.systems.camera import Camera
from tests.desktop import Desktop
from tests.sway import Sway


@dataclass
class Rig:
    """A desktop and who works on it. `monitors` are their widths, the left one first."""

    edges: Edges
    monitors: tuple[int, int]
    application: str
    opens: Callable[[str], None]
    types: Callable[[int], None]
    clicks: Callable[[int], None]
    scrolls: Callable[[int], None]
    waits: Callable[[float], None]
    locks: Callable[[], None]
    unlocks: Callable[[], None]
    lacks: frozenset[Lack] = frozenset()


@contextmanager
def x11() -> Iterator[Rig]:
    with Desktop.start(1280, 800) as desktop, pytest.MonkeyPatch.context() as patch:
        for name, value in desktop.environment().items():
            patch.setenv(name, value)
        patch.delenv("WAYLAND_DISPLAY", raising=False)
        for monitor in ("LEFT 640/150x800/200+0+0 screen", "RIGHT 640/150x800/200+640+0 none"):
            subprocess.run(["xrandr", "--setmonitor", *monitor.split()], check=True)

        def covers(mode: int) -> None:
            display = Display()
            display.force_screen_saver(mode)
            display.sync()
            display.close()

        yield Rig(
            edges_of(),
            (640, 640),
            "XTerm",
            opens=desktop.open_terminal,
            types=lambda times: desktop.type_text("x" * times),
            clicks=desktop.click,
            scrolls=desktop.scroll,
            waits=time.sleep,
            locks=lambda: covers(X.ScreenSaverActive),
            unlocks=lambda: covers(X.ScreenSaverReset),
        )


@contextmanager
def sway() -> Iterator[Rig]:
    login, place = "org.freedesktop.login1", "/org/freedesktop/login1"
    with Sway.start(outputs=2) as desk, own_bus() as bus:
        bus.serve("--system", "--template", "logind")
        bus.call(login, place, MOCK, "AddSession", "ssusb", "c1", "seat0", os.getuid(), "somebody", True)

        def hints(locked: int) -> None:
            bus.call(login, f"{place}/session/c1", f"{login}.Session", "SetLockedHint", "b", bool(locked))

        def types(times: int) -> None:
            desk.type_text("x" * times)

        yield Rig(
            edges_of({**desk.environment(), **bus.environment()}),
            (1280, 1280),
            "foot",
            opens=desk.open_terminal,
            types=types,
            clicks=types,
            scrolls=types,
            waits=time.sleep,
            locks=lambda: hints(True),
            unlocks=lambda: hints(False),
            lacks=frozenset({"counts"}),
        )


@contextmanager
def on_windows() -> Iterator[Rig]:
    desk = windows.Windows()

    def opens(title: str) -> None:
        desk.windows.append(windows.Window(title, r"C:\Programs\editor.exe", (100, 100, 800, 600)))
        desk.focus = len(desk.windows) - 1

    def sends(hook: int, down: int, up: int, times: int) -> None:
        for _ in range(times):
            desk.sends(hook, down)
            desk.sends(hook, up)

    def waits(seconds: float) -> None:
        desk.ticks += int(seconds * 1000)

    with windows.on_windows(desk):
        yield Rig(
            windows_edges(desk.libraries(), Camera),
            (640, 1280),
            "editor",
            opens=opens,
            types=lambda times: sends(windows.KEYBOARD, 0x0100, 0x0101, times),
            clicks=lambda times: sends(windows.MOUSE, 0x0201, 0x0202, times),
            scrolls=lambda times: sends(windows.MOUSE, 0x0200, 0x020A, times),
            waits=waits,
            locks=lambda: setattr(desk, "locked", True),
            unlocks=lambda: setattr(desk, "locked", False),
        )
    assert desk.open_handles == 0
    assert desk.hooks == 0


@contextmanager
def on_macos() -> Iterator[Rig]:
    quartz = macos.Quartz()

    def opens(title: str) -> None:
        quartz.windows.append(macos.Window(title, "Editor", (100, 100, 800, 600)))

    def sends(kinds: tuple[int, int], times: int) -> None:
        for _ in range(times):
            for kind in kinds:
                quartz.sends(kind)

    def waits(seconds: float) -> None:
        quartz.idle_seconds += seconds

    def says(**session: int) -> None:
        quartz.session = {"kCGSSessionOnConsoleKey": True, **session}

    yield Rig(
        macos_edges(quartz, Camera),
        (640, 1280),
        "Editor",
        opens=opens,
        types=lambda times: sends((10, 11), times),
        clicks=lambda times: sends((1, 2), times),
        scrolls=lambda times: sends((5, 22), times),
        waits=waits,
        locks=lambda: says(CGSSessionScreenIsLocked=1),
        unlocks=says,
    )


RIGS = {"X11": x11, "sway": sway, "Windows": on_windows, "macOS": on_macos}
