"""The diary's side of a server that was restored from an old backup (R43).

The server signs where its logs go on. What this diary knew beyond that is marked as lost, and shown to the
server with the proofs that the diary keeps: the receipts of what it sent, the signatures over the pages it
read. What the server then has again comes back by its feed, like anything else.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import takewhile

from diary import seating, witnessing
from diary.errors import PeerError
from diary.evidence.alarm import FeedFaultError
from diary.evidence.head import read_head
from diary.evidence.opening import FIRST_EPOCH, Opening, SignedOpening, read_opening
from diary.evidence.page_proof import LEAF_BYTES
from diary.evidence.receipt import Cursor, LogRow, Page, is_answer_of
from diary.evidence.statement import SignedStatement
from diary.proving import SHOWN_ROWS_MAX, Prover, Showing, leaves_of
from diary.rules.ids import ContractId, Millis
from diary.state import OpenDiary
from diary.store import epochs, feed, heads, log_trees, meta, receipts, seals, sending, versions
from diary.store.epochs import LostHead, Restoring
from diary.store.feed import Alarm, KnownRow
from diary.store.versions import Name

HEADS_SHOWN_MAX = 500  # as many proofs as one request carries
SUSPECTS_MAX = 500  # one proven row is enough for the server to see that it lost something
BACKUP_AGE_MS = 35 * 24 * 3_600_000  # how old a backup is taken to be at most, where no lost row tells
PICTURE_MARGIN_MS = 24 * 3_600_000  # pictures follow their rows; whoever asks first, asks once too often
AGAIN_MS = 3_600_000  # what other devices healed meanwhile may let more of it in
_SHOWN_AT = "healing shown at"
_NOT_SHOWN = 0  # since the newest statement came


class ForeignOpeningError(PeerError):
    """A statement is signed by the server and speaks of another account, or of an epoch that is over."""

    says = "The server's statement that it was restored is not about this diary's logs."
    mend = "Nothing was taken from it. Trust this server no further until you know why."


def log_epoch(diary: OpenDiary) -> int:
    """Return the newest epoch whose statement this diary has (R43)."""
    with diary.reading():
        return epochs.newest(diary.connection)


def newest_opening(diary: OpenDiary) -> SignedOpening | None:
    """Return the newest statement, to be shown to a server that may not have it."""
    with diary.reading():
        return epochs.newest_signed(diary.connection)


def newest_heads(diary: OpenDiary) -> list[SignedStatement]:
    """Return the longest head that the server signed of each log in its present epoch (R56)."""
    connection = diary.connection
    with diary.reading():
        found = (
            heads.newest(connection, contract, cursor.log_epoch)
            for contract, cursor in receipts.cursors(connection).items()
        )
        return [kept.signed for kept in found if kept is not None][:HEADS_SHOWN_MAX]


def restorings(diary: OpenDiary) -> tuple[Restoring, ...]:
    """Return when the server said that it was restored, and which heads were lost (R43)."""
    with diary.reading():
        return epochs.restorings(diary.connection)


def take_openings(diary: OpenDiary, openings: Sequence[SignedOpening], server_key: str) -> None:
    """Check and keep the server's statements; go on reading where its logs go on (R43, R45).

    Raises:
        PeerError: A statement is not the server's, or not about this account; nothing was stored.
    """
    read = [(read_opening(signed, bytes.fromhex(server_key)), signed) for signed in openings]
    with diary.writing():
        for opening, signed in sorted(read, key=lambda item: item[0].log_epoch):
            if opening.account != diary.account:
                raise ForeignOpeningError
            if opening.log_epoch > epochs.newest(diary.connection):
                _take_opening(diary, opening, signed)
                meta.put(diary.connection, _SHOWN_AT, _NOT_SHOWN)


def _take_opening(diary: OpenDiary, opening: Opening, signed: SignedOpening) -> None:
    connection = diary.connection
    cursors = receipts.cursors(connection)
    lost: list[LostHead] = []
    for contract in {*cursors, *epochs.contracts(connection)}:
        cursor = cursors.get(contract, Cursor(opening.log_epoch, 0))
        kept = _rows_in_common(diary, contract, cursor, opening)
        _keep_leaves(diary, contract, kept)
        size = min(cursor.size, kept)
        # Of what has its place by a receipt alone, others may stand there by now: the log shows it again.
        epochs.mark_lost(connection, contract, size)
        if cursor.size > kept:
            # Read anew, the log shows how much of it is left (see `count_kept`).
            lost.append(LostHead(contract, cursor.log_epoch, cursor.size, kept))
        log_trees.cut(connection, contract, Cursor(opening.log_epoch, size))
        seals.unjudge(connection, contract, size)
    epochs.keep(connection, opening.log_epoch, signed, lost, diary.now_ms())
    kept_until_ms = epochs.kept_until_ms(connection)
    if kept_until_ms is None:
        kept_until_ms = Millis(opening.opened_at_ms - BACKUP_AGE_MS)
    epochs.ask_for_pictures(connection, Millis(kept_until_ms - PICTURE_MARGIN_MS))


def _rows_in_common(diary: OpenDiary, contract: ContractId, cursor: Cursor, opening: Opening) -> int:
    """Return how many rows of a log this diary may take as still standing; 0: it is read anew.

    Who knows as much as the server kept compares the root; who knows less is sure of it only within one
    epoch, in which a log only grows (R56).
    """
    head = opening.heads.get(contract)
    if head is None:
        return 0
    if cursor.size < head.size:
        return head.size if cursor.log_epoch == head.log_epoch else 0
    root = log_trees.tree(diary.connection, contract).root_at(head.size)
    return head.size if root.hex() == head.root else 0


def _keep_leaves(diary: OpenDiary, contract: ContractId, kept: int) -> None:
    """Work out the leaves of the pages that reach into what is lost, before their rows take other places."""
    for proof in epochs.proofs(diary.connection, contract):
        if proof.leaves is None and proof.first + proof.count > kept:
            leaves = leaves_of(diary, proof)
            if len(leaves) == LEAF_BYTES * proof.count:
                epochs.keep_leaves(diary.connection, proof, leaves)


def stands_at(diary: OpenDiary, contract: ContractId, index: int, leaf: str) -> bool:
    """Return whether a log's leaf is the one that this diary holds there, as far as it holds one (R56)."""
    with diary.reading():
        return _stands_at(diary, contract, index, leaf)


def roots(diary: OpenDiary) -> dict[ContractId, str]:
    """Return the root of each log as far as it was read, in hexadecimal (R56)."""
    with diary.reading():
        return log_trees.roots(diary.connection)


def is_log_of(diary: OpenDiary, page: Page) -> bool:
    """Return whether the head of a page without rows is, as far as was read here, of the same log (R56).

    Whether the server signed it is for the reader of the page to check.
    """
    with diary.reading():
        key = witnessing.pinned_key(diary)
        if page.signed_head is None or key is None:
            return True
        try:
            head = read_head(page.signed_head, key)
        except PeerError:
            return True
        tree = log_trees.tree(diary.connection, page.contract)
        return tree.size < head.size or tree.root_at(head.size).hex() == head.root


def check_goes_on(diary: OpenDiary, page: Page, cursor: Cursor | None) -> None:
    """Check that a page follows what this diary had read, within the caller's transaction (R56).

    Raises:
        FeedFaultError: The server shows another log than it did.
    """
    if page.before is None or cursor is None or not page.rows or page.rows[0].index != cursor.size:
        return
    if not _stands_at(diary, page.contract, cursor.size - 1, page.before):
        what = f"row {cursor.size - 1} of the log of contract {page.contract} was another one before"
        raise FeedFaultError("log_forked", what)


def _stands_at(diary: OpenDiary, contract: ContractId, index: int, leaf: str) -> bool:
    known = log_trees.tree(diary.connection, contract)
    return index >= known.size or known.leaf(index).hex() == leaf


def count_kept(
    diary: OpenDiary, contract: ContractId, rows: Iterable[tuple[LogRow, KnownRow | None]]
) -> None:
    """Count how many rows in turn this diary held in the same places, while a log is read anew (R43).

    Each row stands beside what was held under its name; of that which was lost the epoch is negative.
    """
    newest = epochs.newest(diary.connection)
    if newest == FIRST_EPOCH:
        return
    # What was received since is in its place too, where its receipt was here before its row.
    before = takewhile(lambda row: row[0].log_epoch < newest, rows)
    same = list(takewhile(_is_in_its_place, before))
    if same:
        epochs.count_kept(diary.connection, contract, same[0][0].index, len(same))


def _is_in_its_place(row: tuple[LogRow, KnownRow | None]) -> bool:
    now, known = row
    epoch, *rest = known.place if known else (None,)
    return epoch is not None and (abs(epoch), *rest) == (now.log_epoch, now.index, now.received_at_ms)


def read_anew(diary: OpenDiary, contract: ContractId, cursor: Cursor) -> bool:
    """Have a log read from its start where a statement came since its last row here; False: none did (R43).

    The server had gone back and grown again before it was noticed: which rows are left, the log shows.
    """
    with diary.writing():
        newest = epochs.newest(diary.connection)
        parts = epochs.leaf_parts(diary.connection, contract, cursor.size - 1, cursor.size)
        if not parts or parts[0].log_epoch >= newest:
            return False
        _keep_leaves(diary, contract, 0)
        epochs.mark_lost(diary.connection, contract, 0)
        head = LostHead(contract, parts[0].log_epoch, cursor.size, kept_size=0)
        epochs.keep_lost_head(diary.connection, newest, head)
        log_trees.cut(diary.connection, contract, Cursor(newest, 0))
        seals.unjudge(diary.connection, contract, 0)
        meta.put(diary.connection, _SHOWN_AT, _NOT_SHOWN)
    return True


def require_own(diary: OpenDiary, replica_n: int) -> None:
    """Raise an alarm unless the server holds what it had received of this replica (R42, R43).

    Raises:
        FeedFaultError: It does not, and has stated nothing about it.
    """
    with diary.writing():
        own = epochs.newest_own(diary.connection, diary.replica)
        if replica_n >= own:
            return
        what = f"the server has lost version {diary.replica}:{own}, which it had received, and says nothing"
        alarm = Alarm(diary.now_ms(), diary.contract_of_account, "log_forked", what)
        feed.raise_alarm(diary.connection, alarm)
    raise FeedFaultError("log_forked", what)


def newest_own(diary: OpenDiary) -> int:
    """Return the greatest n of this replica that the server is thought to hold; 0 for none (R42)."""
    with diary.reading():
        return epochs.newest_own(diary.connection, diary.replica)


def is_showing_due(diary: OpenDiary) -> bool:
    """Return whether the server is to be shown now what it lost, or that it lost nothing (R43)."""
    with diary.reading():
        shown_ms = meta.number(diary.connection, _SHOWN_AT)
        if shown_ms == _NOT_SHOWN:
            return True  # nothing of it may be lost: that is to be said too
        if shown_ms is None or not epochs.count_lost(diary.connection):
            return False
    return abs(diary.now_ms() - shown_ms) >= AGAIN_MS


def note_shown(diary: OpenDiary) -> None:
    """Note that everything that is lost and can be proven was shown."""
    with diary.writing():
        meta.put(diary.connection, _SHOWN_AT, diary.now_ms())


def lost(diary: OpenDiary) -> list[Name]:
    """Return the versions that the server lost, as it had received them."""
    with diary.reading():
        return epochs.lost(diary.connection)


def suspects(diary: OpenDiary, heads: Mapping[ContractId, int] | None) -> list[Name]:
    """Return what to show to a server that says less than it had signed (R43).

    `heads` are the sizes of the logs that shrank; None where it knows neither device nor account: then it is
    shown who the devices are, or who is invited and has joined, by a client's replica.
    """
    with diary.reading():
        if heads is None and diary.seat_in is not None:
            parties = seating.rows(diary, diary.seat_in)
            return [stored.header.name for stored in parties if stored.received_at_ms is not None]
        if heads is None:
            lists = versions.slotless(diary.connection, "device_list", diary.contract_of_account)
            return [stored.header.name for stored in lists if stored.received_at_ms is not None]
        return [
            name
            for contract, size in heads.items()
            for name in epochs.received_from(diary.connection, contract, size, SUSPECTS_MAX)
        ]


def showings(diary: OpenDiary, names: Sequence[Name], server_key: str) -> Iterator[Showing]:
    """Yield what proves these versions, as much at a time as one request carries (R43).

    What this diary has no proof of is left out.
    """
    prover = Prover(diary, bytes.fromhex(server_key))
    showing = Showing()
    for start in range(0, len(names), SHOWN_ROWS_MAX):
        with diary.reading():
            some = names[start : start + SHOWN_ROWS_MAX]
            proven = [item for name in some if (item := prover.proven(name)) is not None]
        for item in proven:
            if not showing.has_room_for_row(item):
                yield showing
                showing = Showing()
            showing.add(item)
    if showing.rows:
        yield showing


def newest_refused(diary: OpenDiary) -> int:
    """Return the greatest n of this replica that the server refused for good; 0 for none (R40)."""
    with diary.reading():
        return receipts.newest_refused(diary.connection, diary.replica)


def refusals_to_show(diary: OpenDiary, server_key: str) -> Iterator[Showing]:
    """Yield the answers in which this server refused something, as much at a time as one request carries.

    Whatever happened to the server, it is to answer those names alike for ever (R40, R43).
    """
    showing, after = Showing(), 0
    while True:
        with diary.reading():
            answers = receipts.answers_that_refuse(diary.connection, after, SHOWN_ROWS_MAX)
        for number, answer in answers:
            after = number
            if not is_answer_of(answer, bytes.fromhex(server_key)):
                continue  # of a server this diary was registered with before
            if not showing.has_room_for_text(answer.text):
                yield showing
                showing = Showing()
            showing.add_answer(answer)
        if len(answers) < SHOWN_ROWS_MAX:
            break
    if showing.answers:
        yield showing


def note_sent(diary: OpenDiary, showing: Showing, server_url: str) -> None:
    """Note what is about to be shown, when and to whom (R55)."""
    with diary.writing():
        sending.note_sent(
            diary.connection,
            sent_at_ms=diary.now_ms(),
            server=server_url,
            what="versions",
            name=showing.rows[0].push,
            size=showing.size,
        )
