"""Whether a replica comes to an invoice by itself (R57, R61).

It is told what its own rows make due, and every invoice that it was shown. What a later invoice corrects was
right when it was made: the later one is judged by the sum of both (R43). Pure.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from diary.rules.ids import ContractId
from diary.rules.invoice import Charge, LineKey, charges_of
from diary.rules.invoice_parts import Invoice, InvoicePart


@dataclass(frozen=True, slots=True)
class Own:
    """What a replica's own rows make due, and who pays for its contracts; one without a payer is no key."""

    charges: Mapping[LineKey, Charge]
    payers: Mapping[ContractId, str]


@dataclass(frozen=True, slots=True)
class Borne:
    """Whether a replica comes to an invoice by itself, None until it can tell; and to what it comes else."""

    agrees: bool | None = True
    own_total_minor: int | None = None


def borne(invoice: Invoice | InvoicePart, every: Sequence[Invoice | InvoicePart], own: Own | None) -> Borne:
    """Return whether an invoice is what the own rows come to, with what was billed before it.

    `every` are all invoices that are known, itself among them; `own` is None as long as it cannot be told.
    On the agency's own device a member's line is taken as it is said: its rows lie with the member, and the
    copy of that contract bears it out.
    """
    if own is None:
        return Borne(None)
    here, elsewhere = _told_apart(invoice, own)
    total = sum(_due_of(charge, invoice, every, own) for charge in here)
    total += sum(charge.line.amount_minor for charge in (*elsewhere, *_left_out(invoice, every, own)))
    said = sum(line.amount_minor for line in invoice.lines)
    lines_hold = all(_due_of(charge, invoice, every, own) == charge.line.amount_minor for charge in here)
    return Borne() if lines_hold and total == said else Borne(agrees=False, own_total_minor=total)


def _told_apart(invoice: Invoice | InvoicePart, own: Own) -> tuple[list[Charge], list[Charge]]:
    """Return the lines that the own rows can bear out, and those of an agency's members."""
    here: list[Charge] = []
    elsewhere: list[Charge] = []
    for charge in charges_of([invoice]):
        is_members = isinstance(invoice, Invoice) and charge.line.member is not None
        (elsewhere if is_members and charge.key not in own.charges else here).append(charge)
    return here, elsewhere


def _due_of(
    charge: Charge, invoice: Invoice | InvoicePart, every: Sequence[Invoice | InvoicePart], own: Own
) -> int:
    """Return what a line should say."""
    billed: dict[bool, int] = defaultdict(int)
    later = False
    for each in every:
        if each.number == invoice.number:
            continue
        same = [line for line in charges_of([each]) if line.key == charge.key]
        later |= each.number > invoice.number and bool(same)
        billed[each.number < invoice.number] += sum(line.line.amount_minor for line in same)
    if later:
        return charge.line.amount_minor
    due = own.charges[charge.key].line.amount_minor if charge.key in own.charges else 0
    return due - billed[True]


def _left_out(
    invoice: Invoice | InvoicePart, every: Sequence[Invoice | InvoicePart], own: Own
) -> list[Charge]:
    """Return the hours of the invoice's own week that its payer owes and no invoice bills."""
    billed = {charge.key for charge in charges_of(every)}
    return [
        charge
        for key, charge in own.charges.items()
        if key not in billed
        and (charge.line.what, charge.line.week, charge.currency) == ("hours", invoice.week, invoice.currency)
        and own.payers.get(charge.line.contract, str(charge.line.contract)) == invoice.payer
    ]
