"""What a deletion or a later version takes away, wherever it came from (R25, R26, R35).

Called within the transaction in which something was added at a place, by an act of the freelancer here or by
a page of the feed, or in which the server's answer to it is stored.
"""

from collections import defaultdict
from collections.abc import Iterable

from diary.rules.change import is_deletion
from diary.rules.ids import ContractId, Millis, Place, Slot
from diary.rules.merge import Held, destroyed, standing
from diary.rules.merge import displaced as displaced_by_others
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
    displaced = displaced_at_server(map(held_of, held))
    any_fell = False
    for stored in held:
        name = stored.header.name
        if name in fallen and stored.content == "standing" and not is_deletion(stored.header):
            lower_life = (stored.header.life or 0) < stands.life
            if lower_life or stored.is_ours_alone or name in displaced:
                _take_away(diary, stored, lower_life=lower_life)
                any_fell = True
    if stands.deleted:
        any_fell = forget_texts(diary, place) or any_fell
    if any_fell:
        mark_destroying(diary)
    return any_fell


def displaced_at_server(held: Iterable[Held]) -> set[Name]:
    """Return the names of the entries that the server holds together with one that displaces them."""
    return displaced_by_others([version for version in held if version.received_at_ms is not None])


def destroy_displaced(diary: OpenDiary, places: Iterable[Place]) -> None:
    """Destroy what was displaced at these places by edits that the server now holds (R25)."""
    slots: dict[ContractId, list[Slot]] = defaultdict(list)
    for contract, slot in places:
        slots[contract].append(slot)
    fallen: list[Name] = []
    for contract, there in slots.items():
        at_slot: dict[Slot, list[feed.HeldRow]] = defaultdict(list)
        for version in feed.held(diary.connection, contract, there):
            at_slot[version.slot].append(version)
        for rows in at_slot.values():
            whole = {row.header.name for row in rows if row.content == "standing"}
            displaced = displaced_at_server([Held(row.header, row.received_at_ms) for row in rows])
            fallen += sorted(displaced & whole)
    for name in fallen:
        diary.contents.pop(name, None)
    if fallen:
        versions.empty(diary.connection, fallen, "superseded")
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
