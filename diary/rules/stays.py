"""How long a contract stood on an agency's bill, and when who bills a week is settled (SPEC, section 1; R61).

Who bills a week is settled before it can be closed: nothing that is said after its end changes it. Pure.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from diary.rules.ids import AccountId, ContractId, Millis
from diary.rules.merge import Held
from diary.rules.week import Week


@dataclass(frozen=True, slots=True)
class Stay:
    """A contract's time on an agency's bill: from one receipt until another, None while it lasts."""

    member: AccountId
    contract: ContractId
    payer: str | None
    from_ms: Millis
    until_ms: Millis | None = None

    def covers(self, at_ms: int) -> bool:
        """Return whether it had begun before the instant and had not ended then."""
        return self.from_ms < at_ms and (self.until_ms is None or self.until_ms >= at_ms)


def stays(rows: Iterable[Held]) -> tuple[Stay, ...]:
    """Return how long each contract was on the agency's bill, by the rows of its own log in their order.

    A row about a contract that is on the bill ends that stay and, unless it only ends, begins another: so a
    contract gets another payer. Rows that were not received yet count for nothing.
    """
    done: list[Stay] = []
    lasting: dict[tuple[AccountId, ContractId], Stay] = {}
    for row in rows:
        part, at_ms = row.header.membership, row.received_at_ms
        if part is None or at_ms is None:
            continue
        before = lasting.pop((part.account, part.contract), None)
        if before is not None:
            done.append(replace(before, until_ms=at_ms))
        if not part.ends:
            lasting[part.account, part.contract] = Stay(part.account, part.contract, part.payer, at_ms)
    return (*done, *lasting.values())


def decided_at_ms(week: Week, began_at_ms: int) -> Millis:
    """Return the instant that says who bills a contract's week, of a contract that began then.

    It is the week's start, as for rates (R8); in the week in which the contract began, that week's end.
    """
    return week.ends_at_ms if Week.at(began_at_ms) == week else week.starts_at_ms
