"""QR codes: an invitation's link, for the camera of a phone that is nobody's here (R64).

What becomes one is a link that somebody else is to open, and nothing else. The recovery phrase is never one:
it is for paper (R50), and a picture of it in a phone's gallery is a copy that nobody counts.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

QUIET = 4  # modules of white around the code, which ISO/IEC 18004 asks for and cameras look for
# As a half of a line holds one module above another: the blocks by what is drawn in them, above and below.
_HALVES = {(False, False): " ", (True, False): "▀", (False, True): "▄", (True, True): "█"}


@dataclass(frozen=True, slots=True)
class QrCode:
    """A QR code by its rows of modules, True for dark, with the white around it; it is square."""

    rows: tuple[tuple[bool, ...], ...]

    @property
    def width(self) -> int:
        """Return how many modules a row has, and how many rows there are."""
        return len(self.rows)

    @property
    def path(self) -> str:
        """Return the dark modules as the path of an SVG whose unit is a module."""
        return "".join(
            f"M{at} {y}h{length}v1h-{length}z" for y, row in enumerate(self.rows) for at, length in _runs(row)
        )

    def lines(self, *, draws_dark: bool) -> list[str]:
        """Return the code as lines of half blocks, in which dark modules are drawn, or light ones.

        A terminal that shows no colours draws light on dark as a rule, so the light ones are drawn there.
        """
        rows = [*self.rows, *([(False,) * self.width] if self.width % 2 else [])]
        pairs = zip(rows[::2], rows[1::2], strict=True)
        return [
            "".join(
                _HALVES[above == draws_dark, below == draws_dark]
                for above, below in zip(upper, lower, strict=True)
            )
            for upper, lower in pairs
        ]


def qr_code(text: str) -> QrCode:
    """Return the smallest QR code that holds a text, with as much correction as its size leaves room for."""
    import segno

    made = segno.make(text, error="l", micro=False)
    return QrCode(tuple(tuple(bool(module) for module in row) for row in made.matrix_iter(border=QUIET)))


def _runs(row: Sequence[bool]) -> list[tuple[int, int]]:
    """Return where the dark runs of a row begin, and how long they are."""
    runs, at = [], 0
    for dark, modules in groupby(row):
        length = len(list(modules))
        if dark:
            runs.append((at, length))
        at += length
    return runs
