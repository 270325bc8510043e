"""What is shown of an invoice: its sums, where it stands, what is due, as JSON and CSV (R61-R63)."""

import csv
import io
from dataclasses import replace

import pytest

from diary.evidence.invoice_csv import CSV_COLUMNS, invoices_csv
from diary.rules.ids import ContractId, Millis
from diary.rules.invoice_view import (
    InvoiceView,
    LineView,
    PaymentView,
    Step,
    hours_of,
    invoice_json,
    state_says,
)
from tests.practice import instant
from tests.rule import rule

ORCHARD = ContractId("a" * 32)
STEPS = (
    Step("in_review", instant("2026-11-23T12:00Z")),
    Step("security_period", instant("2026-11-28T00:00Z")),
    Step("available", instant("2026-12-02T00:00Z")),
)
HOURS = LineView(ORCHARD, "Orchard", "hours", "2026-W47", 7, 6000, 7000)
VIEW = InvoiceView(
    number=3,
    week="2026-W47",
    currency="USD",
    client="Ada",
    closed_at_ms=instant("2026-11-23T12:00:05Z"),
    lines=(HOURS, LineView(ORCHARD, "Orchard", "bonus", "2026-W46", 0, 0, 500, note="=SUM(A1)")),
    steps=STEPS,
    state="in_review",
    owed_minor=7500,
)


@rule("R61")
def test_what_is_due_is_what_is_owed_without_what_is_disputed() -> None:
    assert (VIEW.total_minor, VIEW.due_minor) == (7500, 7500)
    lines = (replace(HOURS, disputed_minor=1000, credited_minor=2000), VIEW.lines[1])
    disputed = replace(VIEW, lines=lines, owed_minor=5500)
    assert (disputed.total_minor, disputed.credited_minor, disputed.due_minor) == (7500, 2000, 4500)


@rule("R63")
@pytest.mark.parametrize(
    ("state", "counts"),
    [("claimed", 0), ("received", 1000), ("disagrees", 1000), ("withdrawn", 0), ("refunded", -1000)],
)
def test_only_what_the_freelancer_confirmed_counts_as_paid(state: str, counts: int) -> None:
    one = PaymentView(ORCHARD, "b" * 32, state, 1000, Millis(0))  # type: ignore[arg-type]  # a test says it
    assert one.counted_minor == counts


@rule("R61")
@pytest.mark.parametrize("agrees", [False, None])
def test_nothing_is_due_of_an_invoice_that_is_not_borne_out(agrees: bool | None) -> None:  # noqa: FBT001
    view = replace(VIEW, agrees=agrees)
    assert view.due_minor is None
    assert invoice_json(view)["due_minor"] is None
    assert "due" in state_says(view) or "not checked" in state_says(view)


@rule("R62")
def test_where_it_stands_says_what_comes_next_and_when() -> None:
    assert state_says(VIEW) == "in review; security period from Sat 28 Nov 2026, 00:00 UTC"
    assert state_says(replace(VIEW, state="available")) == "available"
    assert invoice_json(VIEW)["next"] == {"state": "security_period", "at": "2026-11-28T00:00:00Z"}


@rule("R61")
def test_each_line_is_a_line_of_the_csv_and_no_text_of_it_runs() -> None:
    first, second = csv.DictReader(io.StringIO(invoices_csv([VIEW])))
    assert tuple(first) == CSV_COLUMNS
    assert (first["invoice"], first["hours"], first["rate"], first["amount"]) == (
        "3",
        "1:10",
        "60.00",
        "70.00",
    )
    assert (second["what"], second["hours"], second["amount"], second["agrees"]) == (
        "bonus",
        "",
        "5.00",
        "yes",
    )
    hostile = replace(VIEW, client="=cmd|'/c calc'!A1")
    assert next(csv.DictReader(io.StringIO(invoices_csv([hostile]))))["client"].startswith("'=")


@rule("R61")
def test_amounts_are_written_in_the_currencys_own_decimals() -> None:
    yen = replace(VIEW, currency="JPY")
    dinar = replace(VIEW, currency="KWD")
    assert (invoice_json(yen)["total"], invoice_json(dinar)["total"]) == ("7500", "7.500")
    assert hours_of(0) == "0:00"
