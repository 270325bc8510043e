"""How each client pays, as the server last told, with the time at which that was said (R11, R30, R63).

A gateway's answer or the freelancer's own word; asked with a sync now and then. A diary without a server was
told nothing and warns of nothing.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, get_args

import msgspec

from diary.rules.ids import AccountId, Millis
from diary.rules.qualifies import BillingState
from diary.state import OpenDiary

if TYPE_CHECKING:
    from diary.contracts import Contract
    from diary.rules.elsewhere import SaidElsewhere
    from diary.rules.ledger import GatewayEvent

BILLING = "billing"
MOVED = "money_moved"
SAID = "money_said_elsewhere"
OVERLAP_MILLIS = 600_000  # other accounts' rows are received under other locks: not in one order
ASK_AGAIN_MILLIS = 600_000  # a client who leaves a billing method is believed within ten minutes


@dataclass(frozen=True, slots=True)
class ToldMethod:
    """What was told of one payer, and when the gateway or the freelancer had said it."""

    payer: str
    state: BillingState
    at_ms: Millis


@dataclass(frozen=True, slots=True)
class ToldBilling:
    """What the server told: its gateway, the state of payers that it did not name, and those that it did.

    `moved` is what the gateway told of money since the last time, `said` what was said in other logs.
    """

    gateway: str
    otherwise: BillingState
    methods: tuple[ToldMethod, ...]
    moved: "tuple[GatewayEvent, ...]" = ()
    said: "tuple[SaidElsewhere, ...]" = ()


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
    known = {event.id: event for event in moved(diary)}
    new = {event.id: event for event in told.moved if event.id not in known}
    with diary.writing():
        diary.keep(BILLING, [diary.now_ms(), told.gateway, told.otherwise, methods])
        if new:
            diary.keep(MOVED, [asdict(event) for event in (known | new).values()])
        if told.said:
            rows = {one.name: one for one in (*said_elsewhere(diary), *told.said)}
            diary.keep(SAID, [msgspec.to_builtins(one) for one in rows.values()])


def moved(diary: OpenDiary) -> "tuple[GatewayEvent, ...]":
    """Return what the gateway told of the account's money, by the server's word (R63)."""
    kept = diary.kept(MOVED)
    found = (event_of(one, diary.account) for one in kept) if isinstance(kept, list) else ()
    return tuple(event for event in found if event is not None)


def said_elsewhere(diary: OpenDiary) -> "tuple[SaidElsewhere, ...]":
    """Return what the server told of rows about money in other logs: of most accounts nothing (R61, R63)."""
    kept = diary.kept(SAID)
    if not isinstance(kept, list):
        return ()
    from diary.rules.elsewhere import SaidElsewhere

    return tuple(msgspec.convert(one, SaidElsewhere) for one in kept)


def moved_from_ms(diary: OpenDiary) -> Millis:
    """Return from which instant on the server is asked what moved: about that of the last that is known."""
    known = [event.at_ms for event in moved(diary)] + [one.at_ms for one in said_elsewhere(diary)]
    return Millis(max(0, max(known, default=0) - OVERLAP_MILLIS))


def event_of(told: Mapping[str, object], account: AccountId) -> "GatewayEvent | None":
    """Return an event of the gateway as a server tells it; None for one that a newer diary understands.

    What was kept before issuers were told is of the account's own invoices (R61).
    """
    from diary.rules.ledger import GatewayEvent  # where nothing moved, no command waits for the ledger

    try:
        return msgspec.convert({**told, "issuer": told.get("issuer") or account}, GatewayEvent)
    except msgspec.ValidationError:
        return None


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
