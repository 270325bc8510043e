"""What a bundle's record says, once opened: segments, sums and the two tables (R36, R58, R59).

The same code writes the tables when a bundle is made and works them out again when it is verified, from the
record alone. Pure.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from zoneinfo import ZoneInfo

from diary.evidence.bundle import SEGMENTS, TABLES_SINCE, TOTALS, Record
from diary.evidence.seal import Reckoning, Records, reckon
from diary.evidence.table_text import table, table_before_3
from diary.evidence.week_csv import segments_csv, totals_csv
from diary.rules.acts import accepted_slots, disputed_slots, redactions
from diary.rules.content import MergedContent, OpenedCapture, OpenedEntry, agrees, merged
from diary.rules.contract import TermsHistory
from diary.rules.ids import Millis, ReplicaId, Slot
from diary.rules.merge import Held, Standing, standing
from diary.rules.sealed_content import CaptureContent, EntryContent, TermsContent
from diary.rules.segment import Header
from diary.rules.timesheet import Place, SegmentView, SnapshotView, Totals, WhyNot, totals
from diary.rules.verdict import fact_of, verdicts
from diary.rules.week import Week

_DISPUTE_WORDS = {
    "raised": "a dispute was raised",
    "withdrawn": "the dispute was withdrawn",
    "replied": "the dispute was replied to",
    "conceded": "the dispute was conceded",
}

Content = CaptureContent | EntryContent


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the record whose place, signatures and content were checked; `content` is None without one."""

    header: Header
    index: int
    received_at_ms: Millis
    content: Content | None
    leaf: bytes

    @property
    def held(self) -> Held:
        """Return the row as the merge takes it."""
        return Held(self.header, self.received_at_ms, self.leaf)


@dataclass(frozen=True, slots=True)
class Act:
    """A row by which a party accepts, disputes, replies or redacts; `reason` is None without words."""

    header: Header
    received_at_ms: Millis
    reason: str | None

    @property
    def held(self) -> Held:
        """Return the row as the rules of acts take it."""
        return Held(self.header, self.received_at_ms)

    @property
    def slots(self) -> tuple[Slot, ...]:
        """Return the slots that it names, of other weeks too."""
        part = self.header.acceptance or self.header.dispute or self.header.redaction
        return () if part is None else part.slots or ()

    @property
    def what(self) -> str:
        """Return what was done by it, as a sentence's beginning."""
        if self.header.dispute is not None:
            return _DISPUTE_WORDS[self.header.dispute.act]
        return "late time was accepted" if self.header.acceptance is not None else "redaction was signed"


@dataclass(frozen=True)
class Opened:
    """A record that was opened: its captures and entries, the terms, and what the newest of them say.

    `acts` are what the parties said of its slots, in the order of the log; `clients` the client's seats.
    """

    record: Record
    rows: tuple[Row, ...]
    history: TermsHistory
    terms: TermsContent
    acts: tuple[Act, ...] = ()
    clients: frozenset[ReplicaId] = frozenset()

    def who(self, act: Act) -> str:
        """Return which party a row is of."""
        return "the client" if act.header.replica in self.clients else "the freelancer"

    @cached_property
    def said(self) -> "Said":
        """Return what the parties' words mean for slots."""
        held = [act.held for act in self.acts]
        return Said(
            accepted=frozenset(accepted_slots(held)),
            disputed=disputed_slots(held),
            redacted={
                slot: one.completed_at_ms
                for slot, one in redactions(held, self.clients).items()
                if one.completed_at_ms is not None
            },
        )


@dataclass(frozen=True, slots=True)
class Said:
    """What the parties said means for slots: late and accepted, disputed, redacted by both since when."""

    accepted: frozenset[Slot]
    disputed: frozenset[Slot]
    redacted: Mapping[Slot, Millis]


@dataclass(frozen=True, slots=True)
class Stood:
    """One slot: what stands there and what it says."""

    slot: Slot
    stands: Standing
    content: MergedContent
    leaf_index: int | None
    defective: bool


def stood_in(rows: Iterable[Row]) -> list[Stood]:
    """Return what stands in each slot, in order of time (R36)."""
    by_slot: dict[Slot, list[Row]] = {}
    for row in rows:
        assert row.header.slot is not None, "captures and entries name their slot"
        by_slot.setdefault(row.header.slot, []).append(row)
    return [_stood(slot, held) for slot, held in sorted(by_slot.items())]


def reckoned(opened: Opened) -> Reckoning | None:
    """Return what the week comes to by the record's rows, None for nothing (R57)."""
    record = opened.record
    held = {record.contract: [row.held for row in opened.rows]}
    records = Records(held, {record.contract: opened.history}, frozenset(record.overlapping))
    return reckon(Week.parse(record.week), records).get(record.contract)


def segments_of(opened: Opened) -> list[SegmentView]:
    """Return the segments that are not deleted, in order of time (R24).

    Of a whole week what bills is reckoned, of some slots alone it is as the maker states it.
    """
    week = Week.parse(opened.record.week)
    all_stood = stood_in(opened.rows)
    why_not = _judged(opened, all_stood, week)
    hourly = opened.history.at(week.starts_at_ms).kind == "hourly"
    return [
        _view(opened, stood, why_not.get(stood.slot, "late"), week, hourly=hourly)
        for stood in all_stood
        if stood.stands.kind is not None and not stood.stands.deleted
    ]


def tables_of(opened: Opened, segments: Sequence[SegmentView]) -> dict[str, str]:
    """Return both tables of the record's segments as a bundle holds them, by their file's name (R58)."""
    record = opened.record
    write = table if record.format >= TABLES_SINCE else table_before_3
    zone, files = ZoneInfo(record.zone), files_of(opened, segments)
    return {
        SEGMENTS: segments_csv(segments, zone=zone, picture_files=files, write=write),
        TOTALS: totals_csv([(Week.parse(record.week), totals_of(opened, segments))], write=write),
    }


def files_of(opened: Opened, segments: Iterable[SegmentView]) -> dict[Place, list[str]]:
    """Return the pictures that are there by their files, for each segment."""
    return {
        (one.contract, one.slot): [
            where.file
            for snapshot in one.snapshots
            for name in (snapshot.screen, snapshot.camera)
            if name and (where := opened.record.pictures.get(name)) is not None and where.file is not None
        ]
        for one in segments
    }


def totals_of(opened: Opened, segments: Sequence[SegmentView]) -> tuple[Totals, ...]:
    """Return the sums of the contract over these segments."""
    contract = opened.record.contract
    return totals(segments, {contract: opened.history}, {contract: opened.terms.title})


def _stood(slot: Slot, rows: Sequence[Row]) -> Stood:
    stands = standing(row.held for row in rows)
    by_name = {row.header.name: row for row in rows}
    counting = [by_name[held.header.name] for held in (*stands.captures, *stands.frontier)]
    captures: list[OpenedCapture] = []
    entries: list[OpenedEntry] = []
    defective = False
    for row in counting:
        if row.content is None:
            continue
        defective = defective or not agrees(row.header, row.content)
        if isinstance(row.content, CaptureContent):
            captures.append((row.header, row.content))
        else:
            entries.append((row.header, row.content))
    claims = [(row.received_at_ms, row.index) for row in counting if row.held.claims]
    index = min(claims)[1] if claims else None
    return Stood(slot, stands, merged(captures, entries), index, defective)


def _judged(opened: Opened, all_stood: Iterable[Stood], week: Week) -> Mapping[Slot, WhyNot | None]:
    """Return why each segment does not bill, None where it does.

    What is in no reckoning came late, and bills as a bonus where the client accepted it (R37, R38).
    """
    record = opened.record
    if record.stated is not None:
        return {Slot(int(slot)): _word(word) for slot, word in record.stated.items()}
    reckoning = reckoned(opened)
    sealed = {} if reckoning is None else {slot.slot: slot.why_not for slot in reckoning.slots}
    late = [
        fact_of(record.contract, one.slot, one.stands, accepted=True)
        for one in all_stood
        if one.slot not in sealed and one.slot in opened.said.accepted
    ]
    others = {(record.contract, slot) for slot in record.overlapping}
    judged = verdicts(week, late, {record.contract: opened.history}, stated=others)
    return sealed | {slot: verdict.why_not for (_, slot), verdict in judged.items()}


def _word(word: str) -> WhyNot | None:
    return word or None  # type: ignore[return-value]  # `verify` has looked that it is one of the words


def _view(opened: Opened, stood: Stood, why_not: WhyNot | None, week: Week, *, hourly: bool) -> SegmentView:
    content, stands = stood.content, stood.stands
    assert stands.kind is not None, "what is deleted has no view"
    received_at_ms = stands.received_at_ms
    late = received_at_ms is not None and week.is_frozen(received_at_ms)
    return SegmentView(
        contract=opened.record.contract,
        contract_title=opened.terms.title,
        client=opened.terms.client,
        slot=stood.slot,
        kind=stands.kind,
        state="late" if late else "synced",
        memo=content.memo.text if content.memo else "",
        label=content.label.text if content.label else "",
        activity=content.activity,
        minutes=content.minutes,
        applications=content.applications,
        titles=content.titles,
        snapshots=tuple(_whether_missing(opened.record, snapshot) for snapshot in content.snapshots),
        masked=content.masked,
        no_picture=content.no_picture,
        devices=content.devices,
        received_at_ms=received_at_ms,
        leaf_index=stood.leaf_index,
        bills=why_not is None,
        why_not=why_not,
        life=stands.life,
        versions=tuple(held.header.name for held in (*stands.captures, *stands.frontier)),
        defective=stood.defective,
        hourly=hourly,
        accepted=late and stood.slot in opened.said.accepted,
        disputed=stood.slot in opened.said.disputed,
        redacted=stood.slot in opened.said.redacted,
    )


def _whether_missing(record: Record, snapshot: SnapshotView) -> SnapshotView:
    names = (snapshot.screen, snapshot.thumbnail, snapshot.camera)
    found = [record.pictures[name].absent for name in names if name in record.pictures]
    return replace(snapshot, missing="missing" in found)
