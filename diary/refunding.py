"""What the gateway took and may give back, and a refund that is being asked for (R63).

A refund has an id of its own, which is kept before anybody is asked: asked again after a crash it is the same
refund. The gateway forgets ids after a day, so what was asked for longer ago is not asked again by itself.
"""

import secrets
from collections import defaultdict

from diary import billing
from diary.billing_methods import moved
from diary.errors import UsageError
from diary.rules.ids import ContractId
from diary.rules.invoice_view import InvoiceView
from diary.state import OpenDiary

ASKED_MILLIS = 23 * 3_600_000  # gateways know an id again for 24 hours
_ASKED = "refund asked "
_SIGNS = {"paid": 1, "refunded": -1, "refund_failed": 1, "charged_back": -1, "charge_back_returned": 1}


class UnsureRefundError(UsageError):
    """Nobody knows here whether a refund that was asked for long ago was made (R63)."""

    says = "A refund of the same amount was asked for over 23 hours ago, and no answer to it came here."
    mend = "Sync, and see whether it was made: diary invoice {number}. The next refund is a new one."


def gateway_money(diary: OpenDiary, view: InvoiceView) -> dict[ContractId, int]:
    """Return how much of an invoice lies at the gateway by contract, as far as it told (R63)."""
    found: dict[ContractId, int] = defaultdict(int)
    issuer = view.agency or diary.account
    for event in moved(diary):
        if (event.issuer, event.invoice) == (issuer, view.number):
            found[event.contract] += _SIGNS.get(event.what, 0) * event.minor
    return {contract: minor for contract, minor in found.items() if minor > 0}


def begin(diary: OpenDiary, number: int, contract: ContractId, minor: int) -> str:
    """Return the id of the refund that is to be asked for: that of one that was cut short, else a new one.

    Raises:
        UnsureRefundError: One was cut short too long ago; it is forgotten now.
    """
    name = _name(number, contract, minor)
    with diary.writing():
        known = diary.kept(name)
        if isinstance(known, list) and diary.now_ms() - int(known[1]) < ASKED_MILLIS:
            return str(known[0])
        refund = secrets.token_hex(16)
        diary.keep(name, None if isinstance(known, list) else [refund, diary.now_ms()])
    if isinstance(known, list):
        raise UnsureRefundError(number=number)
    return refund


def finish(diary: OpenDiary, number: int, contract: ContractId, minor: int) -> None:
    """Note that the server has answered: the next refund of that amount is another one."""
    with diary.writing():
        diary.keep(_name(number, contract, minor), None)


def contract_with(diary: OpenDiary, number: int, minor: int) -> ContractId | None:
    """Return the contract of whose part of an invoice the gateway holds that much, None for none (R63)."""
    found = gateway_money(diary, billing.one(diary, number))
    return next((contract for contract, held in found.items() if held >= minor), None)


def _name(number: int, contract: ContractId, minor: int) -> str:
    return f"{_ASKED}{number}/{contract}/{minor}"
