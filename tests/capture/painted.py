"""Windows of one colour each on a real X server: what a mask leaves of one can be looked for."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from PIL import Image
from Xlib import X, Xutil
from Xlib.display import Display
from Xlib.protocol.event import ClientMessage
from Xlib.xobject.drawable import Window

Colour = tuple[int, int, int]
GREEN: Colour = (0, 200, 0)
RED: Colour = (220, 0, 0)
MAGENTA: Colour = (230, 0, 230)  # blue is in a window's icon
TOLERANCE = 40  # what a lossy picture makes of a colour is still nearer to it than to any other here
WAIT_TURNS = 200


class Program:
    """One program on the desktop: a connection of its own to the X server."""

    def __init__(self, display: str, application: str) -> None:
        self.display = Display(display)
        self.application = application
        self.root = self.display.screen().root

    def open(
        self,
        title: str,
        colour: Colour,
        box: tuple[int, int, int, int],
        *,
        is_menu: bool = False,
        belongs_to: Window | None = None,
        says_its_name: bool = True,
    ) -> Window:
        """Open a window; a menu has no frame, and neither title nor application unless it says so."""
        left, top, width, height = box
        red, green, blue = colour
        window: Window = self.root.create_window(
            left, top, width, height, 0, X.CopyFromParent,
            background_pixel=red << 16 | green << 8 | blue, override_redirect=is_menu,
        )  # fmt: skip
        if says_its_name:
            window.set_wm_class(self.application.lower(), self.application)
            self.retitle(window, title)
        window.set_wm_normal_hints(flags=Xutil.USPosition | Xutil.PPosition)
        if belongs_to is not None:
            window.set_wm_transient_for(belongs_to)
        window.map()
        self.display.sync()
        self.until(lambda: window.get_attributes().map_state == X.IsViewable)
        return window

    def retitle(self, window: Window, title: str) -> None:
        kind = self.display.intern_atom("UTF8_STRING")
        window.change_property(self.display.intern_atom("_NET_WM_NAME"), kind, 8, title.encode())
        self.display.sync()

    def move(self, window: Window, left: int, top: int) -> None:
        window.configure(x=left, y=top)
        self.display.sync()

    def minimise(self, window: Window) -> None:
        self._ask(window, "WM_CHANGE_STATE", Xutil.IconicState)
        self.until(lambda: window.get_attributes().map_state != X.IsViewable)

    def send_to_desktop(self, window: Window, number: int) -> None:
        self._ask(window, "_NET_WM_DESKTOP", number)
        self.until(lambda: window.get_attributes().map_state != X.IsViewable)

    def focus(self, window: Window) -> None:
        self._ask(window, "_NET_ACTIVE_WINDOW", 2)
        name = self.display.intern_atom("_NET_ACTIVE_WINDOW")
        self.until(lambda: list(self.root.get_full_property(name, X.AnyPropertyType).value) == [window.id])

    def _ask(self, window: Window, what: str, value: int) -> None:
        name = self.display.intern_atom(what)
        event = ClientMessage(window=window, client_type=name, data=(32, [value, 0, 0, 0, 0]))
        self.root.send_event(event, event_mask=X.SubstructureRedirectMask | X.SubstructureNotifyMask)
        self.display.sync()

    def until(self, holds: Callable[[], object]) -> None:
        for _ in range(WAIT_TURNS):
            if holds():
                return
            time.sleep(0.05)
        raise AssertionError("the window manager did not do it")


@contextmanager
def program(display: str, application: str) -> Iterator[Program]:
    running = Program(display, application)
    try:
        yield running
    finally:
        running.display.close()


def has_colour(picture: Image.Image, colour: Colour) -> bool:
    """Return whether any pixel is of this colour, or near to it."""
    bands = picture.convert("RGB").split()
    near = None
    for band, value in zip(bands, colour, strict=True):
        lut = [255 if abs(level - value) <= TOLERANCE else 0 for level in range(256)]
        mask = band.point(lut)
        near = mask if near is None else Image.composite(near, mask, mask)
    assert near is not None, "a picture has bands"
    return near.getbbox() is not None
