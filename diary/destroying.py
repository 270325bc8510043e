"""What a deletion or a later version takes away, wherever it came from (R25, R26, R35).

Called within the transaction in which something was added at a place, by an act of the freelancer here or by
a page of the feed, or in which the server's answer to it is stored.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping

from diary.rules.change import is_deletion
from diary.rules.ids import Millis, Place
from diary.rules.merge import Held, destroyed, displaced, standing
from diary.rules.segment import stored_header
from diary.state import OpenDiary, mark_destroying
from diary.store import feed, history, outbox, pictures, refusals, versions
from diary.store.versions import Name, StoredVersion, held_of


def destroy_what_fell(diary: OpenDiary, place: Place) -> bool:
    """Destroy the contents at a place that count no more; return whether any were (R25).

    What nobody else knows is dropped whole and leaves an unused number; a deletion never is: the server
    takes a later life only after the one before it. What an edit displaces stays whole until the server holds
    the edit: it may refuse it, or be restored to what it held before. `OpenDiary.writing` truncates the WAL
    after the commit.
    """
    held = versions.at_place(diary.connection, *place)
    fallen = {version.header.name for version in destroyed(map(held_of, held))}
    stands = standing(map(held_of, held))
    gone_at_server = displaced_at_server(map(held_of, held))
    any_fell = False
    for stored in held:
        name = stored.header.name
        if name in fallen and stored.content == "standing" and not is_deletion(stored.header):
            lower_life = (stored.header.life or 0) < stands.life
            if lower_life or stored.is_ours_alone or name in gone_at_server:
                _take_away(diary, stored, lower_life=lower_life)
                any_fell = True
    if stands.deleted:
        any_fell = forget_texts(diary, place) or any_fell
    if any_fell:
        mark_destroying(diary)
    return any_fell


def displaced_at_server(held: Iterable[Held]) -> set[Name]:
    """Return the names of the entries that the server holds together with one that displaces them."""
    return displaced(version.header for version in held if version.received_at_ms is not None)


def destroy_displaced(diary: OpenDiary, taken: Mapping[int, bytes]) -> None:
    """Destroy what own edits displaced that the server now holds: their headers by their rows (R25)."""
    beside: dict[int, list[feed.Beside]] = defaultdict(list)
    for other in feed.beside(diary.connection, taken):
        beside[other.taken].append(other)
    fallen: set[Name] = set()
    for row, others in beside.items():
        own = stored_header(taken[row])
        whole = {own.name, *(other.header.name for other in others if other.is_whole)}
        fallen |= whole & displaced([own, *(other.header for other in others)])
    for name in fallen:
        diary.contents.pop(name, None)
    if fallen:
        versions.empty(diary.connection, sorted(fallen), "superseded")
        mark_destroying(diary)


def is_unanswered(push: str | None, received_at_ms: Millis | None) -> bool:
    """Return whether a version left this device, or was about to, and has no answer yet (R40)."""
    return push is not None and received_at_ms is None


def _take_away(diary: OpenDiary, stored: StoredVersion, *, lower_life: bool) -> None:
    name = stored.header.name
    diary.contents.pop(name, None)
    if stored.is_ours_alone:
        versions.drop(diary.connection, name)
        return
    versions.empty(diary.connection, [name], "destroyed" if lower_life else "superseded")
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
