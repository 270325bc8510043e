"""The checklist: what makes a segment qualify, and until when a failing point can be mended (R11, R30)."""

from dataclasses import replace
from fractions import Fraction
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diary.rules.contract import TermsHistory
from diary.rules.ids import MINUTES_PER_SLOT, Millis, Slot
from diary.rules.qualifies import (
    BillingState,
    Finding,
    Known,
    Point,
    Thresholds,
    check_week,
    checklist,
    foreseen,
    qualifies,
)
from diary.rules.sealed_content import MinuteCounts
from diary.rules.timesheet import SegmentView, SnapshotView
from diary.rules.week import ends_at_ms
from tests.diary.rules.made import IN_TIME, LOCK, OTHER_CONTRACT, SLOT, WEEK, history, ms, segment
from tests.rule import rule

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
SHOT = SnapshotView(IN_TIME, screen="11" * 32, thumbnail="12" * 32, camera="", device="laptop")
PLAIN = history()
LABELLED = history(("2026-11-01T00:00Z", {"label_required": True}))
PAUSED = history(("2026-11-01T00:00Z", {}), ("2026-11-17T11:00Z", {"state": "paused"}))
VERIFIED = Known(billing="verified", good_standing=True)
NOW = ms("2026-11-17T12:00Z")


def good(**fields: Any) -> SegmentView:
    return replace(segment(snapshots=(SHOT,)), **fields)


def found(
    given: SegmentView, point: Point, terms: TermsHistory = PLAIN, at_ms: int = NOW, known: Known = VERIFIED
) -> Finding:
    (finding,) = [each for each in checklist(given, terms, at_ms, known) if each.point == point]
    return finding


def failing(given: SegmentView, terms: TermsHistory = PLAIN, at_ms: int = NOW) -> list[Point]:
    return [each.point for each in checklist(given, terms, at_ms, VERIFIED) if each.outcome == "fails"]


@rule("R30")
@rule("R54")
def test_what_both_parties_redacted_fails_for_nothing_that_went_with_it() -> None:
    gone = segment(redacted=True, memo="", label="", activity=0, minutes=(None,) * 10)
    assert failing(gone, LABELLED) == []
    assert found(gone, "picture").says == "Both parties had its content redacted."
    assert found(gone, "tracked").outcome == "holds"
    assert failing(replace(gone, kind="manual")) == ["tracked"]


@rule("R30")
def test_a_tracked_prompt_segment_with_picture_and_memo_qualifies() -> None:
    findings = checklist(good(), PLAIN, NOW, VERIFIED)
    assert {finding.outcome for finding in findings} == {"holds"}
    assert qualifies(findings)


@rule("R30")
@pytest.mark.parametrize(
    ("fields", "point"),
    [
        ({"hourly": False}, "hourly"),
        ({"defective": True}, "sound"),
        ({"masked": True}, "picture"),
        ({"snapshots": (), "no_picture": ("locked",)}, "picture"),
        ({"snapshots": (replace(SHOT, screen=""),)}, "picture"),
        ({"snapshots": (SHOT, replace(SHOT, missing=True))}, "picture"),
        ({"memo": "  "}, "memo"),
        ({"activity": 1}, "activity"),
        ({"bills": False, "why_not": "over_limit"}, "within_limit"),
        ({"received_at_ms": Millis(ends_at_ms(SLOT) + DAY_MS + 1)}, "within_a_day"),
    ],
)
def test_each_point_alone_keeps_a_segment_from_qualifying(fields: dict[str, Any], point: Point) -> None:
    given = good(**fields)
    assert failing(given) == [point]
    assert not qualifies(checklist(given, PLAIN, NOW, VERIFIED))


@rule("R30")
def test_time_received_after_the_lock_fails_both_its_points() -> None:
    assert failing(good(received_at_ms=LOCK)) == ["before_lock", "within_a_day"]
    assert "before_lock" not in failing(good(received_at_ms=Millis(LOCK - 1)))


@rule("R21")
@rule("R30")
def test_manual_time_never_qualifies_and_that_is_said_once() -> None:
    manual = good(kind="manual", snapshots=(), minutes=(None,) * MINUTES_PER_SLOT, activity=0)
    assert failing(manual) == ["tracked"]
    assert found(manual, "tracked").mend == ""


@rule("R30")
def test_a_label_is_asked_for_only_where_the_terms_ask() -> None:
    assert failing(good(label=""), LABELLED) == ["label"]
    assert failing(good(label="Design"), LABELLED) == []
    assert failing(good(label=""), PLAIN) == []


@rule("R30")
def test_a_missing_memo_can_be_mended_until_the_lock_on_an_active_contract() -> None:
    bare = good(memo="")
    assert (found(bare, "memo").mend, found(bare, "memo").until_ms) == ("Write a memo.", LOCK)
    assert found(bare, "memo", at_ms=LOCK).mend == ""
    assert found(bare, "memo", at_ms=LOCK - 1).mend == "Write a memo."
    assert found(bare, "memo", PAUSED).mend == ""


@rule("R30")
def test_what_the_server_has_not_received_is_open_until_its_time_is_over() -> None:
    waiting = good(state="unsynced", received_at_ms=None)
    day_over = ends_at_ms(SLOT) + DAY_MS
    assert found(waiting, "within_a_day").outcome == "open"
    assert found(waiting, "within_a_day", at_ms=day_over).until_ms == day_over
    assert found(waiting, "within_a_day", at_ms=day_over + 1).outcome == "fails"
    assert found(waiting, "before_lock", at_ms=LOCK - 1).outcome == "open"
    assert found(waiting, "before_lock", at_ms=LOCK).outcome == "fails"


@rule("R30")
def test_what_nobody_has_said_is_unknown_and_stands_against_nothing() -> None:
    findings = checklist(good(), PLAIN, NOW, Known())
    assert [each.point for each in findings if each.outcome == "unknown"] == [
        "billing_verified",
        "good_standing",
    ]
    assert qualifies(findings)
    assert not qualifies(checklist(good(), PLAIN, NOW, Known(billing="unverified")))


@rule("R30")
@pytest.mark.parametrize("state", ["draft", "refused", "deleted"])
def test_what_is_no_time_has_no_checklist(state: Any) -> None:
    assert checklist(good(state=state), PLAIN, NOW) == ()


@rule("R30")
def test_an_over_limit_segment_says_what_can_be_done_while_it_can() -> None:
    over = good(bills=False, why_not="over_limit")
    assert "raise the limit" in found(over, "within_limit", at_ms=WEEK.ends_at_ms - 1).mend
    assert "raise the limit" not in found(over, "within_limit", at_ms=WEEK.ends_at_ms).mend
    assert found(over, "within_limit", at_ms=LOCK).mend == ""


LEVELS = st.lists(st.tuples(st.integers(0, 10), st.booleans()), min_size=1, max_size=12)


@rule("R30")
@given(levels=LEVELS, least=st.integers(0, 10))
def test_a_contracts_mean_activity_is_over_its_tracked_segments(
    levels: list[tuple[int, bool]], least: int
) -> None:
    untracked: dict[str, Any] = {"minutes": (None,) * MINUTES_PER_SLOT, "kind": "manual"}
    segments = [
        good(slot=Slot(SLOT + at), activity=level if tracked else 0, **({} if tracked else untracked))
        for at, (level, tracked) in enumerate(levels)
    ]
    (check,) = check_week(segments, lambda one: checklist(one, PLAIN, NOW, VERIFIED), Thresholds(week=least))
    counted = [level for level, tracked in levels if tracked]
    assert check.activity == (Fraction(sum(counted), len(counted)) if counted else None)
    assert check.activity_holds == (bool(counted) and sum(counted) > least * len(counted))


@rule("R30")
def test_a_week_counts_what_qualifies_and_lists_what_fails_by_point_and_contract() -> None:
    segments = [
        good(slot=Slot(SLOT + 2), memo=""),
        good(slot=SLOT),
        good(slot=Slot(SLOT + 1), memo=""),
        good(slot=Slot(SLOT + 3), state="deleted"),
        good(contract=OTHER_CONTRACT, contract_title="Atlas", masked=True),
    ]
    atlas, shop = check_week(segments, lambda one: checklist(one, PLAIN, NOW, VERIFIED))
    assert (shop.counted, shop.qualifying) == (3, 1)
    assert {finding.point: [one.slot for one in each] for finding, each in shop.failing.items()} == {
        "memo": [SLOT + 1, SLOT + 2]
    }
    assert (atlas.contract_title, atlas.counted, atlas.qualifying) == ("Atlas", 1, 0)
    assert [finding.point for finding in atlas.failing] == ["picture"]


@rule("R30")
def test_segments_that_fail_one_point_alike_stand_together_and_others_apart() -> None:
    segments = [
        good(slot=SLOT, masked=True),
        good(slot=Slot(SLOT + 1), snapshots=(), no_picture=("locked",)),
        good(slot=Slot(SLOT + 2), masked=True),
        good(slot=Slot(SLOT + 3), activity=0),
        good(slot=Slot(SLOT + 4), activity=1),
    ]
    (check,) = check_week(segments, lambda one: checklist(one, PLAIN, NOW, VERIFIED))
    assert [
        (finding.point, [one.slot - SLOT for one in each]) for finding, each in check.failing.items()
    ] == [
        ("picture", [0, 2]),
        ("picture", [1]),
        ("activity", [3, 4]),
    ]


@rule("R14")
@rule("R30")
def test_activity_that_only_the_system_saw_is_adequate_too() -> None:
    minutes = (MinuteCounts(None, None, None, True),) * MINUTES_PER_SLOT
    assert found(good(minutes=minutes, activity=10), "activity").outcome == "holds"


@rule("R11")
@rule("R30")
def test_starting_foresees_every_point_that_is_known_to_fail() -> None:
    limited = history(("2026-11-01T00:00Z", {"limit_minutes": 60, "label_required": True}))
    nothing = foreseen(limited, NOW, billed_segments=5, memo="tests", label="Design")
    assert nothing == ()
    points = foreseen(limited, NOW, billed_segments=6, memo="", label="", known=Known(billing="unverified"))
    assert [each.point for each in points] == ["billing_verified", "memo", "label", "within_limit"]
    fixed = history(("2026-11-01T00:00Z", {"kind": "fixed_price"}))
    assert [each.point for each in foreseen(fixed, NOW, billed_segments=0, memo="x", label="")] == ["hourly"]


@rule("R30")
@rule("R41")
def test_a_missing_picture_is_mended_by_the_device_that_took_it() -> None:
    finding = found(good(snapshots=(replace(SHOT, missing=True),)), "picture")
    assert "did not reach the server" in finding.says
    assert "device that took it" in finding.mend
    assert finding.until_ms is None


@rule("R11")
@rule("R30")
@pytest.mark.parametrize(
    ("state", "outcome", "warns"),
    [
        ("verified", "holds", False),
        ("stated", "holds", False),
        ("unverified", "fails", True),
        ("unknown", "unknown", True),
        (None, "unknown", False),
    ],
)
def test_a_billing_method_warns_until_it_is_verified_or_the_freelancer_says_they_agreed(
    state: BillingState | None, outcome: str, warns: Literal[True, False]
) -> None:
    finding = found(good(), "billing_verified", known=Known(billing=state, good_standing=True))
    assert finding.outcome == outcome
    points = foreseen(PLAIN, NOW, billed_segments=0, memo="x", label="", known=Known(billing=state))
    assert [each.point for each in points] == (["billing_verified"] if warns else [])
    assert bool(finding.mend) == warns


@rule("R30")
def test_the_freelancers_own_word_is_never_shown_as_proof() -> None:
    finding = found(good(), "billing_verified", known=Known(billing="stated"))
    assert finding.says.startswith("You stated")
    assert "nobody has verified it" in finding.says
