"""The picture of the screen by mss (R13), or the reason why there is none (R16)."""

import os
from collections.abc import Mapping, Sequence

from capture.edges import Monitors, NoPicture, Shot

MonitorBox = Mapping[str, int]


class X11Screen:
    """The monitors of an X server. Use it from one thread: its library is not made for two."""

    def grab(self, monitors: Monitors, middle: tuple[int, int] | None) -> Shot | NoPicture:
        """Return all monitors, or the one that holds `middle` (see `Screen`)."""
        if not os.environ.get("DISPLAY"):
            return "no_display"
        # Imported here: the tracker holds these edges and takes no picture itself.
        import mss
        from mss.exception import ScreenShotError
        from PIL import Image

        from capture.snapshot import is_black

        try:
            # Opened anew for each picture: one in ten minutes, and the server may have gone in between.
            camera = mss.MSS()
        except (ScreenShotError, OSError):
            return "no_display"
        try:
            with camera:
                boxes = camera.monitors
                box = monitor_of(boxes, middle) if monitors == "active" else boxes[0]
                shot = camera.grab(dict(box))
                picture = Image.frombytes("RGB", shot.size, shot.rgb)
        except (ScreenShotError, OSError, ValueError):
            return "failed"
        if is_black(picture):
            return "black"
        return Shot(picture, box["left"] - boxes[0]["left"], box["top"] - boxes[0]["top"])


def monitor_of(monitors: Sequence[MonitorBox], middle: tuple[int, int] | None) -> MonitorBox:
    """Return the monitor that holds the active window's middle; all of them where none does.

    `monitors` are mss's: first the box around all, then each.
    """
    if middle is None:
        return monitors[0]
    x, y = middle
    for box in monitors[1:]:
        if 0 <= x - box["left"] < box["width"] and 0 <= y - box["top"] < box["height"]:
            return box
    return monitors[0]
