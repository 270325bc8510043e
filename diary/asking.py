"""What waits for the freelancer's word before it leaves: late time, and time that moves far (R20, R38)."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

from diary import contracts, true_slots
from diary.deciding import opened_entries
from diary.destroying import forget_texts
from diary.resealing import forget
from diary.rules.change import is_deletion
from diary.rules.content import merged
from diary.rules.ids import ContractId, Slot
from diary.rules.merge import standing
from diary.rules.timesheet import Place
from diary.state import OpenDiary, mark_destroying
from diary.store import outbox, versions
from diary.store.versions import StoredVersion, held_of


@dataclass(frozen=True, slots=True)
class Asked:
    """One segment that waits for an answer.

    "late": its week is locked and the server does not have it; sent, it does not bill until the client
    accepts it. "move": this machine's clock was wrong, and it belongs into the slot `true`.
    """

    contract: ContractId
    contract_title: str
    slot: Slot
    why: Literal["late", "move"]
    true: Slot | None
    memo: str


def asked(diary: OpenDiary) -> tuple[Asked, ...]:
    """Return what waits for an answer, by slot (R20, R38)."""
    with diary.reading():
        titles = {contract: found.title for contract, found in contracts.known(diary).items()}
        moves = {move.place: move.true for move in true_slots.moves_held(diary)}
        late = set(outbox.late_places(diary.connection, diary.late_before(diary.now_ms())))
        places = sorted(late | moves.keys(), key=lambda place: (place[1], place[0]))
        return tuple(
            Asked(
                contract=contract,
                contract_title=titles.get(contract, ""),
                slot=slot,
                why="move" if (contract, slot) in moves else "late",
                true=moves.get((contract, slot)),
                memo=_memo_at(diary, (contract, slot)),
            )
            for contract, slot in places
        )


def send_asked(diary: OpenDiary, only: Collection[Place] | None = None) -> tuple[Place, ...]:
    """Let what waits be sent, what moves under its true slot; return where it lies now (R20, R38).

    `only` are the places that are answered for, None for all; one that waits for no answer is passed over.
    """
    with diary.writing():
        moves = [move for move in true_slots.moves_held(diary) if only is None or move.place in only]
        true_slots.carry_out(diary, moves)
        sent = [move.target for move in moves]
        # What has just been moved into a locked week is late there, and answered for too.
        wanted = None if only is None else {*only, *sent}
        for place in outbox.late_places(diary.connection, diary.late_before(diary.now_ms())):
            if wanted is None or place in wanted:
                sent.append(place)
                for stored in _unsent(diary, place):
                    outbox.answer_late(diary.connection, stored.header.name)
    return tuple(dict.fromkeys(sent))


def drop_asked(diary: OpenDiary, only: Collection[Place] | None = None) -> tuple[Place, ...]:
    """Destroy what waits for an answer; nobody else ever had it (R25, R38). Return where it lay.

    `only` are the places that are answered for, None for all; one that waits for no answer is passed over.
    """
    with diary.writing():
        late = outbox.late_places(diary.connection, diary.late_before(diary.now_ms()))
        moves = [move.place for move in true_slots.moves_held(diary)]
        asked = dict.fromkeys((*late, *moves))
        places = tuple(place for place in asked if only is None or place in only)
        for place in places:
            for stored in _unsent(diary, place):
                forget(diary, stored.header.name)
            forget_texts(diary, place)
        if places:
            mark_destroying(diary)
    return places


def _unsent(diary: OpenDiary, place: Place) -> list[StoredVersion]:
    return [
        stored
        for stored in versions.at_place(diary.connection, *place)
        if stored.waits and stored.is_ours_alone and not is_deletion(stored.header)
    ]


def _memo_at(diary: OpenDiary, place: Place) -> str:
    held = versions.at_place(diary.connection, *place)
    said = merged((), opened_entries(diary, held, standing(map(held_of, held))))
    return said.memo.text if said.memo else ""
