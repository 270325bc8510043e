"""Who says of an agency's money what, in whose log, and who is told of it (R51, R61, R62, R63)."""

from collections.abc import Mapping

import msgspec
import pytest

from diary.rules.ids import AccountId
from diary.rules.ledger_entry import LedgerAccount, balances
from sync.money_messages import Billing, PaymentStarted, StartPayment
from sync.protocol import Pull, PullAnswer
from sync.server.clock_watch import ClockWatch
from sync.server.gateways import BOOKS
from sync.server.hearing import Hearing
from sync.server.payment import ByHand, Money, MoneyEvent, PaymentNames
from tests.rule import rule
from tests.sync.server.agency_scene import WEEK, Member, Scene, settled
from tests.sync.server.author import Author
from tests.sync.server.conftest import Here
from tests.sync.server.saying import came_in, dispute, payment

BILL = 6000  # what each member's line comes to: an hour at 60 dollars


@pytest.fixture
def scene(here: Here) -> Scene:
    agency = Author()
    here.client.enrol(agency, agency.enrol())
    return Scene(here, agency)


def billed(scene: Scene) -> tuple[Member, Member]:
    """Return two members whose hour each stands on the agency's first invoice."""
    ada, ben = settled(scene)
    for member in (ada, ben):
        scene.work(member, WEEK, 6)
    scene.lock(WEEK)
    return ada, ben


def books(scene: Scene, of: Author) -> Mapping[LedgerAccount, int]:
    with scene.storage() as storage:
        return balances(storage.invoices.entries(of.account))


def told(scene: Scene, by: Author) -> Billing:
    asked = Pull(account=by.account, cursors={}, billing=True)
    answer = scene.here.client.post("/v1/pull", asked, by)
    assert answer.status_code == 200, answer.text
    billing = msgspec.json.decode(answer.content, type=PullAnswer).billing
    assert billing is not None
    return billing


def said(scene: Scene, by: Author) -> list[tuple[str, str, str]]:
    """Return what is told from other logs: in whose, about which contract, what."""
    return [
        (
            one.account,
            one.contract,
            one.payment.act if one.payment else one.dispute.act if one.dispute else "",
        )
        for one in told(scene, by).said
    ]


@rule("R61")
@rule("R63")
def test_an_agency_confirms_in_its_own_log_what_its_client_paid(scene: Scene) -> None:
    ada, _ = billed(scene)
    agency = scene.agency
    claim = payment(ada.client, "paid", BILL, issuer=agency.account)
    assert scene.push(ada.client, claim) == ["received"]
    assert books(scene, agency)["client_owes"] == 2 * BILL, "a claim settles nothing"
    assert scene.push(agency, came_in(agency, ada.contract, BILL)) == ["received"]
    assert books(scene, agency) == {"client_owes": BILL, "in_review": -2 * BILL, "paid_by_hand": BILL}
    assert books(scene, ada.author) == {}, "what a client owes an agency is in no member's books"
    back = came_in(agency, ada.contract, 500, act="refunded", id_="8" * 32)
    assert scene.push(agency, back) == ["received"]
    assert books(scene, agency)["refunded"] == 500


@rule("R63")
def test_a_payment_of_an_agencys_bill_counts_once_in_whichever_log_it_is_said(scene: Scene) -> None:
    ada, ben = billed(scene)
    agency = scene.agency
    got = came_in(agency, ada.contract, BILL)
    assert scene.push(agency, got) == ["received"]
    assert scene.push(agency, came_in(agency, ada.contract, BILL)) == ["payment_known"]
    claim = payment(ada.client, "paid", BILL, issuer=agency.account)
    assert scene.push(ada.client, claim) == ["received"], "the client says it too"
    undone = payment(ada.client, "withdrawn_claim", BILL, issuer=agency.account)
    assert scene.push(ada.client, undone) == ["unknown_payment"], "the agency has confirmed it"
    assert scene.push(agency, came_in(agency, ben.contract, BILL)) == ["received"], "another contract's part"
    assert books(scene, agency) == {"in_review": -2 * BILL, "paid_by_hand": 2 * BILL}


@rule("R48")
@rule("R61")
def test_nobody_says_of_money_what_is_anothers_to_say(scene: Scene) -> None:
    ada, ben = billed(scene)
    agency = scene.agency
    by_member = payment(ada.author, "received", BILL, issuer=agency.account)
    assert scene.push(ada.author, by_member) == ["not_yours"]
    assert scene.push(ada.author, came_in(ada.author, ada.contract, BILL)) == ["unknown_invoice"]
    assert scene.push(ada.author, came_in(ada.author, ben.contract, BILL)) == ["unknown_invoice"]
    assert ada.manager is not None
    by_manager = payment(ada.manager, "received", BILL, issuer=agency.account)
    assert scene.push(ada.manager, by_manager) == ["not_yours"]
    stranger = scene.member(90)
    assert scene.push(agency, came_in(agency, stranger.contract, BILL)) == ["unknown_invoice"]
    assert scene.push(agency, came_in(agency, ada.contract, BILL, invoice=2)) == ["unknown_invoice"]
    assert scene.push(agency, came_in(agency, ada.contract, BILL, currency="EUR")) == ["wrong_currency"]
    own = payment(ada.client, "paid", BILL)
    assert scene.push(ada.client, own) == ["unknown_invoice"], "the member has billed nothing"
    assert books(scene, agency) == {"client_owes": 2 * BILL, "in_review": -2 * BILL}


@rule("R61")
def test_an_agency_still_confirms_what_a_member_owed_who_has_left(scene: Scene) -> None:
    ada, _ = billed(scene)
    assert ada.manager is not None
    scene.leave(ada, ada.manager.secret[0])
    scene.bill(ada, None, ends=True)
    assert scene.push(scene.agency, came_in(scene.agency, ada.contract, BILL)) == ["received"]
    assert books(scene, scene.agency)["paid_by_hand"] == BILL


@rule("R51")
@rule("R63")
def test_each_side_is_told_what_the_other_said_of_its_own_money(scene: Scene) -> None:
    ada, ben = billed(scene)
    agency = scene.agency
    first = WEEK.first_slot + 100
    assert scene.push(ada.client, payment(ada.client, "paid", BILL, issuer=agency.account)) == ["received"]
    assert scene.push(ada.client, dispute(ada.client, "raised", first)) == ["received"]
    assert scene.push(agency, came_in(agency, ada.contract, BILL)) == ["received"]
    theirs = [(agency.account, ada.contract, "received")]
    assert said(scene, ada.author) == said(scene, ada.client) == theirs
    assert said(scene, ben.author) == said(scene, ben.client) == []
    member = ada.author.account
    assert said(scene, agency) == [(member, ada.contract, "paid"), (member, ada.contract, "raised")]
    (disputed,) = [one for one in told(scene, agency).said if one.dispute]
    assert disputed.bills == tuple(range(first, first + 6)), "by what bills its share is reckoned"
    assert said(scene, scene.member(90).author) == []


def asked(scene: Scene, by: Author, issuer: str | None, invoice: int = 1) -> int | str:
    """Begin to pay through the server; return what is due, or the word of the refusal."""
    wish = StartPayment(account=by.account, invoice=invoice, issuer=AccountId(issuer) if issuer else None)
    answer = scene.here.client.post("/v1/payments", wish, by)
    if answer.status_code != 200:
        return str(answer.json()["reason"])
    return msgspec.json.decode(answer.content, type=PaymentStarted).minor


@rule("R61")
@rule("R63")
def test_a_client_pays_an_agencys_bill_to_the_agency_through_the_gateway(scene: Scene) -> None:
    ada, ben = billed(scene)
    agency = scene.agency.account
    assert asked(scene, ada.client, agency) == BILL
    assert asked(scene, ada.client, None) == "nothing_due", "the member has billed nothing"
    assert asked(scene, ada.client, ben.author.account) == "nothing_due"
    assert asked(scene, ada.author, agency) == "not_yours"
    assert ada.manager is not None
    assert asked(scene, ada.manager, agency) == "not_yours"
    names = PaymentNames(agency, ada.contract, 1, "e" * 32)
    event = MoneyEvent("paid/1", "paid", names, Money(BILL, "USD"), scene.here.clock.now_ms())
    with scene.storage() as storage:
        watch = ClockWatch(scene.here.clock, storage.last_received_ms(), scene.here.folder / "confirmed")
        hearing = Hearing(storage, ByHand(), BOOKS, scene.here.clock, watch)
        hearing.apply(event)
        hearing.apply(event)
    assert books(scene, scene.agency) == {"client_owes": BILL, "in_review": -2 * BILL, "gateway": BILL}
    assert asked(scene, ada.client, agency) == "nothing_due"
    for by in (scene.agency, ada.author, ada.client):
        assert [(one.id, one.issuer, one.minor) for one in told(scene, by).moved] == [
            ("paid/1", agency, BILL)
        ]
    assert told(scene, ben.author).moved == []
    assert books(scene, ada.author) == {}


@rule("R51")
def test_who_names_a_contract_without_being_let_in_is_told_nothing_of_it(scene: Scene) -> None:
    ada, _ = billed(scene)
    assert scene.push(ada.client, payment(ada.client, "paid", BILL, issuer=scene.agency.account)) == [
        "received"
    ]
    curious = Author()
    scene.here.client.enrol(curious, curious.enrol())
    other = Scene(scene.here, curious)
    other.bill(ada)
    assert said(scene, curious) == []
