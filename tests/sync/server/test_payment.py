"""What every payment gateway keeps to: the one by hand, and Stripe's at a fake of its server (R11, R63)."""

from collections.abc import Iterator
from dataclasses import replace

import msgspec
import pytest

from diary.rules.ids import AccountId, ContractId, Millis
from sync.server.faults import ForgedError
from sync.server.payment import (
    ByHand,
    CannotPayError,
    EndedEvent,
    Gateway,
    GatewayAwayError,
    GatewayEvent,
    MethodEvent,
    Money,
    MoneyEvent,
    PaymentNames,
    PaymentOrder,
    RefundOrder,
)
from sync.server.payment_stripe import SIGNED_WITHIN_MILLIS, StripeGateway, StripeKeys
from tests.rule import rule
from tests.sync.server.process import free_port
from tests.sync.server.stripe_here import KEY, SECRET, StripeHere, signed, stripe_here

ACCOUNT = AccountId("a" * 32)
PAYER = "e" * 32
NAMES = PaymentNames(ACCOUNT, ContractId("c" * 32), 7, "1" * 32)
BACK = "https://diary.example/join"
DUE = Money(6050, "EUR")
NOW = Millis(1_800_000_000_000)


@pytest.fixture(scope="module")
def fake() -> Iterator[StripeHere]:
    with stripe_here() as fake:
        yield fake


@pytest.fixture(params=["by_hand", "stripe"])
def gateway(request: pytest.FixtureRequest) -> Gateway:
    return ByHand() if request.param == "by_hand" else request.getfixturevalue("at_stripe")


@pytest.fixture
def at_stripe(fake: StripeHere) -> StripeGateway:
    return StripeGateway(fake.keys)


_keys = iter(range(10**31, 10**32))


def order(gateway: Gateway, money: Money = DUE) -> PaymentOrder:
    """Return an order by a key that no other test has."""
    names = replace(NAMES, key=str(next(_keys)))
    return PaymentOrder(names, money, "2026-W47", gateway.customer(ACCOUNT, PAYER), BACK)


def heard(gateway: Gateway, fake: StripeHere, *kinds: str) -> list[GatewayEvent | None]:
    return [gateway.read(body, signed(body, NOW), NOW) for body in fake.messages(*kinds)]


# Every gateway.


@rule("R63")
def test_a_client_is_known_by_one_name_however_often_it_is_asked_for(gateway: Gateway) -> None:
    assert gateway.customer(ACCOUNT, PAYER) == gateway.customer(ACCOUNT, PAYER)
    assert gateway.customer(ACCOUNT, PAYER) != gateway.customer(ACCOUNT, "f" * 32)


@rule("R63")
def test_the_same_order_again_is_the_same_payment(gateway: Gateway) -> None:
    asked = order(gateway)
    assert gateway.start(asked) == gateway.start(asked)
    assert gateway.start(order(gateway)).reference != gateway.start(asked).reference


@rule("R63")
def test_a_payment_that_was_begun_is_open_and_can_be_ended(gateway: Gateway) -> None:
    asked = order(gateway)
    begun = gateway.start(asked)
    assert gateway.look(asked.names, begun.reference) is None
    assert gateway.end(asked.names, begun.reference) == EndedEvent(asked.names)
    assert gateway.end(asked.names, begun.reference) == EndedEvent(asked.names)


@rule("R63")
def test_a_message_that_nobody_signed_is_none_of_the_gateways(gateway: Gateway) -> None:
    for header in (None, "", "t=1", f"t={NOW // 1000},v1={'0' * 64}"):
        with pytest.raises(ForgedError):
            gateway.read(
                b'{"type": "x", "created": 1, "data": {"object": {"object": "refund"}}}', header, NOW
            )


@rule("R11")
def test_a_client_who_left_no_billing_method_has_none_that_is_verified(gateway: Gateway) -> None:
    assert not gateway.has_method(gateway.customer(ACCOUNT, "9" * 32))


# By hand.


@rule("R63")
def test_by_hand_there_is_no_page_and_nothing_to_ask() -> None:
    gateway: Gateway = ByHand()
    asked = order(gateway)
    assert gateway.start(asked).url is None
    assert gateway.has_method(PAYER) is None
    with pytest.raises(CannotPayError):
        gateway.set_up(ACCOUNT, PAYER, PAYER, BACK)
    with pytest.raises(CannotPayError):
        gateway.refund(RefundOrder(asked.names, "2" * 32, asked.names.key, Money(1, "EUR")))


# At Stripe.


@rule("R63")
def test_what_a_client_paid_on_the_page_is_told_once_by_its_effect(
    at_stripe: StripeGateway, fake: StripeHere
) -> None:
    asked = order(at_stripe)
    begun = at_stripe.start(asked)
    assert begun.url == f"https://checkout.stripe.com/c/pay/{begun.reference}"
    assert fake.page(begun.reference).status_code == 200
    told = at_stripe.look(asked.names, begun.reference)
    assert isinstance(told, MoneyEvent)
    assert (told.key, told.kind, told.money) == (f"paid/{asked.names.key}", "paid", Money(6050, "EUR"))
    of_it = [event for event in heard(at_stripe, fake) if isinstance(event, MoneyEvent)]
    assert [event.key for event in of_it if event.names == asked.names] == [told.key]
    assert at_stripe.end(asked.names, begun.reference) == told


@rule("R63")
def test_a_bank_that_takes_days_is_waited_for(at_stripe: StripeGateway, fake: StripeHere) -> None:
    paid, failed = order(at_stripe), order(at_stripe)
    for asked, word in ((paid, "pays"), (failed, "fails")):
        reference = at_stripe.start(asked).reference
        fake.page(reference, later=True)
        assert at_stripe.look(asked.names, reference) is None
        assert at_stripe.end(asked.names, reference) is None
        fake.bank(word, reference)
    told = heard(at_stripe, fake)
    assert [one.key for one in told if isinstance(one, MoneyEvent) and one.names == paid.names] == [
        f"paid/{paid.names.key}"
    ]
    assert EndedEvent(failed.names) in told


@rule("R63")
@pytest.mark.parametrize(
    ("money", "unit"),
    [
        (Money(6050, "USD"), 6050),
        (Money(6050, "JPY"), 6050),
        (Money(6050, "KWD"), 6050),
        (Money(6050, "ISK"), 605_000),
        (Money(6000, "MGA"), 60),
    ],
)
def test_an_amount_is_the_same_here_and_there_whatever_the_unit(
    at_stripe: StripeGateway, fake: StripeHere, money: Money, unit: int
) -> None:
    asked = order(at_stripe, money)
    reference = at_stripe.start(asked).reference
    assert fake.found(f"checkout/sessions/{reference}")["amount_total"] == unit
    fake.page(reference)
    told = at_stripe.look(asked.names, reference)
    assert isinstance(told, MoneyEvent)
    assert told.money == money


@rule("R63")
@pytest.mark.parametrize("money", [Money(6051, "KWD"), Money(6001, "MGA")])
def test_what_stripe_cannot_take_is_refused_and_never_rounded(at_stripe: StripeGateway, money: Money) -> None:
    with pytest.raises(CannotPayError, match=money.currency):
        at_stripe.start(order(at_stripe, money))


@rule("R63")
def test_a_key_is_one_orders_and_no_others(at_stripe: StripeGateway) -> None:
    asked = order(at_stripe)
    at_stripe.start(asked)
    with pytest.raises(CannotPayError):
        at_stripe.start(replace(asked, money=Money(1, "EUR")))


@rule("R63")
def test_a_refund_by_one_key_is_one_refund_and_never_more_than_was_paid(
    at_stripe: StripeGateway, fake: StripeHere
) -> None:
    asked = order(at_stripe)
    reference = at_stripe.start(asked).reference
    part = RefundOrder(asked.names, "r" + asked.names.key, reference, Money(50, "EUR"))
    with pytest.raises(CannotPayError):
        at_stripe.refund(part)
    fake.page(reference)
    given_back = at_stripe.refund(part)
    assert given_back == at_stripe.refund(part)
    assert isinstance(given_back, MoneyEvent)
    assert (given_back.kind, given_back.money) == ("refunded", Money(50, "EUR"))
    with pytest.raises(CannotPayError, match="charge_already_refunded"):
        at_stripe.refund(replace(part, key="s" + asked.names.key, money=Money(6001, "EUR")))
    # The message about it names the same effect, and so does a bank that does not take it after all.
    told = [one for one in heard(at_stripe, fake, "refund.created") if isinstance(one, MoneyEvent)]
    assert [one.key for one in told if one.names == asked.names] == [given_back.key]
    fake.bank("refund_fails", given_back.key.removeprefix("refunded/"))
    (failed,) = heard(at_stripe, fake, "refund.failed")
    assert isinstance(failed, MoneyEvent)
    assert failed.takes_back == given_back.key


@rule("R63")
def test_what_a_bank_takes_back_is_told_with_whose_it_was(at_stripe: StripeGateway, fake: StripeHere) -> None:
    asked = order(at_stripe)
    reference = at_stripe.start(asked).reference
    fake.page(reference)
    fake.bank("takes_back", fake.found(f"checkout/sessions/{reference}")["payment_intent"])
    (taken,) = heard(at_stripe, fake, "charge.dispute.funds_withdrawn")
    assert isinstance(taken, MoneyEvent)
    assert (taken.kind, taken.names, taken.money) == ("charged_back", asked.names, Money(6050, "EUR"))
    fake.bank("returns", taken.key.removeprefix("charged_back/"))
    (returned,) = heard(at_stripe, fake, "charge.dispute.funds_reinstated")
    assert isinstance(returned, MoneyEvent)
    assert returned.takes_back == taken.key


@rule("R11")
def test_a_billing_method_is_verified_once_it_is_left_and_while_it_is_there(
    at_stripe: StripeGateway, fake: StripeHere
) -> None:
    payer = "8" * 32
    customer = at_stripe.customer(ACCOUNT, payer)
    page = at_stripe.set_up(ACCOUNT, payer, customer, BACK)
    assert not at_stripe.has_method(customer)
    assert fake.page(page.reference, "4000000000000002").status_code == 402  # a card that is declined
    assert not at_stripe.has_method(customer)
    fake.page(page.reference)
    assert at_stripe.has_method(customer)
    assert MethodEvent(ACCOUNT, payer) in heard(at_stripe, fake, "checkout.session.completed")
    (method,) = fake.found(f"payment_methods?customer={customer}&type=card")["data"]
    fake.http.post(f"/v1/payment_methods/{method['id']}/detach")
    assert not at_stripe.has_method(customer)
    assert MethodEvent(ACCOUNT, payer) in heard(at_stripe, fake, "payment_method.detached")


@rule("R63")
def test_a_message_of_another_time_or_with_one_byte_changed_is_not_taken(
    at_stripe: StripeGateway, fake: StripeHere
) -> None:
    asked = order(at_stripe)
    fake.page(at_stripe.start(asked).reference)
    body = fake.messages("checkout.session.completed")[-1]
    header = signed(body, NOW)
    assert isinstance(at_stripe.read(body, header, Millis(NOW + SIGNED_WITHIN_MILLIS)), MoneyEvent)
    for at_ms in (NOW + SIGNED_WITHIN_MILLIS + 1000, NOW - SIGNED_WITHIN_MILLIS - 1000):
        with pytest.raises(ForgedError):
            at_stripe.read(body, header, Millis(at_ms))
    with pytest.raises(ForgedError):
        at_stripe.read(body.replace(b"6050", b"6051"), header, NOW)
    with pytest.raises(ForgedError):
        at_stripe.read(body, signed(body, NOW, "whsec_of_another"), NOW)
    with pytest.raises(ForgedError):  # the time is signed too
        at_stripe.read(body, header.replace(str(NOW // 1000), str(NOW // 1000 + 400)), Millis(NOW + 400_000))


@rule("R63")
@pytest.mark.parametrize(
    "about",
    [
        {
            "object": "checkout.session",
            "id": "cs",
            "mode": "payment",
            "payment_status": "paid",
            "metadata": {},
        },
        {"object": "account", "id": "acct", "status": 7},
        {"object": "refund", "id": "re", "status": "pending"},
        {"object": "payment_method", "id": "pm", "customer": None},
    ],
)
def test_what_is_none_of_ours_is_passed_over(at_stripe: StripeGateway, about: dict[str, object]) -> None:
    body = msgspec.json.encode({"type": "some.event", "created": 1, "data": {"object": about}})
    assert at_stripe.read(body, signed(body, NOW), NOW) is None


@rule("R63")
def test_a_stripe_that_is_away_or_does_not_know_the_key_is_said_and_shows_no_secret(fake: StripeHere) -> None:
    nowhere = StripeGateway(StripeKeys(KEY, SECRET, f"http://127.0.0.1:{free_port()}"))
    unknown = StripeGateway(StripeKeys("pk_not_a_secret_key", SECRET, fake.url))
    for gateway in (nowhere, unknown):
        with pytest.raises(GatewayAwayError) as told:
            gateway.has_method("cus_1")
        assert not any(secret in told.value.in_full for secret in (KEY, SECRET, "pk_not_a_secret_key"))
    assert not any(secret in repr(fake.keys) for secret in (KEY, SECRET))
