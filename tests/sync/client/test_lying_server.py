"""A server that lies is found out: the alarm has a name, and nothing unproven is shown (R45, R47, R50)."""

import base64
import hashlib
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Route, expect

from tests.rule import rule
from tests.sync.client.conftest import PLANTED_MEMO, Client, Room, clients_of, room_in

pytestmark = pytest.mark.browser
Page = dict[str, Any]


def captures(page: Page) -> list[dict[str, Any]]:
    return [row for row in page["rows"] if '"type":"capture"' in row["header"]]


def swap_bodies(page: Page) -> None:
    one, other = captures(page)[:2]
    one["body"], other["body"] = other["body"], one["body"]
    one["body_hash"], other["body_hash"] = other["body_hash"], one["body_hash"]


def alter_body(page: Page) -> None:
    row = captures(page)[0]
    body = bytearray(base64.b64decode(row["body"]))
    body[0] ^= 1
    row["body"] = base64.b64encode(body).decode()


def alter_body_and_hash(page: Page) -> None:
    alter_body(page)
    row = captures(page)[0]
    row["body_hash"] = hashlib.sha256(base64.b64decode(row["body"])).hexdigest()


def move_a_row(page: Page) -> None:
    row = captures(page)[0]
    slot = json.loads(row["header"])["slot"]
    row["header"] = row["header"].replace(f'"slot":{slot}', f'"slot":{slot + 100}')


def drop_a_row(page: Page) -> None:
    page["rows"].remove(captures(page)[0])


def drop_the_pushes(page: Page) -> None:
    page["pushes"] = {}


def forge_the_pushes(page: Page) -> None:
    for name, push in list(page["pushes"].items()):
        push["replica"] = "ef" * 16
        page["pushes"][name] = push


def forge_a_tombstone(page: Page) -> None:
    """Let the second capture's name stand on a deletion of the first one's segment."""
    first, row = captures(page)[:2]
    said = json.loads(row["header"])
    for name in ("pictures", "epoch", "commit"):
        del said[name]
    said |= {"type": "entry", "slot": json.loads(first["header"])["slot"], "life": 1, "manual": False}
    row["header"] = json.dumps(said | {"vector": {said["replica"]: said["n"]}}, separators=(",", ":"))
    row |= {"body": None, "wrap": None, "body_hash": hashlib.sha256(b"").hexdigest()}


def another_accounts_row(page: Page) -> None:
    row = captures(page)[0]
    account = json.loads(row["header"])["account"]
    row["header"] = row["header"].replace(account, "ab" * 16)


def another_contracts_row(page: Page) -> None:
    row = captures(page)[0]
    contract = json.loads(row["header"])["contract"]
    row["header"] = row["header"].replace(contract, "ab" * 16)


def drop_the_device_list(page: Page) -> None:
    for row in page["rows"]:
        if '"type":"device_list"' in row["header"]:
            header = json.loads(row["header"])
            del header["devices"]
            header |= {"type": "message", "epoch": 1, "commit": "2" * 64}
            row["header"] = json.dumps(header, separators=(",", ":"))


def hide_the_head(page: Page) -> None:
    page["signed_head"] = None


def forge_the_head(page: Page) -> None:
    head = json.loads(page["signed_head"]["text"])
    page["signed_head"]["text"] = json.dumps(head | {"root": "2" * 64}, separators=(",", ":"))


def invent_a_device(page: Page) -> None:
    for row in page["rows"]:
        if '"type":"device_list"' in row["header"]:
            header = json.loads(row["header"])
            listed = header["devices"]["devices"]
            listed.append({"replica": "ef" * 16, "sign": "0f" * 32, "box": "0f" * 32})
            row["header"] = json.dumps(header, separators=(",", ":"))


def no_header(page: Page) -> None:
    captures(page)[0]["header"] = "{}"


LIES: dict[Callable[[Page], None], str] = {
    swap_bodies: "bad_signature",
    alter_body: "bad_signature",
    alter_body_and_hash: "bad_signature",
    move_a_row: "bad_signature",
    drop_a_row: "hole",
    drop_the_pushes: "bad_signature",
    forge_the_pushes: "unlisted_device",
    forge_a_tombstone: "bad_signature",
    another_contracts_row: "wrong_place",
    another_accounts_row: "wrong_place",
    drop_the_device_list: "unlisted_device",
    invent_a_device: "device_list",
    hide_the_head: "unsigned_head",
    forge_the_head: "unsigned_head",
    no_header: "wrong_place",
}


def let_it_lie(client: Client, change: Callable[[Page], None]) -> None:
    """Let the server's pages, and its first look, pass through `change` on their way to the browser."""

    def changed(route: Route) -> None:
        answer = route.fetch()
        body = answer.json()
        for page in body["pages"] if "pages" in body else [body["page"]]:
            change(page)
        route.fulfill(response=answer, json=body)

    client.page.context.route("**/v1/pull", changed)
    client.page.context.route("**/v1/weeks", changed)


@pytest.fixture(scope="module")
def lied_to(
    tmp_path_factory: pytest.TempPathFactory, chromium: Browser
) -> Iterator[tuple[Callable[..., Client], dict[Callable[[Page], None], str]]]:
    """Give browsers, and a link for each lie: one server serves them all, since none changes it."""
    with room_in(tmp_path_factory.mktemp("lied to")) as room, clients_of(room, chromium) as opened:
        yield opened, {change: room.invite() for change in LIES}


@rule("R45")
@rule("R48")
@rule("R50")
@pytest.mark.parametrize("change", LIES, ids=[lie.__name__ for lie in LIES])
def test_a_lie_is_an_alarm_by_its_name_and_shows_nothing(
    lied_to: tuple[Callable[..., Client], dict[Callable[[Page], None], str]], change: Callable[[Page], None]
) -> None:
    opened, links = lied_to
    one = opened()
    room = one.room
    let_it_lie(one, change)
    one.open(links[change])
    one.page.get_by_role("button", name="Join this contract").click()
    expect(one.page.get_by_role("alert")).to_contain_text(f"Alarm ({LIES[change]})")
    one.page.goto(f"{room.stage.url}/join#/{room.contract.id}")
    expect(one.page.get_by_role("alert")).to_contain_text(f"Alarm ({LIES[change]})")  # it stays
    expect(one.page.get_by_text("No time has come yet.")).to_be_visible()
    assert PLANTED_MEMO not in one.page.content()
    assert one.week()["segments"] == []


@rule("R45")
def test_a_later_lie_takes_nothing_back_that_was_proven(room: Room, client: Callable[..., Client]) -> None:
    one = client()
    one.join(room.invite())
    before = one.week()
    let_it_lie(one, lambda page: page.update(head={"log_epoch": 1, "size": 3}, rows=[]))
    one.page.context.route("**/v1/pull", lambda route: shrunk(route, room))
    one.page.reload()
    expect(one.page.get_by_role("alert")).to_contain_text("Alarm (unsigned_head)")
    assert one.week() == before
    one.page.get_by_role("button", name="I have looked at it").click()
    expect(one.page.get_by_role("alert")).to_have_count(0)


def shrunk(route: Route, room: Room) -> None:
    """Answer that the log is shorter than what was shown before, by nobody's signature."""
    answer = route.fetch()
    page = {"contract": room.contract.id, "rows": [], "pushes": {}, "head": {"log_epoch": 1, "size": 3}}
    route.fulfill(response=answer, json=answer.json() | {"pages": [page]})


@rule("R47")
def test_swapped_wraps_open_nothing_and_the_segments_are_defective(
    room: Room, client: Callable[..., Client]
) -> None:
    def swap_wraps(page: Page) -> None:
        one, other = captures(page)[:2]
        one["wrap"], other["wrap"] = other["wrap"], one["wrap"]

    browser = client()
    let_it_lie(browser, swap_wraps)
    browser.join(room.invite())
    browser.go("week/2026-W47")
    expect(browser.page.get_by_text("2 segments do not open or contradict what was signed")).to_be_visible()
    browser.go("day/2026-11-18")
    expect(browser.page.locator(".segment", has_text="defective")).to_have_count(2)
    assert browser.week()["totals"] == room.week()["totals"]  # headers alone decide what bills (R29)


@rule("R47")
def test_an_altered_picture_is_not_shown(room: Room, client: Callable[..., Client]) -> None:
    one = client()
    one.page.context.route("**/v1/pictures/*", lambda route: route.fulfill(body=b"\x00" * 4112))
    one.join(room.invite())
    one.go("day/2026-11-18")
    expect(one.page.get_by_text("This picture was altered: it is not shown.").first).to_be_visible()
    expect(one.page.locator(".segment img")).to_have_count(0)
