"""Two browsers and `diary up`: a freelancer at their pages, a client at a phone; and all that the server saw.

Real processes, one server behind a tap that keeps every byte of the line. Every planted secret is searched
for in all of the server's files and all of the line, whole and in each of its usual codings; what the server
could see by name is compared with R46's list, field by field.
"""

import base64
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from diary.rules.ids import Slot
from diary.rules.week import Week
from tests.desktop import Desktop
from tests.journeys.actors import Computer, at, eventually
from tests.journeys.seen_by_server import (
    requests_in,
    stored_headers,
    texts_beside,
    unexpected_fields,
    unexpected_requests,
)
from tests.journeys.test_two_parties import World, shown
from tests.journeys.wiretap import Wiretap
from tests.practice import slot
from tests.rule import rule
from tests.sync.client.conftest import READ_WEEK

NINE = slot("2026-11-18T09:00Z")
WEEK = Week.parse("2026-W47")
TITLE, CLIENT, LABEL = "planted-contract-tamarind", "planted-client-yuzu", "planted-label-loquat"
MEMO, CALL, WINDOW = "planted-memo-marzipan", "planted-call-kumquat", "planted-title-persimmon"
SECRETS = (TITLE, CLIENT, LABEL, MEMO, CALL, WINDOW)
_IDENTIFIER = re.compile(r"[0-9a-f]{32}|[0-9a-f]{64}")


class TwoBrowsers(World):
    """The journey's world, its server behind a tap."""

    def tapped(self) -> Wiretap:
        return Wiretap(self.port, self.folder / "tape")


@pytest.fixture
def world(tmp_path: Path) -> Iterator[TwoBrowsers]:
    made = TwoBrowsers(tmp_path)
    try:
        yield made
    finally:
        made.end()


def client_sees(phone: Page, contract: str) -> dict[str, Any]:
    """Return what the client's page has worked out, in the form of `shown`."""
    week = json.loads(phone.evaluate(READ_WEEK, [contract, WEEK.first_slot]))
    return {name: week[name] for name in ("segments", "totals", "locked_at")}


def forms_of(secret: str) -> list[bytes]:
    """Return a text in the codings in which it could lie or travel."""
    raw = secret.encode()
    coded = {base64.b64encode(raw[start:]).rstrip(b"=")[1:-1] for start in range(3)}
    return [raw, raw.hex().encode(), secret.encode("utf-16-le"), *coded]


@pytest.mark.journey
@pytest.mark.browser
@pytest.mark.timeout(900)
@rule("R46")
@rule("R64")
@rule("R66")
def test_two_browsers_show_one_week_and_the_server_saw_what_it_may(
    world: TwoBrowsers, chromium: Browser
) -> None:
    tap = world.tapped()
    laptop = world.laptop
    laptop.run("init", "--key-file", "--name", "laptop")
    terms = ("--client", CLIENT, "--rate", "60", "--limit", "50m", "--label", LABEL)
    contract = laptop.json("contract", "new", TITLE, *terms)["id"]
    laptop.run("register", f"http://127.0.0.1:{tap.port}")
    laptop.run("config", "hold_seconds", "0")
    link = laptop.json("invite", TITLE)["link"]
    with Desktop.start(env=world.time.environment()) as desktop:
        laptop.display = desktop.environment()
        up = laptop.begin("up", "up", "--key-file")
        pages = eventually(
            "the pages' link is printed",
            lambda: (found := re.search(r"http://\S+token=\S+", up.talk())) and found[0],
            seconds=120,
        )
        desk = chromium.new_context(viewport={"width": 1280, "height": 900}).new_page()
        phone = chromium.new_context(viewport={"width": 360, "height": 740}).new_page()
        desk.goto(pages)
        phone.goto(link)
        phone.get_by_role("button", name="Join this contract").click()
        expect(phone.locator("#status")).to_contain_text(f"You have joined “{TITLE}”")
        # On the phone: another limit, and manual time.
        phone.goto(f"{link.split('#')[0]}#/{contract}/terms")
        phone.get_by_label("Weekly limit in hours").fill("1.5")
        phone.get_by_label("Manual time is allowed").check()
        phone.get_by_role("button", name="Set these terms").click()
        expect(phone.locator("#status")).to_contain_text("The terms are set.")
        laptop.run("sync")
        # The freelancer works past the limit, adds a call and takes a snapshot back.
        world.record(laptop, contract, [Slot(NINE + number) for number in range(10)], MEMO)
        laptop.run("add", at(NINE + 12), TITLE, CALL, "--utc")
        laptop.run("remove", at(NINE + 2), "--utc", "--yes")
        laptop.run("sync")
        expected = eventually("all is at the server", lambda: _synced(laptop, contract), seconds=120)
        eventually(
            "the phone shows the same",
            lambda: (phone.reload() and client_sees(phone, contract) == expected) or None,
            seconds=120,
        )
        assert [each["why_not"] for each in expected["segments"]] == [*[None] * 9, "over_limit"]
        amount = "90.00 USD for 1 h 30 min"
        phone.goto(f"{link.split('#')[0]}#/{contract}/week/2026-W47")
        expect(phone.locator(".sums")).to_contain_text(amount)
        desk.goto(f"{pages.split('/-/')[0]}/-/diary/week/2026-W47")
        expect(desk.locator("body")).to_contain_text("90.00")
        expect(desk.locator("body")).to_contain_text(CALL)
        laptop.shut_down()
    world.machine.shut_down()
    tap.close()
    kept = b"".join(path.read_bytes() for path in world.server_folder.rglob("*") if path.is_file())
    talk = world.machine.processes["server"].talk().encode()
    tape = (world.folder / "tape").read_bytes()
    secret = link.rsplit(".", 1)[1]
    for where, seen in (("files", kept), ("log", talk), ("line", tape)):
        found = [one for one in (*SECRETS, secret) if any(form in seen for form in forms_of(one))]
        assert found == [], where
    _holds_to_the_rules_list(world.server_folder, tape)


def _synced(laptop: Computer, contract: str) -> dict[str, Any] | None:
    week = shown(laptop, contract)
    states = [each["state"] for each in week["segments"]]
    return week if len(states) == 10 and set(states) == {"synced"} else None


def _holds_to_the_rules_list(folder: Path, tape: bytes) -> None:
    (database,) = folder.rglob("*.db")
    headers = stored_headers(database)
    assert unexpected_fields(headers) == set()
    sent = [
        version["header"]
        for _, message in requests_in(tape)
        for version in message.get("push", message).get("versions", ())
    ]
    assert len(sent) >= 20
    assert unexpected_fields(sent) == set()
    assert unexpected_requests(tape) == set()
    # Beside headers the server's texts are ids, keys and hashes, words of the protocol, and what it signed.
    words = {
        "version.type", "account_rule.because", "operator_act.who", "operator_act.deed",
        "operator_act.detail", "refusal.reason", "refusal.because", "seal.week", "seal.text", "opening.text",
    }  # fmt: skip
    others = {
        column: {text for text in texts if not _IDENTIFIER.fullmatch(text)}
        for column, texts in texts_beside(database).items()
        if column not in words
    }
    assert {column: texts for column, texts in others.items() if texts} == {}
