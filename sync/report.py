"""What a sync did, counted while it runs, and how far it is (R37d, R40)."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec

from diary.evidence.receipt import Cursor
from diary.exchanging import Settlement
from diary.rules.ids import ContractId, Slot


class RefusedRow(msgspec.Struct, frozen=True, kw_only=True):
    """One refused change in the report: where, and the word for why (CLI.md); None without a slot."""

    slot: Slot | None
    reason: str
    contract: ContractId | None = None
    because: str = ""
    what: str = ""


class SyncReport(msgspec.Struct, frozen=True, kw_only=True):
    """What one sync did: the form of `diary sync --json`.

    `pushed` are accepted versions, `pulled` rows that were new here. `postponed` rows stay to be sent.
    `head` tells how far each contract's log is read: [log epoch, size].
    """

    pushed: int
    pulled: int
    refused: tuple[RefusedRow, ...]
    pictures_left: int
    head: dict[ContractId, tuple[int, int]]
    postponed: tuple[RefusedRow, ...]
    pictures_sent: int
    pictures_fetched: int
    alarms: int = 0


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a sync is, for waits over a second; `waiting` versions are still to be sent."""

    pushed: int
    pulled: int
    waiting: int
    pictures: int


@dataclass(slots=True)
class Tally:
    """What one run has done so far."""

    pushed: int = 0
    pulled: int = 0
    pictures_sent: int = 0
    pictures_fetched: int = 0
    refused: list[RefusedRow] = field(default_factory=list)
    postponed: list[RefusedRow] = field(default_factory=list)

    def settled(self, settlement: Settlement) -> None:
        """Count what the answers to one push amounted to."""
        self.pushed += settlement.accepted
        self.refused += [
            RefusedRow(
                slot=kept.slot,
                reason=kept.reason,
                contract=kept.contract,
                because=kept.because,
                what=kept.what,
            )
            for kept in settlement.refused
        ]
        self.postponed += [RefusedRow(slot=slot, reason=reason) for slot, reason in settlement.postponed]

    def progress(self, waiting: int) -> Progress:
        """Return how far the run is, with so many versions still to be sent."""
        return Progress(self.pushed, self.pulled, waiting, self.pictures_sent + self.pictures_fetched)

    def report(self, pictures_left: int, cursors: Mapping[ContractId, Cursor], alarms: int) -> SyncReport:
        """Return what the run did, now that it is over; `alarms` are those that it raised."""
        return SyncReport(
            pushed=self.pushed,
            pulled=self.pulled,
            refused=tuple(self.refused),
            pictures_left=pictures_left,
            head={contract: (cursor.log_epoch, cursor.size) for contract, cursor in sorted(cursors.items())},
            postponed=tuple(self.postponed),
            pictures_sent=self.pictures_sent,
            pictures_fetched=self.pictures_fetched,
            alarms=alarms,
        )
