"""What is printed: any text in any script, obeyed by nobody, on sheets that lose nothing (R24, R59)."""

import io
import struct
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from diary.pdf.document import Column, Document, can_print
from diary.pdf.glyphs import face_of, shown
from diary.pdf.lines import broken, in_order
from diary.pdf.photograph import photograph
from diary.rules.ids import Millis
from tests.diary.pdf.printed import text_of, words_of
from tests.hostile_texts import TEXTS, obeyed
from tests.rule import rule

MADE_AT_MS = Millis(1_795_000_000_000)
A4_POINTS = (595.3, 841.9)
# A greeting, or the alphabet's beginning, in scripts that people keep a diary in.
SCRIPTS = (
    "Grüße, żółw, ñandú", "Καλημέρα", "Здравствуйте", "Բարեւ", "გამარჯობა", "שלום",
    "مرحبا", "नमस्ते", "নমস্কার", "ਸਤਿ", "નમસ્તે", "ନମସ୍କାର", "வணக்கம்", "నమస్కారం",
    "ನಮಸ್ಕಾರ", "നമസ്കാരം", "ආයුබෝවන්", "สวัสดี", "ສະບາຍດີ", "မင်္ဂလာပါ", "ሰላም",
    "សួស្តី", "你好", "日本語かな", "안녕하세요", "Tiếng Việt", "→ ✓ € ₹ ₪ ½", "😀🚀",
)  # fmt: skip


def png_claiming(width: int, height: int) -> bytes:
    def chunk(kind: bytes, content: bytes) -> bytes:
        return (
            struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        )

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(b"\0"))
        + chunk(b"IEND", b"")
    )


def picture(kind: str) -> bytes:
    written = io.BytesIO()
    Image.new("RGB", (640, 360), (40, 90, 160)).save(written, kind)
    return written.getvalue()


def printed(*texts: str) -> bytes:
    made = Document("Orchard, 2026-W47", MADE_AT_MS, foot="Work diary")
    for text in texts:
        made.paragraph(text)
    return made.pdf()


@rule("R59")
def test_the_same_calls_make_the_same_bytes() -> None:
    assert can_print()
    assert printed("Invoice page", *TEXTS) == printed("Invoice page", *TEXTS)


@rule("R24")
@pytest.mark.parametrize("text", SCRIPTS)
def test_each_script_has_its_signs(text: str) -> None:
    assert shown(text) == text
    assert all(face_of(sign) for sign in text if sign != " ")


@rule("R24")
def test_a_sign_that_no_font_has_is_written_by_its_number() -> None:
    assert "[U+13000] [U+E000]" in text_of(printed("\U00013000 \ue000"))


@rule("R24")
def test_what_somebody_wrote_is_printed_and_obeyed_by_nobody() -> None:
    whole = printed(*TEXTS, "{nb} pages")
    text = text_of(whole)
    assert "<script>alert(1)</script><b>bold</b> & “quoted”" in text
    assert '=HYPERLINK("http://x.example";"pay")' in text
    assert "{nb} pages" in text
    assert text.count("x" * 80) > 30
    assert obeyed(text.replace("\f", "")) <= {
        "\u202b",
        "\u202c",
        "\u200f",
    }  # what pdftotext itself puts round Hebrew
    assert not any(name in whole for name in (b"/JavaScript", b"/JS", b"/URI", b"/Launch", b"/SubmitForm"))


@rule("R24")
def test_what_is_written_from_the_right_turns_its_own_cell_alone() -> None:
    made = Document("Orchard", MADE_AT_MS)
    columns = [Column("Contract", 2), Column("Amount", 1, right=True)]
    made.table(columns, [["never closed \u202eright to left", "120.00"], ["שלום", "240.00"]])
    words = {word.text: word for word in words_of(made.pdf())}
    assert words["right"].right < words["left"].left
    assert words["120.00"].right == pytest.approx(words["240.00"].right, abs=0.5)


@rule("R24")
@pytest.mark.parametrize(
    ("line", "from_right", "parts"),
    [
        ("Fix שלום 123 bug", False, ["Fix ", "123", "שלום ", " bug"]),
        ("שלום Fix 123 עולם", True, [" עולם", "Fix 123", "שלום "]),
        ("nothing of it", False, ["nothing of it"]),
    ],
)
def test_the_parts_of_a_line_stand_as_they_are_read(line: str, parts: list[str], *, from_right: bool) -> None:
    assert [part for part, _ in in_order(line, from_right=from_right)] == parts


@rule("R24")
@given(st.text(st.sampled_from("aé שא 日本\u0301xyz\n12("), max_size=80), st.integers(2, 30))
@settings(max_examples=150, deadline=None)
def test_breaking_a_text_loses_no_sign_and_keeps_to_the_room(text: str, room: int) -> None:
    def measure(part: str) -> float:
        return float(sum(sign != "\u0301" for sign in part))

    lines = broken(text, room, measure)
    assert all(measure(line) <= room for line in lines)
    assert "".join("".join(lines).split()) == "".join(text.split())


@rule("R59")
def test_a_table_goes_on_under_its_heads_and_nothing_leaves_the_sheet() -> None:
    made = Document("Orchard", MADE_AT_MS, foot="Work diary")
    rows = [[str(number), TEXTS[number % len(TEXTS)], "1.00"] for number in range(90)]
    made.table(
        [Column("Row"), Column("Memo", 6), Column("Amount", right=True)], rows, last=["Sum", "", "90.00"]
    )
    words = words_of(made.pdf())
    sheets = max(word.sheet for word in words)
    assert sheets > 5
    assert [word.sheet for word in words if word.text == "Amount"] == list(range(1, sheets + 1))
    width, height = A4_POINTS
    assert all(
        word.left >= 0 and word.right <= width and word.top >= 0 and word.bottom <= height for word in words
    )
    numbers = [word.text for word in words if word.left < 60 and word.text.isdigit()]
    assert numbers == [str(number) for number in range(90)]


@rule("R59")
def test_each_sheet_says_which_of_how_many_it_is_whatever_stood_on_it() -> None:
    text = text_of(printed(*["日本語" * 500] * 4))
    sheets = [sheet for sheet in text.split("\f") if sheet.strip()]
    assert len(sheets) > 1
    for number, sheet in enumerate(sheets, start=1):
        assert "Work diary" in sheet
        assert f"{number} of {len(sheets)}" in sheet


@rule("R59")
@pytest.mark.parametrize("kind", ["AVIF", "WEBP", "PNG", "JPEG"])
def test_a_picture_of_each_format_is_printed(kind: str) -> None:
    made = Document("Orchard", MADE_AT_MS)
    made.entry("09:00", "Invoice page", [("Bills", "yes")], picture=picture(kind))
    whole = made.pdf()
    assert b"/DCTDecode" in whole
    assert "cannot be read" not in text_of(whole)


@rule("R59")
@pytest.mark.parametrize("spoilt", [b"", b"junk", picture("WEBP")[:60], png_claiming(40_000, 40_000)])
def test_a_picture_that_cannot_be_read_is_named(spoilt: bytes) -> None:
    assert photograph(spoilt) is None
    made = Document("Orchard", MADE_AT_MS)
    made.entry("09:00", "Invoice page", [("Bills", "yes")], picture=spoilt)
    text = text_of(made.pdf())
    assert "The picture cannot be read." in text
    assert "Invoice page" in text


@rule("R59")
def test_a_days_heading_stands_on_the_sheet_of_its_first_entry() -> None:
    for lines in range(20, 46):
        made = Document("Orchard", MADE_AT_MS)
        made.paragraph("\n".join(["filler"] * lines))
        facts = [(f"Fact {number}", "value") for number in range(10)]
        made.entry("09:00", "Entry", facts, picture=picture("PNG"), above="Tuesday")
        sheets = {word.text: word.sheet for word in words_of(made.pdf()) if word.text in {"Tuesday", "09:00"}}
        assert sheets["Tuesday"] == sheets["09:00"], lines


@rule("R24")
def test_a_fact_of_one_line_stands_beside_its_name_in_whatever_direction_it_is_written() -> None:
    made = Document("Orchard", MADE_AT_MS)
    made.facts([("Label", "תכנון"), ("Client", "Orchard")])
    words = {word.text: word for word in words_of(made.pdf())}
    (hebrew,) = (word for text, word in words.items() if "\u05d5" in text)
    assert hebrew.left == pytest.approx(
        min(word.left for word in words.values() if word.text == "Orchard" and word.top > 60), abs=1
    )


@rule("R59")
def test_parts_are_bookmarks_and_the_window_has_the_documents_title() -> None:
    made = Document("Orchard", MADE_AT_MS)
    for day in ("Monday", "Tuesday (x) \\ \u05e9\u05dc\u05d5\u05dd"):
        made.heading(day)
        made.paragraph("\n".join(["a line"] * 60))
    whole = made.pdf()
    assert b"/DisplayDocTitle true" in whole
    assert whole.count(b"/Outlines") >= 1
    assert b"(Monday)" in whole
    assert text_of(whole).count("a line") == 120
