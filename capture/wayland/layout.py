"""Where monitors of several scales lie in the picture of them all (R13, R22): arithmetic only.

A compositor places monitors and windows in logical pixels; a picture has each monitor's own. The whole is
drawn at the finest monitor's scale, so that nothing loses a pixel.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from capture.edges import Box


@dataclass(frozen=True, slots=True)
class Monitor:
    """A monitor: its logical box, and the size of its own picture as it is looked at (turned, if it is)."""

    name: str
    logical: Box
    size: tuple[int, int]

    @property
    def scale(self) -> float:
        """Return how many of its pixels a logical one is long."""
        return self.size[0] / self.logical[2]


@dataclass(frozen=True, slots=True)
class Layout:
    """All monitors together; at least one."""

    monitors: Sequence[Monitor]

    @property
    def scale(self) -> float:
        """Return the finest monitor's scale, at which the whole is drawn."""
        return max(monitor.scale for monitor in self.monitors)

    @property
    def size(self) -> tuple[int, int]:
        """Return the whole's size in pixels."""
        return self.in_whole(self._all())[2:]

    def in_whole(self, logical: Box) -> Box:
        """Return a logical box in pixels of the whole, none of its own cut off."""
        left, top, _, _ = self._all()
        x, y, width, height = logical
        # Each edge by itself, so that boxes that touch still do.
        begin = (int((x - left) * self.scale // 1), int((y - top) * self.scale // 1))
        end = (-int(-(x + width - left) * self.scale // 1), -int(-(y + height - top) * self.scale // 1))
        return *begin, end[0] - begin[0], end[1] - begin[1]

    def holding(self, middle: tuple[int, int] | None) -> Monitor | None:
        """Return the monitor that holds this place of the whole; None where none does."""
        if middle is None:
            return None
        for monitor in self.monitors:
            left, top, width, height = self.in_whole(monitor.logical)
            if left <= middle[0] < left + width and top <= middle[1] < top + height:
                return monitor
        return None

    def of_box(self, logical: Box) -> Box:
        """Return the logical box of the monitors that a box reaches into; of all where it reaches none."""
        x, y, width, height = logical
        touched = [
            monitor.logical
            for monitor in self.monitors
            if monitor.logical[0] < x + width
            and x < monitor.logical[0] + monitor.logical[2]
            and monitor.logical[1] < y + height
            and y < monitor.logical[1] + monitor.logical[3]
        ] or [monitor.logical for monitor in self.monitors]
        return around(touched)

    def _all(self) -> Box:
        return around([monitor.logical for monitor in self.monitors])


def around(boxes: Sequence[Box]) -> Box:
    """Return the box around these; at least one."""
    left, top = min(box[0] for box in boxes), min(box[1] for box in boxes)
    right = max(box[0] + box[2] for box in boxes)
    bottom = max(box[1] + box[3] for box in boxes)
    return left, top, right - left, bottom - top
