"""An invoice as a PDF: what stands on it, the same bytes each time, none of what is not borne out (R61)."""

from dataclasses import replace

import pytest

from diary.invoice_pdf import NotBorneOutError, invoice_pdf
from diary.rules.invoice_view import Letterhead
from tests.diary.pdf.printed import text_of
from tests.diary.rules.test_invoice_view import VIEW
from tests.hostile_texts import TEXTS
from tests.rule import rule

HEAD = Letterhead("Grace Hopper", "1 Harbour St; Arlington", "IBAN NL00 BANK 0123 4567 89")


@rule("R61")
def test_it_says_who_bills_whom_for_what_and_how_much() -> None:
    said = " ".join(text_of(invoice_pdf(VIEW, HEAD)).split())
    for words in (
        "Invoice 3", "From Grace Hopper", "Arlington", "To Ada", "2026-W47, 2026-11-16 to 2026-11-22",
        "Orchard hours 1:10 60.00 70.00", "bonus of 2026-W46: =SUM(A1) 5.00", "Total 75.00 USD",
        "How to pay IBAN NL00 BANK 0123 4567 89",
    ):  # fmt: skip
        assert words in said, words
    assert "Due" not in said


@rule("R61")
def test_what_was_paid_is_taken_off_and_the_same_invoice_makes_the_same_bytes() -> None:
    paid = replace(VIEW, paid_minor=2500, owed_minor=5000)
    said = " ".join(text_of(invoice_pdf(paid, HEAD)).split())
    assert "Paid -25.00 USD" in said
    assert "Due 50.00 USD" in said
    assert invoice_pdf(paid, HEAD) == invoice_pdf(paid, HEAD)


@rule("R61")
@pytest.mark.parametrize("agrees", [False, None])
def test_none_is_made_of_an_invoice_that_this_diary_does_not_come_to(agrees: bool | None) -> None:  # noqa: FBT001
    with pytest.raises(NotBorneOutError):
        invoice_pdf(replace(VIEW, agrees=agrees), HEAD)


@rule("R61")
@pytest.mark.parametrize("text", TEXTS)
def test_any_text_of_anybody_is_printed_and_obeyed_by_nothing(text: str) -> None:
    line = replace(VIEW.lines[0], title=text, note=text)
    made = invoice_pdf(replace(VIEW, client=text, lines=(line,)), Letterhead(text, text, text))
    assert made.startswith(b"%PDF-")
