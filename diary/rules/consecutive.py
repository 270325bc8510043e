"""Numbers that follow each other, told by their first and their last."""

from collections.abc import Iterable
from typing import TypeVar

Number = TypeVar("Number", bound=int)


def consecutive(numbers: Iterable[Number]) -> list[tuple[Number, Number]]:
    """Return the first and the last of each run of numbers without a gap, each number once, in order."""
    runs: list[tuple[Number, Number]] = []
    for number in sorted(set(numbers)):
        if runs and number == runs[-1][1] + 1:
            runs[-1] = (runs[-1][0], number)
        else:
            runs.append((number, number))
    return runs
