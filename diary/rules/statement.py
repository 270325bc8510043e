"""What a client and a freelancer have between them, as the ledger says it, and what stands where.

One statement a client and currency; each party's replica makes the same (R62, R63). Pure.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from diary.rules import ledger_entry
from diary.rules.ids import ContractId, Millis
from diary.rules.invoice_parts import Invoice, InvoicePart
from diary.rules.invoice_shown import Known, entries_of
from diary.rules.json_form import iso
from diary.rules.ledger_entry import EntryWhat, LedgerAccount, LedgerEntry
from diary.rules.money import money

ACCOUNT_WORDS: Mapping[LedgerAccount, str] = {
    "client_owes": "Owed by the client",
    "paid_by_hand": "Paid by hand",
    "gateway": "At the payment gateway",
    "paid_out": "Paid out by the gateway",
    "fees": "Fees of the gateway",
    "in_review": "In review",
    "security_period": "In the security period",
    "available": "Available",
    "withdrawn": "Withdrawn",
    "disputed": "Disputed",
    "refunded": "Given back",
}
ENTRY_WORDS: Mapping[EntryWhat, str] = {
    "closed": "Invoiced",
    "review_ended": "Review over",
    "available": "Available",
    "disputed": "Disputed",
    "dispute_withdrawn": "Dispute withdrawn",
    "conceded": "Conceded, credited",
    "received": "Paid",
    "refunded": "Given back",
    "gateway_paid": "Paid by the gateway",
    "gateway_refunded": "Given back by the gateway",
    "gateway_refund_failed": "Giving back failed, at the gateway",
    "gateway_charged_back": "Taken back by the client's bank",
    "gateway_charge_back_returned": "Returned by the client's bank",
    "gateway_paid_out": "Paid out by the gateway",
    "gateway_paid_out_returned": "Returned to the gateway",
    "gateway_fee": "Fee of the gateway",
    "corrected": "Corrected",
}
# What the freelancer's side and what was refunded stand as credits, below nothing; people read them above it.
_CREDITS: frozenset[LedgerAccount] = frozenset(
    {"in_review", "security_period", "available", "withdrawn", "disputed"}
)


@dataclass(frozen=True, slots=True)
class StatementLine:
    """One entry: what happened to which invoice, how much it moved, and what the client owes after it."""

    at_ms: Millis
    what: EntryWhat
    invoice: int
    title: str
    amount_minor: int
    owed_minor: int


@dataclass(frozen=True, slots=True)
class Statement:
    """All entries of one client and currency in the order of time, and what stands in which account."""

    client: str
    currency: str
    lines: tuple[StatementLine, ...]
    balances: Mapping[LedgerAccount, int]


def statements(
    invoices: Iterable[Invoice | InvoicePart], known: Mapping[ContractId, Known], now_ms: Millis
) -> tuple[Statement, ...]:
    """Return the statements by client, then currency."""
    grouped: dict[tuple[str, str, str], list[LedgerEntry]] = defaultdict(list)
    for invoice in invoices:
        for contract, entries in entries_of(invoice, known, now_ms).items():
            client = known[contract].client if contract in known else ""
            grouped[client, invoice.payer, invoice.currency] += entries
    return tuple(
        _statement(client, currency, found, known)
        for (client, _, currency), found in sorted(grouped.items())
        if found
    )


def statement_json(one: Statement) -> dict[str, object]:
    """Return a statement for programs; amounts as written, and as minor units to reckon with."""
    return {
        "client": one.client,
        "currency": one.currency,
        "balances": {name: shown_minor(name, minor) for name, minor in one.balances.items()},
        "entries": [
            {
                "at": iso(line.at_ms),
                "what": line.what,
                "invoice": line.invoice,
                "title": line.title,
                "amount": money(line.amount_minor, one.currency),
                "amount_minor": line.amount_minor,
                "owed_minor": line.owed_minor,
            }
            for line in one.lines
        ],
    }


def shown_minor(account: LedgerAccount, minor: int) -> int:
    """Return what stands in an account as people read it: what the freelancer has is above nothing."""
    return -minor if account in _CREDITS else minor


def _statement(
    client: str, currency: str, found: Iterable[LedgerEntry], known: Mapping[ContractId, Known]
) -> Statement:
    ordered = sorted(found, key=lambda entry: entry.at_ms)
    owed, lines = 0, []
    for entry in ordered:
        owed += sum(posting.amount_minor for posting in entry.postings if posting.account == "client_owes")
        moved = sum(posting.amount_minor for posting in entry.postings if posting.amount_minor > 0)
        title = known[entry.contract].title if entry.contract in known else entry.contract[:8]
        lines.append(StatementLine(entry.at_ms, entry.what, entry.invoice, title, moved, owed))
    return Statement(client, currency, tuple(lines), ledger_entry.balances(ordered))
