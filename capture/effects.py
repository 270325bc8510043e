"""What is to be done about one event, in this order."""

from capture.draft import Draft
from capture.steps import Effect, KeepDraft, Say, Word
from diary.rules.ids import ContractId, Slot


class Effects:
    """The effects of the step under way; those who decide share it."""

    def __init__(self) -> None:
        self._list: list[Effect] = []

    def take(self) -> tuple[Effect, ...]:
        """Return what is to be done, and begin anew."""
        taken, self._list = tuple(self._list), []
        return taken

    def add(self, effect: Effect) -> None:
        """Do this next."""
        self._list.append(effect)

    def keep(self, draft: Draft, instead_of: ContractId | None = None) -> None:
        """Have a draft sealed, once a step: its last state."""
        place = (draft.contract, draft.slot)
        for effect in [each for each in self._list if isinstance(each, KeepDraft)]:
            if (effect.draft.contract, effect.draft.slot) == place:
                self._list.remove(effect)
                instead_of = instead_of or effect.instead_of
        self.add(KeepDraft(draft, instead_of))

    def say(self, word: Word, slot: Slot | None = None, minutes: int = 0) -> None:
        """Tell the freelancer."""
        self.add(Say(word, slot, minutes))
