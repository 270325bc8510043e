"""A push on its way in: authentic, judged, logged, committed, answered (R3, R40, R41, R48).

The arbiter decides and the storage keeps; this is the order in which they are asked. Receipts leave only
after the commit.
"""

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace

import msgspec

from diary.evidence import signature
from diary.evidence.device_list import device
from diary.evidence.head import LogHead
from diary.evidence.merkle import push_hash
from diary.evidence.receipt import Receipt, Refusal, SignedPush
from diary.evidence.seats import Seats
from diary.rules.act_parts import SLOTS_NAMED_MAX
from diary.rules.acts import ACT_TYPES
from diary.rules.contract import TermsHistory
from diary.rules.devices import DeviceListInClear
from diary.rules.ids import AccountId, ContractId, Millis, Place, ReplicaId, Slot
from diary.rules.invoice import LIFE, Life
from diary.rules.segment import Header, parse_header
from diary.rules.week import locks_at_ms
from sync.protocol import PUSH_BYTES_MAX, PUSH_VERSIONS_MAX, Push, PushAnswer
from sync.server import agency_books, billing, closing, payable
from sync.server.arbiter import Accepted, Answered, Books, Known, Refused, judge
from sync.server.billing import MONEY_TYPES
from sync.server.clock_watch import ClockWatch
from sync.server.faults import (
    FaultError,
    ForgedError,
    NotEnrolledError,
    RevokedError,
    TooLargeError,
    TooManyVersionsError,
)
from sync.server.log import Logs, ServerKey
from sync.server.pushed import Pushed, read
from sync.server.storage import (
    AccountHold,
    Basis,
    DeviceListRow,
    Name,
    NewLeaf,
    NewRefusal,
    Question,
    Storage,
)

# What is judged by who the parties of the contract are; captures and entries, most of what comes, are not.
PARTY_TYPES = frozenset({"terms", "grant", "joining", *ACT_TYPES})
NAMED_SLOTS_MAX = 20 * SLOTS_NAMED_MAX  # what stands in each of them is looked up under the account's lock


@dataclass(frozen=True, slots=True)
class ReadPush:
    """A push that was read and hashed, before anything about it is known to be true."""

    push: Push
    versions: list[Pushed]
    signed: SignedPush
    question: Question
    is_seats: bool = False


def read_push(push: Push, *, seat_of: ContractId | None = None, joins: bool = False) -> ReadPush:
    """Return the push with its versions hashed and parsed (R44, R48).

    `seat_of` is the contract of the seat that pushes, None for a device; `joins` says that a seat is to be.

    Raises:
        TooManyVersionsError: Over the limit of versions.
        TooLargeError: Over the limit of bytes.
    """
    if len(push.versions) > PUSH_VERSIONS_MAX:
        raise TooManyVersionsError(limit=PUSH_VERSIONS_MAX, count=len(push.versions))
    size = sum(len(item.header) + len(item.body or b"") + len(item.wrap or b"") for item in push.versions)
    if size > PUSH_BYTES_MAX:
        raise TooLargeError(what=f"A push holds at most {PUSH_BYTES_MAX} bytes; this one has {size}.")
    versions = [read(item) for item in push.versions]
    hashes = b"".join(item.header_hash + item.body_hash for item in versions)
    signed = SignedPush(replica=push.replica, hashes=hashes, signature=push.signature)
    question = _question_of(push.replica, versions, seat_of)
    if len(question.places) > PUSH_VERSIONS_MAX + NAMED_SLOTS_MAX:
        raise TooLargeError(what=f"The acts of a push name at most {NAMED_SLOTS_MAX} slots.")
    return ReadPush(push, versions, signed, question, is_seats=joins or seat_of is not None)


def _question_of(replica: ReplicaId, versions: Sequence[Pushed], seat_of: ContractId | None) -> Question:
    """Return what is to be known before the push is judged."""
    places: set[Place] = set()
    contracts: set[ContractId] = set()
    parties: set[ContractId] = set()
    for item in versions:
        header = item.header
        if header is None:
            continue
        contract = header.contract
        contracts.add(contract)
        if header.slot is not None:  # a capture or an entry, as most are
            places.add((contract, header.slot))
            continue
        places.update((contract, slot) for slot in _slots_named_by(header))
        if header.type in PARTY_TYPES:
            parties.add(contract)
    return Question(
        replica=replica,
        ns=frozenset([item.n for item in versions if item.n > 0]),
        places=frozenset(places),
        contracts=frozenset(contracts),
        parties=frozenset(parties if seat_of is None else {seat_of}),
    )


def _slots_named_by(header: Header) -> tuple[Slot, ...]:
    """Return the slots of which it matters to what a party says what stands in them."""
    if header.acceptance is not None:
        return header.acceptance.slots or ()
    return () if header.redaction is None else header.redaction.slots


def listed(row: DeviceListRow | None) -> DeviceListInClear | None:
    """Return the device list that the row holds (R50)."""
    return None if row is None else parse_header(row.header.encode()).devices


def authentic(
    given: ReadPush,
    devices: DeviceListInClear,
    seats: Mapping[ContractId, Seats] | None = None,
    *,
    joins: Header | None = None,
) -> None:
    """Check that a listed, unrevoked replica signed the push, or a seat in force (R48, R50, R51).

    `joins` is the header by which a seat joins: it brings the key that signs.

    Raises:
        NotEnrolledError: The list does not name the replica.
        RevokedError: The list has revoked it.
        ForgedError: The signature is not the replica's.
    """
    if given.is_seats:
        public = _key_of_seat(given, seats or {}, joins)
    else:
        signer = device(devices, given.push.replica)
        if signer is None:
            raise NotEnrolledError
        if signer.revoked_from is not None:
            raise RevokedError
        public = signer.sign
    signed = given.signed
    if not signature.verify(bytes.fromhex(public), signature.PUSH, signed.hashes, signed.signature):
        raise ForgedError(what="The push is not signed by the replica that it names.")


def _key_of_seat(given: ReadPush, seats: Mapping[ContractId, Seats], joins: Header | None) -> str:
    """Return by which key a seat signs its push."""
    if joins is not None and joins.seat is not None:
        return joins.seat.sign
    (there,) = seats.values()
    seat = there.seats.get(given.push.replica)
    if seat is None:
        raise NotEnrolledError
    if seat.ended:
        raise RevokedError
    return seat.keys.sign


@dataclass(frozen=True, slots=True)
class TakenPush:
    """What became of a push: its answer, and the reasons of what was refused.

    `agencies` are those in whose ledgers it moves something, and about which contracts (R61, R62).
    `destroyed_any` says whether content that was stored earlier is destroyed and must be swept out (R25).
    """

    answer: PushAnswer
    refusals: tuple[str, ...]
    destroyed_any: bool
    agencies: Mapping[AccountId, Collection[ContractId]] = field(default_factory=dict)


def take(
    storage: Storage,
    key: ServerKey,
    watch: ClockWatch,
    push: Push,
    seat_of: ContractId | None = None,
    *,
    life: Life = LIFE,
) -> TakenPush:
    """Take a push whose token was checked; answer each of its versions (R40).

    `seat_of` is the contract of the seat whose push it is, None for a device's (R51).

    Raises:
        FaultError: The push is too large or not authentic, or the clock cannot judge it; nothing was stored.
    """
    given = read_push(push, seat_of=seat_of)
    with storage.hold(push.account) as hold:
        basis = hold.basis(given.question)
        devices = listed(basis.device_list)
        if devices is None:
            raise NotEnrolledError
        authentic(given, devices, basis.seats)
        entered = enter(hold, given, basis, watch, key, life=life)
    return TakenPush(
        entered.answer(key),
        tuple(answer.reason for answer in entered.answers if isinstance(answer, Refusal)),
        entered.destroyed_any,
        entered.agencies,
    )


def swept(storage: Storage, account: AccountId, taken: TakenPush) -> TakenPush:
    """Sweep out what a committed push destroyed; return it with nothing left to sweep where that is so (R25).

    Where a picture is to be removed, or the disk is in the way, the rest is left to whoever answers.
    """
    with suppress(FaultError, OSError):
        if taken.destroyed_any and storage.sweep() and not storage.doomed(1, account):
            return replace(taken, destroyed_any=False)
    return taken


@dataclass(frozen=True, slots=True)
class Entered:
    """What became of a push under the lock: its answers in order, the heads of the logs that grew."""

    answers: list[Receipt | Refusal]
    heads: list[LogHead]
    destroyed_any: bool
    received_at_ms: Millis
    agencies: Mapping[AccountId, Collection[ContractId]]

    def answer(self, key: ServerKey) -> PushAnswer:
        """Return it as it is answered, signed; after the commit (R37d, R40, R56)."""
        return PushAnswer(
            server_ms=self.received_at_ms,
            answers=key.answer(self.answers),
            heads=[key.head(head) for head in self.heads],
        )


def enter(
    hold: AccountHold,
    given: ReadPush,
    basis: Basis,
    watch: ClockWatch,
    key: ServerKey,
    *,
    life: Life = LIFE,
) -> Entered:
    """Judge and store every version of an authentic push under the account's lock (R3, R45).

    `basis` is what the hold answered to the push's question. Weeks that are due are sealed first (R57).

    Raises:
        ClockUnsureError: The push holds something new, and the clock may not judge it now (R6).
    """
    closing.seal_due(hold, given.push.account, key, watch, life)
    books = _open_books(hold, given, basis, life)
    if any(item.n not in books.known for item in given.versions):
        # After the instant of receipt was read: a jump before it is seen, a later one does no harm.
        watch.require_sure()
    hashed = push_hash(given.signed)
    logs = Logs(basis.logs, hashed, hold.received_at_ms, hold.log_epoch)
    answers: list[Receipt | Refusal] = []
    leaves: dict[Name, NewLeaf] = {}
    refusals: list[NewRefusal] = []
    destroyed: list[Name] = []
    ended: set[ReplicaId] = set()
    for item in given.versions:
        match judge(item, books, hold.received_at_ms):
            case Accepted(header, destroys):
                receipt = logs.receive(header, item.header_hash, item.body_hash)
                if books.seats:
                    ended |= books.ends(header)
                books.accept(item, header, receipt)
                answers.append(receipt)
                leaves[header.name] = _leaf(item, header, receipt)
                for name in destroys:
                    if name in leaves:  # it came with this push: its content is never written
                        leaves[name] = msgspec.structs.replace(leaves[name], body=None, wrap=None)
                    else:
                        destroyed.append(name)
            case Answered(answer):
                answers.append(answer)
            case Refused() as refused:
                refusal = _refusal(refused, item, given.push, hold.received_at_ms)
                answers.append(refusal)
                if refused.stored:
                    books.refuse(item, refusal)
                    refusals.append(NewRefusal(item.header_hash, item.body_hash, refusal))
    grown = logs.grown()
    if leaves:
        hold.append(given.signed, hashed, list(leaves.values()), grown)
    _note(hold, refusals, destroyed, ended)
    moved = [leaf.header for leaf in leaves.values() if leaf.header.type in MONEY_TYPES]
    agencies = billing.post_rows(hold, moved) if moved else {}
    return Entered(answers, logs.heads(grown), bool(destroyed), hold.received_at_ms, agencies)


def _note(
    hold: AccountHold, refusals: list[NewRefusal], destroyed: list[Name], ended: set[ReplicaId]
) -> None:
    """Store what a push changes beside the log: most change nothing."""
    if refusals:
        hold.refuse(refusals)
    if destroyed:
        hold.destroy(destroyed)
    if ended:
        hold.end_seats(ended)


def _open_books(hold: AccountHold, given: ReadPush, basis: Basis, life: Life) -> Books:
    """Return what the push's versions can depend on."""
    unknown = given.question.contracts - basis.logs.keys() - {given.push.account}
    late = _changed_late(given, basis, hold.received_at_ms)
    paid = [item.header for item in given.versions if item.header and item.header.payment]
    acts = basis.acts | hold.acts(late) if late else dict(basis.acts)
    return Books(
        account=given.push.account,
        replica=given.push.replica,
        devices=listed(basis.device_list),
        known={n: Known(item.header_hash, item.body_hash, item.answer) for n, item in basis.answers.items()},
        standing=basis.standing,
        contracts=set(basis.logs),
        foreign=hold.foreign(unknown) if unknown else set(),
        written=_written_by_revoked(hold, given),
        terms={contract: TermsHistory(versions) for contract, versions in basis.terms.items()},
        seats=dict(basis.seats),
        acts=acts | agency_books.also_said(hold, paid, acts) if paid else acts,
        is_seats=given.is_seats,
        review_ms=life.review_ms,
        reviews=payable.reviews_named(hold, given.versions),
        invoices=payable.numbers_of(hold, paid) if paid else {},
    )


def _changed_late(given: ReadPush, basis: Basis, at_ms: Millis) -> set[ContractId]:
    """Return the contracts of which late time is edited or deleted: it may have been accepted (R38).

    Most pushes have none, and are not asked about it.
    """
    return {
        header.contract
        for item in given.versions
        if (header := item.header) is not None
        and header.type == "entry"
        and header.slot is not None
        and header.contract not in basis.acts
        and at_ms >= locks_at_ms(header.slot)
    }


def _written_by_revoked(hold: AccountHold, given: ReadPush) -> dict[ReplicaId, int]:
    """Return how far each device has written that a list in the push revokes (R50)."""
    lists = [item.header.devices for item in given.versions if item.header and item.header.in_own_log]
    return {
        listed.replica: hold.written_up_to(listed.replica)
        for devices in lists
        if devices is not None
        for listed in devices.devices
        if listed.revoked_from is not None
    }


def _leaf(item: Pushed, header: Header, receipt: Receipt) -> NewLeaf:
    return NewLeaf(header, item.text, item.body_hash, item.body, item.wrap, receipt)


def _refusal(refused: Refused, item: Pushed, push: Push, at_ms: Millis) -> Refusal:
    replica = push.replica if item.header is None else item.header.replica
    return Refusal(
        replica=replica,
        n=item.n,
        reason=refused.reason,
        because=refused.because,
        refused_at_ms=at_ms,
        header_hash=item.header_hash.hex() if refused.stored else "",
        body_hash=item.body_hash.hex() if refused.stored else "",
    )
