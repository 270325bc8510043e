"""The picture of an X server's screen (R13)."""

import os

from capture.edges import Monitors, NoPicture, Shot
from capture.picture_by_mss import picture_by_mss


class X11Screen:
    """The monitors of an X server."""

    def grab(self, monitors: Monitors, middle: tuple[int, int] | None) -> Shot | NoPicture:
        """Return all monitors, or the one that holds `middle` (see `Screen`)."""
        return picture_by_mss(monitors, middle) if os.environ.get("DISPLAY") else "no_display"
