"""`diary salvage`: damage is found, what can be is saved, and what was lost is named (R19, R70)."""

import random
import subprocess
import sys
from pathlib import Path

import pytest

from diary.diary import Diary
from diary.store.connection import PAGE_BYTES
from diary.store.pages import wal_of
from tests.diary.typed import Typist, typist_with_a_morning
from tests.practice import draft_of, instant, record_slot, slot
from tests.rule import rule

TIMES = tuple(f"{hour:02}:{minute:02}" for hour in (9, 10, 11) for minute in range(0, 60, 10))

HOLD = """
import sqlite3, sys
held = sqlite3.connect(sys.argv[1])
held.execute("SELECT * FROM meta")
print("held", flush=True)
input()
"""


@pytest.fixture
def typist(tmp_path: Path) -> Typist:
    found = typist_with_a_morning(tmp_path, times=TIMES)
    found.clock.put(instant("2026-11-16T13:00Z"))
    return found


def database(typist: Typist) -> Path:
    return typist.home / "diary.db"


def pages_holding(typist: Typist, sought: bytes) -> list[int]:
    raw = database(typist).read_bytes()
    pages = [raw[begin : begin + PAGE_BYTES] for begin in range(0, len(raw), PAGE_BYTES)]
    return [number for number, page in enumerate(pages) if sought in page]


def blank(typist: Typist, page: int) -> None:
    raw = bytearray(database(typist).read_bytes())
    raw[page * PAGE_BYTES : (page + 1) * PAGE_BYTES] = random.Random(page).randbytes(PAGE_BYTES)
    database(typist).write_bytes(raw)


def memos(typist: Typist) -> dict[str, str]:
    return {one["start"][11:16]: one["memo"] for one in typist.json("week")["segments"]}


def replica(typist: Typist) -> str:
    with Diary.open(typist.home, clock=typist.clock) as diary:
        return diary.replica


@rule("R70")
def test_a_whole_diary_is_said_to_be_and_left_as_it_is(typist: Typist) -> None:
    before = {path.name: path.read_bytes() for path in typist.home.iterdir()}
    assert "The diary is whole: 18 segments, 36 pictures." in typist.types("salvage").out
    assert typist.json("salvage")["whole"] is True
    assert {path.name: path.read_bytes() for path in typist.home.iterdir()} == before


@rule("R19")
@rule("R42")
@rule("R70")
def test_what_is_left_goes_on_under_a_new_replica_and_what_is_lost_is_named(typist: Typist) -> None:
    old = replica(typist)
    at = slot("2026-11-16T10:00Z")
    page = pages_holding(typist, b'"slot":%d' % at)[0]
    blank(typist, page)
    assert "diary salvage" in typist.types("week", says=4).err
    assert "Nothing was changed." in typist.types("salvage", says=1, given="n\n").err
    assert not (typist.home / ".salvage").exists()
    said = typist.types("salvage", "--yes")
    saved = memos(typist)
    lost = {time for time in TIMES if time not in saved}
    assert "10:00" in lost
    assert len(lost) < len(TIMES) / 2
    # Where the page ends, the capture of a segment may be left and what was said of it gone.
    unsaid = {time for time, memo in saved.items() if memo != "Invoice page"}
    assert len(unsaid) <= 1
    for time in lost | unsaid:
        assert f"2026-11-16 {time}  Orchard website: what was recorded or said" in said.out
    assert replica(typist) != old
    (aside,) = typist.home.glob("diary.db.damaged-*")
    assert str(aside) in said.err
    with Diary.open(typist.home, clock=typist.clock) as diary:
        record_slot(diary, diary.contracts()[0], slot("2026-11-16T13:00Z"), memo="And on")
    assert memos(typist)["13:00"] == "And on"
    assert "The diary is whole" in typist.types("salvage").out


@rule("R47")
@rule("R70")
def test_a_changed_byte_in_a_content_costs_that_content_alone(typist: Typist) -> None:
    with Diary.open(typist.home, clock=typist.clock) as diary:
        body = diary._state.connection.execute(
            """
            SELECT sealed.body FROM version JOIN sealed ON sealed.id = version.sealed
             WHERE version.slot = ? AND version.type = 'capture'
            """,
            (slot("2026-11-16T09:20Z"),),
        ).fetchone()[0]
    raw = bytearray(database(typist).read_bytes())
    raw[raw.index(body[:64]) + 7] ^= 1
    database(typist).write_bytes(raw)
    lost = typist.json("salvage", "--yes")["lost"]
    assert [(one["what"], one["start"]) for one in lost] == [("content", "2026-11-16T09:20:00Z")]
    assert memos(typist).keys() == {*TIMES} - {"09:20"}


@rule("R46")
@rule("R70")
def test_settings_and_segments_under_way_that_do_not_open_are_named_too(typist: Typist) -> None:
    typist.types("config", "zone", "Asia/Kathmandu")
    with Diary.open(typist.home, clock=typist.clock) as diary:
        found = diary._state.connection.execute(
            "SELECT sealed.body FROM meta JOIN sealed ON sealed.id = meta.sealed WHERE key = 'setting zone'"
        ).fetchone()[0]
    raw = bytearray(database(typist).read_bytes())
    raw[raw.index(found) + 20] ^= 255
    database(typist).write_bytes(raw)
    assert "setting zone" in typist.types("salvage", "--yes").out
    assert "zone" in typist.types("config", "zone").out


@rule("R49")
@rule("R70")
def test_with_its_first_page_lost_a_diary_knows_again_whose_it_is(typist: Typist) -> None:
    blank(typist, 0)
    typist.types("week", says=4)
    said = typist.types("salvage", "--yes").out
    assert "Saved: 18 segments, 36 pictures." in said
    assert memos(typist) == dict.fromkeys(TIMES, "Invoice page")


@rule("R70")
def test_too_little_is_said_to_be_too_little_and_changes_nothing(typist: Typist) -> None:
    database(typist).write_bytes(bytes(100_000))
    assert "cannot be salvaged" in typist.types("salvage", "--yes", says=4).err
    assert database(typist).read_bytes() == bytes(100_000)
    assert not (typist.home / ".salvage").exists()


@rule("R70")
def test_a_diary_that_another_process_has_open_is_not_salvaged(typist: Typist, tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(database(typist))],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as other:
        assert other.stdout is not None
        other.stdout.readline()
        assert "open in another program" in typist.types("salvage", "--yes", says=6).err
        other.communicate("\n")
    typist.types("salvage")


@rule("R19")
@rule("R70")
def test_doctor_finds_what_sqlite_does_not(typist: Typist, tmp_path: Path) -> None:
    assert "is whole" in typist.types("doctor").out
    with Diary.open(typist.home, clock=typist.clock) as diary:
        for minutes in range(5, 9):
            diary.set_setting("idle_minutes", minutes)
        wal = bytearray(wal_of(database(typist)).read_bytes())
        wal[32 + 24 + 9] ^= 1
        wal_of(database(typist)).write_bytes(wal)
        said = typist.types("doctor", says=1).out
    assert "do not hold" in said
    assert "diary salvage" in said


@rule("R47")
@rule("R70")
def test_doctor_counts_contents_that_are_not_what_was_stored(typist: Typist) -> None:
    with Diary.open(typist.home, clock=typist.clock) as diary:
        body = diary._state.connection.execute("SELECT body FROM stored WHERE body IS NOT NULL").fetchone()[0]
    raw = bytearray(database(typist).read_bytes())
    raw[raw.index(body[:64]) + 40] ^= 16
    database(typist).write_bytes(raw)
    assert "1 contents in" in typist.types("doctor", says=1).out


@rule("R19")
@rule("R70")
def test_a_segment_under_way_that_does_not_open_is_let_go_and_named(typist: Typist) -> None:
    with Diary.open(typist.home, clock=typist.clock) as diary:
        under_way = draft_of(diary.contracts()[0], slot("2026-11-16T13:00Z"))
        diary.keep_draft(under_way)
        block = diary._state.connection.execute("SELECT bytes FROM draft_block ORDER BY id").fetchone()[0]
    raw = bytearray(database(typist).read_bytes())
    raw[raw.index(block[:64]) + 40] ^= 1
    database(typist).write_bytes(raw)
    assert "Lost: the segment under way." in typist.types("salvage", "--yes").out
    assert memos(typist) == dict.fromkeys(TIMES, "Invoice page")
