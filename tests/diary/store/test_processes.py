"""Several processes at one file, and processes that die in the middle of a write."""

import secrets
import subprocess
import sys
import time
from pathlib import Path

import pytest

from diary.diary import Diary
from diary.rules.ids import Slot
from tests.practice import practice_diary
from tests.rule import rule

ROOT = Path(__file__).parents[3]
FIRST = 2_991_366

WRITE = """
import sys
from pathlib import Path
from diary.clock import GivenClock
from diary.diary import Diary
from diary.rules.ids import Slot
from tests.practice import record_slot

home, first, count = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
with Diary.open(home, clock=GivenClock(first * 600_000)) as diary:
    contract = diary.contract("Practice")
    print("ready", flush=True)
    for number in range(first, first + count):
        place = record_slot(diary, contract, Slot(number), picture=b"p" * 20_000)
        print("recorded", number, flush=True)
        diary.edit([place], memo=f"edited {number}")
        print("edited", number, flush=True)
"""


def writer(home: Path, first: int, count: int) -> subprocess.Popen[str]:
    arguments = [sys.executable, "-c", WRITE, str(home), str(first), str(count)]
    return subprocess.Popen(arguments, cwd=ROOT, stdout=subprocess.PIPE, text=True)


def memos_in(home: Path) -> dict[int, str]:
    with Diary.open(home) as diary:
        assert diary._state.connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert diary._state.connection.execute("PRAGMA foreign_key_check").fetchall() == []
        return {int(one.slot): one.memo for week in diary.weeks() for one in diary.week(week).segments}


@rule("R19")
@pytest.mark.parametrize("attempt", range(4))
def test_a_killed_writer_loses_nothing_that_it_acknowledged(tmp_path: Path, attempt: int) -> None:
    diary, _, _ = practice_diary(tmp_path)
    diary.close()
    process = writer(diary.home, FIRST, 1000)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    first = process.stdout.readline()
    time.sleep(secrets.randbelow(500) / 1000)
    process.kill()
    rest = first + process.stdout.read()
    said = [line.split() for line in rest.splitlines(keepends=True) if line.endswith("\n")]
    process.stdout.close()
    process.wait()
    held = memos_in(diary.home)
    recorded = {int(number) for word, number in said if word == "recorded"}
    edited = {int(number) for word, number in said if word == "edited"}
    assert recorded
    assert recorded <= set(held)
    assert len(held) - len(recorded) <= 1
    assert {number for number, memo in held.items() if memo == f"edited {number}"} >= edited


@rule("R33")
def test_two_processes_write_at_once_and_no_number_is_given_twice(tmp_path: Path) -> None:
    diary, _, _ = practice_diary(tmp_path)
    diary.close()
    processes = [writer(diary.home, FIRST, 60), writer(diary.home, FIRST + 100, 60)]
    for process in processes:
        assert process.communicate()[0].count("edited") == 60
        assert process.returncode == 0
    held = memos_in(diary.home)
    assert set(held) == {*range(FIRST, FIRST + 60), *range(FIRST + 100, FIRST + 160)}
    assert all(memo == f"edited {number}" for number, memo in held.items())


@rule("R32")
def test_two_processes_that_record_one_slot_record_it_once(tmp_path: Path) -> None:
    diary, _, contract = practice_diary(tmp_path)
    diary.close()
    processes = [writer(diary.home, FIRST, 20) for _ in range(2)]
    for process in processes:
        process.communicate()
        assert process.returncode == 0
    with Diary.open(diary.home) as again:
        query = "SELECT slot FROM version WHERE type = 'capture' ORDER BY slot"
        slots = [row[0] for row in again._state.connection.execute(query)]
        assert slots == list(range(FIRST, FIRST + 20))
        assert again.segment((contract.id, Slot(FIRST))) is not None
