"""Links that open nothing say so by name, and a link's secret stays in the browser (R51, R53, R64)."""

import base64
from collections.abc import Callable

import pytest
from playwright.sync_api import Request, Response, expect

from tests.rule import rule
from tests.sync.client.conftest import PLANTED_MEMO, PLANTED_TITLE, Client, Room

pytestmark = pytest.mark.browser
OTHER_SECRET = base64.urlsafe_b64encode(bytes(range(32))).rstrip(b"=").decode()


def check_refused(one: Client, link: str, says: str) -> None:
    one.open(link)
    one.page.get_by_role("button", name="Join this contract").click()
    expect(one.page.locator("#status")).to_contain_text(says)
    one.page.goto(f"{one.room.stage.url}/join#/")
    expect(one.page.get_by_text("This browser has joined no contract yet.")).to_be_visible()


@rule("R51")
def test_a_wrong_secret_opens_nothing(room: Room, client: Callable[..., Client]) -> None:
    link = room.invite()
    wrong = f"{link.rpartition('.')[0]}.{OTHER_SECRET}"
    check_refused(client(), wrong, "This link opens nothing here: its secret is another one")


@rule("R51")
def test_a_used_link_is_dead(room: Room, client: Callable[..., Client]) -> None:
    link = room.invite()
    client().join(link)
    check_refused(client(), link, "This link was used already")


@rule("R51")
def test_an_expired_link_is_dead(room: Room, client: Callable[..., Client]) -> None:
    link = room.invite(days=1)
    room.stage.put_clocks("2026-11-19T12:02Z")
    check_refused(client(), link, "This link has expired")


@rule("R51")
def test_a_link_that_names_another_servers_key_is_refused_before_anything_is_sent(
    room: Room, client: Callable[..., Client]
) -> None:
    link = room.invite()
    server = room.device.diary.server()
    assert server is not None
    check_refused(client(), link.replace(server.key, "ab" * 32), "Another server answers here")
    client().join(link)  # it was not used up


@rule("R51")
def test_a_text_that_is_no_link_is_said_to_be_none(room: Room, client: Callable[..., Client]) -> None:
    one = client()
    one.page.goto(f"{room.stage.url}/join")
    one.page.get_by_label("Invitation link").fill(room.invite()[:-1])
    one.page.get_by_role("button", name="Look at it").click()
    one.page.get_by_role("button", name="Join this contract").click()
    expect(one.page.locator("#status")).to_contain_text("the secret at its end is not whole")


@rule("R51")
@rule("R53")
def test_a_pasted_link_of_another_server_is_opened_there(room: Room, client: Callable[..., Client]) -> None:
    one = client()
    one.page.goto(f"{room.stage.url}/join")
    link = room.invite().replace("127.0.0.1", "localhost")
    one.page.get_by_label("Invitation link").fill(link)
    one.page.get_by_role("button", name="Look at it").click()
    one.page.wait_for_url(link)
    one.page.get_by_role("button", name="Join this contract").click()
    expect(one.page.locator("#status")).to_contain_text("You have joined")


@rule("R53")
@rule("R64")
def test_neither_the_secret_nor_anything_opened_leaves_the_browser(
    room: Room, client: Callable[..., Client]
) -> None:
    one = client()
    traffic: list[bytes] = []

    def note(request: Request) -> None:
        traffic.append(f"{request.method} {request.url} {request.headers}".encode())
        traffic.append(request.post_data_buffer or b"")

    def answer(response: Response) -> None:
        traffic.append(str(response.headers).encode())

    one.page.context.on("request", note)
    one.page.context.on("response", answer)
    link = room.invite()
    one.join(link)
    one.go("day/2026-11-18")
    one.page.locator(".segment img").first.wait_for()
    coded = link.rpartition(".")[2].encode()
    secret = base64.urlsafe_b64decode(coded + b"=")
    stored = room.stage.stored_bytes()
    sent = b"\n".join(part for part in traffic if b"/join#" not in part)
    needles = (secret, coded, base64.b64encode(secret), secret.hex().encode(), PLANTED_MEMO.encode())
    for needle in (*needles, PLANTED_TITLE.encode()):
        assert needle not in sent
        assert needle not in stored
    # The address forgets the secret as soon as it is used up.
    assert "#1." not in one.page.url
    assert b'"n":1' in stored  # the search looked at what the server holds
