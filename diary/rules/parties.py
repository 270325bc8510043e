"""Who may write what in a contract's log: the freelancer's devices, and the seats of others (R8, R48).

Until a client has joined, everything is the freelancer's to write. From then on the terms are the client's;
a device may still pause and close the contract, and resume it where the pause was the freelancer's. Server
and every reader ask the same question, in the order of the log. Pure.
"""

from collections.abc import Collection, Mapping
from itertools import takewhile

from diary.rules.change import Refused
from diary.rules.contract import TermsHistory
from diary.rules.ids import ReplicaId
from diary.rules.seat import SeatRole, types_of
from diary.rules.segment import ContractState, Header

_CLIENTS_ACTS = frozenset({"raised", "withdrawn"})
_CLIENTS_PAYMENTS = frozenset({"paid", "withdrawn_claim"})


def wrong_side(
    header: Header, seats: Mapping[ReplicaId, SeatRole], history: TermsHistory | None
) -> Refused | None:
    """Return why the row is not its writer's to write, None where it is (R8, R48).

    `seats` are all that ever joined the contract earlier in its log, and who sits there, those included whose
    right has ended since; `history` are its terms earlier in the log, None before the first. Every other
    writer is taken to be a device: whether it is one, and whether a seat may still write, is asked elsewhere.
    """
    if header.terms is not None and history is not None and header.terms.payer != history.first.payer:
        return Refused("payer_fixed", "who pays for a contract is what its first terms say")
    role = seats.get(header.replica)
    if role is not None:
        return _not_the_seats(header, role)
    refused = _not_a_devices(header)
    if refused is not None:
        return refused
    clients = [replica for replica, role in seats.items() if role == "client"]
    if header.type != "terms" or not clients or history is None:
        return None
    if header.state is None:
        return Refused("not_yours", "the terms are the client's since they have joined")
    return _not_the_freelancers(header.state, clients, history)


def _not_the_seats(header: Header, role: SeatRole) -> Refused | None:
    if header.type not in types_of(role):
        return Refused("not_yours", f"a {role} writes no {header.type}")
    if header.dispute is not None and header.dispute.act not in _CLIENTS_ACTS:
        return Refused("not_yours", "the freelancer replies to a dispute, or concedes it")
    if header.payment is not None and header.payment.act not in _CLIENTS_PAYMENTS:
        return Refused("not_yours", "the freelancer says what they received and gave back")
    return None


def _not_a_devices(header: Header) -> Refused | None:
    """Return why no device of the freelancer's writes this, None where one may (R61, R63)."""
    if (
        header.type in {"acceptance", "bonus"}
        or (header.dispute is not None and header.dispute.act in _CLIENTS_ACTS)
        or (header.payment is not None and header.payment.act in _CLIENTS_PAYMENTS)
    ):
        return Refused("not_yours", "only the client accepts, disputes, adds a bonus and says they paid")
    if header.payment is not None and header.payment.issuer is not None:
        return Refused("not_yours", "what came in for an agency's invoice the agency says, in its own log")
    return None


def _not_the_freelancers(
    state: ContractState, clients: Collection[ReplicaId], history: TermsHistory
) -> Refused | None:
    """Return why a device may not bring the contract into a state since the client has joined (R8, R9)."""
    known = history.newest.state
    if state == known or (known, state) in {("active", "paused"), ("active", "closed"), ("paused", "closed")}:
        return None
    if known == "closed":
        return Refused("contract_closed", "the contract is closed, and only the client can open it again")
    paused = takewhile(lambda version: version.terms.state == "paused", reversed(history.versions))
    if any(version.name[0] in clients for version in paused):
        return Refused("contract_paused", "the client has paused the contract, and resumes it")
    return None
