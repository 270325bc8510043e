"""A freelancer's two computers and a client's copy: real processes, one server, one and the same week.

Segment by segment, state by state, sum by sum; and no planted secret lies at the server (R28, R46, R51, R67).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from diary.clock import GivenClock
from diary.diary import Diary
from diary.rules.ids import Millis, Slot
from tests.bent_time import BentTime
from tests.journeys.actors import Computer, at, eventually, free_port
from tests.practice import SCREEN, record_slot, slot
from tests.rule import rule

WEEK = "2026-W47"
NINE = slot("2026-11-18T09:00Z")
SECRETS = ("planted-memo-marzipan", "planted-title-persimmon", "planted-contract-tamarind")


@dataclass
class World:
    """A server and three computers on one clock."""

    folder: Path
    time: BentTime = field(default_factory=lambda: BentTime.at("2026-11-18T15:00Z"))
    port: int = field(default_factory=free_port)

    def __post_init__(self) -> None:
        self.laptop, self.tower, self.client = (
            Computer(name, self.folder / name, self.time) for name in ("laptop", "tower", "client")
        )
        self.machine = Computer("machine", self.folder / "machine", self.time)
        self.server_folder = self.folder / "server-files"
        self.machine.begin(
            "server", "server", "run", "--port", str(self.port), "--folder", str(self.server_folder)
        )
        eventually("the server answers", self._answers)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def _answers(self) -> bool:
        try:
            return httpx.get(f"{self.url}/v1/server", timeout=5).is_success
        except httpx.HTTPError:
            return False

    def record(self, computer: Computer, contract: str, slots: list[Slot], memo: str) -> None:
        """Record slots that are over, as the tracker would have, while the computer is offline."""
        with Diary.open(computer.home, clock=GivenClock(Millis(self.time.now_ms()))) as diary:
            found = diary.contract(contract)
            for each in slots:
                record_slot(
                    diary, found, each, memo=memo, title=SECRETS[1], picture=SCREEN + str(each).encode()
                )

    def end(self) -> None:
        for computer in (self.laptop, self.tower, self.client, self.machine):
            computer.shut_down()


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    try:
        yield made
    finally:
        made.end()


def shown(computer: Computer, contract: str) -> dict[str, Any]:
    """Return what a computer shows of a contract's week: to a client, deleted time looks like no time."""
    week = computer.json("week", WEEK)
    segments = [
        each for each in week["segments"] if each["contract"] == contract and each["state"] != "deleted"
    ]
    totals = [each for each in week["totals"] if each["contract"] == contract]
    return {"segments": segments, "totals": totals, "locked_at": week["locked_at"]}


@pytest.mark.journey
@pytest.mark.timeout(600)
@rule("R51")
@rule("R67")
def test_a_client_who_joined_sees_what_both_computers_see(world: World, tmp_path: Path) -> None:
    laptop, tower, client = world.laptop, world.tower, world.client
    orchard, other = SECRETS[2], "Another client's work"
    laptop.run("init", "--key-file", "--name", "laptop")
    terms = ("--rate", "60", "--limit", "50m", "--manual-allowed")
    contract = laptop.json("contract", "new", orchard, *terms)["id"]
    laptop.run("contract", "new", other, "--rate", "90")
    words = re.findall(r"^\s*\d+\W+([a-z]+)\s*$", laptop.run("key", "phrase").stdout, re.MULTILINE)
    (tmp_path / "phrase").write_text(" ".join(words), encoding="utf-8")
    laptop.run("register", world.url)
    tower.run("login", world.url, "--phrase-file", str(tmp_path / "phrase"), "--key-file")
    for computer in (laptop, tower):
        computer.run("config", "hold_seconds", "0")

    # The client joins before there is anything to see, and follows.
    invited = laptop.json("invite", orchard)
    assert invited["sent"]
    client.run("join", invited["link"], "--key-file", "--name", "office")
    assert "invitation_used" in client_again(world, invited["link"])
    client.begin("sync", "sync", "--watch")
    laptop.run("sync")
    assert "joined 2026-11-18" in laptop.run("invitations").stdout

    # Both computers work offline, past the limit; the other contract has one of the slots first.
    world.record(laptop, other, [Slot(NINE + 1)], "for somebody else")
    laptop.run("sync")
    world.record(laptop, orchard, [Slot(NINE + number) for number in range(4)], SECRETS[0])
    world.record(tower, orchard, [Slot(NINE + 3 + number) for number in range(4)], "of the tower")
    laptop.run("edit", at(NINE), "--utc", "--memo", f"{SECRETS[0]} edited")
    tower.run("add", f"{at(NINE + 12)}", orchard, "a call", "--utc")
    laptop.run("sync")
    tower.run("sync")
    tower.run("remove", at(NINE + 2), "--utc", "--yes")
    for computer in (tower, laptop, tower):
        computer.run("sync")

    expected = shown(laptop, contract)
    assert shown(tower, contract) == expected
    eventually(
        "the client's copy shows the same",
        lambda: shown(client, contract) == expected or None,
        seconds=120,
    )
    assert [each["why_not"] for each in expected["segments"]] == [
        None,
        "overlapping",
        *[None] * 4,
        "over_limit",
    ]
    assert expected["segments"][0]["memo"] == f"{SECRETS[0]} edited"
    assert [each["id"] for each in client.json("contract", "list")] == [contract]

    # Looking works on the copy; writing as the freelancer does not.
    assert SECRETS[0] in client.run("search", "marzipan").stdout
    assert "over" in client.run("today").stdout
    client.run("report", "--by", "contract", "this")
    client.run("show", at(NINE), "--utc")
    client.run("backup", str(tmp_path / "copy.backup"))
    client.run("export", WEEK, "--out", str(tmp_path / "export"))
    for words_refused in (
        ("start", orchard),
        ("edit", at(NINE), "--memo", "mine", "--utc"),
        ("remove", at(NINE), "--yes", "--utc"),
        ("add", at(NINE + 20), orchard, "mine", "--utc"),
        ("contract", "new", "mine"),
        ("invite", orchard),
        ("register", world.url),
        ("tracker", "run"),
        ("key", "phrase"),
        ("up", "--key-file"),
    ):
        assert "freelancer alone" in client.run(*words_refused, says=2).stderr
    assert shown(client, contract) == expected

    # Nothing that somebody wrote lies at the server, nor what the link opens.
    secret = invited["link"].rsplit(".", 1)[1]
    kept = b"".join(path.read_bytes() for path in world.server_folder.rglob("*") if path.is_file())
    kept += world.machine.processes["server"].talk().encode()
    assert [planted for planted in (*SECRETS, secret) if planted.encode() in kept] == []


def client_again(world: World, link: str) -> str:
    """Return what is said to somebody who opens the link a second time; nothing is left of it."""
    thief = Computer("thief", world.folder / "thief", world.time)
    said = thief.run("join", link, "--key-file", says=3).stderr
    assert not thief.home.exists()
    return said
