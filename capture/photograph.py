"""The snapshot's moment: the window's names, the screen's picture, encoded (R13, R16)."""

from capture.draft import Snapshot
from capture.edges import Edges, Monitors
from capture.snapshot import encode
from diary.clock import Clock
from diary.rules.segment import Moment


def photograph(edges: Edges, monitors: Monitors, clock: Clock) -> Snapshot:
    """Return what this moment shows, or the reason why there is no picture.

    It takes about half a second of one core, most of it for the encoding: call it where nothing waits.
    """
    moment = Moment(wall_ms=clock.now_ms(), monotonic_ms=clock.monotonic_ms(), boot=clock.boot())
    if edges.idle.is_locked():
        return Snapshot(moment, no_picture="locked")
    window = edges.windows.active()
    shot = edges.screen.grab(monitors, window.middle)
    if isinstance(shot, str):
        return Snapshot(moment, window.application, window.title, no_picture=shot)
    try:
        encoded = encode(shot.picture)
    except (OSError, ValueError, MemoryError):
        # Whatever the encoder trips over, the segment counts and says that its picture failed.
        return Snapshot(moment, window.application, window.title, no_picture="failed")
    pictures = (("screen", encoded.screen), ("thumbnail", encoded.thumbnail))
    return Snapshot(moment, window.application, window.title, pictures=pictures)
