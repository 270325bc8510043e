"""Which agency bills a contract's week: only what member and agency both said, as their logs show it.

The member lets a manager of the agency read the contract, the agency's own log puts it on its bill; what
counts is what both had said by one instant (`stays.decided_at_ms`). Server and devices run this same
code. Pure.
"""

from collections.abc import Iterable

from diary.evidence.seats import Seats
from diary.rules.ids import AccountId, ContractId
from diary.rules.stays import Stay


def reading_agency(seats: Seats, at_ms: int) -> AccountId | None:
    """Return the agency whose manager read a contract at an instant: of several the first that came."""
    return next(
        (seat.agency for seat in seats.seats.values() if seat.agency is not None and seat.in_force_at(at_ms)),
        None,
    )


def stay_at(stays: Iterable[Stay], member: AccountId, contract: ContractId, at_ms: int) -> Stay | None:
    """Return the stay of a member's contract on an agency's bill at an instant, None where it was on none."""
    return next(
        (stay for stay in stays if (stay.member, stay.contract) == (member, contract) and stay.covers(at_ms)),
        None,
    )
