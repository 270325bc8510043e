"""Heads that the server signed, and whether the log that was read bears them out (R43, R56).

One that is not `checked` yet names more rows than were read. Of those that are, the newest of each log epoch
is kept: what it says holds for all before it.
"""

import sqlite3
from dataclasses import dataclass

from diary.evidence.head import LogHead
from diary.evidence.statement import SignedStatement
from diary.rules.ids import ContractId, Millis

_KEEP = """
    INSERT INTO signed_head (contract, log_epoch, size, root, at_ms, text, signature)
    VALUES (:contract, :log_epoch, :size, :root, :at_ms, :text, :signature)
        ON CONFLICT (contract, log_epoch, size, root) DO NOTHING
"""
_UNCHECKED = """
    SELECT contract, log_epoch, size, root, at_ms, text, signature
      FROM signed_head
     WHERE contract = :contract AND log_epoch = :log_epoch AND NOT checked AND size <= :size
     ORDER BY size
"""
_NEWEST = """
    SELECT contract, log_epoch, size, root, at_ms, text, signature
      FROM signed_head
     WHERE contract = :contract AND log_epoch = :log_epoch
     ORDER BY size DESC, at_ms DESC
     LIMIT 1
"""
_NEWEST_CHECKED = """
    SELECT contract, log_epoch, size, root
      FROM signed_head
     WHERE contract = :contract AND checked
     ORDER BY log_epoch DESC, size DESC
     LIMIT 1
"""
_NEWEST_PROVEN = """
    SELECT contract, log_epoch, size, root, at_ms, text, signature
      FROM signed_head
     WHERE contract = :contract AND checked
     ORDER BY log_epoch DESC, size DESC
     LIMIT 1
"""
_CHECKED = """
    UPDATE signed_head
       SET checked = 1
     WHERE contract = :contract AND log_epoch = :log_epoch AND size <= :size
"""
_FORGET_OLDER = """
    DELETE FROM signed_head
     WHERE contract = :contract AND log_epoch = :log_epoch AND checked
       AND size < (SELECT max(newer.size)
                     FROM signed_head AS newer
                    WHERE newer.contract = :contract AND newer.log_epoch = :log_epoch AND newer.checked)
"""
_UNCHECK = """
    UPDATE signed_head
       SET checked = 0
     WHERE contract = :contract AND size > :size
"""


@dataclass(frozen=True, slots=True)
class KeptHead:
    """A head and the statement that says it."""

    head: LogHead
    signed: SignedStatement


def keep(connection: sqlite3.Connection, kept: KeptHead) -> None:
    """Keep a head whose signature was found to be the server's."""
    head, signed = kept.head, kept.signed
    bound = {
        "contract": head.contract,
        "log_epoch": head.log_epoch,
        "size": head.size,
        "root": head.root,
        "at_ms": head.at_ms,
        "text": signed.text,
        "signature": signed.signature,
    }
    connection.execute(_KEEP, bound)


def unchecked(
    connection: sqlite3.Connection, contract: ContractId, log_epoch: int, size: int
) -> list[KeptHead]:
    """Return the heads of a log's epoch of at most that size that were compared with nothing yet."""
    bound = {"contract": contract, "log_epoch": log_epoch, "size": size}
    return [_kept(row) for row in connection.execute(_UNCHECKED, bound)]


def newest(connection: sqlite3.Connection, contract: ContractId, log_epoch: int) -> KeptHead | None:
    """Return the longest head of a log's epoch, checked or not."""
    row = connection.execute(_NEWEST, {"contract": contract, "log_epoch": log_epoch}).fetchone()
    return None if row is None else _kept(row)


def newest_checked(
    connection: sqlite3.Connection, contract: ContractId
) -> tuple[ContractId, int, int, str] | None:
    """Return the newest head that the log which was read bears out, as a header names it (R46)."""
    row = connection.execute(_NEWEST_CHECKED, {"contract": contract}).fetchone()
    return None if row is None else (ContractId(row[0]), row[1], row[2], row[3])


def newest_proven(connection: sqlite3.Connection, contract: ContractId) -> KeptHead | None:
    """Return the newest head that the log which was read bears out, as the server signed it (R59)."""
    row = connection.execute(_NEWEST_PROVEN, {"contract": contract}).fetchone()
    return None if row is None else _kept(row)


def note_checked(connection: sqlite3.Connection, contract: ContractId, log_epoch: int, size: int) -> None:
    """Note that all heads of the epoch up to that size hold, and let the older ones go."""
    bound = {"contract": contract, "log_epoch": log_epoch, "size": size}
    connection.execute(_CHECKED, bound)
    connection.execute(_FORGET_OLDER, {"contract": contract, "log_epoch": log_epoch})


def uncheck(connection: sqlite3.Connection, contract: ContractId, size: int) -> None:
    """Have the heads that name more rows compared again: the log is read anew from there."""
    connection.execute(_UNCHECK, {"contract": contract, "size": size})


def _kept(row: tuple[str, int, int, str, int, str, bytes]) -> KeptHead:
    contract, log_epoch, size, root, at_ms, text, signature = row
    head = LogHead(
        contract=ContractId(contract), log_epoch=log_epoch, size=size, root=root, at_ms=Millis(at_ms)
    )
    return KeptHead(head, SignedStatement(text=text, signature=signature))
