"""What is shown to a restored server without its content, while another may hold it whole (R25, R43)."""

from collections.abc import Iterable

from diary.rules.acts import redactions
from diary.rules.change import is_deletion
from diary.rules.ids import ContractId, Millis, Place, Slot
from diary.rules.merge import Held, present
from diary.rules.week import Week
from sync.server.healed import Healing, Shown
from sync.server.storage import Name

WAIT_MS = 7 * 24 * 3_600_000  # as long as a picture is waited for (R41)


def entering(healing: Healing, shown: Iterable[Shown]) -> list[Shown]:
    """Return the rows that enter now: those that their writers signed, and that wait for nothing."""
    signed = [item for item in shown if healing.signed(item)]
    waiting = _waiting_for_content(healing, signed)
    return [item for item in signed if item.header.name not in waiting]


def _waiting_for_content(healing: Healing, shown: Iterable[Shown]) -> set[Name]:
    """Return the names of rows that do not enter yet: who holds them whole is to show them first.

    A freelancer removed such a row on the device that shows it, and the lock passed before the server knew
    of that. The deletion is refused (R37d), the content is gone there, and a row never gets it back once it
    stands in the log. So it waits for another device; after a week it enters as it is, for its time to count.
    What was deleted, displaced or redacted needs no content, and before the lock the deletion follows.
    """
    now_ms = healing.hold.received_at_ms
    if now_ms - healing.hold.log_epoch >= WAIT_MS:  # an epoch is numbered by the instant at which it opened
        return set()
    rows = list(shown)
    bare = {place for item in rows if _is_bare(item) and (place := _place_of(item)) is not None}
    bare = {(contract, slot) for contract, slot in bare if Week.of(slot).is_frozen(now_ms)}
    if not bare:
        return set()
    there = healing.hold.standing(bare)
    for item in rows:
        place = _place_of(item)
        if place in there:
            there[place].append(Held(item.header, Millis(item.row.received_at_ms)))
    redacted = {contract: _redacted(healing, contract, rows) for contract, _ in bare}
    stand = {
        name
        for (contract, slot), held in there.items()
        if slot not in redacted[contract]
        for name in present(held).kept
    }
    return {
        item.header.name
        for item in rows
        if _is_bare(item) and _place_of(item) in bare and item.header.name in stand
    }


def _is_bare(item: Shown) -> bool:
    return item.row.body is None and not is_deletion(item.header)


def _place_of(item: Shown) -> Place | None:
    return None if item.header.slot is None else (item.header.contract, item.header.slot)


def _redacted(healing: Healing, contract: ContractId, rows: Iterable[Shown]) -> set[Slot]:
    """Return the slots of which both parties signed a redaction, what is shown now included (R54)."""
    acts = list(healing.hold.acts([contract])[contract])
    acts += [
        Held(item.header, Millis(item.row.received_at_ms))
        for item in rows
        if item.header.contract == contract and item.header.redaction is not None
    ]
    seats = healing.seats[contract].seats if contract in healing.seats else {}
    return {slot for slot, one in redactions(acts, seats).items() if one.is_agreed}
