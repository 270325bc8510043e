"""Payments by Stripe, through its own library and pages of its own (R53, R63).

The client goes to Stripe's page and comes back: no card's number, no code and no frame of Stripe's comes near
the client's page. What Stripe learns of us: ids of account, contract and payer, the invoice's number, its
week and amount. `tests/sync/server/test_payment.py` runs it against a fake; docs/billing.md says what was not
run. This is the one file that imports the library.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

import msgspec
import stripe

from diary.rules.ids import AccountId, ContractId, Millis
from diary.rules.money import minor_digits
from sync.server.faults import ForgedError
from sync.server.payment import (
    CannotPayError,
    EndedEvent,
    GatewayAwayError,
    GatewayEvent,
    MethodEvent,
    Money,
    MoneyEvent,
    MoneyKind,
    PaymentNames,
    PaymentOrder,
    RefundOrder,
    Started,
)

if TYPE_CHECKING:
    from stripe.params.checkout import SessionCreateParams

SIGNED_WITHIN_MILLIS = 300_000  # how old a message may be, as Stripe's own libraries have it
ASK_SECONDS = 20  # a client waits for the page; what takes longer is asked again by the same key
RETRIES = 2

# Stripe's minor units are ISO 4217's but for these (docs.stripe.com/currencies).
_OTHER_DIGITS = {"ISK": 2, "UGX": 2, "MGA": 0}
_FINEST, _STEP_OF_FINEST = 3, 10  # of three decimals it wants the last to be 0

_ACCOUNT = "workdiary_account"
_CONTRACT = "workdiary_contract"
_INVOICE = "workdiary_invoice"
_KEY = "workdiary_payment"
_PAYER = "workdiary_payer"


@dataclass(frozen=True, slots=True)
class StripeKeys:
    """The secrets of one account at Stripe; they appear in no text made of this.

    `api` is another address to ask, for a fake; None for Stripe's own.
    """

    key: str = field(repr=False)
    webhook_secret: str = field(repr=False)
    api: str | None = None


class _Object(msgspec.Struct, frozen=True, kw_only=True):
    """What is read of the object that an event is about: a session, a refund, a dispute, a method."""

    id: str
    object: str
    mode: str | None = None
    status: str | None = None
    payment_status: str | None = None
    amount_total: int | None = None
    amount: int | None = None
    currency: str | None = None
    payment_intent: str | None = None
    metadata: dict[str, str] | None = None
    customer: str | None = None


class _Kind(msgspec.Struct, frozen=True):
    object: str = ""


class _Before(msgspec.Struct, frozen=True):
    customer: str | None = None


class _Told(msgspec.Struct, frozen=True):
    about: msgspec.Raw = msgspec.field(name="object")
    before: _Before = msgspec.field(name="previous_attributes", default=_Before())


class _Message(msgspec.Struct, frozen=True):
    """A message as it came: what it is about is read once it is known to be of a kind that matters."""

    type: str
    created: int
    data: _Told


@dataclass(frozen=True, slots=True)
class _Event:
    """A message of Stripe's; `before` is whose a billing method was that is nobody's now."""

    type: str
    at_ms: Millis
    about: _Object
    before: str | None


_OURS = frozenset({"checkout.session", "refund", "dispute", "payment_method", "setup_intent"})


class StripeGateway:
    """`Gateway` at Stripe, by Checkout's pages."""

    name: ClassVar[str] = "stripe"

    def __init__(self, keys: StripeKeys) -> None:
        self._secret = keys.webhook_secret
        self._client = stripe.StripeClient(
            keys.key,
            max_network_retries=RETRIES,
            http_client=stripe.RequestsClient(timeout=ASK_SECONDS),
            base_addresses={"api": keys.api} if keys.api else None,
        )

    def customer(self, account: AccountId, payer: str) -> str:
        """See `Gateway.customer`: a customer without a name, known by our ids."""
        with _asked():
            made = self._client.v1.customers.create(
                params={"metadata": {_ACCOUNT: account, _PAYER: payer}},
                options={"idempotency_key": f"customer/{account}/{payer}"},
            )
        return made.id

    def start(self, order: PaymentOrder) -> Started:
        """See `Gateway.start`: a session of Checkout, which ends by itself after a day."""
        metadata = _metadata(order.names)
        asked: SessionCreateParams = {
            "mode": "payment",
            "customer": order.customer,
            "client_reference_id": order.names.key,
            "line_items": [
                {
                    "quantity": 1,
                    "price_data": {
                        "currency": order.money.currency.lower(),
                        "unit_amount": _at_stripe(order.money),
                        "product_data": {"name": f"Invoice {order.names.invoice}, week {order.week}"},
                    },
                }
            ],
            "metadata": metadata,
            # What is kept with the payment itself is found again from refunds and disputes.
            "payment_intent_data": {"metadata": metadata},
            # What is due is due in its own currency.
            "adaptive_pricing": {"enabled": False},
            "success_url": order.back,
            "cancel_url": order.back,
        }
        with _asked():
            made = self._client.v1.checkout.sessions.create(
                params=asked, options={"idempotency_key": f"payment/{order.names.key}"}
            )
        return Started(made.id, made.url)

    def look(self, names: PaymentNames, reference: str) -> MoneyEvent | EndedEvent | None:
        """See `Gateway.look`."""
        with _asked():
            session = self._client.v1.checkout.sessions.retrieve(reference)
        return _outcome(names, session)

    def end(self, names: PaymentNames, reference: str) -> MoneyEvent | EndedEvent | None:
        """See `Gateway.end`: one that is being paid is no longer open and cannot be ended."""
        try:
            with _asked():
                session = self._client.v1.checkout.sessions.expire(reference)
        except CannotPayError:
            return self.look(names, reference)
        return _outcome(names, session)

    def refund(self, order: RefundOrder) -> MoneyEvent | None:
        """See `Gateway.refund`."""
        with _asked():
            session = self._client.v1.checkout.sessions.retrieve(order.reference)
            if session.payment_intent is None:
                raise CannotPayError(what="Nothing was paid there that could be given back.")
            made = self._client.v1.refunds.create(
                params={
                    "payment_intent": _id(session.payment_intent),
                    "amount": _at_stripe(order.money),
                    "metadata": _metadata(order.names),
                },
                options={"idempotency_key": f"refund/{order.key}"},
            )
        if made.status != "succeeded":
            return None
        money = _here(made.amount, made.currency)
        return MoneyEvent(f"refunded/{made.id}", "refunded", order.names, money, _millis(made.created))

    def set_up(self, account: AccountId, payer: str, customer: str, back: str) -> Started:
        """See `Gateway.set_up`."""
        asked: SessionCreateParams = {
            "mode": "setup",
            "customer": customer,
            "allowed_payment_method_types": ["card"],  # the kind that `has_method` asks about
            "metadata": {_ACCOUNT: account, _PAYER: payer},
            "success_url": back,
            "cancel_url": back,
        }
        with _asked():
            made = self._client.v1.checkout.sessions.create(params=asked)
        return Started(made.id, made.url)

    def has_method(self, customer: str) -> bool:
        """See `Gateway.has_method`: what Stripe attached to the customer, it had checked with the bank."""
        with _asked():
            found = self._client.v1.payment_methods.list(params={"customer": customer, "type": "card"})
        return len(found.data) > 0

    def read(self, body: bytes, signature: str | None, at_ms: Millis) -> GatewayEvent | None:
        """See `Gateway.read`: the signature is over the bytes and the instant at which it was made."""
        message, signed_at_ms = self._authentic(body, signature)
        if abs(at_ms - signed_at_ms) > SIGNED_WITHIN_MILLIS:
            raise ForgedError(what="The message was signed at another time than now.")
        if msgspec.json.decode(message.data.about, type=_Kind).object not in _OURS:
            return None
        about = msgspec.json.decode(message.data.about, type=_Object)
        event = _Event(message.type, _millis(message.created), about, message.data.before.customer)
        match about.object:
            case "checkout.session":
                return _of_session(event)
            case "refund":
                return self._of_refund(event)
            case "dispute":
                return self._of_dispute(event)
            case _:
                return self._of_method(event)

    def _authentic(self, body: bytes, signature: str | None) -> tuple[_Message, int]:
        try:
            # Without its own tolerance: what time it is, is asked of this server's clock (R6).
            stripe.WebhookSignature.verify_header(body, signature, self._secret)
            stamps = [part[2:] for part in (signature or "").split(",") if part.startswith("t=")]
            return msgspec.json.decode(body, type=_Message), _millis(int(stamps[0]))
        except (stripe.SignatureVerificationError, ValueError, IndexError) as fault:
            # What is wrong with it is not repeated: the library's text holds the message.
            raise ForgedError(what="This is no message that the payment gateway signed.") from fault

    def _of_refund(self, event: _Event) -> MoneyEvent | None:
        refund = event.about
        match refund.status:
            case "succeeded":
                return self._of_payment(event, f"refunded/{refund.id}", "refunded")
            case "failed" | "canceled":
                # It may have been told as given back before, and may not: only then it is taken back.
                return self._of_payment(event, f"refund_failed/{refund.id}", "refund_failed")
            case _:
                return None

    def _of_dispute(self, event: _Event) -> MoneyEvent | None:
        dispute = event.about
        match event.type:
            case "charge.dispute.funds_withdrawn":
                return self._of_payment(event, f"charged_back/{dispute.id}", "charged_back")
            case "charge.dispute.funds_reinstated":
                return self._of_payment(event, f"charge_back_returned/{dispute.id}", "charge_back_returned")
            case _:
                return None

    def _of_payment(self, event: _Event, key: str, kind: MoneyKind) -> MoneyEvent | None:
        """Return an event about money that was paid; whose it was is kept with the payment."""
        told = event.about
        names = _names(told.metadata)
        if names is None and told.payment_intent is not None:
            with _asked():
                paid = self._client.v1.payment_intents.retrieve(told.payment_intent)
            names = _names(_metadata_of(paid))
        if names is None or told.amount is None or told.currency is None:
            return None
        return MoneyEvent(key, kind, names, _here(told.amount, told.currency), event.at_ms)

    def _of_method(self, event: _Event) -> MethodEvent | None:
        customer = event.about.customer or event.before
        if customer is None:
            return None
        with _asked():
            known = self._client.v1.customers.retrieve(customer)
        return _whose(_metadata_of(known))


@contextmanager
def _asked() -> Iterator[None]:
    """Raise what goes wrong at Stripe as our own faults; its texts may hold what was sent."""
    try:
        yield
    except (stripe.InvalidRequestError, stripe.CardError, stripe.IdempotencyError) as fault:
        what = "The payment gateway does not take this"
        raise CannotPayError(what=f"{what}: {fault.code}." if fault.code else f"{what}.") from fault
    except (stripe.AuthenticationError, stripe.PermissionError) as fault:
        raise GatewayAwayError(what="it does not accept this server's key") from fault
    except stripe.StripeError as fault:
        raise GatewayAwayError(what=type(fault).__name__) from fault


def _metadata(names: PaymentNames) -> dict[str, str]:
    return {
        _ACCOUNT: names.account,
        _CONTRACT: names.contract,
        _INVOICE: str(names.invoice),
        _KEY: names.key,
    }


def _metadata_of(found: stripe.Customer | stripe.PaymentIntent) -> dict[str, str]:
    kept = found.to_dict().get("metadata") or {}
    return {name: str(value) for name, value in kept.items()}


def _names(metadata: dict[str, str] | None) -> PaymentNames | None:
    """Return which payment of ours an object belongs to; None for one of somebody else's."""
    try:
        found = metadata or {}
        account, contract = AccountId(found[_ACCOUNT]), ContractId(found[_CONTRACT])
        return PaymentNames(account, contract, int(found[_INVOICE]), found[_KEY])
    except (KeyError, ValueError):
        return None


def _whose(metadata: dict[str, str]) -> MethodEvent | None:
    account, payer = metadata.get(_ACCOUNT), metadata.get(_PAYER)
    return MethodEvent(AccountId(account), payer) if account and payer else None


def _of_session(event: _Event) -> GatewayEvent | None:
    session = event.about
    metadata = session.metadata or {}
    if session.mode == "setup":
        return _whose(metadata) if event.type == "checkout.session.completed" else None
    names = _names(metadata)
    if names is None:
        return None
    if session.payment_status == "paid":
        return _paid(names, session.amount_total, session.currency, event.at_ms)
    if event.type in {"checkout.session.expired", "checkout.session.async_payment_failed"}:
        return EndedEvent(names)
    return None  # completed and not paid: a bank takes days for some, and then it is told


def _outcome(names: PaymentNames, session: stripe.checkout.Session) -> MoneyEvent | EndedEvent | None:
    if session.payment_status == "paid":
        return _paid(names, session.amount_total, session.currency, _millis(session.created))
    return EndedEvent(names) if session.status == "expired" else None


def _paid(names: PaymentNames, amount: int | None, currency: str | None, at_ms: Millis) -> MoneyEvent:
    if amount is None or currency is None:
        raise GatewayAwayError(what="it says that something was paid, and not how much")
    return MoneyEvent(f"paid/{names.key}", "paid", names, _here(amount, currency), at_ms)


def _at_stripe(money: Money) -> int:
    """Return an amount in the unit in which Stripe counts that currency.

    Raises:
        CannotPayError: Stripe cannot take so small a part of it.
    """
    digits, up, down = _units(money.currency)
    amount, rest = divmod(money.minor * up, down)
    if rest or (digits == _FINEST and amount % _STEP_OF_FINEST):
        raise CannotPayError(what=f"The payment gateway does not take so small a part of {money.currency}.")
    return amount


def _here(amount: int, currency: str) -> Money:
    """Return an amount of Stripe's in ISO 4217's minor unit."""
    _, up, down = _units(currency.upper())
    return Money(amount * down // up, currency.upper())


def _units(currency: str) -> tuple[int, int, int]:
    """Return Stripe's decimals of a currency, and by what ISO 4217's unit is multiplied, then divided."""
    own = minor_digits(currency)
    digits = _OTHER_DIGITS.get(currency, own)
    up, down = 1, 1
    for _ in range(digits - own):
        up *= 10
    for _ in range(own - digits):
        down *= 10
    return digits, up, down


def _id(found: str | stripe.PaymentIntent) -> str:
    return found if isinstance(found, str) else found.id


def _millis(seconds: int) -> Millis:
    return Millis(seconds * 1000)
