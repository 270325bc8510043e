"""The segment under way as the diary keeps it, and back (R19)."""

from typing import cast

from capture.draft import Draft, Snapshot, Wish
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
        taken = Snapshot(kept.moment, kept.application, kept.title, kept.no_picture, kept.pictures)
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
