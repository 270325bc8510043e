"""What the parties say about money, as it stands in clear (R46, R61, R62, R63).

A bonus is the client's, for one week; a payment is claimed by the client, confirmed by the freelancer.
Reasons, references and receipts are sealed. Pure.
"""

import re
from collections.abc import Sequence
from typing import Literal

import msgspec

from diary.rules.act_parts import is_week
from diary.rules.ids import AccountId, ContractId

AMOUNT_END = 2**40  # a thousand thousand million minor units: sums of a lifetime stay whole in any language
INVOICE_END = 2**31
RECEIPTS_MAX = 4  # a transfer slip of some pages, or a photograph of each side

_ID = re.compile(r"[0-9a-f]{32}")
_HASH = re.compile(r"[0-9a-f]{64}")
_CURRENCY = re.compile(r"[A-Z]{3}")

PaymentAct = Literal["paid", "withdrawn_claim", "received", "refunded"]

SETTLING = frozenset({"received", "refunded"})
"""What the issuer of an invoice says of a payment; the rest is the client's (R63)."""


class BonusInClear(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a client adds of their own for a week: time over the limit, or thanks (R62).

    `minor` is in the currency's minor unit, the currency that of the contract's rate in that week.
    """

    week: str
    minor: int
    currency: str


class PaymentInClear(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True
):
    """A payment of one contract's part of an invoice, made by hand (R63).

    `paid`: the client says that they paid; `withdrawn_claim`: that they did not. `received`: the freelancer
    confirms that id, or records one that was never claimed; `refunded`: they gave money back, under an id of
    its own. What the issuer says settles; of one issuer's payments an id counts once.

    `issuer` is the agency whose invoice it is, None for the account in whose log it stands (R61). `contract`
    stands where an agency says in its own log what it received: of which contract's part.
    """

    id: str
    act: PaymentAct
    invoice: int
    minor: int
    currency: str
    issuer: AccountId | None = None
    contract: ContractId | None = None


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
    part: PaymentInClear | None,
    receipts: Sequence[tuple[str, int]],
    *,
    account: AccountId,
    in_own_log: bool,
    is_sealed: bool,
) -> str | None:
    """Return what is wrong with a payment, None where nothing is; `receipts` are its pictures.

    `account` is that in whose log it stands, in the log of the account itself where `in_own_log` says so.
    """
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
    fault = _fault_of_place(part, account, in_own_log=in_own_log, is_sealed=is_sealed)
    return fault or _fault_of_amount(part.minor, part.currency)


def _fault_of_place(
    part: PaymentInClear, account: AccountId, *, in_own_log: bool, is_sealed: bool
) -> str | None:
    """Return why a payment cannot stand in the log in which it does (R61, R63)."""
    if (part.contract is not None) != in_own_log:
        return "a payment in the account's own log names its contract, and no other does"
    if in_own_log and (part.act not in SETTLING or part.issuer is not None or is_sealed):
        return "in its own log an account says bare what it received or gave back"
    if part.issuer is not None and (part.issuer == account or not _ID.fullmatch(part.issuer)):
        return "an issuer is another account, named by 32 hexadecimal digits"
    if part.contract is not None and not _ID.fullmatch(part.contract):
        return "a contract is named by 32 hexadecimal digits"
    return None


def _fault_of_amount(minor: int, currency: str) -> str | None:
    if not 1 <= minor < AMOUNT_END:
        return f"an amount is 1 to {AMOUNT_END - 1} minor units"
    return None if _CURRENCY.fullmatch(currency) else "a currency is three capital letters"
