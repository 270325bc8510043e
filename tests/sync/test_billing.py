"""What devices and clients hear of how a contract is paid, and who warns of it (R11, R30, R63)."""

import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import msgspec
import pytest
from typer.testing import CliRunner, Result

from capture.window.reading import facts_of
from diary.billing_methods import moved
from diary.cli import app
from diary.clock import GivenClock
from diary.contracts import Contract
from diary.diary import Diary
from diary.refunding import UnsureRefundError
from diary.rules.qualifies import Finding
from diary.rules.week import Week
from diary.sealing.keyring import choose_place
from sync.enrolment import register
from sync.money_messages import BillingPage, GiveBack, PaymentStarted, SetUpBilling, StartPayment
from sync.server.settings import ALL_ACCOUNTS, GatewaySettings
from tests.practice import instant, record_slot, slot
from tests.rule import rule
from tests.sync.clients import invited, join_in
from tests.sync.server.stripe_here import StripeHere, signed, stripe_here
from tests.sync.stage import Device, Stage, serving

TEN = slot("2026-11-18T10:00Z")
ELEVEN_MINUTES_LATER = "2026-11-18T12:11Z"
AN_HOUR_LATER = "2026-11-18T13:00Z"


@pytest.fixture(scope="module")
def fake() -> Iterator[StripeHere]:
    with stripe_here() as fake:
        yield fake


@pytest.fixture
def at_stripe(stage: Stage, fake: StripeHere) -> Iterator[Stage]:
    """Return the stage with a server whose clients pay by Stripe."""
    keys = fake.keys
    gateway = GatewaySettings(
        "stripe", (ALL_ACCOUNTS,), "https://diary.example", keys.key, keys.webhook_secret, keys.api
    )
    with serving(stage.folder / "paid", stage.clock, gateway=gateway) as url:
        yield Stage(stage.folder, url, stage.clock, stage.devices)


def begun(stage: Stage) -> tuple[Device, Contract]:
    """Return a registered device with a contract and a segment of it."""
    device = stage.first(registered=False)
    contract = device.diary.new_contract(title="Practice", client="Ada", manual_allowed=True)
    record_slot(device.diary, contract, TEN, memo="first")
    register(device.diary, device.line)
    return device, contract


def warned(device: Device, contract: Contract) -> list[Finding]:
    found = device.diary.foresee(contract, "a memo", "")
    return [one for one in found if one.point == "billing_verified"]


def outcomes(device: Device) -> set[str]:
    """Return what the checklist says of the week's segments about their client's billing method."""
    found = device.diary.check(Week.of(TEN)).findings.values()
    return {one.outcome for each in found for one in each if one.point == "billing_verified"}


def leave_a_card(client: Device, stage: Stage, fake: StripeHere) -> None:
    """Do what a client does who leaves a billing method, and let Stripe tell of it."""
    token = f"Bearer {client.diary.account}.{client.diary.replica}.{client.diary.token}"
    asked = msgspec.json.encode(SetUpBilling(account=client.diary.account))
    answer = httpx.post(f"{stage.url}/v1/billing/page", content=asked, headers={"Authorization": token})
    page = msgspec.json.decode(answer.content, type=BillingPage)
    assert fake.page(page.url.rpartition("/")[2]).status_code == 200
    tell(stage, *fake.messages())


def tell(stage: Stage, *messages: bytes) -> None:
    for body in messages:
        header = {"Stripe-Signature": signed(body, stage.clock.now_ms())}
        answer = httpx.post(f"{stage.url}/v1/gateway/messages", content=body, headers=header)
        assert answer.status_code == 200, answer.text


@rule("R11")
def test_a_diary_without_a_server_was_told_nothing_and_warns_of_nothing(stage: Stage) -> None:
    device = stage.first(registered=False)
    contract = device.diary.new_contract(title="Practice")
    assert device.diary.billing(contract) is None
    assert warned(device, contract) == []


@rule("R11")
@rule("R30")
def test_a_card_that_a_client_leaves_is_heard_of_by_every_device_and_ends_the_warning(
    at_stripe: Stage, fake: StripeHere
) -> None:
    device, contract = begun(at_stripe)
    phrase = device.diary.phrase() or ""
    second = at_stripe.another(phrase)
    client = join_in(at_stripe, invited(device, contract))
    for each in (device, second):
        each.sync()
        assert [one.outcome for one in warned(each, contract)] == ["fails"]
        assert outcomes(each) == {"fails"}
    leave_a_card(client, at_stripe, fake)
    verified_at_ms = at_stripe.clock.now_ms()
    at_stripe.put_clocks(ELEVEN_MINUTES_LATER)
    for each in (device, second, client):
        each.sync()
        view = each.diary.billing(contract)
        assert view is not None
        assert (view.gateway, view.state, view.at_ms) == ("stripe", "verified", verified_at_ms)
    assert warned(device, contract) == []
    assert outcomes(second) == {"holds"}


@rule("R11")
def test_the_server_is_asked_once_in_ten_minutes_and_with_the_pull_that_comes_anyway(
    at_stripe: Stage, fake: StripeHere
) -> None:
    device, _ = begun(at_stripe)
    asked = [body for body in device.failing.traffic if b'"billing":true' in body]
    device.sync()
    device.sync()
    assert [body for body in device.failing.traffic if b'"billing":true' in body] == asked
    at_stripe.put_clocks(ELEVEN_MINUTES_LATER)
    device.sync()
    assert len([body for body in device.failing.traffic if b'"billing":true' in body]) == len(asked) + 1
    assert not any("billing" in path for path in device.failing.paths)


@rule("R11")
def test_the_window_says_it_of_the_chosen_contract_before_the_first_minute(stage: Stage) -> None:
    device, contract = begun(stage)
    facts = facts_of(device.diary, contract.id)
    assert facts.tracked is None
    assert facts.warnings == (warned(device, contract)[0].says,)


@rule("R63")
def test_what_the_gateway_told_of_money_reaches_devices_and_the_contracts_client_once(
    at_stripe: Stage,
) -> None:
    device, contract = begun(at_stripe)
    other = device.diary.new_contract(title="Another", client="Bob")
    second = at_stripe.another(device.diary.phrase() or "")
    client = join_in(at_stripe, invited(device, contract))
    tell(at_stripe, *(paid_message(device, one, 6050) for one in (contract, other, contract)))
    for minutes in (11, 22):
        at_stripe.put_clocks(f"2026-11-18T12:{minutes}Z")
        for each in (device, second, client):
            each.sync()
    for each in (device, second):
        told = moved(each.diary._state)
        assert {(one.contract, one.what, one.minor) for one in told} == {
            (contract.id, "paid", 6050),
            (other.id, "paid", 6050),
        }
        assert len(told) == 2
    assert [one.contract for one in moved(client.diary._state)] == [contract.id]


def paid_message(device: Device, contract: Contract, minor: int) -> bytes:
    """Return Stripe's message that a contract's part of the first invoice was paid."""
    about = {
        "id": "cs_1",
        "object": "checkout.session",
        "mode": "payment",
        "payment_status": "paid",
        "amount_total": minor,
        "currency": "usd",
        "metadata": {
            "workdiary_account": device.diary.account,
            "workdiary_contract": contract.id,
            "workdiary_invoice": "1",
            "workdiary_payment": contract.id,
        },
    }
    event = {"type": "checkout.session.completed", "created": 1_795_000_000, "data": {"object": about}}
    return msgspec.json.encode(event)


@rule("R63")
def test_the_freelancers_word_reaches_their_devices_and_the_client_as_their_word(stage: Stage) -> None:
    device, contract = begun(stage)
    second = stage.another(device.diary.phrase() or "")
    client = join_in(stage, invited(device, contract))
    home = device.diary.home
    assert [one.outcome for one in warned(device, contract)] == ["unknown"]
    assert outcomes(device) == {"unknown"}
    printed = run(stage, home, "billing", "Practice", "--by-hand", "--json").stdout
    said = json.loads(printed[printed.index("[\n") :])  # the server of this process logs before it
    assert [(one["title"], one["gateway"], one["state"]) for one in said] == [
        ("Practice", "by_hand", "stated")
    ]
    stage.put_clocks(ELEVEN_MINUTES_LATER)
    for each in (device, second, client):
        each.sync()
        view = each.diary.billing(contract)
        assert view is not None
        assert (view.state, view.at_ms) == ("stated", instant("2026-11-18T12:00Z"))
    assert warned(second, contract) == []
    taken_back = run(stage, home, "billing", "Practice", "--not-by-hand")
    assert "Practice: nobody has said how" in taken_back.stdout
    assert [one.outcome for one in warned(device, contract)] == ["unknown"]


@rule("R67")
def test_a_client_states_nothing_about_themselves(stage: Stage) -> None:
    device, contract = begun(stage)
    client = join_in(stage, invited(device, contract))
    refused = run(stage, client.diary.home, "billing", "Practice", "--by-hand")
    assert refused.exit_code == 2
    device.sync()
    assert device.diary.billing(contract) is not None
    assert [one.outcome for one in warned(device, contract)] == ["unknown"]


@rule("R63")
def test_an_answer_of_a_newer_server_is_nobodys_word(stage: Stage) -> None:
    from diary.billing_methods import state_of

    assert state_of("verified") == "verified"
    assert state_of("blessed") == "unknown"


@rule("R11")
def test_a_start_says_that_nobody_has_verified_how_the_client_pays(stage: Stage, tmp_path: Path) -> None:
    home = tmp_path / "started"
    home.mkdir()
    clock = GivenClock(stage.clock.now_ms())
    with Diary.create(home, clock=clock, place=choose_place(home, "file"), device_name="laptop") as diary:
        diary.new_contract(title="Practice")
    assert run(stage, home, "register", stage.url).exit_code == 0
    told = run(stage, home, "billing").stdout
    assert told == "Practice: nobody has said how\n"
    assert run(stage, home, "billing", "--by-hand").exit_code == 2


def run(stage: Stage, home: Path, *words: str) -> Result:
    clock = GivenClock(stage.clock.now_ms())
    return CliRunner().invoke(app, ["--home", str(home), *words], obj=clock)


def paid_at_stripe(stage: Stage, fake: StripeHere) -> tuple[Device, Contract]:
    """Return a device whose client paid the hour of the first invoice at Stripe."""
    device = stage.first(registered=False)
    contract = device.diary.new_contract(title="Practice", client="Ada", rate_minor=6000, currency="USD")
    for number in range(6):
        record_slot(device.diary, contract, type(TEN)(TEN + number))
    register(device.diary, device.line)
    client = join_in(stage, invited(device, contract))
    stage.put_clocks("2026-11-23T12:30Z")
    device.diary.new_contract(title="After")
    device.sync()
    asked = msgspec.json.encode(StartPayment(account=client.diary.account, invoice=1))
    token = f"Bearer {client.diary.account}.{client.diary.replica}.{client.diary.token}"
    answer = httpx.post(f"{stage.url}/v1/payments", content=asked, headers={"Authorization": token})
    page = msgspec.json.decode(answer.content, type=PaymentStarted)
    assert fake.page((page.url or "").rpartition("/")[2]).status_code == 200
    tell(stage, *fake.messages("checkout.session.completed"))
    stage.put_clocks("2026-11-23T12:45Z")
    device.sync()
    return device, contract


@rule("R63")
def test_what_the_gateway_took_goes_back_through_it_once_though_the_answer_was_lost(
    at_stripe: Stage, fake: StripeHere
) -> None:
    device, contract = paid_at_stripe(at_stripe, fake)
    fake_before = len(fake.messages("refund.created"))
    refund = device.diary.begin_refund(1, contract.id, 1000)
    asked = GiveBack(account=device.diary.account, contract=contract.id, invoice=1, id=refund, minor=1000)
    device.line.authorise(device.diary.account, device.diary.replica, device.diary.token)
    device.line.give_back(asked)  # and here the process ended, before it could note the answer
    told = run(at_stripe, device.diary.home, "refund", "1", "10")
    assert told.exit_code == 0, told.output
    assert "by the payment gateway" in told.stdout or "is giving it back" in told.stdout
    assert len(fake.messages("refund.created")) == fake_before + 1, "asked twice it is one refund"
    tell(at_stripe, *fake.messages("refund.created"))
    at_stripe.put_clocks("2026-11-23T13:00Z")
    device.sync()
    (statement,) = device.diary.statements()
    assert statement.balances == {"in_review": -6000, "gateway": 5000, "refunded": 1000}
    assert run(at_stripe, device.diary.home, "refund", "1", "10").exit_code == 0
    assert len(fake.messages("refund.created")) == fake_before + 2, "the next one is another"


@rule("R63")
def test_a_refund_of_which_nobody_knows_is_not_asked_for_again_after_a_day(
    at_stripe: Stage, fake: StripeHere
) -> None:
    device, contract = paid_at_stripe(at_stripe, fake)
    first = device.diary.begin_refund(1, contract.id, 1000)
    assert device.diary.begin_refund(1, contract.id, 1000) == first
    at_stripe.put_clocks("2026-11-24T12:00Z")
    with pytest.raises(UnsureRefundError):
        device.diary.begin_refund(1, contract.id, 1000)
    assert device.diary.begin_refund(1, contract.id, 1000) != first
    assert device.diary.refund_at_gateway(1, 6001) is None, "so much is not there"
