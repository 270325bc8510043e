"""Real devices and a server in odd times: clocks far off, weeks offline, a week 53, two contracts at once."""

import csv
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from time import sleep
from typing import Any

import httpx
import pytest

from diary.rules.week import Week, slot_at
from tests.bent_time import BentTime
from tests.journeys.actors import Computer, at, eventually, free_port
from tests.practice import slot
from tests.rule import rule

pytestmark = [pytest.mark.journey, pytest.mark.timeout(900)]

MINUTE_MS = 60_000
WEEK_MS = 7 * 24 * 3_600_000
NOW = "2026-11-18T09:15Z"


@dataclass
class Office:
    """A server by the right clock, and computers by clocks of their own."""

    folder: Path
    time: BentTime
    port: int = field(default_factory=free_port)
    computers: list[Computer] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def computer(self, name: str, time: BentTime | None = None, zone: str = "UTC") -> Computer:
        self.computers.append(Computer(name, self.folder / name, time or self.time, {"TZ": zone}))
        return self.computers[-1]

    def open_server(self) -> None:
        operator = self.computer("operator")
        operator.begin(
            "server", "server", "run", "--port", str(self.port), "--folder", str(self.folder / "files")
        )
        eventually("the server answers", self._answers)

    def pass_time(self, by_ms: int) -> None:
        """Let time pass for all; the server, whose clock runs on, is started again at the new time."""
        server = self.computers[0].processes["server"]
        server.stop()
        for time in {id(computer.time): computer.time for computer in self.computers}.values():
            time.start_ms += by_ms
        server.start()
        eventually("the server answers", self._answers)

    def _answers(self) -> bool:
        try:
            return httpx.get(f"{self.url}/health", timeout=5).is_success
        except httpx.HTTPError:
            return False

    def first(self, name: str, *contracts: str, time: BentTime | None = None, zone: str = "UTC") -> Computer:
        """Return a registered computer with these contracts."""
        computer = self.computer(name, time, zone)
        computer.run("init", "--key-file")
        computer.run("config", "hold_seconds", "0")
        for contract in contracts:
            computer.run("contract", "new", contract, "--rate", "60", "--manual-allowed")
        computer.run("register", self.url)
        return computer

    def another(self, name: str, first: Computer, time: BentTime | None = None) -> Computer:
        """Return a further computer of the account."""
        computer = self.computer(name, time)
        words = [line.split()[-1] for line in first.run("key", "phrase").stdout.splitlines() if "." in line]
        phrase = self.folder / "phrase"
        phrase.write_text(" ".join(words), encoding="utf-8")
        computer.run("login", self.url, "--key-file", "--phrase-file", str(phrase))
        computer.run("config", "hold_seconds", "0")
        first.run("sync")
        return computer


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    office = Office(tmp_path, BentTime.at(NOW))
    yield office
    for computer in office.computers:
        computer.shut_down()


def record(computer: Computer, contract: str, memo: str) -> int:
    """Record the slot that is just over by the computer's own clock."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.journeys.recorder", str(computer.home), contract, memo],
        env=computer.environment(),
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return int(done.stdout)


def segments(computer: Computer, week: str) -> dict[str, dict[str, Any]]:
    """Return the week's segments by memo."""
    return {one["memo"]: one for one in computer.json("week", week)["segments"]}


@rule("R38")
@rule("R6")
@rule("R19")
@pytest.mark.parametrize("offline", [2, pytest.param(8, marks=pytest.mark.soak)])
def test_weeks_offline_are_asked_about_and_then_sent_as_late_time(office: Office, offline: int) -> None:
    office.time.start_ms -= offline * WEEK_MS
    office.open_server()
    laptop = office.first("laptop", "Mill")
    office.computers[0].processes["server"].stop()
    for week in range(offline):
        record(laptop, "Mill", f"week {week}")
        office.time.start_ms += WEEK_MS
    record(laptop, "Mill", "this week")
    assert laptop.run("sync", says=5).stdout == ""
    office.computers[0].processes["server"].start()
    eventually("the server answers", office._answers)
    # It was off for more than eight days: it takes nothing until its operator confirms the clock.
    assert "clock unsure" in office.computers[0].processes["server"].talk()
    assert laptop.json("status")["unsynced"] + laptop.json("status")["late_held"] >= offline + 1
    sleep(1)  # each process begins at a whole second: confirmed in the server's first, it was before it
    office.computers[0].run("server", "confirm-clock", "--folder", str(office.folder / "files"))
    laptop.run("sync")
    assert laptop.json("status")["late_held"] == offline
    assert {one["memo"] for one in laptop.json("late")} == {f"week {week}" for week in range(offline)}
    tower = office.another("tower", laptop)
    weeks = [Week.at(office.time.now_ms() - back * WEEK_MS).name for back in range(1, offline + 1)]
    assert segments(tower, "2026-W47")["this week"]["state"] == "synced"
    assert [segments(tower, week) for week in weeks] == [{}] * offline
    laptop.run("late", "send")
    laptop.run("sync")
    tower.run("sync")
    for computer in (laptop, tower):
        late = [one for week in weeks for one in segments(computer, week).values()]
        assert sorted(one["memo"] for one in late) == [f"week {week}" for week in range(offline)]
        assert {(one["state"], one["bills"], one["why_not"]) for one in late} == {("late", False, "late")}
        assert segments(computer, "2026-W47")["this week"]["bills"]
    assert laptop.json("status")["late_held"] == 0


@rule("R20")
@rule("R44")
@pytest.mark.parametrize(
    "wrong",
    [
        "2026-11-18T12:20Z",
        pytest.param("2026-11-18T04:40Z", marks=pytest.mark.soak),
        "2031-03-04T10:05Z",
        pytest.param("2019-05-06T10:05Z", marks=pytest.mark.soak),
    ],
)
def test_what_a_wrong_clock_recorded_comes_to_its_true_slot_after_a_yes(office: Office, wrong: str) -> None:
    office.open_server()
    odd = office.computer("odd", BentTime.at(wrong))
    odd.run("init", "--key-file")
    odd.run("contract", "new", "Mill", "--rate", "60")
    recorded = record(odd, "Mill", "by a wrong clock")
    true = slot_at(office.time.now_ms()) - 1
    odd.run("register", office.url)
    (asked,) = odd.json("late")
    assert (asked["slot"], asked["memo"]) == (recorded, "by a wrong clock")
    right = office.another("right", odd)
    assert segments(right, "2026-W47") == {}
    odd.run("late", "send")
    odd.run("sync")
    right.run("sync")
    for computer in (odd, right):
        (one,) = segments(computer, "2026-W47").values()
        assert (one["memo"], one["state"]) == ("by a wrong clock", "synced")
        assert one["slot"] in {true, true + 1}  # the computers' starts lie some seconds apart
        assert len(one["pictures"]) == 1
    assert odd.json("refused") == []
    # From now on the difference is known: what is recorded lies where it belongs, and nothing is asked.
    office.pass_time(20 * MINUTE_MS)
    later = record(odd, "Mill", "once it was known")
    assert later in {true + 2, true + 3}
    odd.run("sync")
    assert odd.json("late") == []
    assert segments(odd, "2026-W47")["once it was known"]["slot"] == later


@rule("R44")
@rule("R25")
def test_manual_time_of_a_clock_that_is_years_ahead_waits_and_can_be_removed(office: Office) -> None:
    office.open_server()
    odd = office.computer("odd", BentTime.at("2031-03-04T10:05Z"))
    odd.run("init", "--key-file")
    odd.run("contract", "new", "Mill", "--manual-allowed")
    odd.run("add", "9:00-9:20", "Mill", "by hand, years ahead")
    odd.run("register", office.url)
    told = odd.json("sync")
    assert {row["reason"] for row in told["postponed"]} == {"slot_in_future"}
    assert odd.json("status")["unsynced"] == 2
    odd.run("--yes", "remove", "2031-03-04T09:00Z", "2031-03-04T09:10Z")
    # The server may have had them on the way: that they are removed is what waits now, and nothing else.
    assert {row["reason"] for row in odd.json("sync")["postponed"]} == {"slot_in_future"}
    assert {one["memo"] for one in odd.json("week", "2031-W10")["segments"]} <= {""}
    assert odd.json("refused") == []


@rule("R2")
@rule("R3")
def test_a_week_53_is_one_week_across_the_year_and_locks_as_any_other(office: Office) -> None:
    office.time = BentTime.at("2026-12-31T22:55Z")
    office.open_server()
    desk = office.first("desk", "Mill", zone="Europe/Berlin")
    record(desk, "Mill", "the old year")
    office.pass_time(60 * MINUTE_MS)
    record(desk, "Mill", "midnight in London")
    office.pass_time((72 * 60 + 20) * MINUTE_MS)
    desk.run("add", "2027-01-03T23:40Z", "Mill", "the last slot but one")
    desk.run("add", "2027-01-04T00:00Z", "Mill", "the next week")
    desk.run("sync")
    week = desk.json("week", "2026-W53")
    assert week["locked_at"].startswith("2027-01-04T12:00")
    assert {one["memo"] for one in week["segments"]} == {
        "the old year", "midnight in London", "the last slot but one",
    }  # fmt: skip
    assert set(segments(desk, "2027-W01")) == {"the next week"}
    desk.run("export", "2026-W53", "--out", str(office.folder))
    (table,) = [path for path in (office.folder / "2026-W53").glob("*.csv") if "segment" in path.name]
    with table.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["week"] for row in rows] == ["2026-W53"] * 3
    office.pass_time(13 * 60 * MINUTE_MS)
    refused = desk.run("edit", "2027-01-03T23:40Z", "--memo", "too late", says=3).stderr
    assert refused.startswith("week_locked:")


@rule("R5")
def test_the_hour_that_comes_twice_is_added_and_shown_twice(office: Office) -> None:
    office.time = BentTime.at("2026-10-25T12:05Z")
    office.open_server()
    desk = office.first("desk", "Mill", zone="Europe/Berlin")
    desk.run("add", "1:50-3:10", "Mill", "while the clock went back")
    assert desk.json("sync")["refused"] == []
    shown = desk.json("week", "2026-W43")["segments"]
    first = slot("2026-10-24T23:50Z")
    assert [one["slot"] for one in shown] == list(range(first, first + 14))
    desk.run("export", "2026-W43", "--out", str(office.folder))
    (table,) = [path for path in (office.folder / "2026-W43").glob("*.csv") if "segment" in path.name]
    with table.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    twice = [row for row in rows if "02:00" in row["start_local"]]
    assert [row["utc_offset"] for row in twice] == ["UTC+02:00", "UTC+01:00"]
    assert len({(row["start_local"], row["utc_offset"]) for row in rows}) == 14


@rule("R28")
@rule("R36")
def test_two_devices_on_one_slot_bill_once_whichever_contract_they_tracked(office: Office) -> None:
    office.open_server()
    laptop = office.first("laptop", "Mill", "Orchard")
    tower = office.another("tower", laptop)
    alone = record(laptop, "Mill", "on the laptop")
    assert record(tower, "Orchard", "on the tower") == alone
    laptop.run("sync")
    tower.run("sync")
    laptop.run("sync")
    for computer in (laptop, tower):
        shown = segments(computer, "2026-W47")
        assert {memo: (one["bills"], one["why_not"]) for memo, one in shown.items()} == {
            "on the laptop": (True, None),
            "on the tower": (False, "overlapping"),
        }
    mine = segments(laptop, "2026-W47")["on the laptop"]["contract"]
    laptop.run("--yes", "remove", at(alone), "--contract", mine)
    laptop.run("sync")
    tower.run("sync")
    for computer in (laptop, tower):
        live = {
            memo: one for memo, one in segments(computer, "2026-W47").items() if one["state"] != "deleted"
        }
        assert {memo: one["bills"] for memo, one in live.items()} == {"on the tower": True}
