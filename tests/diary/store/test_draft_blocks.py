"""Drafts are written over in place, in blocks that the next draft takes (R19, R25, R70)."""

import random
import sqlite3
from pathlib import Path

import pytest

from diary.rules.ids import Slot
from diary.store import connection as files
from diary.store import draft_blocks, drafts
from diary.store.migrations import MIGRATIONS
from tests.diary.rules.made import CONTRACT, LAPTOP
from tests.rule import rule

BEFORE_BLOCKS = 8
SLOT = Slot(2_999_000)
SIZES = (0, 1, 44, 700, 7_998, 7_999, 8_000, 8_001, 15_999, 16_000, 100_000)


def new_file(home: Path) -> sqlite3.Connection:
    files.create_file(home)
    connection = files.connect(home)
    connection.execute("PRAGMA synchronous = OFF")  # no power will fail here
    return connection


def number_of(connection: sqlite3.Connection, table: str) -> int:
    statements = {
        "draft_block": "SELECT count(*) FROM draft_block",
        "draft_part": "SELECT count(*) FROM draft_part",
    }
    return int(connection.execute(statements[table]).fetchone()[0])


@rule("R19")
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("older", [44, 20_000])
def test_a_draft_of_any_size_is_read_as_it_was_written_over_one_of_another(
    tmp_path: Path, size: int, older: int
) -> None:
    connection = new_file(tmp_path)
    drafts.keep(connection, CONTRACT, SLOT, random.Random(1).randbytes(older))
    # Its last bytes look like padding.
    sealed = (random.Random(2).randbytes(size) + b"\x80\x00\x00")[-size:] if size else b""
    drafts.keep(connection, CONTRACT, SLOT, sealed)
    drafts.keep_picture(connection, CONTRACT, SLOT, 0, b"beside it")
    kept = drafts.find(connection, CONTRACT, SLOT)
    assert kept is not None
    assert kept.sealed == sealed
    assert drafts.pictures(connection, CONTRACT, SLOT) == (b"beside it",)
    assert number_of(connection, "draft_part") == len(sealed) // draft_blocks.BLOCK_BYTES + 2
    connection.close()


@rule("R19")
def test_a_file_does_not_grow_however_many_slots_were_drafts(tmp_path: Path) -> None:
    connection = new_file(tmp_path)
    sizes: set[int] = set()
    for number in range(60):
        slot = Slot(SLOT + number)
        for minute in range(10):
            drafts.keep(connection, CONTRACT, slot, bytes([number]) * (700 + 60 * minute))
        drafts.keep_picture(connection, CONTRACT, slot, 0, bytes([number]) * 100_000)
        drafts.drop(connection, CONTRACT, slot)
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        sizes.add((tmp_path / "diary.db").stat().st_size)
    assert len(sizes) == 1
    connection.close()


@rule("R12")
def test_the_file_itself_lets_a_removed_draft_hold_nothing(tmp_path: Path) -> None:
    connection = new_file(tmp_path)
    drafts.keep(connection, CONTRACT, SLOT, b"seen" * 5_000)
    connection.execute("UPDATE draft SET removed = 1")
    assert number_of(connection, "draft_part") == 0
    assert connection.execute("SELECT DISTINCT bytes FROM draft_block").fetchall() == [(bytes(8_000),)]
    with pytest.raises(sqlite3.IntegrityError, match="removed draft"):
        draft_blocks.write(connection, CONTRACT, SLOT, 0, b"seen")
    connection.close()


@rule("R25")
@rule("R70")
def test_an_older_files_drafts_come_to_lie_in_blocks_and_nowhere_else(tmp_path: Path) -> None:
    path = files.create_file(tmp_path)
    connection = sqlite3.connect(path, isolation_level=None)
    files.prepare(connection)
    files.migrate(connection, path, MIGRATIONS[:BEFORE_BLOCKS])
    text, screen, removed = b"under way " * 80, b"seen " * 5_000, Slot(SLOT + 1)
    connection.execute("INSERT INTO replica VALUES (?, 3, 1)", [LAPTOP])
    connection.executemany(
        "INSERT INTO sealed (id, body) VALUES (?, ?)", [(1, text), (2, screen), (3, b"a version's")]
    )
    connection.executemany(
        "INSERT INTO draft VALUES (?, ?, ?, ?)", [(CONTRACT, SLOT, 0, 1), (CONTRACT, removed, 1, None)]
    )
    connection.execute("INSERT INTO draft_picture VALUES (?, ?, 0, 2)", [CONTRACT, SLOT])
    connection.close()
    connection = files.connect(tmp_path)
    assert [(one.slot, one.removed, one.sealed) for one in drafts.everything(connection)] == [
        (SLOT, False, text),
        (removed, True, None),
    ]
    assert drafts.pictures(connection, CONTRACT, SLOT) == (screen,)
    assert connection.execute("SELECT body FROM sealed").fetchall() == [(None,), (None,), (b"a version's",)]
    assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
    assert connection.execute("SELECT value FROM meta WHERE key = 'destroying'").fetchone() == (1,)
    drafts.drop(connection, CONTRACT, SLOT)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert text[:100] not in path.read_bytes()
    assert screen[:100] not in path.read_bytes()
    connection.close()
