"""The invoices that the server signed, as it signed them, and whether they could be borne out here (R61)."""

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass

from diary.evidence.statement import SignedStatement
from diary.rules.ids import AccountId
from diary.rules.invoice_parts import Invoice, InvoicePart

_KEEP = """
    INSERT INTO invoice (account, number, contract, week, text, signature)
    VALUES (:account, :number, :contract, :week, :text, :signature)
        ON CONFLICT (account, number, contract) DO NOTHING
"""
_ALL = """
    SELECT contract, text, signature, agrees, doubted
      FROM invoice
     ORDER BY account, number, contract
"""
_JUDGE = """
    UPDATE invoice
       SET agrees = :agrees, doubted = :doubted
     WHERE account = :account AND number = :number AND contract = :contract
"""
_NEWEST = """
    SELECT max(number)
      FROM invoice
     WHERE account = :account AND contract = :contract
"""
_NEWEST_OF_ISSUER = "SELECT max(number) FROM invoice WHERE account = :account"
_ANY_UNJUDGED = "SELECT EXISTS (SELECT 1 FROM invoice WHERE agrees IS NULL)"


_MAY_BE_ANY = """
    SELECT EXISTS (
        SELECT 1
          FROM version
         WHERE type IN ('acceptance', 'bonus') AND slot IS NULL
    )
"""


@dataclass(frozen=True, slots=True)
class KeptInvoice:
    """An invoice, or a contract's part of one, and the statement that says it."""

    invoice: Invoice | InvoicePart
    signed: SignedStatement
    agrees: bool | None = None
    doubted: bool = False

    @property
    def contract(self) -> str:
        """Return whose part it is, "" for the whole."""
        return self.invoice.contract if isinstance(self.invoice, InvoicePart) else ""


def may_be_any(connection: sqlite3.Connection) -> bool:
    """Return whether there are rows that bill without a sealed week: late time, a bonus (R38, R62)."""
    return bool(connection.execute(_MAY_BE_ANY).fetchone()[0])


def any_unjudged(connection: sqlite3.Connection) -> bool:
    """Return whether there is one that was not borne out yet; every sync asks."""
    return bool(connection.execute(_ANY_UNJUDGED).fetchone()[0])


def keep(connection: sqlite3.Connection, kept: KeptInvoice) -> bool:
    """Keep what the server's key was found to have signed; False where that number is another one here."""
    invoice = kept.invoice
    known = {_name(one): one for one in of_numbers(connection, [invoice.number])}.get(_name(kept))
    if known is not None:
        return known.signed.text == kept.signed.text
    row = {"week": invoice.week, "text": kept.signed.text, "signature": kept.signed.signature}
    connection.execute(_KEEP, row | _bound(kept))
    return True


def everything(connection: sqlite3.Connection) -> list[KeptInvoice]:
    """Return all invoices, by issuer, number and contract."""
    return [_kept(row) for row in connection.execute(_ALL)]


def of_numbers(connection: sqlite3.Connection, numbers: Iterable[int]) -> list[KeptInvoice]:
    """Return the invoices of these numbers."""
    asked = set(numbers)
    return [kept for kept in everything(connection) if kept.invoice.number in asked]


def newest_number(connection: sqlite3.Connection, account: AccountId, contract: str) -> int:
    """Return the greatest number that is here, 0 for none."""
    found = connection.execute(_NEWEST, {"account": account, "contract": contract}).fetchone()[0]
    return int(found or 0)


def newest_of_issuer(connection: sqlite3.Connection, issuer: AccountId) -> int:
    """Return the greatest number of an issuer's that is here in any part, 0 for none."""
    found = connection.execute(_NEWEST_OF_ISSUER, {"account": issuer}).fetchone()[0]
    return int(found or 0)


def judge(connection: sqlite3.Connection, kept: KeptInvoice, *, agrees: bool | None, doubted: bool) -> None:
    """Note whether an invoice says what this diary makes of its rows."""
    connection.execute(_JUDGE, _bound(kept) | {"agrees": agrees, "doubted": doubted})


def _bound(kept: KeptInvoice) -> dict[str, str | int | bool | bytes | None]:
    account, number, contract = _name(kept)
    return {"account": account, "number": number, "contract": contract}


def _name(kept: KeptInvoice) -> tuple[str, int, str]:
    return kept.invoice.account, kept.invoice.number, kept.contract


def _kept(row: tuple[str, str, bytes, int | None, int]) -> KeptInvoice:
    from diary.evidence.invoice_statement import own_invoice, own_part

    contract, text, signature, agrees, doubted = row
    invoice = own_part(text) if contract else own_invoice(text)
    signed = SignedStatement(text=text, signature=signature)
    return KeptInvoice(invoice, signed, None if agrees is None else bool(agrees), bool(doubted))
