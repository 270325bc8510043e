"""Titles of windows, and on which monitors they are, where a compositor tells every program (R13, R22).

wlr-foreign-toplevel-management-unstable-v1: sway, Hyprland, labwc, Wayfire, river. It tells no places. So a
window's box is that of its monitors: it may have pixels anywhere on them.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field

from capture.edges import ActiveWindow, Box, VisibleWindow
from capture.one_line import one_line
from capture.wayland.layout import Layout, around
from capture.wayland.outputs import Output, layout_of, outputs_of
from capture.wayland.wire import Arguments, WaylandError, Wire

MANAGER = "zwlr_foreign_toplevel_manager_v1"
_MINIMISED, _ACTIVATED = 1, 2


@dataclass(slots=True)
class _Toplevel:
    """A window as far as it was told."""

    title: str = ""
    application: str = ""
    outputs: set[int] = field(default_factory=set)
    states: tuple[int, ...] = ()
    closed: bool = False

    def told(self, opcode: int, event: Arguments) -> None:
        """Take in an event of zwlr_foreign_toplevel_handle_v1."""
        if opcode == 0:
            self.title = one_line(event.text())
        elif opcode == 1:
            self.application = one_line(event.text())
        elif opcode == 2:
            self.outputs.add(event.number())
        elif opcode == 3:
            self.outputs.discard(event.number())
        elif opcode == 4:
            self.states = event.numbers()
        elif opcode == 6:
            self.closed = True


@dataclass(frozen=True, slots=True)
class _Desk:
    """What was told of all windows and monitors at one moment."""

    toplevels: list[_Toplevel]
    outputs: list[Output]
    layout: Layout

    def box(self, toplevel: _Toplevel) -> Box:
        """Return the box of the window's monitors; of all, where it is on none that is known."""
        held = [
            monitor.logical
            for output, monitor in zip(self.outputs, self.layout.monitors, strict=True)
            if output.id in toplevel.outputs
        ]
        return self.layout.in_whole(around(held or [monitor.logical for monitor in self.layout.monitors]))


class ToplevelWindows:
    """The windows of such a compositor, asked anew each time (see `Windows`)."""

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        self._environment = environment

    def active(self) -> ActiveWindow:
        """Return the window with the focus (see `Windows`); its middle is its monitor's."""
        desk = self._look()
        for toplevel in desk.toplevels if desk else ():
            if _ACTIVATED in toplevel.states:
                left, top, width, height = desk.box(toplevel) if desk else (0, 0, 0, 0)
                middle = (left + width // 2, top + height // 2) if toplevel.outputs else None
                return ActiveWindow(toplevel.application, toplevel.title, middle)
        return ActiveWindow()

    def visible(self) -> tuple[VisibleWindow, ...] | None:
        """Return every window that is not minimised, each with the box of its monitors (see `Windows`)."""
        desk = self._look()
        if desk is None:
            return None
        return tuple(
            VisibleWindow(toplevel.application, toplevel.title, desk.box(toplevel))
            for toplevel in desk.toplevels
            if _MINIMISED not in toplevel.states
        )

    def close(self) -> None:
        """Nothing is open between two questions."""

    def _look(self) -> _Desk | None:
        """Return what the compositor tells; None where it does not."""
        found: list[_Toplevel] = []
        try:
            with Wire(self._environment) as wire:

                def told(opcode: int, event: Arguments) -> None:
                    if opcode == 0:
                        toplevel = _Toplevel()
                        found.append(toplevel)
                        wire.adopt(event.number(), toplevel.told)

                outputs = outputs_of(wire)
                if wire.bind(MANAGER, 1, told) is None:
                    return None
                wire.round_trip()
        except WaylandError:
            return None
        return _Desk([toplevel for toplevel in found if not toplevel.closed], outputs, layout_of(outputs))
