"""Who bills which contract's week: an agency what its members granted, everybody else their own (R61).

Member and agency must both have said so by the instant that settles the week, long before it is closed; what
an agency bills is left out of its member's invoices in the member's own transaction.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping

from diary.evidence.agency import reading_agency, stay_at
from diary.rules.ids import AccountId, ContractId, Millis
from diary.rules.stays import Stay, decided_at_ms, stays
from diary.rules.week import Week
from sync.server.storage import AccountHold

Billed = Mapping[ContractId, tuple[AccountId, Stay]]
"""By which agency contracts are billed, and their stay on its bill."""


def elsewhere(hold: AccountHold, account: AccountId, contracts: Collection[ContractId], week: Week) -> Billed:
    """Return those of the account's contracts whose week an agency bills (R61)."""
    found: dict[ContractId, tuple[AccountId, Stay]] = {}
    on_bill: dict[AccountId, tuple[Stay, ...]] = {}
    managed = {
        contract: there
        for contract, there in hold.seats(contracts).items()
        if "manager" in there.roles.values()  # of almost all contracts there is none
    }
    for contract, versions in hold.terms(managed.keys()).items() if managed else ():
        at_ms = decided_at_ms(week, versions[0].received_at_ms)
        agency = reading_agency(managed[contract], at_ms)
        if agency is None or agency == account:
            continue
        if agency not in on_bill:
            on_bill[agency] = stays(hold.beside(agency).memberships())
        stay = stay_at(on_bill[agency], account, contract, at_ms)
        if stay is not None:
            found[contract] = agency, stay
    return found


def members(
    hold: AccountHold, account: AccountId, week: Week
) -> dict[AccountId, dict[ContractId, str | None]]:
    """Return whose contracts this account bills for a week as an agency, each with its payer (R61).

    A payer of None is a bill for the contract alone. Most accounts are no agency.
    """
    wanted: dict[AccountId, set[ContractId]] = defaultdict(set)
    for stay in stays(hold.memberships()):
        wanted[stay.member].add(stay.contract)
    found: dict[AccountId, dict[ContractId, str | None]] = {}
    for member in sorted(wanted):
        for contract, (agency, stay) in elsewhere(hold.beside(member), member, wanted[member], week).items():
            if agency == account:
                found.setdefault(member, {})[contract] = stay.payer
    return found


def unsealed_members(hold: AccountHold, account: AccountId, lock_ms: Millis) -> list[AccountId]:
    """Return the members whose weeks must be sealed up to a lock before the agency bills them (R57, R61)."""
    said = stays(hold.memberships())
    return [
        member
        for member in sorted({stay.member for stay in said} - {account})
        if (beside := hold.beside(member)).all_logs() and beside.sealed_until_ms < lock_ms
    ]
