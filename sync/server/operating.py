"""What an operator decides about accounts, and the record of each such act (R44, R69).

An act and what it changes are one transaction. The acts of one account, and those that concern the server as
a whole, are chains: each holds the hash of the one before, so that a line that was changed or taken out is
found by whoever reads on. Who owns the database can write a whole chain anew; the record is against mistakes
and for those who share the work. Pure, but for the contract of what keeps it.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import msgspec

from diary.rules.ids import AccountId, Millis

SERVER_AS_A_WHOLE = ""  # in an account's place: the act concerns all of them
TEXT_CHARACTERS_MAX = 500
BEGINNING = "0" * 64

Deed = Literal["confirm_clock", "restored", "suspend", "resume", "quota", "admit"]


@dataclass(frozen=True, slots=True)
class AccountRule:
    """What an operator decided about one account.

    `suspended_at_ms` is None while it is in good standing; `because` says why it is not, to its freelancer
    too. `picture_quota_bytes` takes the place of the server's own where it is not None. `admitted`: it may be
    opened here though the server takes no new accounts.
    """

    suspended_at_ms: Millis | None = None
    because: str = ""
    picture_quota_bytes: int | None = None
    admitted: bool = False


@dataclass(frozen=True, slots=True)
class AccountLine:
    """One account in the operator's list."""

    account: AccountId
    received_at_ms: Millis
    picture_bytes: int
    rule: AccountRule


@dataclass(frozen=True, slots=True)
class Act:
    """What somebody did: who, by the name that the system knows, and what to whom.

    `account` is empty where it concerns the server as a whole; `detail` is a reason or a figure.
    """

    at_ms: Millis
    who: str
    deed: Deed
    account: str = SERVER_AS_A_WHOLE
    detail: str = ""


@dataclass(frozen=True, slots=True)
class KeptAct:
    """An act in its chain: `n` counts from 1, `before` and `hash` are in hexadecimal."""

    n: int
    act: Act
    before: str
    hash: str


class OperatorBooks(Protocol):
    """Keeps rules and acts; every backend passes `tests/sync/server/test_operator_books.py`."""

    def rule(self, account: AccountId) -> AccountRule:
        """Return what was decided about an account, which need not be open here."""
        ...

    def suspended(self) -> dict[AccountId, AccountRule]:
        """Return all accounts that are not in good standing: few, asked for now and then."""
        ...

    def lines(self, after: AccountId | None, limit: int) -> list[AccountLine]:
        """Return the next open accounts by their ids, from the first when `after` is None."""
        ...

    def keep(self, act: Act, rule: AccountRule | None = None) -> KeptAct:
        """Keep an act, and the rule that it sets for its account where it sets one; both or neither."""
        ...

    def acts(self, account: str | None = None) -> list[KeptAct]:
        """Return the acts of one chain, or of all, each chain in its order."""
        ...


def chained(last: KeptAct | None, act: Act) -> KeptAct:
    """Return the act as it follows the last one of its chain."""
    n, before = (1, BEGINNING) if last is None else (last.n + 1, last.hash)
    return KeptAct(n, act, before, _hash(n, act, before))


def broken_at(acts: Sequence[KeptAct]) -> KeptAct | None:
    """Return the first act that does not stand as it was kept, or does not follow the one before it."""
    last: dict[str, KeptAct] = {}
    for kept in acts:
        account = kept.act.account
        if chained(last.get(account), kept.act) != kept:
            return kept
        last[account] = kept
    return None


def _hash(n: int, act: Act, before: str) -> str:
    fields = (before, n, act.at_ms, act.who, act.deed, act.account, act.detail)
    return hashlib.sha256(msgspec.json.encode(fields)).hexdigest()
