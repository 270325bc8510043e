"""What the freelancer takes back: the last edit or addition; never a removal (R25, R26)."""

from dataclasses import dataclass

import msgspec

from diary import contracts
from diary.contracts import Contract
from diary.correcting import Acts, contract_at, draft_at, edit_one
from diary.errors import NothingError
from diary.removing import remove_one
from diary.rules.change import Refused
from diary.rules.merge import standing
from diary.rules.timesheet import Place
from diary.showing import HISTORY, BeforeText
from diary.state import OpenDiary
from diary.store import history, versions
from diary.store.history import ActKind
from diary.store.versions import held_of


class NothingToUndoError(NothingError):
    """No edit or addition is left that could be undone; a removal never can (R25)."""

    says = "There is nothing to undo."
    mend = "Edits and additions can be undone until their week freezes; a removal destroys and cannot be."


@dataclass(frozen=True, slots=True)
class Undoable:
    """The act that `undo` would take back, and of how many segments."""

    kind: ActKind
    segments: int


def undo(diary: OpenDiary) -> Acts:
    """Undo the last edit or addition not yet undone; never a removal (R25, R26).

    Raises:
        NothingToUndoError: There is none.
    """
    done: list[Place] = []
    refused: list[tuple[Place, Refused]] = []
    with diary.writing():
        last = history.last_act(diary.connection)
        if last is None:
            raise NothingToUndoError
        act, kind = last
        history.mark_undone(diary.connection, act)
        known = contracts.known(diary)
        for before in history.of_act(diary.connection, act):
            place = (before.contract, before.slot)
            contract = contract_at(known, place)
            if not _stands_there(diary, place):
                continue  # what came to nothing by itself needs no undoing
            if kind == "add":
                no = remove_one(diary, contract, place)
            else:
                text = msgspec.json.decode(diary.opened(before.sealed, HISTORY), type=BeforeText)
                no = _put_back(diary, contract, place, text)
            done.append(place) if no is None else refused.append((place, no))
    return Acts(tuple(done), tuple(refused))


def undoable(diary: OpenDiary) -> Undoable | None:
    """Return what `undo` would take back, None for nothing (R26)."""
    with diary.reading():
        last = history.last_act(diary.connection)
        return None if last is None else Undoable(last[1], history.count(diary.connection, last[0]))


def _stands_there(diary: OpenDiary, place: Place) -> bool:
    stands = standing(map(held_of, versions.at_place(diary.connection, *place)))
    return stands.kind is not None or draft_at(diary, place) is not None


def _put_back(diary: OpenDiary, contract: Contract, place: Place, before: BeforeText) -> Refused | None:
    """Write what a segment said before an act as its newest text; what was unset becomes empty."""
    act = history.begin(diary.connection, "edit", diary.now_ms())
    memo = before.memo.text if before.memo else ""
    label = before.label.text if before.label else ""
    refused = edit_one(diary, contract, place, memo, label, act)
    history.mark_undone(diary.connection, act)
    return refused
