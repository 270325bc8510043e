"""A client's page says how they pay, and leads to the gateway's own page and back (R11, R53, R63)."""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Route, expect

from diary.billing_methods import ASK_AGAIN_MILLIS
from diary.rules.json_form import iso
from sync.enrolment import register
from sync.server.settings import ALL_ACCOUNTS, GatewaySettings
from tests.practice import slot
from tests.rule import rule
from tests.sync.client.conftest import Client, Room, clients_of, work
from tests.sync.server.stripe_here import StripeHere, stripe_here
from tests.sync.stage import AFTER_THE_LOCK, Stage, serving, stage_in
from tests.sync.test_billing import tell

pytestmark = pytest.mark.browser
CHECKOUT = "https://checkout.stripe.com/**"


@pytest.fixture(scope="module")
def fake() -> Iterator[StripeHere]:
    with stripe_here() as fake:
        yield fake


@pytest.fixture
def paid_room(tmp_path: Path, fake: StripeHere) -> Iterator[Room]:
    """Give a room whose clients pay by Stripe."""
    keys = fake.keys
    with contextlib.ExitStack() as open_things:
        stage = open_things.enter_context(stage_in(tmp_path))
        gateway = GatewaySettings(
            "stripe", (ALL_ACCOUNTS,), stage.url, keys.key, keys.webhook_secret, keys.api
        )
        url = open_things.enter_context(serving(tmp_path / "paid", stage.clock, gateway=gateway))
        device = stage.first(registered=False)
        there = Stage(tmp_path, url, stage.clock, stage.devices)
        device.line, device.failing = there.line()
        contract = device.diary.new_contract(title="Orchard booking site", client="Ada", rate_minor=6000)
        register(device.diary, device.line)
        yield Room(there, device, contract)


@pytest.fixture
def paying_client(paid_room: Room, chromium: Browser) -> Iterator[Callable[..., Client]]:
    with clients_of(paid_room, chromium) as opened:
        yield opened


@rule("R11")
@rule("R53")
def test_a_client_leaves_a_billing_method_at_the_gateway_and_comes_back_to_it_verified(
    paid_room: Room, paying_client: Callable[..., Client], fake: StripeHere
) -> None:
    client = paying_client()
    client.join(paid_room.invite())
    client.go("terms")
    told = client.page.locator("[data-billing]")
    told.and_(client.page.locator("[data-billing=unverified]")).wait_for()
    visited: list[str] = []

    def at_stripe(route: Route) -> None:
        visited.append(route.request.url)
        assert "referer" not in route.request.headers
        route.fulfill(status=200, content_type="text/html", body="<title>Stripe's page</title>")

    client.page.route(CHECKOUT, at_stripe)
    client.page.get_by_role("button", name="Leave a billing method").click()
    client.page.wait_for_url(CHECKOUT)
    (page,) = visited
    fake.page(page.rpartition("/")[2])
    tell(paid_room.stage, *fake.messages())
    client.go("terms")
    client.page.locator("[data-billing=verified]").wait_for()
    assert client.page.get_by_role("button", name="Leave a billing method").count() == 0


@rule("R62")
@rule("R63")
@rule("R66")
def test_what_a_client_pays_at_the_gateway_is_due_no_more_and_is_due_again_when_their_bank_takes_it_back(
    paid_room: Room, paying_client: Callable[..., Client], fake: StripeHere
) -> None:
    work(paid_room.device, paid_room.contract, slot("2026-11-18T09:00Z"), "aab")
    client = paying_client()
    client.join(paid_room.invite())
    paid_room.stage.put_clocks(AFTER_THE_LOCK)
    paid_room.device.diary.new_contract(title="Next")  # a push finds the week due
    paid_room.device.sync()
    client.go("invoices/1")
    client.page.reload()
    visited: list[str] = []

    def at_stripe(route: Route) -> None:
        visited.append(route.request.url)
        route.fulfill(status=200, content_type="text/html", body="<title>Stripe's page</title>")

    client.page.route(CHECKOUT, at_stripe)
    client.page.get_by_role("button", name="Pay", exact=True).click()
    client.page.wait_for_url(CHECKOUT)
    paid = visited[0].rpartition("/")[2]
    session = fake.found(f"checkout/sessions/{paid}")
    assert (session["amount_total"], session["currency"]) == (3000, "usd")

    assert fake.page(paid).status_code == 200
    tell(paid_room.stage, *fake.messages())
    client.go("invoices/1")  # the way back from the gateway's page
    main = client.page.locator("main")
    expect(main.locator("[data-moved=paid]")).to_contain_text("30.00 USD: paid through the payment gateway")
    assert due_in(client, paid_room) == 0
    assert main.get_by_role("button", name="Pay", exact=True).count() == 0

    fake.bank("takes_back", fake.found(f"checkout/sessions/{paid}")["payment_intent"])
    tell(paid_room.stage, *fake.messages())
    client.page.reload()
    expect(main.locator("[data-moved=charged_back]")).to_contain_text("taken back by your bank")
    assert due_in(client, paid_room) == 3000
    main.get_by_role("button", name="Pay", exact=True).wait_for()


def due_in(client: Client, room: Room) -> int:
    """Return what the page shows as due of the first invoice, sure that the diary shows the same."""
    room.stage.put_clocks(iso(room.stage.clock.now_ms() + ASK_AGAIN_MILLIS))
    room.device.sync()
    row = client.page.locator("tfoot tr").filter(has=client.page.get_by_text("Due", exact=True))
    shown = round(float(row.locator("td").inner_text().removesuffix(" USD")) * 100)
    assert shown == room.device.diary.invoice(1).due_minor
    return shown


@rule("R63")
def test_where_there_is_no_gateway_a_client_is_told_that_they_pay_by_hand(
    room: Room, client: Callable[..., Client]
) -> None:
    opened = client()
    opened.join(room.invite())
    opened.go("terms")
    opened.page.locator("[data-billing=unknown]", has_text="you pay by hand").wait_for()
    assert opened.page.get_by_role("button", name="Leave a billing method").count() == 0


@rule("R53")
def test_the_page_goes_to_no_address_that_others_could_read(
    paid_room: Room, paying_client: Callable[..., Client]
) -> None:
    client = paying_client()
    client.join(paid_room.invite())
    client.page.route(
        "**/v1/billing/page", lambda route: route.fulfill(json={"url": "http://checkout.example/pay"})
    )
    client.go("terms")
    before = client.page.url
    client.page.get_by_role("button", name="Leave a billing method").click()
    client.page.locator("#status", has_text="not safe").wait_for()
    assert client.page.url == before
