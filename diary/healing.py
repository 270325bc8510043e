"""The diary's side of a server that was restored from an old backup (R43).

The server signs where its logs go on. What this diary knew beyond that is marked as lost, and shown to the
server with the proofs that the diary keeps: the receipts of what it sent, the signatures over the pages it
read. What the server then has again comes back by its feed, like anything else.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from diary.errors import PeerError
from diary.evidence.feed import HASHES_PER_VERSION_BYTES
from diary.evidence.merkle import leaf_hash, root_of
from diary.evidence.opening import Opening, SignedOpening, read_opening
from diary.evidence.page_proof import LEAF_BYTES, proves_page
from diary.evidence.receipt import Cursor, LogRow, Receipt, SignedAnswer, SignedPush, read_answer
from diary.rules.ids import ContractId, Millis
from diary.rules.segment import parse_header
from diary.state import OpenDiary
from diary.store import epochs, meta, receipts, sending, versions
from diary.store.epochs import LeafParts, LostHead, PageProof, Restoring
from diary.store.versions import Name

SHOWN_ROWS_MAX = 200  # each may need a push and an answer of its own
SHOWN_BYTES_MAX = 2_000_000  # base64 and the server's limit of 4 MiB leave room for it
SUSPECTS_MAX = 500  # one proven row is enough for the server to see that it lost something
PICTURE_MARGIN_MS = 24 * 3_600_000  # pictures follow their rows; whoever asks first, asks once too often
AGAIN_MS = 3_600_000  # what other devices healed meanwhile may let more of it in
_SHOWN_AT = "healing shown at"


class ForeignOpeningError(PeerError):
    """A statement is signed by the server and speaks of another account, or of an epoch that is over."""

    says = "The server's statement that it was restored is not about this diary's logs."
    mend = "Nothing was taken from it. Trust this server no further until you know why."


@dataclass(slots=True)
class Showing:
    """Rows to show, with everything that proves them (see `sync.protocol.Heal`)."""

    rows: list[LogRow] = field(default_factory=list)
    pushes: dict[str, SignedPush] = field(default_factory=dict)
    answers: dict[str, SignedAnswer] = field(default_factory=dict)
    pages: dict[tuple[ContractId, int, int], PageProof] = field(default_factory=dict)
    size: int = 0

    def add(self, item: "_Proven") -> None:
        """Add a row and what proves it."""
        self.rows.append(item.row)
        self.size += item.size
        if item.row.push not in self.pushes:
            self.pushes[item.row.push] = item.push
            self.size += len(item.push.hashes)
        if item.answer is not None and item.answer.text not in self.answers:
            self.answers[item.answer.text] = item.answer
            self.size += len(item.answer.text)
        if item.page is not None:
            place = (item.page.contract, item.page.first, item.page.count)
            if place not in self.pages:
                self.pages[place] = item.page
                self.size += LEAF_BYTES * item.page.count

    def is_full(self) -> bool:
        """Return whether it should be sent before more is added."""
        return len(self.rows) >= SHOWN_ROWS_MAX or self.size >= SHOWN_BYTES_MAX


@dataclass(frozen=True, slots=True)
class _Proven:
    row: LogRow
    push: SignedPush
    answer: SignedAnswer | None = None
    page: PageProof | None = None

    @property
    def size(self) -> int:
        return len(self.row.header) + len(self.row.body or b"") + len(self.row.wrap or b"")


def log_epoch(diary: OpenDiary) -> int:
    """Return the newest epoch whose statement this diary has (R43)."""
    with diary.reading():
        return epochs.newest(diary.connection)


def newest_opening(diary: OpenDiary) -> SignedOpening | None:
    """Return the newest statement, to be shown to a server that may not have it."""
    with diary.reading():
        return epochs.newest_signed(diary.connection)


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
                meta.put(diary.connection, _SHOWN_AT, 0)


def _take_opening(diary: OpenDiary, opening: Opening, signed: SignedOpening) -> None:
    connection = diary.connection
    cursors = receipts.cursors(connection)
    lost: list[LostHead] = []
    for contract in {*cursors, *epochs.contracts(connection)}:
        cursor = cursors.get(contract, Cursor(opening.log_epoch, 0))
        head = opening.heads.get(contract)
        kept = _rows_in_common(diary, contract, cursor, opening)
        _keep_leaves(diary, contract, kept)
        epochs.mark_lost(connection, contract, kept)
        if cursor.size > opening.kept(contract):
            size = head.size if head else 0
            lost.append(LostHead(contract, cursor.log_epoch, cursor.size, size))
        size = min(cursor.size, kept)
        receipts.move_cursor(connection, contract, Cursor(opening.log_epoch, size))
    epochs.keep(connection, opening.log_epoch, signed, lost, diary.now_ms())
    epochs.ask_for_pictures(connection, Millis(epochs.kept_until_ms(connection) - PICTURE_MARGIN_MS))


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
    parts = epochs.leaf_parts(diary.connection, contract, 0, head.size)
    leaves = [leaf for one in parts if (leaf := _leaf_of(one)) is not None]
    whole = len(leaves) == head.size == len(parts)
    return head.size if whole and root_of(leaves).hex() == head.root else 0


def _keep_leaves(diary: OpenDiary, contract: ContractId, kept: int) -> None:
    """Work out the leaves of the pages that reach into what is lost, before their rows take other places."""
    for proof in epochs.proofs(diary.connection, contract):
        if proof.leaves is None and proof.first + proof.count > kept:
            leaves = _leaves_of(diary, proof)
            if len(leaves) == LEAF_BYTES * proof.count:
                epochs.keep_leaves(diary.connection, proof, leaves)


def _leaves_of(diary: OpenDiary, proof: PageProof) -> bytes:
    """Return the leaves of the rows that stand where the page's stood; of a page that lies open still."""
    parts = epochs.leaf_parts(diary.connection, proof.contract, proof.first, proof.first + proof.count)
    return b"".join(leaf for one in parts if (leaf := _leaf_of(one)) is not None)


def is_showing_due(diary: OpenDiary) -> bool:
    """Return whether there is something lost that should be shown to the server now (R43)."""
    with diary.reading():
        if not epochs.count_lost(diary.connection):
            return False
        shown_ms = meta.number(diary.connection, _SHOWN_AT) or 0
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
    shown who the devices are.
    """
    with diary.reading():
        if heads is None:
            lists = versions.slotless(diary.connection, "device_list")
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
    prover = _Prover(diary, bytes.fromhex(server_key))
    showing = Showing()
    for start in range(0, len(names), SHOWN_ROWS_MAX):
        with diary.reading():
            some = names[start : start + SHOWN_ROWS_MAX]
            proven = [item for name in some if (item := prover.proven(name)) is not None]
        for item in proven:
            showing.add(item)
            if showing.is_full():
                yield showing
                showing = Showing()
    if showing.rows:
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


@dataclass(slots=True)
class _Prover:
    """Finds what proves a version, and reads every answer and every page once."""

    diary: OpenDiary
    server_key: bytes
    answers: dict[str, dict[Name, Receipt]] = field(default_factory=dict)
    pages: dict[ContractId, list[PageProof]] = field(default_factory=dict)

    def proven(self, name: Name) -> _Proven | None:
        """Return a version as it stood in the log with a proof of that; None where there is none."""
        connection = self.diary.connection
        parts = epochs.parts_of(connection, name)
        if parts is None:
            return None
        answer = receipts.answer_for(connection, name)
        receipt = self._receipts_in(answer).get(name) if answer is not None else None
        page = None
        if receipt is not None:
            found = _by_receipt(self.diary, parts, receipt)
        else:
            answer, page = None, self._page_of(parts)
            found = parts if page is not None else None
        stored = versions.find(connection, name)
        push = receipts.push(connection, found.push or "") if found else None
        if found is None or push is None or stored is None:
            return None
        row = LogRow(
            log_epoch=found.log_epoch,
            index=found.index,
            received_at_ms=found.received_at_ms,
            push=found.push or "",
            header=found.header.decode(),
            body_hash=found.body_hash.hex(),
            body=stored.sealed.body,
            wrap=stored.sealed.wrap,
        )
        return _Proven(row, push, answer=answer, page=page)

    def _receipts_in(self, answer: SignedAnswer) -> dict[Name, Receipt]:
        if answer.text not in self.answers:
            try:
                read = read_answer(answer, self.server_key)
            except PeerError:
                read = []  # of a server this diary was registered with before: no proof to this one
            found = {(item.replica, item.n): item for item in read if isinstance(item, Receipt)}
            self.answers[answer.text] = found
        return self.answers[answer.text]

    def _page_of(self, parts: LeafParts) -> PageProof | None:
        leaf, contract = _leaf_of(parts), parse_header(parts.header).contract
        if contract not in self.pages:
            self.pages[contract] = epochs.proofs(self.diary.connection, contract)
        for number, page in enumerate(self.pages[contract]):
            if not page.first <= parts.index < page.first + page.count:
                continue
            proof = page if page.leaves is not None else self._with_leaves(page)
            self.pages[contract][number] = proof
            at = LEAF_BYTES * (parts.index - proof.first)
            if proof.leaves and proof.leaves[at : at + LEAF_BYTES] == leaf:
                return proof
        return None

    def _with_leaves(self, proof: PageProof) -> PageProof:
        """Return the proof with its leaves, with none where they do not make what the server signed."""
        leaves = _leaves_of(self.diary, proof)
        signed = proof.signature
        holds = proves_page(proof.contract, proof.first, leaves, signed, server_key=self.server_key)
        return replace(proof, leaves=leaves if holds else b"")


def _by_receipt(diary: OpenDiary, parts: LeafParts, receipt: Receipt) -> LeafParts | None:
    """Return the version at its receipt's place, signed by the push that makes the receipt's leaf."""
    for push in _pushes(diary, parts):
        found = replace(
            parts,
            log_epoch=receipt.log_epoch,
            index=receipt.index,
            received_at_ms=Millis(receipt.received_at_ms),
            push=push,
        )
        if (leaf := _leaf_of(found)) is not None and leaf.hex() == receipt.leaf:
            return found
    return None


def _pushes(diary: OpenDiary, parts: LeafParts) -> Iterator[str]:
    """Yield the pushes that may have brought a version: the last one first, then all that held it (R40)."""
    if parts.push is not None:
        yield parts.push
    pair = hashlib.sha256(parts.header).digest() + parts.body_hash
    for name, hashes in epochs.pushes_of(diary.connection, parts.name[0]):
        starts = range(0, len(hashes), HASHES_PER_VERSION_BYTES)
        if any(hashes[start : start + HASHES_PER_VERSION_BYTES] == pair for start in starts):
            yield name


def _leaf_of(parts: LeafParts) -> bytes | None:
    if parts.push is None:
        return None
    header = parse_header(parts.header)
    hashes = (hashlib.sha256(parts.header).digest(), parts.body_hash, bytes.fromhex(parts.push))
    return leaf_hash(header.type, header.contract, parts.log_epoch, parts.received_at_ms, *hashes)


def lost_count(diary: OpenDiary) -> int:
    """Return how many versions the server lost and does not show again yet (R43)."""
    with diary.reading():
        return epochs.count_lost(diary.connection)
