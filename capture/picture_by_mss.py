"""The picture of the screen by mss (R13), or the reason why there is none (R16): X11, Windows and macOS."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from capture.edges import Monitors, NoPicture, Shot

MonitorBox = Mapping[str, int]


def picture_by_mss(
    monitors: Monitors, middle: tuple[int, int] | None, open_camera: Callable[[], Any] | None = None
) -> Shot | NoPicture:
    """Return all monitors, or the one that holds `middle`; else the reason (see `Screen`).

    Use it from one thread: its library is not made for two.
    """
    # Imported here: the tracker holds the edges and takes no picture itself.
    import mss
    from mss.exception import ScreenShotError
    from PIL import Image

    from capture.snapshot import is_black

    try:
        # Opened anew for each picture: one in ten minutes, and monitors come and go in between.
        camera = (open_camera or mss.MSS)()
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

    `monitors` are mss's: first the box around all, then each. Its places may be negative; `middle` is counted
    from the corner of the whole.
    """
    whole = monitors[0]
    if middle is None:
        return whole
    x, y = middle[0] + whole["left"], middle[1] + whole["top"]
    for box in monitors[1:]:
        if 0 <= x - box["left"] < box["width"] and 0 <= y - box["top"] < box["height"]:
            return box
    return whole
