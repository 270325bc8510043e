"""`export`: the week's folder."""

import csv
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from diary.diary import Diary
from diary.exporting import Chosen, export
from tests.diary.typed import Typist, typist_with_a_morning
from tests.practice import SCREEN
from tests.rule import rule


@pytest.fixture
def typist(tmp_path: Path) -> Typist:
    return typist_with_a_morning(tmp_path)


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as table:
        return list(csv.DictReader(table))


@rule("R58")
def test_a_week_is_written_as_two_tables(typist: Typist, tmp_path: Path) -> None:
    said = typist.types("export", "this", "--out", str(tmp_path / "out"))
    folder = tmp_path / "out" / "2026-W47"
    assert str(folder / "segments.csv") in said.out
    assert "not sealed" in said.err
    assert [row["memo"] for row in rows_of(folder / "segments.csv")] == ["Invoice page"] * 3
    assert [row["amount"] for row in rows_of(folder / "totals.csv")] == ["30.00"]
    assert not (folder / "pictures").exists()


@rule("R58")
def test_pictures_lie_beside_the_table_that_names_them(typist: Typist, tmp_path: Path) -> None:
    told = typist.json("export", "this", "--pictures", "--out", str(tmp_path))
    assert (told["segments"], told["pictures"], told["missing"]) == (3, 3, 0)
    folder = Path(told["folder"])
    for row in rows_of(folder / "segments.csv"):
        assert row["pictures"].startswith("pictures/20261116T09")
        assert (folder / row["pictures"]).read_bytes() == SCREEN


def test_an_export_with_pictures_says_of_how_many_segments_it_has_written_how_many(
    typist: Typist, tmp_path: Path
) -> None:
    told: list[tuple[int, int]] = []
    with Diary.open(typist.home, clock=typist.clock) as diary:
        week = diary.weeks()[0]
        chosen = Chosen(week.name, week.name, (week,))
        export(
            diary,
            chosen,
            tmp_path / "out",
            zone=ZoneInfo("UTC"),
            pictures=True,
            progress=lambda *far: told.append(far),
        )
    assert told == [(0, 3), (1, 3), (2, 3)]


@rule("R58")
def test_a_removed_segment_has_no_line(typist: Typist, tmp_path: Path) -> None:
    typist.types("remove", "9:10", "--yes")
    typist.types("export", "this", "--out", str(tmp_path))
    starts = [row["start_utc"] for row in rows_of(tmp_path / "2026-W47" / "segments.csv")]
    assert starts == ["2026-11-16 09:00", "2026-11-16 09:20"]


def test_one_contract_can_be_exported(typist: Typist, tmp_path: Path) -> None:
    typist.types("contract", "new", "Mill", "--manual-allowed")
    typist.types("add", "8:00-8:20", "Mill", "Ledger")
    typist.types("export", "this", "--contract", "mill", "--out", str(tmp_path))
    assert {row["contract"] for row in rows_of(tmp_path / "2026-W47" / "segments.csv")} == {"Mill"}
    assert [row["contract"] for row in rows_of(tmp_path / "2026-W47" / "totals.csv")] == ["Mill"]


def test_an_earlier_export_is_replaced_only_when_agreed(typist: Typist, tmp_path: Path) -> None:
    typist.types("export", "this", "--pictures", "--out", str(tmp_path))
    typist.types("export", "this", "--out", str(tmp_path), given="n\n", says=1)
    assert (tmp_path / "2026-W47" / "pictures").exists()
    typist.types("export", "this", "--out", str(tmp_path), "--yes")
    assert not (tmp_path / "2026-W47" / "pictures").exists()
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_a_folder_of_somebody_else_is_left_alone(typist: Typist, tmp_path: Path) -> None:
    (tmp_path / "2026-W47").mkdir()
    (tmp_path / "2026-W47" / "letter.txt").write_text("dear Ana", encoding="utf-8")
    assert "2026-W47-2" in typist.types("export", "this", "--yes", "--out", str(tmp_path), says=2).err
    assert (tmp_path / "2026-W47" / "letter.txt").exists()


def test_a_folder_that_cannot_be_made_is_this_machines_fault(typist: Typist, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    assert "--out" in typist.types("export", "this", "--out", str(tmp_path / "file"), says=6).err


@rule("R58")
def test_a_span_is_exported_with_its_own_sums(typist: Typist, tmp_path: Path) -> None:
    told = typist.types("export", "2026-11-16", "9:00-9:20", "--out", str(tmp_path), "--json").out
    assert '"segments": 2' in told
    folder = tmp_path / "2026-11-16"
    assert [row["start_utc"] for row in rows_of(folder / "segments.csv")] == [
        "2026-11-16 09:00",
        "2026-11-16 09:10",
    ]
    assert [(row["week"], row["segments"], row["amount"]) for row in rows_of(folder / "totals.csv")] == [
        ("2026-W47", "2", "20.00")
    ]


@rule("R58")
def test_a_span_over_two_weeks_has_a_sum_for_each(typist: Typist, tmp_path: Path) -> None:
    typist.types("export", "2026-11-15", "2026-11-16", "--out", str(tmp_path))
    assert [row["week"] for row in rows_of(tmp_path / "2026-11-15-to-2026-11-16" / "totals.csv")] == [
        "2026-W47"
    ]
    assert "is no time" in typist.types("export", "soon", "--out", str(tmp_path), says=2).err


@rule("R58")
def test_a_page_shows_the_pictures_beside_the_lines_and_every_text_as_text(
    typist: Typist, tmp_path: Path
) -> None:
    typist.types("edit", "9:10", "--memo", "<script>alert(1)</script> <b>bold</b>")
    said = typist.types("export", "this", "--pictures", "--out", str(tmp_path)).out
    folder = tmp_path / "2026-W47"
    assert str(folder / "index.html") in said
    page = (folder / "index.html").read_text(encoding="utf-8")
    assert "<script" not in page
    assert "<b>" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    for row in rows_of(folder / "segments.csv"):
        assert f'src="{row["pictures"]}"' in page
    typist.types("export", "this", "--pictures", "--out", str(tmp_path), "--yes")
