"""The one door: every reader and writer of a diary goes through `Diary` (R19, R33, R46).

Tracker, command line, Datasette's pages and sync may each be a process and open the same folder at once; the
file is where they meet. A `Diary` belongs to the thread that opened it: several threads open one each. Every
method is one transaction that holds or leaves the file as it was, and raises a `DiaryError` that says how
to mend it.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Self, Unpack

from diary import (
    beginning,
    contracts,
    drafting,
    idling,
    inviting,
    joining,
    noticing,
    private_rules,
    recording,
    recovering,
    rejoining,
    settings,
    sparing,
    tracking,
)
from diary.agency_door import AgencyDoor
from diary.asking import Asked
from diary.bill_door import BillDoor
from diary.checking import WeekCheck
from diary.clock import Clock
from diary.contracts import Contract, TermsFields
from diary.correct_door import CorrectDoor
from diary.correcting import Acts
from diary.errors import DiaryError
from diary.idling import IdleAnswer, IdleQuestion
from diary.inviting import InvitationView, Invited
from diary.look_door import LookDoor
from diary.message_door import MessageDoor
from diary.noticing import SnapshotNotice
from diary.party_door import PartyDoor
from diary.refused import RefusalView
from diary.removing import Loss
from diary.rules.devices import ListedDevice
from diary.rules.ids import ContractId, Millis
from diary.rules.private import PrivateRule
from diary.rules.segment import Sealed
from diary.rules.timesheet import Place
from diary.sealing.invitation import Link
from diary.sealing.keyring import KeyPlace
from diary.state import OpenDiary
from diary.status import Status
from diary.store.drafts import CaptureDraft
from diary.sync_door import SyncDoor
from diary.tracking import Tracking

__all__ = [
    "Acts",
    "Asked",
    "CaptureDraft",
    "Contract",
    "Diary",
    "Loss",
    "RefusalView",
    "Status",
    "TermsFields",
    "Tracking",
    "WeekCheck",
]


class Diary(AgencyDoor, BillDoor, CorrectDoor, LookDoor, PartyDoor, MessageDoor, SyncDoor):
    """One person's diary on one device, open in one thread.

    Made by `create`, `open` or `join_account`; a context manager that closes it. How it is opened
    stands in `diary.state_door`, what a sync asks of it in `diary.sync_door`, what is shown in
    `diary.look_door`, what the freelancer corrects in `diary.correct_door`, what the parties of a contract
    say in `diary.party_door` and `diary.message_door`, and of money in `diary.bill_door`.
    """

    # Beginning.

    @classmethod
    def create(
        cls, home: Path, *, clock: Clock, place: KeyPlace, device_name: str, phrase: str | None = None
    ) -> Self:
        """Begin an account on this device (see `beginning.create`; R50)."""
        state = beginning.create(home, clock=clock, place=place, device_name=device_name, phrase=phrase)
        recovering.keep_recoverable(state)
        return cls(state)

    @classmethod
    def _prepare(cls, state: OpenDiary) -> None:
        """Do what a door does as soon as the file is open."""
        super()._prepare(state)
        sparing.keep_spare(state)

    @classmethod
    def join_account(
        cls,
        home: Path,
        *,
        clock: Clock,
        place: KeyPlace,
        device_name: str,
        phrase: str,
        device_lists: Sequence[Sealed],
    ) -> Self:
        """Make this device one of an account's (see `beginning.join_account`; R50)."""
        return cls(
            beginning.join_account(
                home, clock=clock, place=place, device_name=device_name, phrase=phrase, lists=device_lists
            )
        )

    @classmethod
    def resume_joining(
        cls,
        home: Path,
        *,
        clock: Clock,
        phrase: str,
        device_lists: Sequence[Sealed],
        ask_passphrase: Callable[[], str] | None = None,
    ) -> Self | None:
        """Go on with a joining that was cut short, if there is one (see `beginning.resume_joining`; R50)."""
        state = beginning.resume_joining(
            home, clock=clock, ask_passphrase=ask_passphrase, phrase=phrase, lists=device_lists
        )
        return None if state is None else cls(state)

    @classmethod
    def rejoin_account(
        cls,
        home: Path,
        *,
        clock: Clock,
        phrase: str,
        device_lists: Sequence[Sealed],
        ask_passphrase: Callable[[], str] | None = None,
    ) -> Self | None:
        """Make a revoked device one of its account again (see `rejoining.rejoin_account`; R50)."""
        state = rejoining.rejoin_account(
            home, clock=clock, ask_passphrase=ask_passphrase, phrase=phrase, lists=device_lists
        )
        return None if state is None else cls(state)

    def send_what_was_left(self) -> None:
        """Seal anew what this device had not sent when it was revoked (R50)."""
        rejoining.send_what_was_left(self._state)

    def finish_joining(self) -> None:
        """Note that this device has all that a new one needs (R50)."""
        beginning.finish_joining(self._state)

    def close(self) -> None:
        """Close the file and forget what was opened."""
        with suppress(DiaryError):  # what is amiss with the file was said, or will be
            sparing.keep_spare(self._state)
        super().close()

    # Keys.

    def phrase(self) -> str | None:
        """Return the recovery phrase, None once its writing down was confirmed (R50)."""
        with self._freelancers.reading():
            return beginning.phrase(self._state)

    def confirm_phrase(self, words: Mapping[int, str]) -> None:
        """Destroy the phrase here, once three of its words by place were shown (R50)."""
        beginning.confirm_phrase(self._freelancers, words)

    def key_place_says(self) -> str:
        """Return one sentence: where the keys lie and what that means (R49)."""
        return self._state.place.describes()

    def devices(self) -> tuple[ListedDevice, ...]:
        """Return the account's devices (R50)."""
        return beginning.listed_devices(self._state)

    # A client's replica.

    @classmethod
    def take_seat(cls, home: Path, link: Link, *, clock: Clock, place: KeyPlace, name: str) -> Self:
        """Make a client's replica whose joining waits to be sent (see `joining.take_seat`; R67)."""
        return cls(joining.take_seat(home, link, clock=clock, place=place, name=name))

    @classmethod
    def resume_seat(
        cls, home: Path, link: Link, *, clock: Clock, ask_passphrase: Callable[[], str] | None = None
    ) -> Self | None:
        """Go on with a joining by this link that was cut short, if there is one (R40, R67)."""
        state = joining.resume_seat(home, link, clock=clock, ask_passphrase=ask_passphrase)
        return None if state is None else cls(state)

    @property
    def _freelancers(self) -> OpenDiary:
        """Return what the freelancer alone writes in; a client's replica refuses (R67)."""
        return joining.require_freelancer(self._state)

    # Who reads with them.

    def invite(
        self, contract_id: ContractId, *, days: int = inviting.EXPIRES_DAYS, instead: bool = False
    ) -> Invited:
        """Invite a client to a contract (see `inviting.invite`; R51)."""
        return inviting.invite(self._freelancers, contract_id, days=days, instead=instead)

    def invitations(self) -> tuple[InvitationView, ...]:
        """Return the invitations, the open ones first (R51)."""
        return inviting.invitations(self._state)

    def withdraw_invitation(self, name: str) -> InvitationView:
        """Take an open invitation back by the start of its id (R51)."""
        return inviting.withdraw(self._freelancers, name)

    # Contracts.

    def new_contract(self, **fields: Unpack[TermsFields]) -> Contract:
        """Make a contract; a title is needed, all else has a default (see `contracts.new_contract`; R7)."""
        return contracts.new_contract(self._freelancers, **fields)

    def change_terms(self, contract_id: ContractId, **fields: Unpack[TermsFields]) -> Contract:
        """Write new terms; what is left out stays (R8)."""
        return contracts.change_terms(self._state, contract_id, **fields)

    def may_mask(self, contract_id: ContractId) -> bool:
        """Return whether a masked picture may be taken on a contract now (R8, R22)."""
        with self._state.reading():
            contract = contracts.by_id(self._state, contract_id)
            return contract.history.masking_allowed_at(self._state.now_ms())

    # What the tracker is asked.

    def tracking(self) -> Tracking:
        """Return what the tracker is to do now (R11)."""
        return tracking.tracking(self._state)

    def start(self, contract_id: ContractId, memo: str | None = None, label: str | None = None) -> None:
        """Switch tracking on for a contract (R11)."""
        tracking.start(self._freelancers, contract_id, memo, label)

    def stop(self) -> None:
        """Switch tracking off (R11)."""
        tracking.stop(self._freelancers)

    def set_memo(self, text: str) -> None:
        """Set the memo of the slots to come (R36)."""
        tracking.set_memo(self._freelancers, text)

    def set_label(self, text: str) -> None:
        """Set the label of the slots to come (R36)."""
        tracking.set_label(self._freelancers, text)

    def pause_until(self, at_ms: Millis) -> None:
        """Let the tracker rest until an instant (R23)."""
        tracking.pause_until(self._freelancers, at_ms)

    # Time away.

    def ask_idle(
        self, contract_id: ContractId, *, since_ms: Millis, until_ms: Millis, minutes: int
    ) -> IdleQuestion:
        """Ask what becomes of time in which nobody was there (R18)."""
        return idling.ask(
            self._freelancers, contract_id, since_ms=since_ms, until_ms=until_ms, minutes=minutes
        )

    def idle_question(self) -> IdleQuestion | None:
        """Return what is asked about time away, None for nothing (R18)."""
        return idling.question(self._state)

    def answer_idle(
        self,
        word: IdleAnswer,
        *,
        move_to: ContractId | None = None,
        memo: str | None = None,
        label: str | None = None,
        until_ms: Millis | None = None,
    ) -> IdleQuestion:
        """Answer it; the tracker does what the answer says (see `idling.answer`; R18)."""
        return idling.answer(
            self._freelancers, word, move_to=move_to, memo=memo, label=label, until_ms=until_ms
        )

    def note_idle_handle(self, handle: str) -> None:
        """Note the notification that asks about time away (R18)."""
        idling.note_handle(self._state, handle)

    def settle_idle(self) -> None:
        """Ask no more (R18)."""
        idling.settle(self._state)

    # The segment under way.

    def keep_draft(self, draft: CaptureDraft, instead_of: ContractId | None = None) -> bool:
        """Seal the segment under way to disk; False where it was removed (R12, R19)."""
        return drafting.keep_draft(self._freelancers, draft, instead_of)

    def drafts(self) -> tuple[CaptureDraft, ...]:
        """Return every draft, the oldest first; removed ones as marks (R12, R19)."""
        return drafting.all_drafts(self._state)

    def drop_draft(self, place: Place) -> None:
        """Delete a draft that became nothing (R12)."""
        drafting.drop_draft(self._state, place)

    def record(self, draft: CaptureDraft) -> Place:
        """Seal a draft as this replica's capture of its slot (see `recording.record`; R12, R32)."""
        return recording.record(self._freelancers, draft)

    def note_notice(self, place: Place, handle: str) -> None:
        """Note that a snapshot's notification is shown from now on: its notice period begins (R17)."""
        noticing.note(self._state, place, handle)

    def notices(self) -> tuple[SnapshotNotice, ...]:
        """Return which snapshots were shown in a notification, the oldest first (R17)."""
        return noticing.notices(self._state)

    def is_held(self, notice: SnapshotNotice) -> bool:
        """Return whether a notification's notice period still runs (R17)."""
        return noticing.is_held(self._state, notice)

    # Settings.

    def set_setting(self, name: str, value: settings.Value) -> None:
        """Set a setting."""
        settings.set_setting(self._state, name, value)

    # Private rules.

    def private_rules(self) -> tuple[PrivateRule, ...]:
        """Return what is never captured on this device (R22)."""
        return private_rules.rules(self._state)

    def private_rule(self, number: int) -> PrivateRule:
        """Return a private rule by its number in the list (R22)."""
        return private_rules.numbered(self._state, number)

    def add_private_rule(self, *, application: str = "", words: str = "") -> PrivateRule:
        """Never capture windows of an application, with some words, or both (R22)."""
        return private_rules.add(self._freelancers, application, words)

    def remove_private_rule(self, rule: PrivateRule) -> None:
        """Capture again what a rule hid (R22)."""
        private_rules.remove(self._freelancers, rule)
