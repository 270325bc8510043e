"""How a diary's file is opened, and what a bad one says."""

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from diary.diary import Diary
from diary.errors import DamageError, DiaryError, MachineError
from diary.rules.ids import Slot
from diary.store import connection as files
from diary.store.migrations import SCHEMA
from tests.practice import practice_diary, record_slot, slot
from tests.rule import rule
from tests.small_disk import small_disk

ROOT = Path(__file__).parents[3]


def opened(tmp_path: Path) -> sqlite3.Connection:
    files.create_file(tmp_path)
    return files.connect(tmp_path)


def exit_of(folder: Path) -> tuple[type[BaseException], int]:
    with pytest.raises(DiaryError) as fault:
        Diary.open(folder)
    return fault.type, fault.value.exit_code


@rule("R25")
def test_every_connection_writes_durably_and_deletes_securely(tmp_path: Path) -> None:
    connection = opened(tmp_path)
    names = ("journal_mode", "synchronous", "secure_delete", "temp_store", "foreign_keys", "busy_timeout")
    kept = {name: connection.execute(f"PRAGMA {name}").fetchone()[0] for name in names}
    connection.close()
    assert kept == {
        "journal_mode": "wal",
        "synchronous": 2,
        "secure_delete": 1,
        "temp_store": 2,
        "foreign_keys": 1,
        "busy_timeout": 10_000,
    }


@rule("R52")
def test_file_wal_and_folder_are_for_their_owner_alone(tmp_path: Path) -> None:
    diary, _, contract = practice_diary(tmp_path)
    with diary:
        record_slot(diary, contract, slot("2026-11-16T09:00Z"))
        modes = {path.name: path.stat().st_mode & 0o777 for path in diary.home.iterdir()}
        assert set(modes.values()) == {0o600}
        assert {"diary.db", "diary.db-wal", "diary.db-shm"} <= set(modes)
        assert diary.home.stat().st_mode & 0o777 == 0o700


@rule("R19")
def test_opening_a_second_connection_drops_no_lock_of_the_first(tmp_path: Path) -> None:
    connection = opened(tmp_path)
    files.connect(tmp_path).close()
    # Another process that closes the file takes its WAL away, if it believes to be the last one.
    look_and_close = (
        "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.execute('SELECT * FROM meta'); c.close()"
    )
    subprocess.run([sys.executable, "-c", look_and_close, str(tmp_path / "diary.db")], check=True)
    assert (tmp_path / "diary.db-wal").exists()
    with files.writing(connection, tmp_path / "diary.db"):
        connection.execute("INSERT INTO meta (key, value) VALUES ('still', 'here')")
    connection.close()


def test_a_folder_without_a_diary_says_so(tmp_path: Path) -> None:
    assert exit_of(tmp_path) == (files.NoDiaryError, 1)


def test_another_file_is_no_diary(tmp_path: Path) -> None:
    (tmp_path / "diary.db").write_bytes(b"a letter to my aunt" * 100)
    assert exit_of(tmp_path) == (files.NotADiaryError, 4)


def test_another_database_is_no_diary(tmp_path: Path) -> None:
    other = sqlite3.connect(tmp_path / "diary.db")
    other.execute("CREATE TABLE aunt (name TEXT)")
    other.close()
    assert exit_of(tmp_path) == (files.NotADiaryError, 4)


@rule("R70")
def test_a_file_of_a_later_version_is_left_as_it_is(tmp_path: Path) -> None:
    connection = opened(tmp_path)
    connection.execute(f"PRAGMA user_version = {SCHEMA + 1}")
    connection.close()
    before = (tmp_path / "diary.db").read_bytes()
    assert exit_of(tmp_path) == (files.NewerDiaryError, 4)
    assert (tmp_path / "diary.db").read_bytes() == before


def test_damaged_pages_are_named_as_damage(tmp_path: Path) -> None:
    diary, _, contract = practice_diary(tmp_path)
    with diary:
        for number in range(40):
            record_slot(diary, contract, Slot(2_991_366 + number))
    path = diary.home / "diary.db"
    whole = path.read_bytes()
    path.write_bytes(whole[:4096] + os.urandom(len(whole) - 4096))
    with pytest.raises(DamageError) as fault, Diary.open(diary.home) as damaged:
        damaged.weeks()
    assert fault.value.exit_code == 4


def test_a_file_that_may_not_be_read_is_the_machines_fault(tmp_path: Path) -> None:
    (tmp_path / "diary.db").mkdir()
    with pytest.raises(MachineError) as fault:
        files.connect(tmp_path)
    assert fault.value.exit_code == 6


FILL = """
import resource, sys
from pathlib import Path
from diary.clock import GivenClock
from diary.diary import Diary
from diary.errors import MachineError
from diary.rules.ids import Slot
from diary.rules.ids import Slot
from tests.practice import record_slot

home, limit, first = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
diary = Diary.open(home, clock=GivenClock(first * 600_000))
contract = diary.contract("Practice")
if limit:
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
for number in range(first, first + 1000):
    try:
        record_slot(diary, contract, Slot(number), picture=b"p" * 100_000)
    except MachineError as fault:
        print("full", fault.exit_code, type(fault).__name__, flush=True)
        break
    print(number, flush=True)
"""


def filled(home: Path, limit: int) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", FILL, str(home), str(limit), "2991366"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.splitlines()


def slots_in(home: Path) -> set[str]:
    with Diary.open(home) as diary:
        assert diary._state.connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        return {str(one.slot) for week in diary.weeks() for one in diary.week(week).segments}


@rule("R19")
def test_a_file_that_may_grow_no_more_loses_nothing_acknowledged(tmp_path: Path) -> None:
    diary, _, _ = practice_diary(tmp_path)
    diary.close()
    *acknowledged, last = filled(diary.home, limit=3_000_000)
    assert last.startswith("full 6 ")
    assert acknowledged
    assert slots_in(diary.home) == set(acknowledged)


@rule("R19")
def test_a_full_disk_loses_nothing_acknowledged(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", kibibytes=4096) as disk:
        diary, _, _ = practice_diary(disk)
        diary.close()
        *acknowledged, last = filled(diary.home, limit=0)
        assert last == "full 6 DiskFullError"
        assert acknowledged
        assert slots_in(diary.home) == set(acknowledged)
