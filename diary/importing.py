"""Time kept elsewhere, brought in as manual time: Toggl, Clockify and plain CSV (R21).

Pure: a file's text comes in, lines of time come out, and what each line would claim. Segments are whole ten
minutes: a slot is claimed when a contract's lines cover at least half of it, with the memo of the line that
covers most. Nothing is guessed about dates: a file whose days and months could be told either way is refused
until somebody says which it is.
"""

import csv
import io
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from diary.errors import UsageError
from diary.rules.ids import SLOT_MILLIS, Millis, Slot
from diary.rules.week import slot_at, starts_at_ms

LINES_MAX = 200_000  # forty years of a line every half hour
LINE_MILLIS_MAX = 24 * 3_600_000  # a clock that was forgotten overnight is no day of work
COVERED_MILLIS_MIN = SLOT_MILLIS // 2

Kind = Literal["toggl", "clockify", "plain"]
DateOrder = Literal["ymd", "dmy", "mdy"]


class NoImportError(UsageError):
    """The file is none that could be imported."""

    says = "{path} cannot be imported: {because}."
    mend = (
        "Import a detailed report of Toggl or Clockify as CSV, or a CSV with the columns "
        "start, end, contract, memo and, if you like, label."
    )


class AmbiguousDatesError(UsageError):
    """Days and months cannot be told apart."""

    says = "The dates in {path} can be read in two ways, such as {example}."
    mend = "Say which: --dates dmy (day first) or --dates mdy (month first)."


@dataclass(frozen=True, slots=True)
class Line:
    """One line of time: `number` counts the file's lines from 1, the heading included."""

    number: int
    project: str
    client: str
    memo: str
    tags: tuple[str, ...]
    starts_at_ms: Millis
    ends_at_ms: Millis


@dataclass(frozen=True, slots=True)
class Fault:
    """A line that cannot be read, and why."""

    number: int
    because: str


@dataclass(frozen=True, slots=True)
class Read:
    """What a file holds; faulty lines stand in no other's way."""

    kind: Kind
    lines: tuple[Line, ...]
    faults: tuple[Fault, ...]


@dataclass(frozen=True, slots=True)
class Claim:
    """Slots of one contract with one memo, and the lines' tags."""

    memo: str
    tags: tuple[str, ...]
    slots: tuple[Slot, ...]


_COLUMNS: Mapping[Kind, Mapping[str, tuple[str, ...]]] = {
    "toggl": {
        "project": ("project",),
        "client": ("client",),
        "memo": ("description",),
        "task": ("task",),
        "tags": ("tags",),
        "start_date": ("start date",),
        "start_time": ("start time",),
        "end_date": ("end date", "stop date"),
        "end_time": ("end time", "stop time"),
    },
    "plain": {
        "project": ("contract", "project"),
        "client": ("client",),
        "memo": ("memo", "description", "note"),
        "tags": ("label", "tags"),
        "start": ("start", "from"),
        "end": ("end", "until", "to"),
    },
}
_NEEDED: Mapping[Kind, tuple[str, ...]] = {
    "toggl": ("start_date", "start_time", "end_date", "end_time"),
    "plain": ("start", "end"),
}
_ONLY_CLOCKIFY = frozenset({"duration (h)", "duration (decimal)", "time (h)", "billable rate (usd)"})


def read(text: str, path: str, zone: ZoneInfo, dates: DateOrder | None = None) -> Read:
    """Return the lines of a file; times without an offset are in `zone` (R5).

    Raises:
        NoImportError: It is no such file.
        AmbiguousDatesError: Its dates can be read in two ways, and `dates` does not say which.
    """
    rows = _rows(text, path)
    heads = [head.strip().lower() for head in rows[0]]
    kind, at = _kind_of(heads, path)
    if kind != "plain" and dates is None:
        dates = _order_of([row[at["start_date"]] for row in rows[1:] if len(row) > at["start_date"]], path)
    lines: list[Line] = []
    faults: list[Fault] = []
    for number, row in enumerate(rows[1:], start=2):
        if not any(cell.strip() for cell in row):
            continue
        try:
            lines.append(_line(number, row, at, zone, dates or "ymd"))
        except (ValueError, IndexError) as error:
            faults.append(Fault(number, str(error) or "it is cut short"))
    return Read(kind, tuple(lines), tuple(faults))


def claims(lines: Iterable[Line]) -> tuple[Claim, ...]:
    """Return what the lines of one contract claim, in order of time (R21)."""
    covered: dict[Slot, dict[int, int]] = defaultdict(lambda: defaultdict(int))
    by_number = {line.number: line for line in lines}
    for line in by_number.values():
        for slot in map(Slot, range(slot_at(line.starts_at_ms), slot_at(line.ends_at_ms - 1) + 1)):
            begins = max(line.starts_at_ms, starts_at_ms(slot))
            ends = min(line.ends_at_ms, starts_at_ms(slot) + SLOT_MILLIS)
            covered[slot][line.number] += ends - begins
    said: dict[tuple[str, tuple[str, ...]], list[Slot]] = defaultdict(list)
    for slot, by_line in sorted(covered.items()):
        if sum(by_line.values()) >= COVERED_MILLIS_MIN:
            most = by_number[min(by_line, key=lambda number: (-by_line[number], number))]
            said[most.memo, most.tags].append(slot)
    found = [Claim(memo, tags, tuple(slots)) for (memo, tags), slots in said.items()]
    return tuple(sorted(found, key=lambda claim: claim.slots))


def _rows(text: str, path: str) -> list[list[str]]:
    first = text.lstrip("\ufeff\r\n").partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    try:
        rows = list(csv.reader(io.StringIO(text.lstrip("\ufeff")), delimiter=delimiter, strict=True))
    except csv.Error as error:
        raise NoImportError(path=path, because=f"it is no CSV ({error})") from error
    if len(rows) < 2:
        raise NoImportError(path=path, because="it holds no lines")
    if len(rows) > LINES_MAX:
        raise NoImportError(path=path, because=f"it has {len(rows):,} lines; {LINES_MAX:,} are the most")
    return rows


def _kind_of(heads: Sequence[str], path: str) -> tuple[Kind, dict[str, int]]:
    """Return which file it is by its heading, and where its columns stand; both exports share theirs."""
    for kind, columns in _COLUMNS.items():
        at = {name: heads.index(head) for name, known in columns.items() for head in known if head in heads}
        if all(name in at for name in _NEEDED[kind]):
            return ("clockify" if _ONLY_CLOCKIFY & set(heads) else kind), at
    raise NoImportError(path=path, because=f"its columns are {', '.join(heads[:8])}")


def _order_of(dates: Sequence[str], path: str) -> DateOrder:
    """Return in which order the dates stand, if only one can be meant."""
    parts = [_parts(date) for date in dates if date.strip()]
    if not parts or any(len(part) != 3 for part in parts) or all(part[0] > 31 for part in parts):
        return "ymd"
    is_dmy, is_mdy = any(part[0] > 12 for part in parts), any(part[1] > 12 for part in parts)
    if is_dmy == is_mdy:
        raise AmbiguousDatesError(path=path, example=next(date for date in dates if date.strip()))
    return "dmy" if is_dmy else "mdy"


def _parts(date: str) -> list[int]:
    for mark in "./-":
        pieces = date.strip().split(mark)
        if len(pieces) == 3 and all(piece.strip().isdecimal() for piece in pieces):
            return [int(piece) for piece in pieces]
    return []


def _line(number: int, row: Sequence[str], at: Mapping[str, int], zone: ZoneInfo, dates: DateOrder) -> Line:
    def cell(name: str) -> str:
        return row[at[name]].strip() if name in at else ""

    if "start" in at:
        starts, ends = (_iso(cell(name), zone) for name in ("start", "end"))
    else:
        starts, ends = (
            _local(cell(f"{name}_date"), cell(f"{name}_time"), zone, dates) for name in ("start", "end")
        )
    if ends <= starts:
        raise ValueError("it ends before it begins")
    if ends - starts > LINE_MILLIS_MAX:
        raise ValueError("it is longer than a day")
    project = cell("project")
    return Line(
        number=number,
        project=project,
        client=cell("client"),
        memo=cell("memo") or cell("task") or project,
        tags=tuple(tag.strip() for tag in cell("tags").replace("|", ",").split(",") if tag.strip()),
        starts_at_ms=starts,
        ends_at_ms=ends,
    )


def _iso(text: str, zone: ZoneInfo) -> Millis:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"“{text}” is no time; write it as 2026-11-23 09:00 or 2026-11-23T09:00Z") from None
    return _instant(found if found.tzinfo else found.replace(tzinfo=zone), text)


def _local(date: str, time: str, zone: ZoneInfo, dates: DateOrder) -> Millis:
    parts = _parts(date)
    if not parts:
        raise ValueError(f"“{date}” is no date")
    order: Callable[[list[int]], tuple[int, int, int]] = {
        "ymd": lambda found: (found[0], found[1], found[2]),
        "dmy": lambda found: (found[2], found[1], found[0]),
        "mdy": lambda found: (found[2], found[0], found[1]),
    }[dates]
    clock = _clock(time)
    try:
        local = datetime(*order(parts), *clock, tzinfo=zone)
    except ValueError:
        raise ValueError(f"“{date} {time}” is no time") from None
    return _instant(local, f"{date} {time}")


def _clock(text: str) -> tuple[int, int, int]:
    """Return hour, minute and second of "17:45", "17:45:10" or "5:45:10 PM"."""
    word, _, half = text.strip().upper().replace("\u202f", " ").partition(" ")
    pieces = word.split(":")
    if (
        len(pieces) not in {2, 3}
        or not all(piece.isdecimal() for piece in pieces)
        or half not in {"", "AM", "PM"}
    ):
        raise ValueError(f"“{text}” is no time of day")
    hour, minute, second = (*map(int, pieces), 0)[:3]
    if half:
        hour = hour % 12 + (12 if half == "PM" else 0)
    return hour, minute, second


def _instant(local: datetime, text: str) -> Millis:
    """Return the instant; a time that the clocks went over is none (R5)."""
    utc = local.astimezone(UTC)
    if utc.astimezone(local.tzinfo).replace(tzinfo=None) != local.replace(tzinfo=None):
        raise ValueError(f"the clocks went forward over “{text}”")
    return Millis((utc - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1))
