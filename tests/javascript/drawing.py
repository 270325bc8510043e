"""Random histories of a contract, drawn from a seed, and what the product's rules make of them.

They bind the client's page to the freelancer's diary: `tests/vectors/week.json` holds the histories and the
answers, JavaScript must give the same. Drawn anew by `python -m tests.javascript.drawing`.
"""

import json
from dataclasses import asdict, replace
from datetime import date, timedelta
from pathlib import Path
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from diary.evidence.seal import Records, reckon
from diary.evidence.week_csv import segments_csv, totals_csv
from diary.rules.ids import ContractId, Millis, Slot
from diary.rules.json_form import week_json
from diary.rules.merge import Held, standing
from diary.rules.picture import is_missing
from diary.rules.timesheet import SegmentView, SnapshotView, State, WeekView, bar_of, day_grid, marks, totals
from diary.rules.verdict import Verdict, fact_of, verdicts
from diary.rules.week import DAY_MILLIS, Week, local_day, starts_at_ms
from tests.javascript.histories import Author, Contents, opened, terms_drawn

PINNED = Path(__file__).parent.parent / "vectors" / "week.json"
OURS, THEIRS = ContractId("c0" * 16), ContractId("b9" * 16)
WEEKS = (Week(2026, 47), Week(2026, 13), Week(2026, 53), Week(2026, 44))
ZONES = (
    "UTC",
    "Asia/Kathmandu",
    "Pacific/Chatham",
    "Europe/Berlin",
    "America/St_Johns",
    "Australia/Lord_Howe",
    "Pacific/Apia",
)
HISTORIES = 16
EMPTY_MINUTES = (None,) * 10


def _segment(
    contents: Contents, week: Week, held: list[Held], verdict: Verdict, contract: ContractId, slot: Slot
) -> SegmentView:
    stands = standing(held)
    content, defective = opened(contents, stands)
    had_picture = any(one.header.pictures for one in held)
    late = stands.received_at_ms is not None and week.is_frozen(stands.received_at_ms)
    state: State = "deleted" if stands.deleted else "late" if late else "synced"
    return SegmentView(
        contract=contract,
        contract_title="Orchard",
        client="Ada",
        slot=slot,
        kind=stands.kind or ("automatic" if had_picture else "manual"),
        state=state,
        memo=content.memo.text if content.memo else "",
        label=content.label.text if content.label else "",
        activity=content.activity,
        minutes=content.minutes,
        applications=content.applications,
        titles=content.titles,
        snapshots=content.snapshots,
        masked=content.masked,
        no_picture=content.no_picture,
        devices=content.devices,
        received_at_ms=stands.received_at_ms,
        leaf_index=None,
        bills=verdict.bills,
        why_not=verdict.why_not,
        life=stands.life,
        versions=(),
        defective=defective,
        hourly=True,
    )


def _with_missing(shot: SnapshotView, slot: Slot, absent: frozenset[str], now_ms: Millis) -> SnapshotView:
    names = (shot.screen, shot.thumbnail, shot.camera)
    return replace(
        shot, missing=any(is_missing(slot, now_ms, at_server=name not in absent) for name in names if name)
    )


def _by_slot(held: list[Held]) -> dict[Slot, list[Held]]:
    found: dict[Slot, list[Held]] = {}
    for one in held:
        assert one.header.slot is not None
        found.setdefault(one.header.slot, []).append(one)
    return found


def draw(seed: int) -> dict[str, Any]:
    """Return one history and what the rules make of it."""
    chance = Random(seed)
    week = chance.choice(WEEKS)
    author = Author(chance, week)
    first = chance.choice((week.first_slot, Slot(week.slots[-1] - 20), Slot(week.first_slot + 300)))
    slots = [Slot(first + number) for number in range(10)]
    held = author.held(OURS, slots)
    others = author.held(THEIRS, chance.sample(slots, k=5))
    histories = {OURS: terms_drawn(chance, week), THEIRS: terms_drawn(chance, week)}
    accepted, disputed, redacted = (frozenset(chance.sample(slots, k=3)) for _ in range(3))
    places = [
        (contract, slot, at)
        for contract, versions in ((OURS, held), (THEIRS, others))
        for slot, at in _by_slot(versions).items()
    ]
    judged = verdicts(
        week,
        [
            fact_of(contract, slot, standing(at), accepted=contract == OURS and slot in accepted)
            for contract, slot, at in places
        ],
        histories,
    )
    shown = [
        _segment(author.contents, week, at, judged[contract, slot], contract, slot)
        for contract, slot, at in places
        if contract == OURS and (standing(at).deleted or standing(at).kind is not None)
    ]
    # Sealed rows name them; of what is deleted nothing is left that could be missing.
    names = [name for one in held for name, _ in one.header.pictures or ()]
    absent = frozenset(chance.sample(names, k=len(names) // 3))
    now_ms = Millis(week.locked_at_ms + chance.choice((-1, 0, 1, 3 * DAY_MILLIS, 8 * DAY_MILLIS)))
    segments = tuple(
        replace(
            one,
            accepted=one.state == "late" and one.slot in accepted,
            disputed=one.state != "deleted" and one.slot in disputed,
            redacted=one.slot in redacted,
            snapshots=tuple(_with_missing(shot, one.slot, absent, now_ms) for shot in one.snapshots),
        )
        for one in sorted(shown, key=lambda one: one.slot)
    )
    titles = {OURS: "Orchard"}
    view = WeekView(
        week, week.locked_at_ms, week.is_frozen(now_ms), segments, totals(segments, histories, titles)
    )
    return {
        "seed": seed,
        "week": week.name,
        "now_ms": now_ms,
        "versions": [
            {
                "header": json.loads(one.header.to_bytes()),
                "received_at_ms": one.received_at_ms,
                "content": msgspec.to_builtins(author.contents[one.header.name]),
            }
            for one in held
        ],
        "terms": [
            {"terms": msgspec.to_builtins(one.terms), "received_at_ms": one.received_at_ms}
            for one in histories[OURS].versions
        ],
        "accepted": sorted(accepted),
        "disputed": sorted(disputed),
        "redacted": sorted(redacted),
        "absent": sorted(absent),
        "overlapping": sorted(
            slot
            for (contract, slot), one in judged.items()
            if contract == OURS and one.why_not == "overlapping"
        ),
        "expect": {
            "week": week_json(view),
            "standings": {str(slot): _standing(at) for contract, slot, at in places if contract == OURS},
            "bars": [bar_of(one) for one in segments],
            "marks": [marks(one) for one in segments],
            "defective": [one.defective for one in segments],
            "sealed": msgspec.to_builtins(
                reckon(week, Records({OURS: held, THEIRS: others}, histories)).get(OURS)
            ),
            "csv": {zone: _csv(view, zone) for zone in chance.sample(ZONES, k=1)},
            "memo_bars": {zone: _bars(segments, zone) for zone in chance.sample(ZONES, k=1)},
        },
    }


def _csv(view: WeekView, zone: str) -> list[str]:
    """Return the table and its sums as `diary export` writes them (R58)."""
    table = segments_csv(view.segments, zone=ZoneInfo(zone), picture_files=None)
    return [table, totals_csv([(view.week, view.totals)])]


def _standing(held: list[Held]) -> dict[str, Any]:
    stands = standing(held)
    return {
        "life": stands.life,
        "kind": stands.kind,
        "frontier": [f"{one.header.replica}:{one.header.n}" for one in stands.frontier],
        "captures": [f"{one.header.replica}:{one.header.n}" for one in stands.captures],
        "vector": stands.vector,
        "received_at_ms": stands.received_at_ms,
        "claimed_at_ms": stands.claimed_at_ms,
    }


def _bars(segments: tuple[SegmentView, ...], zone_name: str) -> list[dict[str, Any]]:
    zone = ZoneInfo(zone_name)
    if not segments:
        return []
    monday = date.fromisoformat("1970-01-01") + timedelta(milliseconds=starts_at_ms(segments[0].slot))
    days = [monday + timedelta(days=number) for number in range(-1, 3)]
    return [
        {
            "day": day.isoformat(),
            **{name: value for name, value in asdict(bar).items() if name != "contract_title"},
        }
        for day in days
        for bar in day_grid(segments, day, zone).bars
    ]


DAYS = (
    ("UTC", "2026-11-18"),
    ("Asia/Kathmandu", "2026-11-18"),
    ("Asia/Kathmandu", "1986-01-01"),
    ("Europe/Berlin", "2026-10-25"),
    ("Europe/Berlin", "2026-03-29"),
    ("Pacific/Chatham", "2026-04-05"),
    ("Pacific/Chatham", "2026-09-27"),
    ("Australia/Lord_Howe", "2026-04-05"),
    ("Australia/Lord_Howe", "2026-10-04"),
    ("America/St_Johns", "2006-10-29"),
    ("Pacific/Apia", "2011-12-30"),
    ("Pacific/Apia", "2011-12-31"),
)
WEEK_INSTANTS = (
    0,
    345_599_999,
    345_600_000,
    1_609_459_199_999,
    1_609_718_400_000,
    1_767_225_600_000,
    4_102_444_800_000,
)


def everything() -> dict[str, Any]:
    """Return all that is pinned."""
    return {
        "about": "Random histories and what diary/rules makes of them. 'overlapping' is what the server "
        "states of the contract's slots (R28). A content of null does not open. 'expect.week' is what "
        "`diary week --json` gives.",
        "histories": [draw(seed) for seed in range(HISTORIES)],
        "weeks": [
            {
                "at_ms": at,
                "name": week.name,
                "starts_at_ms": week.starts_at_ms,
                "locked_at_ms": week.locked_at_ms,
            }
            for at in WEEK_INSTANTS
            for week in (Week.at(at),)
        ],
        "days": [
            {
                "zone": zone,
                "day": day,
                "hours": [asdict(hour) for hour in local_day(date.fromisoformat(day), ZoneInfo(zone))],
            }
            for zone, day in DAYS
        ],
    }


def text() -> str:
    """Return the file's text."""
    return (
        json.dumps(everything(), ensure_ascii=True, separators=(",", ":")).replace('{"seed"', '\n{"seed"')
        + "\n"
    )


if __name__ == "__main__":
    PINNED.write_text(text(), encoding="utf-8")
