"""The page beside an exported table: each line with its pictures, to read and to print (R58).

Pure: views in, HTML out. It loads nothing but what lies beside it, runs no script, and shows whatever
somebody wrote as text.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from itertools import groupby
from zoneinfo import ZoneInfo

from diary.report_words import WORDS
from diary.rules.delay import DELAY_WORDS, delay_of, lag_says
from diary.rules.ids import MINUTES_PER_SLOT, ContractId
from diary.rules.json_form import JOINT, at
from diary.rules.money import money
from diary.rules.timesheet import BAR_WORDS, Place, SealView, SegmentView, Totals, bar_of, marks
from diary.rules.week import Week, ends_at_ms, starts_at_ms

SUM_HEADS = ("Week", "Contract", "Recorded", "Bills", "An hour", "Amount")
SAID_HEADS = ("Received", "By", "What", "Segments", "In words")
REDACTED = "removed by both parties"

POLICY = "default-src 'none'; img-src 'self' file: data:; style-src 'self' file:"


@dataclass(frozen=True, slots=True)
class Front:
    """What stands before the lines: sentences, facts by name, and the parties' words under `SAID_HEADS`."""

    paragraphs: Sequence[str] = ()
    facts: Sequence[tuple[str, str]] = ()
    said: Sequence[Sequence[str]] = ()


def export_page(
    heading: str,
    segments: Iterable[SegmentView],
    totals: Sequence[tuple[Week, Sequence[Totals]]],
    files: Mapping[Place, Sequence[str]],
    styles: Sequence[str],
    zone: ZoneInfo,
    front: Front = Front(),  # a value that nobody changes
) -> str:
    """Return the page of an export; `files` are the pictures beside it by place, `styles` its style sheets.

    `front` has what is known beside the lines, such as which weeks the server sealed (R57). Deleted segments
    have no line. Times are in `zone`, and in UTC beside them. Words of the trade are explained at the end.
    """
    live = [segment for segment in segments if segment.state != "deleted"]
    ordered = sorted(live, key=lambda segment: (segment.slot, segment.contract))
    days = groupby(ordered, key=lambda segment: at(starts_at_ms(segment.slot)).astimezone(zone).date())
    sections = "".join(
        f"<section><h2>{day:%A} {day.day} {day:%B %Y}</h2>\n"
        + "".join(_article(segment, files, zone) for segment in of_day)
        + "</section>\n"
        for day, of_day in days
    )
    links = "".join(f'<link rel="stylesheet" href="{escape(style)}">' for style in styles)
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(heading)}</title>{links}</head>\n<body><main>\n<h1>{escape(heading)}</h1>\n"
        f'<p class="under">Times are in {escape(zone.key)}. The same lines stand in segments.csv, '
        "the sums in totals.csv. These files are not encrypted.</p>\n"
        f"{_listed(front.facts)}{''.join(f'<p>{escape(each)}</p>' for each in front.paragraphs)}\n"
        f"{_table('Sums', SUM_HEADS, sum_rows(totals))}{_said(front.said)}"
        f"{sections or '<p>Nothing was recorded.</p>'}"
        f"<section><h2>What the words mean</h2>\n{_listed(WORDS.items())}</section>\n</main></body></html>\n"
    )


def _said(rows: Sequence[Sequence[str]]) -> str:
    if not rows:
        return ""
    return f"<section><h2>What the parties said of it</h2>\n{_table('Words', SAID_HEADS, rows)}</section>\n"


def _listed(pairs: Iterable[tuple[str, str]]) -> str:
    each = "".join(
        f'<dt>{escape(name)}</dt><dd dir="auto">{escape(value)}</dd>' for name, value in pairs if value
    )
    return f"<dl>{each}</dl>\n" if each else ""


def sum_rows(totals: Sequence[tuple[Week, Sequence[Totals]]]) -> list[tuple[str, ...]]:
    """Return the sums as cells under `SUM_HEADS`."""
    return [
        (
            week.name,
            one.contract_title,
            _hours(one.segments),
            _hours(one.billable),
            f"{money(one.rate_minor, one.currency)} {one.currency}",
            f"{money(one.amount_minor, one.currency)} {one.currency}",
        )
        for week, each in totals
        for one in each
    ]


def seals_say(week: Week, seals: Iterable[SealView], titles: Mapping[ContractId, str]) -> list[str]:
    """Return of each seal of a week that holds what holds (R57)."""
    return [
        f"{week.name} of {titles.get(seal.contract, seal.contract)} was sealed by the server as number "
        f"{seal.number} on {at(seal.sealed_at_ms):%Y-%m-%d %H:%M} UTC: {_bill(seal.billable)}, "
        f"{money(seal.amount_minor, seal.currency)} {seal.currency}. This diary comes to the same. "
        "What proves it to others is a bundle: diary bundle."
        for seal in seals
    ]


def _table(label: str, heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    head = "".join(f'<th scope="col">{each}</th>' for each in heads)
    cells = ("".join(f'<td dir="auto">{escape(cell)}</td>' for cell in row) for row in rows)
    body = "".join(f"<tr>{row}</tr>" for row in cells)
    table = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    return f'<div class="scrolls" role="group" tabindex="0" aria-label="{label}">{table}</div>\n'


def _article(segment: SegmentView, files: Mapping[Place, Sequence[str]], zone: ZoneInfo) -> str:
    starts_ms, ends_ms = starts_at_ms(segment.slot), ends_at_ms(segment.slot)
    local, until = (at(each).astimezone(zone) for each in (starts_ms, ends_ms))
    title = f"{local:%H:%M}–{until:%H:%M} {segment.contract_title}"
    bar = bar_of(segment)
    named = files.get((segment.contract, segment.slot), ())
    pictures = "".join(
        f'<a href="{file}"><img src="{file}" alt="Snapshot, {escape(title)}" loading="lazy"></a>'
        for file in map(escape, named)
    )
    why = why_no_picture(segment)
    nothing = f'<p class="no-picture">{escape(why)}</p>'
    facts = _listed(facts_of(segment, local.tzname() or ""))
    return (
        f"<article><div>{pictures or nothing}</div>"
        f'<div><h3>{escape(title)} <span class="swatch" data-bar="{bar}">{BAR_WORDS[bar]}</span></h3>'
        f'<p class="memo" dir="auto">{escape(memo_of(segment))}</p>{facts}</div></article>\n'
    )


def memo_of(segment: SegmentView) -> str:
    """Return a segment's memo, or the words for there being none (R54)."""
    return segment.memo or (REDACTED if segment.redacted else "no memo")


def why_no_picture(segment: SegmentView) -> str:
    """Return why a segment is shown without a picture."""
    if segment.redacted:
        return REDACTED
    return JOINT.join(segment.no_picture) or ("manual time" if segment.kind == "manual" else "not here")


def facts_of(segment: SegmentView, zone_name: str) -> list[tuple[str, str]]:
    """Return what is said of a segment beside its memo, each by its name; "" for what there is nothing of."""
    received_ms = segment.received_at_ms
    activity = f"{segment.activity} of {MINUTES_PER_SLOT} minutes active" if segment.tracked_minutes else ""
    received = ""
    if received_ms is not None:
        delay = DELAY_WORDS[delay_of(segment.slot, received_ms)]
        received = f"{at(received_ms):%Y-%m-%d %H:%M:%S} UTC, {delay}: {lag_says(segment.slot, received_ms)}"
    return [
        ("UTC", "" if zone_name == "UTC" else f"{at(starts_at_ms(segment.slot)):%Y-%m-%d %H:%M}"),
        ("Bills", "yes" if segment.bills else f"no ({(segment.why_not or segment.state).replace('_', ' ')})"),
        ("Marks", ", ".join(marks(segment))),
        ("Label", segment.label),
        ("Activity", activity),
        ("Application", JOINT.join(segment.applications)),
        ("Title", JOINT.join(segment.titles)),
        ("Received", received),
    ]


def _bill(segments: int) -> str:
    return "1 segment bills" if segments == 1 else f"{segments:,} segments bill"


def _hours(segments: int) -> str:
    minutes = segments * MINUTES_PER_SLOT
    return f"{minutes // 60}:{minutes % 60:02}"
