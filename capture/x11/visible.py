"""Every window with pixels on an X server's screen, and where (R22).

What is seen on the screen is what is mapped below the root window, the lowest first: a window manager's frame
with an application's window somewhere in it, or a window without a frame, such as a menu. So nothing depends
on what a window manager chooses to list.
"""

from Xlib import X, Xatom
from Xlib.display import Display
from Xlib.error import BadDrawable, BadWindow
from Xlib.xobject.drawable import Window

from capture.edges import Box, VisibleWindow
from capture.x11.window_names import application_of, title_of

FRAME_DEPTH_MAX = 4  # window managers put an application's window at most a few deep into its frame
FRAME_WINDOWS_MAX = 64  # of one frame: its buttons and borders are windows too


def visible_windows(display: Display) -> tuple[VisibleWindow, ...]:
    """Return the windows that are to be seen, the lowest first, each with its frame's box."""
    root = display.screen().root
    whole = root.get_geometry()
    found = (_seen(display, top) for top in root.query_tree().children)
    return tuple(window for window in found if window and _overlaps(window.box, whole.width, whole.height))


def _overlaps(box: Box, width: int, height: int) -> bool:
    """Return whether a box reaches into the screen: window managers keep windows of their own beside it."""
    return -box[2] < box[0] < width and -box[3] < box[1] < height


def _seen(display: Display, top: Window) -> VisibleWindow | None:
    """Return what a child of the root shows; None where it shows nothing, or has closed since."""
    try:
        attributes = top.get_attributes()
        if attributes.map_state != X.IsViewable or attributes.win_class != X.InputOutput:
            return None
        named = _application_in(display, top) or top
        place = top.get_geometry()
        border = 2 * place.border_width
        return VisibleWindow(
            application_of(display, named) or application_of(display, _owner(display, named)),
            title_of(display, named),
            (place.x, place.y, place.width + border, place.height + border),
        )
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


def _owner(display: Display, window: Window) -> Window:
    """Return the window that a menu or dialogue says it belongs to; itself where it says nothing."""
    for name in (Xatom.WM_TRANSIENT_FOR, display.intern_atom("WM_CLIENT_LEADER")):
        found = window.get_property(name, Xatom.WINDOW, 0, 1)
        if found is not None and len(found.value) and found.value[0]:
            return display.create_resource_object("window", int(found.value[0]))
    return window
