"""A segment from a desktop on which no program may count input: nothing of it is shown as zero (R14)."""

import csv
from pathlib import Path

import msgspec
import pytest

from diary.rules.sealed_content import MinuteCounts
from diary.rules.week import starts_at_ms
from tests.diary.typed import Typist
from tests.practice import draft_of, practice_diary, slot
from tests.rule import rule

SEEN, NOT_SEEN = (
    MinuteCounts(None, None, None, os_active=True),
    MinuteCounts(None, None, None, os_active=False),
)
COUNTED = MinuteCounts(0, 0, 0, os_active=False)


@pytest.fixture
def typist(tmp_path: Path) -> Typist:
    """Give a diary with a segment from such a desktop, and one whose counts are really zero."""
    diary, clock, contract = practice_diary(tmp_path)
    with diary:
        for time, minutes in (("09:00", (SEEN,) * 6 + (NOT_SEEN,) * 4), ("09:10", (COUNTED,) * 10)):
            at = slot(f"2026-11-16T{time}Z")
            clock.put(starts_at_ms(at) + 600_000)
            diary.record(
                msgspec.structs.replace(draft_of(contract, at, replica=diary.replica), minutes=minutes)
            )
    return Typist(tmp_path / "diary", clock)


@rule("R14")
def test_the_row_and_the_segment_say_that_only_the_desktop_saw_it(typist: Typist) -> None:
    seen, counted = (line for line in typist.types("today").out.splitlines() if "/10" in line)
    assert " 6/10 ▮▮▮▮▮▮▯▯▯▯ seen" in seen
    assert "seen" not in counted
    shown = typist.types("show", "@1").out
    assert "not counted: that desktop lets no program count it" in shown
    assert "0: active" in shown
    assert " keys" not in shown
    assert "0: 0 keys, 0 clicks, 0 scrolls" in typist.types("show", "@2").out


@rule("R14")
def test_programs_get_null_and_spreadsheets_an_empty_cell(typist: Typist, tmp_path: Path) -> None:
    minutes = [segment["minutes"] for segment in typist.json("week")["segments"]]
    assert minutes[0][0] == [None, None, None, True]
    assert minutes[1][0] == [0, 0, 0, False]
    typist.types("export", "this", "--out", str(tmp_path / "out"))
    with next((tmp_path / "out").rglob("segments.csv")).open(encoding="utf-8") as file:
        lines = list(csv.DictReader(file))
    cells = [
        [line[name] for name in ("activity_minutes", "keystrokes", "clicks", "scrolls")] for line in lines
    ]
    assert cells == [["6", "", "", ""], ["0", "0", "0", "0"]]
