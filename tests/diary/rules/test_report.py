"""Sums by what a segment has: nothing is counted twice, and what does not bill is in no total (R31)."""

from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from diary.rules.report import KEYS, Key, columns, row, rows_json, sums_by, together
from diary.rules.timesheet import NOT_COUNTED, SegmentView
from tests.plugins.views import SHELTER, manual, segment
from tests.rule import rule

UTC = ZoneInfo("UTC")
TIMES = [f"2026-11-{day}T{hour:02}:{minute}0" for day in (17, 18) for hour in (0, 9, 23) for minute in (0, 3)]
SEGMENTS = st.lists(
    st.builds(
        segment,
        st.sampled_from(TIMES),
        state=st.sampled_from(("synced", "unsynced", "late", "draft", "deleted", "refused")),
        bills=st.booleans(),
        label=st.sampled_from(("", "Code", "Design")),
        applications=st.sampled_from(((), ("Code",), ("Code", "Firefox"))),
        contract_title=st.sampled_from(("Orchard", "Night shelter")),
    ),
    max_size=12,
)


@rule("R31")
@given(SEGMENTS, st.permutations(KEYS), st.integers(1, 4), st.sampled_from(("UTC", "Asia/Kathmandu")))
def test_whatever_sums_go_by_they_come_to_the_same(
    segments: list[SegmentView], keys: list[Key], length: int, zone: str
) -> None:
    counted = [one for one in segments if one.state not in NOT_COUNTED]
    whole = together(sums_by(tuple(keys[:length]), segments, ZoneInfo(zone)))
    assert (whole.segments, whole.billable) == (len(counted), sum(one.bills for one in counted))
    assert whole.not_billable == sum(not one.bills for one in counted)


@rule("R31")
def test_what_does_not_bill_is_counted_apart_for_each_key() -> None:
    given = [
        segment("2026-11-18T09:00", label="Code"),
        segment("2026-11-18T09:10", label="Code", bills=False, why_not="over_limit"),
        manual("2026-11-18T09:20", label="", contract=SHELTER, contract_title="Night shelter"),
    ]
    assert rows_json(("label",), sums_by(("label",), given, UTC)) == [
        {"label": "", "minutes": 10, "billable_minutes": 10, "not_billable_minutes": 0},
        {"label": "Code", "minutes": 20, "billable_minutes": 10, "not_billable_minutes": 10},
    ]


@rule("R5")
def test_a_day_is_the_one_of_the_zone_in_which_the_slot_starts() -> None:
    given = [segment("2026-11-18T18:10"), segment("2026-11-18T18:20")]
    by_day = sums_by(("day",), given, ZoneInfo("Asia/Kathmandu"))
    assert [row(one) for one in by_day] == [("2026-11-18", 10, 10, 0), ("2026-11-19", 10, 10, 0)]


def test_several_keys_stand_in_the_order_they_were_asked_for() -> None:
    given = [segment("2026-11-18T09:00", label="Code"), segment("2026-11-17T09:00", label="Design")]
    assert columns(("label", "day"))[:2] == ("label", "day")
    assert [one.key for one in sums_by(("label", "day"), given, UTC)] == [
        ("Code", "2026-11-18"),
        ("Design", "2026-11-17"),
    ]
