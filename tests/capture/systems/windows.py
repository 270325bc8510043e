"""Windows' libraries as far as they are called, with a desktop behind them: its calls, its structures.

pynput's own code for Windows runs on it: the hooks' procedures are called in the threads that set them, from
within their wait for a message, as Windows does.
"""

import ctypes
import queue
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from ctypes import wintypes
from dataclasses import dataclass, field
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest

from capture.edges import Box
from tests.capture.systems.camera import MONITORS

KEYBOARD, MOUSE = 13, 14  # WH_KEYBOARD_LL, WH_MOUSE_LL
QUIT = 0x0012
_CLOAKED, _LEFT, _TOP = 14, 76, 77


@dataclass
class Window:
    """A top-level window."""

    title: str
    program: str
    box: Box  # in Windows' own places, which may be negative
    visible: bool = True
    iconic: bool = False
    cloaked: bool = False


@dataclass
class Windows:
    """A Windows machine's desktop. `windows` are from the lowest to the highest; a handle is 100 more."""

    windows: list[Window] = field(default_factory=list)
    focus: int | None = None
    ticks: int = 1_000
    last_input: int = 1_000
    locked: bool = False
    open_handles: int = 0

    def __post_init__(self) -> None:
        self._queues: dict[int, queue.Queue[tuple[int, int, int] | Callable[[], Any]]] = {}
        self._hooks: dict[int, list[tuple[int, Any]]] = {KEYBOARD: [], MOUSE: []}

    def libraries(self) -> Any:
        """Return what `ctypes.windll` would be."""
        return SimpleNamespace(
            user32=_Library(self, _USER), kernel32=_Library(self, _KERNEL), dwmapi=_Library(self, _DWM),
            shcore=_Library(self, {"SetProcessDpiAwareness": lambda _desk, _aware: 0}),
        )  # fmt: skip

    def sends(self, hook: int, message: int) -> None:
        """Let one event happen: each hook's procedure gets it, in the thread that set it."""
        self.last_input = self.ticks
        for thread, procedure in self._hooks[hook]:
            done = threading.Event()
            self._queue(thread).put(partial(self._calls, procedure, message, done))
            assert done.wait(20)

    @property
    def hooks(self) -> int:
        """Return how many hooks are set."""
        return sum(len(each) for each in self._hooks.values())

    def window(self, handle: Any) -> Window:
        """Return the window of a handle."""
        return self.windows[int(getattr(handle, "value", handle)) - 100]

    @staticmethod
    def _calls(procedure: Any, message: int, done: threading.Event) -> None:
        # The last is where Windows says what the event was: reading there would crash, and nobody does.
        procedure(0, message, 16)
        done.set()

    def _queue(self, thread: int) -> Any:
        return self._queues.setdefault(thread, queue.Queue())

    # What the libraries' functions do; each gets its arguments as ctypes would pass them.

    def get_message(self, place: Any, *_: Any) -> int:
        while True:
            told = self._queue(threading.get_ident()).get(timeout=60)
            if callable(told):
                told()
                continue
            place._obj.message, place._obj.wParam, place._obj.lParam = told
            return 0 if told[0] == QUIT else 1

    def post(self, thread: Any, message: int, first: int, second: int) -> int:
        self._queue(int(getattr(thread, "value", thread))).put((message, first, second))
        return 1

    def set_hook(self, kind: int, procedure: Any, *_: Any) -> int:
        self._hooks[kind].append((threading.get_ident(), procedure))
        return kind

    def unhook(self, kind: int) -> int:
        own = threading.get_ident()
        self._hooks[kind] = [each for each in self._hooks[kind] if each[0] != own]
        return 1

    def enumerate(self, visit: Any, given: int) -> int:
        for handle in range(len(self.windows) - 1, -1, -1):
            if not visit(handle + 100, given):
                return 0
        return 1

    def text(self, handle: Any, buffer: Any, length: int) -> int:
        buffer.value = self.window(handle).title[: length - 1]
        return len(buffer.value)

    def process_of(self, handle: Any, place: Any) -> int:
        place._obj.value = int(handle.value) + 1000
        return 1

    def open_process(self, _rights: int, _inherit: int, process: Any) -> int:
        self.open_handles += 1
        return int(process.value)

    def close(self, _handle: Any) -> int:
        self.open_handles -= 1
        return 1

    def image_name(self, process: Any, _flags: int, buffer: Any, _length: Any) -> int:
        buffer.value = self.windows[int(process.value) - 1100].program
        return 1

    def rectangle(self, handle: Any, place: Any) -> int:
        left, top, width, height = self.window(handle).box
        rect = place._obj
        rect.left, rect.top, rect.right, rect.bottom = left, top, left + width, top + height
        return 1

    def last_input_info(self, place: Any) -> int:
        if place._obj.cbSize != ctypes.sizeof(place._obj):
            return 0
        place._obj.dwTime = self.last_input % (1 << 32)
        return 1

    def input_desktop(self, *_: Any) -> int:
        if self.locked:
            return 0
        self.open_handles += 1
        return 77

    def attribute(self, handle: Any, which: int, place: Any, _size: int) -> int:
        if which == _CLOAKED:
            place._obj.value = 2 if self.window(handle).cloaked else 0
        return 0


_USER: dict[str, Callable[..., Any]] = {
    "GetForegroundWindow": lambda desk: None if desk.focus is None or desk.locked else desk.focus + 100,
    "OpenInputDesktop": Windows.input_desktop,
    "CloseDesktop": Windows.close,
    "EnumWindows": Windows.enumerate,
    "GetWindowTextW": Windows.text,
    "GetWindowThreadProcessId": Windows.process_of,
    "GetWindowRect": Windows.rectangle,
    "GetSystemMetrics": lambda _desk, which: MONITORS[0]["left"] if which == _LEFT else MONITORS[0]["top"],
    "GetLastInputInfo": Windows.last_input_info,
    "IsWindowVisible": lambda desk, handle: int(desk.window(handle).visible),
    "IsIconic": lambda desk, handle: int(desk.window(handle).iconic),
    "SetWindowsHookExW": Windows.set_hook,
    "UnhookWindowsHookEx": Windows.unhook,
    "CallNextHookEx": lambda *_: 0,
    "GetMessageW": Windows.get_message,
    "PeekMessageW": lambda *_: 0,
    "PostThreadMessageW": Windows.post,
}
_KERNEL: dict[str, Callable[..., Any]] = {
    "OpenProcess": Windows.open_process,
    "CloseHandle": Windows.close,
    "QueryFullProcessImageNameW": Windows.image_name,
    "GetTickCount": lambda desk: desk.ticks % (1 << 32),
    "GetCurrentThreadId": lambda _desk: threading.get_ident(),
}
_DWM: dict[str, Callable[..., Any]] = {"DwmGetWindowAttribute": Windows.attribute}


class _Function:
    """A library's function: it may be told its types, as ctypes' may."""

    argtypes: Any = None
    restype: Any = None

    def __init__(self, does: Callable[..., Any]) -> None:
        self._does = does

    def __call__(self, *arguments: Any) -> Any:
        return self._does(*arguments)


class _Library:
    """A library: what nobody should call is there and refuses."""

    def __init__(self, desk: Windows, functions: dict[str, Callable[..., Any]]) -> None:
        self._desk = desk
        self._functions = functions
        self._made: dict[str, _Function] = {}

    def __getattr__(self, name: str) -> _Function:
        if name.startswith("__"):
            raise AttributeError(name)
        does = self._functions.get(name)
        desk = self._desk

        def call(*arguments: Any) -> Any:
            assert does is not None, f"nobody should call {name}"
            return does(desk, *arguments)

        return self._made.setdefault(name, _Function(call))


@contextmanager
def on_windows(desk: Windows) -> Iterator[None]:
    """Let pynput find Windows under it, and forget it afterwards."""
    kept = {name: module for name, module in sys.modules.items() if name.partition(".")[0] == "pynput"}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ctypes, "windll", desk.libraries(), raising=False)
        patch.setattr(ctypes, "WINFUNCTYPE", ctypes.CFUNCTYPE, raising=False)
        patch.setattr(wintypes, "LPDWORD", ctypes.POINTER(wintypes.DWORD), raising=False)
        patch.setenv("PYNPUT_BACKEND", "win32")
        for name in kept:
            del sys.modules[name]
        try:
            yield
        finally:
            for name in [name for name in sys.modules if name.partition(".")[0] == "pynput"]:
                del sys.modules[name]
            sys.modules.update(kept)
