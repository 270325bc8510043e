"""What proves to a restored server that it had received a version (R43).

The receipt of what this device sent, the signature over the page in which it read the rest; and the push by
which the version's writer signed it. Everything runs within the caller's transaction.
"""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from diary.errors import PeerError
from diary.evidence.feed import HASHES_PER_VERSION_BYTES
from diary.evidence.merkle import leaf_hash
from diary.evidence.page_proof import LEAF_BYTES, proves_page
from diary.evidence.receipt import LogRow, Receipt, SignedAnswer, SignedPush, read_answer, receipts_in
from diary.evidence.statement import SignedStatement
from diary.rules.ids import ContractId, Millis
from diary.rules.segment import parse_header
from diary.state import OpenDiary
from diary.store import epochs, receipts, versions
from diary.store.epochs import LeafParts, PageProof
from diary.store.versions import Name

SHOWN_ROWS_MAX = 200  # each may need a push and an answer of its own
SHOWN_ROW_BYTES_MAX = 1024 * 1024  # as in a push (R44): no single row is larger
SHOWN_BYTES_MAX = 1_500_000  # with what proves them: as base64 it stays under the server's limit of 4 MiB


@dataclass(slots=True)
class Showing:
    """Rows to show, with everything that proves them (see `sync.protocol.Heal`)."""

    rows: list[LogRow] = field(default_factory=list)
    pushes: dict[str, SignedPush] = field(default_factory=dict)
    answers: dict[str, SignedAnswer] = field(default_factory=dict)
    pages: dict[tuple[ContractId, int, int], PageProof] = field(default_factory=dict)
    seals: list[SignedStatement] = field(default_factory=list)
    invoices: list[SignedStatement] = field(default_factory=list)
    heads: list[SignedStatement] = field(default_factory=list)
    size: int = 0
    row_size: int = 0

    def add(self, item: "Proven") -> None:
        """Add a row and what proves it."""
        self.rows.append(item.row)
        self.size += item.size
        self.row_size += item.size
        if item.row.push not in self.pushes:
            self.pushes[item.row.push] = item.push
            self.size += len(item.push.hashes)
        if item.answer is not None:
            self.add_answer(item.answer)
        if item.page is not None:
            place = (item.page.contract, item.page.first, item.page.count)
            if place not in self.pages:
                self.pages[place] = item.page
                self.size += LEAF_BYTES * item.page.count

    def add_answer(self, answer: SignedAnswer) -> None:
        """Add an answer as the server signed it."""
        if answer.text not in self.answers:
            self.answers[answer.text] = answer
            self.size += len(answer.text)

    def add_bill(self, signed: SignedStatement, *, is_seal: bool) -> None:
        """Add a seal, or an invoice, as the server signed it."""
        (self.seals if is_seal else self.invoices).append(signed)
        self.size += len(signed.text)

    def has_room_for_row(self, item: "Proven") -> bool:
        """Return whether the row may be added before what is there is sent."""
        fits = self.row_size + item.size <= SHOWN_ROW_BYTES_MAX and self.size < SHOWN_BYTES_MAX
        return not self.rows or (fits and len(self.rows) < SHOWN_ROWS_MAX)

    def has_room_for_text(self, text: str) -> bool:
        """Return whether what the server signed may be added, of what is shown without rows."""
        count = len(self.seals) + len(self.invoices) + len(self.answers)
        return not count or (self.size + len(text) <= SHOWN_BYTES_MAX and count < SHOWN_ROWS_MAX)


@dataclass(frozen=True, slots=True)
class Proven:
    """A version as it stood in the log, the push that signed it, and an answer or a page that proves it."""

    row: LogRow
    push: SignedPush
    answer: SignedAnswer | None = None
    page: PageProof | None = None

    @property
    def size(self) -> int:
        """Return about how many bytes the row alone takes of a request."""
        return len(self.row.header) + len(self.row.body or b"") + len(self.row.wrap or b"")


@dataclass(slots=True)
class Prover:
    """Finds what proves a version, and reads every answer and every page once."""

    diary: OpenDiary
    server_key: bytes
    answers: dict[str, dict[Name, Receipt]] = field(default_factory=dict)
    pages: dict[ContractId, list[PageProof]] = field(default_factory=dict)

    def proven(self, name: Name) -> Proven | None:
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
        return Proven(row, push, answer=answer, page=page)

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
        leaf, contract = leaf_of(parts), parse_header(parts.header).contract
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
        leaves = leaves_of(self.diary, proof)
        signed = proof.signature
        holds = proves_page(proof.contract, proof.first, leaves, signed, server_key=self.server_key)
        return replace(proof, leaves=leaves if holds else b"")


def _by_receipt(diary: OpenDiary, parts: LeafParts, receipt: Receipt) -> LeafParts | None:
    """Return the version at its receipt's place, signed by the push that makes the receipt's leaf."""
    at = replace(
        parts,
        log_epoch=receipt.log_epoch,
        index=receipt.index,
        received_at_ms=Millis(receipt.received_at_ms),
    )
    for found in _as_signed(diary, at):
        if (leaf := leaf_of(found)) is not None and leaf.hex() == receipt.leaf:
            return found
    return None


def _as_signed(diary: OpenDiary, parts: LeafParts) -> Iterator[LeafParts]:
    """Yield a version as it is noted here, then as each push of its writer signed it (R40).

    One push may have carried its content and the next, after a deletion, its header alone (R25): which of
    them the server took, the note of the last one does not say.
    """
    yield parts
    header_hash = hashlib.sha256(parts.header).digest()
    for name, hashes in epochs.pushes_of(diary.connection, parts.name[0]):
        for start in range(0, len(hashes), HASHES_PER_VERSION_BYTES):
            pair = hashes[start : start + HASHES_PER_VERSION_BYTES]
            if pair.startswith(header_hash):
                yield replace(parts, push=name, body_hash=pair[len(header_hash) :])


def _receipt_at(diary: OpenDiary, parts: LeafParts, read: dict[str, dict[Name, Receipt]]) -> Receipt | None:
    """Return the receipt of a version at the very place it is noted at, None where there is none.

    A version that was healed has another place than its receipt, and one that an earlier server took another
    time. `read` holds the answers that were read so far.
    """
    answer = receipts.answer_for(diary.connection, parts.name)
    if answer is None:
        return None
    if answer.text not in read:
        read[answer.text] = receipts_in(answer)
    receipt = read[answer.text].get(parts.name)
    if receipt is None:
        return None
    told = (receipt.log_epoch, receipt.index, receipt.received_at_ms)
    return receipt if told == (parts.log_epoch, parts.index, parts.received_at_ms) else None


def leaf_of(parts: LeafParts) -> bytes | None:
    """Return the leaf that the log holds for a version; None while its push is not known (R56)."""
    if parts.push is None:
        return None
    header = parse_header(parts.header)
    hashes = (hashlib.sha256(parts.header).digest(), parts.body_hash, bytes.fromhex(parts.push))
    return leaf_hash(header.type, header.contract, parts.log_epoch, parts.received_at_ms, *hashes)


def leaves_of(diary: OpenDiary, proof: PageProof) -> bytes:
    """Return the leaves of the rows that stand where the page's stood; of a page that lies open still."""
    parts = epochs.leaf_parts(diary.connection, proof.contract, proof.first, proof.first + proof.count)
    return b"".join(leaves_taken(diary, parts))


def leaves_taken(diary: OpenDiary, rows: Iterable[LeafParts]) -> list[bytes]:
    """Return the leaves of versions as the server took them, without those whose push is not known (R56)."""
    read: dict[str, dict[Name, Receipt]] = {}
    leaves: list[bytes] = []
    for parts in rows:
        receipt = _receipt_at(diary, parts, read)
        leaf = leaf_of(parts) if receipt is None else bytes.fromhex(receipt.leaf)
        if leaf is not None:
            leaves.append(leaf)
    return leaves
