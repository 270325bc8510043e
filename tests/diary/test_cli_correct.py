"""`edit`, `add`, `remove`, `undo`, `refused`."""

from pathlib import Path
from typing import Any

import pytest

from diary.rules.week import Week
from tests.diary.typed import Typist, typist_with_a_morning
from tests.practice import instant
from tests.rule import rule


@pytest.fixture
def typist(tmp_path: Path) -> Typist:
    return typist_with_a_morning(tmp_path)


def memos(typist: Typist) -> list[Any]:
    return [one["memo"] for one in typist.json("week", "2026-W47")["segments"] if one["state"] != "deleted"]


@rule("R26")
def test_an_edit_changes_a_selection_and_undo_takes_it_back(typist: Typist) -> None:
    assert (
        typist.types("edit", "9-9:20", "--memo", "Totals", "--label", "Code").out == "2 segments changed.\n"
    )
    assert memos(typist) == ["Totals", "Totals", "Invoice page"]
    typist.types("undo")
    assert memos(typist) == ["Invoice page"] * 3
    assert "nothing to undo" in typist.types("undo", says=1).err


def test_an_edit_that_says_nothing_is_a_usage_error(typist: Typist) -> None:
    assert "Neither a memo nor a label" in typist.types("edit", "9:00", says=2).err


def test_what_is_no_text_is_no_memo(typist: Typist) -> None:
    assert "not readable text" in typist.types("edit", "9:00", "--memo", "caf\udce9", says=2).err
    assert "4000" in typist.types("edit", "9:00", "--memo", "x" * 4001, says=2).err


def test_a_selection_without_segments_is_no(typist: Typist) -> None:
    assert "No segment stands at 23:00" in typist.types("edit", "23:00", "--memo", "x", says=1).err


@rule("R7")
def test_a_label_must_be_one_of_the_contract(typist: Typist) -> None:
    assert "Design, Code" in typist.types("edit", "9:00", "--label", "Cooking", says=2).err


@rule("R21")
def test_manual_time_is_whole_ten_minutes(typist: Typist) -> None:
    refusal = typist.types("add", "8:05-8:25", "Orchard", "Call", says=2).err
    assert "8:05-8:25" in refusal
    assert "08:00-08:30" in refusal
    assert typist.types("add", "8:00-8:30", "Orchard", "Call").out == "3 segments added as manual time.\n"
    assert memos(typist)[:3] == ["Call"] * 3


@rule("R21")
def test_the_last_hour_is_rounded_to_whole_slots(typist: Typist) -> None:
    typist.clock.put(instant("2026-11-16T12:03Z"))
    typist.types("add", "1h", "Orchard", "Call")
    added = [one["start"] for one in typist.json("week")["segments"] if one["kind"] == "manual"]
    assert (added[0], added[-1], len(added)) == ("2026-11-16T11:10:00Z", "2026-11-16T11:50:00Z", 5)


def test_a_whole_day_is_never_added_by_mistake(typist: Typist) -> None:
    assert "whole day" in typist.types("add", "2026-11-15", "Orchard", "Call", says=2).err


@rule("R21")
def test_manual_time_that_the_terms_forbid_is_refused_with_its_word_first(typist: Typist) -> None:
    typist.types("contract", "new", "Mill")
    said = typist.types("add", "8:00-8:20", "Mill", "Ledger", says=3).err
    assert said.startswith("manual_not_allowed: ")


@rule("R17")
def test_the_newest_snapshot_has_a_name(typist: Typist) -> None:
    assert len(memos(typist)) == 3
    assert ", Mon 16 Nov 09:20. This cannot be undone." in typist.types("remove", "@last", "--yes").out
    assert len(memos(typist)) == 2
    said = typist.types("remove", "9:00", "@last", "--yes").out
    assert ", from Mon 16 Nov 09:00 to Mon 16 Nov 09:10. This" in said
    assert memos(typist) == []
    assert "No segment stands at @last" in typist.types("remove", "@last", "--yes", says=1).err


@rule("R4")
def test_removing_says_first_what_is_lost_and_asks(typist: Typist) -> None:
    said = typist.types("remove", "9-9:20", given="n\n", says=1)
    assert "2 segments, 20 tracked minutes, 2 pictures, 2 memos of Orchard website" in said.out
    assert "Nothing was changed" in said.err
    assert len(memos(typist)) == 3
    typist.types("remove", "9-9:20", given="y\n")
    assert len(memos(typist)) == 1


@rule("R4")
def test_the_words_of_a_removal_change_when_the_week_is_over(typist: Typist) -> None:
    assert typist.types("remove", "9:00", "--yes").out.startswith("Removes the snapshots and their time")
    typist.clock.put(Week(2026, 47).ends_at_ms)
    said = typist.types("--yes", "remove", "2026-11-16", "9:10").out
    assert said.startswith("Deletes the time and its snapshots")


@rule("R25")
def test_a_removal_cannot_be_undone(typist: Typist) -> None:
    typist.types("remove", "9:00", "--yes")
    assert typist.types("undo", says=1).err


@rule("R3")
def test_a_locked_week_is_refused_with_its_word_first(typist: Typist) -> None:
    typist.clock.put(Week(2026, 47).locked_at_ms + 60 * 60_000)
    said = typist.types("add", "2026-11-16 14-14:20", "Orchard", "too late", says=3)
    assert said.err.startswith("week_locked: ")
    assert said.err.count("\n  Mon 16 Nov 14:") == 2
    assert memos(typist) == ["Invoice page"] * 3


@rule("R9")
def test_a_paused_contract_takes_no_edit(typist: Typist) -> None:
    typist.types("contract", "pause", "Orchard")
    assert typist.types("edit", "9:00", "--memo", "x", says=3).err.startswith("contract_paused: ")
    typist.types("contract", "resume", "Orchard")
    typist.types("edit", "9:00", "--memo", "x")


def test_an_act_can_be_bound_to_one_contract(typist: Typist) -> None:
    typist.types("contract", "new", "Mill", "--manual-allowed")
    typist.types("add", "9:00-9:30", "Mill", "Ledger")
    typist.types("edit", "9-9:30", "--memo", "Books", "--contract", "mill")
    assert sorted(memos(typist)) == ["Books"] * 3 + ["Invoice page"] * 3


@rule("R37")
def test_refusals_are_listed_for_people_and_programs(typist: Typist) -> None:
    assert typist.json("refused") == []
    assert typist.types("refused").out == "Nothing was refused.\n"
