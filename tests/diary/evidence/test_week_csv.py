"""The week's table for a dispute, read back as others read it."""

import csv
import io
from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diary.evidence.table_text import safe_text
from diary.evidence.week_csv import (
    SEGMENT_COLUMNS,
    TOTALS_COLUMNS,
    segments_csv,
    totals_csv,
)
from diary.rules.ids import ContractId, Millis, ReplicaId, Slot
from diary.rules.sealed_content import MinuteCounts
from diary.rules.timesheet import SegmentView, SnapshotView, Totals
from diary.rules.week import Week, ends_at_ms
from tests.rule import rule

CONTRACT = ContractId("c0" * 16)
KATHMANDU = ZoneInfo("Asia/Kathmandu")
SLOT = Week(2026, 47).first_slot

HOSTILE = (
    '=HYPERLINK("http://x.example","pay")',
    "+1+1",
    "-2+3",
    "@SUM(A1:A9)",
    "\t=1",
    "\r=1",
    "＝1+1",
    "<script>alert(1)</script>",
    'he said "stop", then\r\nleft\na line',
    "a,b;c | d",
    "\u202eworra\u202c שלום مرحبا",
    "memo " * 800,
    "",
)

SEGMENT = SegmentView(
    contract=CONTRACT,
    contract_title="Orchard website",
    client="Orchard",
    slot=SLOT,
    kind="automatic",
    state="synced",
    memo="Invoice page",
    label="Design",
    activity=7,
    minutes=(MinuteCounts(40, 2, 1, True), MinuteCounts(2, 0, 0, True), *[None] * 8),
    applications=("code", "chromium"),
    titles=("invoice.py", "Invoice"),
    snapshots=(SnapshotView(Millis(5), "aa" * 32, "bb" * 32, "", "laptop"),),
    masked=False,
    no_picture=(),
    devices=("laptop",),
    received_at_ms=Millis(ends_at_ms(SLOT) + 61_500),
    leaf_index=4,
    bills=True,
    why_not=None,
    life=0,
    versions=((ReplicaId("a0" * 16), 3),),
    defective=False,
    hourly=True,
)


def read(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline=""), strict=True))


def line(segment: SegmentView, zone: ZoneInfo = KATHMANDU) -> dict[str, str]:
    (only,) = read(segments_csv([segment], zone=zone, picture_files=None))
    return only


@rule("R58")
def test_a_line_says_all_that_a_dispute_asks_for() -> None:
    assert line(SEGMENT) == {
        "week": "2026-W47",
        "start_utc": "2026-11-16 00:00",
        "start_local": "2026-11-16 05:45",
        "utc_offset": "UTC+05:45",
        "contract": "Orchard website",
        "client": "Orchard",
        "kind": "automatic",
        "state": "synced",
        "bills": "yes",
        "why_not": "",
        "memo": "Invoice page",
        "label": "Design",
        "activity_minutes": "7",
        "tracked_minutes": "2",
        "keystrokes": "42",
        "clicks": "2",
        "scrolls": "1",
        "applications": "code | chromium",
        "titles": "invoice.py | Invoice",
        "pictures": "aa" * 32,
        "masked": "no",
        "no_picture_reason": "",
        "devices": "laptop",
        "received_at_utc": "2026-11-16 00:11:01",
        "delay_seconds": "61",
        "leaf_index": "4",
    }


@rule("R58")
def test_columns_stand_in_the_order_that_others_rely_on() -> None:
    assert segments_csv([], zone=KATHMANDU, picture_files=None) == ",".join(SEGMENT_COLUMNS) + "\r\n"
    assert totals_csv([]) == ",".join(TOTALS_COLUMNS) + "\r\n"


@rule("R14")
def test_what_was_not_counted_is_empty_and_not_zero() -> None:
    wayland = replace(SEGMENT, minutes=(MinuteCounts(None, None, None, True), *[None] * 9))
    assert (line(wayland)["keystrokes"], line(wayland)["clicks"], line(wayland)["scrolls"]) == ("", "", "")
    still = replace(SEGMENT, minutes=(MinuteCounts(0, 0, 0, False), *[None] * 9))
    assert line(still)["keystrokes"] == "0"
    claimed = line(replace(SEGMENT, kind="manual", minutes=(None,) * 10, activity=0))
    assert (claimed["activity_minutes"], claimed["tracked_minutes"]) == ("", "0")


@rule("R58")
def test_a_segment_that_nobody_received_says_nothing_of_receipt() -> None:
    unsent = line(replace(SEGMENT, state="unsynced", received_at_ms=None, leaf_index=None))
    assert (unsent["received_at_utc"], unsent["delay_seconds"], unsent["leaf_index"]) == ("", "", "")


@rule("R41")
def test_a_picture_that_did_not_come_is_named_and_said_to_be_missing() -> None:
    missing = line(replace(SEGMENT, snapshots=(replace(SEGMENT.snapshots[0], missing=True),)))
    assert (missing["pictures"], missing["no_picture_reason"]) == ("aa" * 32, "missing")


@rule("R58")
def test_a_deleted_segment_has_no_line() -> None:
    deleted = replace(SEGMENT, state="deleted", slot=Slot(SLOT + 1))
    assert len(read(segments_csv([SEGMENT, deleted], zone=KATHMANDU, picture_files=None))) == 1


@rule("R58")
def test_pictures_are_named_as_the_files_beside_the_table() -> None:
    files = {(CONTRACT, SLOT): ("pictures/20261116T0000Z.avif", "pictures/20261116T0000Z-2.avif")}
    (only,) = read(segments_csv([SEGMENT], zone=KATHMANDU, picture_files=files))
    assert only["pictures"] == "pictures/20261116T0000Z.avif | pictures/20261116T0000Z-2.avif"
    (none,) = read(segments_csv([SEGMENT], zone=KATHMANDU, picture_files={}))
    assert not none["pictures"]


@rule("R58")
@pytest.mark.parametrize("text", HOSTILE)
def test_no_formula_runs_whatever_the_memo_says(text: str) -> None:
    hostile = replace(
        SEGMENT, memo=text, titles=(text,), label=text, client=text, devices=(text,), contract_title=text
    )
    for cell in line(hostile).values():
        assert not cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n", "＝"))
    assert line(hostile)["memo"].replace("'", "") == text


@rule("R58")
@given(st.lists(st.text(max_size=60) | st.sampled_from(HOSTILE), min_size=1, max_size=6))
def test_what_is_read_back_is_what_was_written(memos: list[str]) -> None:
    segments = [replace(SEGMENT, slot=Slot(SLOT + n), memo=memo) for n, memo in enumerate(memos)]
    read_back = read(segments_csv(reversed(segments), zone=KATHMANDU, picture_files=None))
    assert [row["memo"] for row in read_back] == [safe_text(memo) for memo in memos]
    assert all(row["leaf_index"] == "4" for row in read_back)


@rule("R58")
def test_negative_numbers_stay_numbers() -> None:
    early = replace(SEGMENT, received_at_ms=Millis(ends_at_ms(SLOT) - 30_000))
    assert line(early)["delay_seconds"] == "-30"


@rule("R61")
def test_the_sums_name_their_week_and_money_as_it_is_written() -> None:
    total = Totals(
        contract=CONTRACT,
        contract_title="=Orchard",
        segments=12,
        automatic=10,
        manual=2,
        over_limit=1,
        late=1,
        overlapping=0,
        billable=10,
        limit_minutes=600,
        rate_minor=6050,
        currency="USD",
        amount_minor=10083,
    )
    assert read(totals_csv([(Week(2026, 47), [total])])) == [
        {
            "week": "2026-W47", "contract": "'=Orchard", "segments": "12", "automatic": "10", "manual": "2",
            "over_limit": "1", "late": "1", "overlapping": "0", "billable": "10", "rate": "60.50",
            "currency": "USD", "amount": "100.83",
        }
    ]  # fmt: skip
