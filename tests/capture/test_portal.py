"""Pictures by the portal: by the real one on sway, and what it may answer by one that answers anything."""

import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from capture.edges import NoPicture, Shot, edges_of
from capture.linux.portal import PortalScreen
from tests.buses import MOCK, Bus, own_bus
from tests.patience import until
from tests.rule import rule
from tests.sway import Sway

pytestmark = pytest.mark.screen
PORTAL, PLACE = "org.freedesktop.portal.Desktop", "/org/freedesktop/portal/desktop"
SCREENSHOT, REQUEST = "org.freedesktop.portal.Screenshot", "org.freedesktop.portal.Request"
HANDLE = "/org/freedesktop/portal/desktop/request/another/place"
PERSON = "org.freedesktop.impl.portal.desktop.person"
ACCESS = "org.freedesktop.impl.portal.Access"
LIBEXEC = Path("/usr/libexec")
WRITTEN = Path("/tmp/out.png")  # where its wlroots half writes pictures


class RealPortal:
    """xdg-desktop-portal with its wlroots half on sway, and somebody who would say yes if asked."""

    def __init__(self, sway: Sway, bus: Bus) -> None:
        self.bus = bus
        portals = bus.folder / "portals"
        portals.mkdir()
        shutil.copy("/usr/share/xdg-desktop-portal/portals/wlr.portal", portals)
        person = f"[portal]\nDBusName={PERSON}\nInterfaces={ACCESS};\nUseIn=sway\n"
        (portals / "person.portal").write_text(person, encoding="utf-8")
        bus.serve(PERSON, PLACE, ACCESS)
        yes = ("AccessDialog", "osssssa{sv}", "ua{sv}", "ret = (0, {})")
        bus.call(PERSON, PLACE, MOCK, "AddMethod", "sssss", ACCESS, *yes)
        self.environment = {
            **{name: value for name, value in os.environ.items() if name != "DISPLAY"},
            **sway.environment(),
            **bus.environment(),
            "HOME": str(bus.folder),
            "XDG_CURRENT_DESKTOP": "sway",
            "XDG_DATA_HOME": str(bus.folder / "data"),
            "XDG_DESKTOP_PORTAL_DIR": str(portals),
        }
        self._run("pipewire", cwd=sway.runtime, **sway.user())
        assert until((sway.runtime / "pipewire-0").exists)
        self._run(str(LIBEXEC / "xdg-permission-store"))
        self._run(str(LIBEXEC / "xdg-desktop-portal-wlr"))
        assert until(lambda: bus.has("org.freedesktop.impl.portal.desktop.wlr"))
        self._run(str(LIBEXEC / "xdg-desktop-portal"))
        assert until(lambda: bus.has(PORTAL))

    def _run(self, *command: str, **more: Any) -> None:
        self.bus.running.append(
            subprocess.Popen(
                command,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
                **more,
            )
        )


@rule("R13")
@rule("R46")
def test_the_real_portal_gives_the_picture_and_its_file_is_removed(monkeypatch: pytest.MonkeyPatch) -> None:
    with Sway.start(title="Ledger — draft") as sway, own_bus() as bus:
        portal = RealPortal(sway, bus)
        screen = PortalScreen(portal.environment)
        assert screen.offered()
        shot = screen.grab("all", None)
        assert isinstance(shot, Shot)
        assert shot.picture.size == (1280, 720)
        assert len({shot.picture.getpixel((x, 12)) for x in range(200)}) > 4  # the title of the terminal
        assert list(bus.folder.rglob("*.png")) == []
        assert not WRITTEN.exists()
        # A desktop that offers no program its pixels, GNOME's and KDE's, is recorded so.
        monkeypatch.setattr("capture.wayland.edges.MANAGER", "what no compositor offers")
        edges = edges_of(portal.environment)
        assert "picture" not in edges.lacks
        assert isinstance(edges.screen.grab("active", (10, 10)), Shot)
        edges.close()


@pytest.fixture
def bus() -> Iterator[Bus]:
    """Give a bus with a portal that answers what a test has it answer."""
    with own_bus() as running:
        running.serve(PORTAL, PLACE, SCREENSHOT)
        running.call(PORTAL, PLACE, MOCK, "AddProperty", "ssv", SCREENSHOT, "version", ("u", 2))
        asked = ("Screenshot", "sa{sv}", "o", f"ret = dbus.ObjectPath('{HANDLE}')")
        running.call(PORTAL, PLACE, MOCK, "AddMethod", "sssss", SCREENSHOT, *asked)
        running.call(PORTAL, PLACE, MOCK, "AddObject", "ssa{sv}a(ssss)", HANDLE, REQUEST, {}, [])
        yield running


def answered(bus: Bus, answer: int, uri: str) -> Shot | NoPicture:
    """Return what a picture comes to where the portal gives this answer, at a place of its own choice."""
    taken: list[Shot | NoPicture] = []
    screen = PortalScreen(bus.environment())
    asking = threading.Thread(target=lambda: taken.append(screen.grab("all", None)))
    asking.start()

    def answers_once_more() -> bool:
        results = [("u", answer), ("a{sv}", {"uri": ("s", uri)} if uri else {})]
        bus.call(PORTAL, HANDLE, MOCK, "EmitSignal", "sssav", REQUEST, "Response", "ua{sv}", results)
        asking.join(0.1)
        return not asking.is_alive()

    assert until(answers_once_more)
    return taken[0]


@rule("R13")
def test_a_portal_that_answers_at_another_place_is_heard(bus: Bus, tmp_path: Path) -> None:
    path = tmp_path / "Bildschirm foto.png"
    Image.new("RGBA", (40, 30), "white").save(path)
    assert PortalScreen(bus.environment()).offered()
    shot = answered(bus, 0, path.as_uri())
    assert isinstance(shot, Shot)
    assert (shot.picture.size, shot.picture.mode) == ((40, 30), "RGB")
    assert not path.exists()


@rule("R16")
@pytest.mark.parametrize("answer", [1, 2])
def test_a_desktop_that_says_no_is_no_permission(bus: Bus, answer: int) -> None:
    assert answered(bus, answer, "") == "no_permission"


@rule("R16")
@rule("R46")
def test_what_is_no_picture_failed_and_is_removed_all_the_same(bus: Bus, tmp_path: Path) -> None:
    path = tmp_path / "cut short.png"
    Image.effect_noise((64, 64), 50).save(path)
    path.write_bytes(path.read_bytes()[:500])
    assert answered(bus, 0, path.as_uri()) == "failed"
    assert not path.exists()


@rule("R16")
@pytest.mark.parametrize(
    "uri", ["", "https://example.org/a.png", "file://elsewhere/a.png", "file:///nonexistent.png"]
)
def test_an_address_that_is_no_file_of_this_machine_failed(bus: Bus, uri: str) -> None:
    assert answered(bus, 0, uri) == "failed"


@rule("R16")
def test_a_black_picture_is_said_to_be_black(bus: Bus, tmp_path: Path) -> None:
    path = tmp_path / "black.png"
    Image.new("RGB", (40, 30)).save(path)
    assert answered(bus, 0, path.as_uri()) == "black"


@rule("R16")
def test_without_a_portal_none_is_offered_and_a_picture_failed() -> None:
    with own_bus() as bus:
        screen = PortalScreen(bus.environment())
        assert not screen.offered()
        assert screen.grab("all", None) == "failed"
