"""Who bills which contract's week: an agency what its members granted, everybody else their own (R61).

Member and agency must both have said so by the instant that settles the week, long before it is closed; what
an agency bills is left out of its member's invoices, in the member's own transaction. An account that is an
agency is no other agency's member: so none waits for another that waits for it.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence

from diary.evidence.agency import reading_agency, stay_at
from diary.rules.ids import AccountId, ContractId, Millis
from diary.rules.stays import Stay, decided_at_ms, stays
from diary.rules.week import LOCK_MILLIS_AFTER_WEEK, Week
from sync.server.storage import AccountHold

Billed = Mapping[ContractId, tuple[AccountId, Stay]]
"""By which agency contracts are billed, and their stay on its bill."""


def said(hold: AccountHold) -> tuple[Stay, ...]:
    """Return how long which contracts stood on the account's own bill as an agency: mostly none."""
    return stays(hold.memberships())


def agencies_of(hold: AccountHold, contracts: Collection[ContractId]) -> dict[AccountId, set[ContractId]]:
    """Return whose managers ever sat at which of the contracts: of most none (R51)."""
    found: dict[AccountId, set[ContractId]] = defaultdict(set)
    managed = hold.managed() & set(contracts)
    for contract, there in hold.seats(managed).items() if managed else ():
        for seat in there.seats.values():
            if seat.agency is not None:
                found[seat.agency].add(contract)
    return dict(found)


def elsewhere(hold: AccountHold, account: AccountId, contracts: Collection[ContractId], week: Week) -> Billed:
    """Return those of the account's contracts whose week an agency bills (R61)."""
    managed = hold.managed() & set(contracts)
    if not managed:  # of almost all accounts
        return {}
    found: dict[ContractId, tuple[AccountId, Stay]] = {}
    on_bill: dict[AccountId, tuple[Stay, ...]] = {}
    own = said(hold)
    there = hold.seats(managed)
    for contract, versions in hold.terms(managed).items():
        at_ms = decided_at_ms(week, versions[0].received_at_ms)
        agency = reading_agency(there[contract], at_ms)
        if agency is None or agency == account or _is_agency(own, at_ms):
            continue
        if agency not in on_bill:
            on_bill[agency] = said(hold.beside(agency))
        stay = stay_at(on_bill[agency], account, contract, at_ms)
        if stay is not None:
            found[contract] = agency, stay
    return found


def members(
    hold: AccountHold, account: AccountId, week: Week, own: Sequence[Stay]
) -> dict[AccountId, dict[ContractId, str | None]]:
    """Return whose contracts this account bills for a week as an agency, each with its payer (R61).

    `own` is what it said of members; a payer of None is a bill for the contract alone.
    """
    wanted: dict[AccountId, set[ContractId]] = defaultdict(set)
    for stay in own:
        wanted[stay.member].add(stay.contract)
    found: dict[AccountId, dict[ContractId, str | None]] = {}
    for member in sorted(wanted):
        for contract, (agency, stay) in elsewhere(hold.beside(member), member, wanted[member], week).items():
            if agency == account:
                found.setdefault(member, {})[contract] = stay.payer
    return found


def weeks(own: Sequence[Stay], locks_ms: tuple[Millis, Millis]) -> set[Week]:
    """Return the weeks that an agency may have to bill of those whose locks passed (R61)."""
    if not own:
        return set()
    week = max(Week.at(min(stay.from_ms for stay in own)), _after(locks_ms[0]))
    found = set()
    while week.locked_at_ms <= locks_ms[1]:
        found.add(week)
        week = week.next()
    return found


def unsealed_members(hold: AccountHold, account: AccountId, lock_ms: Millis) -> list[AccountId]:
    """Return the members whose weeks must be sealed up to a lock before the agency bills them (R57, R61)."""
    found = []
    for member in sorted({stay.member for stay in said(hold)} - {account}):
        beside = hold.beside(member)
        if beside.sealed_until_ms >= lock_ms or not beside.all_logs():
            continue
        if not _is_agency(said(beside), lock_ms - LOCK_MILLIS_AFTER_WEEK):
            found.append(member)
    return found


def _is_agency(own: Sequence[Stay], at_ms: int) -> bool:
    """Return whether an account had said before an instant that it bills anybody."""
    return any(stay.from_ms < at_ms for stay in own)


def _after(lock_ms: int) -> Week:
    """Return the week that freezes next after a lock; that of the beginning of time for none."""
    return Week.at(max(0, lock_ms - LOCK_MILLIS_AFTER_WEEK))
