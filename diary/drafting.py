"""The segment under way, sealed to disk every minute and read again after a crash (R12, R19)."""

import hashlib

import msgspec

from diary import noticing
from diary.rules.ids import MINUTES_PER_SLOT, ContractId, Place
from diary.rules.sealed_content import StampedText
from diary.state import OpenDiary
from diary.store import drafts
from diary.store.drafts import CaptureDraft, DraftText, KeptDraft

_DRAFT = "draft"
PICTURE_PURPOSE = "draft picture"

_draft_decoder = msgspec.json.Decoder(DraftText)


def keep_draft(diary: OpenDiary, draft: CaptureDraft, instead_of: ContractId | None = None) -> bool:
    """Seal the segment under way to disk (R19); return False where it was removed: nothing is kept (R12).

    A memo or label that was edited in the kept draft meanwhile stays when it was typed later. A slot that a
    switch gave to this contract is taken from the one before in the same transaction: a crash leaves one of
    both, with the slot's moment and minutes. So is one that its freelancer moved from `instead_of` after its
    snapshot (R18).
    """
    assert len(draft.minutes) == MINUTES_PER_SLOT, "a slot has ten minutes"
    with diary.writing():
        _take_slot_over(diary, draft)
        if instead_of is not None:
            moved = drafts.find(diary.connection, instead_of, draft.slot)
            if moved is not None and moved.removed:
                return False  # removed in the meantime: it goes nowhere
            forget_draft(diary, (instead_of, draft.slot))
            noticing.move(diary, (instead_of, draft.slot), (draft.contract, draft.slot))
        kept = drafts.find(diary.connection, draft.contract, draft.slot)
        if kept is not None and kept.removed:
            return False
        old = None if kept is None else draft_text(diary, kept)
        write_text(diary, _text_of(draft, old))
        _keep_draft_pictures(diary, draft)
    return True


def _take_slot_over(diary: OpenDiary, draft: CaptureDraft) -> None:
    """Drop what was kept of this slot for another contract; a snapshot has decided, and stays (R12)."""
    for other in drafts.others(diary.connection, draft.contract, draft.slot):
        if draft_text(diary, other).moment is None:
            forget_draft(diary, (other.contract, other.slot))


def _text_of(draft: CaptureDraft, old: DraftText | None) -> DraftText:
    return DraftText(
        contract=draft.contract,
        slot=draft.slot,
        minutes=draft.minutes,
        application=draft.application,
        title=draft.title,
        drawn_ms=draft.drawn_ms,
        moment=draft.moment,
        masked=draft.masked,
        no_picture=draft.no_picture,
        roles=tuple(role for role, _ in draft.pictures),
        memo=later_text(draft.memo, old.memo if old else None),
        label=later_text(draft.label, old.label if old else None),
    )


def later_text(one: StampedText | None, other: StampedText | None) -> StampedText | None:
    """Return the text with the greater stamp (R36)."""
    said = [text for text in (one, other) if text is not None]
    return max(said, key=lambda text: (text.stamp, text.text), default=None)


def write_text(diary: OpenDiary, text: DraftText) -> None:
    """Seal all of a draft but its pictures."""
    sealed = diary.sealed(msgspec.json.encode(text), _DRAFT)
    drafts.keep(diary.connection, text.contract, text.slot, sealed)


def _keep_draft_pictures(diary: OpenDiary, draft: CaptureDraft) -> None:
    """Seal the pictures that are not sealed yet: they change once a slot, the draft every minute."""
    held = drafts.picture_count(diary.connection, draft.contract, draft.slot)
    for index, (_, picture) in enumerate(draft.pictures):
        key = (draft.contract, draft.slot, index)
        digest = hashlib.sha256(picture).digest()
        if index >= held or diary.draft_pictures.get(key) != digest:
            sealed = diary.sealed(picture, PICTURE_PURPOSE)
            drafts.keep_picture(diary.connection, draft.contract, draft.slot, index, sealed)
            diary.draft_pictures[key] = digest
    if held > len(draft.pictures):
        drafts.drop_pictures(diary.connection, draft.contract, draft.slot, len(draft.pictures))


def draft_text(diary: OpenDiary, kept: KeptDraft) -> DraftText:
    """Return all of a draft but its pictures, opened."""
    assert kept.sealed is not None, "a draft that was not removed holds its text"
    return _draft_decoder.decode(diary.opened(kept.sealed, _DRAFT))


def draft_texts(diary: OpenDiary) -> tuple[DraftText, ...]:
    """Return the drafts that were not removed, without their pictures, the oldest slot first."""
    return tuple(draft_text(diary, kept) for kept in drafts.everything(diary.connection) if not kept.removed)


def draft_picture(diary: OpenDiary, place: Place, index: int) -> bytes | None:
    """Return one picture of a draft, opened; None where there is none."""
    sealed = drafts.picture(diary.connection, *place, index)
    return None if sealed is None else diary.opened(sealed, PICTURE_PURPOSE)


def all_drafts(diary: OpenDiary) -> tuple[CaptureDraft, ...]:
    """Return every draft, the oldest slot first; of a removed one only its place and the mark (R12, R19)."""
    with diary.reading():
        return tuple(_draft(diary, kept) for kept in drafts.everything(diary.connection))


def _draft(diary: OpenDiary, kept: KeptDraft) -> CaptureDraft:
    if kept.removed:
        return CaptureDraft(contract=kept.contract, slot=kept.slot, removed=True)
    text = draft_text(diary, kept)
    sealed = drafts.pictures(diary.connection, kept.contract, kept.slot)
    opened = (diary.opened(picture, PICTURE_PURPOSE) for picture in sealed)
    return CaptureDraft(
        contract=text.contract,
        slot=text.slot,
        minutes=text.minutes,
        application=text.application,
        title=text.title,
        drawn_ms=text.drawn_ms,
        moment=text.moment,
        masked=text.masked,
        no_picture=text.no_picture,
        # A crash between two of its pictures leaves the roles of those that are there.
        pictures=tuple(zip(text.roles, opened, strict=False)),
        memo=text.memo,
        label=text.label,
    )


def drop_draft(diary: OpenDiary, place: Place) -> None:
    """Delete a draft that became nothing (R12); the mark of a removed one stays."""
    with diary.writing():
        forget_draft(diary, place)


def forget_draft(diary: OpenDiary, place: Place) -> None:
    """Delete a draft, within a transaction, and what this process knows of its pictures."""
    drafts.drop(diary.connection, *place)
    for key in [key for key in diary.draft_pictures if key[:2] == place]:
        del diary.draft_pictures[key]
