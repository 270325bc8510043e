"""Titles and places of windows by sway's own interface (R13, R22).

i3's IPC protocol (i3wm.org, "IPC interface"), which sway speaks: the word "i3-ipc", a length and a type, then
JSON, in both directions.
"""

import json
import os
import socket
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from capture.edges import ActiveWindow, Box, VisibleWindow
from capture.one_line import one_line
from capture.wayland.layout import Layout, Monitor, around

ANSWER_SECONDS_MAX = 5.0
ANSWER_BYTES_MAX = 32 * 1024 * 1024  # hundreds of windows take half a megabyte
DEPTH_MAX = 200  # of containers in containers
_MAGIC = b"i3-ipc"
_HEADER = struct.Struct("=6sII")
_OUTPUTS, _TREE = 3, 4
_NOWHERE = {"x": 0, "y": 0, "width": 0, "height": 0}
_SIDEWAYS = {"90", "270", "flipped-90", "flipped-270"}


class SwayWindows:
    """The windows of sway, asked anew each time (see `Windows`)."""

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        self._path = environment.get("SWAYSOCK", "")

    def active(self) -> ActiveWindow:
        """Return the window with the focus (see `Windows`)."""
        try:
            tree, layout = self._look()
        except (OSError, ValueError):
            return ActiveWindow()
        for window in _windows(tree):
            if window.node.get("focused"):
                left, top, width, height = layout.in_whole(_box(window.node["rect"]))
                return ActiveWindow(window.application, window.title, (left + width // 2, top + height // 2))
        return ActiveWindow()

    def visible(self) -> tuple[VisibleWindow, ...] | None:
        """Return every window that may have pixels on a monitor (see `Windows`).

        Sway does not tell where a window's menus are, and they may reach out of it. Only the window with the
        focus keeps any open, so that one may have pixels anywhere on its monitors.
        """
        try:
            tree, layout = self._look()
        except (OSError, ValueError):
            return None
        found = ((window, window.reach(layout)) for window in _windows(tree))
        return tuple(
            VisibleWindow(window.application, window.title, layout.in_whole(box))
            for window, box in found
            if box
        )

    def close(self) -> None:
        """Nothing is open between two questions."""

    def _look(self) -> tuple[dict[str, Any], Layout]:
        """Return the tree of windows and where the monitors lie.

        Raises:
            OSError: Sway does not answer.
            ValueError: What it says is not what it should be.
        """
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
            line.settimeout(ANSWER_SECONDS_MAX)
            line.connect(self._path)
            try:
                tree, outputs = _answer(line, _TREE), _answer(line, _OUTPUTS)
                monitors = [_monitor(output) for output in outputs if output.get("active")]
            except (KeyError, TypeError, AttributeError, struct.error, RecursionError) as fault:
                raise ValueError("Sway answers in an unknown form.") from fault
        if not isinstance(tree, dict) or not monitors:
            raise ValueError("Sway tells of no monitor.")
        return tree, Layout(monitors)


def _answer(line: socket.socket, question: int) -> Any:
    line.sendall(_HEADER.pack(_MAGIC, 0, question))
    magic, length, _ = _HEADER.unpack(_exactly(line, _HEADER.size))
    if magic != _MAGIC or length > ANSWER_BYTES_MAX:
        raise ValueError("This is not sway.")
    return json.loads(_exactly(line, length))


def _exactly(line: socket.socket, length: int) -> bytes:
    parts: list[bytes] = []
    while length:
        part = line.recv(min(length, 65_536))
        if not part:
            raise OSError("Sway ended the line.")
        parts.append(part)
        length -= len(part)
    return b"".join(parts)


def _monitor(output: dict[str, Any]) -> Monitor:
    mode = output["current_mode"]
    size = (int(mode["width"]), int(mode["height"]))
    sideways = output.get("transform") in _SIDEWAYS
    return Monitor(str(output["name"]), _box(output["rect"]), size[::-1] if sideways else size)


@dataclass(frozen=True, slots=True)
class _Window:
    """A node of sway's tree that is a window, and the one that it stands in."""

    node: dict[str, Any]
    parent: dict[str, Any]

    @property
    def application(self) -> str:
        """Return the application: a Wayland window's id, or the class of one that comes through Xwayland."""
        of_x11 = self.node.get("window_properties") or {}
        return one_line(str(self.node.get("app_id") or of_x11.get("class") or ""))

    @property
    def title(self) -> str:
        return one_line(str(self.node.get("name") or ""))

    def reach(self, layout: Layout) -> Box | None:
        """Return the logical box in which it may have pixels; None where it has none."""
        title_bar = self._title_bar()
        if not self.node.get("visible", True):
            # Behind another tab its title is to be seen all the same.
            shown = any(window.node.get("visible") for window in _windows(self.parent))
            return title_bar if shown else None
        box = around([_box(self.node["rect"]), title_bar] if title_bar else [_box(self.node["rect"])])
        return layout.of_box(box) if self.node.get("focused") else box

    def _title_bar(self) -> Box | None:
        """Return the title bar's logical box: sway places it within the parent's."""
        left, top, width, height = _box(self.node.get("deco_rect") or _NOWHERE)
        place = self.parent["rect"]
        return (int(place["x"]) + left, int(place["y"]) + top, width, height) if width and height else None


def _windows(tree: dict[str, Any]) -> Iterator[_Window]:
    """Yield the nodes that are windows, the lowest first: floating ones lie above the others."""
    waiting = [(tree, tree, 0)]
    while waiting:
        node, parent, depth = waiting.pop()
        below = [*node.get("nodes", ()), *node.get("floating_nodes", ())]
        if depth < DEPTH_MAX:
            waiting.extend((child, node, depth + 1) for child in reversed(below))
        if node.get("pid") and not below:
            yield _Window(node, parent)


def _box(rect: dict[str, Any]) -> Box:
    return int(rect["x"]), int(rect["y"]), int(rect["width"]), int(rect["height"])
