"""What is said of an agency's money, by its own devices and by its members' clients, and where (R61-R63).

What a member's client claims, and disputes, stands in the member's contract's log; that it has come in the
agency says in its own log, for it has the money and no part in the contract. Either side is read beside the
account that is held, and only of contracts that the agency's manager was let in to.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence

from diary.evidence.seal import own_seal
from diary.rules.elsewhere import SaidElsewhere
from diary.rules.ids import AccountId, ContractId, Millis, Slot
from diary.rules.invoice_parts import Invoice
from diary.rules.merge import Held
from diary.rules.payments import contract_of, issuer_of, of_contract
from diary.rules.segment import Header
from diary.rules.week import Week
from sync.server import agency_bills
from sync.server.storage import AccountHold

Acts = Mapping[ContractId, Sequence[Held]]


def said_by(hold: AccountHold, agency: AccountId) -> list[Held]:
    """Return what an agency, whose hold it is, says in its own log of payments, in its order (R63)."""
    own_log = ContractId(agency)
    return list(hold.acts({own_log})[own_log])


def acts_of(hold: AccountHold, billed: Iterable[Invoice], *, only_members: bool = False) -> Acts:
    """Return what was said of the contracts on invoices of the account that is held (R61).

    A member's is what stands in the member's logs, and what the account itself says of it in its own.
    """
    asked: dict[AccountId | None, set[ContractId]] = defaultdict(set)
    issuer: AccountId | None = None
    for invoice in billed:
        issuer = invoice.account
        for line in invoice.lines:
            asked[line.member].add(line.contract)
    found: dict[ContractId, Sequence[Held]] = {}
    own = said_by(hold, issuer) if issuer is not None and asked.keys() - {None} else []
    for member, contracts in asked.items():
        if member is not None:
            theirs = hold.beside(member).acts(contracts)
            found.update({one: [*acts, *of_contract(own, one)] for one, acts in theirs.items()})
        elif not only_members:
            found.update(hold.acts(contracts))
    return found


def of_agencies(hold: AccountHold, contracts: Collection[ContractId]) -> dict[ContractId, list[Held]]:
    """Return what agencies say in their own logs of payments of the account's contracts: of most nothing."""
    found: dict[ContractId, list[Held]] = defaultdict(list)
    for agency, managed in agency_bills.agencies_of(hold, contracts).items():
        said = said_by(hold.beside(agency), agency)
        for contract in managed:
            found[contract] += of_contract(said, contract)
    return {contract: said for contract, said in found.items() if said}


def also_said(hold: AccountHold, paid: Sequence[Header], acts: Acts) -> dict[ContractId, list[Held]]:
    """Return all that was said of the contracts whose payments are pushed, in this log and others (R63).

    `acts` are what stands in the logs to which the rows go.
    """
    found = {
        contract: [*acts.get(contract, ()), *said]
        for contract, said in of_agencies(hold, {header.contract for header in paid}).items()
    }
    about = {contract_of(header) for header in paid if header.in_own_log}
    if about:
        of_members = acts_of(hold, hold.invoices.of(about), only_members=True)
        found |= {contract: list(said) for contract, said in of_members.items() if contract in about}
    return found


def of_members(hold: AccountHold, agency: AccountId) -> dict[ContractId, list[Held]]:
    """Return what the logs of an agency's members' contracts say of payments of its bills, and disputes."""
    wanted: dict[AccountId, set[ContractId]] = defaultdict(set)
    for stay in agency_bills.said(hold):
        wanted[stay.member].add(stay.contract)
    found: dict[ContractId, list[Held]] = {}
    for member, contracts in wanted.items():
        beside = hold.beside(member)
        granted = agency_bills.agencies_of(beside, contracts).get(agency, set())
        for contract, acts in beside.acts(granted).items() if granted else ():
            found[contract] = [act for act in acts if _concerns(act, agency)]
    return found


def _concerns(act: Held, agency: AccountId) -> bool:
    header = act.header
    if header.payment is not None:
        return issuer_of(header, header.payment) == agency
    return header.dispute is not None


def told(hold: AccountHold, account: AccountId, only: ContractId | None, from_ms: int) -> list[SaidElsewhere]:
    """Return what is said of the account's money in logs that who asks does not read (R62, R63).

    To a member's devices, and with `only` to that contract's seats: what agencies say of payments. To an
    agency's devices: what its members' contracts hold of them, with what bills in a week that is disputed.
    """
    contracts = hold.managed() if only is None else hold.managed() & {only}
    found = [
        _told(contract, act)
        for contract, acts in of_agencies(hold, contracts).items()
        for act in acts
        if (act.received_at_ms or 0) >= from_ms
    ]
    if only is not None:
        return found
    for contract, acts in of_members(hold, account).items():
        for act in acts:
            if (act.received_at_ms or 0) >= from_ms:
                bills = _billing(hold.beside(act.header.account), act) if act.header.dispute else []
                found.append(_told(contract, act, bills))
    return found


def _told(contract: ContractId, act: Held, bills: Sequence[Slot] = ()) -> SaidElsewhere:
    header = act.header
    return SaidElsewhere(
        account=header.account,
        contract=contract,
        replica=header.replica,
        n=header.n,
        at_ms=act.received_at_ms or Millis(0),
        payment=header.payment,
        dispute=header.dispute,
        bills=tuple(bills),
    )


def _billing(beside: AccountHold, act: Held) -> list[Slot]:
    """Return which slots bill in the weeks that a dispute names: by them its share is reckoned (R62)."""
    slots = () if act.header.dispute is None else act.header.dispute.slots
    found: list[Slot] = []
    for week in sorted({Week.of(slot) for slot in slots}):
        signed = beside.newest_seals(week.name).get(act.header.contract)
        if signed is not None:
            found += [slot.slot for slot in own_seal(signed).reckoning.slots if slot.bills]
    return found
