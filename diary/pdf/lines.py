"""How a text is broken into lines, and in which order the parts of a line stand (UAX #9).

Pure but for the library's tables: the width of a text is asked of the caller.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator
from itertools import groupby

Measure = Callable[[str], float]

# Chinese and Japanese may break between any two signs; everything else between words.
_ANYWHERE = "\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef\U00020000-\U0003ffff"
_WORDS = re.compile(rf"[{_ANYWHERE}]|\s+|[^\s{_ANYWHERE}]+")
# Below these no script is written from the right, joins its letters or stacks marks.
_SIMPLE_BELOW = "\u0300"


def is_simple(text: str) -> bool:
    """Return whether a text needs neither order nor shapes: letters one after the other, from the left."""
    return not text or max(text) < _SIMPLE_BELOW


def is_from_right(text: str) -> bool:
    """Return whether the first letter that has a direction is written from the right (UAX #9, P2)."""
    directions = (unicodedata.bidirectional(sign) for sign in text)
    return next((one != "L" for one in directions if one in {"L", "R", "AL"}), False)


def broken(text: str, width: float, measure: Measure) -> list[str]:
    """Return the lines of a text, at least one, none wider than `width`; a word wider than that is cut."""
    return [line for paragraph in text.split("\n") for line in _broken(paragraph, width, measure)]


def _broken(paragraph: str, width: float, measure: Measure) -> Iterator[str]:
    line, used = "", 0.0
    for word in _WORDS.findall(paragraph):
        needed = measure(word)
        if line and used + needed > width:
            yield line.rstrip()
            line, used = "", 0.0
        if word.isspace() and not line:
            continue
        if needed > width:
            *whole, word = _cut(word, width, measure)  # noqa: PLW2901  # what is left of it goes on the next line
            yield from whole
            needed = measure(word)
        line, used = line + word, used + needed
    yield line.rstrip()


def _cut(word: str, width: float, measure: Measure) -> Iterator[str]:
    """Yield the pieces of a word, each no wider than `width` where one sign alone is not wider."""
    piece, used = "", 0.0
    for sign in word:
        # A mark belongs to the letter before it.
        needed = 0.0 if unicodedata.category(sign).startswith("M") else measure(sign)
        if piece and used + needed > width:
            yield piece
            piece, used = "", 0.0
        piece, used = piece + sign, used + needed
    yield piece


def in_order(line: str, *, from_right: bool) -> list[tuple[str, bool]]:
    """Return the parts of a line from left to right, each with whether it is written from the right.

    `from_right` is the direction of the text that the line is of (UAX #9, L2).
    """
    if is_simple(line):
        return [(line, False)]
    from fpdf.bidi import BidiParagraph
    from fpdf.enums import TextDirection

    base = TextDirection.RTL if from_right else TextDirection.LTR
    paragraph = BidiParagraph(text=line, base_direction=base, preserve_bn_chars=True)
    signs = paragraph.get_characters_with_embedding_level()
    parts = [
        ("".join(sign.character for sign in each), level)
        for level, each in groupby(signs, key=lambda sign: sign.embedding_level)
    ]
    levels = [level for _, level in parts]
    for turned in range(max(levels), 0, -1):
        start = 0
        while start < len(parts):
            end = start
            while end < len(parts) and parts[end][1] >= turned:
                end += 1
            parts[start:end] = reversed(parts[start:end])
            start = max(end, start + 1)
    return [(text, level % 2 == 1) for text, level in parts]
