"""What the diary shows: weeks, segments, pictures, status, refusals (R5, R24, R26, R37d).

Reading takes one snapshot of the file and writes nothing. What stands is worked out anew from the versions
whenever the file changed; only opened contents and weeks are at hand in memory.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, groupby

from diary import contracts, drafting, envelope, parties
from diary.contracts import Contract
from diary.errors import DamageError, NothingError
from diary.parties import Marks
from diary.rules.content import MergedContent, OpenedCapture, OpenedEntry, agrees, merged
from diary.rules.ids import ContractId, Millis, Slot
from diary.rules.merge import Kind, Standing, standing
from diary.rules.picture import due_at_ms, is_missing
from diary.rules.sealed_content import CaptureContent, EntryContent
from diary.rules.segment import parse_header
from diary.rules.timesheet import Place, SealView, SegmentView, SnapshotView, State, WeekView, totals
from diary.rules.verdict import Verdict, fact_of, verdicts
from diary.rules.week import Week
from diary.showing import draft_picture_name
from diary.state import SERVER, OpenDiary, WeekAtHand
from diary.store import meta, overlaps, pictures, refusals, versions
from diary.store.drafts import DraftText
from diary.store.pictures import Whereabouts
from diary.store.refusals import KeptRefusal
from diary.store.versions import StoredVersion, held_of
from diary.store.weeks import weeks_held

_FOR_EVER = 2**63


@dataclass(frozen=True, slots=True)
class _Stood:
    """One place: what is held, what stands, what it says."""

    place: Place
    held: tuple[StoredVersion, ...]
    stands: Standing
    content: MergedContent
    defective: bool


def week(diary: OpenDiary, which: Week) -> WeekView:
    """Return a week as it stands on this device: segments by slot, then contract (R24).

    Deleted segments are in it, and the segment under way; what is nothing but a memo is not. Time that was
    refused where nothing stands is in it as refused and counts for nothing (R37d).
    """
    with diary.reading():
        now_ms = diary.now_ms()
        file_state = diary.file_state()
        at_hand = diary.weeks.get(which)
        if at_hand and at_hand.file_state == file_state and at_hand.from_ms <= now_ms < at_hand.until_ms:
            return at_hand.view
        known = contracts.known(diary)
        under_way = _under_way(diary, which)
        stood = [
            replace(each, content=_with_whereabouts(each, under_way, now_ms)) if under_way else each
            for each in _stood_in(diary, which.slots)
            if each.place[0] in known
        ]
        view = _worked_out(diary, which, known, stood, now_ms)
    turns = chain(_turns(which, known, stood), (due_at_ms(each.place[1]) for each in stood if under_way))
    until_ms = min((at for at in turns if at > now_ms), default=_FOR_EVER)
    diary.remember_week(WeekAtHand(file_state, now_ms, until_ms, view))
    return view


def _turns(which: Week, known: dict[ContractId, Contract], stood: Sequence[_Stood]) -> Iterator[int]:
    """Yield the instants at which a week looks otherwise though nothing was written."""
    yield which.locked_at_ms
    for each in stood:
        yield from (stored.not_before_ms or 0 for stored in each.held)
    for contract in known.values():
        yield from (terms.received_at_ms for terms in contract.history.versions)


def _under_way(diary: OpenDiary, which: Week) -> dict[str, Whereabouts]:
    """Return the week's pictures that do not lie both here and at the server; without one, none miss it."""
    has_server = meta.get(diary.connection, SERVER) is not None
    found = pictures.on_its_way(diary.connection, which.slots)
    return {
        name: replace(where, at_server=where.at_server or not has_server) for name, where in found.items()
    }


def _with_whereabouts(stood: _Stood, under_way: Mapping[str, Whereabouts], now_ms: Millis) -> MergedContent:
    """Return the content, its snapshots with what is known of where their pictures lie (R41).

    What the server has not received at all is not synced, and that is said of it and no more.
    """
    is_received = stood.stands.received_at_ms is not None
    snapshots = []
    for shot in stood.content.snapshots:
        names = (shot.screen, shot.thumbnail, shot.camera)
        found = [under_way[name] for name in names if name in under_way]
        missing = is_received and any(
            is_missing(stood.place[1], now_ms, at_server=where.at_server) for where in found
        )
        is_here = all(where.is_here for where in found)
        # One that gave way is away on purpose; anything else that is not here is not here at all.
        thinned = not is_here and all(where.is_here or where.is_thinned for where in found)
        snapshots.append(replace(shot, missing=missing, is_here=is_here, thinned=thinned))
    return replace(stood.content, snapshots=tuple(snapshots))


def _worked_out(
    diary: OpenDiary, which: Week, known: dict[ContractId, Contract], stood: Sequence[_Stood], now_ms: Millis
) -> WeekView:
    # To a client deleted time looks like no time (R65).
    shows_deleted = not diary.is_seat
    shown = [
        each for each in stood if (each.stands.deleted and shows_deleted) or each.stands.kind is not None
    ]
    histories = {contract: found.history for contract, found in known.items()}
    marks = parties.marks(diary)

    def said_of(each: _Stood) -> Marks:
        return marks.get(each.place[0], Marks())

    facts = [
        fact_of(*each.place, each.stands, accepted=each.place[1] in said_of(each).accepted) for each in stood
    ]
    judged = verdicts(which, facts, histories, at_ms=now_ms, stated=_stated(diary, which))
    late_before = diary.late_before(now_ms)
    segments = [
        _view(
            known[each.place[0]],
            each.place,
            each.content,
            kind=_kind_of(each),
            state=_state_of(each, which, now_ms, late_before),
            verdict=judged[each.place],
            stood=each,
            said=said_of(each),
        )
        for each in shown
    ]
    segments += [
        _view(known[place[0]], place, content, kind=_kind_apart(content, state), state=state)
        for place, content, state in _apart(diary, which.slots, {each.place for each in shown})
        if place[0] in known
    ]
    in_order = tuple(sorted(segments, key=lambda one: (one.slot, one.contract)))
    titles = {contract: found.title for contract, found in known.items()}
    return WeekView(
        week=which,
        locked_at_ms=which.locked_at_ms,
        frozen=which.is_frozen(now_ms),
        segments=in_order,
        totals=totals(in_order, histories, titles),
        seals=_seals(diary, which) if which.is_frozen(now_ms) else (),
    )


def _stated(diary: OpenDiary, which: Week) -> frozenset[Place]:
    """Return what the server said of places that a client's replica cannot judge by itself (R28)."""
    if diary.seat_in is None:
        return frozenset()
    slots = overlaps.stated(diary.connection, diary.seat_in, which.slots)
    return frozenset((diary.seat_in, slot) for slot in slots)


def _seals(diary: OpenDiary, which: Week) -> tuple[SealView, ...]:
    from diary.sealed_weeks import seals_of  # an open week has none, and waits for nothing of theirs

    return seals_of(diary, which)


def segment(diary: OpenDiary, place: Place) -> SegmentView | None:
    """Return one segment, or None where nothing stands; its verdict is the whole week's (R27, R28)."""
    view = week(diary, Week.of(place[1]))
    return next((one for one in view.segments if (one.contract, one.slot) == place), None)


def last_snapshot(diary: OpenDiary) -> Place | None:
    """Return the segment of the newest snapshot, the one under way too; None where there is none (R17)."""
    with diary.reading():
        taken = [text for text in drafting.draft_texts(diary) if text.moment is not None]
        if taken:
            return taken[-1].contract, taken[-1].slot
        for which in weeks_held(diary.connection):
            live = [
                each for each in week(diary, which).segments if each.snapshots and each.state != "deleted"
            ]
            if live:
                newest = max(live, key=lambda each: each.slot)
                return newest.contract, newest.slot
    return None


def _stood_in(diary: OpenDiary, slots: range) -> Iterator[_Stood]:
    held = versions.in_slots(diary.connection, slots)
    for place, at_place in groupby(held, key=_place_of):
        yield stood_at(diary, place, tuple(at_place))


def _place_of(stored: StoredVersion) -> Place:
    assert stored.header.slot is not None, "captures and entries name their slot"
    return stored.header.contract, stored.header.slot


def stood_at(diary: OpenDiary, place: Place, held: tuple[StoredVersion, ...]) -> _Stood:
    """Return what stands at a place and what it says; what does not open or agree is a defect (R47)."""
    stands = standing(map(held_of, held))
    by_name = {stored.header.name: stored for stored in held}
    captures: list[OpenedCapture] = []
    entries: list[OpenedEntry] = []
    defective = False
    for each in (*stands.captures, *stands.frontier):
        stored = by_name[each.header.name]
        if stored.sealed.body is None:
            continue  # a deletion is its header alone, and a feed gives no more of what fell later
        try:
            content = envelope.content_of(diary, stored)
        except DamageError:
            defective = True
            continue
        if isinstance(content, CaptureContent):
            captures.append((stored.header, content))
            defective = defective or not agrees(stored.header, content)
        elif isinstance(content, EntryContent):
            entries.append((stored.header, content))
            defective = defective or not agrees(stored.header, content)
    return _Stood(place, held, stands, merged(captures, entries), defective)


def _kind_apart(content: MergedContent, state: State) -> Kind:
    """Return the kind of what stands in no record yet; a draft awaits its snapshot until it says why not."""
    awaits_snapshot = state == "draft" and not content.no_picture
    return "automatic" if content.snapshots or awaits_snapshot else "manual"


def _kind_of(stood: _Stood) -> Kind:
    """Return the kind; of a deleted segment what it was, so far as headers tell."""
    if stood.stands.kind is not None:
        return stood.stands.kind
    return "automatic" if any(stored.header.pictures for stored in stood.held) else "manual"


def _state_of(stood: _Stood, which: Week, now_ms: Millis, late_before: Slot) -> State:
    names = {each.header.name for each in (*stood.stands.captures, *stood.stands.frontier)}
    counting = [stored for stored in stood.held if stored.header.name in names]
    received_at_ms = stood.stands.received_at_ms
    if stood.stands.deleted:
        return "deleted"
    if any(_is_held(stored, now_ms, late_before) for stored in counting):
        return "held"
    if any(stored.received_at_ms is None for stored in counting):
        return "unsynced"
    return "late" if received_at_ms is not None and which.is_frozen(received_at_ms) else "synced"


def _is_held(stored: StoredVersion, now_ms: Millis, late_before: Slot) -> bool:
    """Return whether a version waits for the end of its notice, or for an answer (R17, R20, R38)."""
    if not stored.waits:
        return False
    is_unasked = stored.header.type == "capture" and stored.is_ours_alone and not stored.late_answered
    asks_whether_late = is_unasked and (stored.header.slot or 0) < late_before
    return (stored.not_before_ms or 0) > now_ms or stored.held_for is not None or asks_whether_late


def _apart(
    diary: OpenDiary, slots: range, standing_places: set[Place]
) -> list[tuple[Place, MergedContent, State]]:
    """Return the drafts, and the refused time, of places where nothing stands."""
    found: dict[Place, tuple[Place, MergedContent, State]] = {}
    for refusal in refusals.in_slots(diary.connection, slots):
        if refusal.what in {"capture", "manual"} and refusal.slot is not None:
            place = (refusal.contract, refusal.slot)
            found[place] = (place, _content_of_refusal(diary, refusal), "refused")
    for text in drafting.draft_texts(diary):
        if text.slot in slots:
            place = (text.contract, text.slot)
            found[place] = (place, _content_of_draft(diary, text), "draft")
    return [each for place, each in found.items() if place not in standing_places]


def _content_of_refusal(diary: OpenDiary, refusal: KeptRefusal) -> MergedContent:
    """Return what a refused change says; nothing where only place and time are kept (R37d)."""
    if refusal.sealed is None:
        return merged((), ())
    header = parse_header(refusal.sealed.header)
    try:
        content = envelope.open_content(diary, header, refusal.sealed)
    except (DamageError, NothingError):
        return merged((), ())
    if isinstance(content, CaptureContent):
        return merged([(header, content)], ())
    return merged((), [(header, content)] if isinstance(content, EntryContent) else ())


def _content_of_draft(diary: OpenDiary, text: DraftText) -> MergedContent:
    """Return a draft as if it were merged; its pictures' names tell `picture` where they lie (R12)."""
    names = {role: draft_picture_name(text, index) for index, role in enumerate(text.roles)}
    taken = (
        SnapshotView(
            taken_at_ms=text.moment.wall_ms,
            screen=names.get("screen", ""),
            thumbnail=names.get("thumbnail", ""),
            camera=names.get("camera", ""),
            device=diary.device_name,
        )
        if text.moment is not None and names
        else None
    )
    return MergedContent(
        minutes=text.minutes,
        memo=text.memo,
        label=text.label,
        snapshots=() if taken is None else (taken,),
        applications=(text.application,) if text.application else (),
        titles=(text.title,) if text.title else (),
        masked=text.masked,
        no_picture=(text.no_picture,) if text.no_picture else (),
        devices=(diary.device_name,),
    )


def _view(
    contract: Contract,
    place: Place,
    content: MergedContent,
    *,
    kind: Kind,
    state: State,
    verdict: Verdict | None = None,
    stood: _Stood | None = None,
    said: Marks | None = None,
) -> SegmentView:
    slot, said = place[1], said or Marks()
    counting = [] if stood is None else [*stood.stands.captures, *stood.stands.frontier]
    return SegmentView(
        contract=place[0],
        contract_title=contract.title,
        client=contract.client,
        slot=place[1],
        kind=kind,
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
        received_at_ms=stood.stands.received_at_ms if stood else None,
        leaf_index=_leaf_index(stood) if stood else None,
        bills=verdict.bills if verdict else False,
        why_not=verdict.why_not if verdict else None,
        life=stood.stands.life if stood else 0,
        versions=tuple(each.header.name for each in counting),
        defective=stood.defective if stood else False,
        hourly=contract.history.at(Week.of(slot).starts_at_ms).kind == "hourly",
        accepted=state == "late" and slot in said.accepted,
        disputed=state != "deleted" and slot in said.disputed,
        redacted=slot in said.redacted,
    )


def _leaf_index(stood: _Stood) -> int | None:
    """Return the leaf of the version whose receipt counts; None while the server has lost it (R43)."""
    claims = {each.header.name for each in (*stood.stands.captures, *stood.stands.frontier) if each.claims}
    received = [
        (stored.received_at_ms, stored.leaf_index or 0, (stored.log_epoch or 0) > 0)
        for stored in stood.held
        if stored.header.name in claims and stored.received_at_ms is not None
    ]
    _, index, stands = min(received, default=(0, 0, False))
    return index if stands else None
