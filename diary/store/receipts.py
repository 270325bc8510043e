"""Pushes and answers as they were signed, and how far each log was read (R40, R45, R48)."""

import sqlite3
from collections.abc import Iterable

from diary.evidence.receipt import Cursor, SignedAnswer, SignedPush
from diary.rules.ids import ContractId, Millis, ReplicaId
from diary.store.versions import Name, numbers_of

_KEEP_PUSH = """
    INSERT INTO push (hash, replica, hashes, signature)
    VALUES (:hash, :replica, :hashes, :signature)
        ON CONFLICT (hash) DO NOTHING
"""
_PUSH = """
    SELECT replica, hashes, signature
      FROM push
     WHERE hash = :hash
"""
_KEEP_ANSWER = """
    INSERT INTO answer (taken_at_ms, text, signature)
    VALUES (:taken_at_ms, :text, :signature)
"""
_KEEP_RECEIPT = """
    INSERT INTO receipt (replica, n, answer)
    SELECT :replica, value, :answer
      FROM json_each(:ns)
     WHERE true
        ON CONFLICT (replica, n) DO NOTHING
"""
_ANSWER = """
    SELECT answer.text, answer.signature
      FROM receipt
      JOIN answer
        ON answer.id = receipt.answer
     WHERE receipt.replica = :replica AND receipt.n = :n
"""
_ANSWERS_THAT_REFUSE = """
    SELECT DISTINCT answer.id, answer.text, answer.signature
      FROM refusal
      JOIN receipt
        ON receipt.replica = refusal.replica AND receipt.n = refusal.n
      JOIN answer
        ON answer.id = receipt.answer
     WHERE answer.id > :after
     ORDER BY answer.id
     LIMIT :limit
"""
_NEWEST_REFUSED = """
    SELECT ifnull(max(refusal.n), 0)
      FROM refusal
      JOIN receipt
        ON receipt.replica = refusal.replica AND receipt.n = refusal.n
     WHERE refusal.replica = :replica
       AND refusal.reason <> 'version_reused'
"""
_CURSORS = """
    SELECT contract, log_epoch, size, seals
      FROM log_head
     ORDER BY contract
"""


def keep_push(connection: sqlite3.Connection, push_hash: str, push: SignedPush) -> None:
    """Keep a signed push, so that its versions' signature can always be shown (R48)."""
    bound = {
        "hash": push_hash,
        "replica": push.replica,
        "hashes": push.hashes,
        "signature": push.signature,
    }
    connection.execute(_KEEP_PUSH, bound)


def push(connection: sqlite3.Connection, push_hash: str) -> SignedPush | None:
    """Return a push by its hash, or None."""
    row = connection.execute(_PUSH, {"hash": push_hash}).fetchone()
    return None if row is None else SignedPush(replica=ReplicaId(row[0]), hashes=row[1], signature=row[2])


def keep_answer(
    connection: sqlite3.Connection, answer: SignedAnswer, names: Iterable[Name], taken_at_ms: Millis
) -> None:
    """Keep the server's answer as it signed it, and which versions it speaks of (R37d, R56)."""
    bound = {"taken_at_ms": taken_at_ms, "text": answer.text, "signature": answer.signature}
    number = connection.execute(_KEEP_ANSWER, bound).lastrowid
    for replica, ns in numbers_of(names).items():
        connection.execute(_KEEP_RECEIPT, {"replica": replica, "ns": ns, "answer": number})


def answer_for(connection: sqlite3.Connection, name: Name) -> SignedAnswer | None:
    """Return the signed answer that holds a version's receipt or refusal, or None."""
    row = connection.execute(_ANSWER, {"replica": name[0], "n": name[1]}).fetchone()
    return None if row is None else SignedAnswer(text=row[0], signature=row[1])


def answers_that_refuse(
    connection: sqlite3.Connection, after: int, limit: int
) -> list[tuple[int, SignedAnswer]]:
    """Return answers in which something was refused for good, by their number and from behind one."""
    rows = connection.execute(_ANSWERS_THAT_REFUSE, {"after": after, "limit": limit})
    return [(number, SignedAnswer(text=text, signature=signature)) for number, text, signature in rows]


def newest_refused(connection: sqlite3.Connection, replica: ReplicaId) -> int:
    """Return the greatest n of a replica that the server refused for good and remembers, 0 for none (R40)."""
    return int(connection.execute(_NEWEST_REFUSED, {"replica": replica}).fetchone()[0])


def cursors(connection: sqlite3.Connection) -> dict[ContractId, Cursor]:
    """Return how far each log was read (R45)."""
    rows = connection.execute(_CURSORS)
    return {ContractId(contract): Cursor(*cursor) for contract, *cursor in rows}
