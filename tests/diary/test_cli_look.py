"""`today`, `week`, `show`, `search`, `report`, `config` and the state."""

import csv
import io
from pathlib import Path

import pytest

from diary.rules.week import Week
from tests.diary.typed import Typist, typist_with_a_morning
from tests.practice import instant
from tests.rule import rule


@pytest.fixture
def typist(tmp_path: Path) -> Typist:
    return typist_with_a_morning(tmp_path)


def test_status_says_the_fields_that_others_build_on(typist: Typist) -> None:
    told = typist.json("status")
    assert list(told) == [
        "tracking", "contract", "memo", "since", "today_minutes", "week_minutes", "unsynced", "held",
        "late_held", "refused", "refused_deletions", "synced_at", "sync_fault", "idle_minutes", "before_lock",
        "unanswered_since",
    ]  # fmt: skip
    assert (told["tracking"], told["today_minutes"], told["week_minutes"]) == (False, 30, 30)


def test_alone_it_says_the_state_in_one_line(typist: Typist) -> None:
    said = typist.types().out
    assert said.count("\n") == 1
    assert "Not tracking" in said
    assert "0:30" in said


def test_a_week_as_json_has_the_fields_that_others_build_on(typist: Typist) -> None:
    told = typist.json("week")
    assert list(told) == ["week", "locked_at", "frozen", "totals", "segments", "seals"]
    assert (told["week"], told["locked_at"], told["frozen"]) == ("2026-W47", "2026-11-23T12:00:00Z", False)
    assert list(told["segments"][0]) == [
        "contract", "slot", "start", "kind", "state", "memo", "label", "activity", "minutes", "application",
        "title", "pictures", "received_at", "synced", "bills", "why_not", "picture_missing",
        "accepted", "disputed", "redacted",
    ]  # fmt: skip
    assert told["segments"][0]["start"] == "2026-11-16T09:00:00Z"
    assert len(told["segments"][0]["minutes"]) == 10


def test_json_may_be_asked_for_before_the_command_too(typist: Typist) -> None:
    assert typist.types("--json", "week").out == typist.types("week", "--json").out


def test_what_shows_nothing_gives_no_json(typist: Typist) -> None:
    assert "JSON" in typist.types("--json", "undo", says=2).err


@rule("R24")
def test_a_week_is_shown_as_memo_bars_with_words_beside_their_colours(typist: Typist) -> None:
    said = typist.types("week").out
    assert "09:00" in said
    assert "09:30" in said
    assert "automatic" in said
    assert "Invoice page" in said
    assert "30.00 USD" in said


@rule("R4")
def test_a_week_says_how_long_it_can_be_changed(typist: Typist) -> None:
    assert "2026-11-23T12:00:00Z" in typist.types("week").out
    assert "7 days 2 h left" in typist.types("week").out
    typist.clock.put(Week(2026, 47).locked_at_ms)
    assert "frozen since" in typist.types("week", "last").out


@rule("R5")
def test_times_are_shown_in_the_zone_that_is_set_or_in_utc(typist: Typist) -> None:
    typist.types("config", "zone", "Asia/Kathmandu")
    assert "14:45" in typist.types("today").out
    assert "09:00" in typist.types("--utc", "today").out
    typist.types("config", "clock_24h", "off")
    assert "2:45 pm" in typist.types("today").out


def test_lines_of_the_last_list_can_be_named(typist: Typist) -> None:
    typist.types("today")
    assert "09:10–09:20" in typist.types("show", "@2").out
    typist.types("week")
    assert len(typist.json("show", "@1")) == 3


def test_the_last_list_holds_places_and_no_content(typist: Typist) -> None:
    typist.types("today")
    kept = (typist.home / "last-list.json").read_text(encoding="utf-8")
    assert "Invoice" not in kept
    assert "Orchard" not in kept


@rule("R26")
def test_show_tells_everything_also_the_memo_it_had_before(typist: Typist) -> None:
    typist.types("edit", "9:00", "--memo", "Invoice page, again")
    said = typist.types("show", "9:00").out
    for word in ("Orchard website", "Invoice page, again", "'Invoice page'", "12 keys", "10 of 10 tracked"):
        assert word in said


@rule("R31")
def test_search_finds_memos_labels_applications_and_titles(typist: Typist) -> None:
    for word in ("INVOICE", "design", "editor", "practice —"):
        assert len(typist.json("search", word)) == 3
    assert typist.json("search", "nowhere") == []
    assert "Nothing holds" in typist.types("search", "nowhere", says=1).err


@rule("R31")
def test_sums_leave_out_what_does_not_bill_and_say_so(typist: Typist) -> None:
    typist.types("contract", "terms", "Orchard", "--limit", "20m")
    sums = typist.json("report", "--by", "label")
    assert sums == [{"label": "Design", "minutes": 30, "billable_minutes": 30, "not_billable_minutes": 0}]
    # A lowered limit holds from the next Monday.
    typist.types("contract", "new", "Free advice", "--fixed-price", "--manual-allowed")
    typist.types("add", "9:30Z-9:40Z", "Free", "Advice", says=2)
    typist.types("add", "9:00-9:30", "Free", "Advice")
    by_contract = {row["contract"]: row for row in typist.json("report", "--by", "contract")}
    assert by_contract["Free advice"]["billable_minutes"] == 0
    assert "Does not bill: 0:30" in typist.types("report").out


def test_sums_can_be_read_as_csv(typist: Typist) -> None:
    rows = list(csv.DictReader(io.StringIO(typist.types("report", "--by", "day,app", "--csv").out)))
    assert rows == [
        {
            "day": "2026-11-16",
            "app": "editor",
            "minutes": "30",
            "billable_minutes": "30",
            "not_billable_minutes": "0",
        }
    ]


def test_there_are_no_sums_by_what_a_segment_has_not(typist: Typist) -> None:
    assert "colour" in typist.types("report", "--by", "colour", says=2).err


def test_a_memo_moves_no_cursor_and_turns_no_text(typist: Typist) -> None:
    typist.types("edit", "9:00", "--memo", "red \x1b[31m then \u202edrawkcab\nsecond [bold]line[/bold]")
    said = typist.types("today").out
    assert "\x1b" not in said
    assert "\u202e" not in said
    assert "second [bold]line[/bold]" in said


def test_settings_are_listed_shown_and_set(typist: Typist) -> None:
    assert typist.json("config")["hold_seconds"] == 60
    typist.types("config", "hold_seconds", "90")
    assert typist.types("config", "hold_seconds").out.startswith("hold_seconds = 90\n")
    assert "It takes" in typist.types("config", "hold_seconds", "many", says=2).err.replace(
        "it takes", "It takes"
    )
    assert "hold_seconds" in typist.types("config", "nothing", says=2).err


def test_today_is_empty_before_anything_is_recorded(typist: Typist) -> None:
    typist.clock.put(instant("2026-11-18T10:00Z"))
    assert "Nothing recorded today" in typist.types("today").out
    assert "Nothing stands" in typist.types("week", "2026-W30").out
