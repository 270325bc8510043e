"""A client writes with the freelancer in their browser: offline too, with files, read on both sides (R68)."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import expect

from diary.messaging import NewFile
from diary.store import versions
from tests.hostile_texts import TEXTS
from tests.plugins.test_accessible import faults, overflow
from tests.rule import rule
from tests.sync.client.conftest import Client, Room, picture

pytestmark = pytest.mark.browser
WAITS = 60_000  # other machines' work may take long
ASK_AGAIN = (
    "dispatchEvent(new Event('online'))"  # what a browser says when the network is back: the page syncs
)


def says(one: Client, text: str) -> None:
    expect(one.page.locator(".conversation")).to_contain_text(text, timeout=WAITS)


def write(one: Client, text: str) -> None:
    one.page.get_by_label("Write to the freelancer").fill(text)
    one.page.get_by_role("button", name="Send").click()


def talking(room: Room, client: Callable[..., Client], **options: int) -> Client:
    one = client(**options)
    one.join(room.invite())
    room.device.sync()
    one.go("messages")
    expect(one.page.get_by_role("heading", name="Messages")).to_be_visible()
    return one


@rule("R66")
@rule("R68")
def test_both_write_read_and_see_that_it_was_read(room: Room, client: Callable[..., Client]) -> None:
    one, diary, contract = talking(room, client), room.device.diary, room.contract.id
    write(one, "Good morning!\nHow is the calendar?")
    says(one, ["Good morning!", "How is the calendar?"][1])
    expect(one.page.locator(".message .state")).to_contain_text(re.compile("Sent|Delivered"), timeout=WAITS)
    room.device.sync()
    (got,) = diary.conversation(contract).messages
    assert (got.text, got.writer, got.state) == ("Good morning!\nHow is the calendar?", "Ada", "unread")
    diary.mark_read(contract)
    diary.send_message(contract, "Nearly done.")
    room.device.sync()
    one.page.evaluate(ASK_AGAIN)
    says(one, "Nearly done.")
    expect(one.page.locator(".message").first.locator(".state")).to_contain_text("Read", timeout=WAITS)
    # Seen in a window in use: the freelancer learns that it was read.
    expect(one.page.get_by_role("link", name="Messages", exact=True)).to_be_visible(timeout=WAITS)
    for _ in range(120):
        one.page.evaluate(ASK_AGAIN)
        room.device.sync()
        if diary.conversation(contract).messages[1].state == "read":
            break
        one.page.wait_for_timeout(500)
    assert diary.conversation(contract).messages[1].state == "read"
    assert room.device.diary.alarms() == ()


@rule("R56")
@rule("R68")
def test_what_a_browser_writes_names_the_head_it_was_shown(room: Room, client: Callable[..., Client]) -> None:
    one = talking(room, client)
    write(one, "With a head")
    expect(one.page.locator(".message .state")).to_contain_text(re.compile("Sent|Delivered"), timeout=WAITS)
    room.device.sync()
    (row,) = versions.slotless(room.device.diary._state.connection, "message", room.contract.id)
    assert row.header.head is not None
    assert row.header.head[:2] == (room.contract.id, 1)
    assert row.header.head[2] > 10
    assert room.device.diary.alarms() == ()


@rule("R19")
@rule("R68")
def test_messages_written_without_a_line_wait_and_arrive_once_in_order(
    room: Room, client: Callable[..., Client]
) -> None:
    one = talking(room, client)
    one.page.context.set_offline(True)
    for number in range(3):
        write(one, f"offline {number}")
        says(one, f"offline {number}")
    expect(one.page.locator(".message .state", has_text="Waiting to be sent")).to_have_count(3)
    one.page.reload()
    expect(one.page.locator(".message .state", has_text="Waiting to be sent")).to_have_count(3, timeout=WAITS)
    one.page.context.set_offline(False)
    one.page.evaluate(ASK_AGAIN)
    expect(one.page.locator(".message .state", has_text="Waiting to be sent")).to_have_count(0, timeout=WAITS)
    room.device.sync()
    shown = room.device.diary.conversation(room.contract.id).messages
    assert [message.text for message in shown] == ["offline 0", "offline 1", "offline 2"]
    expect(one.page.locator(".message")).to_have_count(3)


@rule("R41")
@rule("R68")
def test_files_go_both_ways_byte_for_byte(room: Room, client: Callable[..., Client], tmp_path: Path) -> None:
    one, diary, contract = talking(room, client), room.device.diary, room.contract.id
    plan = tmp_path / "plan.bin"
    plan.write_bytes(bytes(range(256)) * 5_000)  # more than one part of an upload
    one.page.get_by_label("Files").set_input_files(plan)
    write(one, "Here is the plan")
    expect(one.page.locator(".message .state")).to_contain_text(re.compile("Sent|Delivered"), timeout=WAITS)
    for _ in range(120):
        room.device.sync()
        (file,) = diary.conversation(contract).messages[0].files
        if file.is_here:
            break
        one.page.wait_for_timeout(500)
    assert diary.message_file(contract, file.sealed_name)[1] == plan.read_bytes()
    files = [
        NewFile("tree.webp", "image/webp", picture(1)),
        NewFile("fake.png", "image/png", b"<svg onload=x>"),
    ]
    diary.send_message(contract, "", files)
    room.device.sync()
    room.device.sync()
    one.page.evaluate(ASK_AGAIN)
    says(one, "fake.png")
    expect(one.page.locator(".message img")).to_have_count(1, timeout=WAITS)
    with one.page.expect_download() as download:
        one.page.get_by_role("button", name="fake.png").click()
    assert Path(download.value.path()).read_bytes() == b"<svg onload=x>"


@rule("R68")
def test_what_is_typed_stays_while_messages_come_and_unread_ones_are_counted(
    room: Room, client: Callable[..., Client]
) -> None:
    one = talking(room, client)
    one.page.get_by_label("Write to the freelancer").fill("half a sent")
    room.device.diary.send_message(room.contract.id, "By the way")
    room.device.sync()
    one.page.evaluate(ASK_AGAIN)
    says(one, "By the way")
    expect(one.page.get_by_label("Write to the freelancer")).to_have_value("half a sent")
    one.go("")
    room.device.diary.send_message(room.contract.id, "And another")
    room.device.sync()
    one.page.evaluate(ASK_AGAIN)
    expect(one.page.get_by_role("link", name="Messages (1)")).to_be_visible(timeout=WAITS)


@rule("R68")
def test_a_call_set_by_either_opens_in_the_page_and_no_other_address_does(
    room: Room, client: Callable[..., Client]
) -> None:
    one = talking(room, client)
    room.device.diary.set_call(room.contract.id, "https://meet.example/orchard")
    room.device.sync()
    one.page.evaluate(ASK_AGAIN)
    link = one.page.get_by_role("link", name="Open the video call")
    expect(link).to_have_attribute("href", "https://meet.example/orchard", timeout=WAITS)
    one.page.get_by_text("Video call", exact=True).click()
    one.page.get_by_label("Its address").fill("https://you@meet.example/")
    one.page.get_by_role("button", name="Set it").click()
    expect(one.page.locator("#status")).to_contain_text("no address of a video call")
    one.page.get_by_label("Its address").fill("https://meet.example/two")
    one.page.get_by_role("button", name="Set it").click()
    expect(link).to_have_attribute("href", "https://meet.example/two", timeout=WAITS)
    one.page.evaluate(ASK_AGAIN)
    expect(one.page.locator(".message .state", has_text="Waiting to be sent")).to_have_count(0, timeout=WAITS)
    room.device.sync()
    assert room.device.diary.call(room.contract.id) == "https://meet.example/two"


@rule("R24")
@rule("R68")
@pytest.mark.parametrize(("scheme", "width"), [("light", 360), ("dark", 1280)])
def test_everybody_can_use_it_and_no_text_breaks_out(
    room: Room, client: Callable[..., Client], scheme: str, width: int
) -> None:
    for text in TEXTS:
        if text.strip():
            room.device.diary.send_message(room.contract.id, text, [NewFile(text[:180], "text/plain", b"x")])
    room.device.sync()
    one = client(width=width, color_scheme=scheme)
    one.join(room.invite())
    one.go("messages")
    expect(one.page.locator(".message").first).to_be_visible(timeout=WAITS)
    assert faults(one.page) == []
    assert overflow(one.page) == 0
    broken = "main script, main style, main b:not(p b), main svg, main img[src=x], main [onerror]"
    assert one.page.locator(broken).count() == 0
