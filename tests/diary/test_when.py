"""How a person writes times."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diary.rules.ids import ContractId, Slot
from diary.rules.timesheet import Place
from diary.rules.week import Week
from diary.when import (
    BadTimeError,
    NotListedError,
    Span,
    duration_of,
    selection_of,
    span_of,
    spans_of,
    week_of,
)
from diary.zone import machine_zone
from tests.rule import rule

BERLIN = ZoneInfo("Europe/Berlin")
KATHMANDU = ZoneInfo("Asia/Kathmandu")
CONTRACT = ContractId("c0" * 16)
LISTED: list[tuple[Place, ...]] = [((CONTRACT, Slot(100 + line)),) for line in range(1, 5)]
LISTED.append(((CONTRACT, Slot(200)), (CONTRACT, Slot(201))))  # a line may stand for several


def ms(iso: str) -> int:
    return int(datetime.fromisoformat(iso).timestamp() * 1000)


NOW = ms("2026-11-25T15:04Z")  # a Wednesday, 16:04 in Berlin


def span(first: str, last: str) -> Span:
    return Span(ms(first), ms(last))  # type: ignore[arg-type]  # Millis are ints


@pytest.mark.parametrize(
    ("words", "spans"),
    [
        (["9:00"], [span("2026-11-25T08:00Z", "2026-11-25T08:10Z")]),
        (["9:07"], [span("2026-11-25T08:00Z", "2026-11-25T08:10Z")]),
        (["9-10:30"], [span("2026-11-25T08:00Z", "2026-11-25T09:30Z")]),
        (["22-24"], [span("2026-11-25T21:00Z", "2026-11-25T23:00Z")]),
        (["yesterday", "14:00"], [span("2026-11-24T13:00Z", "2026-11-24T13:10Z")]),
        (["yesterday 14:00"], [span("2026-11-24T13:00Z", "2026-11-24T13:10Z")]),
        (["monday", "9-10"], [span("2026-11-23T08:00Z", "2026-11-23T09:00Z")]),
        (["wednesday", "9-10"], [span("2026-11-25T08:00Z", "2026-11-25T09:00Z")]),
        (["thursday", "9-10"], [span("2026-11-19T08:00Z", "2026-11-19T09:00Z")]),
        (["2026-11-23T09:10Z"], [span("2026-11-23T09:10Z", "2026-11-23T09:20Z")]),
        (["2026-11-23T09:10"], [span("2026-11-23T08:10Z", "2026-11-23T08:20Z")]),
        (["2026-11-23T09:10+05:30"], [span("2026-11-23T03:40Z", "2026-11-23T03:50Z")]),
        (["2026-11-23T09:10Z/2026-11-23T11:00Z"], [span("2026-11-23T09:10Z", "2026-11-23T11:00Z")]),
        (["9:00Z"], [span("2026-11-25T09:00Z", "2026-11-25T09:10Z")]),
        (["9-10Z"], [span("2026-11-25T09:00Z", "2026-11-25T10:00Z")]),
        (["yesterday"], [span("2026-11-23T23:00Z", "2026-11-24T23:00Z")]),
        (["30m"], [span("2026-11-25T14:34Z", "2026-11-25T15:04Z")]),
        (["now"], [span("2026-11-25T15:00Z", "2026-11-25T15:10Z")]),
        (
            ["9:00,9:20", "yesterday", "8:00"],
            [
                span("2026-11-25T08:00Z", "2026-11-25T08:10Z"),
                span("2026-11-25T08:20Z", "2026-11-25T08:30Z"),
                span("2026-11-24T07:00Z", "2026-11-24T07:10Z"),
            ],
        ),
    ],
)
@rule("R5")
def test_times_are_read_as_they_are_written(words: list[str], spans: list[Span]) -> None:
    assert list(spans_of(words, now_ms=NOW, zone=BERLIN)) == spans


@rule("R1")
def test_a_stretch_selects_every_slot_it_touches_and_no_other() -> None:
    hour = span_of("9:05-9:25", now_ms=NOW, zone=BERLIN)
    assert [slot * 600_000 for slot in hour.slots] == [
        ms(f"2026-11-25T08:{minute}Z") for minute in ("00", "10", "20")
    ]
    assert not hour.is_whole


@rule("R21")
def test_whole_slots_start_at_five_past_in_kathmandu() -> None:
    assert span_of("9:05-9:25", now_ms=NOW, zone=KATHMANDU).is_whole
    assert not span_of("9:00-9:20", now_ms=NOW, zone=KATHMANDU).is_whole


@pytest.mark.parametrize(
    "text",
    ["", "9", "25:00", "24:10", "9:60", "10-9", "soon", "9:00-", "-", "@", "@x", "2026-02-30", "Z",
     "2026-11-23T25:00Z", "0000-01-01", "9999-12-31", "1969-12-31", "9:00/10:00", "99999m",
     "2026-11-01T00:00Z/2026-11-23T00:00Z"],
)  # fmt: skip
def test_what_is_no_time_is_said_with_an_example_of_what_is(text: str) -> None:
    with pytest.raises(BadTimeError) as caught:
        selection_of([text], now_ms=NOW, zone=BERLIN, listed=LISTED)
    assert caught.value.exit_code == 2
    assert text in caught.value.what_happened
    assert "h" in caught.value.how_to_mend or "9:00" in caught.value.how_to_mend


@rule("R5")
def test_an_hour_that_the_zone_left_out_is_no_time_and_a_repeated_one_is_its_first() -> None:
    with pytest.raises(BadTimeError, match="went forward"):
        spans_of(["2026-03-29", "2:30"], now_ms=NOW, zone=BERLIN)
    first = span_of("2026-10-25 2:30", now_ms=NOW, zone=BERLIN)
    assert first.starts_at_ms == ms("2026-10-25T00:30Z")


@rule("R5")
@pytest.mark.parametrize(("day", "hours"), [("2026-03-29", 23), ("2026-10-25", 25), ("2026-11-25", 24)])
def test_a_whole_day_has_the_hours_that_the_zone_gives_it(day: str, hours: int) -> None:
    assert len(spans_of([day], now_ms=NOW, zone=BERLIN)[0].slots) == hours * 6


def test_lines_of_the_last_list_are_counted_from_one() -> None:
    chosen = selection_of(["@3", "@4-5", "@3"], now_ms=NOW, zone=BERLIN, listed=LISTED)
    assert chosen == tuple((CONTRACT, slot) for slot in (103, 104, 200, 201))
    for missing in ("@0", "@6", "@4-6", "@5-4"):
        with pytest.raises(NotListedError) as caught:
            selection_of([missing], now_ms=NOW, zone=BERLIN, listed=LISTED)
        assert caught.value.exit_code == 2


def test_a_selection_holds_each_slot_once() -> None:
    chosen = selection_of(["9-9:20", "9:10"], now_ms=NOW, zone=BERLIN)
    assert len(chosen) == len(set(chosen)) == 2


@rule("R2")
def test_weeks_have_names_and_words() -> None:
    assert week_of("this", now_ms=NOW) == Week(2026, 48)
    assert week_of("last", now_ms=NOW) == Week(2026, 47)
    assert week_of("2026-w47", now_ms=NOW) == Week(2026, 47)
    for bad in ("47", "2026-W54", "next", ""):
        with pytest.raises(BadTimeError, match="week"):
            week_of(bad, now_ms=NOW)


def test_durations_are_minutes() -> None:
    assert [duration_of(text) for text in ("30m", "2h", "1h30m", "90min")] == [30, 120, 90, 90]
    for bad in ("", "0m", "h", "30", "1d", "999h", "-5m"):
        with pytest.raises(BadTimeError) as caught:
            duration_of(bad)
        assert "30m" in caught.value.how_to_mend


instants = st.integers(ms("1971-01-01T00:00Z") // 60_000, ms("2200-01-01T00:00Z") // 60_000).map(
    lambda minute: datetime.fromtimestamp(minute * 60, UTC)
)
zones = st.sampled_from(["UTC", "Europe/Berlin", "Asia/Kathmandu", "America/St_Johns", "Australia/Lord_Howe"])


@rule("R5")
@given(instants, zones)
def test_an_instant_written_in_any_form_is_read_back(at: datetime, zone_name: str) -> None:
    zone = ZoneInfo(zone_name)
    slot = int(at.timestamp()) // 600 * 600_000
    local = at.astimezone(zone)
    written = [f"{at:%Y-%m-%dT%H:%MZ}", f"{at:%Y-%m-%d} {at:%H:%M}Z"]
    is_first = local.replace(fold=0).astimezone(UTC) == at
    written += [f"{local:%Y-%m-%dT%H:%M}", f"{local:%Y-%m-%d %H:%M}"] if is_first else []
    assert {span_of(text, now_ms=NOW, zone=zone).starts_at_ms for text in written} == {slot}


@given(
    st.lists(st.text(max_size=12) | st.from_regex(r"@?\d{0,5}[:hmZ/ -]?\d{0,4}", fullmatch=True), max_size=4)
)
def test_anything_typed_is_understood_or_refused_with_an_error_of_ours(words: list[str]) -> None:
    try:
        chosen = selection_of(words, now_ms=NOW, zone=KATHMANDU, listed=LISTED)
    except (BadTimeError, NotListedError):
        return
    assert 1 <= len(chosen) <= 1008


def test_the_machines_zone_is_the_one_that_tz_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Asia/Kathmandu")
    assert machine_zone().key == "Asia/Kathmandu"
    monkeypatch.setenv("TZ", "no such place")
    assert machine_zone().key
