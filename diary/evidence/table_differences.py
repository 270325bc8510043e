"""Where a table differs from the one that the record makes: the line and the column (R58, R59). Pure."""

import csv
import io
from collections.abc import Iterator, Mapping
from itertools import zip_longest

DIFFERENCES_MAX = 100  # of one table: who changed more is told so once


def differences(files: Mapping[str, bytes], worked_out: Mapping[str, str]) -> dict[str, list[str]]:
    """Return for each table that is there what differs in it, cell by cell; nothing where it is the same."""
    return {name: _differing(files[name], text) for name, text in worked_out.items() if name in files}


def _differing(given: bytes, worked_out: str) -> list[str]:
    if given == worked_out.encode():
        return []
    found: list[str] = []
    for says in _cells(given, worked_out):
        if len(found) == DIFFERENCES_MAX:
            return [*found, "and more cells differ"]
        found.append(says)
    return found or ["it is written otherwise than the record makes it"]


def _cells(given: bytes, worked_out: str) -> Iterator[str]:
    try:
        lines = list(csv.reader(io.StringIO(given.decode(), newline=""), strict=True))
    except (UnicodeDecodeError, csv.Error):
        yield "it is no table"
        return
    should = list(csv.reader(io.StringIO(worked_out, newline="")))
    columns = should[0]
    for number, (line, expected) in enumerate(zip_longest(lines, should), start=1):
        if line is None or expected is None:
            yield f"line {number} {'is missing' if line is None else 'was added'}"
            continue
        for place, (cell, right) in enumerate(zip_longest(line, expected)):
            if cell != right:
                column = columns[place] if place < len(columns) else f"column {place + 1}"
                yield f"line {number}, {column}: “{cell}” where the record has “{right}”"
