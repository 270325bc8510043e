"""The report in a bundle: a page to read, and one to print that says what is proven and what not (R59, R60).

Both are the maker's words beside the evidence: what they show is proven by the tables and the record.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from itertools import groupby
from zoneinfo import ZoneInfo

from diary.evidence import bundle
from diary.evidence.disclosed import Act, Opened, files_of, totals_of
from diary.evidence.head import LogHead, read_head
from diary.evidence.seal import Seal, own_seal
from diary.export_page import (
    SAID_HEADS,
    SUM_HEADS,
    Front,
    export_page,
    facts_of,
    memo_of,
    sum_rows,
    why_no_picture,
)
from diary.exporting import STYLES, style_text
from diary.report_words import WORDS
from diary.rules.consecutive import consecutive
from diary.rules.ids import Millis, ReplicaId, Slot
from diary.rules.json_form import JOINT, at, iso
from diary.rules.timesheet import SegmentView, SnapshotView, Totals
from diary.rules.week import SLOTS_PER_DAY, Week, ends_at_ms, starts_at_ms

Thumbnail = Callable[[SnapshotView], bytes | None]

_CLAIM = (
    "What the bundle proves: this was received by the server at the times that are shown, written by a "
    "device or a seat that may write it, and is unchanged since. What it does not prove: what the screen "
    "showed, what was counted and what the memo says are as the freelancer's device stated them; when "
    "each was received is the server's word, which both parties hold signed."
)
_PAPER = "Paper proves nothing. Check the file that this sheet is of"
_PAGE = "This page alone proves nothing. Check the file that it came in"
_CHECK = (
    ": diary verify FILE does it offline, with no account and no trust in whoever sent it; docs/evidence.md "
    "says how, for another program. The record's SHA-256 above ties this report to its file; the server's "
    "key is for you to compare with your own."
)
_SOME = (
    "Only some slots are shown: that nothing stands beside them, and what bills, is as the maker states it."
)
_NO_SEAL = (
    "The server's seal of the week is not in the bundle: that nothing was left out is as the maker states it."
)


_SAID_SHARES = (1.8, 1.2, 1.5, 1.7, 3)


@dataclass(frozen=True)
class Report:
    """What the report is made of: the opened record, its segments, and who made the bundle when."""

    opened: Opened
    shown: tuple[SegmentView, ...]
    zone: ZoneInfo
    maker: ReplicaId
    made_at_ms: Millis
    record_hash: str

    @cached_property
    def heading(self) -> str:
        """Return the contract's title and the week."""
        return f"{self.opened.terms.title}, week {self.opened.record.week}"

    @cached_property
    def sums(self) -> list[tuple[Week, tuple[Totals, ...]]]:
        """Return the week's sums."""
        return [(Week.parse(self.opened.record.week), totals_of(self.opened, self.shown))]

    def page(self) -> dict[str, bytes]:
        """Return the page to read, and its styles."""
        files = files_of(self.opened, self.shown)
        front = Front(self._claims(_PAGE), self._facts(), [self._said(act) for act in self.opened.acts])
        page = export_page(self.heading, self.shown, self.sums, files, STYLES, self.zone, front)
        styles = {style: style_text(style).encode() for style in STYLES}
        return {bundle.REPORT: page.encode(), **styles}

    def printed(self, thumbnail: Thumbnail) -> dict[str, bytes]:
        """Return the report to print; nothing where `workdiary[print]` is not installed."""
        from diary.pdf.document import Column, Document, can_print

        if not can_print():
            return {}
        made = Document(self.heading, self.made_at_ms, foot=f"Record {self.record_hash[:16]}… · work diary")
        made.paragraph(f"Times are in {self.zone.key}, instants in UTC.", quiet=True)
        made.facts(self._facts())
        for claim in self._claims(_PAPER):
            made.paragraph(claim)
        made.heading("Sums")
        columns = [
            Column(head, 3 if head == "Contract" else 1.2, right=at > 1) for at, head in enumerate(SUM_HEADS)
        ]
        made.table(columns, sum_rows(self.sums))
        if self.opened.acts:
            made.heading("What the parties said of it")
            heads = [Column(*each) for each in zip(SAID_HEADS, _SAID_SHARES, strict=True)]
            made.table(heads, map(self._said, self.opened.acts))
        files = files_of(self.opened, self.shown)
        for day, of_day in groupby(self.shown, key=lambda one: self._local(starts_at_ms(one.slot)).date()):
            above = f"{day:%A} {day.day} {day:%B %Y}"
            for one in of_day:
                begins, ends = self._local(starts_at_ms(one.slot)), self._local(ends_at_ms(one.slot))
                named = files.get((one.contract, one.slot), ())
                made.entry(
                    f"{begins:%H:%M}–{ends:%H:%M}",
                    memo_of(one),
                    [*facts_of(one, begins.tzname() or ""), ("Pictures", JOINT.join(named))],
                    picture=next((found for shot in one.snapshots if (found := thumbnail(shot))), None),
                    without=why_no_picture(one),
                    above=above,
                )
                above = ""
        made.heading("What the words mean")
        made.facts(WORDS.items())
        return {bundle.PRINT: made.pdf()}

    def _claims(self, alone: str) -> list[str]:
        """Return what the bundle proves and what it does not (R60)."""
        if self.opened.record.seal is not None:
            return [_CLAIM, alone + _CHECK]
        return [_CLAIM, alone + _CHECK, _SOME if self.opened.record.slots is not None else _NO_SEAL]

    def _said(self, act: Act) -> tuple[str, ...]:
        slots = JOINT.join(self._span(first, last) for first, last in _runs(act.slots))
        received = f"{at(act.received_at_ms):%Y-%m-%d %H:%M} UTC"
        return received, self.opened.who(act), act.what, slots, act.reason or ""

    def _span(self, first: Slot, last: Slot) -> str:
        begins, ends = self._local(starts_at_ms(first)), self._local(ends_at_ms(last))
        return f"{begins:%Y-%m-%d %H:%M}–{ends:%H:%M}"

    def _local(self, at_ms: int) -> datetime:
        return at(at_ms).astimezone(self.zone)

    def _facts(self) -> list[tuple[str, str]]:
        record, head, seal = self.opened.record, self._head, self._seal
        sealed = "" if seal is None else f"number {seal.number}, {iso(seal.sealed_at_ms)}"
        week = Week.parse(record.week)
        days = " to ".join(
            f"{day:%A} {day.day} {day:%B %Y} 00:00 UTC"
            for day in (at(week.starts_at_ms), at(week.next().starts_at_ms))
        )
        return [
            ("Week", days),
            ("Client", self.opened.terms.client),
            ("Contract", record.contract),
            ("Freelancer's account", record.account),
            ("Server's key", record.server_key),
            ("Log", f"{head.size} rows, signed {iso(head.at_ms)}, root {head.root}"),
            ("Week's seal", sealed),
            ("Record's SHA-256", self.record_hash),
            ("Made by", f"{self.maker}, {iso(self.made_at_ms)} by its clock"),
        ]

    @cached_property
    def _head(self) -> LogHead:
        return read_head(self.opened.record.head, bytes.fromhex(self.opened.record.server_key))

    @cached_property
    def _seal(self) -> Seal | None:
        signed = self.opened.record.seal
        return None if signed is None else own_seal(signed)


def _runs(slots: Iterable[Slot]) -> list[tuple[Slot, Slot]]:
    """Return the first and the last of each run of slots that follow each other, of one UTC day each."""
    days = groupby(sorted(slots), key=lambda slot: slot // SLOTS_PER_DAY)
    return [run for _, of_day in days for run in consecutive(of_day)]
