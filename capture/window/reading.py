"""What the window needs of the diary, read in one look through its door."""

from capture.alone import is_tracked
from capture.window.panel import Choice, Facts, LastSnapshot, recent
from diary.attention import lost_says
from diary.command.home import zone_of
from diary.contracts import Contract
from diary.diary import Diary
from diary.rules.ids import ContractId
from diary.rules.timesheet import SegmentView, WeekView
from diary.rules.week import Week


def facts_of(diary: Diary, wanted: ContractId | None = None) -> Facts:
    """Return what the window is to show now; `wanted` is the contract chosen in it."""
    now_ms = diary.now_ms()
    zone = zone_of(diary, utc=False)
    tracking, status = diary.tracking(), diary.status()
    week, before = diary.week(Week.at(now_ms)), diary.week(Week.at(now_ms).previous())
    contract = tracking.contract or wanted or tracking.last_contract
    totals = next((each for each in week.totals if each.contract == contract), None)
    contracts = diary.contracts()
    chosen = next((each for each in contracts if each.id == contract), None)
    memo = tracking.memo.text if tracking.memo else ""
    label = tracking.label.text if tracking.label else ""
    return Facts(
        now_ms=now_ms,
        zone=zone,
        clock_24h=bool(diary.setting("clock_24h")),
        choices=_choices(diary, contracts),
        tracked=tracking.contract,
        last=tracking.last_contract,
        since_ms=tracking.since_ms if tracking.contract else None,
        paused_until_ms=tracking.paused_until_ms,
        memo=memo,
        label=label,
        recent_memos=_recent_memos((before, week), contract),
        today_minutes=status.today_minutes,
        week_minutes=status.week_minutes,
        limit_minutes=totals.limit_minutes if totals else chosen.terms.limit_minutes if chosen else None,
        billable=totals.billable if totals else 0,
        waiting=(
            (status.unsynced, "not sent yet"),
            (status.held, "held back"),
            (status.late_held, "late, waiting for your answer"),
            (status.moves_held, "waiting for your answer because the clock was wrong"),
            (status.refused, "refused"),
            (status.pictures_left, "pictures to send"),
        ),
        warnings=_warnings(diary, chosen, memo, label, is_tracked=tracking.contract is not None),
        loud=_loud(diary),
        idle=status.idle,
        snapshot=_snapshot((before, week)),
        has_tracker=is_tracked(diary.home),
        has_server=diary.server() is not None,
    )


def _warnings(
    diary: Diary, chosen: Contract | None, memo: str, label: str, *, is_tracked: bool
) -> tuple[str, ...]:
    """Return what is known to fail of what is tracked; before that, how the client pays (R11)."""
    if chosen is None:
        return ()
    findings = diary.foresee(chosen, memo, label)
    return tuple(one.says for one in findings if is_tracked or one.point == "billing_verified")


def _choices(diary: Diary, contracts: tuple[Contract, ...]) -> tuple[Choice, ...]:
    """Return the contracts that may be tracked; fixed-price ones only where they are shown (R7, R9)."""
    are_all_shown = bool(diary.setting("show_fixed_price"))
    return tuple(
        Choice(each.id, each.title, each.labels)
        for each in contracts
        if each.is_active and (are_all_shown or each.terms.kind == "hourly")
    )


def _recent_memos(weeks: tuple[WeekView, ...], contract: ContractId | None) -> tuple[str, ...]:
    segments = (segment for week in weeks for segment in week.segments)
    return recent([segment.memo for segment in segments if contract in {None, segment.contract}])


def _loud(diary: Diary) -> tuple[str, ...]:
    """Return what wants attention until somebody has seen to it (R31, R37d)."""
    found, now_ms = diary.attention(), diary.now_ms()
    said = [week.says(now_ms) for week in found.before_lock]
    if found.deletions:
        said.insert(0, f"{len(found.deletions)} of your deletions refused: see Refusals in the diary.")
    if found.alarms:
        said.append("The server showed what cannot be right: see Devices and sync in the diary.")
    return (*said, *filter(None, (found.unanswered, lost_says(found.lost_by_server))))


def _snapshot(weeks: tuple[WeekView, ...]) -> LastSnapshot | None:
    """Return the newest snapshot of this week or the last, the one under way too."""
    live = [each for week in weeks for each in week.segments if each.snapshots and each.state != "deleted"]
    if not live:
        return None
    newest = max(live, key=_taken_at)
    shot = newest.snapshots[-1]
    return LastSnapshot(
        place=(newest.contract, newest.slot),
        title=newest.contract_title,
        taken_at_ms=shot.taken_at_ms,
        thumbnail=shot.thumbnail if shot.is_here else "",
        held=newest.state in {"draft", "held"},
    )


def _taken_at(segment: SegmentView) -> int:
    return segment.snapshots[-1].taken_at_ms
