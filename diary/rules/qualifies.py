"""Whether a segment qualifies: the points it must meet, and how a failing one is mended (R30).

Nothing here changes what bills (R29), and no point is a promise of payment. The texts are data, made to
stand in the terminal and on pages alike; the instant and what is known of client and account are arguments.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Literal, get_args

from diary.rules.contract import TermsHistory
from diary.rules.ids import ContractId, Millis
from diary.rules.timesheet import NOT_COUNTED, SegmentView
from diary.rules.week import DAY_MILLIS, Week, ends_at_ms, starts_at_ms

Point = Literal[
    "hourly",
    "billing_verified",
    "good_standing",
    "tracked",
    "sound",
    "picture",
    "memo",
    "label",
    "activity",
    "within_limit",
    "before_lock",
    "within_a_day",
]
"""The words of the checklist, in its order."""

Outcome = Literal["holds", "fails", "open", "unknown"]
"""`open` is not decided yet: the server has not received it. `unknown`: nobody has said."""

BillingState = Literal["verified", "unverified", "stated", "unknown"]
"""Of a client's billing method: the gateway's yes or no, the freelancer's own word, or nobody's (R11)."""

PROMPT_MILLIS = DAY_MILLIS  # received within 24 hours after the slot's end (R30)


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Activity levels that must be exceeded: a segment's, 0 to 10, and a contract's mean over a week."""

    segment: int = 1
    week: int = 5


@dataclass(frozen=True, slots=True)
class Known:
    """What others have said of the client's billing method and the account; None: nobody was asked (R30)."""

    billing: BillingState | None = None
    good_standing: bool | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """One point of a checklist: how it stands, in a sentence, and how it is mended.

    `mend` is "" where nothing can be done any more; `until_ms` is when that will be so, None for never.
    """

    point: Point
    outcome: Outcome
    says: str
    mend: str = ""
    until_ms: Millis | None = None


@dataclass(frozen=True, slots=True)
class ContractCheck:
    """One contract's week: how many of its counted segments qualify, and their mean activity level.

    `activity` is over the tracked segments, None where there is none. `failing` has what fails, in the
    list's order, each with the segments of which it is true, in order of time.
    """

    contract: ContractId
    contract_title: str
    counted: int
    qualifying: int
    activity: Fraction | None
    activity_holds: bool
    failing: Mapping[Finding, tuple[SegmentView, ...]]


def checklist(
    segment: SegmentView,
    history: TermsHistory,
    at_ms: int,
    known: Known | None = None,
    thresholds: Thresholds | None = None,
) -> tuple[Finding, ...]:
    """Return every point of a segment as it stands at the instant, in the list's order (R30).

    A draft, a refused and a deleted segment have none: they are no time. Manual time has no point about
    picture and activity: it fails for not being tracked, and that is said once (R21).
    """
    if segment.state in NOT_COUNTED:
        return ()
    known, thresholds = known or Known(), thresholds or Thresholds()
    is_tracked = segment.tracked_minutes > 0 or (segment.redacted and segment.kind == "automatic")
    findings = [
        _hourly(segment),
        _billing(known.billing),
        _said("good_standing", known.good_standing, "the account is in good standing"),
        _plain("tracked", is_tracked, "The tracker recorded it.", "It was added by hand."),
        _plain("sound", not segment.defective, "Its content agrees with its header.", _DEFECTIVE),
    ]
    if segment.redacted:
        # What was seen and said is gone on both sides; that it was there is what its header still shows.
        findings.append(Finding("picture", "holds", "Both parties had its content redacted."))
    elif is_tracked:
        findings += [_picture(segment), _activity(segment, thresholds.segment)]
    findings += [
        *([] if segment.redacted else _texts(segment, history, at_ms)),
        _within_limit(segment, at_ms),
        _before_lock(segment, at_ms),
        _within_a_day(segment, at_ms),
    ]
    return tuple(sorted(findings, key=_place_in_list))


def qualifies(findings: Iterable[Finding]) -> bool:
    """Return whether no point fails; what is open or unknown does not yet stand against it (R30)."""
    return all(finding.outcome != "fails" for finding in findings)


def check_week(
    segments: Iterable[SegmentView],
    checklist_of: Callable[[SegmentView], tuple[Finding, ...]],
    thresholds: Thresholds | None = None,
) -> tuple[ContractCheck, ...]:
    """Return the checks of one week's segments, a contract each, by title (R30).

    `checklist_of` gives a segment's checklist: the caller knows terms, instant and thresholds.
    """
    by_contract: dict[ContractId, list[SegmentView]] = defaultdict(list)
    for segment in sorted(segments, key=lambda one: one.slot):
        if segment.state not in NOT_COUNTED:
            by_contract[segment.contract].append(segment)
    least = (thresholds or Thresholds()).week
    checks = (_check_contract(counted, checklist_of, least) for counted in by_contract.values())
    return tuple(sorted(checks, key=lambda check: (check.contract_title, check.contract)))


def foreseen(
    history: TermsHistory,
    at_ms: int,
    *,
    billed_segments: int,
    memo: str,
    label: str,
    known: Known | None = None,
) -> tuple[Finding, ...]:
    """Return the points that time tracked from now on is already known to fail (R11, R30).

    A billing method that nobody has verified is among them, though it stands against no segment.

    `billed_segments` is how many of the contract's segments bill in the week of the instant so far.
    """
    week = Week.at(at_ms)
    terms = history.at(at_ms)
    limit = history.limit_segments(week)
    known = known or Known()
    found = []
    if history.at(week.starts_at_ms).kind != "hourly":
        found.append(Finding("hourly", "fails", _FIXED_PRICE))
    if known.billing in {"unverified", "unknown"}:
        found.append(_billing(known.billing))
    if known.good_standing is False:
        found.append(_said("good_standing", known=False, claim="the account is in good standing"))
    if not memo.strip():
        found.append(Finding("memo", "fails", "There is no memo.", "Say what you work on."))
    if terms.label_required and not label:
        found.append(Finding("label", "fails", "The contract asks for a label.", "Choose a label."))
    if limit is not None and billed_segments >= limit:
        says = "This week's limit is used up."
        found.append(Finding("within_limit", "fails", says, _RAISE_LIMIT, Millis(week.ends_at_ms)))
    return tuple(found)


_ORDER: Mapping[Point, int] = {point: place for place, point in enumerate(get_args(Point))}
_FIXED_PRICE = "The contract has a fixed price: its time is recorded and never bills by the hour."
_DEFECTIVE = "Its content disagrees with its header."
_RAISE_LIMIT = "Ask the client to raise the limit before the week ends."
_BILLING = "Ask the client to leave one on their page. Where you agreed on paying by hand: diary billing."
_SYNC = "Sync: diary sync."
_MISSING = "A picture did not reach the server within seven days, nor before the lock."
_SYNC_WHERE_TAKEN = "Sync the device that took it, if it still has it: it is taken late as well."


def _place_in_list(finding: Finding) -> tuple[int, str]:
    return _ORDER[finding.point], finding.says


def _hourly(segment: SegmentView) -> Finding:
    return _plain("hourly", segment.hourly, "The contract is hourly.", _FIXED_PRICE)


def _plain(point: Point, holds: bool, yes: str, no: str) -> Finding:  # noqa: FBT001  # a claim and its two texts
    return Finding(point, "holds", yes) if holds else Finding(point, "fails", no)


def _said(point: Point, known: bool | None, claim: str) -> Finding:  # noqa: FBT001  # None is a third answer
    if known is None:
        return Finding(point, "unknown", f"Nobody has said whether {claim}.")
    return Finding(point, "holds" if known else "fails", f"It is {'' if known else 'not '}so that {claim}.")


def _billing(state: BillingState | None) -> Finding:
    """Return the point of the billing method; the freelancer's own word is said to be that and no more."""
    if state == "stated":
        says = "You stated that the client pays by hand, as you agreed; nobody has verified it."
        return Finding("billing_verified", "holds", says)
    verified = {"verified": True, "unverified": False}.get(state or "")
    found = _said("billing_verified", verified, "the client's billing method is verified")
    return replace(found, mend=_BILLING) if state in {"unverified", "unknown"} else found


def _picture(segment: SegmentView) -> Finding:
    if segment.masked:
        return Finding("picture", "fails", "A window in the picture is masked.")
    if not any(snapshot.screen for snapshot in segment.snapshots):
        reasons = ", ".join(segment.no_picture)
        return Finding("picture", "fails", f"There is no picture{f': {reasons}' if reasons else ''}.")
    if segment.misses_picture:
        return Finding("picture", "fails", _MISSING, _SYNC_WHERE_TAKEN)
    return Finding("picture", "holds", "There is a picture.")


def _activity(segment: SegmentView, threshold: int) -> Finding:
    # Without its own figure, so that all segments that fail alike are one finding.
    no = f"No more than {threshold} of its 10 minutes {'was' if threshold == 1 else 'were'} active."
    yes = f"{segment.activity} of its 10 minutes were active."
    return _plain("activity", segment.activity > threshold, yes, no)


def _texts(segment: SegmentView, history: TermsHistory, at_ms: int) -> list[Finding]:
    """Return the points that an edit can mend: until the lock, on an active contract (R9, R26)."""
    week = Week.of(segment.slot)
    can_edit = not week.is_frozen(at_ms) and history.state_at(at_ms) == "active"
    until_ms = week.locked_at_ms if can_edit else None
    findings = []
    if segment.memo.strip():
        findings.append(Finding("memo", "holds", "It has a memo."))
    else:
        findings.append(
            Finding("memo", "fails", "It has no memo.", "Write a memo." if can_edit else "", until_ms)
        )
    if history.at(starts_at_ms(segment.slot)).label_required:
        if segment.label:
            findings.append(Finding("label", "holds", "It has a label."))
        else:
            says = "The contract asks for a label, and it has none."
            findings.append(Finding("label", "fails", says, "Choose a label." if can_edit else "", until_ms))
    return findings


def _within_limit(segment: SegmentView, at_ms: int) -> Finding:
    if segment.why_not != "over_limit":
        return Finding("within_limit", "holds", "It is within the weekly limit.")
    week = Week.of(segment.slot)
    says = "The week's earlier segments use up the limit."
    if at_ms < week.ends_at_ms:
        mend = f"Remove an earlier segment that should not count. {_RAISE_LIMIT}"
    elif not week.is_frozen(at_ms):
        mend = "Remove an earlier segment that should not count."
    else:
        return Finding("within_limit", "fails", says)
    return Finding("within_limit", "fails", says, mend, week.locked_at_ms)


def _before_lock(segment: SegmentView, at_ms: int) -> Finding:
    week = Week.of(segment.slot)
    if segment.received_at_ms is None and not week.is_frozen(at_ms):
        return Finding("before_lock", "open", "The server has not received it.", _SYNC, week.locked_at_ms)
    received_at_ms = at_ms if segment.received_at_ms is None else segment.received_at_ms
    holds = not week.is_frozen(received_at_ms)
    return _plain("before_lock", holds, "It was received before the lock.", "It missed the lock.")


def _within_a_day(segment: SegmentView, at_ms: int) -> Finding:
    last_ms = Millis(ends_at_ms(segment.slot) + PROMPT_MILLIS)
    if segment.received_at_ms is None and at_ms <= last_ms:
        return Finding("within_a_day", "open", "The server has not received it.", _SYNC, last_ms)
    received_at_ms = at_ms if segment.received_at_ms is None else segment.received_at_ms
    no = "It was not received within 24 hours of its end."
    return _plain("within_a_day", received_at_ms <= last_ms, "It was received within 24 hours.", no)


def _check_contract(
    counted: list[SegmentView], checklist_of: Callable[[SegmentView], tuple[Finding, ...]], least: int
) -> ContractCheck:
    failing: dict[Finding, list[SegmentView]] = defaultdict(list)
    qualifying = 0
    for segment in counted:
        findings = checklist_of(segment)
        qualifying += qualifies(findings)
        for finding in findings:
            if finding.outcome == "fails":
                failing[finding].append(segment)
    tracked = [segment.activity for segment in counted if segment.tracked_minutes]
    activity = Fraction(sum(tracked), len(tracked)) if tracked else None
    return ContractCheck(
        contract=counted[0].contract,
        contract_title=counted[0].contract_title,
        counted=len(counted),
        qualifying=qualifying,
        activity=activity,
        activity_holds=activity is not None and activity > least,
        failing={finding: tuple(failing[finding]) for finding in sorted(failing, key=_place_in_list)},
    )
