"""Correcting, as methods of the one door: edits, manual time, removals, and what awaits a word (R4, R26)."""

from collections.abc import Collection, Iterable

from diary import asking, correcting, joining, removing, undoing
from diary.asking import Asked
from diary.contracts import Contract
from diary.correcting import Acts
from diary.removing import Loss
from diary.rules.change import Refused
from diary.rules.ids import ContractId, Slot
from diary.rules.timesheet import Place
from diary.state_door import StateDoor
from diary.undoing import Undoable


class CorrectDoor(StateDoor):
    """What the freelancer changes of time that was recorded; a client's copy changes nothing."""

    def edit(self, places: Iterable[Place], *, memo: str | None = None, label: str | None = None) -> Acts:
        """Set memo, label or both of a selection (R26)."""
        return correcting.edit(joining.require_freelancer(self._state), places, memo=memo, label=label)

    def add_manual(
        self, contract_id: ContractId, slots: Iterable[Slot], memo: str, label: str | None = None
    ) -> Acts:
        """Claim whole slots as manual time (R21)."""
        return correcting.add_manual(joining.require_freelancer(self._state), contract_id, slots, memo, label)

    def may_add(self, contract: Contract, slot: Slot, label: str | None = None) -> Refused | None:
        """Return why manual time may not be added to a slot now, None where it may (R21)."""
        return correcting.may_add(joining.require_freelancer(self._state), contract, slot, label)

    def remove(self, places: Iterable[Place]) -> Acts:
        """Remove segments, snapshot and time in one (R4, R25)."""
        return removing.remove(joining.require_freelancer(self._state), places)

    def undo(self) -> Acts:
        """Undo the last edit or addition (R26)."""
        return undoing.undo(joining.require_freelancer(self._state))

    def undoable(self) -> Undoable | None:
        """Return what `undo` would take back, None for nothing (R26)."""
        return undoing.undoable(self._state)

    def loss_of(self, places: Iterable[Place]) -> Loss:
        """Return what removing a selection would destroy (R4)."""
        return removing.loss_of(self._state, places)

    def asked(self) -> tuple[Asked, ...]:
        """Return what waits for its freelancer's word: late time, and time that moves far (R20, R38)."""
        return asking.asked(self._state)

    def send_asked(self, only: Collection[Place] | None = None) -> tuple[Place, ...]:
        """Let what waits for an answer be sent, all of it or at these places (R20, R38)."""
        return asking.send_asked(joining.require_freelancer(self._state), only)

    def drop_asked(self, only: Collection[Place] | None = None) -> tuple[Place, ...]:
        """Destroy what waits for an answer, all of it or at these places (R25, R38)."""
        return asking.drop_asked(joining.require_freelancer(self._state), only)
