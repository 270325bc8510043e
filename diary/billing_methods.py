"""How each client pays, as the server last told, with the time at which that was said (R11, R30, R63).

A gateway's answer or the freelancer's own word; asked with a sync now and then. A diary without a server was
told nothing and warns of nothing.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, get_args

from diary.rules.ids import Millis
from diary.rules.qualifies import BillingState
from diary.state import OpenDiary

if TYPE_CHECKING:
    from diary.contracts import Contract

BILLING = "billing"
ASK_AGAIN_MILLIS = 600_000  # a client who leaves a billing method is believed within ten minutes


@dataclass(frozen=True, slots=True)
class ToldMethod:
    """What was told of one payer, and when the gateway or the freelancer had said it."""

    payer: str
    state: BillingState
    at_ms: Millis


@dataclass(frozen=True, slots=True)
class ToldBilling:
    """What the server told: its gateway, the state of payers that it did not name, and those that it did."""

    gateway: str
    otherwise: BillingState
    methods: tuple[ToldMethod, ...]


@dataclass(frozen=True, slots=True)
class BillingView:
    """How one contract's client pays; `at_ms` is when that was said, None where nobody has."""

    gateway: str
    state: BillingState
    at_ms: Millis | None


def state_of(word: str) -> BillingState:
    """Return a state by its word; one that a newer server may know is nobody's word here."""
    known: tuple[BillingState, ...] = get_args(BillingState)
    return next((state for state in known if state == word), "unknown")


def is_due(diary: OpenDiary) -> bool:
    """Return whether it is time to ask the server."""
    kept = diary.kept(BILLING)
    return not isinstance(kept, list) or diary.now_ms() - int(kept[0]) >= ASK_AGAIN_MILLIS


def note(diary: OpenDiary, told: ToldBilling) -> None:
    """Keep what the server told, with when it was asked."""
    methods = [[method.payer, method.state, method.at_ms] for method in told.methods]
    with diary.writing():
        diary.keep(BILLING, [diary.now_ms(), told.gateway, told.otherwise, methods])


def billing_of(diary: OpenDiary, contract: "Contract") -> BillingView | None:
    """Return how a contract's client pays, None where no server has told."""
    kept = diary.kept(BILLING)
    if not isinstance(kept, list):
        return None
    _, gateway, otherwise, methods = kept
    payer = contract.history.first.payer or contract.id
    for of, state, at_ms in methods:
        if of == payer:
            return BillingView(gateway, state_of(state), Millis(at_ms))
    return BillingView(gateway, state_of(otherwise), None)


_WORDS: dict[BillingState, str] = {
    "verified": "verified by the payment gateway",
    "unverified": "not verified by the payment gateway",
    "stated": "by hand, as you stated; nobody has verified it",
    "unknown": "nobody has said how",
}


def billing_says(view: BillingView) -> str:
    """Return in words how a client pays, without the time."""
    return _WORDS[view.state]
