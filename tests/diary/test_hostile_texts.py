"""Whatever a text holds, a terminal shows it and obeys nothing in it; JSON gives it back whole (R46, R58)."""

import csv
import io
import json
from pathlib import Path

import pytest

from diary.diary import Diary
from diary.evidence.table_text import safe_text
from diary.rules.ids import Slot
from tests.diary.typed import Typist
from tests.hostile_texts import CONTROL, FORMULAS, MARKUP, TEXTS, TURNING, obeyed
from tests.practice import draft_of, instant, practice_diary, record_slot, refuse, slot
from tests.rule import rule

LABEL = "label \x1b[31m\u202e"
FIRST = slot("2026-11-16T09:00Z")
COMMANDS = (
    (),
    ("status",),
    ("today",),
    ("yesterday",),
    ("week",),
    ("show", "9:00"),
    ("search", "e"),
    ("report",),
    ("report", "--by", "label,contract,app"),
    ("check",),
    ("contract", "list"),
    ("contract", "show", "title"),
    ("refused",),
    ("late",),
    ("audit",),
    ("devices",),
    ("config",),
    ("doctor",),
)


@pytest.fixture
def typist(tmp_path: Path) -> Typist:
    """Return somebody whose every text is hostile: memos, labels, applications, titles, contract, client."""
    diary, clock, contract = practice_diary(
        tmp_path,
        "2026-11-16T08:50Z",
        title="title \x1b]0;owned\x07\u202e" + MARKUP[0],
        client=FORMULAS[0] + "\x9b31m",
        labels=(LABEL, *(text[:40] for text in TEXTS[:4])),
    )
    with diary:
        for number, text in enumerate(TEXTS):
            at = Slot(FIRST + number)
            place = record_slot(diary, contract, at, memo=None, title=text[:200])
            diary.edit([place], memo=text)
        refuse(diary, (contract.id, Slot(FIRST + 1)), "capture")
        record = draft_of(
            contract, Slot(FIRST + 30), memo=CONTROL[3], application=CONTROL[4], replica=diary.replica
        )
        clock.put(instant("2026-11-16T14:05Z"))
        diary.keep_draft(record)
        diary.start(contract.id, CONTROL[3] + TURNING[0], LABEL)
    return Typist(tmp_path / "diary", clock)


@rule("R24")
@rule("R46")
@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_no_command_prints_what_a_terminal_would_obey(typist: Typist, words: tuple[str, ...]) -> None:
    words = ("today",) if words == ("yesterday",) else words
    status = 1 if words == ("doctor",) else 0
    said = typist.types(*words, says=status)
    assert said.out
    assert obeyed(said.out + said.err) == set()


@rule("R24")
def test_questions_and_answers_of_acts_print_nothing_that_is_obeyed(typist: Typist) -> None:
    for words, status, given in (
        (("remove", "9:20"), 1, "n\n"),
        (("edit", "9:20", "--label", LABEL), 0, ""),
        (("memo", CONTROL[3]), 0, ""),
        (("label", "\x1b[31mnone\u202e"), 2, ""),
        (("undo",), 0, ""),
        (("start", "nobody\x1b[31m"), 2, ""),
        (("search", "\x1b[31mnothing\u202e"), 1, ""),
    ):
        said = typist.types(*words, given=given, says=status)
        assert obeyed(said.out + said.err) == set(), words


@rule("R58")
def test_json_and_csv_give_every_text_back_whole(typist: Typist, tmp_path: Path) -> None:
    memos = [one["memo"] for one in typist.json("week")["segments"] if one["state"] != "draft"]
    kept = [text.strip() for number, text in enumerate(TEXTS) if number != 1]
    assert [memo for memo in memos if memo in kept] == kept
    typist.types("export", "this", "--out", str(tmp_path / "out"))
    raw = (tmp_path / "out" / "2026-W47" / "segments.csv").read_bytes().decode()
    told = csv.DictReader(io.StringIO(raw, newline=""))
    lines = [line for line in told if line["state"] != "draft"]
    safe = [safe_text(text) for text in kept]
    assert [line["memo"] for line in lines if line["memo"] in safe] == safe
    assert not [line["memo"] for line in lines if line["memo"].startswith(("=", "+", "-", "@", "\t", "\r"))]
    assert json.dumps(memos)


@rule("R19")
def test_the_page_of_an_export_shows_texts_as_text(typist: Typist, tmp_path: Path) -> None:
    with Diary.open(typist.home, clock=typist.clock) as diary:
        assert diary.weeks()
    typist.types("export", "this", "--pictures", "--out", str(tmp_path / "out"))
    page = (tmp_path / "out" / "2026-W47" / "index.html").read_text(encoding="utf-8")
    assert "<script" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "<b>bold" not in page
