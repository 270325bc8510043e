"""The seals that the server signed, and whether they could be borne out here (R57)."""

import sqlite3
from dataclasses import dataclass

from diary.evidence.seal import Seal, own_seal
from diary.evidence.statement import SignedStatement
from diary.rules.ids import ContractId

_KEEP = """
    INSERT INTO seal (contract, week, log_epoch, number, size, text, signature)
    VALUES (:contract, :week, :log_epoch, :number, :size, :text, :signature)
        ON CONFLICT (contract, week, log_epoch, number) DO NOTHING
"""
_UNJUDGED = """
    SELECT text, signature, agrees, doubted
      FROM seal
     WHERE agrees IS NULL
     ORDER BY week, contract, log_epoch, number
"""
_ALL = """
    SELECT text, signature, agrees, doubted
      FROM seal
     ORDER BY week, contract, log_epoch, number
"""
_OF_WEEK = """
    SELECT text, signature, agrees, doubted
      FROM seal
     WHERE week = :week
     ORDER BY contract, log_epoch, number
"""
_JUDGE = """
    UPDATE seal
       SET agrees = :agrees
     WHERE contract = :contract AND week = :week AND log_epoch = :log_epoch AND number = :number
"""
_UNJUDGE = """
    UPDATE seal
       SET agrees = NULL,
           doubted = 0
     WHERE contract = :contract
       AND size > :size
       AND agrees
"""
_DOUBT = """
    UPDATE seal
       SET doubted = 1
     WHERE contract = :contract AND week = :week AND log_epoch = :log_epoch AND number = :number
"""


@dataclass(frozen=True, slots=True)
class KeptSeal:
    """A seal and the statement that says it; `agrees` is None until it could be recomputed here.

    `doubted`: another contract's rows, which may have come later, would make another week of it.
    """

    seal: Seal
    signed: SignedStatement
    agrees: bool | None = None
    doubted: bool = False


def keep(connection: sqlite3.Connection, kept: KeptSeal) -> None:
    """Keep a seal whose signature was found to be the server's."""
    seal, signed = kept.seal, kept.signed
    bound = {"size": seal.size, "text": signed.text, "signature": signed.signature}
    connection.execute(_KEEP, bound | _name(seal))


def count(connection: sqlite3.Connection) -> int:
    """Return how many seals are here."""
    return int(connection.execute("SELECT count(*) FROM seal").fetchone()[0])


def everything(connection: sqlite3.Connection) -> list[KeptSeal]:
    """Return all seals, by week, contract, epoch and number."""
    return [_kept(row) for row in connection.execute(_ALL)]


def since(connection: sqlite3.Connection, at_ms: int) -> list[KeptSeal]:
    """Return the seals that were signed at that instant or later (R43)."""
    return [one for one in everything(connection) if one.seal.sealed_at_ms >= at_ms]


def unjudged(connection: sqlite3.Connection) -> list[KeptSeal]:
    """Return the seals that could not be recomputed yet."""
    return [_kept(row) for row in connection.execute(_UNJUDGED)]


def newest_of(connection: sqlite3.Connection, week: str) -> dict[ContractId, KeptSeal]:
    """Return the newest seal of a week of each contract: one that is issued anew replaces those before."""
    kept = (_kept(row) for row in connection.execute(_OF_WEEK, {"week": week}))
    return {one.seal.contract: one for one in kept}


def judge(connection: sqlite3.Connection, seal: Seal, *, agrees: bool) -> None:
    """Note whether a seal says what this diary makes of the log."""
    connection.execute(_JUDGE, _name(seal) | {"agrees": agrees})


def unjudge(connection: sqlite3.Connection, contract: ContractId, size: int) -> None:
    """Have seals judged anew that name more rows than the log has now: a restored server lost some (R43)."""
    connection.execute(_UNJUDGE, {"contract": contract, "size": size})


def doubt(connection: sqlite3.Connection, seal: Seal) -> None:
    """Note that a seal is to be looked at once more after the next sync."""
    connection.execute(_DOUBT, _name(seal))


def _name(seal: Seal) -> dict[str, str | int]:
    return {
        "contract": seal.contract,
        "week": seal.week,
        "log_epoch": seal.log_epoch,
        "number": seal.number,
    }


def _kept(row: tuple[str, bytes, int | None, int]) -> KeptSeal:
    text, signature, agrees, doubted = row
    signed = SignedStatement(text=text, signature=signature)
    return KeptSeal(own_seal(signed), signed, None if agrees is None else bool(agrees), bool(doubted))
