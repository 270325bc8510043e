"""The diary's side of a sync, as methods of the one door (R33, R40-R42, R45, R48).

`sync.engine` and `sync.enrolment` drive them; a person's acts and looks stand in `diary.diary`.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager

from diary import (
    billing_methods,
    carrying,
    devices,
    exchanging,
    good_standing,
    granting,
    healing,
    joining,
    last_sync,
    overlapping,
    proving_bills,
    renewing,
    revoking,
    sealed_weeks,
    taking,
    thinning,
    true_slots,
    unanswered,
    witnessing,
)
from diary.billing_methods import ToldBilling
from diary.carrying import PictureRef
from diary.devices import Device
from diary.evidence.alarm import AlarmKind, FeedFaultError
from diary.evidence.opening import SignedOpening
from diary.evidence.receipt import Cursor, Page, Receipt, Refusal, SignedAnswer
from diary.evidence.signature import HEAL
from diary.evidence.statement import SignedStatement
from diary.exchanging import ReadyPush, ServerLink, Settlement
from diary.good_standing import Suspension
from diary.last_sync import SyncFault
from diary.proving import Showing
from diary.renewing import Predecessor
from diary.rules.ids import ContractId, Millis, ReplicaId, Slot
from diary.state import finish_destroying
from diary.state_door import StateDoor
from diary.store.epochs import Restoring
from diary.store.feed import Alarm
from diary.store.sending import Due, Queue
from diary.store.versions import Name
from diary.taking import Taken
from diary.unanswered import Suspicion


class SyncDoor(StateDoor):
    """What a sync asks of an open diary and tells it; every method is one transaction."""

    def destroying_later(self) -> AbstractContextManager[None]:
        """Sweep out once, at the block's end, what its transactions destroy (R25)."""
        return self._state.destroying_later()

    def finish_destroying(self) -> None:
        """Sweep out now what was destroyed: the block is about to wait (R25)."""
        finish_destroying(self._state)

    @property
    def token(self) -> str:
        """Return what this device shows to the server with each request."""
        return self._state.keys.token

    def server(self) -> ServerLink | None:
        """Return the server this diary is registered with, None for none (R50)."""
        return exchanging.server(self._state)

    def synced_at_ms(self) -> Millis | None:
        """Return when a sync last went through, to the minute; None for never."""
        return last_sync.synced_at_ms(self._state)

    def sync_fault(self) -> SyncFault | None:
        """Return why the last sync did not go through; None where it did, or there was none."""
        return last_sync.fault(self._state)

    def link_server(self, url: str, key: str) -> None:
        """Note the server and pin its key (R50)."""
        exchanging.link_server(self._state, url, key)

    def devices_seen(self) -> tuple[Device, ...]:
        """Return the account's devices by what their owner knows them by (R50)."""
        return devices.devices(self._state)

    def revoke_device(self, phrase: str, replica: ReplicaId) -> None:
        """Write the list that ends a device, by the recovery phrase, and begin new keys (R50)."""
        revoking.revoke_device(self._state, phrase, replica)

    def take_back_revocation(self) -> None:
        """Forget a revoking list that the server did not take (R50)."""
        revoking.take_back_revocation(self._state)

    def check_copy(self, replica_n: int) -> None:
        """Check that the server knows no later version of this replica than this file (R42)."""
        exchanging.check_copy(self._state, replica_n)

    def sign_enrolment(self, server_url: str, writer: ReplicaId | None = None) -> ReadyPush | None:
        """Return the push of the device list that lists this device, None when it was taken (R50)."""
        return exchanging.sign_enrolment(self._state, server_url, writer)

    def renew(self) -> None:
        """Take a new replica id and seal what was unsent anew under it (R42)."""
        renewing.renew(self._state)

    def predecessor(self) -> Predecessor | None:
        """Return the replica whose successor the server does not know yet, None where it knows (R42)."""
        return renewing.predecessor(self._state)

    def follow_device_list(self) -> None:
        """Bring the list that names this replica as a successor up to the newest one (R42)."""
        renewing.follow_list_of_server(self._state)

    def finish_renewal(self) -> None:
        """Note that the server knows this replica as a successor (R42)."""
        renewing.finish_renewal(self._state)

    def due(self) -> tuple[Due, ...]:
        """Return what may be sent now, in its order (R17, R41)."""
        return exchanging.due(self._state)

    def are_by_hand(self, ids: Collection[int]) -> bool:
        """Return whether a person, and not the tracker at a slot's end, wrote any of what may be sent."""
        return exchanging.are_by_hand(self._state, ids)

    def queue(self) -> Queue:
        """Return what waits, held rows included (R17)."""
        return exchanging.queue(self._state)

    def sign_push(self, ids: Sequence[int], server_url: str) -> ReadyPush:
        """Sign versions and note that they are about to leave (R25, R48)."""
        return exchanging.sign_push(self._state, ids, server_url)

    def settle(
        self,
        push: ReadyPush,
        answers: Sequence[Receipt | Refusal],
        signed: SignedAnswer,
        heads: Sequence[SignedStatement] = (),
        *,
        spared: Collection[AlarmKind] = (),
    ) -> Settlement:
        """Store the answers to a push, and the heads that came with them (R37d, R40, R56)."""
        return exchanging.settle(self._state, push, answers, signed, heads, spared)

    def require_whole(self, pages: Sequence[Page], cursors: Mapping[ContractId, Cursor]) -> None:
        """Raise an alarm unless the last pages reach their heads (R56)."""
        witnessing.require_whole(self._state, pages, cursors)

    def judge_seals(self) -> int:
        """Hold the server's seals to the logs; return how many differ, each an alarm (R57)."""
        return sealed_weeks.judge_seals(self._state)

    def cursors(self) -> dict[ContractId, Cursor]:
        """Return how far each feed was read without holes (R45)."""
        return exchanging.cursors(self._state)

    def take_pages(self, pages: Sequence[Page], *, spared: Collection[AlarmKind] = ()) -> Taken:
        """Check and store what the feeds brought, all or nothing (R45, R48)."""
        return taking.take_pages(self._state, pages, spared)

    def raise_alarm(self, fault: FeedFaultError) -> None:
        """Keep the alarm of a fault that was spared and is none of a restored server's (R43, R56)."""
        witnessing.raise_alarm(self._state, fault)

    def log_epoch(self) -> int:
        """Return the newest epoch of the logs whose statement this diary has (R43)."""
        return healing.log_epoch(self._state)

    def newest_opening(self) -> SignedOpening | None:
        """Return the newest statement that the server was restored (R43)."""
        return healing.newest_opening(self._state)

    def newest_heads(self) -> list[SignedStatement]:
        """Return the longest head that the server signed of each log (R56)."""
        return healing.newest_heads(self._state)

    def take_openings(self, openings: Sequence[SignedOpening], server_key: str) -> None:
        """Check and keep such statements, and read on where the logs go on (R43)."""
        healing.take_openings(self._state, openings, server_key)

    def stands_at(self, contract: ContractId, index: int, leaf: str) -> bool:
        """Return whether this leaf is the one that is held there, as far as one is (R56)."""
        return healing.stands_at(self._state, contract, index, leaf)

    def roots(self) -> dict[ContractId, str]:
        """Return the roots of the logs as far as they were read, in hexadecimal (R43, R56)."""
        return healing.roots(self._state)

    def is_log_of(self, page: Page) -> bool:
        """Return whether a page that shows no rows is of the log that was read (R43, R56)."""
        return healing.is_log_of(self._state, page)

    def read_anew(self, contract: ContractId, cursor: Cursor) -> bool:
        """Have a log read from its start where a statement says why it is another one (R43)."""
        return healing.read_anew(self._state, contract, cursor)

    def newest_own(self) -> int:
        """Return the greatest n of this replica that the server is thought to hold (R42)."""
        return healing.newest_own(self._state)

    def require_own(self, replica_n: int) -> None:
        """Raise an alarm unless the server holds what it had received of this replica (R43)."""
        healing.require_own(self._state, replica_n)

    def restorings(self) -> tuple[Restoring, ...]:
        """Return when the server said that it was restored, and which heads were lost here (R43)."""
        return healing.restorings(self._state)

    def to_show(self, heads: Mapping[ContractId, int] | None) -> list[Name]:
        """Return what to show to a server whose logs shrank to these sizes; None: it knows nobody (R43)."""
        return healing.suspects(self._state, heads)

    def lost_by_server(self) -> list[Name]:
        """Return what the server lost, in the order in which it had received it (R43)."""
        return healing.lost(self._state)

    def showings(self, names: Sequence[Name], server_key: str) -> Iterator[Showing]:
        """Yield these versions with what proves that the server had received them (R43)."""
        return healing.showings(self._state, names, server_key)

    def newest_refused(self) -> int:
        """Return the greatest n of this replica that the server refused for good (R40)."""
        return healing.newest_refused(self._state)

    def refusals_to_show(self, server_key: str) -> Iterator[Showing]:
        """Yield what proves to the server that it had refused something for good (R40, R43)."""
        return healing.refusals_to_show(self._state, server_key)

    def bills_to_show(self, server_key: str) -> Iterator[Showing]:
        """Yield the seals and invoices that a restored server may have lost (R43, R61)."""
        return proving_bills.bills_to_show(self._state, server_key)

    def note_shown(self, showing: Showing, server_url: str) -> None:
        """Note what is about to be shown (R55)."""
        healing.note_sent(self._state, showing, server_url)

    def is_showing_due(self) -> bool:
        """Return whether what the server lost should be shown to it now (R43)."""
        return healing.is_showing_due(self._state)

    def note_all_shown(self) -> None:
        """Note that all of it was shown (R43)."""
        healing.note_shown(self._state)

    def sign_healing(self, replica: ReplicaId, payload: bytes) -> bytes:
        """Return the signature of a replica of this file under what it shows to a server (R43)."""
        return self._state.keys_of(replica).sign(HEAL, payload)

    def note_unanswered(self, suspicion: Suspicion, *, is_clock_unsure: bool) -> None:
        """Note that a sync ended without the server's answer for its log (R43, R56)."""
        unanswered.note_unanswered(self._state, suspicion, is_clock_unsure=is_clock_unsure)

    def note_answered(self) -> None:
        """Note that the server answers for all that it shows (R43)."""
        unanswered.note_answered(self._state)

    def alarms(self) -> tuple[Alarm, ...]:
        """Return what stays until a person has looked, the oldest first (R48, R50)."""
        return exchanging.alarms(self._state)

    def are_grants_wanted(self) -> bool:
        """Return whether new devices may lack keys (R50)."""
        return granting.are_grants_wanted(self._state)

    def grant_missing(self) -> int:
        """Grant this device's keys to every listed device that lacks them; return how many (R50)."""
        return granting.grant_missing(self._state)

    def open_recovery_grants(self, phrase: str) -> int:
        """Take the account's keys by its phrase; return how many (R49, R50)."""
        return granting.open_recovery_grants(self._state, phrase)

    def pictures_to_send(self) -> tuple[PictureRef, ...]:
        """Return the pictures that the server may have now, the nearest lock first (R41)."""
        return carrying.pictures_to_send(self._state)

    def thin_pictures(self, *, at_once: bool = False) -> int:
        """Let old pictures give way to their thumbnails where they take more room than they may (R31)."""
        return thinning.thin_pictures(self._state, at_once=at_once)

    def want_pictures(self, names: Iterable[str]) -> int:
        """Let thinned pictures be fetched with the next sync (R31)."""
        return thinning.want_pictures(self._state, names)

    def pictures_to_fetch(self) -> tuple[PictureRef, ...]:
        """Return the pictures that are not here and may be at the server, the newest slot first (R41)."""
        return carrying.pictures_to_fetch(self._state)

    def sealed_picture(self, name: str) -> bytes | None:
        """Return a picture's ciphertext, None when it was destroyed (R25)."""
        return carrying.sealed_picture(self._state, name)

    def picture_sent(self, name: str, server_url: str, size: int) -> None:
        """Note that the server has a picture whole (R41)."""
        carrying.picture_sent(self._state, name, server_url, size)

    def keep_picture(self, name: str, ciphertext: bytes) -> bool:
        """Store a fetched picture; False when its row was deleted meanwhile (R25)."""
        return carrying.keep_picture(self._state, name, ciphertext)

    def picture_absent(self, name: str) -> None:
        """Note that the server was asked for a picture and does not have it (R41)."""
        carrying.picture_absent(self._state, name)

    def awaited_pictures(self) -> list[str]:
        """Return pictures of which the next pull should ask whether they came (R41)."""
        return carrying.awaited_pictures(self._state)

    def pictures_arrived(self, names: Sequence[str]) -> None:
        """Note that pictures have come to the server (R41)."""
        carrying.pictures_arrived(self._state, names)

    def note_server_clock(self, difference_ms: int) -> None:
        """Note how far the server's clock is ahead, when that is news (R20)."""
        exchanging.note_server_clock(self._state, difference_ms)

    def note_standing(self, suspended: Suspension | None) -> None:
        """Keep whether the account is in good standing at its server (R30)."""
        good_standing.note_standing(self._state, suspended)

    def is_billing_due(self) -> bool:
        """Return whether the server is to be asked how the clients pay (R11)."""
        return billing_methods.is_due(self._state)

    def moved_from_ms(self) -> Millis:
        """Return from which instant on the server is asked what its gateway told of money (R63)."""
        return billing_methods.moved_from_ms(self._state)

    def note_billing(self, told: ToldBilling) -> None:
        """Keep how the clients pay, as the server told (R11, R30)."""
        billing_methods.note(self._state, told)

    def correct_slots(self) -> None:
        """Bring captures that never left to their true slots, now that the clock is known (R20)."""
        true_slots.correct_slots(self._state)

    def overlapping_from(self) -> Slot | None:
        """Return from which slot on a client's replica asks what overlaps, None elsewhere (R28)."""
        return overlapping.asks_from(self._state)

    def note_overlapping(self, first: Slot, slots: Collection[Slot]) -> None:
        """Note which slots the server says another contract has (R28)."""
        overlapping.note(self._state, first, slots)

    def sign_joining_push(self, server_url: str) -> ReadyPush | None:
        """Return the push by which a client's replica joins, None when it was taken (R51)."""
        return joining.sign_joining_push(self._state, server_url)

    def abandon(self) -> None:
        """Remove a client's replica that was not let in, keys and all (R51)."""
        joining.abandon(self._state)

    def require_freelancer(self) -> None:
        """Check that this is a freelancer's own diary, not a client's replica (R67)."""
        joining.require_freelancer(self._state)

    def noting_sync(self) -> AbstractContextManager[None]:
        """Note how the block ends: a sync that went through, or what kept it from that."""
        return last_sync.noting(self._state)
