"""The first week is there before the log is read, and is held to it afterwards (R28, R45, R64)."""

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace
from playwright.sync_api import Browser, Route, expect

from diary.evidence.merkle import CompactRange
from diary.evidence.receipt import Page
from diary.rules.week import Week
from sync.protocol import WeeksAnswer
from tests.practice import slot
from tests.rule import rule
from tests.sync.client.conftest import PLANTED_MEMO, Client, Room, clients_of, work
from tests.sync.client.liar import BrowserLiar, liar_before
from tests.sync.stage import stage_in

pytestmark = pytest.mark.browser
WEDNESDAYS = tuple((date(2026, 11, 18) + timedelta(weeks=number)).isoformat() for number in range(6))
NEWEST, EARLIER = (Week.of(slot(f"{day}T09:00Z")) for day in (WEDNESDAYS[-1], WEDNESDAYS[1]))
WHOLE = """async (contract) => {
  const { Asking } = await import("/client/asking.js");
  return (await new Asking(() => undefined).ask("summary", { contract })).whole;
}"""
CHECKING = "is still being checked"


@pytest.fixture
def year(tmp_path: Path) -> Iterator[Room]:
    """Give six weeks of work, the freelancer's other contract having a slot of each."""
    with stage_in(tmp_path) as stage:
        device = stage.first()
        contract, other = (
            device.diary.new_contract(title=title, client="Ada", rate_minor=6000, currency="USD")
            for title in ("Orchard booking site", "Mill")
        )
        for day in WEDNESDAYS:
            at = slot(f"{day}T09:00Z")
            stage.put_clocks(f"{day}T10:00Z")
            work(device, other, at, "x")
            device.sync()
            work(device, contract, at, "aabbc")
            stage.put_clocks(f"{day}T18:00Z")
            device.sync()
        yield Room(stage, device, contract)


@pytest.fixture
def visitor(year: Room, chromium: Browser) -> Iterator[Client]:
    """Give a browser of the client's."""
    with clients_of(year, chromium) as opened:
        yield opened()


def press_join(client: Client, link: str) -> None:
    client.open(link)
    client.page.get_by_role("button", name="Join this contract").click()


@rule("R64")
@rule("R28")
def test_the_first_week_is_shown_before_the_log_is_read(year: Room, visitor: Client) -> None:
    waiting: list[Route] = []
    asked: list[str] = []
    held = [True]
    visitor.page.context.route(
        "**/v1/pull", lambda route: waiting.append(route) if held[0] else route.continue_()
    )
    visitor.page.on("request", lambda request: asked.append(request.url.removeprefix(year.stage.url)))
    with visitor.page.expect_response("**/v1/weeks") as first:
        press_join(visitor, year.invite())
    sums = visitor.page.locator(".sums").first
    expect(sums).to_contain_text("40.00 USD for 40 min at 60.00 an hour; no limit. 10 min does not bill")
    shown = first.value.json()
    in_slots = [row for row in shown["page"]["rows"] if '"slot"' in row["header"]]
    # What the newest week needs, and no row of another: five captures and the entries of their memos.
    assert (len(in_slots), len(shown["first_slots"])) == (10, len(WEDNESDAYS))
    assert len(shown["page"]["rows"]) < shown["page"]["head"]["size"] / 2
    assert [path for path in asked if path.startswith("/v1")][:3] == ["/v1/server", "/v1/join", "/v1/weeks"]
    expect(visitor.page.get_by_text(CHECKING)).to_be_visible()
    assert visitor.week(NEWEST) == year.week(NEWEST)
    # An earlier week is asked for by itself, and says at once what another contract has.
    assert visitor.week(EARLIER) == year.week(EARLIER)
    visitor.go(f"day/{WEDNESDAYS[-1]}")
    expect(visitor.page.get_by_role("link", name=f"09:10, automatic, {PLANTED_MEMO} a")).to_be_visible()
    held[0] = False
    for route in waiting:
        route.continue_()
    visitor.go("")
    expect(visitor.page.get_by_text(CHECKING)).to_have_count(0)
    assert [visitor.week(week) for week in (NEWEST, EARLIER)] == [
        year.week(week) for week in (NEWEST, EARLIER)
    ]
    expect(visitor.page.get_by_role("alert")).to_have_count(0)


@rule("R64")
def test_what_is_typed_while_the_log_is_read_stays(year: Room, visitor: Client) -> None:
    waiting: list[Route] = []
    visitor.page.context.route("**/v1/pull", lambda route: waiting.append(route))  # noqa: PLW0108
    press_join(visitor, year.invite())
    expect(visitor.page.locator(".sums").first).to_be_visible()
    visitor.go("terms")
    visitor.page.get_by_label("Weekly limit in hours").fill("1.5")
    with visitor.page.expect_response("**/v1/pull"):
        for route in waiting:
            route.continue_()
    visitor.page.wait_for_function(WHOLE, arg=year.contract.id)
    expect(visitor.page.get_by_label("Weekly limit in hours")).to_have_value("1.5")


@rule("R45")
def test_a_log_that_was_read_in_part_says_so_without_a_network(year: Room, visitor: Client) -> None:
    visitor.page.context.route("**/v1/pull", lambda route: route.abort())
    press_join(visitor, year.invite())
    expect(visitor.page.locator(".sums").first).to_be_visible()
    visitor.page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    visitor.page.context.set_offline(True)
    visitor.go(f"week/{NEWEST.name}")
    visitor.page.reload()
    expect(visitor.page.get_by_text("This week was not read to its end")).to_be_visible()
    visitor.page.context.set_offline(False)


def left_out(_: BrowserLiar, page: Page) -> Page:
    """Return a look without the newest row of the week."""
    return replace(page, rows=page.rows[:-1])


def unsigned(_: BrowserLiar, page: Page) -> Page:
    return replace(page, signed_head=None)


def of_another_log(liar: BrowserLiar, page: Page) -> Page:
    """Return a look under the head of a log that nobody has: as long, with another root."""
    other = CompactRange().extended(bytes([7]) * 32 for _ in range(page.head.size))
    return replace(page, signed_head=liar.liar.head(page.contract, page.head.log_epoch, other))


def altered(_: BrowserLiar, page: Page) -> Page:
    *others, last = page.rows
    assert last.body is not None
    return replace(page, rows=[*others, replace(last, body=bytes(len(last.body)))])


def moved(_: BrowserLiar, page: Page) -> Page:
    *others, last = page.rows
    return replace(page, rows=[*others, replace(last, index=last.index - 1)])


def out_of_order(_: BrowserLiar, page: Page) -> Page:
    return replace(page, rows=[*page.rows[:-2], page.rows[-1], page.rows[-2]])


LIES: dict[Callable[[BrowserLiar, Page], Page], str] = {
    unsigned: "unsigned_head",
    altered: "bad_signature",
    out_of_order: "wrong_place",
    left_out: "withheld",
    of_another_log: "log_forked",
    moved: "wrong_place",
}


@rule("R45")
@rule("R56")
def test_a_lie_in_the_first_look_is_an_alarm(year: Room, chromium: Browser) -> None:
    links = {lie: year.invite() for lie in LIES}
    for lie, kind in LIES.items():
        with clients_of(year, chromium) as opened:
            one: Client = opened()
            liar = liar_before(one)
            liar.looks = lambda page, lie=lie, liar=liar: lie(liar, page)
            # An honest server would believe its own signature, and state that it was restored (R43).
            one.page.context.route("**/v1/heal", liar.state_nothing)
            press_join(one, links[lie])
            expect(one.page.get_by_role("alert").first).to_contain_text(f"Alarm ({kind})")


def test_a_look_is_what_the_protocol_says() -> None:
    assert {"page", "first_slots", "overlapping", "server_ms"} == set(WeeksAnswer.__struct_fields__)
