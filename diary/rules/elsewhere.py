"""Rows about a contract's money that stand in a log which not all who need them read (R61, R62, R63).

What has come in for an agency's bill the agency says in its own log; what its client claims and disputes
stands in the member's. The server tells each side what the other said; no key of a party's is shown for it.
Pure.
"""

import msgspec

from diary.rules.act_parts import DisputeInClear, VersionName
from diary.rules.ids import AccountId, ContractId, Millis, ReplicaId, Slot
from diary.rules.merge import Held
from diary.rules.money_parts import PaymentInClear
from diary.rules.segment import Header


class SaidElsewhere(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One such row, as the server tells it.

    `account` is in whose log it stands, `replica` and `n` name it, `at_ms` is its receipt. With a dispute
    come the slots that bill in its weeks, by which its share of a line is reckoned (R62).
    """

    account: AccountId
    contract: ContractId
    replica: ReplicaId
    n: int
    at_ms: Millis
    payment: PaymentInClear | None = None
    dispute: DisputeInClear | None = None
    bills: tuple[Slot, ...] = ()

    @property
    def name(self) -> VersionName:
        """Return (replica, n), the row's name for ever (R33)."""
        return self.replica, self.n

    def held(self) -> Held:
        """Return it as a row of the contract's, as far as money goes."""
        header = Header(
            v=1,
            type="dispute" if self.payment is None else "payment",
            account=self.account,
            contract=self.contract,
            replica=self.replica,
            n=self.n,
            head=None,
            payment=self.payment,
            dispute=self.dispute,
        )
        return Held(header, self.at_ms)
