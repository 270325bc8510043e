"""A fake of Stripe's server as a program: localstripe, and what it lacks of what we ask (R63).

Run as `python -m tests.sync.server.stripe_fake PORT`. localstripe keeps customers, payment intents, billing
methods, refunds and events. Of ours are: Checkout's sessions, answers by an idempotency key, and the events
of refunds, disputes and detached methods. They follow Stripe's reference as far as the adapter goes; a real
Stripe was never asked. `/_config/page/…` is what a client does on Stripe's page, `/_config/bank/…` what a
bank does.
"""

import re
import sys
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web
from localstripe import resources
from localstripe.errors import UserError
from localstripe.resources import Customer, Event, PaymentIntent, PaymentMethod, Refund, StripeObject
from localstripe.server import app, get_post_data, json_response
from localstripe.webhooks import schedule_webhook

DAY_SECONDS = 24 * 3600
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
# What localstripe would keep of a run for the next one lies in a place that all of a machine share.
resources.Store.dump_to_disk = lambda _: None


def answer_of(given: dict[str, Any], status: int = 200) -> web.Response:
    response: web.Response = json_response(given, status=status)
    return response


_asked: list[str] = []
_answered: dict[str, tuple[bytes, int, bytes]] = {}


@web.middleware
async def by_key(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer a request that comes again with its idempotency key as it was answered first."""
    if request.method == "DELETE" and request.path == "/_config/data":
        _answered.clear()
        _asked.clear()
    key = request.headers.get("Idempotency-Key")
    if key is None or request.method != "POST":
        return await handler(request)
    body = await request.read()
    _asked.append(body.decode())
    if key in _answered:
        asked, status, answer = _answered[key]
        if asked != body:
            error = {"type": "idempotency_error", "message": "The key was another request's."}
            return answer_of({"error": error}, 400)
        return web.Response(status=status, body=answer, content_type="application/json")
    response = await handler(request)
    assert isinstance(response, web.Response)
    assert isinstance(response.body, bytes)
    _answered[key] = body, response.status, response.body
    return response


@web.middleware
async def detached_as_told(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Tell of a billing method that is taken from its customer."""
    detached = re.fullmatch(r"/v1/payment_methods/(\w+)/detach", request.path)
    if detached is None:
        return await handler(request)
    method = PaymentMethod._api_retrieve(detached[1])
    before = {"customer": method.customer}
    response = await handler(request)
    tell("payment_method.detached", method, before)
    return response


def tell(kind: str, about: StripeObject, before: dict[str, Any] | None = None) -> None:
    event = Event(kind, about)
    if before is not None:
        event.data["previous_attributes"] = before
    schedule_webhook(event)


class Session(StripeObject):  # type: ignore[misc]  # localstripe publishes no types
    object = "checkout.session"
    _id_prefix = "cs_test_"

    def __init__(self, **asked: Any) -> None:
        known = {"mode", "customer", "line_items", "metadata", "payment_intent_data", "success_url"}
        known |= {"cancel_url", "client_reference_id", "adaptive_pricing", "allowed_payment_method_types"}
        if not asked.keys() <= known or asked.get("mode") not in {"payment", "setup"}:
            raise UserError(400, f"Unexpected {sorted(asked.keys() - known)}")
        Customer._api_retrieve(asked["customer"])
        items = asked.get("line_items", [])
        prices = [(int(item["quantity"]), item["price_data"]) for item in items]
        if any(int(price["unit_amount"]) <= 0 or not price["product_data"]["name"] for _, price in prices):
            raise UserError(400, "An amount is above 0.")
        super().__init__()
        self.mode = asked["mode"]
        self.customer = asked["customer"]
        self.client_reference_id = asked.get("client_reference_id")
        self.metadata = asked.get("metadata", {})
        self.amount_total = sum(n * int(price["unit_amount"]) for n, price in prices) if prices else None
        self.currency = prices[0][1]["currency"] if prices else None
        self.payment_status = "unpaid" if prices else "no_payment_required"
        self.status = "open"
        self.payment_intent: str | None = None
        self.setup_intent: str | None = None
        self.success_url = asked["success_url"]
        self.cancel_url = asked["cancel_url"]
        self.expires_at = self.created + DAY_SECONDS
        self._of_intent = asked.get("payment_intent_data", {}).get("metadata", {})

    @property
    def url(self) -> str | None:
        """Return Stripe's page, which is there while the session is open."""
        return f"https://checkout.stripe.com/c/pay/{self.id}" if self.status == "open" else None

    def _expire(self) -> None:
        if self.status != "open":
            raise UserError(400, "Only open sessions can be expired.")
        self.status = "expired"
        tell("checkout.session.expired", self)

    def _pay(self, card: str, *, later: bool) -> None:
        """Do what a client does on the page: with a card, or with a bank that takes days."""
        if self.status != "open":
            raise UserError(400, "The page is gone.")
        method = PaymentMethod(type="card", card=_card(card))
        if self.mode == "setup":
            PaymentMethod._api_attach(method.id, customer=self.customer)
            self.setup_intent = "seti_" + method.id
        else:
            made = PaymentIntent(
                amount=self.amount_total,
                currency=self.currency,
                customer=self.customer,
                payment_method=method.id,
                metadata=dict(self._of_intent),
            )
            self.payment_intent = made.id
            if not later:
                PaymentIntent._api_confirm(made.id)
                self.payment_status = "paid"
        self.status = "complete"
        tell("checkout.session.completed", self)

    def _hear_of_bank(self, *, paid: bool) -> None:
        assert self.payment_intent is not None
        if paid:
            PaymentIntent._api_confirm(self.payment_intent)
            self.payment_status = "paid"
        tell(f"checkout.session.async_payment_{'succeeded' if paid else 'failed'}", self)


class Dispute(StripeObject):  # type: ignore[misc]  # localstripe publishes no types
    object = "dispute"
    _id_prefix = "du_"

    def __init__(self, intent: PaymentIntent) -> None:
        super().__init__()
        self.payment_intent = intent.id
        self.amount, self.currency = intent.amount, intent.currency
        self.status = "needs_response"
        self.metadata: dict[str, str] = {}


def _card(number: str) -> dict[str, str]:
    return {"number": number, "exp_month": "12", "exp_year": "2030", "cvc": "123"}


def _found(kind: type[StripeObject], request: web.Request) -> Any:
    return kind._api_retrieve(request.match_info["id"])


async def make_session(request: web.Request) -> web.Response:
    return answer_of(Session(**await get_post_data(request))._export())


async def read_session(request: web.Request) -> web.Response:
    return answer_of(_found(Session, request)._export())


async def expire_session(request: web.Request) -> web.Response:
    session = _found(Session, request)
    session._expire()
    return answer_of(session._export())


async def on_the_page(request: web.Request) -> web.Response:
    asked = await request.json()
    _found(Session, request)._pay(asked.get("card", "4242424242424242"), later=asked.get("later", False))
    return answer_of({})


async def at_the_bank(request: web.Request) -> web.Response:
    """Let a bank decide about a payment, fail a refund, or take a payment back and return it."""
    match request.match_info["what"]:
        case "pays" | "fails" as word:
            _found(Session, request)._hear_of_bank(paid=word == "pays")
        case "refund_fails":
            refund = _found(Refund, request)
            refund.status = "failed"
            tell("refund.failed", refund)
        case "takes_back":
            tell("charge.dispute.funds_withdrawn", Dispute(_found(PaymentIntent, request)))
        case _:
            tell("charge.dispute.funds_reinstated", _found(Dispute, request))
    return answer_of({})


async def asked_so_far(_: web.Request) -> web.Response:
    return answer_of({"asked": _asked})


async def sessions_so_far(_: web.Request) -> web.Response:
    known = (one for name, one in resources.store.items() if name.startswith("checkout.session:"))
    return answer_of({"sessions": [one.status for one in known]})


def refund_as_told(made: Callable[..., Refund]) -> Callable[..., Refund]:
    """Refuse to give back more than was paid, and tell of what is given back."""

    def refund(**asked: Any) -> Refund:
        intent = PaymentIntent._api_retrieve(asked["payment_intent"])
        known = (one for name, one in resources.store.items() if name.startswith("refund:"))
        before = sum(one.amount for one in known if one.payment_intent == intent.id)
        if before + int(asked["amount"]) > intent.amount:
            raise UserError(400, "More than was paid.", {"code": "charge_already_refunded"})
        done = made(**asked)
        tell("refund.created", done)
        return done

    return refund


def main(port: int) -> None:
    app.middlewares.extend([by_key, detached_as_told])
    for route in (
        web.post("/v1/checkout/sessions", make_session),
        web.get("/v1/checkout/sessions/{id}", read_session),
        web.post("/v1/checkout/sessions/{id}/expire", expire_session),
        web.get("/_config/asked", asked_so_far),
        web.get("/_config/sessions", sessions_so_far),
        web.post("/_config/page/{id}", on_the_page),
        web.post("/_config/bank/{what}/{id}", at_the_bank),
    ):
        app.router.add_route(route.method, route.path, route.handler)
    web.run_app(app, host="127.0.0.1", port=port, print=None)


Refund._api_create = refund_as_told(Refund._api_create)

if __name__ == "__main__":
    main(int(sys.argv[1]))
