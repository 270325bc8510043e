"""The report's page as values: sums of any days by what a segment has (R31).

Pure: sums and a `Reading` come in; the template only loops.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from urllib.parse import urlencode

from datasette_work_diary.reading import Reading, hours_and_minutes, long_day, short_day
from diary.contracts import Contract
from diary.reporting import Days
from diary.rules.ids import ContractId
from diary.rules.report import Key, Sum, together

PATH = "/-/diary/report"
# What the page offers; an address may name any other of them, in any order.
OFFERED: tuple[tuple[Key, ...], ...] = (
    ("day",),
    ("label",),
    ("app",),
    ("contract",),
    ("contract", "label"),
    ("day", "contract"),
    ("day", "label"),
)
HEADS: dict[Key, str] = {"day": "Day", "label": "Label", "app": "Application", "contract": "Contract"}
NONE_OF: dict[Key, str] = {
    "day": "",
    "label": "no label",
    "app": "no application seen",
    "contract": "no contract",
}


@dataclass(frozen=True, slots=True)
class Choice:
    """One choice of the form, or a stretch of days that is a click away."""

    value: str
    label: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class Cell:
    """One key of a line; `href` leads to the day's page, "" for other keys."""

    says: str
    href: str
    known: bool


@dataclass(frozen=True, slots=True)
class SumLine:
    """One line of sums; `billable_segments` and those that do not bill are drawn as a bar."""

    cells: tuple[Cell, ...]
    billable: str
    billable_segments: int
    not_billed: str


@dataclass(frozen=True, slots=True)
class ReportPage:
    """All that the report's template shows."""

    heading: str
    by_says: str
    first: str
    last: str
    choices: tuple[Choice, ...]
    contracts: tuple[Choice, ...]
    stretches: tuple[Choice, ...]
    heads: tuple[str, ...]
    lines: tuple[SumLine, ...]
    most_segments: int
    together: str
    not_billed: str
    csv_href: str
    json_href: str
    command: str


def report_page(
    days: Days,
    keys: tuple[Key, ...],
    sums: Sequence[Sum],
    contracts: Sequence[Contract],
    only: ContractId | None,
    reading: Reading,
) -> ReportPage:
    """Return the page of these sums; `only` is the contract they are of, None for all."""
    asked = _asked(days, keys, only)
    whole = together(sums)
    named = [keys] if keys not in OFFERED else []
    of_contract = "" if only is None else f" --contract {only[:8]}"
    return ReportPage(
        heading=_stretch_says(days),
        by_says=_by_says(keys).lower(),
        first=days.first.isoformat(),
        last=days.last.isoformat(),
        choices=tuple(Choice(",".join(each), _by_says(each), each == keys) for each in (*OFFERED, *named)),
        contracts=tuple(Choice(one.id, one.title, one.id == only) for one in contracts),
        stretches=tuple(
            Choice(f"{PATH}?{_asked(each, keys, only)}", name, each == days)
            for name, each in stretches(reading.local(reading.now_ms).date())
        ),
        heads=tuple(HEADS[key] for key in keys),
        lines=tuple(_line(keys, one) for one in sums),
        most_segments=max((one.billable for one in sums), default=0),
        together=hours_and_minutes(whole.billable),
        not_billed=hours_and_minutes(whole.not_billable),
        csv_href=f"{PATH}.csv?{asked}",
        json_href=f"{PATH}.json?{asked}",
        command=f"diary report --from {days.first} --to {days.last} --by {','.join(keys)}{of_contract}",
    )


def stretches(today: date) -> tuple[tuple[str, Days], ...]:
    """Return the stretches of days that a freelancer asks for most, with their names."""
    monday = today - timedelta(days=today.weekday())
    first = today.replace(day=1)
    last_of_month = (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
    before = first - timedelta(days=1)
    return (
        ("This week", Days(monday, monday + timedelta(days=6))),
        ("Last week", Days(monday - timedelta(days=7), monday - timedelta(days=1))),
        ("This month", Days(first, last_of_month)),
        ("Last month", Days(before.replace(day=1), before)),
        ("This year", Days(today.replace(month=1, day=1), today.replace(month=12, day=31))),
    )


def _asked(days: Days, keys: tuple[Key, ...], only: ContractId | None) -> str:
    """Return the address's question: days, keys and a contract's id, nothing that anybody wrote (R52)."""
    asked = {"from": days.first.isoformat(), "to": days.last.isoformat(), "by": ",".join(keys)}
    return urlencode(asked | ({"contract": only} if only else {}), safe=",")


def _by_says(keys: tuple[Key, ...]) -> str:
    first, *rest = (HEADS[key] for key in keys)
    return " and ".join((first, *map(str.lower, rest)))


def _stretch_says(days: Days) -> str:
    """Return "16 November 2026", or "16–22 November 2026" with as much of the first day as differs."""
    first, last = (long_day(day).split()[1:] for day in (days.first, days.last))
    if days.first == days.last:
        return " ".join(first)
    differing = next(place for place in (3, 2, 1) if first[place - 1] != last[place - 1])
    dash = "–" if differing == 1 else " – "
    return f"{' '.join(first[:differing])}{dash}{' '.join(last)}"


def _line(keys: tuple[Key, ...], one: Sum) -> SumLine:
    return SumLine(
        cells=tuple(_cell(key, said) for key, said in zip(keys, one.key, strict=True)),
        billable=hours_and_minutes(one.billable),
        billable_segments=one.billable,
        not_billed=hours_and_minutes(one.not_billable) if one.not_billable else "",
    )


def _cell(key: Key, said: str) -> Cell:
    if key == "day":
        return Cell(short_day(date.fromisoformat(said)), f"/-/diary/day/{said}", known=True)
    return Cell(said or NONE_OF[key], "", known=bool(said))
