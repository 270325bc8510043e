"""What the freelancer changes: edits, manual time, removals, and undoing (R4, R9, R21, R25, R26, R34-R36).

Each act takes a selection and answers place by place: a refused one never fails its neighbours. All that is
done is done in one transaction.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import msgspec

from diary import contracts, deciding, drafting, looking, noticing, opening
from diary.contracts import Contract
from diary.destroying import drop_everything, forget_texts
from diary.errors import NothingError, UsageError
from diary.rules.change import Refused
from diary.rules.content import merged
from diary.rules.ids import ContractId, Slot
from diary.rules.merge import Standing, standing
from diary.rules.sealed_content import EntryContent, StampedText
from diary.rules.segment import Stamp
from diary.rules.timesheet import Place
from diary.rules.week import Week
from diary.showing import HISTORY, BeforeText
from diary.state import OpenDiary, mark_destroying
from diary.store import drafts, history, versions
from diary.store.drafts import DraftText
from diary.store.history import ActKind, Before
from diary.store.versions import StoredVersion, held_of
from diary.tracking import checked_text, new_stamp

_LABEL_REQUIRED = Refused("label_required", "the contract wants a label on every segment")

_STANDS_ALREADY = Refused("capture_exists", "time stands in this slot already; edit it")


class NoSegmentError(NothingError):
    """Nothing stands in a slot that an act names."""

    says = "There is no segment of “{title}” in slot {slot}."
    mend = "Look at the week again; it may have been removed."


class NoMemoError(UsageError):
    """Manual time needs a memo (R21)."""

    says = "Manual time needs a memo that says what was done."
    mend = "Add one."


class NothingToUndoError(NothingError):
    """No edit or addition is left that could be undone; a removal never can (R25)."""

    says = "There is nothing to undo."
    mend = "Edits and additions can be undone until their week freezes; a removal destroys and cannot be."


@dataclass(frozen=True, slots=True)
class Undoable:
    """The act that `undo` would take back, and of how many segments."""

    kind: ActKind
    segments: int


@dataclass(frozen=True, slots=True)
class Acts:
    """What became of an act, place by place."""

    done: tuple[Place, ...]
    refused: tuple[tuple[Place, Refused], ...]


@dataclass(frozen=True, slots=True)
class Loss:
    """What removing a selection would destroy (R4): counts, and the titles of the contracts concerned.

    `minutes` are tracked ones; a thumbnail is no picture of its own.
    """

    segments: int
    minutes: int
    pictures: int
    memos: int
    contracts: tuple[str, ...]


def edit(
    diary: OpenDiary, places: Iterable[Place], *, memo: str | None = None, label: str | None = None
) -> Acts:
    """Set memo, label or both of a selection; None leaves as it is, an empty text takes away (R26).

    Raises:
        NoSegmentError: Nothing stands in one of the places; nothing is changed then.
        UnknownLabelError: One of the contracts has no such label; nothing is changed then.
    """
    done: list[Place] = []
    refused: list[tuple[Place, Refused]] = []
    with diary.writing():
        known = contracts.known(diary)
        act = history.begin(diary.connection, "edit", diary.now_ms())
        for place in dict.fromkeys(places):
            contract = _contract_at(known, place)
            contracts.check_label(contract, label)
            no = _edit_one(diary, contract, place, _typed(memo), _typed(label), act)
            done.append(place) if no is None else refused.append((place, no))
        history.forget_empty(diary.connection)
    return Acts(tuple(done), tuple(refused))


def _typed(text: str | None) -> str | None:
    return None if text is None else checked_text(text)


def _contract_at(known: dict[ContractId, Contract], place: Place) -> Contract:
    if place[0] not in known:
        raise contracts.UnknownContractError(name=place[0])
    return known[place[0]]


def _edit_one(
    diary: OpenDiary, contract: Contract, place: Place, memo: str | None, label: str | None, act: int
) -> Refused | None:
    held = versions.at_place(diary.connection, *place)
    stands = standing(map(held_of, held))
    draft = _draft_at(diary, place)
    if stands.deleted:
        return Refused("slot_deleted", "the segment was removed; it can be added again as manual time")
    if stands.kind is None:
        if draft is None:
            raise NoSegmentError(title=contract.title, slot=place[1])
        return _edit_draft(diary, contract, draft, memo, label, act)
    said = merged((), deciding.opened_entries(diary, held, stands))
    stamp = new_stamp(diary, stamps_seen(stands, said.memo, said.label))
    content = EntryContent(
        contract=place[0],
        slot=place[1],
        memo=_changed(said.memo, memo, stamp),
        label=_changed(said.label, label, stamp),
    )
    if (content.memo, content.label) == (said.memo, said.label):
        return None
    if _takes_away_a_needed_label(contract, said.label, content.label):
        return _LABEL_REQUIRED
    refused = deciding.write_entry(diary, contract, place, content, at_ms=diary.now_ms())
    if refused is None:
        keep_before(diary, act, place, BeforeText(memo=said.memo, label=said.label))
    return None if refused is None else refused[0]


def _takes_away_a_needed_label(contract: Contract, old: StampedText | None, new: StampedText | None) -> bool:
    """Return whether an edit takes a label away where the contract wants one (R7)."""
    return contract.terms.label_required and new != old and not (new and new.text)


def stamps_seen(stands: Standing, *texts: StampedText | None) -> list[Stamp]:
    """Return every stamp seen in an entry, of headers that do not open too (R36)."""
    stamps = [entry.header.stamp for entry in stands.frontier if entry.header.stamp is not None]
    return stamps + [text.stamp for text in texts if text is not None]


def _changed(old: StampedText | None, new: str | None, stamp: Stamp) -> StampedText | None:
    """Return the text after an edit; what is not changed keeps the stamp of its typing (R36)."""
    if new is None or new == (old.text if old else ""):
        return old
    return StampedText(new, stamp)


def keep_before(diary: OpenDiary, act: int, place: Place, before: BeforeText) -> None:
    """Keep what a place said before an act, sealed (R26)."""
    sealed = diary.sealed(msgspec.json.encode(before), HISTORY)
    history.keep(diary.connection, act, Before(place[0], place[1], sealed))


def _draft_at(diary: OpenDiary, place: Place) -> DraftText | None:
    kept = drafts.find(diary.connection, *place)
    return None if kept is None or kept.removed else drafting.draft_text(diary, kept)


def _edit_draft(
    diary: OpenDiary, contract: Contract, draft: DraftText, memo: str | None, label: str | None, act: int
) -> Refused | None:
    """Change the segment under way; the tracker's next sealing keeps what was typed later (R12, R36)."""
    seen = [text.stamp for text in (draft.memo, draft.label) if text is not None]
    stamp = new_stamp(diary, seen)
    changed = msgspec.structs.replace(
        draft, memo=_changed(draft.memo, memo, stamp), label=_changed(draft.label, label, stamp)
    )
    if _takes_away_a_needed_label(contract, draft.label, changed.label):
        return _LABEL_REQUIRED
    if changed != draft:
        drafting.write_text(diary, changed)
        keep_before(diary, act, (draft.contract, draft.slot), BeforeText(memo=draft.memo, label=draft.label))
    return None


def add_manual(
    diary: OpenDiary, contract_id: ContractId, slots: Iterable[Slot], memo: str, label: str | None = None
) -> Acts:
    """Claim whole slots as manual time (R21), a removed one as its next life (R35).

    Raises:
        UnknownContractError: There is no such contract.
        UnknownLabelError: It has no such label.
        NoMemoError: The memo is empty.
    """
    said = checked_text(memo)
    if not said:
        raise NoMemoError
    done: list[Place] = []
    refused: list[tuple[Place, Refused]] = []
    with diary.writing():
        contract = contracts.by_id(diary, contract_id)
        contracts.check_label(contract, label)
        act = history.begin(diary.connection, "add", diary.now_ms())
        for slot in dict.fromkeys(slots):
            place = (contract_id, slot)
            no = _add_one(diary, contract, place, said, checked_text(label or ""), act)
            done.append(place) if no is None else refused.append((place, no))
        history.forget_empty(diary.connection)
    return Acts(tuple(done), tuple(refused))


def may_add(diary: OpenDiary, contract: Contract, slot: Slot, label: str | None = None) -> Refused | None:
    """Return why manual time may not be added to a slot now, None where it may; nothing is written (R21)."""
    with diary.reading():
        if contract.terms.label_required and not label:
            return _LABEL_REQUIRED
        place = (contract.id, slot)
        held = versions.at_place(diary.connection, *place)
        stands = standing(map(held_of, held))
        if stands.kind is not None or _draft_at(diary, place) is not None:
            return _STANDS_ALREADY
        return deciding.refused_claim(diary, contract, place, held, stands)


def _add_one(
    diary: OpenDiary, contract: Contract, place: Place, memo: str, label: str, act: int
) -> Refused | None:
    if contract.terms.label_required and not label:
        return _LABEL_REQUIRED
    held = versions.at_place(diary.connection, *place)
    stands = standing(map(held_of, held))
    if stands.kind is not None or _draft_at(diary, place) is not None:
        return _STANDS_ALREADY
    stamp = new_stamp(diary, stamps_seen(stands))
    content = EntryContent(
        contract=place[0],
        slot=place[1],
        memo=StampedText(memo, stamp),
        label=StampedText(label, stamp) if label else None,
    )
    life = stands.life + 1 if stands.deleted else stands.life
    at_ms = diary.now_ms()
    refused = deciding.write_entry(diary, contract, place, content, at_ms=at_ms, life=life, manual=True)
    if refused is None:
        keep_before(diary, act, place, BeforeText(memo=None, label=None))
    return None if refused is None else refused[0]


def remove(diary: OpenDiary, places: Iterable[Place]) -> Acts:
    """Remove segments: time, snapshot and texts are one, and destroyed (R4, R12, R25).

    What nobody else can hold leaves nothing but an unused number, at any time; else a deletion is written,
    which the lock refuses. One that is removed already stays so.

    Raises:
        NoSegmentError: Nothing stands in one of the places; nothing is changed then.
    """
    done: list[Place] = []
    refused: list[tuple[Place, Refused]] = []
    with diary.writing():
        known = contracts.known(diary)
        for place in dict.fromkeys(places):
            no = _remove_one(diary, _contract_at(known, place), place)
            done.append(place) if no is None else refused.append((place, no))
    return Acts(tuple(done), tuple(refused))


def _remove_one(diary: OpenDiary, contract: Contract, place: Place) -> Refused | None:
    held = versions.at_place(diary.connection, *place)
    stands = standing(map(held_of, held))
    kept = drafts.find(diary.connection, *place)
    noticing.forget(diary, place)
    if stands.deleted or not held:
        # Of what was refused since, the words go too.
        has_texts = forget_texts(diary, place)
        if not held and kept is None and not has_texts:
            raise NoSegmentError(title=contract.title, slot=place[1])
        # Where nothing was sealed yet, or it was refused, the mark keeps the tracker from recording it (R12).
        _remove_draft(diary, place)
        if has_texts or not held:
            mark_destroying(diary)
        return None
    refused = None
    if not _nobody_else_holds(diary, held, stands):
        refused = deciding.write_entry(
            diary, contract, place, None, at_ms=diary.now_ms(), life=stands.life + 1
        )
    # What the server never received can be deleted on the device at any time (R25).
    if refused is not None and not _is_ours_alone(held, stands):
        return refused[0]
    drop_everything(diary, place)
    _remove_draft(diary, place)
    return None


def _is_ours_alone(held: Sequence[StoredVersion], stands: Standing) -> bool:
    """Return whether nobody else knows the present life."""
    # What an unsent edit displaced is of this life too, and others may hold it.
    return all(stored.is_ours_alone for stored in held if (stored.header.life or 0) == stands.life)


def _nobody_else_holds(diary: OpenDiary, held: Sequence[StoredVersion], stands: Standing) -> bool:
    """Return whether nobody else can hold anything of the present life (R17, R25).

    Where other devices are listed, one may have recorded the same slot: the deletion must reach it. A life
    after the first was made here by hand; no other device has it before it was sent.
    """
    return _is_ours_alone(held, stands) and (stands.life > 0 or opening.is_alone(diary))


def _remove_draft(diary: OpenDiary, place: Place) -> None:
    drafts.remove(diary.connection, *place)
    for key in [key for key in diary.draft_pictures if key[:2] == place]:
        del diary.draft_pictures[key]


def undo(diary: OpenDiary) -> Acts:
    """Undo the last edit or addition not yet undone; never a removal (R25, R26).

    Raises:
        NothingToUndoError: There is none.
    """
    done: list[Place] = []
    refused: list[tuple[Place, Refused]] = []
    with diary.writing():
        last = history.last_act(diary.connection)
        if last is None:
            raise NothingToUndoError
        act, kind = last
        history.mark_undone(diary.connection, act)
        known = contracts.known(diary)
        for before in history.of_act(diary.connection, act):
            place = (before.contract, before.slot)
            contract = _contract_at(known, place)
            if not _stands_there(diary, place):
                continue  # what came to nothing by itself needs no undoing
            if kind == "add":
                no = _remove_one(diary, contract, place)
            else:
                text = msgspec.json.decode(diary.opened(before.sealed, HISTORY), type=BeforeText)
                no = _put_back(diary, contract, place, text)
            done.append(place) if no is None else refused.append((place, no))
    return Acts(tuple(done), tuple(refused))


def undoable(diary: OpenDiary) -> Undoable | None:
    """Return what `undo` would take back, None for nothing (R26)."""
    with diary.reading():
        last = history.last_act(diary.connection)
        return None if last is None else Undoable(last[1], history.count(diary.connection, last[0]))


def _stands_there(diary: OpenDiary, place: Place) -> bool:
    stands = standing(map(held_of, versions.at_place(diary.connection, *place)))
    return stands.kind is not None or _draft_at(diary, place) is not None


def _put_back(diary: OpenDiary, contract: Contract, place: Place, before: BeforeText) -> Refused | None:
    """Write what a segment said before an act as its newest text; what was unset becomes empty."""
    act = history.begin(diary.connection, "edit", diary.now_ms())
    memo = before.memo.text if before.memo else ""
    label = before.label.text if before.label else ""
    refused = _edit_one(diary, contract, place, memo, label, act)
    history.mark_undone(diary.connection, act)
    return refused


def loss_of(diary: OpenDiary, places: Iterable[Place]) -> Loss:
    """Return what removing a selection would destroy, said before it is done (R4)."""
    wanted = set(places)
    with diary.reading():
        found = [
            segment
            for which in sorted({Week.of(slot) for _, slot in wanted})
            for segment in looking.week(diary, which).segments
            if (segment.contract, segment.slot) in wanted and segment.state != "deleted"
        ]
    return Loss(
        segments=len(found),
        minutes=sum(segment.tracked_minutes for segment in found),
        pictures=sum(
            bool(name) for one in found for shot in one.snapshots for name in (shot.screen, shot.camera)
        ),
        memos=sum(bool(segment.memo) for segment in found),
        contracts=tuple(sorted({segment.contract_title for segment in found})),
    )
