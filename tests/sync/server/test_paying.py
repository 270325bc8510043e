"""Clients pay by a gateway: begun once, counted once, whatever comes twice, late or never (R11, R63)."""

from collections.abc import Iterator
from itertools import permutations
from pathlib import Path
from urllib.parse import parse_qsl

import pytest

from diary.clock import GivenClock
from diary.rules.ids import AccountId, ContractId
from sync.money_messages import StartPayment
from sync.server.faults import ClockUnsureError, ForgedError, NotEnrolledError, NotFoundError, NotYoursError
from sync.server.hearing import ASK_AGAIN_MILLIS, LOOK_AFTER_MILLIS, PAGE_MILLIS
from sync.server.paying import NothingDueError
from sync.server.payment import ByHand, CannotPayError, GatewayAwayError, Money
from sync.server.payment_stripe import StripeGateway, StripeKeys
from sync.server.storage import Storage
from tests.rule import rule
from tests.sync.server.payers import (
    INVOICE,
    OTHER_SEAT,
    OWED,
    PUBLIC_URL,
    SEAT,
    WEEK,
    Scene,
    asks,
    seat_down,
)
from tests.sync.server.process import free_port
from tests.sync.server.stripe_here import KEY, SECRET, StripeHere, signed, stripe_here
from tests.sync.server.versions import ACCOUNT, CONTRACT, OTHER_ACCOUNT, OTHER_CONTRACT, REPLICA, ROOT

ENOUGH = 9


@pytest.fixture(scope="module")
def fake_of_all() -> Iterator[StripeHere]:
    with stripe_here() as fake:
        yield fake


@pytest.fixture
def fake(fake_of_all: StripeHere) -> StripeHere:
    fake_of_all.forget()
    return fake_of_all


@pytest.fixture
def scene(storage: Storage, fake: StripeHere, clock: GivenClock, tmp_path: Path) -> Scene:
    seat_down(storage)
    return Scene(storage, StripeGateway(fake.keys), clock, tmp_path, dict(OWED))


@pytest.fixture
def by_hand(storage: Storage, clock: GivenClock, tmp_path: Path) -> Scene:
    seat_down(storage)
    return Scene(storage, ByHand(), clock, tmp_path, dict(OWED))


@rule("R63")
def test_a_payment_is_begun_once_paid_once_and_then_nothing_is_due(scene: Scene, fake: StripeHere) -> None:
    payment = scene.begun()
    assert scene.start() == payment.url
    scene.begin_anew()
    assert scene.start() == payment.url
    fake.page(payment.reference or "")
    messages = fake.messages()
    scene.hear(*messages, *messages)
    scene.begin_anew()
    scene.hear(*messages)
    scene.clock.put(scene.clock.now_ms() + LOOK_AFTER_MILLIS + 1)
    scene.paying.look_after()
    assert scene.counted() == ["paid"]
    assert scene.posted == 1
    with pytest.raises(NothingDueError):
        scene.start()


@rule("R63")
def test_each_client_pays_their_own_and_nobody_elses(scene: Scene, fake: StripeHere) -> None:
    own, other = scene.begun(SEAT), scene.begun(OTHER_SEAT)
    assert (own.money, other.money) == (OWED[CONTRACT], OWED[OTHER_CONTRACT])
    with pytest.raises(NotYoursError):
        scene.start(REPLICA)  # a freelancer does not pay
    with pytest.raises(NothingDueError):
        scene.start(SEAT, INVOICE + 1)
    asked = StartPayment(account=OTHER_ACCOUNT, invoice=INVOICE)
    with pytest.raises(NotYoursError):
        scene.paying.start(asks(SEAT), asked)
    for nobody in (None, "", asks(SEAT, OTHER_ACCOUNT), asks(SEAT)[:-1] + "0"):
        with pytest.raises(NotEnrolledError):
            scene.paying.start(nobody, StartPayment(account=ACCOUNT, invoice=INVOICE))


@rule("R63")
def test_a_page_of_an_amount_that_is_no_longer_due_is_ended(scene: Scene, fake: StripeHere) -> None:
    before = scene.begun()
    scene.owed[CONTRACT] = Money(5000, "EUR")
    after = scene.begun()
    assert (after.money, after.names.key == before.names.key) == (Money(5000, "EUR"), False)
    assert fake.page(before.reference or "").status_code == 400
    fake.page(after.reference or "")
    scene.hear(*fake.messages())
    assert [event.money for event in scene.events()] == [Money(5000, "EUR")]


@rule("R63")
def test_a_page_that_was_paid_while_the_amount_changed_counts_as_it_was_paid(
    scene: Scene, fake: StripeHere
) -> None:
    before = scene.begun()
    fake.page(before.reference or "")
    scene.owed[CONTRACT] = Money(7000, "EUR")
    rest = scene.begun()
    assert scene.counted() == ["paid"]
    assert rest.money == Money(950, "EUR")


@rule("R63")
def test_while_a_bank_takes_its_days_nothing_else_is_begun(scene: Scene, fake: StripeHere) -> None:
    payment = scene.begun()
    fake.page(payment.reference or "", later=True)
    scene.owed[CONTRACT] = Money(7000, "EUR")
    with pytest.raises(CannotPayError, match="under way"):
        scene.start()
    fake.bank("fails", payment.reference or "")
    scene.hear(*fake.messages())
    assert scene.counted() == []
    assert scene.begun().money == Money(7000, "EUR")


@rule("R63")
def test_a_process_that_ended_before_the_gateway_answered_goes_on_with_the_same_payment(
    scene: Scene, fake: StripeHere
) -> None:
    away = StripeGateway(StripeKeys(KEY, SECRET, f"http://127.0.0.1:{free_port()}"))
    there, scene.gateway = scene.gateway, away
    scene.begin_anew()
    with pytest.raises(GatewayAwayError):
        scene.start()
    with scene.storage.hold(ACCOUNT) as hold:
        kept = hold.payments.under_way(CONTRACT, INVOICE)
    assert kept is not None
    scene.gateway = there
    scene.begin_anew()
    assert scene.begun().names == kept.names


@rule("R63")
def test_a_page_that_has_lasted_its_day_gives_way_to_a_new_one(scene: Scene, fake: StripeHere) -> None:
    before = scene.begun()
    scene.clock.put(scene.clock.now_ms() + PAGE_MILLIS)
    after = scene.begun()
    assert after.names.key != before.names.key
    assert fake.page(before.reference or "").status_code == 400


@rule("R63")
def test_what_no_message_told_is_asked_for(scene: Scene, fake: StripeHere) -> None:
    paid, ended = scene.begun(SEAT), scene.begun(OTHER_SEAT)
    fake.page(paid.reference or "")
    fake.http.post(f"/v1/checkout/sessions/{ended.reference}/expire")
    scene.paying.look_after()
    assert scene.counted() == []  # a message may still come
    scene.clock.put(scene.clock.now_ms() + LOOK_AFTER_MILLIS + 1)
    scene.paying.look_after()
    assert scene.counted() == ["paid"]
    scene.hear(*fake.messages())
    assert scene.counted() == ["paid"]
    assert scene.begun(OTHER_SEAT).names.key != ended.names.key


@rule("R63")
def test_messages_in_any_order_and_twice_come_to_the_same(scene: Scene, fake: StripeHere) -> None:
    payment = scene.begun()
    fake.page(payment.reference or "")
    scene.hear(*fake.messages())
    scene.give_back(50)
    fake.bank("takes_back", fake.found(f"checkout/sessions/{payment.reference}")["payment_intent"])
    messages = fake.messages("checkout.session.completed", "refund.created", "charge.dispute.funds_withdrawn")
    assert len(messages) == 3
    for order in permutations(messages):
        scene.hear(*order, *reversed(order))
        assert sorted(scene.counted()) == ["charged_back", "paid", "refunded"]
    assert scene.posted == 3


@rule("R63")
def test_a_refund_before_its_payment_was_told_counts_once_both_are(scene: Scene, fake: StripeHere) -> None:
    payment = scene.begun()
    fake.page(payment.reference or "")
    intent = fake.found(f"checkout/sessions/{payment.reference}")["payment_intent"]
    answer = fake.http.post("/v1/refunds", data={"payment_intent": intent, "amount": "100"})
    assert answer.status_code == 200
    scene.hear(*fake.messages("refund.created"))
    assert scene.counted() == ["refunded"]
    scene.hear(*fake.messages("checkout.session.completed"))
    assert sorted(scene.counted()) == ["paid", "refunded"]


@rule("R63")
def test_a_freelancer_gives_back_once_by_an_id_and_no_more_than_was_paid(
    scene: Scene, fake: StripeHere
) -> None:
    with pytest.raises(CannotPayError):
        scene.give_back(50)
    fake.page(scene.begun().reference or "")
    scene.hear(*fake.messages())
    with pytest.raises(NotYoursError):
        scene.give_back(50, replica=SEAT)
    assert scene.give_back(50)
    assert scene.give_back(50)
    with pytest.raises(CannotPayError):
        scene.give_back(6001, refund="8")
    assert scene.give_back(6000, refund="8")
    scene.hear(*fake.messages())
    assert sorted(event.money.minor for event in scene.events() if event.kind == "refunded") == [50, 6000]


@rule("R63")
def test_what_is_told_of_others_is_kept_nowhere(scene: Scene, fake: StripeHere) -> None:
    with scene.storage.hold(OTHER_ACCOUNT) as hold:
        hold.open_account(ROOT)
    fake.page(scene.begun().reference or "")
    (body,) = fake.messages("checkout.session.completed")
    for wrong, right in ((b"0" * 32, ACCOUNT.encode()), (b"7" * 32, CONTRACT.encode())):
        scene.hear(body.replace(right, wrong))
    with pytest.raises(ForgedError):
        scene.paying.take(body, signed(body, scene.clock.now_ms(), "whsec_of_another"))
    assert scene.counted() == []
    assert scene.storage.payments.events(AccountId("0" * 32)) == []


@rule("R6")
def test_while_the_clock_is_unsure_a_message_waits_at_the_gateway(scene: Scene, fake: StripeHere) -> None:
    fake.page(scene.begun().reference or "")
    (body,) = fake.messages("checkout.session.completed")
    scene.clock.put(scene.clock.now_ms() + 9 * ASK_AGAIN_MILLIS)
    scene.begin_anew()
    with pytest.raises(ClockUnsureError):
        scene.hear(body)
    assert scene.counted() == []


@rule("R63")
def test_by_hand_a_client_is_told_what_is_due_and_nothing_is_begun(by_hand: Scene) -> None:
    assert by_hand.start() is None
    with by_hand.storage.hold(ACCOUNT) as hold:
        assert hold.payments.under_way(CONTRACT, INVOICE) is None
    with pytest.raises(CannotPayError):
        by_hand.page()
    with pytest.raises(ForgedError):
        by_hand.paying.take(b"{}", "t=1,v1=0")


@rule("R63")
def test_money_goes_to_the_keys_owner_for_no_account_that_they_did_not_name(scene: Scene) -> None:
    scene.accounts = frozenset({OTHER_ACCOUNT})
    scene.begin_anew()
    assert scene.start() is None
    assert scene.billing() == {"": "unknown"}
    scene.accounts = frozenset({ACCOUNT})
    scene.begin_anew()
    assert scene.start() is not None
    assert scene.billing() == {"": "unverified"}


@rule("R11")
def test_a_billing_method_is_what_the_gateway_last_said_with_its_time(scene: Scene, fake: StripeHere) -> None:
    assert scene.billing() == {"": "unverified"}
    page = scene.page()
    fake.page(page.rpartition("/")[2])
    scene.hear(*fake.messages())
    asked_at_ms = scene.clock.now_ms()
    assert scene.billing() == {"": "unverified", CONTRACT: "verified"}
    assert [one.asked_at_ms for one in scene.storage.payments.methods(ACCOUNT)] == [asked_at_ms]
    # Taken away while no message came: the answer of a day ago is asked for anew.
    (method,) = scene.storage.payments.methods(ACCOUNT)
    (card,) = fake.found(f"payment_methods?customer={method.customer}&type=card")["data"]
    fake.http.post(f"/v1/payment_methods/{card['id']}/detach")
    scene.clock.put(asked_at_ms + ASK_AGAIN_MILLIS + 1)
    assert scene.billing()[CONTRACT] == "verified"
    scene.paying.look_after()
    assert scene.billing()[CONTRACT] == "unverified"
    assert [one.asked_at_ms for one in scene.storage.payments.methods(ACCOUNT)] == [scene.clock.now_ms()]


@rule("R11")
def test_the_freelancers_word_is_told_as_theirs_and_gives_way_to_the_gateways_yes(
    scene: Scene, fake: StripeHere
) -> None:
    assert [one.state for one in scene.state(by_hand=True).methods] == ["stated"]
    fake.page(scene.page().rpartition("/")[2])
    scene.hear(*fake.messages())
    assert scene.billing()[CONTRACT] == "verified"
    scene.gateway = ByHand()
    scene.begin_anew()
    assert scene.billing() == {"": "unknown", CONTRACT: "stated"}
    assert scene.state(by_hand=False).methods == []


@rule("R51")
def test_a_client_learns_of_their_own_billing_method_alone(scene: Scene, fake: StripeHere) -> None:
    scene.state(by_hand=True)
    fake.page(scene.page(OTHER_SEAT).rpartition("/")[2])
    scene.hear(*fake.messages())
    assert scene.billing(SEAT) == {"": "unverified", CONTRACT: "stated"}
    assert scene.billing(OTHER_SEAT) == {"": "unverified", OTHER_CONTRACT: "verified"}
    with pytest.raises(NotYoursError):
        scene.state(by_hand=True, replica=SEAT)


@rule("R11")
def test_of_a_contract_that_is_not_the_accounts_nothing_is_stated(scene: Scene) -> None:
    from sync.money_messages import StateBilling

    for contract in ("7" * 32, ACCOUNT):
        asked = StateBilling(account=ACCOUNT, contract=ContractId(contract), by_hand=True)
        with pytest.raises(NotFoundError):
            scene.paying.state_by_hand(asks(REPLICA), asked)


@rule("R46")
def test_stripe_learns_ids_number_week_and_amount_and_nothing_else(scene: Scene, fake: StripeHere) -> None:
    payment = scene.begun()
    fake.page(payment.reference or "")
    scene.page()
    scene.hear(*fake.messages())
    scene.give_back(50)
    (method,) = scene.storage.payments.methods(ACCOUNT)
    intent = fake.found(f"checkout/sessions/{payment.reference}")["payment_intent"]
    names = {ACCOUNT, CONTRACT, payment.names.key, str(INVOICE), method.customer, intent}
    amounts = {"6050", "50", "eur", "1", f"Invoice {INVOICE}, week {WEEK}"}
    words = {"payment", "setup", "card", "false", f"{PUBLIC_URL}/join#/{CONTRACT}"}
    said = {value for body in fake.asked() for _, value in parse_qsl(body)}
    assert said == names | amounts | words
