"""What of a picture is blacked out, by the windows that are seen before and after it (R22).

This file decides; it never asks the desktop. Where it cannot know, it hides more.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, floor

from capture.edges import ActiveWindow, Box, VisibleWindow
from diary.rules.private import PrivateRule, hiding

MARGIN = 4  # pixels around a window: a frame's border drawn by a compositor, a scale that was rounded


@dataclass(frozen=True, slots=True)
class Privacy:
    """What is private now: the rules, None where they could not be read, and whether masking is allowed."""

    rules: tuple[PrivateRule, ...] | None = ()
    may_mask: bool = True

    @property
    def hides_anything(self) -> bool:
        """Return whether there is anything to look for."""
        return self.rules is None or bool(self.rules)

    def hides(self, window: ActiveWindow) -> bool:
        """Return whether a window's names must not be kept."""
        if self.rules is None:
            return True
        return hiding(self.rules, window.application, window.title) is not None


@dataclass(frozen=True, slots=True)
class Look:
    """One look at the desktop: where private windows are, None where that cannot be known."""

    active: ActiveWindow
    is_active_private: bool
    boxes: frozenset[Box] | None


def look(privacy: Privacy, active: ActiveWindow, visible: Sequence[VisibleWindow] | None) -> Look:
    """Return what a look at the desktop shows that is private."""
    boxes = None
    if visible is not None and privacy.rules is not None:
        boxes = frozenset(each.box for each in private_windows(privacy.rules, visible))
    return Look(active, privacy.hides(active), boxes)


def private_windows(
    rules: Sequence[PrivateRule], visible: Sequence[VisibleWindow]
) -> tuple[VisibleWindow, ...]:
    """Return the windows that a rule hides."""
    return tuple(each for each in visible if hiding(rules, each.application, each.title) is not None)


def in_picture(
    boxes: frozenset[Box], left: int, top: int, scale: float, size: tuple[int, int]
) -> tuple[Box, ...]:
    """Return the boxes as they lie in a picture, each with a margin and cut to it; none that lies beside it.

    `left`, `top` and `scale` place the picture in the whole (see `Shot`).
    """
    found = []
    for x, y, width, height in sorted(boxes):
        first_x, end_x = floor((x - left) * scale), ceil((x + width - left) * scale)
        first_y, end_y = floor((y - top) * scale), ceil((y + height - top) * scale)
        if end_x <= 0 or end_y <= 0 or first_x >= size[0] or first_y >= size[1]:
            continue
        first_x, first_y = max(0, first_x - MARGIN), max(0, first_y - MARGIN)
        end_x, end_y = min(size[0], end_x + MARGIN), min(size[1], end_y + MARGIN)
        found.append((first_x, first_y, end_x - first_x, end_y - first_y))
    return tuple(found)
