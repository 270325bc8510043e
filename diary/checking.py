"""Will it count: the checklist of a week and of a segment, and what a start already foresees (R11, R30)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from diary import contracts, looking
from diary.billing_methods import billing_of
from diary.contracts import Contract
from diary.good_standing import good_standing
from diary.rules.ids import ContractId, Millis
from diary.rules.json_form import iso
from diary.rules.qualifies import ContractCheck, Finding, Known, Thresholds, check_week, checklist, foreseen
from diary.rules.timesheet import Place, SegmentView, WeekView
from diary.rules.week import Week, starts_at_ms
from diary.settings import setting
from diary.state import OpenDiary


@dataclass(frozen=True, slots=True)
class WeekCheck:
    """A week with its checklists as of one instant; `contracts` are by title."""

    view: WeekView
    at_ms: Millis
    contracts: tuple[ContractCheck, ...]
    findings: Mapping[Place, tuple[Finding, ...]]
    thresholds: Thresholds


@dataclass(frozen=True, slots=True)
class PlaceCheck:
    """One segment of a week, with its checklist."""

    week: WeekView
    segment: SegmentView
    findings: tuple[Finding, ...]


def check(diary: OpenDiary, which: Week) -> WeekCheck:
    """Return what of a week qualifies, and which points fail (R30)."""
    with diary.reading():
        at_ms = diary.now_ms()
        view = looking.week(diary, which)
        known = contracts.known(diary)
        basis = _basis(diary, at_ms)
        told = {one.id: _known(diary, one, basis) for one in known.values()}
    findings = {
        (one.contract, one.slot): _checklist(one, known, basis, told[one.contract]) for one in view.segments
    }
    checked = check_week(view.segments, lambda one: findings[one.contract, one.slot], basis.thresholds)
    return WeekCheck(view, at_ms, checked, findings, basis.thresholds)


def check_place(diary: OpenDiary, place: Place) -> PlaceCheck | None:
    """Return what of one segment qualifies, None where nothing stands (R30)."""
    with diary.reading():
        at_ms = diary.now_ms()
        view = looking.week(diary, Week.of(place[1]))
        known = contracts.known(diary)
        basis = _basis(diary, at_ms)
        told = _known(diary, known[place[0]], basis) if place[0] in known else Known()
    found = next((one for one in view.segments if (one.contract, one.slot) == place), None)
    return None if found is None else PlaceCheck(view, found, _checklist(found, known, basis, told))


def foresee(diary: OpenDiary, contract: Contract, memo: str, label: str) -> tuple[Finding, ...]:
    """Return the points that time tracked from now on is already known to fail (R11)."""
    with diary.reading():
        at_ms = diary.now_ms()
        view = looking.week(diary, Week.at(at_ms))
        known = _known(diary, contract, _basis(diary, at_ms))
    billed = sum(total.billable for total in view.totals if total.contract == contract.id)
    return foreseen(contract.history, at_ms, billed_segments=billed, memo=memo, label=label, known=known)


def check_json(found: WeekCheck) -> dict[str, object]:
    """Return a check for programs, as command and page give it; `activity` is a mean number of minutes."""
    return {
        "week": found.view.week.name,
        "locked_at": iso(found.view.locked_at_ms),
        "frozen": found.view.frozen,
        "contracts": [_contract_json(one) for one in found.contracts],
    }


def findings_json(findings: Iterable[Finding]) -> list[dict[str, object]]:
    """Return a segment's checklist for programs."""
    return [
        {
            "point": finding.point,
            "outcome": finding.outcome,
            "says": finding.says,
            "mend": finding.mend,
            "until": None if finding.until_ms is None else iso(finding.until_ms),
        }
        for finding in findings
    ]


def _contract_json(one: ContractCheck) -> dict[str, object]:
    failing = [
        {"slot": each.slot, "start": iso(starts_at_ms(each.slot)), **finding}
        for finding, segments in zip(findings_json(one.failing), one.failing.values(), strict=True)
        for each in segments
    ]
    return {
        "contract": one.contract,
        "title": one.contract_title,
        "segments": one.counted,
        "qualifying": one.qualifying,
        "activity": None if one.activity is None else round(float(one.activity), 2),
        "activity_holds": one.activity_holds,
        "failing": failing,
    }


@dataclass(frozen=True, slots=True)
class _Basis:
    """What a checklist goes by besides the segment and its contract."""

    at_ms: Millis
    good_standing: bool | None
    thresholds: Thresholds


def _basis(diary: OpenDiary, at_ms: Millis) -> _Basis:
    thresholds = Thresholds(
        segment=int(setting(diary, "activity_over")), week=int(setting(diary, "week_activity_over"))
    )
    return _Basis(at_ms, good_standing(diary), thresholds)


def _known(diary: OpenDiary, contract: Contract, basis: _Basis) -> Known:
    """Return what others have said of a contract's client and of the account."""
    told = billing_of(diary, contract)
    return Known(billing=None if told is None else told.state, good_standing=basis.good_standing)


def _checklist(
    segment: SegmentView, contracts_known: Mapping[ContractId, Contract], basis: _Basis, known: Known
) -> tuple[Finding, ...]:
    history = contracts_known[segment.contract].history
    return checklist(segment, history, basis.at_ms, known, basis.thresholds)
