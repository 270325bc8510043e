"""What the forms start with: a selection's memo and label, manual time's contract and times (R21, R26).

Pure: values in, values out.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from datasette_work_diary.day_page import place_name
from datasette_work_diary.reading import Reading, counted, slots_label
from diary.contracts import Contract
from diary.rules.ids import Slot
from diary.rules.timesheet import SegmentView
from diary.rules.week import Week, ends_at_ms, local_day, starts_at_ms

WORK_STARTS = 9  # where the choice of times stands on an empty day
LENGTH_AT_FIRST = 6


@dataclass(frozen=True, slots=True)
class EditFields:
    """A form that edits one segment or a selection.

    Where the segments differ a field is empty and `mixed`, and left empty it keeps each.
    """

    what: str
    where: str
    back: str
    places: tuple[str, ...]
    memo: str
    memo_was: str
    memo_mixed: bool
    label: str
    label_was: str
    label_mixed: bool
    labels: tuple[str, ...]


def edit_fields(
    segments: Sequence[SegmentView], contracts: Sequence[Contract], back: str, reading: Reading
) -> EditFields:
    """Return the form for these segments, at least one, in any order."""
    ordered = sorted(segments, key=lambda segment: (segment.slot, segment.contract))
    memos = {segment.memo for segment in ordered}
    labels = {segment.label for segment in ordered}
    of = {segment.contract for segment in ordered}
    memo = next(iter(memos)) if len(memos) == 1 else ""
    label = next(iter(labels)) if len(labels) == 1 else ""
    return EditFields(
        what=counted(len(ordered), "segment") if len(ordered) > 1 else "the segment",
        where=slots_label(tuple(segment.slot for segment in ordered), reading),
        back=back,
        places=tuple(place_name(segment) for segment in ordered),
        memo=memo,
        memo_was=memo,
        memo_mixed=len(memos) > 1,
        label=label,
        label_was=label,
        label_mixed=len(labels) > 1,
        labels=_labels([contract for contract in contracts if contract.id in of], *labels),
    )


def memo_meanwhile(segments: Sequence[SegmentView], was: str, new: str | None) -> str | None:
    """Return the memo that took the place of what a form was opened with, None where none did (R26).

    Where a selection had different memos the form was opened with none, and knows of none.
    """
    if new is None or not (was or len(segments) == 1):
        return None
    return next((one.memo for one in segments if one.memo not in {was, new}), None)


def _labels(contracts: Sequence[Contract], *kept: str) -> tuple[str, ...]:
    """Return the labels that the contracts offer, and those that stand there although they no longer do."""
    offered = dict.fromkeys(label for contract in contracts for label in contract.labels)
    return tuple(offered | dict.fromkeys(filter(None, kept)))


@dataclass(frozen=True, slots=True)
class Choice:
    """One line of a select."""

    value: str
    label: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class ContractChoice:
    """A contract to add manual time to."""

    id: str
    title: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class Typed:
    """What somebody has typed into the form of manual time, kept when it is refused."""

    contract: str = ""
    start: str = ""
    end: str = ""
    memo: str = ""
    label: str = ""


@dataclass(frozen=True, slots=True)
class ManualFields:
    """The form for manual time on one day; without contracts it says why there are none (R21)."""

    day: str
    contracts: tuple[ContractChoice, ...]
    starts: tuple[Choice, ...]
    ends: tuple[Choice, ...]
    memo: str
    label: str
    labels: tuple[str, ...]
    why_none: str


def manual_fields(
    day: date,
    contracts: Sequence[Contract],
    taken: Sequence[Slot],
    reading: Reading,
    typed: Typed | None = None,
) -> ManualFields:
    """Return the form for manual time (R21). `taken` are the day's slots that hold something already."""
    typed = typed or Typed()
    slots = [slot for hour in local_day(day, reading.zone) for slot in hour.slots]
    weeks = [Week.of(slot) for slot in (*slots[:1], *slots[-1:])]
    open_weeks = [week for week in weeks if not week.is_frozen(reading.now_ms)]
    open_to = [
        contract
        for contract in contracts
        if contract.terms.state == "active"
        and any(contract.history.manual_allowed_for(week, reading.now_ms) for week in open_weeks)
    ]
    start, end = _free_span(slots, set(taken), reading)
    if typed.start.isdecimal() and typed.end.isdecimal():
        start, end = int(typed.start), int(typed.end)
    return ManualFields(
        day=day.isoformat(),
        contracts=tuple(
            ContractChoice(contract.id, contract.title, contract.id == typed.contract) for contract in open_to
        ),
        starts=tuple(Choice(str(slot), reading.time(starts_at_ms(slot)), slot == start) for slot in slots),
        ends=tuple(Choice(str(slot + 1), reading.time(ends_at_ms(slot)), slot + 1 == end) for slot in slots),
        memo=typed.memo,
        label=typed.label,
        labels=_labels(open_to, typed.label),
        why_none=_why_none(contracts, frozen=not open_weeks),
    )


def _free_span(slots: Sequence[Slot], taken: set[Slot], reading: Reading) -> tuple[int, int]:
    """Return the span that the form offers first: free, begun, an hour at most, after the day's last segment.

    On an empty day it is the hour from nine o'clock; where the last segment is the newest, the gap before it.
    """
    begun = [slot for slot in slots if starts_at_ms(slot) <= reading.now_ms]
    free = [slot for slot in begun or slots if slot not in taken]
    after = [slot for slot in free if slot > max(taken, default=-1)]
    if taken and after:
        return _run(after[0], free, 1)
    if taken and free:
        return _run(free[-1], free, -1)
    morning = [slot for slot in slots if reading.local(starts_at_ms(slot)).hour >= WORK_STARTS]
    start = next(iter(morning or slots), 0)
    return start, start + LENGTH_AT_FIRST


def _run(start: int, free: Sequence[int], way: int) -> tuple[int, int]:
    """Return the run of free slots that begins, or with -1 ends, at `start`, an hour at most."""
    run = [start]
    while len(run) < LENGTH_AT_FIRST and run[-1] + way in free:
        run.append(run[-1] + way)
    return min(run), max(run) + 1


def _why_none(contracts: Sequence[Contract], *, frozen: bool) -> str:
    if frozen:
        return "The week is frozen: nothing can be added to it."
    if not contracts:
        return "There is no contract yet: diary contract new."
    return "None of your contracts allows manual time now. Your client can allow it; it holds from then on."
