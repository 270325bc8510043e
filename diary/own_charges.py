"""What this replica's own rows make due: by that invoices are judged (R57, R61).

Hours by the week's seal that agrees, late time by the rows that accepted it, bonuses by theirs.
"""

from collections.abc import Collection, Iterable

from diary import contracts, looking, parties
from diary.rules.acts import accepted_slots
from diary.rules.ids import ContractId, Slot
from diary.rules.invoice import Charge, bonus_charges, hours_charge, late_charges, payers_of
from diary.rules.invoice_borne import Own
from diary.rules.payments import bonuses
from diary.rules.week import Week
from diary.state import OpenDiary
from diary.store import seals
from diary.store.seals import KeptSeal


def own_charges(diary: OpenDiary, weeks: Collection[str]) -> Own | None:
    """Return what the own rows make due in these weeks; None while a seal of them is still to be judged."""
    found: list[Charge] = []
    with diary.reading():
        known = contracts.known(diary)
        for week in weeks:
            for kept in seals.newest_of(diary.connection, week).values():
                if kept.agrees is None:
                    return None
                charge = seal_charge(kept)
                found += [] if charge is None else [charge]
    for charge in said_charges(diary):
        if charge.line.what == "bonus" or (charge.line.week in weeks and charge.line.amount_minor):
            found.append(charge)
    payers = payers_of({contract: one.history for contract, one in known.items()})
    return Own({charge.key: charge for charge in found}, payers)


def seal_charge(kept: KeptSeal) -> Charge | None:
    """Return the hours of a sealed week; None for nothing, and where the seal is not borne out here."""
    reckoned = kept.seal.reckoning
    if not kept.agrees or not reckoned.amount_minor:
        return None
    return hours_charge(
        kept.seal.contract,
        Week.parse(kept.seal.week),
        reckoned.billable,
        reckoned.terms.rate_minor,
        reckoned.terms.currency,
        reckoned.amount_minor,
    )


def said_charges(diary: OpenDiary) -> list[Charge]:
    """Return what accepted late time and bonuses come to, of all contracts, as far as they were received."""
    with diary.reading():
        known = contracts.known(diary)
        acts = {contract: parties.held_acts(diary, contract) for contract in known}
    found: list[Charge] = []
    for contract, said in acts.items():
        received = [act for act in said if act.received_at_ms is not None]
        accepted = accepted_slots(received)
        billing = _billing_late(diary, contract, accepted)
        found += late_charges(contract, accepted, billing, known[contract].history)
        found += bonus_charges(contract, bonuses(received))
    return found


def _billing_late(diary: OpenDiary, contract: ContractId, accepted: Iterable[Slot]) -> frozenset[Slot]:
    """Return the accepted late slots that bill: one that another contract has does not (R28, R38)."""
    slots = set(accepted)
    return frozenset(
        segment.slot
        for week in {Week.of(slot) for slot in slots}
        for segment in looking.week(diary, week).segments
        if segment.contract == contract and segment.slot in slots and segment.bills
    )
