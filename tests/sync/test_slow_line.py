"""A line of 64 kbit/s that loses a fifth of its packets, shortly before a lock (R3, R40, R41)."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from diary.clock import GivenClock
from diary.diary import Diary
from diary.rules.ids import Millis, Slot
from diary.rules.week import Week
from diary.sealing.keyring import choose_place
from tests.bent_time import BentTime
from tests.practice import instant, record_slot, slot
from tests.rule import rule
from tests.slow_line import SERVER_ADDRESS, SlowLine, slow_line, why_not

URL = f"http://{SERVER_ADDRESS}:8440"
BITS_A_SECOND = 64_000
LOSS = 0.2
WEEK = Week(2026, 47)
FIRST = slot("2026-11-20T09:00Z")
PATIENCE_SECONDS = 60.0
# What a lost packet, a question before each picture and a broken request may cost over the bytes themselves.
WASTE_MAX = 1.9

pytestmark = pytest.mark.skipif(bool(why_not()), reason=why_not() or "-")


def diary_process(
    line: SlowLine, side: str, time_there: BentTime, log: Path, *words: str
) -> "subprocess.Popen[bytes]":
    """Run `diary WORDS` on one side of the line, by the test's clock."""
    with log.open("ab") as sink:
        return subprocess.Popen(
            line.within(side, sys.executable, "-m", "diary.cli", *words),
            env={**time_there.environment(), "PYTHONPATH": str(Path(__file__).parents[2])},
            stdout=sink,
            stderr=sink,
        )


@contextmanager
def served(line: SlowLine, folder: Path, time_there: BentTime) -> Iterator[None]:
    log = folder / "server.log"
    words = ("server", "run", "--host", SERVER_ADDRESS, "--folder", str(folder / "server"))
    process = diary_process(line, "server", time_there, log, *words)
    probe = line.within(
        "server", sys.executable, "-c", f"import socket; socket.create_connection(('{SERVER_ADDRESS}', 8440))"
    )
    try:
        until(
            lambda: subprocess.run(probe, capture_output=True, check=False).returncode == 0,
            "the server is not up",
        )
        yield
    finally:
        process.terminate()
        process.wait()


def until(holds: Callable[[], bool], what: str, seconds: float = PATIENCE_SECONDS) -> None:
    give_up = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < give_up, what
        time.sleep(0.1)


@contextmanager
def watching(line: SlowLine, home: Path, there: BentTime, log: Path) -> Iterator[None]:
    process = diary_process(line, "client", there, log, "--home", str(home), "sync", "--watch")
    try:
        yield
    finally:
        process.terminate()
        process.wait()


def recorded(line: SlowLine, folder: Path, segments: int, pictures: list[bytes]) -> Path:
    """Return the home of a diary that is registered and then was offline while segments were recorded."""
    home, log = folder / "diary", folder / "diary.log"
    home.mkdir()
    clock = GivenClock(instant("2026-11-20T08:00Z"))
    with Diary.create(home, clock=clock, place=choose_place(home, "file"), device_name="train") as diary:
        diary.set_setting("hold_seconds", 0)
        contract = diary.new_contract(title="Practice")
        early = BentTime.at("2026-11-20T08:00Z")
        with served(line, folder, early):
            process = diary_process(line, "client", early, log, "--home", str(home), "register", URL)
            assert process.wait(PATIENCE_SECONDS) == 0, log.read_text(encoding="utf-8")
        for number in range(segments):
            picture = pictures[number] if number < len(pictures) else None
            record_slot(diary, contract, Slot(FIRST + number), memo="on the train", picture=picture)
    return home


def sent_bytes(diary: Diary) -> int:
    """Return how many bytes the diary has noted as sent, versions and pictures (R55)."""
    return sum(note.size for note in diary.audit().sent)


@rule("R3")
@rule("R41")
@pytest.mark.parametrize(
    ("segments", "pictures", "picture_bytes", "seconds_to_lock", "all_slowly"),
    [
        pytest.param(12, 2, 40_000, 120, False, id="a sample"),
        pytest.param(
            30, 6, 150_000, 90, True, id="all of it", marks=[pytest.mark.soak, pytest.mark.timeout(1500)]
        ),
    ],
)
def test_on_a_bad_line_the_rows_arrive_before_the_lock_and_the_pictures_follow(
    tmp_path: Path,
    segments: int,
    pictures: int,
    picture_bytes: int,
    seconds_to_lock: int,
    *,
    all_slowly: bool,
) -> None:
    log = tmp_path / "diary.log"
    with slow_line() as line:
        home = recorded(line, tmp_path, segments, [os.urandom(picture_bytes) for _ in range(pictures)])
        line.set(bits_a_second=BITS_A_SECOND, loss=LOSS)
        there = BentTime(WEEK.locked_at_ms - seconds_to_lock * 1000)
        with (
            Diary.open(home, clock=GivenClock(Millis(there.now_ms()))) as diary,
            served(line, tmp_path, there),
        ):
            carried_before, sent_before = line.carried()["up"], sent_bytes(diary)
            with watching(line, home, there, log):
                until(lambda: diary.queue().versions == 0, "the rows did not arrive", seconds=300)
                rows_at_ms, left = there.now_ms(), len(diary.pictures_to_send())
                if all_slowly:
                    there.sleep_until(WEEK.locked_at_ms)
                else:
                    line.set(bits_a_second=0, loss=0)
                until(lambda: not diary.pictures_to_send(), "the pictures did not arrive", seconds=900)
            carried = line.carried()["up"] - carried_before
            found, sent = diary.week(WEEK).segments, sent_bytes(diary) - sent_before
    print(f"rows {(rows_at_ms - there.start_ms) / 1000} s, carried {carried} bytes for {sent}")
    assert rows_at_ms < WEEK.locked_at_ms
    assert left == 2 * pictures  # none had left before the last row was answered: a thumbnail is one too
    assert [one.state for one in found] == ["synced"] * segments
    assert all((one.received_at_ms or WEEK.locked_at_ms) < WEEK.locked_at_ms for one in found)
    assert carried < WASTE_MAX * sent
