"""A number with its noun, as a sentence says it."""


def counted(number: int, noun: str) -> str:
    """Return "1 segment", "3 segments": nouns whose plural ends in s."""
    return f"{number} {noun}{'' if number == 1 else 's'}"
