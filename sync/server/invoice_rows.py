"""Rows of the databases as invoices and ledger entries, the same for every one of them (R61, R62)."""

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Any

from diary.evidence.invoice_statement import own_invoice
from diary.evidence.statement import SignedStatement
from diary.rules.ids import AccountId, ContractId, Millis
from diary.rules.invoice_parts import Invoice
from diary.rules.ledger import GatewayEvent
from diary.rules.ledger_entry import LedgerEntry, Posting
from sync.server.dialect import Columns
from sync.server.kept_invoices import NewInvoice
from sync.server.storage_rows import Row

INVOICE = Columns(
    ("number", "payer", "currency", "week", "corrects", "next_step_ms", "text", "signature", "healed"),
    numbers=("number", "corrects", "next_step_ms"),
)
INVOICE_CONTRACT = Columns(("contract", "number"), numbers=("number",))
LEDGER_ENTRY = Columns(
    ("contract", "key", "invoice", "currency", "at_ms", "what"), numbers=("invoice", "at_ms")
)
POSTING = Columns(("contract", "key", "ledger_account", "amount_minor"), numbers=("amount_minor",))


def invoice_row(new: NewInvoice) -> Row:
    """Return an invoice as the row of `invoice`; its first step is the end of its review (R62)."""
    invoice = new.invoice
    return (
        invoice.number,
        invoice.payer,
        invoice.currency,
        invoice.week,
        invoice.corrects,
        invoice.review_ends_at_ms,
        new.signed.text,
        new.signed.signature,
        new.healed,
    )


def contract_rows(invoices: Iterable[NewInvoice]) -> list[Row]:
    """Return which contracts have lines, as rows of `invoice_contract`."""
    return [
        (contract, new.invoice.number)
        for new in invoices
        for contract in dict.fromkeys(line.contract for line in new.invoice.lines)
    ]


def entry_rows(entries: Iterable[LedgerEntry]) -> list[Row]:
    """Return entries as rows of `ledger_entry`."""
    return [
        (entry.contract, entry.key, entry.invoice, entry.currency, entry.at_ms, entry.what)
        for entry in entries
    ]


def posting_rows(entries: Iterable[LedgerEntry]) -> list[Row]:
    """Return the entries' postings as rows of `posting`."""
    return [
        (entry.contract, entry.key, posting.account, posting.amount_minor)
        for entry in entries
        for posting in entry.postings
    ]


def invoices_of(rows: Iterable[Row]) -> list[Invoice]:
    """Return the invoices of rows that hold their text."""
    return [own_invoice(text) for (text,) in rows]


def signed_of(rows: Iterable[Row]) -> list[SignedStatement]:
    """Return the invoices as they were signed."""
    return [SignedStatement(text=text, signature=signature) for text, signature in rows]


def entries_of(rows: Iterable[Row]) -> list[LedgerEntry]:
    """Return entries of rows, one a posting, those of an entry together (see `ENTRIES` of the statements)."""

    def head(row: Row) -> Sequence[Any]:
        return row[:6]

    return [
        LedgerEntry(
            key=key,
            contract=ContractId(contract),
            invoice=invoice,
            currency=currency,
            at_ms=Millis(at_ms),
            what=what,
            postings=tuple(Posting(name, amount) for *_, name, amount in together),
        )
        for (contract, key, invoice, currency, at_ms, what), together in groupby(rows, head)
    ]


def gateway_event_of(account: AccountId, row: Row) -> GatewayEvent:
    """Return what the gateway told of an account's invoice, of a row of `gateway_event`."""
    key, kind, contract, invoice, minor, currency, at_ms = row
    return GatewayEvent(key, Millis(at_ms), kind, account, ContractId(contract), invoice, currency, minor)
