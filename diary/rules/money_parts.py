"""What the parties say about money, as it stands in clear (R46, R61, R62, R63).

A bonus is the client's, for one week; a payment is claimed by the client, confirmed by the freelancer.
Reasons, references and receipts are sealed. Pure.
"""

import re
from collections.abc import Sequence
from typing import Literal

import msgspec

from diary.rules.act_parts import is_week

AMOUNT_END = 2**40  # a thousand thousand million minor units: sums of a lifetime stay whole in any language
INVOICE_END = 2**31
RECEIPTS_MAX = 4  # a transfer slip of some pages, or a photograph of each side

_ID = re.compile(r"[0-9a-f]{32}")
_HASH = re.compile(r"[0-9a-f]{64}")
_CURRENCY = re.compile(r"[A-Z]{3}")

PaymentAct = Literal["paid", "withdrawn_claim", "received", "refunded"]


class BonusInClear(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a client adds of their own for a week: time over the limit, or thanks (R62).

    `minor` is in the currency's minor unit, the currency that of the contract's rate in that week.
    """

    week: str
    minor: int
    currency: str


class PaymentInClear(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A payment of one contract's part of an invoice, made by hand (R63).

    `paid`: the client says that they paid; `withdrawn_claim`: that they did not. `received`: the freelancer
    confirms that id, or records one that was never claimed; `refunded`: they gave money back, under an id of
    its own. What the freelancer says settles; an id counts once.
    """

    id: str
    act: PaymentAct
    invoice: int
    minor: int
    currency: str


def is_payer(payer: str) -> bool:
    """Return whether this is the id of a payer: 32 hexadecimal digits (R61)."""
    return _ID.fullmatch(payer) is not None


def fault_of_bonus(part: BonusInClear | None) -> str | None:
    """Return what is wrong with a bonus, None where nothing is."""
    if part is None:
        return "a bonus carries its own part"
    if not is_week(part.week):
        return "a week is written like 2026-W47"
    return _fault_of_amount(part.minor, part.currency)


def fault_of_payment(
    part: PaymentInClear | None, receipts: Sequence[tuple[str, int]], *, is_sealed: bool
) -> str | None:
    """Return what is wrong with a payment, None where nothing is; `receipts` are its pictures."""
    if part is None:
        return "a payment carries its own part"
    if not _ID.fullmatch(part.id):
        return "a payment's id is 32 hexadecimal digits"
    if not 1 <= part.invoice < INVOICE_END:
        return "invoices are numbered from 1"
    if len(receipts) > RECEIPTS_MAX or (receipts and not is_sealed):
        return f"a payment's receipts are sealed, and at most {RECEIPTS_MAX}"
    if not all(_HASH.fullmatch(name) and size > 0 for name, size in receipts):
        return "a picture is named by 64 hexadecimal digits and a size over 0"
    return _fault_of_amount(part.minor, part.currency)


def _fault_of_amount(minor: int, currency: str) -> str | None:
    if not 1 <= minor < AMOUNT_END:
        return f"an amount is 1 to {AMOUNT_END - 1} minor units"
    return None if _CURRENCY.fullmatch(currency) else "a currency is three capital letters"
