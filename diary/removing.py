"""What the freelancer removes: a segment's time, snapshot and texts, which are one (R4, R12, R25)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from diary import contracts, deciding, looking, noticing, opening
from diary.contracts import Contract
from diary.correcting import Acts, NoSegmentError, contract_at
from diary.destroying import drop_everything, forget_texts
from diary.rules.change import Refused
from diary.rules.merge import Standing, standing
from diary.rules.timesheet import Place
from diary.rules.week import Week
from diary.state import OpenDiary, mark_destroying
from diary.store import drafts, versions
from diary.store.versions import StoredVersion, held_of


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
            no = remove_one(diary, contract_at(known, place), place)
            done.append(place) if no is None else refused.append((place, no))
    return Acts(tuple(done), tuple(refused))


def remove_one(diary: OpenDiary, contract: Contract, place: Place) -> Refused | None:
    """Remove one segment within the caller's transaction; return why not, None when done."""
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
