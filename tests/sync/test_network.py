"""Whether there is a way to the server, asked without sending anything; and that its return is noticed."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from diary.clock import SystemClock
from diary.diary import Diary
from diary.rules.ids import Slot
from diary.rules.week import slot_at
from diary.sealing.keyring import choose_place
from sync.network import has_route
from tests.bent_time import BentTime
from tests.practice import record_slot
from tests.rule import rule
from tests.slow_line import SlowLine, slow_line, why_not
from tests.sync.test_slow_line import PATIENCE_SECONDS, URL, diary_process, served, until

ROOT = Path(__file__).parents[2]
# By then the pauses between its tries have grown well beyond the seconds in which a network is noticed.
AWAY_SECONDS = 32.0
NOTICED_SECONDS = 12.0  # five by the watch, the rest for a machine with other things to do


def test_this_machine_has_a_way_to_itself() -> None:
    assert has_route("http://127.0.0.1:8440")


def test_there_is_no_way_to_a_name_that_nobody_has() -> None:
    # RFC 6761: names under "invalid" never resolve.
    assert not has_route("https://diary.invalid")


def network(line: SlowLine, state: str) -> None:
    subprocess.run(line.within("client", "ip", "link", "set", "line0", state), check=True)


@pytest.mark.skipif(bool(why_not()), reason=why_not() or "-")
def test_a_network_that_goes_and_comes_back_is_seen() -> None:
    ask = f"from sync.network import has_route; print(has_route({URL!r}))"
    with slow_line() as line:

        def seen() -> str:
            process = line.within("client", sys.executable, "-c", ask)
            return subprocess.run(
                process, capture_output=True, text=True, check=True, cwd=ROOT
            ).stdout.strip()

        assert seen() == "True"
        network(line, "down")
        assert seen() == "False"
        network(line, "up")
        assert seen() == "True"


@pytest.mark.soak
@rule("R19")
@rule("R41")
@pytest.mark.skipif(bool(why_not()), reason=why_not() or "-")
def test_when_the_network_returns_what_a_person_did_is_sent_at_once(tmp_path: Path) -> None:
    home, log, now = tmp_path / "diary", tmp_path / "diary.log", BentTime(SystemClock().now_ms())
    home.mkdir()
    keys = choose_place(home, "file")
    with (
        slow_line() as line,
        Diary.create(home, clock=SystemClock(), place=keys, device_name="d") as diary,
        served(line, tmp_path, now),
    ):
        diary.set_setting("hold_seconds", 0)
        contract = diary.new_contract(title="Practice")
        registering = diary_process(line, "client", now, log, "--home", str(home), "register", URL)
        assert registering.wait(PATIENCE_SECONDS) == 0, log.read_text(encoding="utf-8")
        network(line, "down")
        watching = diary_process(line, "client", now, log, "--home", str(home), "sync", "--watch")
        try:
            place = record_slot(diary, contract, Slot(slot_at(diary.now_ms()) - 1))
            diary.edit([place], memo="typed without a network")
            time.sleep(AWAY_SECONDS)
            assert diary.queue().versions > 0
            network(line, "up")
            began = time.monotonic()
            until(lambda: diary.queue().versions == 0, "the network's return was not noticed")
            assert time.monotonic() - began < NOTICED_SECONDS
            watching.send_signal(signal.SIGTERM)
            assert watching.wait(PATIENCE_SECONDS) == 0
        finally:
            watching.kill()
            watching.wait()
    said = log.read_text(encoding="utf-8")
    assert said.count("cannot be reached") == 1
    assert said.count("In sync with the server again") == 1
