"""What the window shows and which acts it offers: a function of what the diary says, without any toolkit.

Words for everything, so that nothing hangs on a colour or on the pointer (R24); the toolkit's file only lays
them out.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from zoneinfo import ZoneInfo

from diary.idling import IdleQuestion
from diary.rules.ids import MINUTES_PER_SLOT, ContractId, Millis, Place

State = Literal["off", "on", "paused"]
Act = Literal[
    "start", "switch", "stop", "pause", "continue", "set_memo", "set_label", "remove", "answer_idle"
]
PAUSE_MINUTES = 30
RECENT_MEMOS_MAX = 12


@dataclass(frozen=True, slots=True)
class Choice:
    """A contract that time may be tracked on."""

    id: ContractId
    title: str
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LastSnapshot:
    """The newest snapshot: its segment, when it was taken, and whether it has still to stay here (R17)."""

    place: Place
    title: str
    taken_at_ms: Millis
    thumbnail: str
    held: bool


@dataclass(frozen=True, slots=True)
class Facts:
    """What the diary says at one instant; minutes are of standing segments.

    `tracked` is None while tracking is off, `last` what `continue` would take up. `limit_minutes` and
    `billable` (segments) are those of the tracked or last contract this week. `warnings` are points that are
    known to fail (R11), `loud` what wants attention until it was seen to, `idle` what is asked (R18).
    """

    now_ms: Millis
    zone: ZoneInfo
    clock_24h: bool
    choices: tuple[Choice, ...]
    tracked: ContractId | None
    last: ContractId | None
    since_ms: Millis | None
    paused_until_ms: Millis | None
    memo: str
    label: str
    recent_memos: tuple[str, ...]
    today_minutes: int
    week_minutes: int
    limit_minutes: int | None
    billable: int
    waiting: tuple[tuple[int, str], ...]
    warnings: tuple[str, ...]
    loud: tuple[str, ...]
    idle: IdleQuestion | None
    snapshot: LastSnapshot | None
    has_tracker: bool
    has_server: bool


@dataclass(frozen=True, slots=True)
class Panel:
    """The window's contents. `acts` are those that would do something now.

    `idle_until_ms` names the question that is shown: an answer is to that one.
    """

    state: State
    headline: str
    choices: tuple[Choice, ...]
    chosen: ContractId | None
    memo: str
    recent_memos: tuple[str, ...]
    labels: tuple[str, ...]
    label: str
    times: str
    waiting: str
    notes: tuple[str, ...]
    idle_asks: str
    idle_until_ms: Millis | None
    snapshot_says: str
    snapshot: LastSnapshot | None
    acts: frozenset[Act]


def panel_of(facts: Facts, wanted: ContractId | None = None) -> Panel:
    """Return what is shown; `wanted` is the contract chosen in the window, None for the diary's own."""
    state = _state(facts)
    own = facts.tracked or facts.last
    known = {choice.id: choice for choice in facts.choices}
    chosen = wanted if wanted in known else own if own in known else next(iter(known), None)
    choice = known.get(chosen) if chosen else None
    snapshot_says = _snapshot_says(facts) if facts.snapshot else ""
    return Panel(
        state=state,
        headline=_headline(facts, state),
        choices=facts.choices,
        chosen=chosen,
        memo=facts.memo,
        recent_memos=facts.recent_memos[:RECENT_MEMOS_MAX],
        labels=choice.labels if choice else (),
        label=facts.label,
        times=_times(facts),
        waiting=_waiting(facts),
        notes=(*facts.loud, *facts.warnings, *_lacks(facts, state)),
        idle_asks=_idle_asks(facts),
        idle_until_ms=facts.idle.until_ms if facts.idle else None,
        snapshot_says=snapshot_says,
        snapshot=facts.snapshot,
        acts=_acts(facts, state, chosen, choice),
    )


def recent(memos: Sequence[str]) -> tuple[str, ...]:
    """Return memos once each, the newest first; `memos` are in the order of their writing."""
    return tuple(dict.fromkeys(memo for memo in reversed(memos) if memo))[:RECENT_MEMOS_MAX]


def _state(facts: Facts) -> State:
    if facts.tracked is None:
        return "off"
    if facts.paused_until_ms is not None and facts.now_ms < facts.paused_until_ms:
        return "paused"
    return "on"


def _headline(facts: Facts, state: State) -> str:
    title = next((choice.title for choice in facts.choices if choice.id == facts.tracked), "a contract")
    match state:
        case "off":
            return "OFF: not tracking"
        case "paused":
            return f"PAUSED until {_clock(facts, facts.paused_until_ms)}: {title}"
        case "on":
            return f"ON: tracking {title} since {_clock(facts, facts.since_ms)}"


def _times(facts: Facts) -> str:
    said = f"Today {_hours(facts.today_minutes)}, this week {_hours(facts.week_minutes)}"
    if facts.limit_minutes is None:
        return said
    left = max(0, facts.limit_minutes // MINUTES_PER_SLOT - facts.billable) * MINUTES_PER_SLOT
    return f"{said}; {_hours(left)} left of this contract's {_hours(facts.limit_minutes)}"


def _snapshot_says(facts: Facts) -> str:
    shot = facts.snapshot
    assert shot is not None
    said = f"{shot.title}, {_clock(facts, shot.taken_at_ms)}"
    return f"{said}; still on this computer alone" if shot.held else said


def _idle_asks(facts: Facts) -> str:
    asked = facts.idle
    if asked is None:
        return ""
    when = f"{_clock(facts, asked.since_ms)}–{_clock(facts, asked.until_ms)}"
    return f"{asked.says}, {when}. What becomes of that time?"


def _waiting(facts: Facts) -> str:
    if not facts.has_server:
        return "No server: all of it stays on this computer"
    said = ", ".join(f"{count} {word}" for count, word in facts.waiting if count)
    return said or "Everything is sent"


def _lacks(facts: Facts, state: State) -> tuple[str, ...]:
    if state == "on" and not facts.has_tracker:
        return ("Tracking is on, and no tracker runs: press Continue.",)
    return ()


def _acts(facts: Facts, state: State, chosen: ContractId | None, choice: Choice | None) -> frozenset[Act]:
    acts: set[Act] = set()
    if state == "off":
        acts |= {"start"} if chosen else set()
    else:
        acts |= {"stop", "set_memo"}
        acts |= {"switch"} if chosen != facts.tracked else set()
        acts |= {"set_label"} if choice and choice.labels and chosen == facts.tracked else set()
        acts |= {"pause"} if state == "on" else set()
        acts |= {"continue"} if state == "paused" or not facts.has_tracker else set()
    if facts.snapshot is not None:
        acts.add("remove")
    if facts.idle:
        acts.add("answer_idle")
    return frozenset(acts)


def _hours(minutes: int) -> str:
    return f"{minutes // 60}:{minutes % 60:02}"


def _clock(facts: Facts, at_ms: Millis | None) -> str:
    local = datetime.fromtimestamp((at_ms or 0) / 1000, facts.zone)
    return f"{local:%H:%M}" if facts.clock_24h else f"{local:%I:%M %p}".lstrip("0").lower()
