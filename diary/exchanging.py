"""The diary's side of a sync: what it sends, and what it does with the answers (R25, R37d, R40, R41, R48).

Functions over `OpenDiary` that `diary.diary.Diary` hands on; `sync.engine` drives them.
"""

import hashlib
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from diary import witnessing
from diary.deciding import what_of
from diary.destroying import destroy_displaced
from diary.errors import PeerError
from diary.evidence.alarm import AlarmKind
from diary.evidence.merkle import push_hash
from diary.evidence.receipt import Cursor, Receipt, Refusal, SignedAnswer, SignedPush
from diary.evidence.signature import PUSH
from diary.evidence.statement import SignedStatement
from diary.redacting import redact_agreed
from diary.resealing import correct_stamps
from diary.rules.ids import ContractId, Millis, ReplicaId, Slot
from diary.rules.merge import Held, destroyed
from diary.rules.segment import Sealed
from diary.rules.timesheet import Place
from diary.state import CLOCK_DIFFERENCE, OpenDiary
from diary.store import feed, log_trees, meta, receipts, refusals, replica, sending, versions
from diary.store.place_taken import PlaceTakenError
from diary.store.refusals import KeptRefusal

# What the server may take later, perhaps under the same name: it stays in the outbox (R40).
PASSING_REASONS = frozenset({"clock_unsure", "slot_in_future", "clock_ahead", "quota"})

CLOCK_NEWS_MILLIS = 1_000  # a difference that moved by less is not worth a write
_SERVER = "server"


class OlderCopyError(PeerError):
    """The server knows later versions of this replica than its own file does (R42).

    The sync renews the replica and begins again.
    """

    says = "This diary is an older copy: it sent version {own} last, and the server has its version {known}."
    mend = "Sync again: the diary then goes on as a device of its own."


class MisaddressedAnswerError(PeerError):
    """The answers are not to the versions that were pushed."""

    says = "The server's answers do not belong to the versions that were sent."
    mend = "Sync again; what is not answered stays in the diary."


@dataclass(frozen=True, slots=True)
class ServerLink:
    """The server this diary is registered with, and its key as it was at that moment, in hexadecimal."""

    url: str
    key: str


@dataclass(frozen=True, slots=True)
class ReadyPush:
    """A push that is signed, and noted here as about to leave.

    `ids` are its versions' rows in the file, `places` the segments that they are of; None stands among them
    for what has no slot: terms, grants, a device list. `size` is how many bytes its versions are.
    """

    signed: SignedPush
    ids: tuple[int, ...]
    names: tuple[versions.Name, ...]
    places: frozenset[Place | None]
    versions: tuple[Sealed, ...]
    size: int

    def is_apart_from(self, other: "ReadyPush") -> bool:
        """Return whether the server may take either of the two first: neither needs the other (R35, R40).

        Captures and entries are judged by the terms, which neither brings, and by what their own segment
        holds, which only one of them changes.
        """
        return None not in self.places | other.places and self.places.isdisjoint(other.places)


@dataclass(frozen=True, slots=True)
class Settlement:
    """What the answers amount to.

    `refused` is kept in the list of refusals; `postponed` stays to be sent. `behind`: a feed holds rows
    that are not read here (R45). `sealed_anew` versions wait under a new number (R40).
    """

    accepted: int
    refused: tuple[KeptRefusal, ...]
    postponed: tuple[tuple[Slot | None, str], ...]
    behind: bool
    sealed_anew: int = 0


def server(diary: OpenDiary) -> ServerLink | None:
    """Return the server this diary is registered with, None for none (R50)."""
    with diary.reading():
        kept = diary.kept(_SERVER)
    return ServerLink(url=str(kept[0]), key=str(kept[1])) if isinstance(kept, list) else None


def link_server(diary: OpenDiary, url: str, key: str) -> None:
    """Note the server and pin its key (R50)."""
    with diary.writing():
        diary.keep(_SERVER, [url, key])


def check_copy(diary: OpenDiary, replica_n: int) -> None:
    """Check that the server knows no later version of this replica than this file ever sent (R42).

    A client's replica goes on behind them: nobody else writes by its key (R67).

    Raises:
        OlderCopyError: It does: this file was restored, or copied and used elsewhere.
    """
    with diary.reading():
        sent = sending.last_sent(diary.connection, diary.replica)
    if replica_n > sent and diary.is_seat:
        with diary.writing():
            replica.go_on_behind(diary.connection, diary.replica, replica_n)
    elif replica_n > sent:
        raise OlderCopyError(own=sent, known=replica_n)


def due(diary: OpenDiary) -> tuple[sending.Due, ...]:
    """Return what may be sent now, in the order in which it should be (R17, R41)."""
    now_ms = diary.now_ms()
    with diary.reading():
        return sending.due(diary.connection, diary.replica, now_ms, diary.open_from(now_ms))


def are_by_hand(diary: OpenDiary, ids: Collection[int]) -> bool:
    """Return whether a person, and not the tracker at a slot's end, wrote any of the versions."""
    with diary.reading():
        return sending.are_by_hand(diary.connection, ids)


def queue(diary: OpenDiary) -> sending.Queue:
    """Return what waits, sent or held (R17)."""
    now_ms = diary.now_ms()
    with diary.reading():
        return sending.queue(diary.connection, now_ms, diary.open_from(now_ms))


def sign_push(
    diary: OpenDiary, ids: Sequence[int], server_url: str, writer: ReplicaId | None = None
) -> ReadyPush:
    """Read and sign the versions that still wait, and note before they leave that they do (R25, R48).

    What was removed since it was listed is left out; the push may be empty. `writer` is the replica that
    wrote them and signs, None for this one (R42).
    """
    with diary.writing():
        writer = writer or diary.replica
        outgoing = [item for item in sending.read(diary.connection, ids) if item.name[0] == writer]
        sealed = tuple(item.sealed for item in outgoing)
        hashes = b"".join(
            hashlib.sha256(item.header).digest() + hashlib.sha256(item.body or b"").digest()
            for item in sealed
        )
        signature = diary.keys_of(writer).sign(PUSH, hashes)
        signed = SignedPush(replica=writer, hashes=hashes, signature=signature)
        size = sum(len(item.header) + len(item.body or b"") + len(item.wrap or b"") for item in sealed)
        if outgoing:
            name = push_hash(signed).hex()
            receipts.keep_push(diary.connection, name, signed)
            sending.mark_pushed(diary.connection, (item.id for item in outgoing), name)
            sending.note_sent(
                diary.connection,
                sent_at_ms=diary.now_ms(),
                server=server_url,
                what="versions",
                name=name,
                size=size,
            )
    return ReadyPush(
        signed,
        ids=tuple(item.id for item in outgoing),
        names=tuple(item.name for item in outgoing),
        places=frozenset(item.place for item in outgoing),
        versions=sealed,
        size=size,
    )


def sign_enrolment(diary: OpenDiary, server_url: str, writer: ReplicaId | None = None) -> ReadyPush | None:
    """Return the push of the device list that lists this device; None when the server has taken it (R50).

    `writer` names a predecessor whose own list still waits (R42), None this replica.
    """
    with diary.reading():
        list_id = sending.waiting_device_list(diary.connection, writer or diary.replica)
    return None if list_id is None else sign_push(diary, [list_id], server_url, writer)


def settle(
    diary: OpenDiary,
    push: ReadyPush,
    answers: Sequence[Receipt | Refusal],
    signed: SignedAnswer,
    heads: Sequence[SignedStatement] = (),
    spared: Collection[AlarmKind] = (),
) -> Settlement:
    """Store the answers to a push: what is accepted leaves the outbox, what is refused is listed (R37d, R40).

    `signed` is the answer as the server signed it; that it did is for the caller to have checked. `heads` are
    those of the logs that grew. Faults of the kinds in `spared` raise no alarm yet.

    Raises:
        MisaddressedAnswerError: They answer other versions than were pushed.
        FeedFaultError: A receipt is of something else, or a head contradicts what was read (R56).
        PlaceTakenError: A receipt gives a version the place of another one (R43).
    """
    if tuple((answer.replica, answer.n) for answer in answers) != push.names:
        raise MisaddressedAnswerError
    accepted, final, passing = _sorted_out(answers)
    answered: list[Receipt | Refusal] = [*accepted, *final]
    with witnessing.alarms_kept(diary, diary.contract_of_account, spared), diary.writing():
        as_taken = witnessing.check_receipts(diary, push.signed, push.versions, answers, signed)
        names = ((answer.replica, answer.n) for answer in answered)
        receipts.keep_answer(diary.connection, signed, names, diary.now_ms())
        try:
            sending.receive(diary.connection, accepted)
        except PlaceTakenError as twice:
            twice.evidence = witnessing.evidence_of_places(diary, twice.heads, signed)
            raise
        sending.note_as_taken(diary.connection, as_taken)
        # What an edit displaced stayed whole until now (R25).
        destroy_displaced(diary, _taken_rows(push, answers))
        for contract in {receipt.contract for receipt in accepted}:
            redact_agreed(diary, ContractId(contract))
        behind = _advance(diary, accepted)
        witnessing.take_own_heads(diary, heads)
        refused = tuple(kept for answer in final if (kept := _refuse(diary, answer)) is not None)
        places = {(kept.contract, kept.slot) for kept in refused if kept.slot is not None}
        behind |= _ask_again_for_lost_content(diary, places)
        stay = [answer for answer in passing if not _corrected(diary, answer)]
        postponed = tuple((_slot_of(diary, answer), answer.reason) for answer in stay)
    return Settlement(len(accepted), refused, postponed, behind, len(passing) - len(stay))


def _sorted_out(
    answers: Iterable[Receipt | Refusal],
) -> tuple[list[Receipt], list[Refusal], list[Refusal]]:
    """Return what was accepted, what was refused for good, and what the server may take later (R40)."""
    accepted: list[Receipt] = []
    final: list[Refusal] = []
    passing: list[Refusal] = []
    for answer in answers:
        match answer:
            case Receipt():
                accepted.append(answer)
            case Refusal(reason=reason) if reason in PASSING_REASONS:
                passing.append(answer)
            case _:
                final.append(answer)
    return accepted, final, passing


def _taken_rows(push: ReadyPush, answers: Iterable[Receipt | Refusal]) -> dict[int, bytes]:
    """Return the headers of what the server took, by their rows in the file."""
    rows = zip(push.ids, push.versions, answers, strict=True)
    return {row: sealed.header for row, sealed, answer in rows if isinstance(answer, Receipt)}


def _advance(diary: OpenDiary, accepted: Iterable[Receipt]) -> bool:
    """Move the cursors over own rows that follow what was read; return whether others lie between (R45)."""
    logs: dict[ContractId, list[Receipt]] = defaultdict(list)
    for receipt in accepted:
        logs[receipt.contract].append(receipt)
    cursors = receipts.cursors(diary.connection) if logs else {}
    behind = False
    for contract, own in logs.items():
        own.sort(key=lambda receipt: receipt.index)
        cursor = cursors.get(contract, Cursor(log_epoch=own[0].log_epoch, size=0))
        size, leaves = cursor.size, list[bytes]()
        for receipt in own:
            if (receipt.log_epoch, receipt.index) == (cursor.log_epoch, size):
                leaves.append(bytes.fromhex(receipt.leaf))
                size += 1
        if size > cursor.size:
            log_trees.grow(diary.connection, contract, cursor.log_epoch, leaves)
        behind |= any(receipt.log_epoch != cursor.log_epoch or receipt.index >= size for receipt in own)
    return behind


def _refuse(diary: OpenDiary, answer: Refusal) -> KeptRefusal | None:
    """Move a refused version to the list of refusals; None when it is there already (R37d)."""
    stored = versions.find(diary.connection, (answer.replica, answer.n))
    if stored is None:
        return None
    what = what_of(stored.header)
    kept = KeptRefusal(
        name=stored.header.name,
        contract=stored.header.contract,
        slot=stored.header.slot,
        what=what,
        reason=answer.reason,
        because=answer.because,
        refused_at_ms=Millis(answer.refused_at_ms),
        sealed=None if what == "deletion" or stored.sealed.body is None else stored.sealed,
    )
    refusals.keep(diary.connection, kept)
    versions.drop(diary.connection, stored.header.name)
    diary.contents.pop(stored.header.name, None)
    return kept


def _corrected(diary: OpenDiary, answer: Refusal) -> bool:
    """Seal anew, under a corrected stamp, what was stamped ahead of the server's clock (R40, R44)."""
    stored = versions.find(diary.connection, (answer.replica, answer.n))
    if answer.reason != "clock_ahead" or stored is None or not stored.waits or stored.sealed.body is None:
        return False
    correct_stamps(diary, stored, Millis(answer.refused_at_ms))
    return True


def _slot_of(diary: OpenDiary, answer: Refusal) -> Slot | None:
    stored = versions.find(diary.connection, (answer.replica, answer.n))
    return stored.header.slot if stored else None


def _ask_again_for_lost_content(diary: OpenDiary, places: Iterable[Place]) -> bool:
    """Have the feed read again where a refused change had displaced what stands after all (R37d).

    A refused deletion or edit had already taken the content that it meant to end; the server still has it.
    """
    again = False
    for contract, slot in places:
        held = feed.held(diary.connection, contract, [slot])
        fallen = {
            version.header.name
            for version in destroyed(Held(version.header, version.received_at_ms) for version in held)
        }
        for version in held:
            lost = version.content != "standing" and version.header.name not in fallen
            if lost and version.leaf_index is not None:
                log_trees.rewind(diary.connection, contract, version.leaf_index)
                again = True
    return again


def cursors(diary: OpenDiary) -> dict[ContractId, Cursor]:
    """Return how far each feed was read without holes (R45)."""
    with diary.reading():
        return receipts.cursors(diary.connection)


def alarms(diary: OpenDiary) -> tuple[feed.Alarm, ...]:
    """Return the alarms, the oldest first (R48, R50)."""
    with diary.reading():
        return feed.alarms(diary.connection)


def note_server_clock(diary: OpenDiary, difference_ms: int) -> None:
    """Note how far the server's clock is ahead of this machine's in this boot, when that is news (R20)."""
    boot = diary.clock.boot()
    if abs(difference_ms - diary.difference_ms(boot)) >= CLOCK_NEWS_MILLIS:
        with diary.writing():
            meta.put(diary.connection, CLOCK_DIFFERENCE + boot, difference_ms)
