"""Two devices, two browsers and a client's copy: one contract from its invitation to its closing.

Real processes on one clock thirty times as fast: two computers with screens, real trackers and real input,
a server, and three lines to it, each behind a tap that keeps every byte. The client joins on a page as wide
as a phone and sets limit and permission; the freelancer works offline on both computers past the limit,
deletes, adds manual time and syncs; then the client closes the contract while the laptop, offline, records.

All four sides are compared segment by segment: both devices, the client's copy, and what the client's page
works out. Every planted secret is searched for in all of the server's files and all of the line, whole and
in each of its usual codings; what the server could see by name is compared with R46's list, field by field.
"""

import csv
import io
import json
import re
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from diary.rules.ids import Millis, Slot
from diary.rules.week import Week, ends_at_ms, slot_at
from tests.bent_time import BentTime
from tests.desktop import Desktop
from tests.journeys.actors import Computer, at, eventually, somebody_at
from tests.journeys.seen_by_server import (
    forms_of,
    headers_sent,
    requests_in,
    stored_headers,
    unexpected_fields,
    unexpected_requests,
    unexpected_texts,
)
from tests.journeys.test_two_parties import World, shown
from tests.journeys.wiretap import Wiretap
from tests.practice import slot
from tests.rule import rule
from tests.sync.client.conftest import READ_WEEK

SPEED = 30  # ten minutes in twenty seconds
WEEK = Week.parse("2026-W47")
EARLY = slot("2026-11-18T07:00Z")  # before anything was tracked
LIMIT_SEGMENTS = 3
TITLE, CLIENT, LABEL = "planted-contract-tamarind", "planted-client-yuzu", "planted-label-loquat"
MEMO, CALL, WINDOW = "planted-memo-marzipan", "planted-call-kumquat", "planted-title-persimmon"
LATER, LAPTOP, OFFICE = "planted-memo-damson", "planted-device-quince", "planted-copy-medlar"
TYPED = "planted-typing-greengage"
PICTURES = {".avif", ".webp"}
SECRETS = (TITLE, CLIENT, LABEL, MEMO, CALL, WINDOW, LATER, LAPTOP, OFFICE, TYPED)


@dataclass
class Town(World):
    """The journey's world: the laptop, the tower and the client each on a line of their own."""

    time: BentTime = field(default_factory=lambda: BentTime.at("2026-11-18T08:50Z", speed=SPEED))

    def __post_init__(self) -> None:
        super().__post_init__()
        self.lines = {
            name: Wiretap(self.port, self.folder / f"tape-{name}") for name in ("laptop", "tower", "client")
        }

    def address(self, name: str) -> str:
        return f"http://127.0.0.1:{self.lines[name].port}"

    def slot_now(self) -> Slot:
        return slot_at(self.time.now_ms())

    def wait_until_over(self, last: int) -> None:
        """Wait until this slot is over."""
        self.time.sleep_until(ends_at_ms(Slot(last)))

    def end(self) -> None:
        super().end()
        for line in self.lines.values():
            line.close()


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    made = Town(tmp_path)
    try:
        yield made
    finally:
        made.end()


@dataclass
class Sides:
    """Everybody who shows the contract's week."""

    town: Town
    contract: str
    phone: Page

    def client_sees(self) -> dict[str, Any]:
        """Return what the client's page works out, in the form of `shown`."""
        week = json.loads(self.phone.evaluate(READ_WEEK, [self.contract, WEEK.first_slot]))
        return {name: week[name] for name in ("segments", "totals", "locked_at")}

    def agree(self) -> dict[str, Any]:
        """Sync until all that was recorded is at the server and all four sides show the same; return it."""
        return eventually("all sides show the same week", self._agreed, seconds=300)

    def _agreed(self) -> dict[str, Any] | None:
        laptop, tower, client = self.town.laptop, self.town.tower, self.town.client
        for computer in (laptop, tower, laptop, client):
            computer.run("sync")
        week = taken_of(laptop, self.contract)
        if {each["state"] for each in week["segments"]} - {"synced"}:
            return None
        if taken_of(tower, self.contract) != week or shown(client, self.contract) != week:
            return None
        self.phone.reload()
        return week if self.client_sees() == week else None


def taken_of(computer: Computer, contract: str) -> dict[str, Any]:
    """Return what a device shows of the contract's week beside what the server refused."""
    week = shown(computer, contract)
    return week | {"segments": [each for each in week["segments"] if each["state"] != "refused"]}


@pytest.mark.journey
@pytest.mark.browser
@pytest.mark.timeout(1200)
@rule("R9")
@rule("R27")
@rule("R46")
@rule("R64")
@rule("R66")
@rule("R67")
def test_from_invitation_to_closing_all_sides_show_one_week_and_the_server_saw_what_it_may(
    town: Town, chromium: Browser
) -> None:
    laptop, tower = town.laptop, town.tower
    with ExitStack() as stack:
        for computer in (laptop, tower):
            desktop = stack.enter_context(Desktop.start(env=town.time.environment(), title=WINDOW))
            stack.callback(computer.shut_down)
            computer.display = desktop.environment()
            stack.enter_context(somebody_at(desktop, TYPED))
        contract, link = _begins(town)
        pages = _at_work(town)
        desk = chromium.new_context(viewport={"width": 1280, "height": 900}).new_page()
        desk.goto(pages)
        sides = Sides(town, contract, _joins(town, chromium, contract, link))
        invited = laptop.json("invite", TITLE)["link"]
        town.client.run("join", _by_the_client(town, invited), "--key-file", "--name", OFFICE)
        for computer in (laptop, tower):
            computer.run("sync")
        week = _works_offline_past_the_limit(sides)
        _is_shown_in_both_browsers(sides, desk, pages)
        _closes_while_the_laptop_is_offline(sides, week)
        _tables_are_the_same(sides)
        for computer in (laptop, tower, town.client, town.machine):
            computer.shut_down()
    assert _planted_at_the_server(town, [link, invited]) == {}
    assert _beyond_the_rules_list(town) == {}


def _begins(town: Town) -> tuple[str, str]:
    """Begin on the laptop, enrol the tower by the phrase; return the contract and a link to it."""
    laptop, tower = town.laptop, town.tower
    laptop.run("init", "--key-file", "--name", LAPTOP)
    terms = ("--client", CLIENT, "--rate", "60", "--limit", "10m", "--label", LABEL)
    contract = laptop.json("contract", "new", TITLE, *terms)["id"]
    words = re.findall(r"^\s*\d+\W+([a-z]+)\s*$", laptop.run("key", "phrase").stdout, re.MULTILINE)
    (town.folder / "phrase").write_text(" ".join(words), encoding="utf-8")
    laptop.run("register", town.address("laptop"))
    tower.run(
        "login", town.address("tower"), "--phrase-file", str(town.folder / "phrase"), "--key-file",
    )  # fmt: skip
    for computer in (laptop, tower):
        computer.run("config", "hold_seconds", "0")
        computer.run("config", "idle_minutes", "120")
    return contract, laptop.json("invite", TITLE)["link"]


def _at_work(town: Town) -> str:
    """Start what runs on both computers; return the link to the laptop's pages."""
    up = town.laptop.begin("up", "up", "--key-file")
    town.tower.begin("tracker", "tracker", "run")
    town.tower.begin("watch", "sync", "--watch")
    return eventually(
        "the pages' link is printed",
        lambda: (found := re.search(r"http://\S+token=\S+", up.talk())) and found[0],
        seconds=120,
    )


def _by_the_client(town: Town, link: str) -> str:
    """Return the link as it goes by the client's own line."""
    return link.replace(town.address("laptop"), town.address("client"))


def _joins(town: Town, chromium: Browser, contract: str, link: str) -> Page:
    """The client joins on a page as wide as a phone, raises the limit and allows manual time."""
    phone = chromium.new_context(viewport={"width": 360, "height": 740}, timezone_id="UTC").new_page()
    phone.set_default_timeout(120_000)  # the machine has two desktops to draw meanwhile
    own = _by_the_client(town, link)
    assert own != link
    phone.goto(own)
    phone.get_by_role("button", name="Join this contract").click()
    expect(phone.locator("#status")).to_contain_text(f"You have joined “{TITLE}”")
    phone.goto(f"{own.split('#')[0]}#/{contract}/terms")
    phone.get_by_label("Weekly limit in hours").fill("0.5")
    phone.get_by_label("Manual time is allowed").check()
    phone.get_by_role("button", name="Set these terms").click()
    expect(phone.locator("#status")).to_contain_text("The terms are set.")
    return phone


def _works_offline_past_the_limit(sides: Sides) -> dict[str, Any]:
    """Both computers record without a line; what was edited, deleted and added there comes together after."""
    town, contract = sides.town, sides.contract
    laptop, tower = town.laptop, town.tower
    assert shown(laptop, contract)["totals"] == []
    for name in ("laptop", "tower"):
        town.lines[name].cut()
    laptop.run("start", TITLE, MEMO, "--label", LABEL)
    tower.run("start", TITLE, f"{MEMO} on the tower")
    first = Slot(town.slot_now() + 1)  # the first that both track from beginning to end
    town.wait_until_over(first + 2)
    for computer in (laptop, tower):
        computer.run("stop")
    own = {each.name: _pictures_of(each, contract, first + 2) for each in (laptop, tower)}
    assert own["laptop"].isdisjoint(own["tower"])
    laptop.run("edit", at(first), "--utc", "--memo", "the laptop said this first")
    tower.run("edit", at(first), "--utc", "--memo", MEMO)
    laptop.run("remove", at(first + 1), "--utc", "--yes")
    tower.run("add", "2026-11-18 07:00-07:20", TITLE, CALL, "--utc")
    assert "unsynced" in {each["state"] for each in shown(laptop, contract)["segments"]}
    assert shown(laptop, contract) != shown(tower, contract)
    for name in ("laptop", "tower"):
        town.lines[name].mend()

    week = sides.agree()
    found = {each["slot"]: each for each in week["segments"]}
    assert first + 1 not in found
    assert set(found) >= {EARLY, EARLY + 1, first, first + 2}
    assert (found[EARLY]["kind"], found[EARLY]["memo"]) == ("manual", CALL)
    assert [each["why_not"] for each in week["segments"]] == [
        None if number < LIMIT_SEGMENTS else "over_limit" for number in range(len(found))
    ]
    assert len(found) > LIMIT_SEGMENTS, "the freelancer worked past the limit"
    # What both computers saw of one slot is one segment with all their snapshots (R36).
    assert set(found[first + 2]["pictures"]) == own["laptop"] | own["tower"]
    assert found[first]["memo"] == MEMO, "the later of two memos stands"
    return week


def _pictures_of(computer: Computer, contract: str, one: int) -> set[str]:
    """Return the pictures that a computer has of a slot, once it has recorded it."""

    def recorded() -> set[str] | None:
        segments = {each["slot"]: each for each in shown(computer, contract)["segments"]}
        return None if segments[one]["state"] == "draft" else set(segments[one]["pictures"])

    return eventually(f"the {computer.name} has recorded the slot", recorded, seconds=120)


def _is_shown_in_both_browsers(sides: Sides, desk: Page, pages: str) -> None:
    amount = "30.00 USD for 30 min"
    sides.phone.goto(f"{sides.phone.url.split('#')[0]}#/{sides.contract}/week/{WEEK.name}")
    expect(sides.phone.locator(".sums")).to_contain_text(amount)
    desk.goto(f"{pages.split('/-/', maxsplit=1)[0]}/-/diary/week/{WEEK.name}")
    expect(desk.locator("body")).to_contain_text("30.00")
    expect(desk.locator("body")).to_contain_text(CALL)


def _closes_while_the_laptop_is_offline(sides: Sides, before: dict[str, Any]) -> None:
    """The client closes; of what the laptop records meanwhile, what was over before it is taken (R9)."""
    town, contract, phone = sides.town, sides.contract, sides.phone
    laptop, tower = town.laptop, town.tower
    kept, dropped = before["segments"][1]["slot"], before["segments"][-1]["slot"]
    town.lines["laptop"].cut()
    laptop.run("start", TITLE, LATER)
    whole = Slot(town.slot_now() + 1)
    town.wait_until_over(whole)
    phone.goto(f"{phone.url.split('#')[0]}#/{contract}/terms")
    phone.get_by_role("button", name="Close", exact=True).click()
    phone.get_by_role("button", name="Close this contract").click()
    expect(phone.locator("#status")).to_contain_text("The contract is closed now.")
    # The tower hears of it and takes no more; the laptop does not, and goes on.
    tower.run("sync")
    assert "contract_closed" in tower.run("add", at(EARLY + 6), TITLE, CALL, "--utc", says=3).stderr
    closed_ms = _last_terms_ms(tower, contract)
    town.wait_until_over(slot_at(closed_ms) + 1)
    laptop.run("stop")
    laptop.run("add", at(EARLY + 3), TITLE, CALL, "--utc")
    laptop.run("edit", at(kept), "--utc", "--memo", "nobody will read this")
    laptop.run("remove", at(dropped), "--utc", "--yes")
    told = shown(laptop, contract)["segments"]
    recorded = {one["slot"] for one in told if one["memo"] == LATER and one["state"] != "draft"}
    town.lines["laptop"].mend()

    after = sides.agree()
    refused = {one["slot"] for one in laptop.json("refused")}
    assert {one["reason"] for one in laptop.json("refused")} == {"contract_closed"}
    assert refused >= {EARLY + 3, kept}, "manual time and edits stopped at that instant"
    found = {one["slot"]: one for one in after["segments"]}
    taken = {one for one, segment in found.items() if segment["memo"] == LATER}
    lost = refused - {EARLY + 3, kept}
    assert recorded <= taken | lost
    assert whole in taken
    assert slot_at(closed_ms) + 1 in lost
    assert {one for one in taken | lost if ends_at_ms(Slot(one)) <= closed_ms} == taken
    assert set(found) == ({one["slot"] for one in before["segments"]} | taken) - {dropped}
    assert found[kept]["memo"] == before["segments"][1]["memo"]
    (total,) = after["totals"]
    assert (total["billable"], total["over_limit"]) == (LIMIT_SEGMENTS, len(found) - LIMIT_SEGMENTS)


def _last_terms_ms(computer: Computer, contract: str) -> Millis:
    """Return when the server received the terms in force."""
    told = computer.json("contract", "show", contract)
    assert told["state"] == "closed"
    return Millis(int(datetime.fromisoformat(told["terms"][-1]["received_at"]).timestamp() * 1000))


def _tables_are_the_same(sides: Sides) -> None:
    """The CSV that the client's page saves says line by line what the other three sides export."""
    phone, town = sides.phone, sides.town
    phone.goto(f"{phone.url.split('#')[0]}#/{sides.contract}/week/{WEEK.name}")
    with phone.expect_download() as download:
        phone.get_by_role("button", name="CSV of this week").click()
    saved = download.value.path().read_text(encoding="utf-8-sig")
    for computer in (town.laptop, town.tower, town.client):
        out = town.folder / f"{computer.name}-export"
        computer.run("--utc", "export", WEEK.name, "--pictures", "--out", str(out))
        (table,) = out.rglob("segments.csv")
        assert _lines(table.read_text(encoding="utf-8-sig")) == _lines(saved), computer.name


def _lines(table: str) -> list[dict[str, str]]:
    """Return the lines that all sides have, without the files' names: what was refused one device has."""
    lines = csv.DictReader(io.StringIO(table))
    return [line | {"pictures": ""} for line in lines if line["state"] != "refused"]


def _planted_at_the_server(town: Town, links: list[str]) -> dict[str, list[str]]:
    """Return which secrets lie or travelled where, by the name of the place."""
    pictures = [path.read_bytes() for path in town.folder.glob("*-export/**/*") if path.suffix in PICTURES]
    assert pictures
    texts = [*SECRETS, *(link.rsplit(".", 1)[1] for link in links)]
    forms = {text: forms_of(text) for text in texts} | {
        f"picture {number}": [picture[len(picture) // 2 :][:48]] for number, picture in enumerate(pictures)
    }
    places = {f"line of the {name}": line.recording.read_bytes() for name, line in town.lines.items()}
    places["log"] = town.machine.processes["server"].talk().encode()
    places["files"] = b"".join(path.read_bytes() for path in town.server_folder.rglob("*") if path.is_file())
    found = {
        where: [what for what, codings in forms.items() if any(form in seen for form in codings)]
        for where, seen in places.items()
    }
    return {where: what for where, what in found.items() if what}


def _beyond_the_rules_list(town: Town) -> dict[str, object]:
    """Return what the server could see by name and R46 does not list, by the name of the place."""
    (database,) = town.server_folder.rglob("*.db")
    stored = stored_headers(database)
    found: dict[str, object] = {"headers": unexpected_fields(stored), "columns": unexpected_texts(database)}
    for name, line in town.lines.items():
        requests = list(requests_in(line.upward))
        sent = headers_sent(requests)
        assert sent, f"the {name} sent something"
        found[f"requests of the {name}"] = unexpected_requests(requests)
        found[f"headers sent by the {name}"] = unexpected_fields(sent)
    assert {json.loads(text)["type"] for text in stored} >= {"capture", "entry", "terms", "grant", "joining"}
    return {where: what for where, what in found.items() if what}
