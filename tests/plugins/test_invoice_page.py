"""What the pages of invoices and statements say, from values alone (R61, R62, R63)."""

from dataclasses import replace

from datasette_work_diary.invoice_page import invoice_page, invoices_page
from datasette_work_diary.statement_page import statement_page
from diary.rules.invoice_view import Letterhead, PaymentView
from diary.rules.statement import Statement, StatementLine
from tests.diary.rules.test_invoice_view import ORCHARD, VIEW
from tests.plugins.views import reading
from tests.practice import instant
from tests.rule import rule

HEAD = Letterhead("Grace Hopper", "1 Harbour St; Arlington", "IBAN NL00")
TUESDAY = reading("2026-11-24T09:00")


@rule("R61")
def test_the_list_says_what_is_due_in_each_currency_and_where_each_stands() -> None:
    other = replace(VIEW, number=4, currency="JPY", owed_minor=0)
    page = invoices_page([other, VIEW], TUESDAY)
    assert page.due == ("75.00 USD",)
    assert [(row.number, row.total, row.due) for row in page.rows] == [
        (4, "7,500 JPY", "0 JPY"), (3, "75.00 USD", "75.00 USD"),
    ]  # fmt: skip
    assert page.rows[1].says == "in review; security period from Sat 28 Nov 2026, 00:00 UTC"


@rule("R62")
def test_an_invoice_shows_its_lines_its_life_and_where_it_is_in_it() -> None:
    page = invoice_page(VIEW, HEAD, TUESDAY)
    assert page.issuer == ("Grace Hopper", "1 Harbour St", "Arlington")
    assert [(line.what, line.hours, line.amount) for line in page.lines] == [
        ("hours", "1:10", "70.00 USD"), ("bonus", "", "5.00 USD"),
    ]  # fmt: skip
    assert [(step.word, step.is_now) for step in page.steps] == [
        ("in review", True), ("security period", False), ("available", False),
    ]  # fmt: skip
    later = invoice_page(VIEW, HEAD, reading("2026-12-03T09:00"))
    assert [step.is_now for step in later.steps] == [False, False, True]


@rule("R61")
def test_what_differs_is_said_loudly_with_both_sums_and_nothing_is_due_or_payable() -> None:
    view = replace(VIEW, agrees=False, own_total_minor=7000)
    page = invoice_page(view, HEAD, TUESDAY)
    assert "signed 75.00 USD" in page.differs
    assert "come to 70.00 USD" in page.differs
    assert (page.may_record, dict(page.sums).get("Due")) == (False, None)
    assert invoices_page([view], TUESDAY).rows[0].differs


@rule("R63")
def test_each_party_is_offered_what_is_theirs_to_say_of_a_payment() -> None:
    claim = PaymentView(ORCHARD, "b" * 32, "claimed", 500, instant("2026-11-24T08:00Z"), "SEPA 1")
    view = replace(VIEW, payments=(claim, replace(claim, state="received", at_ms=None)))
    mine, came = invoice_page(view, HEAD, TUESDAY).payments
    assert (mine.may_confirm, mine.may_take_back, mine.may_refund) == (True, False, False)
    assert (came.may_confirm, came.may_refund, came.when) == (False, True, "not sent yet")
    client = invoice_page(view, HEAD, replace(TUESDAY, for_client=True))
    assert [one.may_take_back for one in client.payments] == [True, False]
    assert (client.may_pay, client.may_record) == (True, False)
    assert client.may_dispute == "/-/diary/week/2026-W47"


@rule("R62")
def test_a_statement_shows_the_newest_entry_first_and_what_is_the_freelancers_above_nothing() -> None:
    lines = (
        StatementLine(instant("2026-11-23T12:00Z"), "closed", 3, "Orchard", 7500, 7500),
        StatementLine(instant("2026-11-24T08:00Z"), "received", 3, "Orchard", 500, 7000),
    )
    found = Statement("Ada", "USD", lines, {"client_owes": 7000, "in_review": -7500, "paid_by_hand": 500})
    (shown,) = statement_page([found], TUESDAY)
    assert [(entry.what, entry.owed) for entry in shown.entries] == [
        ("Paid", "70.00 USD"), ("Invoiced", "75.00 USD"),
    ]  # fmt: skip
    assert dict(shown.balances) == {
        "Owed by the client": "70.00 USD", "Paid by hand": "5.00 USD", "In review": "75.00 USD",
    }  # fmt: skip
