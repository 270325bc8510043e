"""A draft becomes a capture, with the entry first written with it (R12, R16, R17, R19, R32).

Decided, sealed and stored in one transaction. What a rule refuses here is kept with its reason as if the
server had refused it: nothing vanishes silently (R37d).
"""

import secrets

from diary import contracts, deciding, drafting, envelope, noticing
from diary.contracts import Contract
from diary.errors import UsageError
from diary.rules.change import Allowed, Refused
from diary.rules.content import merged
from diary.rules.ids import Millis
from diary.rules.merge import standing
from diary.rules.sealed_content import CaptureContent, EntryContent, Moment, StampedText
from diary.rules.timesheet import Place
from diary.sealing import row
from diary.state import OpenDiary
from diary.store import drafts, pictures, versions
from diary.store.drafts import CaptureDraft
from diary.store.versions import StoredVersion, held_of
from diary.told_zone import zone_to_tell


class NoMomentError(UsageError):
    """A draft whose snapshot was never taken is no capture (R12)."""

    says = "No snapshot was taken in this slot, so there is nothing to record."
    mend = "Drop the draft."


def record(diary: OpenDiary, draft: CaptureDraft) -> Place:
    """Seal a draft as this replica's capture of its slot, and drop the draft; return its place (R12, R32).

    Recorded once: a second time changes nothing. Where the segment was removed meanwhile nothing is
    recorded; where a rule refuses it, it goes to the refusals.

    Raises:
        NoMomentError: Its snapshot was never taken.
        UnknownContractError: There is no such contract.
    """
    if draft.moment is None:
        raise NoMomentError
    place = (draft.contract, draft.slot)
    with diary.writing():
        kept = drafts.find(diary.connection, *place)
        held = versions.at_place(diary.connection, *place)
        is_recorded = any(
            stored.header.type == "capture" and stored.header.replica == diary.replica for stored in held
        )
        if not is_recorded and not (kept is not None and kept.removed):
            old = None if kept is None else drafting.draft_text(diary, kept)
            memo = drafting.later_text(draft.memo, old.memo if old else None)
            label = drafting.later_text(draft.label, old.label if old else None)
            _record(diary, draft, draft.moment, held, memo, label)
        drafting.forget_draft(diary, place)
    return place


def _record(
    diary: OpenDiary,
    draft: CaptureDraft,
    moment: Moment,
    held: tuple[StoredVersion, ...],
    memo: StampedText | None,
    label: StampedText | None,
) -> None:
    contract = contracts.by_id(diary, draft.contract)
    at_ms = diary.now_ms()
    taken_ms = moment.wall_ms + diary.difference_ms(moment.boot)
    place = (draft.contract, draft.slot)
    not_before_ms = noticing.held_until_ms(diary, place, draft.slot, taken_ms)
    _write_capture(diary, contract, draft, moment, held, at_ms=at_ms, not_before_ms=not_before_ms)
    say(diary, contract, place, memo, label, at_ms=at_ms, not_before_ms=not_before_ms)


def say(
    diary: OpenDiary,
    contract: Contract,
    place: Place,
    memo: StampedText | None,
    label: StampedText | None,
    *,
    at_ms: Millis,
    not_before_ms: Millis,
) -> None:
    """Write the entry that comes with a capture, merged with what is said there already (R36)."""
    if memo is None and label is None:
        return
    held = versions.at_place(diary.connection, *place)
    stands = standing(map(held_of, held))
    if stands.life:
        return  # as its capture was refused: what was said about a slot goes with its deletion (R25, R35)
    said = merged((), deciding.opened_entries(diary, held, stands))
    content = EntryContent(
        contract=place[0],
        slot=place[1],
        memo=drafting.later_text(memo, said.memo),
        label=drafting.later_text(label, said.label),
    )
    if (content.memo, content.label) != (said.memo, said.label):
        refused = deciding.write_entry(
            diary, contract, place, content, at_ms=at_ms, not_before_ms=not_before_ms
        )
        if refused is not None:
            deciding.keep_refused(diary, refused[1], content, refused[0], at_ms=at_ms)


def _write_capture(
    diary: OpenDiary,
    contract: Contract,
    draft: CaptureDraft,
    moment: Moment,
    held: tuple[StoredVersion, ...],
    *,
    at_ms: Millis,
    not_before_ms: Millis,
) -> None:
    header = envelope.draw_header(diary, "capture", draft.contract, slot=draft.slot)
    row_key = secrets.token_bytes(32)
    ciphertexts = [
        row.seal_picture(picture, row_key=row_key, place=envelope.picture_place(header, index))
        for index, (_, picture) in enumerate(draft.pictures)
    ]
    header = envelope.with_pictures(header, ciphertexts)
    content = CaptureContent(
        contract=draft.contract,
        slot=draft.slot,
        minutes=draft.minutes,
        application=draft.application,
        title=draft.title,
        moment=moment,
        masked=draft.masked,
        no_picture=draft.no_picture,
        roles=tuple(role for role, _ in draft.pictures),
        picture_names=tuple(name for name, _ in header.pictures or ()),
        device=diary.device_name,
        zone=zone_to_tell(diary),
    )
    match deciding.decided(diary, contract, header, held, at_ms):
        case Allowed():
            envelope.write_with_pictures(
                diary, header, content, ciphertexts, row_key, at_ms=at_ms, not_before_ms=not_before_ms
            )
        case Refused() as refused:
            deciding.keep_refused(diary, header, content, refused, at_ms=at_ms, row_key=row_key)
            if refused.reason != "slot_deleted":
                pictures.add(diary.connection, header, tuple(ciphertexts), draft.slot)
