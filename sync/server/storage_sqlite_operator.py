"""The operator's books in the embedded database (R69)."""

from typing import Any

import apsw

from diary.rules.ids import AccountId
from sync.server.operating import AccountLine, AccountRule, Act, KeptAct, chained
from sync.server.operator_rows import act_row, kept_act, line_of, rule_of, rule_row
from sync.server.sqlite_transactions import SqliteTransactions

RULE = """
    SELECT suspended_at_ms, because, picture_quota_bytes, admitted
      FROM account_rule
     WHERE account = :account
"""

SUSPENDED = """
    SELECT suspended_at_ms, because, picture_quota_bytes, admitted, account
      FROM account_rule
     WHERE suspended_at_ms IS NOT NULL
"""

LINES = """
    SELECT r.suspended_at_ms, coalesce(r.because, ''), r.picture_quota_bytes, coalesce(r.admitted, 0),
           a.account, a.received_at_ms, a.picture_bytes
      FROM account AS a
      LEFT JOIN account_rule AS r
        ON r.account = a.account
     WHERE a.account > :after
     ORDER BY a.account
     LIMIT :limit
"""

KEEP_RULE = """
    INSERT INTO account_rule (account, suspended_at_ms, because, picture_quota_bytes, admitted)
    VALUES (:account, :suspended_at_ms, :because, :picture_quota_bytes, :admitted)
        ON CONFLICT (account) DO UPDATE
       SET suspended_at_ms = excluded.suspended_at_ms,
           because = excluded.because,
           picture_quota_bytes = excluded.picture_quota_bytes,
           admitted = excluded.admitted
"""

ACTS = """
    SELECT n, at_ms, who, deed, account, detail, before, hash
      FROM operator_act
     WHERE account = :account
     ORDER BY n
"""

ALL_ACTS = "SELECT n, at_ms, who, deed, account, detail, before, hash FROM operator_act ORDER BY account, n"

LAST_ACT = """
    SELECT n, at_ms, who, deed, account, detail, before, hash
      FROM operator_act
     WHERE account = :account
     ORDER BY n DESC
     LIMIT 1
"""

KEEP_ACT = """
    INSERT INTO operator_act (account, n, at_ms, who, deed, detail, before, hash)
    VALUES (:account, :n, :at_ms, :who, :deed, :detail, :before, :hash)
"""


class SqliteOperatorBooks:
    """`OperatorBooks` in the server's file."""

    def __init__(self, connection: apsw.Connection, transactions: SqliteTransactions) -> None:
        self._connection = connection
        self._transactions = transactions

    def rule(self, account: AccountId) -> AccountRule:
        """See `OperatorBooks.rule`."""
        rows = self._read(RULE, account=account)
        return rule_of(rows[0]) if rows else AccountRule()

    def suspended(self) -> dict[AccountId, AccountRule]:
        """See `OperatorBooks.suspended`."""
        return {row[4]: rule_of(row) for row in self._read(SUSPENDED)}

    def lines(self, after: AccountId | None, limit: int) -> list[AccountLine]:
        """See `OperatorBooks.lines`."""
        return [line_of(row) for row in self._read(LINES, after=after or "", limit=limit)]

    def keep(self, act: Act, rule: AccountRule | None = None) -> KeptAct:
        """See `OperatorBooks.keep`."""
        with self._transactions.transaction("BEGIN IMMEDIATE"):
            rows = list(self._connection.execute(LAST_ACT, {"account": act.account}))
            kept = chained(kept_act(rows[0]) if rows else None, act)
            self._connection.execute(KEEP_ACT, act_row(kept))
            if rule is not None:
                self._connection.execute(KEEP_RULE, rule_row(act.account, rule))
        return kept

    def acts(self, account: str | None = None) -> list[KeptAct]:
        """See `OperatorBooks.acts`."""
        rows = self._read(ALL_ACTS) if account is None else self._read(ACTS, account=account)
        return [kept_act(row) for row in rows]

    def _read(self, statement: str, **asked: str | int) -> list[Any]:
        with self._transactions.transaction("BEGIN"):
            return list(self._connection.execute(statement, asked))
