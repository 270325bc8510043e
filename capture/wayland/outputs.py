"""The monitors of a Wayland compositor, as it tells them (R13)."""

from dataclasses import dataclass, field

from capture.wayland.layout import Layout, Monitor
from capture.wayland.wire import Arguments, WaylandError, Wire

_SIDEWAYS = {1, 3, 5, 7}  # wl_output's transforms by a quarter turn, the later two flipped as well


@dataclass(slots=True)
class Output:
    """One wl_output with what it has told so far."""

    wire: Wire
    id: int = 0
    position: tuple[int, int] = (0, 0)
    pixels: tuple[int, int] = (0, 0)
    transform: int = 0
    scale: int = 1
    name: str = ""
    logical_position: tuple[int, int] | None = None
    logical_size: tuple[int, int] | None = field(default=None)

    def told(self, opcode: int, event: Arguments) -> None:
        """Take in an event of wl_output."""
        if opcode == 0:  # geometry
            self.position = (event.signed(), event.signed())
            for _ in range(3):
                event.signed()
            event.text()
            event.text()
            self.transform = event.signed()
        elif opcode == 1:  # mode; bit 0 says that it is the current one
            if event.number() & 1:
                self.pixels = (event.signed(), event.signed())
        elif opcode == 3:
            self.scale = max(1, event.signed())

    def told_logically(self, opcode: int, event: Arguments) -> None:
        """Take in an event of zxdg_output_v1, which knows of scales that are no whole number."""
        if opcode == 0:
            self.logical_position = (event.signed(), event.signed())
        elif opcode == 1:
            self.logical_size = (event.signed(), event.signed())
        elif opcode == 3:
            self.name = event.text()

    def monitor(self) -> Monitor:
        """Return the monitor as it is looked at."""
        width, height = self.pixels if self.transform not in _SIDEWAYS else self.pixels[::-1]
        size = self.logical_size or (width // self.scale, height // self.scale)
        return Monitor(self.name, (*(self.logical_position or self.position), *size), (width, height))


def outputs_of(wire: Wire) -> list[Output]:
    """Return the compositor's monitors that show something.

    Raises:
        WaylandError: There is none, or the line ended.
    """
    found: list[Output] = []
    logically = wire.bind("zxdg_output_manager_v1", 2)
    for offered in wire.offers.get("wl_output", ()):
        output = Output(wire)
        output.id = wire.bind_one("wl_output", offered, 2, output.told)
        if logically is not None:
            wire.send(logically, 1, wire.new(output.told_logically), output.id)
        found.append(output)
    wire.round_trip()
    lit = [output for output in found if all(output.monitor().logical[2:]) and all(output.pixels)]
    if not lit:
        raise WaylandError("The compositor has no monitor.")
    return lit


def layout_of(outputs: list[Output]) -> Layout:
    """Return where they lie."""
    return Layout([output.monitor() for output in outputs])
