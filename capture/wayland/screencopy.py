"""Pictures by wlroots' screencopy, where a compositor offers it: sway, Hyprland, labwc, Wayfire, river (R13).

wlr-screencopy-unstable-v1. The compositor writes each monitor's pixels into memory that only the two share.
"""

import mmap
import os
from collections.abc import Mapping
from dataclasses import dataclass

from PIL import Image

from capture.edges import Monitors, NoPicture, Shot
from capture.snapshot import is_black
from capture.wayland.layout import Layout
from capture.wayland.outputs import Output, layout_of, outputs_of
from capture.wayland.wire import Arguments, WaylandError, Wire

MANAGER = "zwlr_screencopy_manager_v1"
SIDE_MAX = 32_768  # pixels; what is longer is no monitor

# wl_shm's formats: two have numbers of their own, the others are named by four letters; all lie in memory
# lowest byte first.
_PIXELS = {
    0: "BGRX",  # ARGB8888
    1: "BGRX",  # XRGB8888
    int.from_bytes(b"XB24", "little"): "RGBX",
    int.from_bytes(b"AB24", "little"): "RGBX",
    int.from_bytes(b"BG24", "little"): "RGB",
    int.from_bytes(b"RG24", "little"): "BGR",
}
# What turns a monitor's own pixels into what is looked at, by wl_output's transform.
_TURNS = {
    1: (Image.Transpose.ROTATE_270,),
    2: (Image.Transpose.ROTATE_180,),
    3: (Image.Transpose.ROTATE_90,),
    4: (Image.Transpose.FLIP_LEFT_RIGHT,),
    5: (Image.Transpose.FLIP_LEFT_RIGHT, Image.Transpose.ROTATE_90),
    6: (Image.Transpose.FLIP_LEFT_RIGHT, Image.Transpose.ROTATE_180),
    7: (Image.Transpose.FLIP_LEFT_RIGHT, Image.Transpose.ROTATE_270),
}


class CopiedScreen:
    """The monitors of a compositor that offers screencopy (see `Screen`)."""

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        self._environment = environment

    def grab(self, monitors: Monitors, middle: tuple[int, int] | None) -> Shot | NoPicture:
        """Return all monitors, or the one that holds `middle` (see `Screen`)."""
        try:
            # A line of its own for each picture: one in ten minutes, and monitors come and go in between.
            wire = Wire(self._environment)
        except WaylandError:
            return "no_display"
        with wire:
            try:
                shot = _shot(wire, monitors, middle)
            except (OSError, ValueError, MemoryError):
                return "failed"
        return "black" if is_black(shot.picture) else shot


def _shot(wire: Wire, monitors: Monitors, middle: tuple[int, int] | None) -> Shot:
    outputs = outputs_of(wire)
    layout = layout_of(outputs)
    held = layout.holding(middle) if monitors == "active" else None
    if held is None:
        return Shot(_whole(wire, outputs, layout))
    left, top, width, _ = layout.in_whole(held.logical)
    picture = _copied(wire, outputs[list(layout.monitors).index(held)])
    return Shot(picture, left, top, picture.width / width)


def _whole(wire: Wire, outputs: list[Output], layout: Layout) -> Image.Image:
    whole = Image.new("RGB", layout.size)
    for output, monitor in zip(outputs, layout.monitors, strict=True):
        left, top, width, height = layout.in_whole(monitor.logical)
        picture = _copied(wire, output)
        if picture.size != (width, height):
            picture = picture.resize((width, height))
        whole.paste(picture, (left, top))
    return whole


@dataclass(slots=True)
class _Frame:
    """What the compositor says of one picture on its way."""

    format: int | None = None
    size: tuple[int, int] = (0, 0)
    row_bytes: int = 0
    upside_down: bool = False
    ended: bool = False
    failed: bool = False

    def told(self, opcode: int, event: Arguments) -> None:
        """Take in an event of zwlr_screencopy_frame_v1."""
        if opcode == 0:
            self.format = event.number()
            self.size = (event.number(), event.number())
            self.row_bytes = event.number()
        elif opcode == 1:
            self.upside_down = bool(event.number() & 1)
        elif opcode in {2, 3}:
            self.ended, self.failed = True, opcode == 3


def _copied(wire: Wire, output: Output) -> Image.Image:
    """Return one monitor's picture as it is looked at.

    Raises:
        WaylandError: The compositor does not offer it, or failed.
    """
    manager, memory = wire.bind(MANAGER, 1), wire.bind("wl_shm", 1)
    if manager is None or memory is None:
        raise WaylandError("The compositor offers no screencopy.")
    frame = _Frame()
    copying = wire.new(frame.told)
    wire.send(manager, 0, copying, 0, output.id)
    wire.listen_until(lambda: frame.format is not None or frame.ended)
    width, height = frame.size
    order = _PIXELS.get(-1 if frame.format is None else frame.format)
    if order is None or not 0 < width <= SIDE_MAX or not 0 < height <= SIDE_MAX:
        raise WaylandError("The compositor gives pixels of an unknown kind.")
    length = frame.row_bytes * height
    file = os.memfd_create("workdiary-picture")
    try:
        os.truncate(file, length)
        pool, buffer = wire.new(), wire.new()
        wire.send(memory, 0, pool, length, file=file)
        wire.send(pool, 0, buffer, 0, width, height, frame.row_bytes, frame.format or 0)
        wire.send(copying, 0, buffer)
        wire.listen_until(lambda: frame.ended)
        if frame.failed:
            raise WaylandError("The compositor took no picture.")
        with mmap.mmap(file, length, prot=mmap.PROT_READ) as pixels:
            direction = -1 if frame.upside_down else 1
            picture = Image.frombytes("RGB", frame.size, pixels[:], "raw", order, frame.row_bytes, direction)
    finally:
        os.close(file)
    for turn in _TURNS.get(output.transform, ()):
        picture = picture.transpose(turn)
    return picture
