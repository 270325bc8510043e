"""Where a picture comes from that lies at the server only: the room that syncs says so (R31).

By entry point, group "workdiary.pictures": each object is a function `fetch(diary, names)`. Without that room
nothing is fetched.
"""

from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING

from diary.errors import PeerError
from diary.rules.timesheet import SegmentView

if TYPE_CHECKING:
    from diary.look_door import LookDoor

PICTURES = "workdiary.pictures"


def fetch_thinned(diary: "LookDoor", segments: Iterable[SegmentView]) -> str:
    """Fetch the thinned pictures of segments; return why some could not be, "" where all came.

    `diary` is a whole `Diary` where any are thinned: the room that syncs is given it.
    """
    names = thinned_names(segments)
    if not names:
        return ""
    from importlib.metadata import entry_points

    try:
        for point in entry_points(group=PICTURES):
            point.load()(diary, names)
    except PeerError as fault:
        return fault.in_full
    return ""


def thinned_names(segments: Iterable[SegmentView]) -> Collection[str]:
    """Return the names of the pictures of which only thumbnails are here."""
    shots = (shot for segment in segments for shot in segment.snapshots if shot.thinned)
    return {name for shot in shots for name in (shot.screen, shot.camera) if name}
