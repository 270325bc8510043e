"""Every window with pixels on an X server's screen, and where (R22).

What is seen on the screen is what is mapped below the root window, the lowest first: a window manager's frame
with an application's window somewhere in it, or a window without a frame, such as a menu. So nothing depends
on what a window manager chooses to list.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from Xlib import X, Xatom
from Xlib.display import Display
from Xlib.error import BadDrawable, BadWindow
from Xlib.xobject.drawable import Window

from capture.edges import Box, VisibleWindow
from capture.x11.window_names import application_of, title_of

FRAME_DEPTH_MAX = 4  # window managers put an application's window at most a few deep into its frame
OWNERS_MAX = 8  # a menu of a menu of a dialogue of a window
FRAME_WINDOWS_MAX = 64  # of one frame: its buttons and borders are windows too


@dataclass(frozen=True, slots=True)
class _Seen:
    """One top window: the application's window in it, that window's owners, and where it is."""

    window: Window
    is_managed: bool
    owners: tuple[int, ...]
    application: str
    title: str
    box: Box


def visible_windows(display: Display) -> tuple[VisibleWindow, ...]:
    """Return the windows that are to be seen, the lowest first, each with its frame's box.

    What belongs to another window is told once more under that one's names: a dialogue, and the menus, lists
    and tooltips of its program, which have no title of their own and show what the window shows (R22).
    """
    root = display.screen().root
    whole = root.get_geometry()
    seen = [
        each
        for top in root.query_tree().children
        if (each := _seen(display, top)) and _overlaps(each.box, whole.width, whole.height)
    ]
    found = []
    for each in seen:
        names = dict.fromkeys([(each.application, each.title), *_owners_names(display, each, seen)])
        found += [VisibleWindow(application, title, each.box) for application, title in names]
    return tuple(found)


def _owners_names(display: Display, of: _Seen, seen: Sequence[_Seen]) -> Iterator[tuple[str, str]]:
    """Yield the names of the windows to which one belongs."""
    by_id = {each.window.id: (each.application, each.title) for each in seen}
    for owner in of.owners:
        yield by_id.get(owner) or _names(display, display.create_resource_object("window", owner))
    if not of.is_managed:
        # Not every toolkit says whose menu it is. The server gives each program its own range of ids.
        program = of.window.id & ~display.display.info.resource_id_mask
        for each in seen:
            if each.is_managed and each.window.id & ~display.display.info.resource_id_mask == program:
                yield each.application, each.title


def _names(display: Display, window: Window) -> tuple[str, str]:
    try:
        return application_of(display, window), title_of(display, window)
    except (BadWindow, BadDrawable):
        return "", ""


def _overlaps(box: Box, width: int, height: int) -> bool:
    """Return whether a box reaches into the screen: window managers keep windows of their own beside it."""
    return -box[2] < box[0] < width and -box[3] < box[1] < height


def _seen(display: Display, top: Window) -> _Seen | None:
    """Return what a child of the root shows; None where it shows nothing, or has closed since."""
    try:
        attributes = top.get_attributes()
        if attributes.map_state != X.IsViewable or attributes.win_class != X.InputOutput:
            return None
        managed = _application_in(display, top)
        named = managed or top
        owners = _owners(display, named)
        application = application_of(display, named)
        if not application and owners:
            application, _ = _names(display, display.create_resource_object("window", owners[0]))
        place = top.get_geometry()
        border = 2 * place.border_width
        box = (place.x, place.y, place.width + border, place.height + border)
        return _Seen(named, managed is not None, owners, application, title_of(display, named), box)
    except (BadWindow, BadDrawable):
        return None


def _application_in(display: Display, top: Window) -> Window | None:
    """Return the application's window in a frame: the one that bears WM_STATE (ICCCM, section 4.1.3.1)."""
    state = display.intern_atom("WM_STATE")
    level, looked_at = [top], 0
    for _ in range(FRAME_DEPTH_MAX):
        below: list[Window] = []
        for window in level:
            looked_at += 1
            if window.get_property(state, X.AnyPropertyType, 0, 0) is not None:
                return window
            if looked_at < FRAME_WINDOWS_MAX:
                below.extend(window.query_tree().children)
        level = below
    return None


def _owners(display: Display, window: Window) -> tuple[int, ...]:
    """Return the windows that a menu or dialogue says it belongs to, the nearest first, each once."""
    found: list[int] = []
    at = window
    for _ in range(OWNERS_MAX):
        owner = _pointed_at(at, Xatom.WM_TRANSIENT_FOR)
        if owner in {0, window.id, display.screen().root.id, *found}:
            break
        found.append(owner)
        at = display.create_resource_object("window", owner)
    leader = _pointed_at(window, display.intern_atom("WM_CLIENT_LEADER"))
    return tuple(found) if leader in {0, window.id, *found} else (*found, leader)


def _pointed_at(window: Window, name: int) -> int:
    """Return the window that a property names; 0 where it names none, or the asked one has closed."""
    try:
        found = window.get_property(name, Xatom.WINDOW, 0, 1)
    except (BadWindow, BadDrawable):
        return 0
    return int(found.value[0]) if found is not None and len(found.value) else 0
