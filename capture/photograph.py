"""The snapshot's moment: the window's names, the screen's picture, masked and encoded (R13, R16, R22)."""

import time
from dataclasses import dataclass

from PIL import Image

from capture.draft import Snapshot
from capture.edges import ActiveWindow, Box, Edges, Monitors, NoPicture, Shot
from capture.privacy import Look, Privacy, in_picture, look
from capture.snapshot import encode
from diary.clock import Clock
from diary.rules.sealed_content import Moment

NAME_LENGTH_MAX = 300  # characters: a version stays about a kilobyte
# A browser shows a page before it says its title, and keeps the title a moment after the page is gone.
SETTLE_SECONDS = 0.3
LOOKS_MAX = 4  # at a desktop on which private windows move; then the whole picture is masked


@dataclass(frozen=True, slots=True)
class Taken:
    """What the moment shows, all that is private gone from it; `picture` is the reason where there is none.

    `boxes` are what was blacked out, in the picture's pixels.
    """

    application: str
    title: str
    picture: Image.Image | NoPicture
    masked: bool = False
    boxes: tuple[Box, ...] = ()


def photograph(
    edges: Edges, monitors: Monitors, clock: Clock, privacy: Privacy | None = None
) -> Snapshot | None:
    """Return what this moment shows, or the reason why there is no picture.

    None where something private is to be seen and may not be masked (R22). It takes about half a second of
    one core, most of it for the encoding: call it where nothing waits.
    """
    moment = Moment(wall_ms=clock.now_ms(), monotonic_ms=clock.monotonic_ms(), boot=clock.boot())
    if edges.idle.is_locked():
        return Snapshot(moment, no_picture="locked")
    taken = take(edges, monitors, privacy or Privacy())
    if taken is None:
        return None
    names = (taken.application[:NAME_LENGTH_MAX], taken.title[:NAME_LENGTH_MAX])
    if isinstance(taken.picture, str):
        return Snapshot(moment, *names, no_picture=taken.picture, masked=taken.masked)
    try:
        encoded = encode(taken.picture)
    except (OSError, ValueError, MemoryError):
        # Whatever the encoder trips over, the segment counts and says that its picture failed.
        return Snapshot(moment, *names, no_picture="failed", masked=taken.masked)
    pictures = (("screen", encoded.screen), ("thumbnail", encoded.thumbnail))
    return Snapshot(moment, *names, pictures=pictures, masked=taken.masked)


def take(edges: Edges, monitors: Monitors, privacy: Privacy) -> Taken | None:
    """Return names and picture, masked before anything else sees them; None where masking is forbidden (R22).

    The desktop is looked at before and after the picture, until both looks find the same private windows in
    the same places. Where they never do, or places cannot be known, the whole picture is masked.
    """
    if not privacy.hides_anything:
        active = edges.windows.active()
        shot = edges.screen.grab(monitors, active.middle)
        picture = shot if isinstance(shot, str) else shot.picture
        return Taken(active.application, active.title, picture)
    for _ in range(LOOKS_MAX):
        before = _look(edges, privacy)
        time.sleep(SETTLE_SECONDS)
        shot = edges.screen.grab(monitors, before.active.middle)
        time.sleep(SETTLE_SECONDS)
        after = _look(edges, privacy)
        if before.boxes == after.boxes:
            break
        if not isinstance(shot, str):
            shot.picture.close()  # what cannot be masked rightly is not kept any longer
    else:
        return _masked(shot, before.active, None, hides_title=True, privacy=privacy)
    hides_title = before.is_active_private or after.is_active_private
    return _masked(shot, before.active, before.boxes, hides_title=hides_title, privacy=privacy)


def is_private_shown(edges: Edges, monitors: Monitors, privacy: Privacy) -> bool:
    """Return whether tracking pauses now, where nothing may be masked (R22).

    Where only the active window's monitor is captured, its own window decides; what else that monitor shows
    is looked at when the picture is taken.
    """
    seen = _look(edges, privacy)
    if monitors == "active":
        return seen.is_active_private
    return seen.is_active_private or seen.boxes is None or bool(seen.boxes)


def _look(edges: Edges, privacy: Privacy) -> Look:
    return look(privacy, edges.windows.active(), edges.windows.visible())


def _masked(
    shot: Shot | NoPicture,
    active: ActiveWindow,
    private: frozenset[Box] | None,
    *,
    hides_title: bool,
    privacy: Privacy,
) -> Taken | None:
    """Return the picture with what is private blacked out; all of it where `private` is None."""
    if hides_title:
        active = ActiveWindow()
    if isinstance(shot, str):
        may_be_kept = privacy.may_mask or not hides_title
        return Taken(active.application, active.title, shot, masked=hides_title) if may_be_kept else None
    size = shot.picture.size
    boxes: tuple[Box, ...] = ((0, 0, *size),)
    if private is not None:
        boxes = in_picture(private, shot.left, shot.top, shot.scale, size)
    is_masked = bool(boxes) or hides_title
    if is_masked and not privacy.may_mask:
        return None
    picture = shot.picture if private is not None else Image.new("RGB", size)
    for left, top, width, height in boxes:
        picture.paste(0, (left, top, left + width, top + height))
    return Taken(active.application, active.title, picture, masked=is_masked, boxes=boxes)
