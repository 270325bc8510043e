"""What the tracker needs of a desktop: four edges, each a promise that a backend keeps (R13, R14).

A desktop that is not known, or a machine without one, gets `blind_edges`: nothing is counted or seen, and
segments say why they have no picture (R16). A desktop that gives only some of it says what it lacks.
"""

import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol

from capture.draft import Sample

if TYPE_CHECKING:
    from PIL import Image

NoPicture = Literal["no_permission", "locked", "black", "no_display", "failed"]
Monitors = Literal["all", "active"]
Lack = Literal["counts", "picture", "titles", "positions", "presence"]


Box = tuple[int, int, int, int]
"""Left, top, width, height in pixels of the whole: the picture `grab("all")` gives. It may reach beyond."""


@dataclass(frozen=True, slots=True)
class ActiveWindow:
    """The window with the focus: application, title, and its middle in pixels of the whole if known."""

    application: str = ""
    title: str = ""
    middle: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class VisibleWindow:
    """A window that has pixels on the screen, its frame included, whether it has the focus or not (R22)."""

    application: str
    title: str
    box: Box


@dataclass(frozen=True, slots=True)
class Shot:
    """A picture and where it lies in the whole (R13, R22).

    `left` and `top` are its corner in pixels of the whole. `scale` is how many of its pixels one pixel of the
    whole is long: 1 except where monitors of several scales lie side by side and one of them was taken alone.
    """

    picture: "Image.Image"
    left: int = 0
    top: int = 0
    scale: float = 1.0


class InputCounts(Protocol):
    """Counts of input, never input (R15)."""

    def start(self) -> bool:
        """Begin to count, ready when this returns; True when counting, False where it cannot be."""
        ...

    def stop(self) -> None:
        """Stop counting and forget what was not taken."""
        ...

    def take_minute(self) -> Sample:
        """Return what was counted since the last call, and count from zero; None where not counting."""
        ...


class Windows(Protocol):
    """The names of the active window, and what else is to be seen (R13, R22)."""

    def active(self) -> ActiveWindow:
        """Return the window with the focus, empty where there is none. Never raises."""
        ...

    def visible(self) -> tuple[VisibleWindow, ...] | None:
        """Return every window that may have pixels on a monitor, the lowest first. Never raises.

        Menus and other windows without a frame are among them; minimised ones and those of other workspaces
        are not. None where the desktop does not tell positions: then any window may be anywhere (R22).
        """
        ...

    def close(self) -> None:
        """Close the connection to the desktop."""
        ...


class Screen(Protocol):
    """The picture of the screen (R13)."""

    def grab(self, monitors: Monitors, middle: tuple[int, int] | None) -> Shot | NoPicture:
        """Return all monitors, or the one that holds `middle`; else the reason (R16). Never raises."""
        ...


class Idle(Protocol):
    """What the operating system knows of the user's presence (R14)."""

    def idle_ms(self) -> int | None:
        """Return how long there was no input; None where the system does not say. Never raises."""
        ...

    def is_locked(self) -> bool:
        """Return whether nobody can be at this screen now. Never raises.

        It is locked or blanked, another user's session is in front, or the computer is about to sleep (R18).
        """
        ...

    def watch(self, wake: Callable[[], None]) -> None:
        """Have `wake` called, from any thread, when that may have changed; where nothing tells it, never."""
        ...

    def close(self) -> None:
        """Close the connection to the desktop."""
        ...


@dataclass(frozen=True, slots=True)
class Edges:
    """A desktop's four edges; `blind_because` says what is wrong where there is none.

    `desktop` is what the desktop is called. `lacks` says in a sentence each what it cannot give, never to be
    taken for zeros (R14).
    """

    input_counts: InputCounts
    windows: Windows
    screen: Screen
    idle: Idle
    blind_because: str = ""
    desktop: str = ""
    lacks: Mapping[Lack, str] = field(default_factory=dict)

    def introduced(self) -> tuple[str, ...]:
        """Return what the tracker says of this desktop at its start: what will be missing (R14, R16)."""
        if self.blind_because:
            return (f"{self.blind_because} Segments will have neither picture nor counts.",)
        return tuple(self.lacks.values())

    def close(self) -> None:
        """Let go of the desktop."""
        self.input_counts.stop()
        self.windows.close()
        self.idle.close()


def edges_of(environment: Mapping[str, str] = os.environ, platform: str = sys.platform) -> Edges:
    """Return the edges of the desktop this process runs on.

    A Wayland session is recognised before DISPLAY is believed: its X server shows only some windows and
    would under-count without a word (R14).
    """
    if platform == "win32":
        from capture.win32.edges import windows_edges

        return windows_edges()
    if platform == "darwin":
        from capture.macos.edges import macos_edges

        return macos_edges()
    if environment.get("WAYLAND_DISPLAY") or environment.get("XDG_SESSION_TYPE") == "wayland":
        from capture.wayland.edges import wayland_edges

        return wayland_edges(environment)
    if not environment.get("DISPLAY"):
        return blind_edges("There is no X11 display here (DISPLAY is not set).")
    from capture.input_counts import X11InputCounts
    from capture.linux.idle import LinuxIdle
    from capture.x11.idle import X11Idle
    from capture.x11.screen import X11Screen
    from capture.x11.windows import X11Windows

    idle = LinuxIdle(X11Idle(), environment)
    return Edges(X11InputCounts(), X11Windows(), X11Screen(), idle, desktop="X11")


def blind_edges(because: str) -> Edges:
    """Return edges that see nothing and say so."""
    nothing = Nothing()
    return Edges(nothing, nothing, nothing, nothing, because)


class Nothing:
    """The edges of a machine without a desktop, and each edge that a desktop lacks."""

    def start(self) -> bool:
        """Count nothing (see `InputCounts`)."""
        return False

    def stop(self) -> None:
        """Nothing was counted."""
        return

    def take_minute(self) -> Sample:
        """Return None throughout, never zeros (R14)."""
        return Sample()

    def active(self) -> ActiveWindow:
        """Return no window (see `Windows`)."""
        return ActiveWindow()

    def visible(self) -> None:
        """Return that positions are not known (see `Windows`)."""
        return

    def grab(self, monitors: Monitors, middle: tuple[int, int] | None) -> NoPicture:  # noqa: ARG002  # the promise names them
        """Return that there is no display (see `Screen`)."""
        return "no_display"

    def idle_ms(self) -> None:
        """Return that it is not known (see `Idle`)."""
        return

    def is_locked(self) -> bool:
        """Return False: nothing is known of it (see `Idle`)."""
        return False

    def watch(self, wake: Callable[[], None]) -> None:
        """Nothing changes (see `Idle`)."""

    def close(self) -> None:
        """Nothing is open."""
        return
