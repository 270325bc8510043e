"""What an account is still to be shown, in a plain dictionary (see `toy_storage`)."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from diary.rules.ids import ContractId, Slot
from sync.server.kept_healing import LostSeal


@dataclass
class ToyHealingBooks:
    waits_from: Slot | None = None
    lost: dict[tuple[ContractId, str], LostSeal] = field(default_factory=dict)

    def note(self, first: Slot | None) -> None:
        self.waits_from = first

    def keep_seals(self, lost: Sequence[LostSeal]) -> None:
        for one in lost:
            known = self.lost.get((one.contract, one.week), one)
            if (one.log_epoch, one.number) >= (known.log_epoch, known.number):
                self.lost[one.contract, one.week] = one

    def seals(self, weeks: Collection[str]) -> dict[tuple[ContractId, str], LostSeal]:
        return {place: one for place, one in self.lost.items() if one.week in weeks}
