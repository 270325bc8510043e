"""Names as they are kept: one line, bounded (R13)."""

NAME_LENGTH_MAX = 300  # characters: a version stays about a kilobyte


def one_line(text: str) -> str:
    """Return the text without line breaks and control characters, cut to its bound."""
    plain = "".join(sign if sign.isprintable() else " " for sign in text[: NAME_LENGTH_MAX * 2])
    return " ".join(plain.split())[:NAME_LENGTH_MAX]
