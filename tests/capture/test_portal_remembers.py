"""What the person once answered the portal it remembers: no start of the tracker asks again (R13, R16).

The portal and its store of permissions are the real ones. Its desktop's half, which asks the person and takes
the picture as GNOME's and KDE's do, is played: sway's own half never asks.
"""

import os
import subprocess
from pathlib import Path

import pytest
from PIL import Image

from capture.edges import Shot
from capture.linux.portal import PortalScreen
from tests.buses import MOCK, Bus, own_bus
from tests.capture.test_portal import ACCESS, LIBEXEC, PERSON, PLACE, PORTAL
from tests.desktop import end
from tests.patience import until
from tests.rule import rule

SCREENSHOT = "org.freedesktop.impl.portal.Screenshot"
STORE = "org.freedesktop.impl.portal.PermissionStore"
YES, NO = 0, 1


class AskingPortal:
    """The real portal on a bus, before a desktop whose person gives one answer whenever asked."""

    def __init__(self, bus: Bus, answer: int) -> None:
        self.bus = bus
        portals = bus.folder / "portals"
        portals.mkdir()
        played = f"[portal]\nDBusName={PERSON}\nInterfaces={ACCESS};{SCREENSHOT};\nUseIn=played\n"
        (portals / "played.portal").write_text(played, encoding="utf-8")
        kept, given = bus.folder / "kept.png", bus.folder / "given.png"
        Image.linear_gradient("L").convert("RGB").save(kept)
        bus.serve(PERSON, PLACE, ACCESS)
        bus.call(PERSON, PLACE, MOCK, "AddProperty", "ssv", SCREENSHOT, "version", ("u", 2))
        yes_or_no = f"ret = (dbus.UInt32({answer}), {{}})"
        given_uri = f"ret = (dbus.UInt32(0), {{'uri': '{given.as_uri()}'}})"
        picture = f"__import__('shutil').copy('{kept}', '{given}'); {given_uri}"
        for interface, name, takes, code in (
            (ACCESS, "AccessDialog", "osssssa{sv}", yes_or_no),
            (SCREENSHOT, "Screenshot", "ossa{sv}", picture),
        ):
            bus.call(PERSON, PLACE, MOCK, "AddMethod", "sssss", interface, name, takes, "ua{sv}", code)
        self.environment = {
            **{
                name: value
                for name, value in os.environ.items()
                if name not in {"DISPLAY", "WAYLAND_DISPLAY"}
            },
            **bus.environment(),
            "HOME": str(bus.folder),
            "XDG_CURRENT_DESKTOP": "played",
            "XDG_DATA_HOME": str(bus.folder / "data"),
            "XDG_RUNTIME_DIR": str(bus.folder),
            "XDG_DESKTOP_PORTAL_DIR": str(portals),
        }
        self.running: list[subprocess.Popen[bytes]] = []

    def log_in(self) -> None:
        """Start the portal and its store as at each login."""
        for program, name in (("xdg-permission-store", STORE), ("xdg-desktop-portal", PORTAL)):
            self.running.append(
                subprocess.Popen(
                    [str(LIBEXEC / program)],
                    env=self.environment,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    start_new_session=True,
                )
            )
            assert until(lambda name=name: self.bus.has(name))  # type: ignore[misc]  # mypy cannot infer it

    def log_out(self) -> None:
        while self.running:
            end(self.running.pop())

    @property
    def times_asked(self) -> int:
        """Return how often the person was asked."""
        (calls,) = self.bus.call(PERSON, PLACE, MOCK, "GetCalls", "")
        return sum(name == "AccessDialog" for _, name, _ in calls)

    def picture(self) -> object:
        """Return what a tracker that was just started gets."""
        return PortalScreen(self.environment).grab("all", None)


@rule("R13")
@rule("R16")
@pytest.mark.parametrize("answer", [YES, NO])
def test_the_person_is_asked_once_whatever_is_started_anew(tmp_path: Path, answer: int) -> None:
    with own_bus() as bus:
        portal = AskingPortal(bus, answer)
        try:
            for _ in range(2):
                portal.log_in()
                for _ in range(2):
                    taken = portal.picture()
                    assert isinstance(taken, Shot) if answer == YES else taken == "no_permission"
                    assert portal.times_asked == 1
                portal.log_out()
        finally:
            portal.log_out()
