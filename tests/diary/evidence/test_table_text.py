"""A table's text: what a program reads back, and what no spreadsheet runs (R58)."""

import csv
import io
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diary.evidence.table_text import safe_text, table, table_before_3
from tests.hostile_texts import FORMULAS, TEXTS
from tests.rule import rule

COLUMNS = ("memo", "amount")


@rule("R58")
@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("=1+1", "'=1+1"),
        (" \u200b=1+1", " \u200b'=1+1"),
        ("\x00=1+1", "␀=1+1"),
        ("a;=1+1;b", "a;'=1+1;b"),
        ("a | -b", "a | '-b"),
        ("first\n- second\r\n@third", "first\n'- second\r\n'@third"),
        ("\ttab first", "'\ttab first"),
        ("\x1b[31mred\x9b0m\x7f", "␛[31mred�0m␡"),
        ("a - b, 1+1 = 2; c", "a - b, 1+1 = 2; c"),
        ("-12.50", "-12.50"),
        ("-2+3", "'-2+3"),
        ("-5\n", "'-5\n"),
        ("", ""),
    ],
)
def test_an_apostrophe_stands_before_what_could_run_and_a_sign_for_what_nobody_sees(
    text: str, safe: str
) -> None:
    assert safe_text(text) == safe


@rule("R58")
@given(st.lists(st.text(max_size=40) | st.sampled_from(TEXTS), max_size=5))
def test_a_table_is_read_back_cell_by_cell_and_obeyed_by_nobody(texts: list[str]) -> None:
    written = table(COLUMNS, [(text, 5) for text in texts])
    assert list(csv.reader(io.StringIO(written, newline=""), strict=True)) == [
        list(COLUMNS),
        *([safe_text(text), "5"] for text in texts),
    ]
    assert re.search("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]", written) is None


@rule("R58")
@pytest.mark.parametrize("splits", [";", "\t", "|", "\n", "\r"])
def test_no_cell_begins_a_formula_wherever_a_program_splits(splits: str) -> None:
    cells = re.split(f"[{re.escape(splits)}]", table(COLUMNS, [(text, None) for text in FORMULAS]))
    assert [cell for cell in cells if re.match(r'[\s\u200b"]*[=+\-@]', cell)] == []


@rule("R59")
def test_tables_of_earlier_bundles_are_written_as_they_were() -> None:
    lines = [("\x00=1", 5), ("=1;\t-2", None), ("a\n-b", 0)]
    assert table_before_3(COLUMNS, lines) == ('memo,amount\r\n\x00=1,5\r\n\'=1;\t-2,\r\n"a\n-b",0\r\n')
