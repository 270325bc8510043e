"""Holding the server to what it stated: heads, receipts, order and places in its logs (R3, R37d, R56).

Every check compares two things that the server signed, or one with what this diary was shown; what cannot
be true together is a named fault with the statements as evidence. It runs within the caller's transaction.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import cast

import msgspec

from diary.errors import PeerError
from diary.evidence.alarm import AlarmKind, Evidence, FeedFaultError
from diary.evidence.feed import HASHES_PER_VERSION_BYTES, CheckedRow
from diary.evidence.head import read_head
from diary.evidence.merkle import HASH_BYTES, leaf_hash, push_hash
from diary.evidence.opening import FIRST_EPOCH
from diary.evidence.receipt import Cursor, Page, Receipt, Refusal, SignedAnswer, SignedPush
from diary.evidence.signature import ANSWER, HEAD
from diary.evidence.statement import SignedStatement
from diary.rules.change import is_deletion
from diary.rules.ids import ContractId, ReplicaId
from diary.rules.segment import Header, Sealed, VersionType
from diary.state import SERVER, OpenDiary
from diary.store import epochs, feed, heads, log_trees, receipts, sending
from diary.store.heads import KeptHead
from diary.store.versions import Name

# How far a clock may step without being doubted (R6): so far a time of receipt says nothing about the order
# of rows in an epoch that follows a restored backup, in which healed rows keep the times of their receipts.
CLOCK_STEP_MS = 120_000


class _Kind(msgspec.Struct):
    """The two fields of a header that its leaf names."""

    type: VersionType
    contract: ContractId


_kind_of = msgspec.json.Decoder(_Kind)


def pinned_key(diary: OpenDiary) -> bytes | None:
    """Return the key of the server that this diary is registered with; None for none (R50)."""
    kept = diary.kept(SERVER)
    return bytes.fromhex(str(kept[1])) if isinstance(kept, list) else None


@contextmanager
def alarms_kept(diary: OpenDiary, contract: ContractId, spared: Collection[AlarmKind] = ()) -> Iterator[None]:
    """Keep the alarm of a fault that stopped the block, whose own writes are gone by then (R56).

    Faults of the kinds in `spared` raise none yet: the server may have been restored (R43).
    """
    try:
        yield
    except FeedFaultError as fault:
        fault.contract = contract
        if fault.kind not in spared:
            raise_alarm(diary, fault)
        raise


def raise_alarm(diary: OpenDiary, fault: FeedFaultError) -> None:
    """Keep the alarm of a fault (R56)."""
    contract = fault.contract or diary.contract_of_account
    alarm = feed.Alarm(diary.now_ms(), contract, fault.kind, fault.what_happened, fault.evidence)
    with diary.writing():
        feed.raise_alarm(diary.connection, alarm)


# Heads.


def take_head(diary: OpenDiary, page: Page, server_key: bytes) -> None:
    """Keep the head that came with a page, once it is found to be the server's and to speak of the page.

    Raises:
        FeedFaultError: There is none, it is not signed, it is of another log or size, or an earlier one named
            more rows.
    """
    if page.signed_head is None:
        raise FeedFaultError(
            "unsigned_head", f"the log of contract {page.contract} came without a signed head"
        )
    try:
        head = read_head(page.signed_head, server_key)
    except PeerError as error:
        what = f"the head of the log of contract {page.contract} bears a false signature"
        raise FeedFaultError("unsigned_head", what) from error
    if (head.contract, head.log_epoch, head.size) != (page.contract, page.head.log_epoch, page.head.size):
        raise FeedFaultError(
            "unsigned_head", f"the head shown for contract {page.contract} is of another log"
        )
    kept = KeptHead(head, page.signed_head)
    longest = heads.newest(diary.connection, page.contract, head.log_epoch)
    if longest is not None and longest.head.size > head.size:
        what = f"the log of contract {page.contract} shrank from {longest.head.size} to {head.size} rows"
        raise FeedFaultError("log_shrank", what, evidence_of(longest, kept))
    heads.keep(diary.connection, kept)


def take_own_heads(diary: OpenDiary, signed: Iterable[SignedStatement]) -> None:
    """Keep the heads that came with an answer, and compare those whose rows were all read (R56).

    Raises:
        FeedFaultError: One is not the server's, or differs from the log that was read.
    """
    server_key = pinned_key(diary)
    if server_key is None:
        return
    for statement in signed:
        try:
            head = read_head(statement, server_key)
        except PeerError as error:
            raise FeedFaultError("unsigned_head", "a head in an answer bears a false signature") from error
        heads.keep(diary.connection, KeptHead(head, statement))
        compare_heads(diary, head.contract, head.log_epoch)


def compare_heads(diary: OpenDiary, contract: ContractId, log_epoch: int) -> None:
    """Compare every head of the epoch that names no more rows than were read with the tree over them (R56).

    Raises:
        FeedFaultError: The server signed another root than that of what it showed: it has two logs.
    """
    tree = log_trees.tree(diary.connection, contract)
    waiting = heads.unchecked(diary.connection, contract, log_epoch, tree.size)
    for kept in waiting:
        if tree.root_at(kept.head.size).hex() != kept.head.root:
            what = (
                f"the first {kept.head.size} rows of the log of contract {contract} are not those it signed"
            )
            others = [other for other in waiting if other is not kept]
            raise FeedFaultError("log_forked", what, evidence_of(kept, *others))
    if waiting:
        longest = waiting[-1].head
        heads.note_checked(diary.connection, contract, log_epoch, longest.size)
        log_trees.note_root(diary.connection, contract, longest.size, longest.root)


def evidence_of(*kept: KeptHead | None) -> tuple[Evidence, ...]:
    """Return signed heads as evidence."""
    return tuple(Evidence(HEAD, one.signed.text, one.signed.signature) for one in kept if one is not None)


def compare_claims(diary: OpenDiary, page: Page, checked: Sequence[CheckedRow]) -> None:
    """Raise an alarm of what the heads that others name in their rows give away (R56).

    Of each writer the longest is compared: it held all before it to the same log. Nobody but its writer
    signed such a claim, so it stops nothing: it is an alarm, and the rows are taken.
    """
    longest: dict[ReplicaId, CheckedRow] = {}
    for row in checked:
        head, writer = row.header.head, row.header.replica
        if head is None or head[0] != page.contract or head[1] != row.row.log_epoch:
            continue
        if writer != diary.replica and (writer not in longest or _claimed(longest[writer]) < head[2]):
            longest[writer] = row
    tree = log_trees.tree(diary.connection, page.contract)
    for writer, row in longest.items():
        _, epoch, size, root = cast("tuple[ContractId, int, int, str]", row.header.head)
        says: tuple[AlarmKind, str] | None = None
        if size > row.row.index:  # the row came after all that its writer had been shown
            says = "withheld", f"{writer} was shown {size} rows of the log of contract {page.contract}"
        elif size <= tree.size and tree.root_at(size).hex() != root:
            says = "heads_differ", f"{writer} was shown another log of contract {page.contract} at row {size}"
        if says is not None:
            shown = heads.newest(diary.connection, page.contract, epoch)
            alarm = feed.Alarm(diary.now_ms(), page.contract, *says, evidence_of(shown))
            feed.raise_alarm(diary.connection, alarm)


def _claimed(row: CheckedRow) -> int:
    return row.header.head[2] if row.header.head else 0


def require_whole(diary: OpenDiary, pages: Iterable[Page], cursors: Mapping[ContractId, Cursor]) -> None:
    """Check that the last pages of a sync reach the heads that they came with (R45, R56).

    `cursors` are those that were asked with.

    Raises:
        FeedFaultError: They end before: rows that the head counts are held back.
    """
    for page in pages:
        known = cursors.get(page.contract)
        read = known.size if known is not None and known.log_epoch == page.head.log_epoch else 0
        end = page.rows[-1].index + 1 if page.rows else read
        if end < page.head.size:
            what = f"the log of contract {page.contract} has {page.head.size} rows and only {end} are shown"
            with alarms_kept(diary, page.contract):
                raise FeedFaultError("withheld", what, _evidence_of_page(page))


# Rows.


def check_rows(diary: OpenDiary, page: Page, checked: Sequence[CheckedRow]) -> None:
    """Check new rows, before they are stored, against what this diary knows of their log.

    Raises:
        FeedFaultError: Their order or their place contradicts it.
    """
    _check_order(diary, page, checked)
    _check_places(diary, page, checked)


def _check_order(diary: OpenDiary, page: Page, checked: Sequence[CheckedRow]) -> None:
    """Check that the times of receipt never fall among the rows first received in one epoch (R3, R43).

    Raises:
        FeedFaultError: They do: the server gave a row another time than that at which it came.
    """
    first = checked[0].row.index
    before = epochs.received_at(diary.connection, page.contract, first - 1)
    epoch, last_ms = before or (FIRST_EPOCH, 0)
    floor_ms = _first_received_from(diary, epoch)
    last_ms = last_ms if last_ms >= floor_ms else 0
    for row in (each.row for each in checked):
        if row.log_epoch != epoch:
            epoch, last_ms = row.log_epoch, 0
            floor_ms = _first_received_from(diary, epoch)
        if row.received_at_ms < floor_ms:
            continue  # healed
        if row.received_at_ms < last_ms:
            what = f"row {row.index} of the log of contract {page.contract} bears a time before its place"
            raise FeedFaultError("retimed", what, _evidence_of_page(page))
        last_ms = row.received_at_ms


def _first_received_from(diary: OpenDiary, epoch: int) -> int:
    """Return the instant from which a row of the epoch is certainly no healed one (R43)."""
    if epoch == FIRST_EPOCH:
        return 0
    return (epochs.opened_at_ms(diary.connection, epoch) or epoch) + CLOCK_STEP_MS


def _check_places(diary: OpenDiary, page: Page, checked: Sequence[CheckedRow]) -> None:
    """Check that what has a receipt stands where and since when the receipt says (R37d, R56).

    Raises:
        FeedFaultError: Another row stands there, or it has another place or time.
    """
    spans: dict[int, list[CheckedRow]] = {}
    for row in checked:
        spans.setdefault(row.row.log_epoch, []).append(row)
    for epoch, rows in spans.items():
        first, last = rows[0].row.index, rows[-1].row.index
        for index, name, at_ms, header in epochs.standing_at(
            diary.connection, page.contract, epoch, first, last
        ):
            shown = rows[index - first]
            if shown.header.name != name:
                raise _displaced(diary, page, index, name, header)
            if shown.row.received_at_ms != at_ms:
                what = (
                    f"row {index} of the log of contract {page.contract} was received at another time before"
                )
                raise FeedFaultError("retimed", what, _evidence_of(diary, page, name))


def _displaced(diary: OpenDiary, page: Page, index: int, name: Name, header: Header) -> FeedFaultError:
    kind: AlarmKind = "deletion_dropped" if is_deletion(header) else "log_forked"
    what = f"row {index} of the log of contract {page.contract} is not version {name[0]}:{name[1]} any more"
    return FeedFaultError(kind, what, _evidence_of(diary, page, name))


def _evidence_of(diary: OpenDiary, page: Page, name: Name) -> tuple[Evidence, ...]:
    """Return a version's receipt as it was signed, and what the server shows instead of it."""
    answer = receipts.answer_for(diary.connection, name)
    own = (Evidence(ANSWER, answer.text, answer.signature),) if answer is not None else ()
    return (*own, *_evidence_of_page(page))


def _evidence_of_page(page: Page) -> tuple[Evidence, ...]:
    signed = page.signed_head
    return (Evidence(HEAD, signed.text, signed.signature),) if signed is not None else ()


# Receipts.


def evidence_of_places(
    diary: OpenDiary, contracts: Iterable[ContractId], signed: SignedAnswer
) -> tuple[Evidence, ...]:
    """Return an answer that gives places of these logs a second time, and the heads that count them (R56)."""
    cursors = receipts.cursors(diary.connection)
    known = (
        heads.newest(diary.connection, contract, cursors[contract].log_epoch)
        for contract in contracts
        if contract in cursors
    )
    return (Evidence(ANSWER, signed.text, signed.signature), *evidence_of(*known))


def check_receipts(
    diary: OpenDiary,
    push: SignedPush,
    versions: Sequence[Sealed],
    answers: Sequence[Receipt | Refusal],
    signed: SignedAnswer,
) -> list[sending.AsTaken]:
    """Check that each receipt's leaf is that of the version which was pushed (R56).

    `versions` are what was pushed, `answers` stand in their order, as the hashes in the push do. A version
    that came by an earlier push, whose answer was lost, has that push in its leaf (R40). Returned are those
    of which the server may have taken another content, or by another push, than is noted here: of what was
    removed meanwhile one push carried the content, another the header alone (R25).

    Raises:
        FeedFaultError: It is of nothing that this device signed.
    """
    name = push_hash(push)
    as_taken: list[sending.AsTaken] = []
    for at, (version, receipt) in enumerate(zip(versions, answers, strict=True)):
        if isinstance(receipt, Refusal):
            continue
        kind = _kind_of.decode(version.header)
        start = at * HASHES_PER_VERSION_BYTES
        header_hash = push.hashes[start : start + HASH_BYTES]
        body_hash = push.hashes[start + HASH_BYTES : start + HASHES_PER_VERSION_BYTES]
        place = (kind.type, kind.contract, receipt.log_epoch, receipt.received_at_ms)
        made = leaf_hash(*place, header_hash, body_hash, name)
        if made.hex() == receipt.leaf and kind.contract == receipt.contract:
            if version.body is None:
                as_taken.append(sending.AsTaken(receipt.replica, receipt.n, name.hex(), body_hash))
            continue
        earlier = epochs.signed_with(diary.connection, receipt.replica, header_hash)
        leaves = {
            leaf_hash(*place, header_hash, content, other).hex(): (other.hex(), content)
            for other, content in earlier
        }
        if receipt.leaf in leaves and kind.contract == receipt.contract:
            as_taken.append(sending.AsTaken(receipt.replica, receipt.n, *leaves[receipt.leaf]))
        else:
            what = f"the receipt of version {receipt.replica}:{receipt.n} is of something else"
            raise FeedFaultError("bad_receipt", what, (Evidence(ANSWER, signed.text, signed.signature),))
    return as_taken
