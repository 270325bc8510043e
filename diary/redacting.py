"""Destroying what both parties agreed to redact, on this device as everywhere (R25, R54).

Leaf, header, time and bill stay. It is done again whenever a feed or an answer came: doing it twice changes
nothing. Everything here runs within the caller's transaction.
"""

from diary import parties
from diary.destroying import forget_texts
from diary.rules.acts import redactions
from diary.rules.ids import ContractId
from diary.state import OpenDiary, mark_destroying
from diary.store import outbox, pictures, versions
from diary.store.versions import held_of


def redact_agreed(diary: OpenDiary, contract: ContractId) -> None:
    """Destroy the content of a contract's redacted slots that the server received before it was agreed (R54).

    What came later, an edit of late time, is not what the parties agreed about.
    """
    acts = [held_of(stored) for stored in versions.acts(diary.connection, contract)]
    if not any(act.header.redaction for act in acts):  # of almost all contracts
        return
    seats = parties.clients(diary, contract)
    for slot, one in redactions(acts, seats).items():
        if not one.is_agreed or one.completed_at_ms is None:
            continue
        place = (contract, slot)
        falling = [
            stored
            for stored in versions.at_place(diary.connection, *place)
            if stored.content == "standing"
            and stored.sealed.body is not None
            and stored.received_at_ms is not None
            and stored.received_at_ms <= one.completed_at_ms
        ]
        if not falling:
            continue
        mark_destroying(diary)
        forget_texts(diary, place)
        for stored in falling:
            diary.contents.pop(stored.header.name, None)
            pictures.destroy(diary.connection, stored.header.name)
            versions.empty(diary.connection, [stored.header.name], "destroyed")
            outbox.leave(diary.connection, stored.header.name)
