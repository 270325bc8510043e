"""`doctor`: what is amiss is named with how to mend it (R70)."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.diary.typed import Typist, typist_with_a_morning
from tests.rule import rule

# One that nothing asks while a diary is opened.
PAGE_OF_AN_INDEX = "SELECT rootpage FROM sqlite_schema WHERE name = 'refusal_slot'"


@pytest.fixture
def typist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Typist:
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "XDG_SESSION_TYPE"):
        monkeypatch.delenv(name, raising=False)
    return typist_with_a_morning(tmp_path)


@rule("R70")
def test_every_check_says_what_it_saw_and_each_warning_how_to_mend_it(typist: Typist) -> None:
    told = typist.json("doctor")
    by_name = {one["name"]: one for one in told}
    assert {"diary", "keys", "phrase", "disk", "clock", "alarms", "tracker", "desktop", "server"} <= set(
        by_name
    )
    assert by_name["diary"]["outcome"] == "fine"
    assert by_name["phrase"]["outcome"] == "warning"
    assert "diary key phrase --confirm" in by_name["phrase"]["mend"]
    assert "DISPLAY is not set" in by_name["desktop"]["says"]
    assert all(bool(one["mend"]) == (one["outcome"] != "fine") for one in told)
    said = typist.types("doctor").out
    assert "→ Write it down and confirm it" in said


@rule("R70")
def test_a_damaged_file_is_a_fault_and_ends_with_status_1(typist: Typist) -> None:
    path = typist.home / "diary.db"
    with closing(sqlite3.connect(path)) as connection:
        page_bytes = connection.execute("PRAGMA page_size").fetchone()[0]
        page = connection.execute(PAGE_OF_AN_INDEX).fetchone()[0]
    raw = bytearray(path.read_bytes())
    raw[(page - 1) * page_bytes : page * page_bytes] = bytes([255]) * page_bytes
    path.write_bytes(raw)
    said = typist.types("doctor", says=1).out
    assert "FAULT" in said
    assert "is damaged" in said
    assert "diary restore FILE" in said


@rule("R11")
@rule("R70")
def test_tracking_without_a_tracker_is_a_fault(typist: Typist, monkeypatch: pytest.MonkeyPatch) -> None:
    from diary.diary import Diary

    with Diary.open(typist.home, clock=typist.clock) as diary:
        diary.start(diary.contract("Orchard").id, memo="x")
    assert "no tracker runs" in typist.types("doctor", says=1).out
