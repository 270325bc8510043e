"""What the viewer remembers for an address, in memory alone: words sought, selections (R52).

A browser keeps addresses, on disk, for long: so what a form sends stays here, and the address names it by
a number of chance. Back and reload work while the viewer runs.
"""

import secrets
from collections import OrderedDict
from dataclasses import dataclass
from typing import Generic, TypeVar

from diary.rules.timesheet import Place

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Selection:
    """Segments that somebody selected, and the page on which they did."""

    places: tuple[Place, ...]
    back: str


class Kept(Generic[T]):
    """The last things that were sent, each by the number in its address."""

    KEPT_MAX = 200

    def __init__(self) -> None:
        self._sent: OrderedDict[str, T] = OrderedDict()

    def keep(self, sent: T) -> str:
        """Return the number under which this is found again."""
        number = secrets.token_hex(8)
        self._sent[number] = sent
        while len(self._sent) > self.KEPT_MAX:
            self._sent.popitem(last=False)
        return number

    def found(self, number: str) -> T | None:
        """Return what a number stands for; None when it was forgotten."""
        return self._sent.get(number)
