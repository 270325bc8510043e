"""A wished change of one segment: asked of the rules, then written, or kept as refused (R34, R36, R37d, R39).

Everything here runs within the caller's transaction.
"""

import msgspec

from diary import envelope, parties
from diary.contracts import Contract
from diary.destroying import destroy_what_fell
from diary.errors import DamageError
from diary.rules.change import Allowed, Refused, decide, is_deletion
from diary.rules.content import OpenedEntry
from diary.rules.ids import Millis, Slot
from diary.rules.merge import Standing, standing
from diary.rules.refusals import What
from diary.rules.sealed_content import CaptureContent, EntryContent
from diary.rules.segment import HEADER_VERSION, NUMBER_END, Header, Stamp
from diary.rules.timesheet import Place
from diary.rules.week import Week
from diary.state import OpenDiary
from diary.store import refusals, versions
from diary.store.refusals import KeptRefusal
from diary.store.versions import StoredVersion, held_of


def decided(
    diary: OpenDiary, contract: Contract, header: Header, held: tuple[StoredVersion, ...], at_ms: Millis
) -> Allowed | Refused:
    """Ask the rule that the server asks too, with the slack by which this clock may be wrong (R39)."""
    slot = header.slot or Slot(0)
    # Only late time is ever accepted: the question is worth asking of frozen weeks alone (R38).
    may_be_late = Week.of(slot).is_frozen(at_ms + diary.slack_ms())
    accepted = may_be_late and parties.accepted(diary, contract.id, slot)
    return decide(
        header,
        list(map(held_of, held)),
        contract.history,
        at_ms,
        slack_ms=diary.slack_ms(),
        accepted=accepted,
    )


def write_entry(
    diary: OpenDiary,
    contract: Contract,
    place: Place,
    content: EntryContent | None,
    *,
    at_ms: Millis,
    life: int | None = None,
    manual: bool = False,
    not_before_ms: int = 0,
) -> tuple[Refused, Header] | None:
    """Write an entry that covers all siblings held here, unless a rule refuses it (R34, R35, R36, R39).

    `life` of None stays in the present life. A content of None is a deletion: its header alone (R17). A
    claim of manual time that stands is carried on, and what is edited in its notice period stays in it.
    Returns the refusal with the header that was refused, which was not stored; None when it was written.
    """
    held = versions.at_place(diary.connection, *place)
    stands = standing(map(held_of, held))
    life = stands.life if life is None else life
    claims = manual or (life == stands.life and any(entry.header.manual for entry in stands.frontier))
    drawn = envelope.draw_header(diary, "entry", place[0], slot=place[1])
    header = msgspec.structs.replace(
        drawn,
        vector={**stands.vector, drawn.replica: drawn.n},
        life=life,
        manual=claims and content is not None,
        stamp=None if content is None else greatest_stamp(content),
    )
    match decided(diary, contract, header, held, at_ms):
        case Refused() as refused:
            return refused, header
        case Allowed():
            waits_ms = max((stored.not_before_ms or 0 for stored in held if stored.waits), default=0)
            if content is None:
                envelope.write_bare(diary, header, at_ms=at_ms)
            else:
                not_before_ms = max(not_before_ms, waits_ms)
                envelope.write(diary, header, content, at_ms=at_ms, not_before_ms=not_before_ms)
            destroy_what_fell(diary, place)
            return None


def refused_claim(
    diary: OpenDiary, contract: Contract, place: Place, held: tuple[StoredVersion, ...], stands: Standing
) -> Refused | None:
    """Return why a claim of manual time would be refused now, None where it would not; draws no number."""
    header = Header(
        v=HEADER_VERSION,
        type="entry",
        account=diary.account,
        contract=place[0],
        replica=diary.replica,
        n=NUMBER_END - 1,  # greater than any that is held, so that the claim covers what this replica wrote
        head=None,
        slot=place[1],
        vector={**stands.vector, diary.replica: NUMBER_END - 1},
        life=stands.life + 1 if stands.deleted else stands.life,
        manual=True,
    )
    answer = decided(diary, contract, header, held, diary.now_ms())
    return answer if isinstance(answer, Refused) else None


def greatest_stamp(content: EntryContent) -> Stamp | None:
    """Return the greatest stamp in an entry, as its header states it (R36); None where nothing was said."""
    return max((text.stamp for text in (content.memo, content.label) if text is not None), default=None)


def opened_entries(
    diary: OpenDiary, held: tuple[StoredVersion, ...], stands: Standing
) -> tuple[OpenedEntry, ...]:
    """Return the standing entries that open; one that does not is shown as defective elsewhere (R47)."""
    by_name = {stored.header.name: stored for stored in held}
    opened = []
    for entry in stands.frontier:
        stored = by_name[entry.header.name]
        if stored.sealed.body is None:
            continue
        try:
            content = envelope.content_of(diary, stored)
        except DamageError:
            continue
        if isinstance(content, EntryContent):
            opened.append((stored.header, content))
    return tuple(opened)


def what_of(header: Header) -> What:
    """Return what a change was, in the words of the list of refusals."""
    match header.type:
        case "capture":
            return "capture"
        case "entry" if is_deletion(header):
            return "deletion"
        case "entry":
            return "manual" if header.manual else "entry"
        case "terms" | "message":
            return header.type
        case _:
            return "other"


def keep_refused(
    diary: OpenDiary,
    header: Header,
    content: CaptureContent | EntryContent,
    refused: Refused,
    *,
    at_ms: Millis,
    row_key: bytes | None = None,
) -> None:
    """Keep a change that a rule refused here, sealed as it would have been sent (R37d).

    What was recorded in a slot that is deleted is not kept: deleting destroys, and that is what it met.
    """
    is_kept = refused.reason != "slot_deleted"
    sealed = envelope.seal(diary, header, content, row_key) if is_kept else None
    refusals.keep(
        diary.connection,
        KeptRefusal(
            name=header.name,
            contract=header.contract,
            slot=header.slot,
            what=what_of(header),
            reason=refused.reason,
            because=refused.because,
            refused_at_ms=at_ms,
            sealed=sealed,
        ),
    )
