"""Draws what a freelancer's screen might have shown: an editor, a browser, a terminal, a ledger.

Pure: a scene and a number give one picture. Nothing here is anybody's screen.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

from PIL import Image, ImageDraw, ImageFont

SIZE = (1024, 640)
_TASKBAR = 28
_TITLE = 26
_LINE = 18
_MONO = "DejaVuSansMono.ttf"

Colour = tuple[int, int, int]
Font = ImageFont.FreeTypeFont | ImageFont.ImageFont
Box = tuple[int, int, int, int]
_DESK: Colour = (44, 62, 80)
_DARK: Colour = (30, 32, 38)
_PAPER: Colour = (252, 252, 250)
_INK: Colour = (40, 44, 52)
_FAINT: Colour = (140, 146, 156)
_HUES: Sequence[Colour] = ((152, 195, 121), (97, 175, 239), (229, 192, 123), (198, 120, 221), (224, 108, 117))

_CODE = """
from decimal import Decimal
from orchard.invoice import Invoice, Line

def total(invoice: Invoice) -> Decimal:
    # One rounding a line, half up, as the contract says.
    return sum((rounded(line) for line in invoice.lines), Decimal(0))

def rounded(line: Line) -> Decimal:
    return (line.hours * line.rate).quantize(Decimal("0.01"))

class InvoicePage:
    template = "invoice.html"

    def __init__(self, invoice: Invoice) -> None:
        self.invoice = invoice

    def rows(self) -> list[dict[str, str]]:
        return [row_of(line) for line in self.invoice.lines]

def row_of(line: Line) -> dict[str, str]:
    return {"what": line.memo, "hours": f"{line.hours:.2f}"}

def test_a_line_is_rounded_once() -> None:
    line = Line(memo="Design", hours=Decimal("1.166"), rate=Decimal(60))
    assert rounded(line) == Decimal("69.96")
""".strip().splitlines()
_PAGE = (
    "Orchard Ltd", "Invoice 2041", "", "Design of the invoice page      6.0 h      360.00",
    "Review with Ana                 1.5 h       90.00", "Deployment to staging           2.0 h      120.00",
    "Copy for the help page          0.5 h       30.00", "",
    "Total                          10.0 h      600.00", "", "Payable within 14 days. Thank you.",
)  # fmt: skip
_SHELL = (
    "$ git log --oneline -5", "4be19aa Round each line once", "91c0d3e Show the client's currency",
    "77a1f02 Add the page for one invoice", "$ pytest -q", "................................  [100%]",
    "32 passed in 1.84s", "$ make deploy-staging", "building image  ok", "pushing image   ok",
    "staging is up:  https://staging.orchard.example", "$ curl -sI https://staging.orchard.example | head -1",
    "HTTP/2 200", "$ _",
)  # fmt: skip
_LEDGER = (
    ("Date", "Account", "Text", "Debit", "Credit"),
    ("02.11.", "4400", "Flour, 40 sacks", "1,180.00", ""),
    ("03.11.", "1200", "Payment Bakery Stein", "", "2,310.50"),
    ("05.11.", "4650", "Repair of the sieve", "318.20", ""),
    ("09.11.", "4120", "Wages, first half", "3,960.00", ""),
    ("11.11.", "1200", "Payment Inn at the Bridge", "", "742.00"),
    ("13.11.", "4930", "Paper and stamps", "36.85", ""),
    ("16.11.", "4400", "Rye, 25 sacks", "690.00", ""),
)


@dataclass(frozen=True, slots=True)
class Scene:
    """One kind of work: what the active window is called, and what it shows."""

    application: str
    title: str
    draw: Callable[[ImageDraw.ImageDraw, Box, int], None]


def picture(scene: Scene, number: int, *, masked: bool = False) -> Image.Image:
    """Return the screen of a scene at its `number`-th moment.

    A masked one has its window blacked out, as a private rule would (R22).
    """
    image = Image.new("RGB", SIZE, _DESK)
    pen = ImageDraw.Draw(image)
    left, top = 40 + number % 5 * 12, 24 + number % 4 * 8
    window = (left, top, SIZE[0] - 30 - number % 3 * 10, SIZE[1] - _TASKBAR - 16)
    pen.rectangle(window, fill=(60, 64, 72))
    pen.text(
        (window[0] + 10, window[1] + 5),
        "" if masked else scene.title.replace("—", "-"),
        fill=(225, 228, 232),
        font=_font(13),
    )
    inside = (window[0] + 1, window[1] + _TITLE, window[2] - 1, window[3] - 1)
    if masked:
        pen.rectangle(inside, fill=(0, 0, 0))
    else:
        scene.draw(pen, inside, number)
    pen.rectangle((0, SIZE[1] - _TASKBAR, *SIZE), fill=(24, 28, 36))
    for place, name in enumerate(("Files", "Code", "Chromium", "Terminal", "Calc")):
        pen.text((14 + place * 96, SIZE[1] - _TASKBAR + 6), name, fill=(220, 222, 226), font=_font(14))
    return image


def _draw_editor(pen: ImageDraw.ImageDraw, box: Box, number: int) -> None:
    pen.rectangle(box, fill=_DARK)
    first = number % 7
    for row, line in enumerate(range(first, len(_CODE))):
        y = box[1] + 8 + row * _LINE
        pen.text((box[0] + 8, y), f"{line + 1:>4}", fill=_FAINT, font=_font(13, mono=True))
        colour = _HUES[(line * 7 + len(_CODE[line])) % len(_HUES)]
        pen.text((box[0] + 56, y), _CODE[line], fill=colour, font=_font(13, mono=True))
    caret = box[1] + 8 + (number * 5 % 18) * _LINE
    pen.rectangle((box[0] + 52, caret, box[0] + 54, caret + _LINE), fill=(240, 240, 240))


def _draw_browser(pen: ImageDraw.ImageDraw, box: Box, number: int) -> None:
    pen.rectangle(box, fill=_PAPER)
    pen.rectangle((box[0], box[1], box[2], box[1] + 30), fill=(226, 229, 234))
    pen.text(
        (box[0] + 12, box[1] + 7), f"https://staging.orchard.example/invoice/{2041 + number}", _INK, _font(13)
    )
    for row, text in enumerate(_PAGE):
        size = 24 if row == 1 else 14
        y = box[1] + 56 + row * 30
        pen.text((box[0] + 60, y), text, fill=_INK, font=_font(size, mono=row > 1))
    shade = box[1] + 50 + (3 + number % 4) * 30
    pen.rectangle((box[0] + 50, shade, box[2] - 60, shade + 28), outline=_HUES[number % 5], width=2)


def _draw_terminal(pen: ImageDraw.ImageDraw, box: Box, number: int) -> None:
    pen.rectangle(box, fill=(12, 14, 18))
    shown = [_SHELL[(number + row) % len(_SHELL)] for row in range((box[3] - box[1]) // _LINE - 2)]
    for row, text in enumerate(shown):
        colour = (152, 195, 121) if text.startswith("$") else (204, 208, 214)
        pen.text((box[0] + 12, box[1] + 10 + row * _LINE), text, fill=colour, font=_font(13, mono=True))


def _draw_ledger(pen: ImageDraw.ImageDraw, box: Box, number: int) -> None:
    pen.rectangle(box, fill=_PAPER)
    widths = (70, 80, 300, 120, 120)
    for row in range((box[3] - box[1]) // 24 - 1):
        cells = _LEDGER[0] if row == 0 else _LEDGER[1 + (row + number) % (len(_LEDGER) - 1)]
        y, x = box[1] + 8 + row * 24, box[0] + 20
        if row == 1 + number % 12:
            pen.rectangle((x, y - 3, x + sum(widths), y + 19), fill=(255, 243, 205))
        for cell, width in zip(cells, widths, strict=True):
            pen.text((x + 6, y), cell, fill=_FAINT if row == 0 else _INK, font=_font(14))
            pen.line((x, y - 3, x, y + 20), fill=(222, 224, 228))
            x += width
        pen.line((box[0] + 20, y + 20, x, y + 20), fill=(222, 224, 228))


@cache
def _font(size: int, *, mono: bool = False) -> Font:
    """Return a font of the system where it has ours, else the one that Pillow brings."""
    if mono:
        try:
            return ImageFont.truetype(_MONO, size)
        except OSError:
            return ImageFont.load_default(size)
    return ImageFont.load_default(size)


SCENES = {
    "editor": Scene("code", "invoice.py — orchard-website — Code", _draw_editor),
    "browser": Scene("chromium", "Invoice 2041 — Orchard staging — Chromium", _draw_browser),
    "terminal": Scene("xterm", "mara@laptop: ~/orchard-website", _draw_terminal),
    "ledger": Scene("libreoffice", "ledger-2026.ods — LibreOffice Calc", _draw_ledger),
}
