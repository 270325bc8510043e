"""The payment gateway as the server sees it: who moves money between a client and a freelancer (R11, R63).

A gateway is asked to take a payment, to give money back, and what it knows of a client's billing method; it
tells what became of money in events. It decides nothing about what is due. Two pass the same suite
(`tests/sync/server/test_payment.py`): `ByHand` here, which has no network, and the one to Stripe.

What may be asked twice has a key: asked again by the same key, nothing happens twice. An event's key names
its effect and not the message that told of it, so that two messages about one effect count once.
"""

from dataclasses import dataclass
from typing import ClassVar, Literal, Protocol

from diary.rules.ids import AccountId, ContractId, Millis
from sync.server.faults import FaultError, ForgedError

MINOR_MAX = 2**53  # what JSON, SQL and JavaScript all hold exactly

MoneyKind = Literal["paid", "refunded", "refund_failed", "charged_back", "charge_back_returned"]
"""What became of money; `charged_back` is what a bank took back by itself, and may return."""

MethodState = Literal["verified", "unverified", "stated", "unknown"]
"""Of a client's billing method. `stated`: the freelancer says so, which proves nothing; `unknown`: nobody."""


class GatewayAwayError(FaultError):
    """The gateway cannot be reached or does not work now; nothing was paid by this request."""

    says = "The payment gateway cannot be asked at this moment: {what}."
    mend = "Try again in a while: what was begun is gone on with, and nothing is paid twice."
    status = 503
    reason = "gateway_away"
    retry_after_seconds = 10


class CannotPayError(FaultError):
    """What was asked cannot be paid, or given back, by this gateway."""

    says = "{what}"
    status = 409
    reason = "cannot_pay"


@dataclass(frozen=True, slots=True)
class Money:
    """An amount above 0 in minor units of an ISO 4217 currency."""

    minor: int
    currency: str

    def __post_init__(self) -> None:
        """Refuse what is no amount."""
        if not 0 < self.minor <= MINOR_MAX or len(self.currency) != 3:
            raise ValueError(f"{self.minor} {self.currency} is no amount of money")


@dataclass(frozen=True, slots=True)
class PaymentNames:
    """What a payment is for, and its key: 32 hexadecimal digits, made once by this server."""

    account: AccountId
    contract: ContractId
    invoice: int
    key: str


@dataclass(frozen=True, slots=True)
class PaymentOrder:
    """What a client is asked to pay once: their lines of one invoice.

    `customer` is the name by which the gateway knows the client; `back` is the page to which it sends them.
    """

    names: PaymentNames
    money: Money
    week: str
    customer: str
    back: str


@dataclass(frozen=True, slots=True)
class RefundOrder:
    """What is to be given back of a payment, by a key of its own; `reference` is the payment's."""

    names: PaymentNames
    key: str
    reference: str
    money: Money


@dataclass(frozen=True, slots=True)
class Started:
    """Something begun at the gateway: its name there, and where the client goes on, None for nowhere."""

    reference: str
    url: str | None


@dataclass(frozen=True, slots=True)
class MoneyEvent:
    """What became of money, as the gateway tells it; `key` names the effect and counts once."""

    key: str
    kind: MoneyKind
    names: PaymentNames
    money: Money
    at_ms: Millis

    @property
    def takes_back(self) -> str | None:
        """Return the key of the event that this one takes back, None for one that stands alone.

        It counts only where that one is known too, whichever of them comes first.
        """
        before = {"refund_failed": "refunded", "charge_back_returned": "charged_back"}.get(self.kind)
        return None if before is None else f"{before}/{self.key.partition('/')[2]}"


@dataclass(frozen=True, slots=True)
class EndedEvent:
    """A payment that was begun can no longer be paid: it expired, was ended, or failed for good."""

    names: PaymentNames


@dataclass(frozen=True, slots=True)
class MethodEvent:
    """A client's billing method may have changed: the gateway is to be asked anew."""

    account: AccountId
    payer: str


GatewayEvent = MoneyEvent | EndedEvent | MethodEvent


class Gateway(Protocol):
    """Moves money; every implementation passes `tests/sync/server/test_payment.py`.

    Its calls may come from several threads and may take seconds: none is made under an account's lock.
    """

    @property
    def name(self) -> str:
        """Return the word by which it is kept and shown."""
        ...

    def customer(self, account: AccountId, payer: str) -> str:
        """Return the name by which the gateway knows a client, made known to it if need be.

        Raises:
            GatewayAwayError: It cannot be asked.
        """
        ...

    def start(self, order: PaymentOrder) -> Started:
        """Begin a payment. The same order again is the same payment.

        Raises:
            GatewayAwayError: It cannot be asked; the order may be given again.
            CannotPayError: It does not take that amount or that currency, or the key was another order's.
        """
        ...

    def look(self, names: PaymentNames, reference: str) -> MoneyEvent | EndedEvent | None:
        """Return what became of a payment that was begun; None while that is open."""
        ...

    def end(self, names: PaymentNames, reference: str) -> MoneyEvent | EndedEvent | None:
        """End a payment that was begun so that it cannot be paid any more; return what became of it.

        None where it cannot be ended and may still be paid.
        """
        ...

    def refund(self, order: RefundOrder) -> MoneyEvent | None:
        """Give money back. The same order again is the same refund; None while the gateway is at it.

        Raises:
            GatewayAwayError: It cannot be asked; the order may be given again.
            CannotPayError: It gives nothing back of that payment, or not as much.
        """
        ...

    def set_up(self, account: AccountId, payer: str, customer: str, back: str) -> Started:
        """Begin to keep a billing method of a client, by a page of the gateway's own."""
        ...

    def has_method(self, customer: str) -> bool | None:
        """Return whether the gateway now holds a billing method of the client that it verified.

        None where it knows nothing of billing methods.
        """
        ...

    def read(self, body: bytes, signature: str | None, at_ms: Millis) -> GatewayEvent | None:
        """Return what a message of the gateway tells, sure that it is the gateway's and of now.

        None for what is none of ours.

        Raises:
            ForgedError: It is not signed by the gateway, or too long ago.
            GatewayAwayError: It has to be asked for more, and cannot be.
        """
        ...


class ByHand:
    """The embedded default: people pay each other by themselves and write it down (R63).

    Nothing is asked of anybody. The records are rows of the contract's log (`payment`), signed by who says
    so; a billing method is what the freelancer states, which is their word and no proof.
    """

    name: ClassVar[str] = "by_hand"

    def customer(self, account: AccountId, payer: str) -> str:  # noqa: ARG002  # the account is the gateway's
        """Return the payer's own id: nobody else knows them."""
        return payer

    def start(self, order: PaymentOrder) -> Started:
        """Return a payment without a page: its client pays elsewhere and marks it as paid."""
        return Started(order.names.key, None)

    def look(self, names: PaymentNames, reference: str) -> None:
        """Return None: nobody but the parties knows."""

    def end(self, names: PaymentNames, reference: str) -> EndedEvent:  # noqa: ARG002  # see `Gateway.end`
        """Return that it has ended: there is no page by which it could still be paid."""
        return EndedEvent(names)

    def refund(self, order: RefundOrder) -> MoneyEvent | None:
        """Raise: what was paid by hand is given back by hand and written down."""
        raise CannotPayError(what=f"{order.key} was paid by hand: give it back by hand and record it.")

    def set_up(self, account: AccountId, payer: str, customer: str, back: str) -> Started:  # noqa: ARG002  # as above
        """Raise: there is nothing to keep a billing method in."""
        raise CannotPayError(what="This server has no payment gateway: you pay by hand, as you both agree.")

    def has_method(self, customer: str) -> None:
        """Return None: it knows of none."""

    def read(self, body: bytes, signature: str | None, at_ms: Millis) -> GatewayEvent | None:  # noqa: ARG002  # as above
        """Raise: nobody has anything to tell."""
        raise ForgedError(what="This server has no payment gateway that could tell it anything.")
