"""Rows of the operator's tables as values, the same for every database (R69)."""

from dataclasses import asdict
from typing import Any

from diary.rules.ids import AccountId, Millis
from sync.server.operating import AccountLine, AccountRule, Act, KeptAct
from sync.server.storage_rows import Row


def rule_of(row: Row) -> AccountRule:
    """Return the rule of a row that begins with its columns."""
    suspended_at_ms, because, picture_quota_bytes, admitted = row[:4]
    return AccountRule(
        None if suspended_at_ms is None else Millis(suspended_at_ms),
        because,
        picture_quota_bytes,
        bool(admitted),
    )


def rule_row(account: str, rule: AccountRule) -> dict[str, Any]:
    """Return a rule's columns by their names."""
    return {"account": account, **asdict(rule)}


def line_of(row: Row) -> AccountLine:
    """Return a line of the accounts' list."""
    account, received_at_ms, picture_bytes = row[4:]
    return AccountLine(AccountId(account), Millis(received_at_ms), picture_bytes, rule_of(row))


def act_row(kept: KeptAct) -> dict[str, Any]:
    """Return an act's columns by their names."""
    return {"n": kept.n, "before": kept.before, "hash": kept.hash, **asdict(kept.act)}


def kept_act(row: Row) -> KeptAct:
    """Return the act of a row."""
    n, at_ms, who, deed, account, detail, before, hashed = row
    return KeptAct(n, Act(Millis(at_ms), who, deed, account, detail), before, hashed)
