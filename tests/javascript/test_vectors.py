"""The client's page reads, merges and judges as the diary does: the same vectors drive both (R24-R28, R47).

A page that would show another sum than `diary week` is a defect.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.javascript import billing, drawing, headers
from tests.rule import rule

NODE = Path(sys.executable).with_name("node")
FILES = (
    "row", "picture", "grant", "push", "answer", "opening", "merkle", "device_list", "list_leaf", "header",
    "party_header", "party_log", "invitation", "message", "week", "seal", "invoice_shown", "money",
    "unanswered",
)  # fmt: skip
CASES_LEAST = 250


@pytest.fixture(scope="module")
def said() -> list[dict[str, Any]]:
    script = Path(__file__).with_name("vectors.mjs")
    ran = subprocess.run([NODE, script], capture_output=True, text=True, timeout=120, check=False)
    assert ran.returncode == 0, ran.stderr
    return [json.loads(line) for line in ran.stdout.splitlines()]


@rule("R36")
@rule("R47")
@pytest.mark.parametrize("file", FILES)
def test_the_page_answers_every_vector_as_the_diary_does(said: list[dict[str, Any]], file: str) -> None:
    answered = [case for case in said if case["file"] == file]
    assert [case for case in answered if case["got"] != case["want"]] == []
    assert answered


def test_no_vector_is_left_out(said: list[dict[str, Any]]) -> None:
    assert len(said) >= CASES_LEAST


@rule("R46")
def test_pinned_headers_are_judged_as_the_diary_judges_them_now() -> None:
    assert headers.PINNED.read_text(encoding="utf-8") == headers.text()


@rule("R27")
@rule("R28")
def test_pinned_histories_stand_as_the_diary_says_now() -> None:
    assert drawing.PINNED.read_text(encoding="utf-8") == drawing.text()


@rule("R61")
@rule("R62")
def test_pinned_invoices_are_shown_as_the_diary_shows_them_now() -> None:
    assert billing.PINNED.read_text(encoding="utf-8") == billing.text()
