"""Invoices and the ledger at the server: what lock, rows, time and gateway make of them (R61, R62, R63).

Everything here happens in the transaction of what causes it, under the account's lock: numbers have no gap,
and what was posted stands or falls with the seal or the row behind it. The rules reckon; this asks and keeps.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

import msgspec

from diary.evidence.opening import FIRST_EPOCH
from diary.evidence.seal import Reckoning, own_seal
from diary.rules.acts import accepted_slots
from diary.rules.contract import TermsHistory
from diary.rules.ids import AccountId, ContractId, Millis, Slot
from diary.rules.invoice import (
    Charge,
    Issue,
    Life,
    bonus_charges,
    charges_of,
    closing_week,
    hours_charge,
    invoices,
    late_charges,
    payers_of,
    still_due,
)
from diary.rules.invoice_parts import Invoice
from diary.rules.ledger import Facts, Position, entries, next_step_ms, position_of
from diary.rules.ledger_entry import LedgerEntry, to_post
from diary.rules.merge import Held, standing
from diary.rules.payments import bonuses, contract_of
from diary.rules.segment import Header
from diary.rules.verdict import fact_of, verdicts
from diary.rules.week import Week
from sync.server import agency_bills
from sync.server.agency_books import Acts, acts_of
from sync.server.billed_before import first_of, hours_not_billed
from sync.server.kept_invoices import NO_STEP, InvoiceBooks, NewInvoice
from sync.server.log import ServerKey
from sync.server.storage import AccountHold, Storage

MONEY_TYPES = frozenset({"dispute", "payment"})
"""Rows that move what is billed already; a bonus and accepted late time wait for the next lock."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """A week that was reckoned for one contract just now (R57)."""

    week: Week
    contract: ContractId
    reckoning: Reckoning


def close(
    hold: AccountHold,
    account: AccountId,
    key: ServerKey,
    life: Life,
    sealed: Sequence[Sealed],
    locks_ms: tuple[Millis, Millis],
) -> int:
    """Issue the invoices of the locks that passed after the first of the two, the second included (R61).

    `sealed` are the weeks that they froze. Returns how many invoices were issued.
    """
    acts = _acts_of_all(hold, account)
    own = agency_bills.said(hold)
    weeks = {one.week for one in sealed} | _weeks_of_said(acts, locks_ms) | agency_bills.weeks(own, locks_ms)
    also = [hold.beside(agency).invoices for agency in agency_bills.agencies_of(hold, acts.keys())]
    issued = 0
    for week in sorted(weeks):
        of_week = [one for one in sealed if one.week == week]
        contracts = {one.contract for one in of_week} | acts.keys()
        histories = _histories(hold, contracts)
        theirs = agency_bills.elsewhere(hold, account, contracts, week)
        charges = [_hours(one) for one in of_week]
        charges += _said_by(hold, acts, histories, week, also)
        charges = [charge for charge in charges if charge.line.contract not in theirs]
        payers = payers_of(histories)
        for member, on_bill in agency_bills.members(hold, account, week, own).items() if own else ():
            charges += _of_member(hold, account, member, on_bill.keys(), week)
            payers |= {contract: payer or contract for contract, payer in on_bill.items()}
        # What a restored server was shown again is billed (R43); no other has a bill of the week yet.
        before = hold.invoices.of_weeks([week.name]) if hold.log_epoch > FIRST_EPOCH else []
        charges = hours_not_billed(charges, before, week)
        closed_at_ms = hold.received_at_ms if before else week.locked_at_ms
        issue = Issue(account, week, closed_at_ms, life, hold.invoices.issued + 1)
        made = invoices(issue, charges, payers, first_of(before))
        issued += len(_keep(hold, key, made, acts))
    return issued


def _of_member(
    hold: AccountHold, account: AccountId, member: AccountId, contracts: Collection[ContractId], week: Week
) -> list[Charge]:
    """Return what a member's contracts come to in a sealed week, as lines of the agency's bill (R61)."""
    beside = hold.beside(member)
    acts = _acts_of_all(beside, member)
    also = [
        hold.invoices if agency == account else hold.beside(agency).invoices
        for agency in agency_bills.agencies_of(beside, acts.keys())
    ]
    charges = [
        _hours(Sealed(week, contract, own_seal(signed).reckoning))
        for contract, signed in beside.newest_seals(week.name).items()
    ]
    charges += _said_by(beside, acts, _histories(beside, acts.keys()), week, also)
    return [
        Charge(charge.currency, msgspec.structs.replace(charge.line, member=member))
        for charge in charges
        if charge.line.contract in contracts
    ]


def close_anew(
    hold: AccountHold, account: AccountId, key: ServerKey, life: Life, sealed: Sequence[Sealed], first: Week
) -> int:
    """Correct the invoices of weeks that healed rows have changed, from a week to the last sealed (R43, R61).

    `sealed` are the weeks that were reckoned anew. What was billed stays; the difference is an invoice.
    """
    acts = _acts_of_all(hold, account)
    weeks: set[Week] = set()
    week = first
    while week.locked_at_ms <= hold.sealed_until_ms:
        weeks.add(week)
        week = week.next()
    also = [hold.beside(agency).invoices for agency in agency_bills.agencies_of(hold, acts.keys())]
    issued = 0
    anew = {(one.week, one.contract): one for one in sealed}
    for week in sorted(weeks):
        of_week = [one for one in anew.values() if one.week == week]
        contracts = {one.contract for one in of_week} | acts.keys()
        histories = _histories(hold, contracts)
        before = hold.invoices.of_weeks([week.name])
        billed = [
            charge
            for charge in charges_of(before)
            if charge.line.what == "hours"
            and charge.line.week == week.name
            and charge.line.contract in {one.contract for one in of_week}
        ]
        theirs = agency_bills.elsewhere(hold, account, contracts, week)
        charges = still_due([_hours(one) for one in of_week], billed)
        charges += _said_by(hold, acts, histories, week, also)
        charges = [charge for charge in charges if charge.line.contract not in theirs]
        issue = Issue(account, week, hold.received_at_ms, life, hold.invoices.issued + 1)
        made = invoices(issue, charges, payers_of(histories), first_of(before))
        issued += len(_keep(hold, key, made, acts))
        post(hold, before, acts)
    return issued


def post_all(hold: AccountHold, account: AccountId) -> None:
    """Post what is due of all invoices: a restored server got some of them, or rows, back (R43)."""
    contracts = {contract for contract in hold.all_logs() if str(contract) != str(account)}
    contracts |= {stay.contract for stay in agency_bills.said(hold)}
    billed = hold.invoices.of(contracts)
    post(hold, billed, acts_of(hold, billed))


def take_steps(hold: AccountHold) -> None:
    """Post the steps by time that are due; most transactions find none (R62)."""
    if not 0 < hold.invoices.due_ms <= hold.received_at_ms:
        return
    due = hold.invoices.stepping(hold.received_at_ms)
    post(hold, due, acts_of(hold, due))


def post_about(hold: AccountHold, contracts: Collection[ContractId]) -> None:
    """Post what new rows, or what the gateway told, do to the invoices of some contracts (R62, R63)."""
    post(hold, hold.invoices.of(contracts), hold.acts(contracts))


def post_rows(hold: AccountHold, headers: Sequence[Header]) -> Mapping[AccountId, Collection[ContractId]]:
    """Post what new rows do; return in which agencies' ledgers they do something too, of which contracts.

    What an agency says in its own log of a payment is about its own invoices (R61, R62, R63).
    """
    if of_members := {contract_of(header) for header in headers if header.in_own_log}:
        post_about_members(hold, of_members)
    moved = {header.contract for header in headers if not header.in_own_log}
    if not moved:
        return {}
    post_about(hold, moved)
    return agency_bills.agencies_of(hold, moved)


def post_beside(storage: Storage, agencies: Mapping[AccountId, Collection[ContractId]]) -> None:
    """Post in agencies' ledgers what rows of their members' contracts do, after their commit (R61, R62)."""
    for agency, contracts in agencies.items():
        # Another account, so another transaction; cut short it is done with the next row or step.
        with storage.hold(agency) as hold:
            post_about_members(hold, contracts)


def post_about_members(hold: AccountHold, contracts: Collection[ContractId]) -> None:
    """Post what new rows of members' contracts do to the invoices of the agency that holds (R61, R62)."""
    billed = hold.invoices.of(contracts)
    acts = acts_of(hold, billed)
    post(hold, billed, {contract: acts[contract] for contract in contracts if contract in acts})


def post(hold: AccountHold, billed: Sequence[Invoice], acts: Acts) -> None:
    """Enter what is due of invoices by this instant and not posted yet, of the contracts in `acts` (R62)."""
    contracts = {line.contract for invoice in billed for line in invoice.lines} & acts.keys()
    if not contracts:
        return
    positions = list(_positions(hold, billed, contracts, acts))
    events = hold.invoices.gateway_events(contracts)
    posted: dict[tuple[ContractId, int], list[LedgerEntry]] = defaultdict(list)
    for entry in hold.invoices.entries(contracts, {invoice.number for invoice in billed}):
        posted[entry.contract, entry.invoice].append(entry)
    at_ms = hold.received_at_ms
    found: list[LedgerEntry] = []
    for position in positions:
        derived = entries(position, Facts(acts[position.contract], events), at_ms)
        found += to_post(posted[position.contract, position.invoice], derived, at_ms)
    hold.invoices.post(found)
    steps = {position.invoice: next_step_ms(position, at_ms) or NO_STEP for position in positions}
    if steps:
        hold.invoices.note_steps(steps)


def _keep(hold: AccountHold, key: ServerKey, made: Sequence[Invoice], acts: Acts) -> Sequence[Invoice]:
    """Keep and sign new invoices, and post their closing."""
    if made:
        hold.invoices.keep([NewInvoice(invoice, key.invoice(invoice)) for invoice in made])
        post(hold, made, {**acts, **acts_of(hold, made, only_members=True)})
    return made


def _acts_of_all(hold: AccountHold, account: AccountId) -> Acts:
    return hold.acts([contract for contract in hold.all_logs() if str(contract) != str(account)])


def _histories(hold: AccountHold, contracts: Collection[ContractId]) -> dict[ContractId, TermsHistory]:
    return {contract: TermsHistory(terms) for contract, terms in hold.terms(contracts).items()}


def _hours(one: Sealed) -> Charge:
    terms = one.reckoning.terms
    return hours_charge(
        one.contract,
        one.week,
        one.reckoning.billable,
        terms.rate_minor,
        terms.currency,
        one.reckoning.amount_minor,
    )


def _before(acts: Iterable[Held], lock_ms: Millis) -> list[Held]:
    return [act for act in acts if act.received_at_ms is not None and act.received_at_ms < lock_ms]


def _between(act: Held, locks_ms: tuple[Millis, Millis]) -> bool:
    """Return whether a row was received in time for the invoices of the second lock, and not of the first."""
    return act.received_at_ms is not None and locks_ms[0] <= act.received_at_ms < locks_ms[1]


def _weeks_of_said(acts: Acts, locks_ms: tuple[Millis, Millis]) -> set[Week]:
    """Return the weeks on whose invoices bonuses and accepted late time stand (R38, R62)."""
    return {
        closing_week(act.received_at_ms or Millis(0))
        for said in acts.values()
        for act in said
        if _between(act, locks_ms) and (act.header.bonus is not None or _accepts(act))
    }


def _accepts(act: Held) -> bool:
    return act.header.acceptance is not None and act.header.acceptance.slots is not None


def _said_by(
    hold: AccountHold,
    acts: Acts,
    histories: Mapping[ContractId, TermsHistory],
    week: Week,
    also: Sequence[InvoiceBooks] = (),
) -> list[Charge]:
    """Return what bonuses and accepted late time come to on the invoices of a week (R38, R62).

    Also what they have changed in what was billed before: who has a slot may be another contract now (R28).
    `also` are the books of agencies, in which some of it may stand.
    """
    locks_ms = (week.previous().locked_at_ms, week.locked_at_ms)
    due: list[Charge] = []
    late_weeks: set[Week] = set()
    for contract, said in acts.items():
        new = [act for act in said if _between(act, locks_ms)]
        due += bonus_charges(contract, bonuses(new))
        late_weeks |= {
            Week.of(slot)
            for act in new
            if act.header.acceptance is not None
            for slot in act.header.acceptance.slots or ()
        }
    names = {late.name for late in late_weeks}
    if not due and not names:
        return []
    for late in sorted(late_weeks):
        due += _late(hold, acts, histories, late, week.locked_at_ms)
    wanted = {charge.key for charge in due}
    billed = [
        charge
        for books in (hold.invoices, *also)
        for charge in charges_of(books.of(acts.keys()))
        if charge.line.contract in acts
        and (charge.key in wanted or (charge.line.what == "late" and charge.line.week in names))
    ]
    return still_due(due, billed)


def _late(
    hold: AccountHold,
    acts: Acts,
    histories: Mapping[ContractId, TermsHistory],
    week: Week,
    lock_ms: Millis,
) -> list[Charge]:
    """Return all that accepted late time of a week comes to, as it was known at a lock (R28, R38)."""
    held = hold.segments(week.first_slot, week.next().first_slot)
    known = dict(histories) | _histories(hold, held.keys() - histories.keys())
    accepted = {contract: accepted_slots(_before(acts.get(contract, ()), lock_ms)) for contract in held}
    facts = []
    for contract, versions in held.items():
        by_slot: dict[Slot, list[Held]] = defaultdict(list)
        for version in _before(versions, lock_ms):
            assert version.header.slot is not None, "segments have slots"
            by_slot[version.header.slot].append(version)
        facts += [
            fact_of(contract, slot, standing(there), accepted=slot in accepted[contract])
            for slot, there in by_slot.items()
            if contract in known
        ]
    bonus = {place for place, verdict in verdicts(week, facts, known).items() if verdict.bonus}
    return [
        charge
        for contract, slots in accepted.items()
        if contract in known
        for charge in late_charges(
            contract,
            {slot: act for slot, act in slots.items() if Week.of(slot) == week},
            {slot for of, slot in bonus if of == contract},
            known[contract],
        )
    ]


def _positions(
    hold: AccountHold, billed: Iterable[Invoice], contracts: Collection[ContractId], acts: Acts
) -> Iterable[Position]:
    """Yield the contracts' parts of invoices; the seals are asked what bills only where it is disputed."""
    disputed = {
        contract for contract in contracts if any(act.header.dispute is not None for act in acts[contract])
    }
    seals: dict[tuple[str, AccountId | None], Mapping[ContractId, Reckoning]] = {}
    for invoice in billed:
        for contract, member in dict.fromkeys((line.contract, line.member) for line in invoice.lines):
            if contract not in contracts:
                continue
            billing: frozenset[Slot] = frozenset()
            if contract in disputed and invoice.corrects is None:
                of_week = invoice.week, member
                if of_week not in seals:
                    source = hold if member is None else hold.beside(member)
                    newest = source.newest_seals(invoice.week)
                    seals[of_week] = {of: own_seal(seal).reckoning for of, seal in newest.items()}
                if contract in seals[of_week]:
                    billing = frozenset(slot.slot for slot in seals[of_week][contract].slots if slot.bills)
            yield position_of(invoice, contract, billing)
