"""The operator's books in plain lists: they keep the promises that the databases keep."""

from dataclasses import dataclass, field

from diary.rules.ids import AccountId
from sync.server.operating import AccountLine, AccountRule, Act, KeptAct, chained


@dataclass
class ToyOperatorBooks:
    rules: dict[str, AccountRule] = field(default_factory=dict)
    chains: dict[str, list[KeptAct]] = field(default_factory=dict)
    open: dict[AccountId, AccountLine] = field(default_factory=dict)

    def rule(self, account: AccountId) -> AccountRule:
        return self.rules.get(account, AccountRule())

    def suspended(self) -> dict[AccountId, AccountRule]:
        return {
            AccountId(account): rule
            for account, rule in self.rules.items()
            if rule.suspended_at_ms is not None
        }

    def lines(self, after: AccountId | None, limit: int) -> list[AccountLine]:
        behind = [line for account, line in sorted(self.open.items()) if account > (after or "")]
        return [
            AccountLine(line.account, line.received_at_ms, line.picture_bytes, self.rule(line.account))
            for line in behind[:limit]
        ]

    def keep(self, act: Act, rule: AccountRule | None = None) -> KeptAct:
        chain = self.chains.setdefault(act.account, [])
        kept = chained(chain[-1] if chain else None, act)
        chain.append(kept)
        if rule is not None:
            self.rules[act.account] = rule
        return kept

    def acts(self, account: str | None = None) -> list[KeptAct]:
        if account is not None:
            return list(self.chains.get(account, []))
        return [kept for _, chain in sorted(self.chains.items()) for kept in chain]
