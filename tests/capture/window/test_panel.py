"""What the window says and offers, for any state of a diary."""

from dataclasses import replace
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from capture.window.panel import Choice, Facts, LastSnapshot, panel_of, recent
from diary.idling import IdleQuestion
from diary.rules.ids import ContractId, Millis, Slot
from tests.practice import instant
from tests.rule import rule

NOON = instant("2026-11-18T12:00Z")
MILL, BAKERY = Choice(ContractId("a" * 32), "Mill", ("drawing",)), Choice(ContractId("b" * 32), "Bakery")
SHOT = LastSnapshot((MILL.id, Slot(2_991_600)), "Mill", instant("2026-11-18T11:53Z"), "f" * 64, held=True)
AWAY = IdleQuestion(
    contract=MILL.id,
    since_ms=instant("2026-11-18T11:40Z"),
    until_ms=instant("2026-11-18T11:50Z"),
    minutes=10,
)
OFF = Facts(
    now_ms=NOON,
    zone=ZoneInfo("Asia/Kathmandu"),
    clock_24h=True,
    choices=(MILL, BAKERY),
    tracked=None,
    last=None,
    since_ms=None,
    paused_until_ms=None,
    memo="",
    label="",
    recent_memos=(),
    today_minutes=200,
    week_minutes=1060,
    limit_minutes=None,
    billable=0,
    waiting=((0, "not sent yet"), (3, "held back")),
    warnings=(),
    loud=(),
    idle=None,
    snapshot=None,
    has_tracker=True,
    has_server=True,
)
ON = replace(OFF, tracked=MILL.id, last=MILL.id, since_ms=instant("2026-11-18T09:10Z"), memo="the north wing")

minutes = st.integers(0, 10_000)
facts = st.builds(
    replace,
    st.sampled_from([OFF, ON]),
    choices=st.sampled_from([(), (MILL,), (BAKERY,), (MILL, BAKERY)]),
    last=st.sampled_from([None, MILL.id, BAKERY.id]),
    paused_until_ms=st.sampled_from([None, Millis(NOON - 1), Millis(NOON + 60_000)]),
    limit_minutes=st.none() | minutes,
    billable=st.integers(0, 1_100),
    snapshot=st.sampled_from([None, SHOT]),
    idle=st.sampled_from([None, AWAY]),
    has_tracker=st.booleans(),
    has_server=st.booleans(),
)


@rule("R11")
@given(facts, st.sampled_from([None, MILL.id, BAKERY.id]))
def test_whatever_the_diary_says_the_acts_offered_are_those_that_would_do_something(
    facts: Facts, wanted: ContractId | None
) -> None:
    panel = panel_of(facts, wanted)
    is_on = facts.tracked is not None
    assert ("stop" in panel.acts) == is_on
    assert ("start" in panel.acts) == (not is_on and bool(facts.choices))
    assert ("switch" in panel.acts) == (is_on and panel.chosen != facts.tracked)
    assert ("pause" in panel.acts) == (panel.state == "on")
    assert ("continue" in panel.acts) == (is_on and (panel.state == "paused" or not facts.has_tracker))
    assert ("remove" in panel.acts) == (facts.snapshot is not None)
    assert ("answer_idle" in panel.acts) == bool(panel.idle_asks)
    assert panel.chosen in {None, *(choice.id for choice in facts.choices)}
    assert panel.headline.startswith(panel.state.upper())


@rule("R5")
def test_times_are_of_the_zone_and_the_clock_that_were_chosen() -> None:
    assert panel_of(ON).headline == "ON: tracking Mill since 14:55"
    assert panel_of(replace(ON, clock_24h=False)).headline == "ON: tracking Mill since 2:55 pm"


@rule("R27")
def test_what_is_left_of_the_limit_is_counted_in_whole_segments() -> None:
    assert panel_of(replace(ON, limit_minutes=1205, billable=106)).times == (
        "Today 3:20, this week 17:40; 2:20 left of this contract's 20:05"
    )
    none_left = panel_of(replace(ON, limit_minutes=60, billable=9))
    assert none_left.times.endswith("; 0:00 left of this contract's 1:00")


@rule("R23")
def test_a_pause_says_until_when_and_ends_by_the_clock() -> None:
    paused = replace(ON, paused_until_ms=Millis(NOON + 30 * 60_000))
    assert panel_of(paused).headline == "PAUSED until 18:15: Mill"
    assert panel_of(replace(paused, now_ms=Millis(NOON + 30 * 60_000))).state == "on"


@rule("R17")
def test_a_snapshot_that_is_held_back_says_so() -> None:
    assert panel_of(replace(ON, snapshot=SHOT)).snapshot_says == "Mill, 17:38; still on this computer alone"
    assert panel_of(replace(ON, snapshot=replace(SHOT, held=False))).snapshot_says == "Mill, 17:38"


@rule("R18")
def test_the_question_about_time_away_says_when_and_is_named() -> None:
    panel = panel_of(replace(ON, idle=AWAY))
    assert panel.idle_asks == "10 minutes without you, 17:25–17:35. What becomes of that time?"
    assert panel.idle_until_ms == AWAY.until_ms


@rule("R31")
def test_what_waits_is_said_in_words() -> None:
    assert panel_of(ON).waiting == "3 held back"
    assert panel_of(replace(ON, waiting=())).waiting == "Everything is sent"
    assert "stays on this computer" in panel_of(replace(ON, has_server=False)).waiting


def test_recent_memos_come_once_each_and_the_newest_first() -> None:
    assert recent(["a", "b", "", "a", "c", "b"]) == ("b", "c", "a")


def test_tracking_without_a_tracker_is_said() -> None:
    assert "no tracker runs" in panel_of(replace(ON, has_tracker=False)).notes[-1]
