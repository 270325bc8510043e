"""One frame of the camera beside a snapshot, only where its freelancer turned that on (R13).

PyAV opens the cameras of Linux, macOS and Windows alike. The camera is open for as long as the frame
takes, about a second, and its light with it; nothing here could leave the light off. A snapshot of which
anything is masked, or that a locked screen kept back, has no frame either.
"""

import sys
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image

from capture.draft import Snapshot
from capture.snapshot import encode_frame

if TYPE_CHECKING:
    from collections.abc import Iterable

    from av import VideoFrame

WARMING_FRAMES = 8  # a camera finds its exposure in its first frames; a file may have fewer
SECONDS_MAX = 10.0  # to open, and for each frame
SIDE_MAX = 640  # pixels: who sits there is to be seen, not what lies on the desk
# By platform: how FFmpeg reads cameras there, and what the first one is called.
_CAMERAS = {"linux": ("v4l2", "/dev/video0"), "darwin": ("avfoundation", "0"), "win32": ("dshow", "")}

NOT_INSTALLED = "The camera needs the package av, which is not installed: install workdiary[camera]."
NO_NAME = "Name the camera: diary config camera_source video=NAME."
NO_CAMERA = "The camera gave no frame: {because}."


class CameraFault(Exception):  # noqa: N818  # a reason that is said, as `errors` calls them
    """There is no frame; the text says why in a sentence."""


def with_frame(snapshot: Snapshot | None, source: str | None) -> Snapshot | None:
    """Return the snapshot with a camera's frame as a picture of its own, role "camera" (R13).

    `source` is the camera's name, "" for the first, None where its freelancer did not turn it on. A snapshot
    without a picture, or with anything masked, gets none (R16, R22).
    """
    if source is None or snapshot is None or snapshot.masked or not snapshot.pictures:
        return snapshot
    try:
        frame = encode_frame(take_frame(source))
    except CameraFault as fault:
        return replace(snapshot, camera_fault=str(fault))
    return replace(snapshot, pictures=(*snapshot.pictures, ("camera", frame)))


def take_frame(source: str) -> Image.Image:
    """Return one frame of a camera, "" for the first, or of a file of frames.

    Raises:
        CameraFault: There is none, with the reason.
    """
    kind, first = _CAMERAS.get(sys.platform, _CAMERAS["linux"])
    name = source or first
    if not name:
        raise CameraFault(NO_NAME)
    try:
        # Imported here: it is an extra of a hundred megabytes.
        import av
    except ModuleNotFoundError:
        raise CameraFault(NOT_INSTALLED) from None
    try:
        with av.open(name, format=None if Path(name).is_file() else kind, timeout=SECONDS_MAX) as camera:
            image = _last_image(islice(camera.decode(video=0), WARMING_FRAMES))
    except (av.FFmpegError, OSError, ValueError, IndexError) as error:
        raise CameraFault(NO_CAMERA.format(because=_because(error))) from error
    if image is None:
        raise CameraFault(NO_CAMERA.format(because="it is open and sends nothing"))
    image.thumbnail((SIDE_MAX, SIDE_MAX))
    return image


def _last_image(frames: "Iterable[VideoFrame]") -> Image.Image | None:
    last = None
    for frame in frames:
        last = frame
    return None if last is None else last.to_image()  # type: ignore[no-untyped-call]  # av types it not


def _because(error: Exception) -> str:
    """Return what the system says of it, as the end of a sentence."""
    return getattr(error, "strerror", None) or "it shows no picture"
