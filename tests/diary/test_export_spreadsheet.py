"""A real spreadsheet opens the exported tables: sums agree, no formula runs, dates are dates (R58)."""

import csv
import re
import shutil
import subprocess
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from diary.diary import Diary
from diary.rules.ids import Slot
from tests.diary.typed import Typist, typist_with_a_morning
from tests.hostile_texts import TEXTS
from tests.practice import record_slot, slot
from tests.rule import rule

OFFICE = "{urn:oasis:names:tc:opendocument:xmlns:office:1.0}"
TABLE = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
# Comma, double quotes, UTF-8, from the first line; cells are recognised as a person's double click does.
AS_CSV = "CSV:44,34,76,1,,0,false,true,false"
# As LibreOffice's own dialog has it, and as spreadsheets do where a comma is for decimals.
AS_ANY, AS_SEMICOLONS = "CSV:9/44/59,34,76,1,,0,false,true,true", "CSV:59,34,76,1,,0,false,true,false"
HOSTILE = (*TEXTS, "Ärger, “quotes”; 日本語")
UNSEEN = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2400-\u2421\ufffd']")  # what stands for a control sign too


def opened(file: Path, folder: Path, how: str = AS_CSV) -> list[dict[str, tuple[str | None, str]]]:
    """Return a table's lines as LibreOffice reads them: for each column the cell's type and what it shows."""
    assert shutil.which("soffice"), "make system installs libreoffice-calc-nogui"
    profile = f"-env:UserInstallation={(folder / 'profile').as_uri()}"
    words = ("--convert-to", "fods", "--outdir", str(folder), str(file))
    subprocess.run(
        ["soffice", "--headless", profile, f"--infilter={how}", *words],
        check=True,
        capture_output=True,
        timeout=240,
    )
    rows = ET.parse(folder / f"{file.stem}.fods").iter(f"{TABLE}table-row")  # of our own making
    lines = [
        [_cell(cell) for cell in row.iter(f"{TABLE}table-cell") for _ in range(_times(cell))] for row in rows
    ]
    heads = [shown for _, shown in lines[0]]
    return [dict(zip(heads, line, strict=False)) for line in lines[1:] if any(shown for _, shown in line)]


def _times(cell: ET.Element) -> int:
    """Return how many columns the cell stands for; at the end of a line, one for all that are left."""
    return min(int(cell.get(f"{TABLE}number-columns-repeated", "1")), 30)


def _cell(cell: ET.Element) -> tuple[str | None, str]:
    assert cell.get(f"{TABLE}formula") is None, "a formula would run"
    return cell.get(f"{OFFICE}value-type"), "\n".join("".join(part.itertext()) for part in cell)


def seen(text: str) -> str:
    """Return what of a text a cell shows."""
    return " ".join(UNSEEN.sub("", text).split())


@pytest.fixture
def typist(tmp_path: Path) -> Typist:
    found = typist_with_a_morning(tmp_path)
    with Diary.open(found.home, clock=found.clock) as diary:
        contract = diary.contracts()[0]
        for number, memo in enumerate(HOSTILE):
            at = Slot(slot("2026-11-16T13:00Z") + number)
            record_slot(diary, contract, at, memo=memo[:4000], title=memo[:200])
    return found


@pytest.mark.timeout(600)
@rule("R58")
def test_a_spreadsheet_shows_what_was_written_and_runs_nothing(typist: Typist, tmp_path: Path) -> None:
    typist.types("export", "this", "--out", str(tmp_path))
    folder = tmp_path / "2026-W47"
    lines = opened(folder / "segments.csv", tmp_path / "segments")
    sums = opened(folder / "totals.csv", tmp_path / "totals")

    assert len(lines) == 3 + len(HOSTILE)
    memos = [seen(shown) for _, shown in (line["memo"] for line in lines)]
    assert memos == ["Invoice page"] * 3 + [seen(memo) for memo in HOSTILE]
    assert {line["memo"][0] for line in lines} == {"string"}
    assert {line[column][0] for line in lines for column in ("start_utc", "start_local")} == {"date"}
    assert {line["keystrokes"] for line in lines} == {("float", "120")}

    (total,) = sums
    assert int(total["segments"][1]) == len(lines)
    assert int(total["billable"][1]) == sum(line["bills"][1] == "yes" for line in lines)
    assert float(total["amount"][1]) == int(total["billable"][1]) * 60 / 6
    with (folder / "totals.csv").open(encoding="utf-8", newline="") as table:
        assert next(csv.DictReader(table))["amount"] == f"{10 * len(lines)}.00"


@pytest.mark.timeout(600)
@rule("R58")
def test_a_spreadsheet_that_splits_at_other_signs_runs_nothing_either(typist: Typist, tmp_path: Path) -> None:
    typist.types("export", "this", "--out", str(tmp_path))
    table = tmp_path / "2026-W47" / "segments.csv"
    as_written = opened(table, tmp_path / "written")
    assert opened(table, tmp_path / "any", AS_ANY) == as_written
    # Lines fall apart there; `opened` fails at each cell that would run.
    assert len(opened(table, tmp_path / "semicolons", AS_SEMICOLONS)) >= len(as_written)
