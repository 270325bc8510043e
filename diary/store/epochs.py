"""Where a restored server's logs go on, what it lost, and what proves it (R43).

A version that the server had received and lost keeps its old place: `log_epoch` is then negative, until the
log shows it again in a later epoch. A page's leaves are worked out and kept when rows of it are lost, while
they still can be.
"""

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass

import msgspec

from diary.evidence.opening import FIRST_EPOCH, Opening, SignedOpening
from diary.rules.ids import ContractId, Millis, ReplicaId
from diary.rules.segment import Header, stored_header
from diary.store.versions import Name

_NEWEST = "SELECT max(log_epoch) FROM opening"
_NEWEST_SIGNED = "SELECT text, signature FROM opening ORDER BY log_epoch DESC LIMIT 1"
_KEEP = """
    INSERT INTO opening (log_epoch, taken_at_ms, text, signature)
    VALUES (:log_epoch, :taken_at_ms, :text, :signature)
"""
_KEEP_LOST_HEAD = """
    INSERT INTO lost_head (log_epoch, contract, had_epoch, had_size, kept_size)
    VALUES (:log_epoch, :contract, :had_epoch, :had_size, :kept_size)
        ON CONFLICT (log_epoch, contract) DO UPDATE
       SET kept_size = excluded.kept_size
"""
_COUNT_KEPT = """
    UPDATE lost_head
       SET kept_size = min(had_size, kept_size + :more)
     WHERE log_epoch = :log_epoch
       AND contract = :contract
       AND kept_size = :first
"""
_LOST_HEADS = """
    SELECT opening.log_epoch, opening.taken_at_ms, lost_head.contract, lost_head.had_epoch,
           lost_head.had_size, lost_head.kept_size
      FROM opening
      LEFT JOIN lost_head
        ON lost_head.log_epoch = opening.log_epoch
       AND lost_head.kept_size < lost_head.had_size
     ORDER BY opening.log_epoch, lost_head.contract
"""
_MARK_LOST = """
    UPDATE version
       SET log_epoch = -log_epoch
     WHERE contract = :contract
       AND log_epoch > 0
       AND leaf_index >= :kept
"""
_RECEIVED_FROM = """
    SELECT replica, n
      FROM version
     WHERE contract = :contract
       AND log_epoch > 0
       AND leaf_index >= :first
     ORDER BY leaf_index
     LIMIT :limit
"""
_LOST = """
    SELECT replica, n
      FROM version
     WHERE log_epoch < 0
     ORDER BY CASE type WHEN 'device_list' THEN json_extract(CAST(header AS TEXT), '$.devices.number') END
              NULLS LAST, received_at_ms, contract <> account, leaf_index
"""
_NEWEST_OWN = """
    SELECT n
      FROM version
     WHERE replica = :replica
       AND log_epoch > 0
     ORDER BY n DESC
     LIMIT 1
"""
_COUNT_LOST = "SELECT count(*) FROM version WHERE log_epoch < 0"
_CONTRACTS = "SELECT DISTINCT contract FROM version WHERE log_epoch > 0"
_LEAVES = """
    SELECT replica, n, type, abs(log_epoch), leaf_index, received_at_ms, header, body_hash, push
      FROM version
     WHERE contract = :contract
       AND leaf_index >= :first
       AND leaf_index < :end
       AND log_epoch > 0
     ORDER BY leaf_index
"""
_LEAF = """
    SELECT replica, n, type, abs(log_epoch), leaf_index, received_at_ms, header, body_hash, push
      FROM version
     WHERE replica = :replica AND n = :n AND log_epoch IS NOT NULL
"""
_KEEP_PROOF = """
    INSERT INTO page_proof (contract, first, count, signature)
    VALUES (:contract, :first, :count, :signature)
        ON CONFLICT (contract, first, count) DO UPDATE
       SET signature = excluded.signature, leaves = NULL
"""
_KEEP_LEAVES = """
    UPDATE page_proof
       SET leaves = :leaves
     WHERE contract = :contract AND first = :first AND count = :count
"""
_PROOFS = """
    SELECT contract, first, count, signature, leaves
      FROM page_proof
     WHERE contract = :contract
"""
_ASK_FOR_PICTURES = """
    UPDATE picture
       SET at_server = 0
     WHERE sealed IS NOT NULL
       AND (
           EXISTS (
               SELECT 1
                 FROM version
                WHERE version.replica = picture.replica
                  AND version.n = picture.n
                  AND (version.log_epoch < 0 OR version.received_at_ms >= :since_ms)
           )
           OR EXISTS (
               SELECT 1
                 FROM sent
                WHERE sent.name = picture.name
                  AND sent.sent_at_ms >= :since_ms
           )
       )
"""
_KEPT_UNTIL = """
    SELECT max(kept.received_at_ms)
      FROM version AS kept
      JOIN (SELECT min(received_at_ms) AS first_ms FROM version WHERE log_epoch < 0) AS lost
        ON kept.received_at_ms < lost.first_ms
     WHERE kept.log_epoch > 0
"""
_PUSHES_OF = "SELECT hash, hashes FROM push WHERE replica = :replica"
_OPENED = "SELECT text FROM opening WHERE log_epoch = :log_epoch"
_RECEIVED_AT = """
    SELECT log_epoch, received_at_ms
      FROM version
     WHERE contract = :contract
       AND log_epoch > 0
       AND leaf_index = :index
"""
_STANDING_AT = """
    SELECT leaf_index, replica, n, received_at_ms, header
      FROM version
     WHERE contract = :contract
       AND log_epoch = :log_epoch
       AND leaf_index BETWEEN :first AND :last
       AND log_epoch > 0
"""
_PAIR_BYTES = 64

_opening = msgspec.json.Decoder(Opening)


@dataclass(frozen=True, slots=True)
class LeafParts:
    """What the leaf of a received version is made of; `index` is its place when it was received."""

    name: Name
    type: str
    log_epoch: int
    index: int
    received_at_ms: Millis
    header: bytes
    body_hash: bytes
    push: str | None


@dataclass(frozen=True, slots=True)
class PageProof:
    """The server's signature over a page's leaves; `leaves` is None until they are needed."""

    contract: ContractId
    first: int
    count: int
    signature: bytes
    leaves: bytes | None


@dataclass(frozen=True, slots=True)
class LostHead:
    """A log of which this diary knew more than the restored server: from which head to how many rows.

    `kept_size` grows while a log is read anew; one of which all rows were found again lost no head.
    """

    contract: ContractId
    had_epoch: int
    had_size: int
    kept_size: int


@dataclass(frozen=True, slots=True)
class Restoring:
    """One signed statement that the server was restored, and the heads that were lost here."""

    log_epoch: int
    taken_at_ms: Millis
    lost: tuple[LostHead, ...]


def newest(connection: sqlite3.Connection) -> int:
    """Return the newest epoch of which a statement is known; 1 for none."""
    found = connection.execute(_NEWEST).fetchone()[0]
    return int(found) if found else FIRST_EPOCH


def newest_signed(connection: sqlite3.Connection) -> SignedOpening | None:
    """Return the newest statement, or None."""
    row = connection.execute(_NEWEST_SIGNED).fetchone()
    return None if row is None else SignedOpening(text=row[0], signature=row[1])


def keep(
    connection: sqlite3.Connection,
    log_epoch: int,
    signed: SignedOpening,
    lost: Iterable[LostHead],
    taken_at_ms: Millis,
) -> None:
    """Keep a statement, and the heads that this diary knew beyond it."""
    bound = {"log_epoch": log_epoch, "taken_at_ms": taken_at_ms}
    connection.execute(_KEEP, bound | {"text": signed.text, "signature": signed.signature})
    for head in lost:
        keep_lost_head(connection, log_epoch, head)


def keep_lost_head(connection: sqlite3.Connection, log_epoch: int, head: LostHead) -> None:
    """Keep what was known of a log before a statement; of one kept already, how much of it is left."""
    places = {"contract": head.contract, "had_epoch": head.had_epoch, "had_size": head.had_size}
    connection.execute(_KEEP_LOST_HEAD, places | {"log_epoch": log_epoch, "kept_size": head.kept_size})


def count_kept(connection: sqlite3.Connection, contract: ContractId, first: int, more: int) -> None:
    """Note that a log that is read anew still holds so many rows in their old places, from row `first` on.

    Rows after the first that is another one are not counted: from there the head was lost.
    """
    bound = {"log_epoch": newest(connection), "contract": contract, "first": first, "more": more}
    connection.execute(_COUNT_KEPT, bound)


def restorings(connection: sqlite3.Connection) -> tuple[Restoring, ...]:
    """Return the statements that were taken, the earliest first, with the heads they cost."""
    found: dict[int, Restoring] = {}
    for epoch, at_ms, contract, *head in connection.execute(_LOST_HEADS):
        lost = found[epoch].lost if epoch in found else ()
        more = () if contract is None else (LostHead(ContractId(contract), *head),)
        found[epoch] = Restoring(epoch, Millis(at_ms), (*lost, *more))
    return tuple(found.values())


def mark_lost(connection: sqlite3.Connection, contract: ContractId, kept: int) -> None:
    """Note that the server lost what it had received of a log from row `kept` on."""
    connection.execute(_MARK_LOST, {"contract": contract, "kept": kept})


def received_from(connection: sqlite3.Connection, contract: ContractId, first: int, limit: int) -> list[Name]:
    """Return what the server is thought to hold of a log from row `first` on, in its order."""
    bound = {"contract": contract, "first": first, "limit": limit}
    return [(ReplicaId(replica), n) for replica, n in connection.execute(_RECEIVED_FROM, bound)]


def lost(connection: sqlite3.Connection) -> list[Name]:
    """Return what the server lost and does not show again yet, as it was received, device lists first."""
    return [(ReplicaId(replica), n) for replica, n in connection.execute(_LOST)]


def newest_own(connection: sqlite3.Connection, replica: ReplicaId) -> int:
    """Return the greatest n of a replica that the server is thought to hold; 0 for none."""
    row = connection.execute(_NEWEST_OWN, {"replica": replica}).fetchone()
    return int(row[0]) if row else 0


def count_lost(connection: sqlite3.Connection) -> int:
    """Return how many versions the server lost and does not show again yet."""
    return int(connection.execute(_COUNT_LOST).fetchone()[0])


def contracts(connection: sqlite3.Connection) -> list[ContractId]:
    """Return the logs of which the server is thought to hold rows."""
    return [ContractId(contract) for (contract,) in connection.execute(_CONTRACTS)]


def leaf_parts(connection: sqlite3.Connection, contract: ContractId, first: int, end: int) -> list[LeafParts]:
    """Return what the leaves of a log are made of, from row `first` to before `end`, as far as is held."""
    bound = {"contract": contract, "first": first, "end": end}
    return [_parts(row) for row in connection.execute(_LEAVES, bound)]


def parts_of(connection: sqlite3.Connection, name: Name) -> LeafParts | None:
    """Return what the leaf of one version is made of; None where the server never took it."""
    row = connection.execute(_LEAF, {"replica": name[0], "n": name[1]}).fetchone()
    return None if row is None else _parts(row)


def _parts(row: tuple[str, int, str, int, int, int, bytes, bytes, str | None]) -> LeafParts:
    replica, n, type_, epoch, index, at_ms, header, body_hash, push = row
    return LeafParts((ReplicaId(replica), n), type_, epoch, index, Millis(at_ms), header, body_hash, push)


def keep_proof(
    connection: sqlite3.Connection, contract: ContractId, first: int, count: int, signature: bytes
) -> None:
    """Keep the signature by which the rows of a page can be shown."""
    bound = {"contract": contract, "first": first, "count": count, "signature": signature}
    connection.execute(_KEEP_PROOF, bound)


def keep_leaves(connection: sqlite3.Connection, proof: PageProof, leaves: bytes) -> None:
    """Keep a page's leaves, 32 bytes each, before its rows take other places."""
    bound = {"contract": proof.contract, "first": proof.first, "count": proof.count, "leaves": leaves}
    connection.execute(_KEEP_LEAVES, bound)


def proofs(connection: sqlite3.Connection, contract: ContractId) -> list[PageProof]:
    """Return the proofs of a log's pages."""
    return [
        PageProof(ContractId(contract), first, count, signature, leaves)
        for contract, first, count, signature, leaves in connection.execute(_PROOFS, {"contract": contract})
    ]


def kept_until_ms(connection: sqlite3.Connection) -> Millis | None:
    """Return the newest time of receipt before all that the server lost; None where nothing is known lost.

    What it received since it went back, and before that was noticed, says nothing of its backup.
    """
    if not count_lost(connection):
        return None
    return Millis(connection.execute(_KEPT_UNTIL).fetchone()[0] or 0)


def ask_for_pictures(connection: sqlite3.Connection, since_ms: Millis) -> None:
    """Have those pictures offered to the server again that it may have lost with its rows (R41)."""
    connection.execute(_ASK_FOR_PICTURES, {"since_ms": since_ms})


def pushes_of(connection: sqlite3.Connection, replica: ReplicaId) -> list[tuple[str, bytes]]:
    """Return the pushes that a replica signed: their hash, and the hashes of their versions."""
    return list(connection.execute(_PUSHES_OF, {"replica": replica}))


def signed_with(
    connection: sqlite3.Connection, replica: ReplicaId, header_hash: bytes
) -> list[tuple[bytes, bytes]]:
    """Return by which pushes a replica signed a header: each push's hash, and the body's hash in it (R40)."""
    found = []
    for name, hashes in pushes_of(connection, replica):
        for start in range(0, len(hashes), _PAIR_BYTES):
            pair = hashes[start : start + _PAIR_BYTES]
            if pair.startswith(header_hash):
                found.append((bytes.fromhex(name), pair[len(header_hash) :]))
    return found


def opened_at_ms(connection: sqlite3.Connection, log_epoch: int) -> Millis | None:
    """Return when an epoch was opened; None where its statement is not known."""
    row = connection.execute(_OPENED, {"log_epoch": log_epoch}).fetchone()
    return None if row is None else _opening.decode(row[0]).opened_at_ms


def received_at(
    connection: sqlite3.Connection, contract: ContractId, index: int
) -> tuple[int, Millis] | None:
    """Return epoch and time of receipt of the row at an index; None where none is known there."""
    row = connection.execute(_RECEIVED_AT, {"contract": contract, "index": index}).fetchone()
    return None if row is None else (row[0], Millis(row[1]))


def standing_at(
    connection: sqlite3.Connection, contract: ContractId, log_epoch: int, first: int, last: int
) -> list[tuple[int, Name, Millis, Header]]:
    """Return what is held of an epoch's rows from `first` to `last`: index, name, time of receipt, header."""
    bound = {"contract": contract, "log_epoch": log_epoch, "first": first, "last": last}
    return [
        (index, (ReplicaId(replica), n), Millis(at_ms), stored_header(header))
        for index, replica, n, at_ms, header in connection.execute(_STANDING_AT, bound)
    ]
