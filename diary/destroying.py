"""What a deletion or a later version takes away, wherever it came from (R25, R26, R35).

Called within the transaction in which something was added at a place: by an act of the freelancer here, or
by a page of the feed.
"""

from diary.rules.change import is_deletion
from diary.rules.ids import Millis, Place
from diary.rules.merge import destroyed, standing
from diary.state import OpenDiary, mark_destroying
from diary.store import history, outbox, pictures, refusals, versions
from diary.store.versions import StoredVersion, held_of


def destroy_what_fell(diary: OpenDiary, place: Place) -> bool:
    """Destroy the contents at a place that count no more; return whether any were (R25).

    What nobody else knows is dropped whole and leaves an unused number; a deletion never is: the server
    takes a later life only after the one before it. What was edited while it is unanswered stays whole until
    it is answered: the server may take it and refuse the edit. `OpenDiary.writing` truncates the WAL after
    the commit.
    """
    held = versions.at_place(diary.connection, *place)
    fallen = {version.header.name for version in destroyed(map(held_of, held))}
    stands = standing(map(held_of, held))
    any_fell = False
    for stored in held:
        if stored.header.name in fallen and stored.content == "standing" and not is_deletion(stored.header):
            lower_life = (stored.header.life or 0) < stands.life
            if lower_life or not is_unanswered(stored.push, stored.received_at_ms):
                _take_away(diary, stored, lower_life=lower_life)
                any_fell = True
    if stands.deleted:
        any_fell = forget_texts(diary, place) or any_fell
    if any_fell:
        mark_destroying(diary)
    return any_fell


def is_unanswered(push: str | None, received_at_ms: Millis | None) -> bool:
    """Return whether a version left this device, or was about to, and has no answer yet (R40)."""
    return push is not None and received_at_ms is None


def _take_away(diary: OpenDiary, stored: StoredVersion, *, lower_life: bool) -> None:
    name = stored.header.name
    diary.contents.pop(name, None)
    if stored.is_ours_alone:
        versions.drop(diary.connection, name)
        return
    versions.empty(diary.connection, name, "destroyed" if lower_life else "superseded")
    pictures.destroy(diary.connection, name)
    # What is unanswered is asked about by its header alone: where the server never got it, a later life
    # could not follow, and late time would have nothing to delete (R35, R38).
    if not is_unanswered(stored.push, stored.received_at_ms):
        outbox.leave(diary.connection, name)


def forget_texts(diary: OpenDiary, place: Place) -> bool:
    """Destroy old texts and refused changes of a removed place; return whether there were any (R25, R26)."""
    forgotten = history.forget_place(diary.connection, *place)
    return refusals.forget_content(diary.connection, *place) + forgotten > 0


def drop_everything(diary: OpenDiary, place: Place) -> None:
    """Drop what nobody else knows of a place, and its texts: nothing is left but unused numbers (R25)."""
    for stored in versions.at_place(diary.connection, *place):
        if stored.is_ours_alone and not is_deletion(stored.header):
            diary.contents.pop(stored.header.name, None)
            versions.drop(diary.connection, stored.header.name)
    forget_texts(diary, place)
    mark_destroying(diary)
