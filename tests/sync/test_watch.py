"""`diary sync --watch` as a real process beside a real server (R17, R19, R41)."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from diary.clock import SystemClock
from diary.diary import Contract, Diary
from diary.rules.ids import Slot
from diary.rules.week import slot_at
from diary.sealing.keyring import choose_place
from sync.enrolment import register
from sync.transport import Transport
from tests.practice import record_slot
from tests.rule import rule
from tests.sync.server.process import running

PATIENCE_SECONDS = 20.0


@contextmanager
def watching(home: Path) -> Iterator["subprocess.Popen[str]"]:
    process = subprocess.Popen(
        [sys.executable, "-m", "diary.cli", "--home", str(home), "sync", "--watch"],
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
