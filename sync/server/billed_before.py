"""Hours that earlier invoices of a week have billed are not billed again (R43, R61)."""

from collections.abc import Iterable, Sequence

from diary.rules.invoice import Charge, charges_of, still_due
from diary.rules.invoice_parts import Invoice
from diary.rules.week import Week


def hours_not_billed(charges: Sequence[Charge], before: Sequence[Invoice], week: Week) -> list[Charge]:
    """Return charges of a week without the hours that earlier invoices of it bill."""
    if not before:
        return list(charges)
    hours = [charge for charge in charges if charge.line.what == "hours"]
    contracts = {charge.line.contract for charge in hours}
    billed = [
        charge
        for charge in charges_of(before)
        if (charge.line.what, charge.line.week) == ("hours", week.name) and charge.line.contract in contracts
    ]
    return [*still_due(hours, billed), *(charge for charge in charges if charge.line.what != "hours")]


def first_of(before: Iterable[Invoice]) -> dict[tuple[str, str], int]:
    """Return the first invoice of each payer and currency: what later ones of a week correct (R43)."""
    found: dict[tuple[str, str], int] = {}
    for one in before:
        found.setdefault((one.payer, one.currency), one.number)
    return found
