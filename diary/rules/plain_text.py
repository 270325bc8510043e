"""What somebody wrote, so that whatever shows it obeys nothing in it (R24).

Titles come from programs, contracts from clients: a control character moves a terminal's cursor or ends a
desktop's line to its notifications, and one that turns the direction of writing turns what stands beside it.
"""

import re

# Control characters but the line feed, what else ends a line, and what turns the direction of writing.
_OBEYED = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]+"
)


def plain(text: str) -> str:
    """Return the text with a space for what would be obeyed; lines stay lines."""
    return _OBEYED.sub(" ", text)


def plain_line(text: str, characters_max: int) -> str:
    """Return the same on one line, its end cut where it is longer."""
    line = " ".join(plain(text).split())
    return line if len(line) <= characters_max else f"{line[: characters_max - 1]}…"
