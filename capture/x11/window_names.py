"""A window's application and title on X11 (R13): its names, never what it shows (R15)."""

import re

from Xlib import X, Xatom
from Xlib.display import Display
from Xlib.xobject.drawable import Window

from capture.one_line import one_line

_PROPERTY_WORDS_MAX = 2048  # of four bytes; a title is cut before it is decoded

_LATIN_1 = "iso8859-1"
# Compound Text Encoding, X Consortium Standard, version 1.1: the right-hand sets that may be selected.
_RIGHT_HAND_SETS = {
    b"A": _LATIN_1,
    b"B": "iso8859-2",
    b"C": "iso8859-3",
    b"D": "iso8859-4",
    b"F": "iso8859-7",
    b"G": "iso8859-6",
    b"H": "iso8859-8",
    b"L": "iso8859-5",
    b"M": "iso8859-9",
    b"b": "iso8859-15",
}
_RUN = re.compile(
    rb"\x1b%G(?P<utf8>.*?)(?:\x1b%@|\Z)"  # a run of UTF-8
    rb"|\x1b-(?P<right>[A-Z_a-z])"  # select a right-hand set
    rb"|\x1b%/[0-4](?P<length>[\x80-\xff]{2})"  # an extended segment, its length in two bytes of seven bits
    rb"|\x1b[\x20-\x2f]*[\x30-\x7e]"  # any other selection
    rb"|(?P<text>[^\x1b]+)"
    rb"|\x1b",
    re.DOTALL,
)


def application_of(display: Display, window: Window) -> str:
    """Return the class of the application that a window belongs to; empty where it does not say."""
    _, _, application = _text(display, window, Xatom.WM_CLASS).rstrip("\0").rpartition("\0")
    return one_line(application)


def title_of(display: Display, window: Window) -> str:
    """Return a window's title; empty where it has none."""
    title = _text(display, window, display.intern_atom("_NET_WM_NAME"))
    return one_line(title or _text(display, window, Xatom.WM_NAME))


def decode_compound_text(raw: bytes) -> str:
    """Return the text that COMPOUND_TEXT bytes hold; what cannot be decoded becomes a replacement sign.

    xterm and other programs without a toolkit give their titles so.
    """
    parts: list[str] = []
    right, at = _LATIN_1, 0
    while run := _RUN.match(raw, at):
        at = run.end()
        if run["utf8"] is not None:
            parts.append(run["utf8"].decode("utf-8", errors="replace"))
        elif run["right"] is not None:
            right = _RIGHT_HAND_SETS.get(run["right"], _LATIN_1)
        elif run["length"] is not None:
            high, low = run["length"]
            segment = raw[at : at + (high - 128) * 128 + low - 128]
            at += len(segment)
            parts.append(_extended(segment))
        elif run["text"] is not None:
            parts.append(run["text"].decode(right, errors="replace"))
    return "".join(parts)


def _extended(segment: bytes) -> str:
    """Return the text of an extended segment: the encoding's name, STX, the bytes."""
    name, _, text = segment.partition(b"\x02")
    try:
        return text.decode(name.decode("ascii", errors="replace").lower(), errors="replace")
    except LookupError:
        return text.decode("ascii", errors="replace")


def _text(display: Display, window: Window, name: int) -> str:
    """Return a text property by the encoding its type names; empty where the window has none."""
    found = window.get_property(name, X.AnyPropertyType, 0, _PROPERTY_WORDS_MAX)
    if found is None or found.format != 8:
        return ""
    raw = bytes(found.value) if not isinstance(found.value, str) else found.value.encode("latin-1")
    if found.property_type == display.intern_atom("UTF8_STRING"):
        return raw.decode("utf-8", errors="replace")
    if found.property_type == display.intern_atom("COMPOUND_TEXT"):
        return decode_compound_text(raw)
    # Type STRING means Latin-1, yet many programs write UTF-8 there; Latin-1 text is hardly ever valid UTF-8.
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode(_LATIN_1)
