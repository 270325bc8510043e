"""Import: what a line of time claims, in which file and zone, and what is never guessed (R5, R21)."""

from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diary.importing import AmbiguousDatesError, Line, NoImportError, claims, read
from diary.rules.ids import SLOT_MILLIS, Millis, Slot
from tests.diary.typed import Typist, typist_with_a_morning
from tests.practice import instant, slot
from tests.rule import rule

UTC = ZoneInfo("UTC")
BERLIN = ZoneInfo("Europe/Berlin")
TOGGL = (
    "User,Email,Client,Project,Task,Description,Billable,"
    "Start date,Start time,End date,End time,Duration,Tags\n"
    "Ada,ada@example.org,Orchard,Orchard website,,Invoice page,Yes,2026-11-16,10:00:00,2026-11-16,11:02:30,"
    '01:02:30,"Design, urgent"\n'
)
CLOCKIFY = (
    '"Project","Client","Description","Task","User","Group","Email","Tags","Billable",'
    '"Start Date","Start Time","End Date","End Time","Duration (h)","Duration (decimal)"\n'
    '"Orchard website","Orchard","Refunds","","Ada","","ada@example.org","","Yes","11/16/2026","09:00:00 AM",'
    '"11/16/2026","12:30:00 PM","03:30:00","3.50"\n'
)
PLAIN = "start,end,contract,memo,label\n2026-11-16 10:00,2026-11-16T09:30Z,Orchard website,Call,Code\n"


def line(number: int, starts_ms: int, ends_ms: int, memo: str = "") -> Line:
    return Line(number, "P", "", memo or f"line {number}", (), Millis(starts_ms), Millis(ends_ms))


def test_a_toggl_report_is_read_in_the_owners_zone() -> None:
    found = read(TOGGL, "toggl.csv", BERLIN)
    assert (found.kind, found.faults) == ("toggl", ())
    (only,) = found.lines
    assert (only.project, only.client, only.memo, only.tags) == (
        "Orchard website",
        "Orchard",
        "Invoice page",
        ("Design", "urgent"),
    )
    assert (only.starts_at_ms, only.ends_at_ms) == (
        instant("2026-11-16T09:00Z"),
        instant("2026-11-16T10:02:30Z"),
    )


def test_a_clockify_report_has_twelve_hour_times_and_dates_of_its_owners_kind() -> None:
    found = read("\ufeff" + CLOCKIFY, "clockify.csv", UTC)
    assert found.kind == "clockify"
    assert [(each.starts_at_ms, each.ends_at_ms) for each in found.lines] == [
        (instant("2026-11-16T09:00Z"), instant("2026-11-16T12:30Z"))
    ]


def test_a_plain_csv_may_have_semicolons_offsets_and_local_times() -> None:
    (only,) = read(PLAIN.replace(",", ";"), "mine.csv", BERLIN).lines
    assert (only.starts_at_ms, only.ends_at_ms) == (
        instant("2026-11-16T09:00Z"),
        instant("2026-11-16T09:30Z"),
    )
    assert (only.memo, only.tags) == ("Call", ("Code",))


def test_dates_that_can_be_read_in_two_ways_are_never_guessed() -> None:
    either = CLOCKIFY.replace("11/16/2026", "11/06/2026")
    with pytest.raises(AmbiguousDatesError):
        read(either, "clockify.csv", UTC)
    assert read(either, "c.csv", UTC, "mdy").lines[0].starts_at_ms == instant("2026-11-06T09:00Z")
    assert read(either, "c.csv", UTC, "dmy").lines[0].starts_at_ms == instant("2026-06-11T09:00Z")


@pytest.mark.parametrize(
    "text", ["", "a,b\n1,2\n", "start,end\n", "\x00\x01", '"start,end\n1,2\n', "no heading at all"]
)
def test_what_is_no_such_file_says_what_would_be(text: str) -> None:
    with pytest.raises(NoImportError, match="cannot be imported"):
        read(text, "x.csv", UTC)


@pytest.mark.parametrize(
    ("start", "end", "because"),
    [
        ("soon", "2026-11-16 10:00", "is no time"),
        ("2026-11-16 10:00", "2026-11-16 09:00", "ends before it begins"),
        ("2026-11-16 10:00", "2026-11-18 10:00", "longer than a day"),
        ("2026-03-29 02:30", "2026-03-29 05:00", "clocks went forward"),
    ],
)
@rule("R5")
def test_a_faulty_line_is_named_and_stands_in_no_others_way(start: str, end: str, because: str) -> None:
    found = read(f"{PLAIN}{start},{end},P,m,\n", "x.csv", BERLIN)
    assert len(found.lines) == 1
    assert found.faults[0].number == 3
    assert because in found.faults[0].because


@rule("R21")
def test_a_slot_is_claimed_when_half_of_it_is_covered_with_the_memo_that_covers_most() -> None:
    nine = instant("2026-11-16T09:00Z")
    minute = 60_000
    found = claims(
        [
            line(2, nine + 6 * minute, nine + 12 * minute),
            line(3, nine + 12 * minute, nine + 15 * minute),
            line(4, nine + 40 * minute, nine + 44 * minute),
        ]
    )
    assert [(claim.memo, claim.slots) for claim in found] == [("line 3", (slot("2026-11-16T09:10Z"),))]


SPANS = st.lists(st.tuples(st.integers(0, 600), st.integers(1, 200)), min_size=1, max_size=8)


@rule("R21")
@given(spans=SPANS)
def test_claims_hold_each_slot_once_and_agree_with_a_minute_by_minute_count(
    spans: list[tuple[int, int]],
) -> None:
    nine, minute = instant("2026-11-16T09:00Z"), 60_000
    lines = [
        line(number, nine + start * minute, nine + (start + length) * minute)
        for number, (start, length) in enumerate(spans, start=2)
    ]
    minutes: dict[int, int] = {}
    for start, length in spans:
        for each in range(start, start + length):
            minutes[(nine + each * minute) // SLOT_MILLIS] = (
                minutes.get((nine + each * minute) // SLOT_MILLIS, 0) + 1
            )
    expected = {Slot(at) for at, covered in minutes.items() if covered >= 5}
    found = [at for claim in claims(lines) for at in claim.slots]
    assert len(found) == len(set(found))
    assert set(found) == expected


@pytest.fixture
def typist(tmp_path: Path) -> Typist:
    found = typist_with_a_morning(tmp_path)
    found.clock.put(instant("2026-11-16T20:00Z"))
    return found


@rule("R21")
def test_a_dry_run_says_what_would_be_added_and_adds_nothing(typist: Typist) -> None:
    file = typist.home / "toggl.csv"
    file.write_text(TOGGL.replace("10:00:00", "09:00:00"), encoding="utf-8")
    said = typist.types("import", str(file), "--dry-run").out
    assert "a report of Toggl" in said
    assert "1:30 to add" in said
    assert "0:30 stand in the diary already" in said
    assert len(typist.json("week")["segments"]) == 3


@rule("R21")
def test_what_is_imported_is_manual_time_once_however_often(typist: Typist) -> None:
    file = typist.home / "toggl.csv"
    file.write_text(TOGGL, encoding="utf-8")
    assert "1:00 added as manual time." in typist.types("import", str(file), "--yes").out
    added = [one for one in typist.json("week")["segments"] if one["kind"] == "manual"]
    assert [(one["memo"], one["label"]) for one in added] == [("Invoice page", "Design")] * 6
    assert "capture_exists" in typist.types("import", str(file), "--yes", says=3).err
    assert len(typist.json("week")["segments"]) == 9


@rule("R3")
@rule("R21")
def test_a_locked_week_and_an_unknown_project_are_said(typist: Typist) -> None:
    file = typist.home / "old.csv"
    file.write_text(
        "start,end,contract,memo\n2026-11-02 09:00,2026-11-02 10:00,Quarry,Old\n", encoding="utf-8"
    )
    assert "“Quarry”" in typist.types("import", str(file), says=2).err
    said = typist.types("import", str(file), "--map", "Quarry=Orchard website", "--yes", says=3).err
    assert said.startswith("week_locked: ")
    assert typist.types("import", str(file), "--contract", "Orchard", "--dry-run").err.startswith(
        "week_locked"
    )
