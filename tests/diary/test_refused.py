"""The list of refused changes: put away, forgotten, and loud where a deletion failed (R25, R37d)."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from diary.diary import Diary
from diary.refused import NoRefusalError
from diary.rules.ids import Slot
from diary.rules.timesheet import Place
from tests.diary.typed import Typist
from tests.practice import SCREEN, practice_diary, record_slot, refuse, slot
from tests.rule import rule

TEN = slot("2026-11-16T10:00Z")
MEMO = "zebra memo that was refused"


@pytest.fixture
def diary(tmp_path: Path) -> Iterator[Diary]:
    made, _, contract = practice_diary(tmp_path, title="Orchard")
    with made:
        for number in range(3):
            record_slot(made, contract, Slot(TEN + number), memo=MEMO, picture=SCREEN)
        yield made


def place_of(diary: Diary, number: int = 0) -> Place:
    return diary.contracts()[0].id, Slot(TEN + number)


@rule("R37d")
def test_a_refusal_is_counted_until_it_is_put_away_and_listed_for_ever(diary: Diary) -> None:
    edit, deletion = refuse(diary, place_of(diary), "entry"), refuse(diary, place_of(diary, 1), "deletion")
    assert (diary.status().refused, diary.status().refused_deletions) == (2, 1)
    assert [one.number for one in diary.attention().deletions] == [deletion]
    assert diary.dismiss_refusals([deletion]) == 1
    assert diary.dismiss_refusals([deletion]) == 0
    assert (diary.status().refused, diary.status().refused_deletions) == (1, 0)
    assert diary.attention().deletions == ()
    assert {one.number: one.dismissed_at_ms is not None for one in diary.refusals()} == {
        edit: False,
        deletion: True,
    }


@rule("R25")
@rule("R37d")
def test_what_a_refusal_keeps_can_be_forgotten_and_place_and_reason_stay(diary: Diary) -> None:
    entry, capture = refuse(diary, place_of(diary), "entry"), refuse(diary, place_of(diary, 1), "capture")
    pictures = "SELECT count(*) FROM picture WHERE slot = ?"
    assert diary._state.connection.execute(pictures, (TEN + 1,)).fetchone()[0] > 0
    assert diary.forget_refusals([entry, capture]) == 2
    listed = {one.number: one for one in diary.refusals()}
    assert [(listed[each].memo, listed[each].kept, listed[each].reason) for each in (entry, capture)] == [
        ("", False, "week_locked")
    ] * 2
    assert diary._state.connection.execute(pictures, (TEN + 1,)).fetchone()[0] == 0
    assert diary.forget_refusals([entry]) == 0


@rule("R42")
def test_a_forgotten_refusals_number_still_counts_as_sent(diary: Diary) -> None:
    number = refuse(diary, place_of(diary, 2), "entry")
    name = diary._state.connection.execute("SELECT replica, n FROM refusal").fetchone()
    diary.forget_refusals([number])
    diary.check_copy(name[1])
    assert diary._state.connection.execute("SELECT replica, n FROM refusal").fetchone() == name


def test_a_number_that_nobody_listed_changes_nothing(diary: Diary) -> None:
    number = refuse(diary, place_of(diary), "entry")
    with pytest.raises(NoRefusalError, match="number 99"):
        diary.dismiss_refusals([number, 99])
    assert diary.status().refused == 1


@rule("R37d")
def test_the_command_says_why_and_what_can_be_done_and_shouts_of_a_deletion(diary: Diary) -> None:
    typist = Typist(diary.home, diary.clock)  # type: ignore[arg-type]  # practice diaries have a given clock
    refuse(diary, place_of(diary), "entry")
    number = refuse(diary, place_of(diary, 1), "deletion")
    listed = typist.types("refused").out
    for words in (
        "DELETION  week_locked",
        "It cannot be deleted any more",
        MEMO,
        "keeps what it said at the lock",
    ):
        assert words in listed
    assert "1 DELETION REFUSED (diary refused)" in typist.types().out
    assert "1 DELETION REFUSED (diary refused): what was to go stands" in typist.types("status").out
    told = typist.json("refused")
    assert list(told[0])[:6] == ["contract", "slot", "reason", "what", "memo", "refused_at"]
    assert typist.json("status")["refused_deletions"] == 1
    assert typist.types("refused", "dismiss", str(number)).out == "1 refused change put away.\n"
    assert "DELETION" not in typist.types("refused").out
    assert "DELETION" in typist.types("refused", "--all").out
    assert "REFUSED" not in typist.types().out
    assert "Which of them" in typist.types("refused", "dismiss", says=2).err


@rule("R37d")
def test_what_was_refused_alike_slot_after_slot_is_told_once_and_put_away_at_once(diary: Diary) -> None:
    typist = Typist(diary.home, diary.clock)  # type: ignore[arg-type]  # practice diaries have a given clock
    numbers = [refuse(diary, place_of(diary, number), "entry") for number in range(3)]
    refuse(diary, place_of(diary, 1), "capture")
    listed = typist.types("refused").out
    assert listed.count("week_locked") == 2, "a capture, and three edits at once"
    assert "1-3  Mon 16 Nov 10:00 to 10:30, 3 segments  Orchard  entry  week_locked" in listed
    assert len(typist.json("refused")) == 4, "who reads by program has each by itself"
    assert "none of the refused" in typist.types("refused", "dismiss", "1-2", "nine", says=2).err
    assert (
        typist.types("refused", "dismiss", f"{numbers[0]}-{numbers[1]}").out
        == "2 refused changes put away.\n"
    )
    assert "3  Mon 16 Nov 10:20  Orchard  entry  week_locked" in typist.types("refused").out
    assert typist.types("refused", "dismiss", "all").out == "2 refused changes put away.\n"
    assert "Nothing was refused but 4" in typist.types("refused").out


@rule("R25")
def test_forgetting_asks_first(diary: Diary) -> None:
    typist = Typist(diary.home, diary.clock)  # type: ignore[arg-type]  # practice diaries have a given clock
    number = str(refuse(diary, place_of(diary), "entry"))
    typist.types("refused", "forget", number, given="n\n", says=1)
    assert MEMO in typist.types("refused").out
    typist.types("refused", "forget", number, "--yes")
    assert MEMO not in typist.types("refused", "--all").out
