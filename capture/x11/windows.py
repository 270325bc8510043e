"""The active window and all visible ones on an X server (R13, R22)."""

from Xlib import X
from Xlib.display import Display
from Xlib.xobject.drawable import Window

from capture.edges import ActiveWindow, VisibleWindow
from capture.x11.connection import X11
from capture.x11.visible import visible_windows
from capture.x11.window_names import application_of, title_of


class X11Windows:
    """The windows of an X server; which one is active its window manager tells."""

    def __init__(self) -> None:
        self._x11 = X11()

    def active(self) -> ActiveWindow:
        """Return the window with the focus (see `Windows`)."""
        return self._x11.ask(_active) or ActiveWindow()

    def visible(self) -> tuple[VisibleWindow, ...] | None:
        """Return every window that may have pixels on a monitor (see `Windows`)."""
        return self._x11.ask(visible_windows)

    def close(self) -> None:
        """Close the connection."""
        self._x11.close()


def _active(display: Display) -> ActiveWindow:
    root = display.screen().root
    found = root.get_full_property(display.intern_atom("_NET_ACTIVE_WINDOW"), X.AnyPropertyType)
    # A value of 0: nothing has the focus; asking for window 0 would be an error (BadWindow).
    if found is None or not len(found.value) or not found.value[0]:
        return ActiveWindow()
    window = display.create_resource_object("window", int(found.value[0]))
    return ActiveWindow(application_of(display, window), title_of(display, window), _middle(root, window))


def _middle(root: Window, window: Window) -> tuple[int, int]:
    geometry = window.get_geometry()
    corner = root.translate_coords(window.id, 0, 0)
    return corner.x + geometry.width // 2, corner.y + geometry.height // 2
