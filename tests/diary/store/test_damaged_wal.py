"""A WAL that does not hold is refused at opening, in words: SQLite would pass it over (R19, R70)."""

import hashlib
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from diary.diary import Diary
from diary.rules.ids import Slot
from diary.rules.week import Week
from diary.store.connection import PAGE_BYTES, DamagedWalError
from diary.store.pages import wal_of
from tests.diary.store.damage import copy_of
from tests.diary.typed import Typist
from tests.practice import practice_diary, record_slot, slot
from tests.rule import rule

FIRST = slot("2026-11-16T09:00Z")
SEGMENTS = 12
HEADER_BYTES, FRAME_BYTES = 32, 24 + PAGE_BYTES


@pytest.fixture
def cut(tmp_path: Path) -> Iterator[Typist]:
    """Return a diary as a power cut left it: all that was written last stands in the WAL alone."""
    diary, clock, contract = practice_diary(tmp_path, "2026-11-16T08:50Z")
    with diary:
        for number in range(SEGMENTS):
            record_slot(diary, contract, Slot(FIRST + number), memo=f"Number {number}")
        copy_of(diary.home, tmp_path / "cut")
        yield Typist(tmp_path / "cut", clock)


def wal(typist: Typist) -> Path:
    return wal_of(typist.home / "diary.db")


def flip(file: Path, at: int) -> None:
    raw = bytearray(file.read_bytes())
    raw[at] ^= 1
    file.write_bytes(raw)


def recorded(typist: Typist) -> set[str]:
    return {one["memo"] for one in typist.json("week")["segments"]}


def files_of(typist: Typist) -> dict[str, str]:
    return {
        each.name: hashlib.sha256(each.read_bytes()).hexdigest() for each in typist.home.glob("diary.db*")
    }


MEMOS = {f"Number {number}" for number in range(SEGMENTS)}


@rule("R19")
@pytest.mark.parametrize(
    "at",
    [3, 9, 17, 28, HEADER_BYTES + 4, HEADER_BYTES + 24 + 100, HEADER_BYTES + 5 * FRAME_BYTES + 2000],
    ids=["magic", "page size", "salt", "header's sum", "frame's header", "first frame", "a later frame"],
)
def test_a_changed_byte_is_said_before_anything_is_lost_and_salvage_saves_the_rest(
    cut: Typist, at: int
) -> None:
    flip(wal(cut), at)
    before = files_of(cut)
    said = cut.types("status", says=4).err
    assert "do not hold" in said
    assert "diary salvage" in said
    assert files_of(cut) == before
    cut.types("salvage", "--yes")
    assert (
        len(MEMOS - recorded(cut)) <= 1
    )  # a frame holds a page; the newest content of most stands in later ones


@rule("R19")
@pytest.mark.parametrize("at", [3, 17, 28])
def test_a_header_that_does_not_hold_costs_nothing_by_itself(cut: Typist, at: int) -> None:
    flip(wal(cut), at)
    cut.types("salvage", "--yes")
    assert recorded(cut) == MEMOS


@rule("R19")
def test_what_a_power_cut_tore_is_opened_as_ever(cut: Typist) -> None:
    raw = wal(cut).read_bytes()
    wal(cut).write_bytes(raw[:-5000])
    assert len(MEMOS - recorded(cut)) <= 1


@rule("R19")
def test_a_header_torn_as_the_wal_begins_anew_is_no_damage(cut: Typist, tmp_path: Path) -> None:
    with Diary.open(cut.home, clock=cut.clock) as diary:
        diary._state.connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        home = copy_of(cut.home, tmp_path / "checkpointed").parent
    again = Typist(home, cut.clock)
    assert wal(again).stat().st_size > FRAME_BYTES
    flip(wal(again), 17)
    assert recorded(again) == MEMOS


@rule("R19")
def test_nobody_looks_again_while_somebody_has_the_file_open(cut: Typist) -> None:
    with closing(Diary.open(cut.home, clock=cut.clock)) as diary:
        flip(wal(cut), HEADER_BYTES + 24 + 100)
        with Diary.open(cut.home, clock=cut.clock) as other:
            assert other.week(Week.of(FIRST)) == diary.week(Week.of(FIRST))
        assert "do not hold" in diary.file_fault()


@rule("R19")
def test_the_error_names_how_much_would_be_lost(cut: Typist) -> None:
    flip(wal(cut), HEADER_BYTES + 24 + 100)
    with pytest.raises(DamagedWalError, match=r"^[1-9][0-9]* pages that were written last"):
        Diary.open(cut.home, clock=cut.clock)
