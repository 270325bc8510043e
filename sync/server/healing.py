"""A server restored from an old backup goes on in a new epoch, and its clients heal it (R43).

What a device shows enters only where the server's own signature proves that it was received: as an answer to
a push, or over the leaves of a page. It then enters as it did the first time, with the time of its receipt,
whatever is locked by now; nothing is judged anew. What bears no proof is left to the usual push.
"""

import hashlib
import hmac
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence, Sized
from dataclasses import dataclass
from itertools import groupby

from diary.errors import PeerError
from diary.evidence import device_list, signature
from diary.evidence.head import LogHead
from diary.evidence.merkle import leaf_hash
from diary.evidence.opening import read_opening
from diary.evidence.page_proof import LEAF_BYTES, proves_page
from diary.evidence.receipt import LogRow, Receipt, Refusal, read_answer
from diary.rules.devices import DeviceListInClear
from diary.rules.ids import AccountId, ContractId, Millis, ReplicaId, Slot
from diary.rules.invoice import LIFE, Life, closing_week
from diary.rules.merge import Held, ended_by, present
from diary.rules.segment import Header, MalformedHeaderError, parse_header
from diary.rules.week import Week, slot_at
from sync.protocol import PUSH_BYTES_MAX, PUSH_VERSIONS_MAX, Heal, HealAnswer, heal_payload
from sync.server import billing
from sync.server.accounts import Nonces
from sync.server.clock_watch import ClockWatch
from sync.server.faults import (
    ForgedError,
    NotEnrolledError,
    RevokedError,
    TooLargeError,
    TooManyVersionsError,
    UnreadableError,
)
from sync.server.healed import Healing, Shown, pieces
from sync.server.healed_bills import bills_shown, settle, take_bills
from sync.server.healed_heads import heads_shown, held_against_logs, state_what_was_replaced
from sync.server.intake import listed
from sync.server.log import Logs, ServerKey
from sync.server.narrowing import narrowed
from sync.server.opening_epochs import open_epoch
from sync.server.returning import entering
from sync.server.storage import AccountHold, Name, NewLeaf, NewRefusal, Storage, Stored

PROOFS_MAX = PUSH_VERSIONS_MAX  # a row needs one at most


@dataclass(frozen=True, slots=True)
class Healed:
    """What became of what was shown; `destroyed_any` and `agencies` are as those of `TakenPush` are."""

    answer: HealAnswer
    destroyed_any: bool
    agencies: Mapping[AccountId, Collection[ContractId]]


def heal(
    storage: Storage,
    key: ServerKey,
    watch: ClockWatch,
    nonces: Nonces,
    message: Heal,
    now_ms: Millis,
    *,
    life: Life = LIFE,
) -> Healed:
    """Take again what this server had received (R43).

    Raises:
        FaultError: Too much at once, or not by a listed device, or the clock is not sure; nothing was stored.
    """
    _check_limits(message)
    if not nonces.holds(message.nonce, now_ms):
        raise ForgedError(what="The nonce is not this server's, or older than ten minutes.")
    proven = _proven(message, key.public)
    shown_epoch = _epoch_of(message, key.public)
    healed, destroyed_any = 0, False
    money: list[Header] = []
    refused = _refused(message, key.public)
    heads = heads_shown(message, key.public)
    contracts = _seated_in(storage, message, proven, heads)
    with storage.hold(message.account) as hold:
        lost, moved_epoch = _unknown(hold, proven)
        healing = Healing(hold, message.pushes, listed(hold.device_list()), hold.seats(contracts))
        healing.learn_devices(lost)
        healing.learn_seats(lost)
        own = _check_shower(healing, message)
        headed_epoch, longer = held_against_logs(hold, heads, own)
        lost = [shown for shown in lost if own in {None, shown.header.contract}]
        touched: list[Slot] = []
        if lost or max(shown_epoch - 1, moved_epoch, headed_epoch) >= hold.log_epoch:
            watch.require_sure()
            assert healing.devices is not None, "who shows rows is listed"
            hold.open_account(healing.devices.root)
            lost_epoch = max([moved_epoch, headed_epoch, *(shown.row.log_epoch for shown in lost)])
            if shown_epoch > hold.log_epoch or lost_epoch >= hold.log_epoch:
                open_epoch(hold, key, message.account, above=max(shown_epoch, lost_epoch))
            taken = entering(healing, _own(hold, lost))
            destroyed_any = _enter(healing, taken)
            healed = len(taken)
            money = [shown.header for shown in taken if shown.header.type in billing.MONEY_TYPES]
            touched += _touched(taken)
        bills = bills_shown(message, key.public, own, hold.log_epoch)
        if message.seals or message.invoices:
            touched += take_bills(hold, bills)
        if touched or bills.is_all:
            watch.require_sure()
            settle(hold, message.account, key, watch, life, touched, is_all=bills.is_all)
        # They touch no week: nothing else would post them before another row came.
        agencies = billing.post_rows(hold, money)
        if lost_refusals := _lost_refusals(hold, refused, healing.devices):
            watch.require_sure()
            hold.refuse(lost_refusals)
        if healing.devices is not None:
            _admit(hold, message, own)
        _end_seats(healing)
        at_ms = hold.received_at_ms
    state_what_was_replaced(storage, key, watch, message.account, longer)
    openings = storage.openings(message.account, message.log_epoch)
    if own is not None:
        openings = [narrowed(opening, key, own) for opening in openings]
    answer = HealAnswer(server_ms=at_ms, healed=healed, openings=openings)
    return Healed(answer, destroyed_any, agencies)


def _check_limits(message: Heal) -> None:
    if len(message.rows) > PUSH_VERSIONS_MAX:
        raise TooManyVersionsError(limit=PUSH_VERSIONS_MAX, count=len(message.rows))
    size = sum(len(row.header) + len(row.body or b"") + len(row.wrap or b"") for row in message.rows)
    if size > PUSH_BYTES_MAX:
        raise TooLargeError(what=f"Rows of at most {PUSH_BYTES_MAX} bytes are shown at once.")
    proofs: tuple[Sized, ...] = (
        message.answers,
        message.pages,
        message.pushes,
        message.seals,
        message.invoices,
        message.heads,
    )
    if max(map(len, proofs)) > PROOFS_MAX:
        what = f"At most {PROOFS_MAX} answers, pages, pushes, seals, invoices and heads are shown at once."
        raise TooLargeError(what=what)


def _seated_in(
    storage: Storage, message: Heal, proven: Sequence[Shown], heads: Sequence[LogHead]
) -> set[ContractId]:
    """Return the contracts of which whoever shows something may have a seat, also where its token is lost."""
    contracts = {shown.header.contract for shown in proven}
    asking = storage.credential(message.account, message.replica)
    if asking is None:
        return contracts | {head.contract for head in heads}
    return contracts if asking.contract is None else contracts | {asking.contract}


def _check_shower(healing: Healing, message: Heal) -> ContractId | None:
    """Check that a listed device shows it, or a seat in force; their tokens may be lost, their keys are not.

    Return the one contract of which a client's seat may show anything, None for a device (R50, R51).
    """
    shower = healing.devices and device_list.device(healing.devices, message.replica)
    seat = healing.seat_of(message.replica)
    own: ContractId | None = None
    if shower:
        if shower.revoked_from is not None:
            raise RevokedError
        public = shower.sign
    elif seat is not None and healing.devices is not None:
        own, public = seat
    else:
        raise NotEnrolledError
    payload = heal_payload(message.account, message.replica, message.nonce, message.token_hash)
    if not signature.verify(bytes.fromhex(public), signature.HEAL, payload, message.signature):
        raise ForgedError(what="What is shown is not signed by the replica that it names.")
    return own


def _end_seats(healing: Healing) -> None:
    """Take the access of seats of which what was shown says that they ended (R51)."""
    seats = [seat for there in healing.seats.values() for seat in there.seats.values()]
    if ended := [seat.replica for seat in seats if seat.ended]:
        healing.hold.end_seats(ended)


def _admit(hold: AccountHold, message: Heal, contract: ContractId | None) -> None:
    """Let the replica ask again by its token, which the backup may not know."""
    try:
        token_hash = bytes.fromhex(message.token_hash)
    except ValueError:
        token_hash = b""
    if len(token_hash) != hashlib.sha256().digest_size:
        raise UnreadableError(what="token_hash is 64 hexadecimal digits.")
    if not hmac.compare_digest(hold.admit(message.replica, token_hash, contract), token_hash):
        raise NotEnrolledError


def _epoch_of(message: Heal, server_key: bytes) -> int:
    """Return the epoch of the statement that is shown, 0 where none of this server's is."""
    if message.opening is None:
        return 0
    try:
        opening = read_opening(message.opening, server_key)
    except PeerError:
        return 0
    return opening.log_epoch if opening.account == message.account else 0


def _proven(message: Heal, server_key: bytes) -> list[Shown]:
    """Return the rows whose leaf this server signed once, in the order in which they came."""
    leaves = set(_leaves_of(message, server_key))
    found: dict[Name, Shown] = {}
    for row in message.rows:
        shown = _read(row, message.account)
        if shown is not None and _leaf_of(shown) in leaves:
            found[shown.header.name] = shown
    return sorted(found.values(), key=lambda shown: shown.order)


def _leaves_of(message: Heal, server_key: bytes) -> Iterator[bytes]:
    for signed in message.answers:
        try:
            answers = read_answer(signed, server_key)
        except PeerError:
            continue  # it proves nothing
        for answer in answers:
            if isinstance(answer, Receipt):
                yield bytes.fromhex(answer.leaf)
    for page in message.pages:
        if len(page.leaves) % LEAF_BYTES == 0 and proves_page(
            page.contract, page.first, page.leaves, page.signature, server_key=server_key
        ):
            yield from pieces(page.leaves, LEAF_BYTES)


def _refused(message: Heal, server_key: bytes) -> dict[Name, NewRefusal]:
    """Return what this server refused for good, by its own signature, which names it (R37d, R40)."""
    found: dict[Name, NewRefusal] = {}
    for signed in message.answers:
        try:
            answers = read_answer(signed, server_key)
        except PeerError:
            continue
        for answer in answers:
            if isinstance(answer, Refusal) and answer.header_hash and answer.body_hash:
                hashes = bytes.fromhex(answer.header_hash), bytes.fromhex(answer.body_hash)
                found[answer.replica, answer.n] = NewRefusal(*hashes, answer)
    return found


def _lost_refusals(
    hold: AccountHold, refused: dict[Name, NewRefusal], devices: DeviceListInClear | None
) -> list[NewRefusal]:
    """Return the refusals of listed devices' versions whose names the server does not know."""
    numbers: dict[ReplicaId, set[int]] = defaultdict(set)
    for replica, n in refused:
        if devices is not None and device_list.device(devices, replica):
            numbers[replica].add(n)
    return [
        refused[replica, n]
        for replica, ns in numbers.items()
        for n in sorted(ns - hold.answers(replica, ns).keys())
    ]


def _read(row: LogRow, account: AccountId) -> Shown | None:
    """Return the row parsed and hashed; None for one that cannot be this account's."""
    raw = row.header.encode()
    try:
        header, body_hash = parse_header(raw), bytes.fromhex(row.body_hash)
    except (MalformedHeaderError, ValueError):
        return None
    whole = row.body is None or hashlib.sha256(row.body).digest() == body_hash
    if header.account != account or not whole or (row.wrap is not None and row.body is None):
        return None
    return Shown(row, header, hashlib.sha256(raw).digest(), body_hash)


def _leaf_of(shown: Shown) -> bytes | None:
    row, header = shown.row, shown.header
    try:
        push = bytes.fromhex(row.push)
    except ValueError:
        return None
    hashes = (shown.header_hash, shown.body_hash, push)
    return leaf_hash(header.type, header.contract, row.log_epoch, row.received_at_ms, *hashes)


def _unknown(hold: AccountHold, proven: list[Shown]) -> tuple[list[Shown], int]:
    """Return the rows that the server does not have, and the epoch of what it has elsewhere now.

    Of a name that it received its first receipt stands (R40): one that was lost and pushed again without a
    receipt. That its leaf is another one shows the loss all the same; the epoch is 0 where there is no such
    row. A refusal that it gave after it had lost what it is shown now gives way to what it had signed before.
    """
    numbers: dict[ReplicaId, set[int]] = defaultdict(set)
    for shown in proven:
        numbers[shown.header.replica].add(shown.header.n)
    known = {
        (replica, n): stored
        for replica, ns in numbers.items()
        for n, stored in hold.answers(replica, ns).items()
    }
    lost = [shown for shown in proven if _is_lost(known.get(shown.header.name), shown)]
    moved = [
        shown.row.log_epoch
        for shown in proven
        if (stored := known.get(shown.header.name)) is not None and not _stands_there(stored.answer, shown)
    ]
    return lost, max(moved, default=0)


def _is_lost(stored: Stored | None, shown: Shown) -> bool:
    if stored is None:
        return True
    return isinstance(stored.answer, Refusal) and stored.header_hash == shown.header_hash


def _stands_there(answer: Receipt | Refusal, shown: Shown) -> bool:
    if not isinstance(answer, Receipt) or answer.index != shown.row.index:
        return False
    return bytes.fromhex(answer.leaf) == _leaf_of(shown)


def _own(hold: AccountHold, lost: list[Shown]) -> list[Shown]:
    """Return the rows whose contract's id is not another account's by now."""
    contracts = {shown.header.contract for shown in lost}
    unknown = contracts - set(hold.logs(contracts))
    foreign = hold.foreign(unknown) if unknown else set()
    return [shown for shown in lost if shown.header.contract not in foreign]


def _touched(taken: Iterable[Shown]) -> Iterator[Slot]:
    """Yield slots of the weeks that the rows may change (R43).

    Their own; that for which terms hold; that on whose invoices stands what was accepted or given (R38, R62).
    """
    for shown in taken:
        if shown.header.slot is not None:
            yield shown.header.slot
        elif shown.header.type == "terms":
            yield slot_at(Week.at(shown.row.received_at_ms).previous().starts_at_ms)
        elif shown.header.acceptance is not None or shown.header.bonus is not None:
            yield closing_week(shown.row.received_at_ms).first_slot


def _enter(healing: Healing, taken: list[Shown]) -> bool:
    """Append the rows behind what the logs hold; return whether content that was stored is destroyed."""
    hold = healing.hold
    places = {(item.header.contract, item.header.slot) for item in taken if item.header.slot is not None}
    standing = hold.standing(places) if places else {}
    ended: set[Name] = set()
    for (push, at_ms), together in groupby(taken, lambda item: (item.row.push, item.row.received_at_ms)):
        rows = list(together)
        contracts = {item.header.contract for item in rows}
        logs = Logs(hold.logs(contracts), bytes.fromhex(push), Millis(at_ms), hold.log_epoch)
        leaves = []
        for item in rows:
            header, row = item.header, item.row
            if header.slot is not None:
                held = standing[header.contract, header.slot]
                ended.update(ended_by(header, present(held)))
                held.append(Held(header, Millis(at_ms)))
            receipt = logs.receive(header, item.header_hash, item.body_hash)
            leaves.append(NewLeaf(header, row.header, item.body_hash, row.body, row.wrap, receipt))
        hold.append(healing.pushes[push], bytes.fromhex(push), leaves, logs.grown())
    if ended:
        hold.destroy(ended)
    # Pictures may lie where no backup took them back: then they outlived the rows that named them.
    gone = {name for item in taken if item.row.body is None for name, _ in item.header.pictures or ()}
    if gone:
        hold.doom(gone)
    return bool(ended or gone)
