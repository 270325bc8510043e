"""Tables as text: CSV that a program reads and a spreadsheet opens safely (R58; docs/evidence.md, "A table").

Pure: cells in, text out. Numbers stay numbers; an empty cell is not counted, or not there. A cell is safe not
only where it is read as it is written: LibreOffice and Excel also split at semicolons and tabs, depending on
the country or a tick in a dialog, and drop a zero byte before they look whether a formula begins.
"""

import csv
import io
import re
from collections.abc import Iterable, Sequence
from typing import Final

Cell = str | int | None

# What makes a spreadsheet run a cell instead of showing it, in Latin and in full width.
_FORMULA: Final = "=+\\-@＝＋－＠"
# Blanks and signs that nobody sees: some programs drop them before they look how a cell begins.
_UNSEEN: Final = " \u00a0\u00ad\u061c\u1680\u180e\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000\ufeff"
# Where a cell begins, also for who splits at other signs than commas and knows no quotes inside a cell.
_RUNS: Final = re.compile(f"(^|[;|\t\r\n])([{_UNSEEN}]*)(?=[{_FORMULA}])")
_CONTROL: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_NEGATIVE: Final = re.compile(r"-[0-9]+(?:\.[0-9]+)?")  # a credit, say: a number, and no formula
_QUOTED: Final = re.compile('[",;\t\r\n]')
_BEGINS_A_LINE: Final = ("\t", "\r", "\n")
_PICTURES_OF_CONTROL: Final = 0x2400  # "␀" and on; "␡" stands at their end
_DELETE: Final = 0x7F


def table(columns: Sequence[str], lines: Iterable[Sequence[Cell]]) -> str:
    """Return a table as CSV (RFC 4180), its texts safe in a spreadsheet (R58)."""
    return "".join(f"{','.join(map(_cell, line))}\r\n" for line in (columns, *lines))


def table_before_3(columns: Sequence[str], lines: Iterable[Sequence[Cell]]) -> str:
    """Return a table as bundles of the formats 1 and 2 hold it; they are read for ever (R59)."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(columns)
    for line in lines:
        writer.writerow([_safe_before_3(cell) if isinstance(cell, str) else cell for cell in line])
    return text.getvalue()


def safe_text(text: str) -> str:
    """Return the text as a spreadsheet shows it without running it (R58).

    A control character but tab and line ends is replaced by its picture ("␀"), or by "�" where it has none;
    an apostrophe stands before what could begin a formula, and before a tab or line end that begins the text.
    """
    if _NEGATIVE.fullmatch(text):
        return text
    shown = _CONTROL.sub(lambda found: _picture_of(ord(found.group())), text)
    guarded = _RUNS.sub(r"\1\2'", shown)
    return f"'{guarded}" if guarded.startswith(_BEGINS_A_LINE) else guarded


def _picture_of(control: int) -> str:
    if control > _DELETE:
        return "\ufffd"
    return "\u2421" if control == _DELETE else chr(_PICTURES_OF_CONTROL + control)


def _cell(cell: Cell) -> str:
    if cell is None or isinstance(cell, int):
        return "" if cell is None else str(cell)
    text = safe_text(cell)
    if _QUOTED.search(text) is None:
        return text
    doubled = text.replace('"', '""')
    return f'"{doubled}"'


def _safe_before_3(text: str) -> str:
    starts = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
    return f"'{text}" if text.startswith(starts) else text
