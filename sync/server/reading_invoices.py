"""Invoices as they are given out: whole to devices, a contract's part to its seats (R51, R61)."""

from diary.evidence.invoice_statement import own_invoice
from diary.rules.invoice import part_of
from sync.protocol import Invoices, InvoicesAnswer
from sync.server.accounts import Caller
from sync.server.faults import UnreadableError
from sync.server.log import ServerKey
from sync.server.storage import Storage

INVOICES_PAGE_MAX = 100  # one of a thousand lines is some 200 KB, most are under 2
NUMBER_END = 2**53


def invoices(storage: Storage, key: ServerKey, asking: Caller, asked: Invoices) -> InvoicesAnswer:
    """Return the invoices past a number that the caller may see, in the order of their numbers.

    Raises:
        UnreadableError: The number is none.
    """
    if not 0 <= asked.after < NUMBER_END:
        raise UnreadableError(what="Invoices are numbered from 1.")
    own = asking.contract
    if asked.issuer not in {None, asking.account}:
        return _of_agency(storage, key, asking, asked)
    # First, so that an invoice which is issued meanwhile is asked for, and not missed.
    issued = storage.invoices.last(asking.account, only=own)
    found = storage.invoices.invoices(asking.account, asked.after, INVOICES_PAGE_MAX, only=own)
    whole = [own_invoice(signed.text) for signed in found]
    if own is not None:
        parts = [part_of(invoice, own) for invoice in whole]
        found = [key.invoice_part(part) for part in parts if part is not None]
    last = whole[-1].number if whole else asked.after
    return InvoicesAnswer(invoices=found, last=last, issued=max(issued, last))


def _of_agency(storage: Storage, key: ServerKey, asking: Caller, asked: Invoices) -> InvoicesAnswer:
    """Return what stands on an agency's invoices of the caller's contracts: their lines alone (R51)."""
    assert asked.issuer is not None, "an agency is named"
    own = asking.contract
    issued = storage.invoices.last(asked.issuer, only=own)
    found = storage.invoices.invoices(asked.issuer, asked.after, INVOICES_PAGE_MAX, only=own)
    parts, last = [], asked.after
    for invoice in (own_invoice(signed.text) for signed in found):
        theirs = dict.fromkeys(line.contract for line in invoice.lines if line.member == asking.account)
        parts += [part_of(invoice, contract) for contract in theirs if own in {None, contract}]
        last = invoice.number
    signed_parts = [key.invoice_part(part) for part in parts if part is not None]
    return InvoicesAnswer(invoices=signed_parts, last=last, issued=max(issued, last))
