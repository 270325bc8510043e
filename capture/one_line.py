"""Names as a desktop tells them: one line, bounded (R13).

The bound is the private rules': a word that hides a window may stand far behind in its title (R22).
"""

from diary.rules.private import TITLE_CHARACTERS_MAX


def one_line(text: str) -> str:
    """Return the text without line breaks and control characters, cut to its bound."""
    plain = "".join(sign if sign.isprintable() else " " for sign in text[: TITLE_CHARACTERS_MAX * 2])
    return " ".join(plain.split())[:TITLE_CHARACTERS_MAX]
