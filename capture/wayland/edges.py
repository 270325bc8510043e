"""What a Wayland desktop gives, and by which of its ways (R13, R14, R22)."""

from collections.abc import Mapping

from capture.edges import Edges, Lack, Nothing, Screen, Windows, blind_edges
from capture.linux.idle import LinuxIdle
from capture.linux.portal import PortalScreen
from capture.wayland.idle import WaylandIdle
from capture.wayland.screencopy import MANAGER, CopiedScreen
from capture.wayland.sway import SwayWindows
from capture.wayland.toplevels import MANAGER as TOPLEVELS
from capture.wayland.toplevels import ToplevelWindows
from capture.wayland.wire import WaylandError, Wire


def wayland_edges(environment: Mapping[str, str]) -> Edges:
    """Return the edges of the compositor that the environment names."""
    try:
        with Wire(environment) as wire:
            offers = set(wire.offers)
    except WaylandError as fault:
        return blind_edges(str(fault))
    lacks: dict[Lack, str] = {
        "counts": (
            "A Wayland desktop lets no program count keys, clicks and scrolls; a minute is active if "
            "the desktop saw somebody."
        )
    }
    sway = bool(environment.get("SWAYSOCK"))
    windows: Windows = Nothing()
    if sway:
        windows = SwayWindows(environment)
    elif TOPLEVELS in offers:
        windows = ToplevelWindows(environment)
        lacks["positions"] = (
            "This desktop tells of windows only their monitor: a private one blacks out all of it."
        )
    else:
        lacks["titles"] = "This desktop tells neither the active application nor its title."
        lacks["positions"] = (
            "This desktop does not tell where windows are: with private rules the whole picture is black."
        )
    screen: Screen = CopiedScreen(environment)
    if MANAGER not in offers:
        portal = PortalScreen(environment)
        screen = portal
        if not portal.offered():
            lacks["picture"] = "This desktop gives no picture of its screen, and has no portal that does."
    told = WaylandIdle(environment)
    idle = LinuxIdle(told, environment)
    if not told.offered() and idle.idle_ms() is None:
        lacks["presence"] = "This desktop does not say when nobody is there: no minute counts as active."
    return Edges(
        Nothing(),
        windows,
        screen,
        idle,
        desktop="Wayland (sway)" if sway else "Wayland",
        lacks=lacks,
    )
