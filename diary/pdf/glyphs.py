"""Which font shows a sign, and what stands for one that none shows (R24).

The fonts are files of two packages: Noto Sans and its scripts, and WenQuanYi Micro Hei for Chinese, Japanese
and Korean. A sign that none of them has is written by its number in Unicode, "[U+13000]": nothing is lost
silently.
"""

from bisect import bisect_right
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Final

from diary.rules.plain_text import plain

BASE: Final = "NotoSans"
_CJK: Final = "wqy-microhei"
# Tried in this order where a sign's block has no font of its own.
_OTHERS: Final = ("NotoSansSymbols", _CJK, "NotoEmoji")
_EMOJI_BEGIN = 0x1F000
# The blocks of Unicode that a font of their own shows: first, last, script.
_BLOCKS: Final = (
    (0x0530, 0x058F, "Armenian"), (0x0590, 0x05FF, "Hebrew"), (0x0600, 0x06FF, "Arabic"),
    (0x0750, 0x077F, "Arabic"), (0x08A0, 0x08FF, "Arabic"), (0x0900, 0x097F, "Devanagari"),
    (0x0980, 0x09FF, "Bengali"), (0x0A00, 0x0A7F, "Gurmukhi"), (0x0A80, 0x0AFF, "Gujarati"),
    (0x0B00, 0x0B7F, "Oriya"), (0x0B80, 0x0BFF, "Tamil"), (0x0C00, 0x0C7F, "Telugu"),
    (0x0C80, 0x0CFF, "Kannada"), (0x0D00, 0x0D7F, "Malayalam"), (0x0D80, 0x0DFF, "Sinhala"),
    (0x0E00, 0x0E7F, "Thai"), (0x0E80, 0x0EFF, "Lao"), (0x1000, 0x109F, "Myanmar"),
    (0x10A0, 0x10FF, "Georgian"), (0x1200, 0x139F, "Ethiopic"), (0x1780, 0x17FF, "Khmer"),
    (0x19E0, 0x19FF, "Khmer"), (0x1C90, 0x1CBF, "Georgian"), (0x1CD0, 0x1CFF, "Devanagari"),
    (0x2D00, 0x2D2F, "Georgian"), (0x2D80, 0x2DDF, "Ethiopic"), (0xA8E0, 0xA8FF, "Devanagari"),
    (0xA9E0, 0xA9FF, "Myanmar"), (0xAA60, 0xAA7F, "Myanmar"), (0xAB00, 0xAB2F, "Ethiopic"),
    (0xFB13, 0xFB17, "Armenian"), (0xFB1D, 0xFB4F, "Hebrew"), (0xFB50, 0xFDFF, "Arabic"),
    (0xFE70, 0xFEFE, "Arabic"),
)  # fmt: skip
_FIRSTS = [first for first, _, _ in _BLOCKS]
# What only chooses between looks of the sign before it, and the mark of the byte order: none has a glyph.
_LOOKS: Final = frozenset(
    {*range(0xFE00, 0xFE10), *range(0xE0000, 0xE0080), *range(0xE0100, 0xE01F0), 0xFEFF}
)


def file_of(face: str) -> Path:
    """Return the file of a font."""
    if face == _CJK:
        return Path(str(resources.files("paperang_p2_fonts_cjk") / "fonts" / f"{face}.ttc"))
    return Path(str(resources.files("manimgx_fonts") / f"{face}[wght].ttf"))


@cache
def signs_of(face: str) -> frozenset[int]:
    """Return the numbers of the signs that a font shows."""
    from fontTools.ttLib import TTFont

    with TTFont(file_of(face), fontNumber=0, lazy=True) as font:
        return frozenset(font.getBestCmap())


@cache
def face_of(sign: str) -> str | None:
    """Return the font that shows a sign, None where none does."""
    number = ord(sign)
    return next((face for face in _faces(number) if number in signs_of(face)), None)


def _faces(number: int) -> tuple[str, ...]:
    """Return the fonts that a sign is looked for in, the likeliest first."""
    place = bisect_right(_FIRSTS, number) - 1
    if place >= 0 and number <= _BLOCKS[place][1]:
        return (BASE, f"{BASE}{_BLOCKS[place][2]}", *_OTHERS)
    return (BASE, *(reversed(_OTHERS) if number >= _EMOJI_BEGIN else _OTHERS))


def shown(text: str) -> str:
    """Return a text as it can be printed: nothing in it is obeyed, and each sign has a glyph or a number.

    Lines stay lines.
    """
    kept = [sign for sign in plain(text) if ord(sign) not in _LOOKS]
    return "".join(
        sign if sign in {"\n", " "} or face_of(sign) is not None else f"[U+{ord(sign):04X}]" for sign in kept
    )
