"""A document to print: headings, paragraphs, facts, tables, and entries with a picture (R59, R61).

    made = Document("Orchard, 2026-W47", made_at_ms=now, foot="Work diary")
    made.heading("What bills")
    made.paragraph("Times are in UTC.", quiet=True)
    columns = [Column("Week", 2), Column("Amount", 1, right=True)]
    made.table(columns, [["2026-W47", "60.00 EUR"]], last=["Sum", "60.00 EUR"])
    made.entry("09:00-09:10", memo, [("Bills", "yes")], picture=thumbnail)
    whole = made.pdf()

The same calls make the same bytes. Every text may be somebody else's: nothing in it is obeyed, any script is
shown, a sign that no font has is written by its number, and what is written from the right turns its own line
only. So give each text of somebody a call or a cell of its own, and join none of them to yours. What does not
fit on a sheet goes on on the next, a table under its heads again. Needs `workdiary[print]` (`can_print`).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from importlib.util import find_spec
from itertools import zip_longest
from typing import TYPE_CHECKING

from diary.pdf.glyphs import shown
from diary.pdf.lines import broken, is_from_right
from diary.pdf.photograph import photograph
from diary.rules.ids import Millis
from diary.rules.plain_text import plain_line

if TYPE_CHECKING:
    from diary.pdf.paper import Paper

_TEXT, _SMALL, _SECTION, _TITLE = 9.5, 8.0, 12.0, 17.0  # points
_LEADING = 0.5  # millimetres of a line to a point of its size
_GAP_MM = 2.5
_CELL_GAP_MM = 3.0
_PICTURE_MM = 50.0
_LABEL_MM = 24.0
_BOOKMARK_CHARACTERS = 80
_HEADING_MM = 20.0  # of a day's name, and what stands between it and its first entry


def can_print() -> bool:
    """Return whether what a PDF is made with is installed: `workdiary[print]`."""
    return all(find_spec(name) for name in ("fpdf", "uharfbuzz", "manimgx_fonts", "paperang_p2_fonts_cjk"))


@dataclass(frozen=True, slots=True)
class Column:
    """A table's column: what stands over it, its share of the width, and whether it ends at the right."""

    head: str
    share: float = 1
    right: bool = False


@dataclass(frozen=True, slots=True)
class _Piece:
    """A text on one line: where it begins, how wide its room is, and how it looks."""

    text: str
    x: float
    room: float
    size: float = _TEXT
    bold: bool = False
    quiet: bool = False
    right: bool = False
    turned: bool = False


_Line = tuple[_Piece, ...]


def _height(line: _Line) -> float:
    return max((piece.size for piece in line), default=_TEXT) * _LEADING


@dataclass(slots=True)
class Document:
    """A document under way; `foot` stands at the foot of each sheet beside its number."""

    title: str
    made_at_ms: Millis
    foot: str = ""
    _paper: "Paper" = field(init=False)
    _y: float = field(init=False, default=0.0)

    def __post_init__(self) -> None:
        """Begin the first sheet with the title."""
        from diary.pdf.paper import MARGIN_MM, Paper

        self._paper = Paper(shown(self.title), self.made_at_ms)
        self._sheet()
        self._y = MARGIN_MM
        self._flow(self._lines(self.title, 0, self._body, size=_TITLE, bold=True))

    def heading(self, text: str) -> None:
        """Begin a part; what follows stands on the same sheet as its first lines."""
        self._y += 2 * _GAP_MM
        lines = self._lines(text, 0, self._body, size=_SECTION, bold=True)
        self._keep(sum(map(_height, lines)) + 3 * _TEXT)
        self._paper.mark(plain_line(shown(text), _BOOKMARK_CHARACTERS), self._y)
        self._flow(lines, room_after=3 * _TEXT)

    def paragraph(self, text: str, *, quiet: bool = False) -> None:
        """Write a text as it is, line by line."""
        self._flow(self._lines(text, 0, self._body, quiet=quiet))

    def facts(self, pairs: Iterable[tuple[str, str]]) -> None:
        """Write names, and beside each what it is; a pair without a value is left out."""
        for name, value in pairs:
            if value:
                self._flow(self._fact(name, value, 0, self._body, 2 * _LABEL_MM), gap=0.5)
        self._y += _GAP_MM

    def table(
        self, columns: Sequence[Column], rows: Iterable[Sequence[str]], *, last: Sequence[str] | None = None
    ) -> None:
        """Write a table; `last` is a row of sums, in bold under a line."""
        self._y += 1
        heads = self._row(columns, [column.head for column in columns], bold=True)
        self._flow(heads, gap=0.8, room_after=2 * _TEXT)
        self._paper.rule(self._y - 0.6, strong=True)
        for row in rows:
            self._flow(self._row(columns, row), gap=1.2, again=heads)
            self._paper.rule(self._y - 0.8)
        if last is not None:
            self._flow(self._row(columns, last, bold=True), gap=1.2, again=heads)
        self._y += _GAP_MM

    def entry(
        self,
        title: str,
        text: str,
        facts: Iterable[tuple[str, str]],
        *,
        picture: bytes | None = None,
        without: str = "",
        above: str = "",
    ) -> None:
        """Write one thing with its picture at the left, or at its place the words why there is none.

        `above` is the heading of a part that begins with it, on the same sheet.
        """
        image = None if picture is None else photograph(picture)
        if picture is not None and image is None:
            without = "The picture cannot be read."
        left = _PICTURE_MM + 2 * _GAP_MM
        width = self._body - left
        lines = [
            *self._lines(title, left, width, bold=True),
            *self._lines(text, left, width),
            *(
                line
                for name, value in facts
                if value
                for line in self._fact(name, value, left, width, _LABEL_MM)
            ),
        ]
        if image is None:
            beside = self._lines(without, 0, _PICTURE_MM, size=_SMALL, quiet=True)
            lines = [(*a, *b) for a, b in zip_longest(lines, beside, fillvalue=())]
        tall = 0.0 if image is None else min(_PICTURE_MM * image.tall, self._page / 3)
        needed = max(tall, sum(map(_height, lines)))
        room = needed if needed < self._page - _HEADING_MM else tall
        self._keep(room + (_HEADING_MM if above else 0))
        if above:
            self.heading(above)
        before, sheet = self._y, self._paper.page
        if image is not None:
            self._paper.picture(image.jpeg, self._y, _PICTURE_MM, tall)
        self._flow(lines, gap=0)
        if self._paper.page == sheet:
            self._y = max(self._y, before + tall)
        self._y += _GAP_MM
        self._paper.rule(self._y - _GAP_MM / 2)

    def pdf(self) -> bytes:
        """Return the document; each sheet says which of how many it is. Nothing is written afterwards."""
        from diary.pdf.paper import BODY_MM, HEIGHT_MM, MARGIN_MM

        paper = self._paper
        sheets = paper.pages_count
        for sheet in range(1, sheets + 1):
            paper.turn_to(sheet)
            number = f"{sheet} of {sheets}"
            room = BODY_MM - paper.wide(number, _SMALL) - _CELL_GAP_MM
            foot = self._lines(self.foot, 0, room, size=_SMALL, quiet=True)[0]
            self._draw(
                (*foot, _Piece(number, 0, BODY_MM, _SMALL, quiet=True, right=True)), HEIGHT_MM - MARGIN_MM
            )
        return bytes(paper.output())

    @property
    def _body(self) -> float:
        from diary.pdf.paper import BODY_MM

        return BODY_MM

    @property
    def _page(self) -> float:
        from diary.pdf.paper import LOWEST_MM, MARGIN_MM

        return LOWEST_MM - MARGIN_MM

    def _sheet(self) -> None:
        from diary.pdf.paper import MARGIN_MM

        self._paper.add_page()
        self._y = MARGIN_MM

    def _keep(self, millimetres: float) -> bool:
        """Go on on a new sheet unless so much is left of this one; return whether it did."""
        from diary.pdf.paper import LOWEST_MM, MARGIN_MM

        if self._y + millimetres <= LOWEST_MM or self._y == MARGIN_MM:
            return False
        self._sheet()
        return True

    def _lines(
        self,
        text: str,
        x: float,
        room: float,
        *,
        size: float = _TEXT,
        bold: bool = False,
        quiet: bool = False,
        right: bool = False,
    ) -> list[_Line]:
        """Return a text broken into its lines, each within its room; one from the right ends at its right."""
        clean = shown(text)
        turned = is_from_right(clean)
        lines = broken(clean, room, partial(self._paper.wide, size=size))
        return [(_Piece(line, x, room, size, bold, quiet, right or turned, turned),) for line in lines]

    def _fact(self, name: str, value: str, x: float, room: float, label: float) -> list[_Line]:
        names = self._lines(name, x, label - 1, size=_SMALL, quiet=True)
        values = self._lines(value, x + label, room - label, size=_SMALL)
        if len(values) == 1:
            # At the far side of the sheet nobody would see to which name it belongs.
            values = [tuple(replace(piece, right=False) for piece in values[0])]
        return [(*a, *b) for a, b in zip_longest(names, values, fillvalue=())]

    def _row(self, columns: Sequence[Column], cells: Sequence[str], *, bold: bool = False) -> list[_Line]:
        """Return a row's lines: the cells side by side, each broken within its column."""
        unit = (self._body - _CELL_GAP_MM * (len(columns) - 1)) / sum(column.share for column in columns)
        x, broken_cells = 0.0, []
        for column, cell in zip(columns, cells, strict=True):
            room = column.share * unit
            broken_cells.append(self._lines(cell, x, room, size=_SMALL, bold=bold, right=column.right))
            x += room + _CELL_GAP_MM
        return [
            tuple(piece for part in parts for piece in part)
            for parts in zip_longest(*broken_cells, fillvalue=())
        ]

    def _flow(
        self, lines: Sequence[_Line], *, gap: float = 1.5, again: Sequence[_Line] = (), room_after: float = 0
    ) -> None:
        """Draw lines one below the other, on one sheet where it is enough; `again` first on each new one."""
        needed = sum(map(_height, lines)) + room_after
        if needed + sum(map(_height, again)) < self._page and self._keep(needed):
            self._again(again)
        for line in lines:
            if self._keep(_height(line)):
                self._again(again)
            self._draw(line, self._y)
            self._y += _height(line)
        self._y += gap

    def _again(self, lines: Sequence[_Line]) -> None:
        for line in lines:
            self._draw(line, self._y)
            self._y += _height(line)
        if lines:
            self._paper.rule(self._y + 0.2, strong=True)
            self._y += 1

    def _draw(self, line: _Line, y: float) -> None:
        from diary.pdf.paper import MARGIN_MM

        for piece in line:
            x = MARGIN_MM + piece.x
            if piece.right:
                x += max(0.0, piece.room - self._paper.wide(piece.text, piece.size))
            self._paper.line_of(
                piece.text, x, y, piece.size, bold=piece.bold, quiet=piece.quiet, turned=piece.turned
            )
