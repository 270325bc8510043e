"""Handlers of the invoices: the list, one of them, its files, what the parties note of payments (R61-R63)."""

from collections.abc import Callable, Sequence
from typing import Any

from datasette.utils.asgi import BadRequest, Response

from datasette_work_diary.edit_form import form_of, led_on
from datasette_work_diary.frame import Handler, crumbs, reading_of, show, viewer_here
from datasette_work_diary.invoice_page import PATH, InvoicePage, InvoicesPage, invoice_page, invoices_page
from datasette_work_diary.reading import Reading
from datasette_work_diary.statement_page import StatementShown, statement_page
from diary.diary import Diary
from diary.errors import DiaryError
from diary.evidence.invoice_csv import invoices_csv
from diary.rules.invoice_view import InvoiceView, invoice_json
from diary.rules.money import minor_of
from diary.rules.statement import statement_json

REFERENCE_MAX = 200


async def listed(datasette: Any, request: Any) -> Any:
    """Show the invoices, the newest first (R61); as JSON and as CSV."""
    match request.url_vars["format"]:
        case ".json":
            views = await viewer_here(datasette).room.ask(lambda diary: diary.invoices())
            return Response.json([invoice_json(view) for view in views])
        case ".csv":
            views = await viewer_here(datasette).room.ask(lambda diary: diary.invoices())
            return _csv(views, "invoices")

    def look(diary: Diary) -> tuple[Reading, InvoicesPage]:
        reading = reading_of(diary)
        return reading, invoices_page(diary.invoices(), reading)

    reading, page = await viewer_here(datasette).room.ask(look)
    context = {"page": page, "room": "invoices", "crumbs_here": crumbs((PATH, "invoices"))}
    return await show(datasette, request, "invoices", reading, context)


async def one(datasette: Any, request: Any) -> Any:
    """Show one invoice (R61); as JSON, as CSV and as a PDF made to be sent."""
    number, agency = _named(request)
    match request.url_vars["format"]:
        case ".json":
            view = await viewer_here(datasette).room.ask(lambda diary: diary.invoice(number, agency))
            return Response.json(invoice_json(view))
        case ".csv":
            view = await viewer_here(datasette).room.ask(lambda diary: diary.invoice(number, agency))
            return _csv([view], f"invoice-{number}")
        case ".pdf":
            return _file(await _pdf(datasette, number, agency), "application/pdf", f"invoice-{number}.pdf")

    def look(diary: Diary) -> tuple[Reading, InvoicePage]:
        reading, view = reading_of(diary), diary.invoice(number, agency)
        return reading, invoice_page(view, diary.letterhead(view), reading)

    reading, page = await viewer_here(datasette).room.ask(look)
    way = crumbs((PATH, "invoices"), (f"{PATH}/{number}", str(number)))
    context = {"page": page, "room": "invoices", "crumbs_here": way}
    return await show(datasette, request, "invoice", reading, context)


async def statement(datasette: Any, request: Any) -> Any:
    """Show what each client and the freelancer have between them (R62, R63); as JSON too."""
    if request.url_vars["format"]:
        found = await viewer_here(datasette).room.ask(lambda diary: diary.statements())
        return Response.json([statement_json(one) for one in found])

    def look(diary: Diary) -> tuple[Reading, tuple[StatementShown, ...]]:
        reading = reading_of(diary)
        return reading, statement_page(diary.statements(), reading)

    reading, shown = await viewer_here(datasette).room.ask(look)
    way = crumbs((PATH, "invoices"), ("/-/diary/statement", "statement"))
    context: dict[str, object] = {"statements": shown, "room": "invoices", "crumbs_here": way}
    return await show(datasette, request, "statement", reading, context)


async def paid(datasette: Any, request: Any) -> Any:
    """Note a payment: as the client that it was made, as the freelancer that it came in (R63, R66)."""
    form = await form_of(request)
    number, agency = _named(request)
    written, reference = form.text("amount", 32), form.text("reference", REFERENCE_MAX)

    def write(diary: Diary) -> str:
        amount_minor = _amount(written, diary.invoice(number, agency).currency)
        if diary.seat_in is not None:
            diary.mark_paid(number, amount_minor, reference, agency=agency)
            return f"Marked as paid; the {'agency' if agency else 'freelancer'} confirms it."
        diary.note_received(number, amount_minor, reference, agency=agency)
        return "Recorded."

    return await _done(datasette, request, write)


async def settle(datasette: Any, request: Any) -> Any:
    """Confirm a payment, take one back, or note that money was given back (R63)."""
    form = await form_of(request)
    number, agency = _named(request)
    payment, act = form.text("payment", 32), form.text("act", 16)

    def write(diary: Diary) -> str:
        match act:
            case "received":
                diary.confirm_payment(number, payment, agency=agency)
                return "Confirmed."
            case "take_back":
                diary.take_payment_back(number, payment, agency=agency)
                return "Taken back."
            case "refund":
                diary.refund(number, _paid(diary.invoice(number, agency), payment), agency=agency)
                return "Noted as given back."
            case _:
                raise BadRequest("The form says nothing to do.")

    return await _done(datasette, request, write)


def _named(request: Any) -> tuple[int, str | None]:
    """Return the invoice that the address names, and the agency whose it is, None for the own one (R61)."""
    return int(request.url_vars["number"]), request.args.get("agency")


async def _done(datasette: Any, request: Any, write: Callable[[Diary], str]) -> Any:
    """Do it and lead on; what was refused is said on the invoice's page (R37d)."""
    number, agency = _named(request)
    where = f"{PATH}/{number}" + (f"?agency={agency}" if agency else "")
    try:
        says = await viewer_here(datasette).room.ask(write)
    except DiaryError as error:
        return led_on(datasette, request, where, error.in_full, problem=True)
    return led_on(datasette, request, where, says)


def _paid(view: InvoiceView, payment: str) -> int:
    """Return the amount of a payment that came in."""
    found = next((one for one in view.payments if one.id == payment), None)
    if found is None or found.counted_minor <= 0:
        raise BadRequest("The form names no payment that came in.")
    return found.counted_minor


def _amount(written: str, currency: str) -> int:
    try:
        return minor_of(written, currency)
    except ValueError as error:
        raise BadRequest(str(error)) from error


async def _pdf(datasette: Any, number: int, agency: str | None) -> bytes:
    from diary.invoice_pdf import invoice_pdf  # what it needs is loaded when it is asked for

    def made(diary: Diary) -> bytes:
        view = diary.invoice(number, agency)
        return invoice_pdf(view, diary.letterhead(view))

    whole: bytes = await viewer_here(datasette).room.ask(made)
    return whole


def _csv(views: Sequence[InvoiceView], name: str) -> Any:
    return _file(invoices_csv(views), "text/csv; charset=utf-8", f"{name}.csv")


def _file(whole: str | bytes, kind: str, name: str) -> Any:
    headers = {"content-disposition": f'attachment; filename="{name}"'}
    return Response(whole, content_type=kind, headers=headers)


ROUTES: Sequence[tuple[str, Handler]] = [
    (r"^/-/diary/statement(?P<format>\.json)?$", statement),
    (rf"^{PATH}(?P<format>\.json|\.csv)?$", listed),
    (rf"^{PATH}/(?P<number>[0-9]{{1,9}})(?P<format>\.json|\.csv|\.pdf)?$", one),
    (rf"^{PATH}/(?P<number>[0-9]{{1,9}})/paid$", paid),
    (rf"^{PATH}/(?P<number>[0-9]{{1,9}})/settle$", settle),
]
