"""What a diary shows, as methods of the one door (R5, R24, R30, R31, R37d, R55).

Pages, terminal and sync's words ask here; what changes something stands in `diary.diary`.
"""

from collections.abc import Collection, Iterable
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from diary import (
    attention,
    billing_methods,
    checking,
    contracts,
    looking,
    refused,
    reminding,
    search,
    showing,
    told_zone,
)
from diary.attention import Attention
from diary.billing_methods import BillingView
from diary.checking import PlaceCheck, WeekCheck
from diary.contracts import Contract
from diary.refused import RefusalView
from diary.reminding import Reminder
from diary.rules.ids import ContractId, Slot
from diary.rules.progress import Progress
from diary.rules.qualifies import Finding
from diary.rules.reminder import Occasion, WeekReminder
from diary.rules.sealed_content import StampedText
from diary.rules.timesheet import Place, SegmentView, WeekView
from diary.rules.week import Week
from diary.search import Found, Texts
from diary.state import OpenDiary
from diary.state_door import StateDoor
from diary.store import connection as files
from diary.store import versions
from diary.store.pages import lost_in_wal

if TYPE_CHECKING:  # what a single question needs is loaded when it is asked: an export waits for none of it
    from diary.auditing import Audit
    from diary.bundling import Bundled
    from diary.evidence.seats import Seat


class LookDoor(StateDoor):
    """What is asked of an open diary to be shown; every method is one snapshot of the file."""

    def __init__(self, state: OpenDiary) -> None:
        super().__init__(state)
        self._texts = Texts()

    def close(self) -> None:
        """Close the file and forget what was opened."""
        self._texts.by_name.clear()
        super().close()

    def freelancers_zone(self) -> str | None:
        """Return the zone in which the freelancer reads times, as their newest capture tells it (R5)."""
        return told_zone.freelancers_zone(self._state)

    def contracts(self) -> tuple[Contract, ...]:
        """Return every contract, by title (R7)."""
        return contracts.contracts(self._state)

    def contract(self, name: str) -> Contract:
        """Return the contract of a title, the start of one, or the start of an id (R7)."""
        return contracts.named(self._state, name)

    def joined(self, contract_id: ContractId) -> "tuple[Seat, ...]":
        """Return who joined a contract as its client, ended seats too (R51)."""
        from diary import inviting

        return inviting.joined(self._state, contract_id)

    def week(self, week: Week) -> WeekView:
        """Return a week as it stands on this device (R24)."""
        return looking.week(self._state, week)

    def segment(self, place: Place) -> SegmentView | None:
        """Return one segment, None where nothing stands (R24)."""
        return looking.segment(self._state, place)

    def check(self, week: Week) -> WeekCheck:
        """Return what of a week qualifies, and which points fail (R30)."""
        return checking.check(self._state, week)

    def check_place(self, place: Place) -> PlaceCheck | None:
        """Return what of one segment qualifies, None where nothing stands (R30)."""
        return checking.check_place(self._state, place)

    def foresee(self, contract: Contract, memo: str, label: str) -> tuple[Finding, ...]:
        """Return the points that time tracked from now on is already known to fail (R11)."""
        return checking.foresee(self._state, contract, memo, label)

    def billing(self, contract: Contract) -> BillingView | None:
        """Return how a contract's client pays, None where no server has told (R11)."""
        return billing_methods.billing_of(self._state, contract)

    def bundle(
        self, contract: Contract, week: Week, slots: Collection[Slot] | None, zone: ZoneInfo
    ) -> "Bundled":
        """Return a week of a contract, or some of its slots, with all that proves it (R59)."""
        from diary.bundling import make_bundle

        return make_bundle(self._state, contract, week, slots, zone)

    def weeks(self) -> tuple[Week, ...]:
        """Return the weeks that hold anything, the newest first (R2)."""
        return showing.weeks(self._state)

    def last_snapshot(self) -> Place | None:
        """Return the segment of the newest snapshot, the one under way too; None for none (R17)."""
        return looking.last_snapshot(self._state)

    def picture(self, name: str) -> bytes:
        """Return a picture, opened (R47)."""
        return showing.picture(self._state, name)

    def search(
        self, text: str, *, limit: int | None, skip: int = 0, progress: Progress | None = None
    ) -> Found:
        """Return the segments that hold a text, the newest first; the first search reads all (R31)."""
        return search.search(self._state, self._texts, text, limit=limit, skip=skip, progress=progress)

    def prepare_search(self) -> None:
        """Read what a first search would have to read (R31)."""
        with self._state.reading():
            search.bring_up_to_date(self._state, self._texts)

    def memo_history(self, place: Place) -> tuple[StampedText, ...]:
        """Return a segment's old memos, the oldest first (R26)."""
        return showing.memo_history(self._state, place)

    def refusals(self) -> tuple[RefusalView, ...]:
        """Return the refused changes, the newest first (R37d)."""
        return refused.everything(self._state)

    def refused_deletions(self) -> tuple[RefusalView, ...]:
        """Return the refused deletions that were not put away yet (R37d)."""
        return refused.deletions(self._state)

    def dismiss_refusals(self, numbers: Iterable[int]) -> int:
        """Put refusals away that were looked at (R37d)."""
        return refused.dismiss(self._state, numbers)

    def forget_refusals(self, numbers: Iterable[int]) -> int:
        """Destroy what refusals keep (R25)."""
        return refused.forget(self._state, numbers)

    def attention(self) -> Attention:
        """Return what is said wherever somebody looks (R31, R37d)."""
        return attention.attention(self._state)

    def week_reminder(self) -> WeekReminder | None:
        """Return what a week still lacks, on Sunday evening and Monday morning (R31)."""
        return reminding.week_reminder(self._state)

    def reminders(self) -> tuple[Reminder, ...]:
        """Return what is due to be told and was not yet (R23, R31)."""
        return reminding.reminders(self._state)

    def note_told(self, occasion: Occasion) -> None:
        """Note that a reminder was told (R23, R31)."""
        reminding.note_told(self._state, occasion)

    def audit(self) -> "Audit":
        """Return what is stored, what was sent, when and to whom, and what gave alarm (R55)."""
        from diary import auditing

        return auditing.audit(self._state)

    def backup(self, path: Path, progress: Progress | None = None) -> int:
        """Write a whole copy of the diary to a file; return its size in bytes (R70)."""
        from diary import backup

        return backup.backup(self._state, path, progress)

    def file_fault(self) -> str:
        """Return what is wrong in the file or its WAL, "" where it is whole (R19, R70)."""
        with self._state.reading():
            fault = files.fault_in(self._state.connection)
            # Within a snapshot nobody begins the WAL anew.
            lost = 0 if fault else lost_in_wal(self._state.path)
        return fault or (f"{lost} pages that were written last do not hold" if lost else "")

    def altered_contents(self) -> int:
        """Return how many contents are not what was stored: pages show their segments as defective (R47)."""
        with self._state.reading():
            return sum(1 for _ in versions.altered(self._state.connection))
