"""The segments that a session has in hand, each in one place (R12, R18, R20).

One is under way. One that is over waits here for its picture, which is still being encoded, or for its
freelancer, who was away when it ended. This file decides nothing.
"""

from collections.abc import Callable, Iterator

from capture.absence import Absence
from capture.draft import Draft
from diary.rules.ids import ContractId, Millis, Slot

ENDED_SLOTS_MAX = 1008  # a week: further back than any clock is set without a restart


class Slots:
    """What is under way, what is behind it, and what each slot has had already."""

    def __init__(self) -> None:
        self.draft: Draft | None = None  # under way
        self.asked = False  # its picture was asked for and has not come
        self.waiting: list[Draft] = []  # found at the start, or put aside when the clock was set back
        self.awaited: set[Slot] = set()  # of those put aside, whose picture was asked for and has not come
        self.unpictured: dict[Slot, Draft] = {}  # over, their picture on its way
        self.held: list[Draft] = []  # over, their freelancer away at their end (R18)
        self.removed: set[tuple[ContractId, Slot]] = set()
        self.drawn: dict[Slot, Millis] = {}  # each slot's one moment (R12)
        self._ended: set[Slot] = set()

    def drafts(self) -> Iterator[Draft]:
        """Yield every draft there is."""
        yield from self.waiting
        yield from self.held
        yield from self.unpictured.values()
        if self.draft:
            yield self.draft

    def about(self, absence: Absence) -> list[Draft]:
        """Return the drafts of which an answer decides, the oldest first; none that comes to nothing."""
        drafts = (draft for draft in self.drafts() if not draft.missed and absence.is_about(draft))
        return sorted(drafts, key=lambda draft: draft.slot)

    def idle_minutes(self, absence: Absence) -> int:
        """Return how many minutes an answer decides about."""
        return sum(len(absence.idle_minutes(draft)) for draft in self.about(absence))

    def awaits_moment(self, draft: Draft) -> bool:
        """Return whether the snapshot of the draft under way is still to come."""
        return draft.snapshot is None and not draft.missed and not self.asked

    def put_aside(self, slot: Slot) -> Draft | None:
        """Take out the draft of a slot that was put aside before its picture came, if there is one."""
        if slot not in self.awaited:
            return None
        self.awaited.discard(slot)
        found = next((one for one in self.waiting if one.slot == slot), None)
        if found is not None:
            self.waiting.remove(found)
        return found

    def is_done(self, slot: Slot) -> bool:
        """Return whether a slot was recorded, or will be: nothing more may be recorded in it (R20)."""
        return slot in self._ended or slot in self.unpictured or any(each.slot == slot for each in self.held)

    def end(self, slot: Slot) -> None:
        """Remember that a slot was recorded."""
        self._ended.add(slot)
        self._ended.difference_update(sorted(self._ended)[:-ENDED_SLOTS_MAX])

    def take_held(self, belongs: Callable[[Draft], bool]) -> list[Draft]:
        """Return the held drafts that belong, and hold them no more."""
        found = [draft for draft in self.held if belongs(draft)]
        self.held = [draft for draft in self.held if not belongs(draft)]
        return found

    def remove(self, contract: ContractId, slot: Slot) -> None:
        """Let go of a segment that its freelancer removed; nothing more is recorded there (R12)."""
        self.removed.add((contract, slot))
        self.waiting = [draft for draft in self.waiting if (draft.contract, draft.slot) != (contract, slot)]
        self.take_held(lambda draft: (draft.contract, draft.slot) == (contract, slot))
        unpictured = self.unpictured.get(slot)
        if unpictured and unpictured.contract == contract:
            del self.unpictured[slot]
        if self.draft and (self.draft.contract, self.draft.slot) == (contract, slot):
            self.draft = None
            self.asked = False
