"""What a PDF shows, by another program than the one that made it: poppler's pdftotext."""

import re
import subprocess
from dataclasses import dataclass
from html import unescape


@dataclass(frozen=True)
class Word:
    """A word on a sheet, in points from its upper left corner."""

    text: str
    sheet: int
    left: float
    top: float
    right: float
    bottom: float


def text_of(whole: bytes) -> str:
    """Return the text of a PDF as a reader copies it."""
    return _pdftotext(whole, "-layout")


def words_of(whole: bytes) -> list[Word]:
    """Return each word with its place."""
    words = []
    for sheet, page in enumerate(_pdftotext(whole, "-bbox").split("<page ")[1:], start=1):
        for left, top, right, bottom, text in re.findall(
            r'<word xMin="([-\d.]+)" yMin="([-\d.]+)" xMax="([-\d.]+)" yMax="([-\d.]+)">(.*?)</word>', page
        ):
            words.append(Word(unescape(text), sheet, *map(float, (left, top, right, bottom))))
    return words


def _pdftotext(whole: bytes, how: str) -> str:
    run = subprocess.run(["pdftotext", how, "-", "-"], input=whole, capture_output=True, check=True)
    assert run.stderr == b"", run.stderr
    return run.stdout.decode()
