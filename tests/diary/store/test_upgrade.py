"""A file of an older schema becomes one of today, or stays as it is, with its copy beside it (R70)."""

import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from diary.diary import Diary
from diary.errors import DamageError, MachineError
from diary.store import connection as files
from diary.store.migrations import MIGRATIONS, SCHEMA
from tests.practice import practice_diary
from tests.rule import rule
from tests.small_disk import fill, small_disk

ROOT = Path(__file__).parents[3]
OLDER = range(1, SCHEMA)
PUT = "INSERT INTO meta (key, value) VALUES (:key, :value)"
KILLED = """
import os, signal, sqlite3, sys
from pathlib import Path
from diary.store import connection as files
from diary.store.migrations import MIGRATIONS

home, where = Path(sys.argv[1]), sys.argv[2]
path = home / "diary.db"

def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)

if where == "copying":
    Path.replace = die
migrations = (*MIGRATIONS, die) if where == "migrating" else MIGRATIONS
connection = sqlite3.connect(path, isolation_level=None)
files.prepare(connection)
files.migrate(connection, path, migrations)
if where == "done":
    die()
"""


def of_schema(home: Path, schema: int, rows: int = 20) -> Path:
    """Return a file as the migrations up to one left it, with a few rows in it."""
    path = files.create_file(home)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        files.prepare(connection)
        connection.execute("PRAGMA journal_mode = WAL")
        files.migrate(connection, path, MIGRATIONS[:schema])
        for number in range(rows):
            connection.execute(PUT, {"key": f"word {number}", "value": "w" * 900})
    return path


def told(path: Path) -> tuple[int, int]:
    """Return a file's schema, and how many of the rows are in it, after checking that it is whole."""
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        rows = connection.execute("SELECT count(*) FROM meta WHERE key LIKE 'word %'").fetchone()[0]
        return connection.execute("PRAGMA user_version").fetchone()[0], rows


def copies(home: Path) -> list[Path]:
    return sorted(home.glob("diary.db.before-*"))


@rule("R70")
@pytest.mark.parametrize("schema", OLDER)
def test_each_older_file_becomes_one_of_today_and_its_copy_is_what_it_was(
    tmp_path: Path, schema: int
) -> None:
    path = of_schema(tmp_path, schema)
    files.connect(tmp_path).close()
    assert told(path) == (SCHEMA, 20)
    (copy,) = copies(tmp_path)
    assert told(copy) == (schema, 20)
    assert copy.stat().st_mode & 0o777 == 0o600


@rule("R70")
@pytest.mark.parametrize("where", ["copying", "migrating", "done"])
@pytest.mark.parametrize("schema", [1, SCHEMA - 1])
def test_a_migration_that_is_killed_is_made_anew(tmp_path: Path, schema: int, where: str) -> None:
    path = of_schema(tmp_path, schema)
    died = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path), where], cwd=ROOT, check=False)
    assert died.returncode == -signal.SIGKILL
    finished = [copy for copy in copies(tmp_path) if copy.suffix != ".unfinished"]
    assert [told(copy) for copy in finished] == ([] if where == "copying" else [(schema, 20)])
    assert told(path) == ((SCHEMA if where == "done" else schema), 20)
    with closing(files.connect(tmp_path)) as connection:
        assert told(path) == (SCHEMA, 20)
        assert connection.has_migrated is (where != "done")
    assert any(told(copy) == (schema, 20) for copy in copies(tmp_path) if copy.suffix != ".unfinished")


@rule("R70")
def test_a_migration_that_fails_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    path = of_schema(tmp_path, SCHEMA)

    def fail(on: sqlite3.Connection) -> None:
        on.execute("CREATE TABLE half (done INTEGER)")
        on.execute("SELECT nothing FROM nowhere")

    with closing(files.connect(tmp_path)) as connection:
        with pytest.raises(DamageError):
            files.migrate(connection, path, (*MIGRATIONS, fail))
        assert connection.execute("SELECT count(*) FROM sqlite_schema WHERE name = 'half'").fetchone() == (0,)
    assert told(path) == (SCHEMA, 20)
    assert [told(copy) for copy in copies(tmp_path)] == [(SCHEMA, 20)]


@rule("R19")
@rule("R70")
@pytest.mark.parametrize("left", [0, 100_000, 260_000])
def test_a_disk_without_room_for_a_migration_leaves_the_file_as_it_was(tmp_path: Path, left: int) -> None:
    with small_disk(tmp_path / "disk", kibibytes=4096) as disk:
        path = of_schema(disk / "home", 4, rows=200)
        filler = fill(disk, left=left)
        with pytest.raises(MachineError):
            files.connect(disk / "home")
        filler.unlink()
        assert told(path) == (4, 200)
        files.connect(disk / "home").close()
        assert told(path) == (SCHEMA, 200)


@rule("R70")
def test_a_folder_that_may_not_be_written_says_so_and_keeps_the_older_file(tmp_path: Path) -> None:
    home = tmp_path / "home"
    path = of_schema(home, 4)
    mounted = subprocess.run(["mount", "--bind", str(home), str(home)], check=False, capture_output=True)
    if mounted.returncode:
        pytest.skip("only root may mount")
    try:
        subprocess.run(["mount", "-o", "remount,ro,bind", str(home)], check=True)
        with pytest.raises(MachineError) as fault:
            files.connect(home)
        assert fault.value.how_to_mend
    finally:
        subprocess.run(["umount", str(home)], check=True)
    assert told(path) == (4, 20)
    assert not copies(home)


@rule("R70")
def test_a_copy_goes_with_the_next_start_that_opens_the_diary_and_not_before(tmp_path: Path) -> None:
    diary, clock, _ = practice_diary(tmp_path)
    diary.close()
    copy = diary.home / f"diary.db.before-{SCHEMA}"
    copy.write_bytes(b"the file as it was")
    keys = diary.home / "device.key"
    aside = keys.rename(diary.home / "elsewhere")
    with pytest.raises(DamageError):
        Diary.open(diary.home, clock=clock)
    assert copy.exists()
    aside.rename(keys)
    Diary.open(diary.home, clock=clock).close()
    assert not copy.exists()
