"""The HTTP doors of paying: a client's seat, a freelancer's device and the gateway itself (R11, R63)."""

import asyncio
from typing import Annotated

from litestar import post, put
from litestar.params import Parameter

from sync.money_messages import (
    Billing,
    BillingPage,
    GiveBack,
    GivenBack,
    PaymentStarted,
    SetUpBilling,
    StartPayment,
    StateBilling,
)
from sync.server.described import Authorization, faults
from sync.server.limiting import of_wrong_tokens
from sync.server.server import Server

MESSAGE_BYTES_MAX = 256 * 1024  # a message of the gateway is a few kilobytes


@post(
    "/v1/payments",
    status_code=200,
    guards=[of_wrong_tokens],
    responses=faults(400, 401, 403, 409, 429, 503),
)
async def start_payment(
    server: Server, data: StartPayment, authorization: Authorization = None
) -> PaymentStarted:
    """Begin to pay what the seat's contract owes of an invoice, or go on with it."""
    return await asyncio.to_thread(server.paying.start, authorization, data)


@post(
    "/v1/billing/page",
    status_code=200,
    guards=[of_wrong_tokens],
    responses=faults(400, 401, 403, 409, 429, 503),
)
async def billing_page(
    server: Server, data: SetUpBilling, authorization: Authorization = None
) -> BillingPage:
    """Give the gateway's page on which the seat's client leaves a billing method."""
    return await asyncio.to_thread(server.paying.set_up, authorization, data)


@put("/v1/billing", guards=[of_wrong_tokens], responses=faults(400, 401, 403, 404, 429, 503))
async def state_billing(server: Server, data: StateBilling, authorization: Authorization = None) -> Billing:
    """Keep the freelancer's word that a client pays by hand as agreed, or that it is not so."""
    return await asyncio.to_thread(server.paying.state_by_hand, authorization, data)


@post(
    "/v1/refunds",
    status_code=200,
    guards=[of_wrong_tokens],
    responses=faults(400, 401, 403, 404, 409, 429, 503),
)
async def give_back(server: Server, data: GiveBack, authorization: Authorization = None) -> GivenBack:
    """Give back a part of what a client paid through the gateway."""
    return await asyncio.to_thread(server.paying.give_back, authorization, data)


@post(
    "/v1/gateway/messages",
    status_code=200,
    request_max_body_size=MESSAGE_BYTES_MAX,
    responses=faults(400, 413, 503),
)
async def gateway_message(
    server: Server,
    body: bytes,
    signature: Annotated[str | None, Parameter(header="Stripe-Signature", required=False)] = None,
) -> dict[str, str]:
    """Take a message that the payment gateway signed; what it tells is kept before this is answered."""
    await asyncio.to_thread(server.paying.take, body, signature)
    return {"message": "taken"}


PAYMENT_DOORS = (start_payment, billing_page, state_billing, give_back, gateway_message)
