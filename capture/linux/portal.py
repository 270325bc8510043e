"""Pictures by the desktop's portal, where no program gets the pixels itself: GNOME, KDE (R13, R16).

org.freedesktop.portal.Screenshot. The desktop asks its user once whether this program may take pictures and
remembers the answer. It hands the picture over in a file, which is read and removed at once: it is the one
picture that is ever on the disk in clear, for that moment, and docs/platforms.md says so.
"""

import contextlib
import os
import secrets
import urllib.parse
from collections.abc import Mapping
from pathlib import Path

from jeepney import DBusAddress
from PIL import Image

from capture.edges import Monitors, NoPicture, Shot
from capture.linux.bus import Bus, BusError
from capture.snapshot import is_black

ANSWER_SECONDS_MAX = 120.0  # a person may be asked first
PICTURE_BYTES_MAX = 512 * 1024 * 1024  # uncompressed, four 4K monitors take a quarter of it
ALLOWED = 0  # the portal's answers: 1 is "cancelled", 2 "ended otherwise", a remembered no among them
NAME = "org.freedesktop.portal.Desktop"
_REQUESTS = "/org/freedesktop/portal/desktop/request"
_SCREENSHOT = DBusAddress("/org/freedesktop/portal/desktop", NAME, "org.freedesktop.portal.Screenshot")


class PortalScreen:
    """The picture that the desktop's portal gives (see `Screen`): of all monitors, always."""

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        self._environment = environment

    def offered(self) -> bool:
        """Return whether there is a portal that takes pictures. Never raises."""
        try:
            with Bus("session", self._environment) as bus:
                return bool(bus.property(_SCREENSHOT, "version"))
        except BusError:
            return False

    def grab(self, monitors: Monitors, middle: tuple[int, int] | None) -> Shot | NoPicture:  # noqa: ARG002  # it takes no wish
        """Return all monitors; else the reason (see `Screen`)."""
        try:
            with Bus("session", self._environment) as bus:
                answer, uri = _asked(bus)
        except BusError:
            return "failed"
        if answer != ALLOWED:
            return "no_permission"
        try:
            picture = _taken_from(uri)
        except (OSError, ValueError, MemoryError, Image.DecompressionBombError):
            return "failed"
        return "black" if is_black(picture) else Shot(picture)


def _asked(bus: Bus) -> tuple[int, str]:
    """Return the portal's answer and the picture's address.

    Raises:
        BusError: There is no portal, or it answers nobody.
    """
    token = f"workdiary{secrets.token_hex(8)}"
    # The answer may come before the call returns, so it is awaited where the portal will tell it.
    place = f"{_REQUESTS}/{bus.name[1:].replace('.', '_')}/{token}"
    bus.subscribe("org.freedesktop.portal.Request", "Response", place)
    wishes = {"handle_token": ("s", token), "interactive": ("b", False), "modal": ("b", False)}
    (handle,) = bus.ask(_SCREENSHOT, "Screenshot", "sa{sv}", ("", wishes), seconds_max=ANSWER_SECONDS_MAX)
    if handle != place:  # portals before 0.9 choose another one
        bus.subscribe("org.freedesktop.portal.Request", "Response", str(handle))
    told = bus.next_told(ANSWER_SECONDS_MAX)
    answer, results = told.body
    _, uri = results.get("uri", ("s", ""))
    return int(answer), str(uri)


def _taken_from(uri: str) -> Image.Image:
    """Return the picture in the portal's file, and remove the file whatever it holds.

    Raises:
        ValueError: It is no file of this machine's, or no picture.
        OSError: It cannot be read.
    """
    address = urllib.parse.urlsplit(uri)
    path = Path(urllib.parse.unquote(address.path))
    if address.scheme != "file" or address.netloc not in {"", "localhost"} or not path.is_absolute():
        raise ValueError("The portal names no file.")
    try:
        if path.stat().st_size > PICTURE_BYTES_MAX:
            raise ValueError("The portal's file is too large for a picture.")
        with Image.open(path) as image:
            return image.convert("RGB")
    finally:
        with contextlib.suppress(OSError):
            path.unlink()
