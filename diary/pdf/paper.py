"""A4 sheets with fonts on them: the one file that draws; the same texts make the same bytes (R59, R61)."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from fpdf import FPDF
from fpdf.enums import TextMode
from fpdf.prefs import ViewerPreferences

from diary.pdf.glyphs import BASE, face_of, file_of
from diary.pdf.lines import in_order, is_simple
from diary.rules.ids import Millis
from diary.rules.json_form import at

WIDTH_MM: Final = 210.0
HEIGHT_MM: Final = 297.0
MARGIN_MM: Final = 18.0
BODY_MM: Final = WIDTH_MM - 2 * MARGIN_MM
LOWEST_MM: Final = HEIGHT_MM - MARGIN_MM - 4  # the foot stands below it
_BLACK, _GREY = 0, 95  # grey on white is 6.4 to 1: read without strain, and after a copier
_BOLD_MM = 0.12  # an outline round each letter: a bold font of its own takes a second to be made


class Paper(FPDF):
    """The sheets under way; a font joins them when the first of its signs is drawn."""

    def __init__(self, title: str, made_at_ms: Millis) -> None:
        """Begin with no sheet; the instant is the one the file states."""
        self._widths: dict[tuple[str, float], float] = {}
        super().__init__(orientation="portrait", unit="mm", format="A4")
        self.alias_nb_pages("")  # "{nb}" in somebody's memo is their text
        self.set_auto_page_break(auto=False)
        self.c_margin = 0
        self.set_title(title)
        self.set_lang("en")
        # A window's title, and what a screen reader says first: the document's, not its file's.
        self.viewer_preferences = ViewerPreferences(display_doc_title=True)
        self.set_creation_date(at(made_at_ms))
        self.add_font(BASE, "", file_of(BASE))
        self.set_fallback_fonts([BASE], exact_match=False)

    def get_fallback_font(self, char: str, style: str = "") -> str | None:  # noqa: ARG002  # the library's signature
        """Return the font of a sign that the base font lacks, in the library's words."""
        face = face_of(char)
        if face is None:
            return None
        if face.lower() not in self.fonts:
            self.add_font(face, "", file_of(face))
        return face.lower()

    @contextmanager
    def written(self, size: float, *, bold: bool, quiet: bool, shaped: bool) -> Iterator[None]:
        """Write what is inside in so many points, in bold or in grey; `shaped` for scripts that join."""
        grey = _GREY if quiet else _BLACK
        self.set_font(BASE, "", size)
        self.set_text_color(grey)
        self.set_text_shaping(shaped)
        if not bold:
            yield
            return
        # A state of its own in the file: the library names a way to draw text, and never takes it back.
        with self.local_context(
            text_mode=TextMode.FILL_STROKE, draw_color=self.text_color, line_width=_BOLD_MM
        ):
            yield

    def wide(self, text: str, size: float) -> float:
        """Return how wide a text is in millimetres; each word is measured once."""
        known = self._widths.get((text, size))
        if known is None:
            with self.written(size, bold=False, quiet=False, shaped=not is_simple(text)):
                known = self._widths[text, size] = self.get_string_width(text)
        return known

    def line_of(
        self, text: str, x: float, y: float, size: float, *, bold: bool, quiet: bool, turned: bool
    ) -> None:
        """Draw one line of text, its parts in the order of UAX #9; `turned`: its text is from the right."""
        for part, from_right in in_order(text, from_right=turned):
            with self.written(size, bold=bold, quiet=quiet, shaped=not is_simple(part)):
                if not is_simple(part):
                    self.set_text_shaping(True, direction="rtl" if from_right else "ltr")
                width = self.get_string_width(part)
                self.set_xy(x, y)
                self.cell(w=width, h=size * 0.5, text=part)
            x += width

    def mark(self, name: str, y: float) -> None:
        """List a part that begins here among the bookmarks, by which readers of many sheets go about."""
        self.set_xy(MARGIN_MM, y)
        self.start_section(name)

    def rule(self, y: float, *, strong: bool = False) -> None:
        """Draw a line across the sheet."""
        self.set_draw_color(120 if strong else 205)
        self.set_line_width(0.3 if strong else 0.15)
        self.line(MARGIN_MM, y, WIDTH_MM - MARGIN_MM, y)

    def picture(self, jpeg: bytes, y: float, width: float, tall: float) -> None:
        """Draw a picture at the left margin, whole, within this room."""
        self.image(jpeg, MARGIN_MM, y, width, tall, keep_aspect_ratio=True)

    def turn_to(self, sheet: int) -> None:
        """Go on drawing on a sheet that was drawn on before, counted from 1."""
        self.page = sheet
        # The library takes the font it wrote with last for this sheet's: another size names it again.
        self.set_font(BASE, "", 1)
