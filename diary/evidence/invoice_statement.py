"""An invoice under the server's signature: the whole of it, or one contract's part (R51, R61). Pure."""

from typing import TypeVar

import msgspec

from diary.evidence import signature
from diary.evidence.statement import BrokenStatementError, SignedStatement, read_statement, sign_statement
from diary.rules.invoice_parts import Invoice, InvoicePart

WHAT = "invoice"

_Form = TypeVar("_Form", Invoice, InvoicePart)
_invoice = msgspec.json.Decoder(Invoice)
_part = msgspec.json.Decoder(InvoicePart)


def sign_invoice(invoice: Invoice, key: signature.SigningKey) -> SignedStatement:
    """Return the invoice under the server's signature (R61)."""
    return sign_statement(invoice, signature.INVOICE, key)


def sign_part(part: InvoicePart, key: signature.SigningKey) -> SignedStatement:
    """Return one contract's part of an invoice under the server's signature (R51, R61)."""
    return sign_statement(part, signature.INVOICE_PART, key)


def read_invoice(signed: SignedStatement, server_key: bytes) -> Invoice:
    """Return the invoice that the server's key signed (R61).

    Raises:
        ForgedStatementError: That key did not sign it.
        BrokenStatementError: It is no invoice.
    """
    return _sound(read_statement(signed, signature.INVOICE, _invoice, server_key, WHAT))


def read_part(signed: SignedStatement, server_key: bytes) -> InvoicePart:
    """Return the contract's part of an invoice that the server's key signed (R51, R61).

    Raises:
        ForgedStatementError: That key did not sign it.
        BrokenStatementError: It is no part of an invoice.
    """
    return _sound(read_statement(signed, signature.INVOICE_PART, _part, server_key, WHAT))


def own_invoice(text: str) -> Invoice:
    """Return an invoice that was signed, or checked, by whoever asks."""
    return _invoice.decode(text)


def own_part(text: str) -> InvoicePart:
    """Return a contract's part of an invoice that was signed, or checked, by whoever asks."""
    return _part.decode(text)


def _sound(form: _Form) -> _Form:
    fault = form.fault()
    if fault is not None:
        raise BrokenStatementError(what=WHAT, because=fault)
    return form
