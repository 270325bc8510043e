"""What the parties said of a sealed week stands in its bundle and is checked with it (R38, R54, R59, R62)."""

import csv
import io

import msgspec
import pytest

from diary.evidence import bundle
from diary.evidence.verify import verify
from diary.rules.ids import Slot
from diary.rules.segment import stored_header
from tests.diary.evidence.bundles import SECRET_MEMO, TEN, Made, Parties, failing, parties_in
from tests.diary.pdf.printed import text_of
from tests.rule import rule

DISPUTED, REDACTED, SYNCED, ACCEPTED, LATE = (f"2026-11-18 10:{minute}0" for minute in range(5))


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> Parties:
    return parties_in(tmp_path_factory.mktemp("parties"))


def lines_of(made: Made) -> dict[str, dict[str, str]]:
    rows = csv.DictReader(io.StringIO(made.files[bundle.SEGMENTS].decode(), newline=""))
    return {row["start_utc"]: row for row in rows}


def says_of(made: Made, time: str) -> list[tuple[str, str]]:
    return [(line.outcome, line.says) for line in verify(made.whole).lines if line.about == f"{time} UTC"]


def without(made: Made, kind: str) -> bytes:
    """Return the bundle as its maker would make it without the rows of a type."""
    record = made.record
    rows = tuple(row for row in record.versions if stored_header(row.header.encode()).type != kind)
    left = {row.push for row in rows}
    pushes = {name: push for name, push in record.pushes.items() if name in left}
    return made.with_record(msgspec.structs.replace(record, versions=rows, pushes=pushes))


@rule("R59")
def test_a_bundle_of_a_week_that_was_talked_about_holds_on_either_side(said: Parties) -> None:
    for made in (said.whole_week, said.disputed, said.clients):
        assert failing(made.whole) == []


@rule("R38")
def test_late_time_that_was_accepted_bills_in_the_table_and_other_late_time_does_not(said: Parties) -> None:
    for made in (said.whole_week, said.clients):
        lines = lines_of(made)
        assert [(lines[at]["bills"], lines[at]["why_not"]) for at in (SYNCED, ACCEPTED, LATE)] == [
            ("yes", ""),
            ("yes", ""),
            ("no", "late"),
        ]
        (sums,) = csv.DictReader(io.StringIO(made.files[bundle.TOTALS].decode(), newline=""))
        assert (sums["billable"], sums["late"], sums["amount"]) == ("4", "1", "40.00")
    outcomes = says_of(said.whole_week, ACCEPTED)
    assert any(
        outcome == "holds" and "accepted by the client" in says and "tell me earlier" in says
        for outcome, says in outcomes
    )


@rule("R62")
def test_a_dispute_and_its_reply_are_shown_in_their_words(said: Parties) -> None:
    for made in (said.whole_week, said.disputed, said.clients):
        words = [says for outcome, says in says_of(made, DISPUTED) if outcome == "holds"]
        raised, replied = (says for says in words if " dispute was " in says)
        assert raised.startswith("a dispute was raised by the client")
        assert "“Nothing was done here”" in raised
        assert replied.startswith("the dispute was replied to by the freelancer")
        assert "“I read the contract, see the title”" in replied
        printed = text_of(made.files[bundle.PRINT])
        assert "Nothing was done here" in printed
        assert "I read the contract, see the title" in printed


@rule("R54")
def test_what_both_redacted_is_named_as_such_and_its_content_is_nowhere(said: Parties) -> None:
    for made in (said.whole_week, said.clients):
        assert says_of(made, REDACTED).count(("holds", "both parties had its content redacted")) == 1
        for report in (made.files[bundle.REPORT].decode(), text_of(made.files[bundle.PRINT])):
            assert "removed by both parties" in report
        line = lines_of(made)[REDACTED]
        assert (line["memo"], line["pictures"], line["bills"]) == ("", "", "yes")
        assert b"hour 1" not in b"".join(made.files.values())


@rule("R47")
def test_of_one_slot_only_what_was_said_of_it_is_shown(said: Parties) -> None:
    types = [stored_header(row.header.encode()).type for row in said.disputed.record.versions]
    assert types.count("dispute") == 2
    assert not {"acceptance", "redaction"} & set(types)


@rule("R59")
def test_an_act_that_is_left_out_or_of_another_slot_changes_what_the_tables_say(said: Parties) -> None:
    made = said.whole_week
    fails = failing(without(made, "acceptance"))
    assert (bundle.SEGMENTS, "line 5, bills: “yes” where the record has “no”") in fails
    other = msgspec.structs.replace(
        said.disputed.record,
        slots=(Slot(TEN + 9),),
        stated={},
        versions=tuple(
            row
            for row in said.disputed.record.versions
            if stored_header(row.header.encode()).type not in {"capture", "entry"}
        ),
    )
    assert any("of none of the slots" in says for _, says in failing(said.disputed.with_record(other)))


@rule("R47")
def test_a_key_that_opens_nothing_is_refused(said: Parties) -> None:
    made = said.whole_week
    rows = made.record.versions
    shut = [at for at, row in enumerate(rows) if row.key is None]
    assert {stored_header(rows[at].header.encode()).type for at in shut} >= {"device_list", "capture"}
    for at in shut:
        other = msgspec.structs.replace(rows[at], key=b"\0" * 32)
        changed = msgspec.structs.replace(made.record, versions=(*rows[:at], other, *rows[at + 1 :]))
        assert [says for _, says in failing(made.with_record(changed))] == [
            "a key is shown that opens nothing"
        ]


@rule("R59")
def test_nothing_of_the_acts_is_read_in_a_record_of_before(said: Parties) -> None:
    old = msgspec.structs.replace(said.whole_week.record, format=1)
    fails = failing(said.whole_week.with_record(old))
    assert {about for about, _ in fails} == {bundle.SEGMENTS, bundle.TOTALS}
    assert SECRET_MEMO not in said.whole_week.whole.decode(errors="replace")
