"""The whole path with real parts: two computers offline, one week, one deadline.

Real X servers with a real terminal and real input, real tracker, sync, server, Datasette and Chromium
processes, on one bent clock. It is one story told once, because each chapter needs the one before.
"""

import csv
import json
import random
import re
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Playwright

from diary.rules.week import Week, slot_at
from tests.bent_time import BentTime
from tests.desktop import Desktop
from tests.journeys.actors import Computer, Process, at, eventually, free_port
from tests.journeys.wiretap import Wiretap
from tests.rule import rule

AGREED = (
    "contract", "slot", "kind", "memo", "label", "activity", "minutes", "application", "title", "pictures",
    "received_at", "bills", "why_not",
)  # fmt: skip
SPEED = 40  # ten minutes in fifteen seconds
MINUTE_MS = 60_000
SLOT_MS = 10 * MINUTE_MS
MEMO = "zebra memo 7391"
TITLE = "giraffe window 5521"
CONTRACT = "Orchard okapi 4410"
TYPED = "wombatword8842"
# Every picture that leaves the encoder begins so; sealed, it never does.
PLAIN_PICTURES = (b"ftypavif", b"ftypavis", b"WEBPVP8")


def segments_of(computer: Computer, week: str) -> dict[int, dict[str, Any]]:
    """Return the live segments of a week by slot, as `diary week --json` tells them."""
    told = computer.json("week", week)
    return {segment["slot"]: segment for segment in told["segments"] if segment["state"] != "deleted"}


def shown(segment: dict[str, Any]) -> tuple[object, ...]:
    """Return what both devices must agree on."""
    return tuple(json.dumps(segment[name], sort_keys=True) for name in AGREED)


def nothing_under_way(computer: Computer, week: str) -> bool:
    """Return whether no segment is a draft any more."""
    return all(segment["state"] != "draft" for segment in segments_of(computer, week).values())


def files_holding(needles: dict[str, bytes], *places: Path) -> list[tuple[str, str]]:
    """Return each planted secret that lies in a file below `places`, with the file's name."""
    found = []
    for place in places:
        for path in sorted(place.rglob("*")) if place.is_dir() else [place]:
            if path.is_file():
                held = path.read_bytes()
                found += [(what, str(path)) for what, needle in needles.items() if needle in held]
    return found


@pytest.fixture
def browser(playwright: Playwright) -> Iterator[Browser]:
    """Run a Chromium that asks nothing of its own: all that it sends is searched."""
    chromium = playwright.chromium.launch(
        executable_path="/usr/bin/chromium",
        args=["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
              "--disable-background-networking", "--disable-component-update", "--disable-sync"],
    )  # fmt: skip
    yield chromium
    chromium.close()


class World:
    """Two computers with screens, a server behind a tapped line, and one clock."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.folder = folder
        self.time = BentTime.at("2026-11-18T09:00Z", speed=SPEED)
        self.week = Week.at(self.time.now_ms()).name
        self.server_folder = folder / "server-files"
        self.server_port = free_port()
        self.tap = Wiretap(self.server_port, folder / "traffic")
        stack.callback(self.tap.close)
        self.screens = [
            stack.enter_context(Desktop.start(env=self.time.environment(), title=TITLE)) for _ in "ab"
        ]
        self.laptop, self.tower = (
            Computer(name, folder / name, self.time, screen.environment())
            for name, screen in zip(("laptop", "tower"), self.screens, strict=True)
        )
        self.operator = Computer("operator", folder / "operator", self.time)
        for computer in (self.laptop, self.tower, self.operator):
            stack.callback(computer.shut_down)
        self.server = self.start_server()

    def start_server(self) -> Process:
        process = self.operator.begin(
            "server", "server", "run", "--port", str(self.server_port), "--folder", str(self.server_folder)
        )
        eventually("the server answers", self._answers)
        return process

    def _answers(self) -> bool:
        import httpx

        try:
            return bool(httpx.get(f"http://127.0.0.1:{self.server_port}/v1/server", timeout=5).is_success)
        except httpx.HTTPError:
            return False

    def type_for(self, minutes: int) -> None:
        """Type on both screens, the planted word too, until so many minutes have passed."""
        end = self.time.now_ms() + minutes * MINUTE_MS
        while self.time.now_ms() < end:
            for screen in self.screens:
                screen.type_text(f"echo {TYPED}")
                screen.key("Return")
            self.time.sleep_until(self.time.now_ms() + MINUTE_MS // 4)

    def next_slot_begins(self) -> None:
        """Wait for the next slot's first second."""
        self.time.sleep_until((self.time.now_ms() // SLOT_MS + 1) * SLOT_MS)


def diary_page(browser: Browser, computer: Computer) -> tuple[Page, str]:
    """Open the computer's diary in Chromium by the printed link; return the page and its root."""
    link = eventually(
        "Datasette prints where to look",
        lambda: (
            (found := re.search(r"http://\S+token=\S+", computer.processes["pages"].talk()))
            and found.group(0)
        ),
    )
    page = browser.new_page()
    page.goto(link)
    return page, "/".join(link.split("/")[:3])


@pytest.mark.journey
@pytest.mark.timeout(1200)
@rule("R19")
@rule("R34")
@rule("R35")
@rule("R37")
def test_two_computers_work_offline_and_come_to_show_the_same_week(tmp_path: Path, browser: Browser) -> None:
    with ExitStack() as stack:
        world = World(tmp_path, stack)
        laptop, tower, week = world.laptop, world.tower, world.week

        # An account begins on the laptop without a server, then registers; the tower joins by the phrase.
        laptop.run("init", "--key-file")
        phrase = laptop.run("key", "phrase").stdout
        words = " ".join(re.findall(r"^\s*\d+\W+([a-z]+)\s*$", phrase, re.MULTILINE))
        assert len(words.split()) == 12, phrase
        (tmp_path / "phrase").write_text(words, encoding="utf-8")
        laptop.run("contract", "new", CONTRACT, "--client", "Orchard", "--rate", "60", "--manual-allowed")
        laptop.run("register", f"http://127.0.0.1:{world.tap.port}")
        laptop.run("sync")
        tower.run(
            "login",
            f"http://127.0.0.1:{world.tap.port}",
            "--key-file",
            "--phrase-file",
            str(tmp_path / "phrase"),
        )
        tower.run("sync")
        laptop.run("sync")  # the laptop learns of the tower

        # Both record; the tracker of the laptop dies once in the middle of a slot and is started again.
        for computer in (laptop, tower):
            computer.begin("tracker", "tracker", "run")
            computer.begin("watch", "sync", "--watch")
        world.next_slot_begins()
        laptop.run("start", CONTRACT, MEMO)
        tower.run("start", CONTRACT, f"{MEMO} on the tower")
        first = slot_at(world.time.now_ms())
        world.type_for(14)
        laptop.processes["tracker"].kill()
        killed_ms = world.time.now_ms()
        laptop.processes["tracker"].start()
        eventually("the tracker is back", lambda: laptop.processes["tracker"].is_alive)
        back_ms = world.time.now_ms()
        world.type_for(20)

        def laptop_has(count: int) -> bool:
            states = [segment["state"] for segment in segments_of(laptop, week).values()]
            return states.count("synced") >= count

        eventually("two segments of the laptop are synced", lambda: laptop_has(2), seconds=90)

        # What the tracker had sealed before SIGKILL is there; at most the minute under way is lost.
        eventually(
            "the interrupted segment is there", lambda: slot_at(killed_ms) in segments_of(laptop, week)
        )
        minutes = segments_of(laptop, week)[slot_at(killed_ms)]["minutes"]
        minute_killed = killed_ms % SLOT_MS // MINUTE_MS
        assert all(minutes[minute] is not None for minute in range(minute_killed - 1)), (
            minutes,
            minute_killed,
        )
        minute_back = back_ms % SLOT_MS // MINUTE_MS + 3 if slot_at(back_ms) == slot_at(killed_ms) else 10
        assert all(minutes[minute] is not None for minute in range(minute_back, 9)), (minutes, minute_back)

        # The line is cut: the server dies as in a power cut, both go on offline.
        world.server.kill()
        eventually("the tower has the laptop's first segment", lambda: first in segments_of(tower, week))
        world.type_for(12)
        for computer in (laptop, tower):
            computer.run("stop")
            computer.processes["watch"].kill()

        # Both edit the same segment; the tower removes another one, by hand, in its pages.
        laptop.run("edit", at(first), "--memo", "the laptop said this first")
        tower.run("edit", at(first), "--memo", "the tower said this last")
        victim = first + 1
        pictures = set(segments_of(tower, week)[victim]["pictures"])
        assert pictures
        tower.begin("pages", "open", "--no-browser")
        page, root = diary_page(browser, tower)
        contract = segments_of(tower, week)[victim]["contract"]
        page.goto(f"{root}/-/diary/segment/{contract}/{victim}")
        page.screenshot(path=str(tmp_path / "segment.png"))
        page.get_by_role("link", name=re.compile("Remove the snapshot")).or_(
            page.get_by_role("button", name=re.compile("Remove the snapshot"))
        ).first.click()
        page.get_by_role("button", name=re.compile("Remove")).first.click()
        page.wait_for_load_state()
        assert victim not in segments_of(tower, week)

        # The server comes back. Sync is killed at random moments, started again, and loses nothing.
        world.server.start()
        chance = random.Random(20261118)
        for computer in (laptop, tower, laptop, tower):
            computer.processes["watch"].start()
            world.time.sleep_until(world.time.now_ms() + chance.randrange(20, 90) * 1000)
            computer.processes["watch"].kill()
            if chance.random() < 0.5:
                world.server.kill()
                world.server.start()
        eventually("the server answers", lambda: laptop_synced(laptop), seconds=60)
        for computer in (laptop, tower):
            eventually("the slot that was under way is over", partial(nothing_under_way, computer, week))
        tower.run("sync")
        laptop.run("sync")
        tower.run("sync")
        ours, theirs = segments_of(laptop, week), segments_of(tower, week)
        assert {slot: shown(segment) for slot, segment in ours.items()} == {
            slot: shown(segment) for slot, segment in theirs.items()
        }
        assert ours[first]["memo"] == "the tower said this last"
        assert victim not in ours

        # The removed pictures are gone from both diaries and the server.
        for computer in (laptop, tower):
            with sqlite3.connect(f"file:{computer.home / 'diary.db'}?mode=ro", uri=True) as held:
                names = {
                    name for (name,) in held.execute("SELECT name FROM picture WHERE sealed IS NOT NULL")
                }
            held.close()
            assert not pictures & names
        server_names = {path.name for path in world.server_folder.rglob("*") if path.is_file()}
        assert not any(picture in name for picture in pictures for name in server_names)

        # The week's CSV agrees with the page, line by line.
        laptop.begin("pages", "open", "--no-browser")
        page, root = diary_page(browser, laptop)
        laptop.run("export", week, "--pictures", "--out", str(tmp_path / "export"))
        (table,) = (tmp_path / "export").rglob("segments.csv")
        with table.open(encoding="utf-8", newline="") as lines:
            rows = list(csv.DictReader(lines))
        told = json.loads(page.goto(f"{root}/-/diary/week/{week}.json").text())  # type: ignore[union-attr]
        live = [segment for segment in told["segments"] if segment["state"] != "deleted"]
        assert [line_of(row) for row in rows] == [
            (segment["start"], segment["memo"], segment["kind"], segment["activity"], segment["bills"])
            for segment in live
        ]
        assert len(rows) == len(ours)
        page.goto(f"{root}/-/diary/day/2026-11-18")
        page.screenshot(path=str(tmp_path / "day.png"), full_page=True)
        shown_times = [time.inner_text() for time in page.locator(".segment .foot .time").all()]
        assert shown_times == [row["start_local"][-5:] for row in rows]
        for row, segment in zip(rows, live, strict=True):
            page.goto(f"{root}/-/diary/segment/{segment['contract']}/{segment['slot']}")
            assert page.get_by_role("textbox", name="Memo").input_value() == row["memo"]
            assert row["titles"].split(" | ")[0] in page.locator("main").inner_text()
        pictures_of_csv = [
            (table.parent / name).read_bytes()
            for row in rows
            for name in row["pictures"].split(" | ")
            if name
        ]
        assert len(pictures_of_csv) >= len(rows)
        for picture in pictures_of_csv:
            assert any(tail in picture[:32] for tail in PLAIN_PICTURES)

        # The planted secrets lie nowhere; the typed word not even sealed.
        secrets = {
            "memo": MEMO.encode(),
            "title": TITLE.encode(),
            "contract": CONTRACT.encode(),
            "typed word": TYPED.encode(),
            **{f"a plain picture ({magic!r})": magic for magic in PLAIN_PICTURES},
            **{
                f"the middle of picture {number}": picture[len(picture) // 2 :][:48]
                for number, picture in enumerate(pictures_of_csv)
            },
        }
        places = [world.server_folder, laptop.home, tower.home, tmp_path / "traffic"]
        places += [tmp_path / f"{name}-tmp" for name in ("laptop", "tower", "operator")]
        places += sorted(tmp_path.glob("*.log"))
        assert (tmp_path / "traffic").stat().st_size > 10_000
        assert files_holding(secrets, *places) == []

        # Monday 12:00 UTC. What was changed offline before it and arrives after it is refused, and listed.
        for computer in (laptop, tower):
            computer.shut_down()
        world.server.stop()
        lock_ms = Week.parse(week).locked_at_ms
        world.time.start_ms += lock_ms - 5 * MINUTE_MS - world.time.now_ms()
        tower.run("edit", at(first), "--memo", "too late")
        world.time.start_ms += lock_ms + MINUTE_MS - world.time.now_ms()
        world.server.start()
        eventually("the server answers", lambda: laptop_synced(laptop), seconds=60)
        answer = tower.json("sync")
        assert [(row["slot"], row["reason"]) for row in answer["refused"]] == [(first, "week_locked")]
        refused = tower.json("refused")
        assert [(item["slot"], item["reason"], item["memo"]) for item in refused] == [
            (first, "week_locked", "too late")
        ]
        assert segments_of(tower, week)[first]["memo"] == "the tower said this last"
        assert tower.run("edit", at(first), "--memo", "later still", says=3).stderr.startswith("week_locked:")


def line_of(row: dict[str, str]) -> tuple[object, ...]:
    """Return of a line of the CSV what the week's page in JSON says too."""
    start = f"{row['start_utc'].replace(' ', 'T')}:00Z"
    return start, row["memo"], row["kind"], int(row["activity_minutes"]), row["bills"] == "yes"


def laptop_synced(computer: Computer) -> bool:
    """Return whether a sync of this computer succeeds now."""
    import subprocess
    import sys

    done = subprocess.run(
        [sys.executable, "-m", "diary.cli", "sync"],
        env=computer.environment(),
        capture_output=True,
        check=False,
    )
    return done.returncode == 0
