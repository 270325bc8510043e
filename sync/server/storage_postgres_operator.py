"""The operator's books in PostgreSQL (R69)."""

from typing import Any

from diary.rules.ids import AccountId
from sync.server.faults import again
from sync.server.operating import AccountLine, AccountRule, Act, KeptAct, chained
from sync.server.operator_rows import act_row, kept_act, line_of, rule_of, rule_row
from sync.server.postgres_lines import Line, Lines, all_rows

WRITE = "BEGIN ISOLATION LEVEL READ COMMITTED"

RULE = """
    SELECT suspended_at_ms, because, picture_quota_bytes, admitted
      FROM account_rule
     WHERE account = %(account)s
"""

SUSPENDED = """
    SELECT suspended_at_ms, because, picture_quota_bytes, admitted, account
      FROM account_rule
     WHERE suspended_at_ms IS NOT NULL
"""

LINES = """
    SELECT r.suspended_at_ms, coalesce(r.because, ''), r.picture_quota_bytes, coalesce(r.admitted, false),
           a.account, a.received_at_ms, a.picture_bytes
      FROM account AS a
      LEFT JOIN account_rule AS r
        ON r.account = a.account
     WHERE a.account > %(after)s
     ORDER BY a.account
     LIMIT %(limit)s
"""

KEEP_RULE = """
    INSERT INTO account_rule (account, suspended_at_ms, because, picture_quota_bytes, admitted)
    VALUES (%(account)s, %(suspended_at_ms)s, %(because)s, %(picture_quota_bytes)s, %(admitted)s)
        ON CONFLICT (account) DO UPDATE
       SET suspended_at_ms = excluded.suspended_at_ms,
           because = excluded.because,
           picture_quota_bytes = excluded.picture_quota_bytes,
           admitted = excluded.admitted
"""

ACTS = """
    SELECT n, at_ms, who, deed, account, detail, before, hash
      FROM operator_act
     WHERE account = %(account)s
     ORDER BY n
"""

ALL_ACTS = "SELECT n, at_ms, who, deed, account, detail, before, hash FROM operator_act ORDER BY account, n"

# Two who act at once come one after the other: the second's first number is then taken, and it begins again.
LAST_ACT = """
    SELECT n, at_ms, who, deed, account, detail, before, hash
      FROM operator_act
     WHERE account = %(account)s
     ORDER BY n DESC
     LIMIT 1
"""

KEEP_ACT = """
    INSERT INTO operator_act (account, n, at_ms, who, deed, detail, before, hash)
    VALUES (%(account)s, %(n)s, %(at_ms)s, %(who)s, %(deed)s, %(detail)s, %(before)s, %(hash)s)
"""


class PostgresOperatorBooks:
    """`OperatorBooks` in the database that the server's processes share."""

    def __init__(self, lines: Lines) -> None:
        self._lines = lines

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

        def note(line: Line) -> KeptAct:
            rows = all_rows(line, LAST_ACT, account=act.account)
            kept = chained(kept_act(rows[0]) if rows else None, act)
            line.execute(KEEP_ACT, act_row(kept))
            if rule is not None:
                line.execute(KEEP_RULE, rule_row(act.account, rule))
            return kept

        return self._lines.asked(WRITE, note)

    def acts(self, account: str | None = None) -> list[KeptAct]:
        """See `OperatorBooks.acts`."""
        rows = self._read(ALL_ACTS) if account is None else self._read(ACTS, account=account)
        return [kept_act(row) for row in rows]

    def _read(self, statement: Any, **asked: object) -> list[Any]:
        return again(lambda: self._lines.alone(lambda line: all_rows(line, statement, **asked)))
