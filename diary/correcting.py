"""What the freelancer changes: memos, labels and manual time (R9, R21, R26, R34-R36).

Each act takes a selection and answers place by place: a refused one never fails its neighbours. All that is
done is done in one transaction. So do the acts of `removing` and `undoing`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import msgspec

from diary import contracts, deciding, drafting
from diary.contracts import Contract
from diary.errors import NothingError, UsageError
from diary.rules.change import Refused
from diary.rules.content import merged
from diary.rules.ids import ContractId, Slot
from diary.rules.merge import Standing, standing
from diary.rules.sealed_content import EntryContent, StampedText
from diary.rules.segment import Stamp
from diary.rules.timesheet import Place
from diary.showing import HISTORY, BeforeText
from diary.state import OpenDiary
from diary.store import drafts, history, versions
from diary.store.drafts import DraftText
from diary.store.history import Before
from diary.store.versions import held_of
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


@dataclass(frozen=True, slots=True)
class Acts:
    """What became of an act, place by place."""

    done: tuple[Place, ...]
    refused: tuple[tuple[Place, Refused], ...]


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
            contract = contract_at(known, place)
            contracts.check_label(contract, label)
            no = edit_one(diary, contract, place, _typed(memo), _typed(label), act)
            done.append(place) if no is None else refused.append((place, no))
        history.forget_empty(diary.connection)
    return Acts(tuple(done), tuple(refused))


def _typed(text: str | None) -> str | None:
    return None if text is None else checked_text(text)


def contract_at(known: Mapping[ContractId, Contract], place: Place) -> Contract:
    """Return the contract of a place.

    Raises:
        UnknownContractError: There is no such contract.
    """
    if place[0] not in known:
        raise contracts.UnknownContractError(name=place[0])
    return known[place[0]]


def edit_one(
    diary: OpenDiary, contract: Contract, place: Place, memo: str | None, label: str | None, act: int
) -> Refused | None:
    """Set the texts of one place within the caller's transaction and act; return why not, None when done."""
    held = versions.at_place(diary.connection, *place)
    stands = standing(map(held_of, held))
    draft = draft_at(diary, place)
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


def draft_at(diary: OpenDiary, place: Place) -> DraftText | None:
    """Return what the segment under way at a place says; None where none is, or it was removed (R12)."""
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
        if stands.kind is not None or draft_at(diary, place) is not None:
            return _STANDS_ALREADY
        return deciding.refused_claim(diary, contract, place, held, stands)


def _add_one(
    diary: OpenDiary, contract: Contract, place: Place, memo: str, label: str, act: int
) -> Refused | None:
    if contract.terms.label_required and not label:
        return _LABEL_REQUIRED
    held = versions.at_place(diary.connection, *place)
    stands = standing(map(held_of, held))
    if stands.kind is not None or draft_at(diary, place) is not None:
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
