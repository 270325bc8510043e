"""The pages of messages: written, read, with files, by everybody, whatever a text holds (R24, R52, R68)."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from diary.messaging import NewFile
from tests.hostile_texts import TEXTS
from tests.plugins.conftest import Served, screen, serve
from tests.plugins.said import said
from tests.plugins.test_accessible import faults, overflow
from tests.rule import rule
from tests.sync.clients import invited, join_in
from tests.sync.stage import Device, Stage, stage_in

pytestmark = pytest.mark.browser
LISTENS = 20_000  # the page asks every four seconds; a loaded machine takes its time


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    with stage_in(tmp_path) as stage:
        yield stage


@pytest.fixture
def pair(stage: Stage) -> Iterator[tuple[Device, Device, Served]]:
    """Serve a freelancer's diary whose client has joined; both are in the test's hand."""
    with ExitStack() as stack:
        device = stage.first()
        contract = device.diary.new_contract(title="Orchard", client="Ada Orchard")
        device.diary.set_setting("zone", "UTC")
        stage.put_clocks("2026-11-18T12:04Z")
        client = join_in(stage, invited(device, contract))
        device.sync()
        yield device, client, serve(device.diary.home, device.diary, device.clock, contract, stack)


@pytest.fixture
def served(pair: tuple[Device, Device, Served]) -> Served:
    return pair[2]


def conversation(served: Served) -> str:
    return served.address(f"/-/diary/messages/{served.contract.id}")


@rule("R68")
def test_a_message_with_a_file_is_written_read_and_answered(
    pair: tuple[Device, Device, Served], page: Page, tmp_path: Path
) -> None:
    device, client, served = pair
    plan = tmp_path / "plan <b>.txt"
    plan.write_bytes(b"three trees\n")
    page.goto(served.address("/-/diary/messages"))
    page.get_by_role("link", name="Orchard", exact=True).click()
    page.get_by_label("Write to Ada Orchard").fill("Good morning\nin two lines")
    page.get_by_label("Files").set_input_files(plan)
    page.get_by_role("button", name="Send").click()
    expect(said(page)).to_contain_text("Written; it goes with the next sync.")
    shown = page.locator(".message")
    expect(shown).to_contain_text("Good morning\nin two lines", use_inner_text=True)
    expect(shown).to_contain_text("Waiting to be sent")
    with page.expect_download() as download:
        page.get_by_role("link", name="plan _b_.txt").or_(
            page.get_by_role("link", name="plan <b>.txt")
        ).click()
    assert Path(download.value.path()).read_bytes() == b"three trees\n"
    for each in (device, client, device):
        each.sync()
    client.diary.mark_read(served.contract.id)
    client.diary.send_message(served.contract.id, "Thank you!")
    for each in (client, device):
        each.sync()
    # Without being shown anew, where a screen reader hears of it; what is seen in a window in use is read.
    expect(page.get_by_role("log")).to_contain_text("Thank you!", timeout=LISTENS)
    expect(shown.first).to_contain_text("Read", timeout=LISTENS)
    expect(page.get_by_role("log").locator(".message")).to_have_count(2)


@rule("R68")
def test_what_is_typed_stays_while_messages_come(pair: tuple[Device, Device, Served], page: Page) -> None:
    device, client, served = pair
    page.goto(conversation(served))
    page.get_by_label("Write to Ada Orchard").fill("half a sent")
    client.diary.send_message(served.contract.id, "By the way")
    for each in (client, device):
        each.sync()
    expect(page.get_by_role("log")).to_contain_text("By the way", timeout=LISTENS)
    expect(page.get_by_label("Write to Ada Orchard")).to_have_value("half a sent")
    page.get_by_label("Write to Ada Orchard").press_sequentially("ence")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".message").last).to_contain_text("half a sentence")


@rule("R68")
def test_unread_messages_are_counted_on_every_page_until_they_are_read(
    pair: tuple[Device, Device, Served], chromium: Browser
) -> None:
    device, client, served = pair
    client.diary.send_message(served.contract.id, "One")
    client.diary.send_message(served.contract.id, "Two")
    for each in (client, device):
        each.sync()
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(served.door.url)
    expect(page.get_by_role("navigation", name="Diary")).to_contain_text("Messages 2")
    page.goto(conversation(served))
    expect(page.locator(".message[data-state=unread]")).to_have_count(2)
    page.get_by_role("button", name="Mark 2 as read").click()
    expect(said(page)).to_contain_text("2 messages marked as read.")
    expect(page.locator(".message[data-state=unread]")).to_have_count(0)
    expect(page.get_by_role("navigation", name="Diary")).not_to_contain_text("Messages 2")
    context.close()


@rule("R44")
@rule("R68")
def test_what_cannot_be_sent_is_said_and_a_foreign_form_writes_nothing(
    pair: tuple[Device, Device, Served], page: Page
) -> None:
    device, _, served = pair
    page.goto(conversation(served))
    page.get_by_role("button", name="Send").click()
    expect(said(page)).to_contain_text("This message says nothing.")
    body = '--x\r\nContent-Disposition: form-data; name="text"\r\n\r\nforged\r\n--x--\r\n'
    kind = {"Content-Type": "multipart/form-data; boundary=x"}
    answer = page.request.post(f"{conversation(served)}/send", headers=kind, data=body)
    assert answer.status == 403
    assert device.diary.conversation(served.contract.id).messages == ()


@rule("R52")
@rule("R68")
def test_a_picture_is_shown_by_its_first_bytes_and_nothing_else_is(
    pair: tuple[Device, Device, Served], page: Page
) -> None:
    device, _, served = pair
    svg = b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>"
    files = [NewFile("tree.webp", "image/webp", screen(3)), NewFile("tree.svg", "image/svg+xml", svg)]
    device.diary.send_message(served.contract.id, "", files)
    page.goto(conversation(served))
    image = page.locator(".message img")
    expect(image).to_have_count(1)
    image.scroll_into_view_if_needed()
    expect(image).to_have_js_property("naturalWidth", 640)
    device.diary.send_message(served.contract.id, "", [NewFile("tree.png", "image/png", svg)])
    first, second = device.diary.conversation(served.contract.id).messages
    for file in (first.files[1], second.files[0]):
        path = f"{conversation(served)}/file/{file.sealed_name}"
        assert page.request.get(f"{path}?show=1").status == 404, "its first bytes are no picture's"
        saved = page.request.get(path)
        assert saved.headers["content-type"] == "application/octet-stream"
        assert saved.headers["content-disposition"] == f"attachment; filename*=UTF-8''{file.name}"
        assert saved.body() == svg


@rule("R68")
def test_a_call_is_set_opened_and_ended(pair: tuple[Device, Device, Served], page: Page) -> None:
    _, _, served = pair
    page.goto(conversation(served))
    page.get_by_text("Video call", exact=True).click()
    page.get_by_label("Its address").fill("https://meet.example/orchard")
    page.get_by_role("button", name="Set it").click()
    link = page.get_by_role("link", name="Open the video call")
    expect(link).to_have_attribute("href", "https://meet.example/orchard")
    expect(link).to_have_attribute("rel", "noopener noreferrer")
    page.get_by_text("Video call", exact=True).click()
    page.get_by_label("Its address").fill("https://you@meet.example/")
    page.get_by_role("button", name="Set it").click()
    expect(said(page)).to_contain_text("is no address of a video call")
    expect(link).to_have_attribute("href", "https://meet.example/orchard")


@rule("R24")
@rule("R68")
@pytest.mark.parametrize(("scheme", "width"), [("light", 360), ("dark", 1280), ("dark", 360)])
def test_everybody_can_use_the_page_and_no_text_breaks_out(
    pair: tuple[Device, Device, Served], chromium: Browser, scheme: str, width: int
) -> None:
    device, client, served = pair
    for number, text in enumerate(one for one in TEXTS if one.strip()):
        by = (device, client)[number % 2]
        by.clock.put(by.clock.now_ms() + 1)
        by.diary.send_message(served.contract.id, text, [NewFile(text[:180], "text/plain", b"x")])
    for each in (client, device):
        each.sync()
    context = chromium.new_context(
        viewport={"width": width, "height": 900}, color_scheme="dark" if scheme == "dark" else "light"
    )
    page = context.new_page()
    page.goto(served.door.url)
    for address in (served.address("/-/diary/messages"), conversation(served)):
        page.goto(address)
        assert faults(page) == []
        assert overflow(page) == 0
    assert (
        page.locator("main script, main style, main b, main svg, main img[src=x], main [onerror]").count()
        == 0
    )
    assert "owned" not in page.title()
    context.close()
