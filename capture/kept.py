"""What the session decides about as the diary keeps it, and back: wish, draft, time away (R18, R19)."""

from typing import cast

from capture.absence import Absence, Answer
from capture.draft import Draft, Snapshot, Wish
from diary.diary import Diary
from diary.idling import IdleQuestion
from diary.store.drafts import CaptureDraft, PictureRole
from diary.tracking import Tracking

OFF_AT_MOMENT = "off"  # in place of a reason for no picture: tracking was off, nothing will be recorded (R12)


def wish_of(tracking: Tracking) -> Wish:
    """Return what the freelancer asks of the tracker."""
    return Wish(
        contract=tracking.contract,
        since_ms=tracking.since_ms,
        memo=tracking.memo,
        label=tracking.label,
        paused_until_ms=tracking.paused_until_ms,
    )


def to_keep(draft: Draft) -> CaptureDraft:
    """Return the draft as it is sealed."""
    taken = draft.snapshot
    return CaptureDraft(
        contract=draft.contract,
        slot=draft.slot,
        minutes=draft.minutes,
        application=taken.application if taken else "",
        title=taken.title if taken else "",
        drawn_ms=draft.drawn_ms,
        moment=taken.moment if taken else None,
        masked=taken.masked if taken else False,
        no_picture=taken.no_picture if taken else (OFF_AT_MOMENT if draft.missed else None),
        # Snapshots are made here with the roles of PictureRole; the session does not look into them.
        pictures=cast("tuple[tuple[PictureRole, bytes], ...]", taken.pictures if taken else ()),
        memo=draft.memo,
        label=draft.label,
    )


def found_again(kept: CaptureDraft) -> Draft:
    """Return the draft that was kept, its mark alone where it was removed."""
    taken = None
    if kept.moment is not None:
        taken = Snapshot(
            kept.moment,
            kept.application,
            kept.title,
            kept.no_picture,
            kept.pictures,
            kept.masked,
        )
    return Draft(
        contract=kept.contract,
        slot=kept.slot,
        drawn_ms=kept.drawn_ms,
        minutes=kept.minutes,
        memo=kept.memo,
        label=kept.label,
        snapshot=taken,
        missed=taken is None and kept.no_picture == OFF_AT_MOMENT,
        removed=kept.removed,
    )


def absence_of(asked: IdleQuestion | None) -> Absence | None:
    """Return the time away that was asked about."""
    return None if asked is None else Absence(asked.since_ms, asked.until_ms)


def answer_to(diary: Diary) -> Answer | None:
    """Return what the freelancer said about the time away; None while nothing was said (R18)."""
    asked = diary.idle_question()
    if asked is None or asked.answer is None:
        return None
    masking_allowed = asked.move_to is None or diary.may_mask(asked.move_to)
    return Answer(asked.answer, asked.move_to, asked.memo, asked.label, masking_allowed)
