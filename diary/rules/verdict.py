"""Which segments bill, and why the others do not (R16, R21, R27, R28, R38).

A verdict depends on clear headers, terms and `received_at` only, so that device, server and client reach
the same one (R29). The order is: deleted, late, what could never bill, overlapping, over the limit.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from diary.rules.contract import TermsHistory
from diary.rules.ids import MINUTES_PER_SLOT, ContractId, Millis, Slot
from diary.rules.merge import Kind, Standing
from diary.rules.timesheet import Place, WhyNot
from diary.rules.week import Week


@dataclass(frozen=True, slots=True)
class Fact:
    """What a verdict needs to know of one (contract, slot); `fact_of` makes it from a standing.

    `kind` is None where nothing bills. `received_at_ms` is the first receipt of a capture or claim of the
    present life, None while the server has none; `claimed_at_ms` is the last one, None for the same.
    `accepted`: the client accepted late time in the slot (R38).
    """

    contract: ContractId
    slot: Slot
    kind: Kind | None
    deleted: bool
    has_picture: bool
    received_at_ms: Millis | None
    claimed_at_ms: Millis | None = None
    accepted: bool = False


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a segment bills; `why_not` is None when it does, or when nothing stands there.

    `bonus`: it bills apart from the week, as late time that the client accepted (R38).
    """

    bills: bool
    why_not: WhyNot | None
    bonus: bool = False


def fact_of(contract: ContractId, slot: Slot, stands: Standing, *, accepted: bool = False) -> Fact:
    """Return what a verdict needs to know of a standing."""
    return Fact(
        contract=contract,
        slot=slot,
        kind=stands.kind,
        deleted=stands.deleted,
        has_picture=stands.has_picture,
        received_at_ms=stands.received_at_ms,
        claimed_at_ms=stands.claimed_at_ms,
        accepted=accepted,
    )


def within_limit(slots: Iterable[Slot], limit_minutes: int | None) -> frozenset[Slot]:
    """Return the slots of one week that the weekly limit lets bill: the earliest of them (R27).

    `slots` are one contract's, in any order, each once. A limit of None lets all bill; one that is no
    multiple of ten rounds down.

    Raises:
        ValueError: A slot appears twice, or the limit is negative.
    """
    in_order = sorted(slots)
    if len(set(in_order)) != len(in_order):
        raise ValueError("a slot appears twice")
    if limit_minutes is None:
        return frozenset(in_order)
    if limit_minutes < 0:
        raise ValueError(f"a limit of {limit_minutes} minutes")
    return frozenset(in_order[: limit_minutes // MINUTES_PER_SLOT])


def verdicts(
    week: Week,
    facts: Sequence[Fact],
    histories: Mapping[ContractId, TermsHistory],
    *,
    at_ms: int | None = None,
    stated: Collection[Place] = frozenset(),
) -> dict[Place, Verdict]:
    """Return the verdict on every fact of one account's week (R27, R28, R38).

    Late time that its client accepted bills whatever the limit is and uses nothing of it; who accepts it has
    seen whether it has a picture (R16). It gives way where something else bills in its slot.

    `facts` are all of the account's, each place once, since segments of different contracts compete for a
    slot. What the server has not taken counts as if it took it at `at_ms`: late once the week is frozen;
    without `at_ms` as taken in time, after all others. `stated` are places that the server said another
    contract of the account has: who sees one contract alone cannot know it, and takes it as stated (R28).

    Raises:
        ValueError: A fact lies in another week, or a place appears twice.
    """
    if len({(fact.contract, fact.slot) for fact in facts}) != len(facts):
        raise ValueError("a place appears twice")
    if any(fact.slot not in week.slots for fact in facts):
        raise ValueError(f"a fact lies outside {week.name}")
    judged: dict[Place, Verdict] = {}
    rivals: dict[Slot, list[Fact]] = defaultdict(list)
    for fact in facts:
        why_not = _never_bills(week, fact, histories[fact.contract], at_ms)
        if why_not is not None or fact.kind is None:
            judged[fact.contract, fact.slot] = Verdict(bills=False, why_not=why_not)
        elif (fact.contract, fact.slot) in stated:
            judged[fact.contract, fact.slot] = Verdict(bills=False, why_not="overlapping")
        else:
            rivals[fact.slot].append(fact)
    owners: dict[ContractId, list[Slot]] = defaultdict(list)
    for slot, claimants in rivals.items():
        first, *others = sorted(claimants, key=_precedence)
        if _is_late(week, first, at_ms):
            judged[first.contract, slot] = Verdict(bills=True, why_not=None, bonus=True)
        else:
            owners[first.contract].append(slot)
        for other in others:
            judged[other.contract, slot] = Verdict(bills=False, why_not="overlapping")
    for contract, slots in owners.items():
        billing = within_limit(slots, histories[contract].limit_minutes(week))
        for slot in slots:
            bills = slot in billing
            judged[contract, slot] = Verdict(bills=bills, why_not=None if bills else "over_limit")
    return judged


def _never_bills(week: Week, fact: Fact, history: TermsHistory, at_ms: int | None) -> WhyNot | None:
    """Return why the segment does not bill whatever else stands in its slot, or None."""
    if fact.deleted:
        return "deleted"
    is_late = _is_late(week, fact, at_ms)
    if is_late and not fact.accepted:
        return "late"
    if history.at(week.starts_at_ms).kind == "fixed_price":
        return "fixed_price"
    if not is_late and not fact.has_picture and not _manual_is_allowed(week, fact, history, at_ms):
        return "manual_not_allowed"
    return None


def _is_late(week: Week, fact: Fact, at_ms: int | None) -> bool:
    received_at_ms = at_ms if fact.received_at_ms is None else fact.received_at_ms
    return received_at_ms is not None and week.is_frozen(received_at_ms)


def _manual_is_allowed(week: Week, fact: Fact, history: TermsHistory, at_ms: int | None) -> bool:
    """Return whether the terms allowed manual time when it was last claimed (R8, R16).

    The last claim decides: who was allowed manual time later may claim a capture without a picture then.
    """
    claimed_at_ms = fact.claimed_at_ms or fact.received_at_ms or at_ms or week.locked_at_ms - 1
    return history.manual_allowed_for(week, claimed_at_ms)


def _precedence(fact: Fact) -> tuple[bool, int, ContractId]:
    """Sort the present life that was received first to the front; ties: the smaller contract id (R28)."""
    return fact.received_at_ms is None, fact.received_at_ms or 0, fact.contract
