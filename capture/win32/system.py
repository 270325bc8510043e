"""What is asked of Windows, with its structures filled in and read (R13, R14, R18).

Names and numbers are those of the Windows SDK's headers. The libraries are given, so that a test can give
others.
"""

import ctypes
from collections.abc import Callable
from ctypes import wintypes
from pathlib import PureWindowsPath
from typing import Any

from capture.edges import Box

TEXT_LENGTH_MAX = 1024
WINDOWS_MAX = 4096  # top-level ones, most of them never shown
_PROCESS_QUERY_LIMITED_INFORMATION = 0x1000
_DESKTOP_SWITCHDESKTOP = 0x0100
_DWMWA_CLOAKED = 14
_SM_XVIRTUALSCREEN, _SM_YVIRTUALSCREEN = 76, 77
_TICKS = 1 << 32  # both clocks are words that begin anew after 49.7 days
_PER_MONITOR_DPI_AWARE = 2

# Calls back by Windows' convention; elsewhere only tests come here.
_Visit = getattr(ctypes, "WINFUNCTYPE", ctypes.CFUNCTYPE)(wintypes.BOOL, wintypes.HWND, wintypes.LPARAM)


class _LastInput(ctypes.Structure):
    """LASTINPUTINFO."""

    _fields_ = (("cbSize", wintypes.UINT), ("dwTime", wintypes.DWORD))


class WindowsSystem:
    """The calls, each with a plain answer. None of them raises: what Windows refuses is nothing."""

    def __init__(self, libraries: Any = None) -> None:
        given = libraries if libraries is not None else ctypes.windll  # type: ignore[attr-defined,unused-ignore]  # Windows alone has it
        self._user, self._kernel, self._dwm = given.user32, given.kernel32, given.dwmapi
        self._user.GetForegroundWindow.restype = wintypes.HWND
        self._user.OpenInputDesktop.restype = wintypes.HANDLE
        self._kernel.OpenProcess.restype = wintypes.HANDLE
        # Else places come in pixels of a screen that Windows pretends to have.
        given.shcore.SetProcessDpiAwareness(_PER_MONITOR_DPI_AWARE)

    def foreground(self) -> int:
        """Return the window with the focus; 0 where there is none, as under a lock screen."""
        return int(self._user.GetForegroundWindow() or 0)

    def shown(self) -> list[int]:
        """Return the top-level windows that are to be seen, the lowest first."""
        found: list[int] = []

        def visit(window: int | None, _given: int) -> bool:
            if window and self._is_shown(window):
                found.append(window)
            return len(found) < WINDOWS_MAX

        # Windows names the highest first.
        self._user.EnumWindows(_Visit(visit), 0)
        return found[::-1]

    def title(self, window: int) -> str:
        """Return a window's title."""
        text = ctypes.create_unicode_buffer(TEXT_LENGTH_MAX)
        self._user.GetWindowTextW(wintypes.HWND(window), text, TEXT_LENGTH_MAX)
        return text.value

    def application(self, window: int) -> str:
        """Return the name of the program that a window belongs to, without its ending."""
        process = wintypes.DWORD()
        self._user.GetWindowThreadProcessId(wintypes.HWND(window), ctypes.byref(process))
        return self._with_handle(
            self._kernel.OpenProcess(_PROCESS_QUERY_LIMITED_INFORMATION, False, process),
            self._kernel.CloseHandle,
            self._program,
        )

    def box(self, window: int) -> Box:
        """Return a window's box from the corner of the whole, its invisible borders included."""
        place = wintypes.RECT()
        self._user.GetWindowRect(wintypes.HWND(window), ctypes.byref(place))
        left, top = (self._user.GetSystemMetrics(which) for which in (_SM_XVIRTUALSCREEN, _SM_YVIRTUALSCREEN))
        return place.left - left, place.top - top, place.right - place.left, place.bottom - place.top

    def idle_ms(self) -> int | None:
        """Return how long there was no input."""
        last = _LastInput(ctypes.sizeof(_LastInput), 0)
        if not self._user.GetLastInputInfo(ctypes.byref(last)):
            return None
        return int((self._kernel.GetTickCount() - last.dwTime) % _TICKS)

    def is_locked(self) -> bool:
        """Return whether input goes to a desktop that is not this user's.

        So it does on the lock screen, while another user is in front, and while Windows asks for permission.
        """
        desktop = self._user.OpenInputDesktop(0, False, _DESKTOP_SWITCHDESKTOP)
        if desktop:
            self._user.CloseDesktop(wintypes.HANDLE(desktop))
        return not desktop

    def _is_shown(self, window: int) -> bool:
        handle = wintypes.HWND(window)
        if not self._user.IsWindowVisible(handle) or self._user.IsIconic(handle):
            return False
        # A window of another virtual desktop, or of an app that sleeps, is "visible" and cloaked.
        cloaked = wintypes.DWORD()
        self._dwm.DwmGetWindowAttribute(handle, _DWMWA_CLOAKED, ctypes.byref(cloaked), ctypes.sizeof(cloaked))
        return not cloaked.value

    def _program(self, process: int) -> str:
        path = ctypes.create_unicode_buffer(TEXT_LENGTH_MAX)
        length = wintypes.DWORD(TEXT_LENGTH_MAX)
        self._kernel.QueryFullProcessImageNameW(wintypes.HANDLE(process), 0, path, ctypes.byref(length))
        return PureWindowsPath(path.value).stem

    @staticmethod
    def _with_handle(handle: int | None, close: Callable[[Any], Any], ask: Callable[[int], str]) -> str:
        if not handle:
            return ""
        try:
            return ask(handle)
        finally:
            close(wintypes.HANDLE(handle))
