"""Inviting a client from the page of contracts: the link once, as text and as a QR code (R51, R52, R64)."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from diary.sealing.invitation import parse_link
from tests.plugins.conftest import PLANTED_MEMO, Served, record, serve
from tests.plugins.said import said
from tests.plugins.test_accessible import faults_everywhere
from tests.practice import slot
from tests.rule import rule
from tests.seen_code import read_picture
from tests.sync.clients import join_in
from tests.sync.stage import Device, Stage, stage_in

pytestmark = pytest.mark.browser
PATH = "/-/diary/contracts"
ELSEWHERE = "https://diary.example"
KEY = "ab" * 32
LINK = ".invitation-link"


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    with stage_in(tmp_path) as stage:
        yield stage


@pytest.fixture
def alone(stage: Stage, request: pytest.FixtureRequest) -> Iterator[tuple[Device, Served]]:
    """Serve a freelancer's diary that no client reads yet, registered unless the test says False."""
    registered = bool(getattr(request, "param", True))
    with ExitStack() as stack:
        device = stage.first(registered=registered)
        contract = device.diary.new_contract(title="Orchard", client="Orchard")
        record(device.diary, contract, slot("2026-11-18T09:00Z"), PLANTED_MEMO)
        device.diary.set_setting("zone", "UTC")
        if registered:
            device.sync()
        yield device, serve(device.diary.home, device.diary, device.clock, contract, stack)


@pytest.fixture
def served(alone: tuple[Device, Served]) -> Served:
    return alone[1]


def invite(page: Page, served: Served) -> str:
    """Press the button and return the link that the page shows."""
    page.goto(served.address(PATH))
    page.get_by_role("button", name="Invite the client").click()
    return page.locator(LINK).inner_text()


@rule("R51")
@rule("R64")
def test_a_client_joins_by_the_link_of_the_page_and_the_page_shows_who_is_invited(
    alone: tuple[Device, Served], stage: Stage, page: Page
) -> None:
    device, served = alone
    link = invite(page, served)
    expect(page.locator("main")).to_contain_text("leads to this computer alone")
    expect(page.locator(".qr-code")).to_have_count(0)
    page.goto(served.address(PATH))
    expect(page.locator("main")).to_contain_text("works once this diary has synced")
    expect(page.locator("main")).not_to_contain_text(link.rpartition(".")[2])
    device.sync()
    client = join_in(stage, parse_link(link))
    assert [one.title for one in client.diary.contracts()] == ["Orchard"]
    device.sync()
    page.goto(served.address(PATH))
    expect(page.locator("main")).to_contain_text("The client has joined")
    expect(page.get_by_label("They lost their access")).to_be_visible()


@rule("R64")
def test_a_camera_reads_the_link_in_both_schemes_and_words_stand_beside_the_code(
    alone: tuple[Device, Served], page: Page
) -> None:
    device, served = alone
    device.diary.link_server(ELSEWHERE, KEY)
    link = invite(page, served)
    assert link.startswith(f"{ELSEWHERE}/join#1.")
    expect(page.get_by_role("img", name="The link above as a QR code")).to_be_visible()
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        assert read_picture(page.screenshot(full_page=True)) == [link]
    assert faults_everywhere(page) == []


@rule("R51")
@rule("R52")
def test_a_link_stands_in_one_answer_that_no_browser_keeps_and_in_no_address(
    alone: tuple[Device, Served], page: Page
) -> None:
    _, served = alone
    with page.expect_response("**/contracts/invite") as answered:
        link = invite(page, served)
    assert answered.value.headers["cache-control"] == "no-store"
    secret = link.rpartition(".")[2]
    assert secret not in page.url
    told = page.request.get(served.address(f"{PATH}.json")).text()
    assert secret not in told
    kept = [
        file for file in served.home.rglob("*") if file.is_file() and secret.encode() in file.read_bytes()
    ]
    assert kept == []


@rule("R51")
def test_while_snapshots_are_taken_a_link_is_shown_only_to_who_said_so(
    alone: tuple[Device, Served], page: Page
) -> None:
    device, served = alone
    page.goto(served.address(PATH))
    device.diary.start(served.contract.id)
    page.get_by_role("button", name="Invite the client").click()
    expect(said(page)).to_contain_text("Tracking is on: a snapshot of this screen would show the link")
    assert device.diary.invitations() == ()
    page.get_by_label("Tracking is on").check()
    assert faults_everywhere(page) == []
    page.get_by_role("button", name="Invite the client").click()
    expect(page.locator(LINK)).to_be_visible()


@rule("R51")
def test_an_open_link_is_taken_back_and_a_wrong_time_is_said(
    alone: tuple[Device, Served], page: Page
) -> None:
    device, served = alone
    invite(page, served)
    page.goto(served.address(PATH))
    page.get_by_role("button", name="Take the link back").click()
    expect(said(page)).to_contain_text("The invitation is taken back")
    assert [one.state for one in device.diary.invitations()] == ["withdrawn"]
    days = page.get_by_label("A link for the client: it works for, in days")
    days.evaluate("field => { field.removeAttribute('max') }")
    days.fill("999")
    page.get_by_role("button", name="Invite the client").click()
    expect(said(page)).to_contain_text("An invitation is open for 1 to 366 days, not 999.")


@rule("R50")
@pytest.mark.parametrize("alone", [False], indirect=True)
def test_a_diary_without_a_server_says_what_comes_first(served: Served, page: Page) -> None:
    page.goto(served.address(PATH))
    expect(page.locator("main")).to_contain_text("registered with none: diary register URL")
    expect(page.get_by_role("button", name="Invite the client")).to_have_count(0)
