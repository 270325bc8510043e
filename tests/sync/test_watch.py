"""`diary sync --watch` as a real process beside a real server (R17, R19, R41)."""

import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from diary.clock import GivenClock, SystemClock
from diary.diary import Contract, Diary
from diary.rules.ids import Slot
from diary.rules.week import slot_at
from diary.sealing.keyring import choose_place
from sync.enrolment import register
from sync.transport import Transport
from tests.bent_time import BentTime
from tests.practice import instant, record_slot, slot
from tests.rule import rule
from tests.small_disk import fill, small_disk
from tests.sync.server.process import running
from tests.sync.stage import serving

PATIENCE_SECONDS = 20.0


@contextmanager
def watching(home: Path, there: BentTime | None = None) -> Iterator["subprocess.Popen[str]"]:
    process = subprocess.Popen(
        [sys.executable, "-m", "diary.cli", "--home", str(home), "sync", "--watch"],
        env=None if there is None else there.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def until(holds: Callable[[], bool], what: str) -> None:
    give_up = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < give_up, what
        time.sleep(0.05)


@pytest.fixture
def diary(tmp_path: Path) -> Iterator[Diary]:
    home = tmp_path / "diary"
    home.mkdir()
    with Diary.create(home, clock=SystemClock(), place=choose_place(home, "file"), device_name="d") as diary:
        diary.set_setting("hold_seconds", 0)
        yield diary


def record_last_slot(diary: Diary, contract: Contract) -> None:
    record_slot(diary, contract, Slot(slot_at(diary.now_ms()) - 1))


def everything_is_sent(diary: Diary) -> bool:
    return diary.queue().versions == 0


@rule("R41")
def test_a_change_is_sent_at_once_and_sigterm_ends_it_cleanly(diary: Diary, tmp_path: Path) -> None:
    contract = diary.new_contract(title="Practice")
    with running(tmp_path / "server") as server:
        with Transport(str(server.client.http.base_url)) as line:
            register(diary, line)
        with watching(diary.home) as process:
            diary.change_terms(contract.id, client="to see that it runs")
            until(lambda: everything_is_sent(diary), "the first change was not sent")
            record_last_slot(diary, contract)
            began = time.monotonic()
            until(lambda: everything_is_sent(diary), "the change was not sent")
            assert time.monotonic() - began < 10  # the next look without a change is a minute away
            until(lambda: not diary.pictures_to_send(), "the pictures were not sent")
            process.send_signal(signal.SIGTERM)
            out, err = process.communicate(timeout=PATIENCE_SECONDS)
            assert process.returncode == 0, err
            assert "2 sent" in out
            assert err == ""


@rule("R19")
def test_while_the_server_is_away_it_says_so_once_and_goes_on_when_it_is_back(
    diary: Diary, tmp_path: Path
) -> None:
    with running(tmp_path / "server") as server:
        url = str(server.client.http.base_url)
        with Transport(url) as line:
            register(diary, line)
    contract = diary.new_contract(title="Made while the server is away")
    with watching(diary.home) as process:
        # Long enough for a second try, two or so seconds after the first.
        time.sleep(6)
        record_last_slot(diary, contract)
        assert not everything_is_sent(diary)
        with running(tmp_path / "server", port=int(url.rsplit(":", 1)[1])):
            until(lambda: everything_is_sent(diary), "it did not go on")
            process.send_signal(signal.SIGTERM)
            _, err = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 0
    assert err.count("cannot be reached") == 1
    assert err.count("In sync with the server again") == 1


@rule("R19")
def test_a_full_disk_is_said_and_it_goes_on_once_there_is_room(tmp_path: Path) -> None:
    with small_disk(tmp_path / "diary", kibibytes=4096) as home, running(tmp_path / "server") as server:
        clock, place = SystemClock(), choose_place(home, "file")
        with Diary.create(home, clock=clock, place=place, device_name="d") as diary:
            diary.set_setting("hold_seconds", 0)
            with Transport(str(server.client.http.base_url)) as line:
                register(diary, line)
            record_last_slot(diary, diary.new_contract(title="Practice"))
        filler = fill(home)  # nothing can be opened either: SQLite needs a file beside the diary's
        with watching(home) as process:
            assert process.stderr is not None
            assert "The disk is full" in process.stderr.readline()
            time.sleep(4)  # a second try at least: it failed and ended the process once
            assert process.poll() is None
            filler.unlink()
            assert "In sync with the server again" in process.stderr.readline()
            process.send_signal(signal.SIGTERM)
            assert process.wait(PATIENCE_SECONDS) == 0
        with Diary.open(home) as diary:
            assert everything_is_sent(diary)


@rule("R3")
@rule("R31")
def test_before_a_lock_it_says_what_the_server_lacks_and_again_an_hour_before(tmp_path: Path) -> None:
    home = tmp_path / "diary"
    home.mkdir()
    clock = GivenClock(instant("2026-11-20T09:00Z"))
    with Diary.create(home, clock=clock, place=choose_place(home, "file"), device_name="d") as diary:
        diary.set_setting("hold_seconds", 0)
        contract = diary.new_contract(title="Practice")
        with serving(tmp_path / "server", clock) as url, Transport(url) as line:
            register(diary, line)
        for number in range(3):
            record_slot(diary, contract, Slot(slot("2026-11-20T10:00Z") + number))
    # Twenty times as fast: six minutes to the last hour are eighteen seconds.
    with watching(home, BentTime.at("2026-11-23T10:54Z", speed=20)) as process:
        assert process.stderr is not None
        said = [line for line in (process.stderr.readline() for _ in range(3)) if "not reached" in line]
        process.send_signal(signal.SIGTERM)
        assert "not reached" not in process.communicate(timeout=PATIENCE_SECONDS)[1]
    assert len(said) == 2
    assert re.match(
        r"3 segments of 2026-W47 have not reached the server; it locks in 1 h \d min \(Mon", said[0]
    )
    assert re.search(r"it locks in 5\d min \(Monday 12:00 UTC\)\. What arrives later is late", said[1])


@rule("R37d")
@rule("R38")
def test_after_a_lock_it_is_loud_of_a_refused_deletion_and_says_what_waits_for_an_answer(
    tmp_path: Path,
) -> None:
    home = tmp_path / "diary"
    home.mkdir()
    clock = GivenClock(instant("2026-11-20T09:00Z"))
    ten = Slot(slot("2026-11-20T10:00Z"))
    with (
        serving(tmp_path / "server", clock) as url,
        Diary.create(home, clock=clock, place=choose_place(home, "file"), device_name="d") as diary,
        Transport(url) as line,
    ):
        diary.set_setting("hold_seconds", 0)
        contract = diary.new_contract(title="Practice")
        place = record_slot(diary, contract, ten)
        register(diary, line)
        diary.remove([place])
        record_slot(diary, contract, Slot(ten + 1))
        clock.put(instant("2026-11-23T12:30Z"))
        with watching(home, BentTime.at("2026-11-23T12:30Z")) as process:
            until(
                lambda: diary.queue().versions == 2, "the deletion was not answered"
            )  # capture and entry wait
            time.sleep(2)  # what was refused is fetched again, and said when the run is over
            process.send_signal(signal.SIGTERM)
            _, err = process.communicate(timeout=PATIENCE_SECONDS)
    assert "week_locked: the deletion of 2026-11-20T10:00:00Z was REFUSED." in err
    assert err.count("1 segment waits for your answer before being sent: diary late.") == 1


@rule("R50")
def test_it_waits_for_the_registration(diary: Diary, tmp_path: Path) -> None:
    contract = diary.new_contract(title="Practice")
    with watching(diary.home) as process, running(tmp_path / "server") as server:
        time.sleep(2)
        assert process.poll() is None
        with Transport(str(server.client.http.base_url)) as line:
            register(diary, line)
        record_last_slot(diary, contract)
        until(lambda: everything_is_sent(diary), "it did not begin")
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=PATIENCE_SECONDS)
    assert "Waiting until the diary is registered" in err
    assert process.returncode == 0
