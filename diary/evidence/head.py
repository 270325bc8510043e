"""Signed heads: what a server says a log is, so that it can be held to it (R43, R56).

A head names a log by its size and the Merkle root of its rows. Whoever holds two of one log that no growth
joins holds the proof that the server showed two logs. Pure.
"""

import msgspec

from diary.evidence import signature
from diary.evidence.statement import (
    BrokenStatementError,
    SignedStatement,
    read_statement,
    sign_statement,
)
from diary.rules.ids import ContractId, Millis

WHAT = "log head"
ROOT_DIGITS = 64


class LogHead(msgspec.Struct, frozen=True, kw_only=True):
    """What a log was at an instant: its epoch, its size and its root in hexadecimal (R56)."""

    contract: ContractId
    log_epoch: int
    size: int
    root: str
    at_ms: Millis


_decoder = msgspec.json.Decoder(LogHead)


def sign_head(head: LogHead, key: signature.SigningKey) -> SignedStatement:
    """Return the head under the server's signature."""
    return sign_statement(head, signature.HEAD, key)


def read_head(signed: SignedStatement, server_key: bytes) -> LogHead:
    """Return the head that the server's key signed.

    Raises:
        ForgedStatementError: That key did not sign it.
        BrokenStatementError: It is no head.
    """
    head = read_statement(signed, signature.HEAD, _decoder, server_key, WHAT)
    if head.log_epoch < 1 or head.size < 0 or len(head.root) != ROOT_DIGITS:
        raise BrokenStatementError(what=WHAT, because="a size, an epoch or a root is none")
    return head
