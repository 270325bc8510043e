"""What is read of a damaged file: all that the damage did not hit, and nothing that was not there."""

import hashlib
import random
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from diary.diary import Diary
from diary.rules.ids import Slot
from diary.store import connection as files
from diary.store.pages import lost_in_wal, pages_of, wal_of
from diary.store.salvage import Salvage, salvage
from diary.store.shapes import shapes
from diary.store.tree import tree_of
from tests.diary.store.damage import DAMAGES, copy_of, untouched
from tests.practice import practice_diary, record_slot, refuse
from tests.rule import rule

FIRST = 2_991_366
SEGMENTS = 150


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a diary's file, closed and whole: edits, removals, refusals and segments under way are in it."""
    folder = tmp_path_factory.mktemp("whole")
    diary, _, contract = practice_diary(folder, title="Practice", manual_allowed=True)
    with diary:
        for number in range(SEGMENTS):
            record_slot(diary, contract, Slot(FIRST + number), picture=bytes([number]) * (200 * number + 1))
        diary.edit([(contract.id, Slot(FIRST + number)) for number in range(20, 60)], memo="again")
        diary.remove([(contract.id, Slot(FIRST + number)) for number in range(3, 60, 7)])
        diary.add_manual(contract.id, [Slot(FIRST + 160 - 300)], "by hand")
        refuse(diary, (contract.id, Slot(FIRST + 1)), "capture")
    return copy_of(diary.home, folder / "copy")


def rows_of(connection: sqlite3.Connection, table: str) -> Counter[tuple[Any, ...]]:
    with closing(connection.cursor()) as cursor:
        names = [row[0] for row in cursor.execute("SELECT name FROM pragma_table_info(?)", (table,))]
        # A table's name cannot be bound; these come from the schema.
        return Counter(cursor.execute(f"SELECT {', '.join(names)} FROM {table}").fetchall())


def empty(folder: Path) -> sqlite3.Connection:
    files.create_file(folder)
    return files.connect(folder)


def salvaged(path: Path, fresh: sqlite3.Connection) -> Salvage:
    with closing(pages_of(path)) as pages:
        return salvage(tree_of(pages, shapes(fresh)), fresh)


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    with closing(empty(tmp_path / "fresh")) as connection:
        yield connection


def tables(connection: sqlite3.Connection) -> list[str]:
    return [name for name, shape in shapes(connection).items() if not shape.is_index]


@rule("R70")
def test_all_of_a_whole_file_is_read_as_sqlite_reads_it(whole: Path, fresh: sqlite3.Connection) -> None:
    found = salvaged(whole, fresh)
    assert found.is_whole
    with closing(sqlite3.connect(f"file:{whole}?mode=ro&immutable=1", uri=True)) as original:
        for table in tables(fresh):
            kept = rows_of(original, table)
            if table == "sealed":
                kept = Counter({row: 1 for row in kept if row[1:] != (None, None)})
            assert rows_of(fresh, table) == kept, table


@rule("R70")
def test_what_is_still_in_the_wal_is_read_from_there(tmp_path: Path, fresh: sqlite3.Connection) -> None:
    diary, _, contract = practice_diary(tmp_path)
    with diary:
        for number in range(30):
            record_slot(diary, contract, Slot(FIRST + number))
        path = copy_of(diary.home, tmp_path / "copy")
        assert wal_of(path).stat().st_size > 100_000
        assert salvaged(path, fresh).is_whole
        for table in tables(fresh):
            assert rows_of(fresh, table) == rows_of(diary._state.connection, table), table


def check_damage(whole: Path, folder: Path, seed: int) -> None:
    """Damage a copy by chance and hold what was salvaged of it to what the damage left alone."""
    chance = random.Random(seed)
    path = folder / "diary.db"
    folder.mkdir()
    path.write_bytes(whole.read_bytes())
    hit = DAMAGES[seed % len(DAMAGES)](path, files.PAGE_BYTES, chance)
    with closing(empty(folder / "fresh")) as fresh:
        known = shapes(fresh)
        found = salvaged(path, fresh)
        left = untouched(whole, known, hit.pages)
        bodies = {row.rowid: row.record[2] for row in left["sealed"]}
        with closing(sqlite3.connect(f"file:{whole}?mode=ro&immutable=1", uri=True)) as original:
            was = {name: rows_of(original, name) for name in ("version", "picture", "sealed")}
        names = {row[1:3]: row for row in was["version"]}
        saved = {row[1:3]: row for row in rows_of(fresh, "version")}
        for row in left["version"]:
            if row.record[16] is None or row.record[16] in bodies:
                assert row.record[1:3] in saved, (hit, "a version that the damage did not hit")
        unhit = {row.record[1:3] for row in left["version"]}
        for name, kept in saved.items():
            # A header in which a bit was flipped may still be one: it opens under no key, and goes with them.
            if name in unhit:
                assert kept[14:16] == names[name][14:16], (hit, "a version that was not there")
        by_number = dict(row[:2] for row in fresh.execute("SELECT id, body FROM sealed"))
        for number, body_hash in fresh.execute("SELECT sealed, body_hash FROM version WHERE sealed > 0"):
            assert hashlib.sha256(by_number[number]).digest() == body_hash, hit
        for picture in left["picture"]:
            if picture.record[8] in bodies and picture.record[:2] in saved:
                ((number,),) = fresh.execute(
                    "SELECT sealed FROM picture WHERE replica = ? AND n = ? AND idx = ?", picture.record[:3]
                ).fetchall()
                assert by_number[number] == bodies[number], (hit, "a picture that the damage did not hit")
        assert fresh.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert fresh.execute("PRAGMA foreign_key_check").fetchall() == []
        gone = names.keys() - saved.keys()
        assert not gone or not found.is_whole, (hit, "lost, and nothing said of it")


@rule("R19")
@rule("R70")
@pytest.mark.parametrize("seed", range(24))
def test_damage_costs_what_it_hit_and_no_more(whole: Path, tmp_path: Path, seed: int) -> None:
    check_damage(whole, tmp_path / "damaged", seed)


@pytest.mark.soak
@rule("R70")
def test_no_damage_of_many_costs_more_than_it_hit(whole: Path, tmp_path: Path) -> None:
    for seed in range(24, 800):
        check_damage(whole, tmp_path / str(seed), seed)


@rule("R70")
def test_without_its_first_page_a_file_still_gives_its_versions_and_pictures(
    whole: Path, tmp_path: Path, fresh: sqlite3.Connection
) -> None:
    path = tmp_path / "diary.db"
    raw = whole.read_bytes()
    path.write_bytes(bytes(files.PAGE_BYTES) + raw[files.PAGE_BYTES :])
    assert not salvaged(path, fresh).is_whole
    with closing(sqlite3.connect(f"file:{whole}?mode=ro&immutable=1", uri=True)) as original:
        for table in ("version", "picture", "refusal", "act"):
            assert rows_of(fresh, table) == rows_of(original, table), table


@rule("R47")
@rule("R70")
def test_lost_versions_are_named_by_what_the_indexes_tell(
    whole: Path, tmp_path: Path, fresh: sqlite3.Connection
) -> None:
    raw = bytearray(whole.read_bytes())
    with closing(pages_of(whole)) as pages:
        page = tree_of(pages, shapes(fresh)).holding["version"][2]
    on_it = list(untouched(whole, shapes(fresh), ())["version"])
    raw[(page - 1) * files.PAGE_BYTES : page * files.PAGE_BYTES] = bytes(files.PAGE_BYTES)
    path = tmp_path / "diary.db"
    path.write_bytes(raw)
    found = salvaged(path, fresh)
    kept = {row[1:3] for row in rows_of(fresh, "version")}
    lost = {row.record[1:3]: row.record[5:7] for row in on_it if row.record[1:3] not in kept}
    assert {one.name: (one.contract, one.slot) for one in found.lost} == lost
    assert len(lost) > 3


def in_wal(tmp_path: Path) -> tuple[Path, Diary]:
    diary, _, contract = practice_diary(tmp_path)
    for number in range(12):
        record_slot(diary, contract, Slot(FIRST + number))
    return copy_of(diary.home, tmp_path / "copy"), diary


@rule("R19")
def test_a_frame_of_the_wal_that_does_not_hold_costs_its_page_and_no_later_one(
    tmp_path: Path, fresh: sqlite3.Connection
) -> None:
    path, diary = in_wal(tmp_path)
    with diary:
        assert lost_in_wal(path) == 0
        raw = bytearray(wal_of(path).read_bytes())
        frame = 24 + files.PAGE_BYTES
        raw[32 + 3 * frame + 24 + 100] ^= 1
        wal_of(path).write_bytes(raw)
        assert lost_in_wal(path) == 1
        salvaged(path, fresh)
        kept = rows_of(fresh, "version")
        assert kept
        assert not kept - rows_of(diary._state.connection, "version")
        with closing(sqlite3.connect(path)) as by_sqlite:  # it takes the WAL to end before the bad frame
            assert by_sqlite.execute("SELECT count(*) FROM sqlite_schema").fetchone() == (0,)


@rule("R19")
def test_a_transaction_that_a_power_cut_tore_is_no_damage(tmp_path: Path, fresh: sqlite3.Connection) -> None:
    path, diary = in_wal(tmp_path)
    with diary:
        raw = wal_of(path).read_bytes()
        wal_of(path).write_bytes(raw[:-5000])
        assert lost_in_wal(path) == 0
        assert salvaged(path, fresh).is_whole
