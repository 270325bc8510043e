"""How weeks and segments are printed for people: tables with coloured bars that have words too (R5, R24)."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.table import Table
from rich.text import Text

from diary.rules.delay import DELAY_WORDS, delay_of
from diary.rules.ids import MINUTES_PER_SLOT
from diary.rules.json_form import at
from diary.rules.money import money
from diary.rules.plain_text import plain as plain_text
from diary.rules.timesheet import BAR_WORDS, Bar, MemoBar, SegmentView, Totals, bar_of, marks
from diary.rules.week import ends_at_ms, starts_at_ms

STATE_WORDS = {"unsynced": "not synced"}  # as the marks have it
UNCOUNTED = "not counted: that desktop lets no program count it; activity is what the desktop saw"
PIPE_COLUMNS = 400  # what is piped is read by programs: lines stay whole up to here
BAR_STYLES = {"automatic": "green", "manual": "yellow", "over_limit": "red"}


# What a terminal would obey instead of showing: controls, and what turns the direction of text.
class Sheet:
    """Prints in one zone and one clock format, on stdout."""

    def __init__(self, zone: ZoneInfo, *, clock_24h: bool) -> None:
        self.zone = zone
        self.clock_24h = clock_24h
        self.console = plain_console()

    def local(self, at_ms: int) -> datetime:
        """Return an instant in this sheet's zone."""
        return at(at_ms).astimezone(self.zone)

    def time(self, at_ms: int) -> str:
        """Return the time of day: 17:45, or 5:45 pm (R5)."""
        local = self.local(at_ms)
        if self.clock_24h:
            return f"{local:%H:%M}"
        return f"{local.hour % 12 or 12}:{local:%M} {'am' if local.hour < 12 else 'pm'}"

    def day(self, at_ms: int) -> str:
        """Return the day, such as Mon 23 Nov."""
        local = self.local(at_ms)
        return f"{local:%a} {local.day} {local:%b}"

    def moment(self, at_ms: int) -> str:
        """Return day and time."""
        return f"{self.day(at_ms)} {self.time(at_ms)}"

    def segments(self, segments: Sequence[SegmentView], *, with_day: bool) -> None:
        """Print a line a segment, numbered for `@3`."""
        table = plain_table("", "Time", "Activity", "Bar", "Contract", "Memo", "Label", "Marks")
        for line, segment in enumerate(segments, start=1):
            starts_ms = starts_at_ms(segment.slot)
            table.add_row(
                f"@{line}",
                self.moment(starts_ms) if with_day else self.time(starts_ms),
                _activity(segment),
                bar(bar_of(segment)),
                plain(segment.contract_title),
                plain(segment.memo),
                plain(segment.label),
                ", ".join(_marks(segment)),
            )
        self.console.print(table)

    def bars(self, bars: Sequence[MemoBar]) -> None:
        """Print a line a memo bar, numbered for `@3`, the day at its first (R24)."""
        table = plain_table("", "Day", "From", "To", "Time", "Bar", "Contract", "Memo")
        last_day = ""
        for line, each in enumerate(bars, start=1):
            day = self.day(each.starts_at_ms)
            table.add_row(
                f"@{line}",
                "" if day == last_day else day,
                self.time(each.starts_at_ms),
                self.time(each.ends_at_ms),
                hours(len(each.slots)),
                bar(each.bar),
                plain(each.contract_title),
                plain(each.memo),
            )
            last_day = day
        self.console.print(table)

    def totals(self, totals: Iterable[Totals]) -> None:
        """Print the sums of a week; what does not bill stands in a column of its own (R31)."""
        table = plain_table("Contract", "Recorded", "Bills", "Does not bill", "Limit", "Amount")
        rows = tuple(totals)
        if not rows:
            return  # the segment under way is no time yet
        for total in rows:
            limit = total.limit_minutes
            table.add_row(
                plain(total.contract_title),
                hours(total.segments),
                hours(total.billable),
                hours(total.segments - total.billable),
                "none" if limit is None else hours(limit // MINUTES_PER_SLOT),
                f"{money(total.amount_minor, total.currency)} {total.currency}",
            )
        self.console.print(table)

    def segment(self, segment: SegmentView) -> None:
        """Print all that is known of one segment."""
        table = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
        for name, value in self._facts(segment):
            table.add_row(Text(name, style="dim"), value)
        self.console.print(table)

    def _facts(self, segment: SegmentView) -> list[tuple[str, Text]]:
        starts_ms, ends_ms = starts_at_ms(segment.slot), ends_at_ms(segment.slot)
        received = segment.received_at_ms
        facts = [
            ("time", f"{self.moment(starts_ms)}–{self.time(ends_ms)} {self.local(starts_ms):%Z}"),
            ("contract", segment.contract_title + (f" ({segment.client})" if segment.client else "")),
            ("bar", BAR_WORDS[bar_of(segment)]),
            (
                "state",
                ", ".join(dict.fromkeys([STATE_WORDS.get(segment.state, segment.state), *_marks(segment)])),
            ),
            ("bills", "yes" if segment.bills else f"no ({segment.why_not or segment.state})"),
            ("memo", segment.memo),
            ("label", segment.label),
            ("activity", f"{segment.activity} of 10 minutes; {segment.tracked_minutes} of 10 tracked"),
            ("input", UNCOUNTED if segment.is_uncounted else ""),
            *[("minute", _minute(number, counts)) for number, counts in enumerate(segment.minutes) if counts],
            ("application", ", ".join(segment.applications)),
            ("title", ", ".join(segment.titles)),
            ("no picture", ", ".join(segment.no_picture)),
            *[
                (
                    "picture",
                    f"{self.time(each.taken_at_ms)} on {each.device} ({each.screen[:16]})"
                    + (", missing: it was due at the server and is not there" if each.missing else ""),
                )
                for each in segment.snapshots
            ],
            ("devices", ", ".join(segment.devices)),
            (
                "received",
                ""
                if received is None
                else f"{self.moment(received)}, {_after(received - ends_ms)}"
                f" ({DELAY_WORDS[delay_of(segment.slot, received)]})",
            ),
        ]
        return [(name, plain(value)) for name, value in facts if value]


def plain_console() -> Console:
    """Return stdout as rich prints to it; NO_COLOR holds, and what is piped keeps its lines whole."""
    console = Console(highlight=False, markup=False, emoji=False)
    if console.is_terminal:
        return console
    return Console(highlight=False, markup=False, emoji=False, width=PIPE_COLUMNS)


def bar(kind: Bar) -> Text:
    """Return a bar in its colour with its word: colour is never the only sign (R24)."""
    return Text(f"█ {BAR_WORDS[kind]}", style=BAR_STYLES[kind])


def plain(text: str) -> Text:
    """Return what somebody wrote so that a terminal shows it and obeys nothing in it."""
    return Text(plain_text(text).replace("\n", " ").strip())


def hours(segments: int) -> str:
    """Return segments as hours and minutes, 7 as 1:10."""
    minutes = segments * MINUTES_PER_SLOT
    return f"{minutes // 60}:{minutes % 60:02}"


def plain_table(*columns: str) -> Table:
    """Return a table without lines; memos may break over several, other columns do not."""
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for column in columns:
        is_free = column in {"Memo", "Contract", "Marks", ""}
        table.add_column(column, no_wrap=column != "Memo", overflow="fold" if is_free else "ellipsis")
    return table


def _activity(segment: SegmentView) -> Text:
    if not segment.tracked_minutes:
        return Text("–", style="dim")
    shown = f"{segment.activity:>2}/10 " + "▮" * segment.activity + "▯" * (10 - segment.activity)
    # What only the desktop saw is told apart: it says less than counts do (R14).
    return Text(shown + (" seen" if segment.is_uncounted else ""))


def _marks(segment: SegmentView) -> list[str]:
    """Return the marks, and why it does not bill where no mark says so (R24)."""
    found: list[str] = list(marks(segment))
    reason = (segment.why_not or "").replace("_", " ")
    if reason and reason not in found and segment.why_not != "over_limit":
        found.append(reason)
    return found


def _minute(number: int, counts: object) -> str:
    """Return a minute's counts; those that nobody could count are left out, never shown as 0 (R14)."""
    keystrokes, clicks, scrolls, os_active = (
        getattr(counts, name) for name in ("keystrokes", "clicks", "scrolls", "os_active")
    )
    said = [
        f"{count} {word}"
        for count, word in ((keystrokes, "keys"), (clicks, "clicks"), (scrolls, "scrolls"))
        if count is not None
    ]
    return f"{number}: " + ", ".join([*said, "active" if os_active else "no activity seen"])


def _after(delay_ms: int) -> str:
    minutes = abs(delay_ms) // 60_000
    return f"{minutes} min {'after' if delay_ms >= 0 else 'before'} its end"
