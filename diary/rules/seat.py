"""A seat in a contract, in clear: by which invitation it came and under which keys it writes (R51).

A **seat** is one key pair of the client's in one contract, or of the manager's whose agency the contract
stands under: a browser, or a replica made by `diary join`. Its id is a replica id like a device's; it writes
into the log of its contract and into no other, a manager nothing that changes anything.
"""

import re
from typing import Literal

import msgspec
from msgspec import UNSET, UnsetType

from diary.rules.ids import AccountId, Millis, ReplicaId

INVITATION = "invitation"
"""In the place of a device's id: the grant is sealed to the secret of an invitation link (R51)."""

ENDS_MAX = 100  # seats that one invitation replaces: more than a client ever loses
WITHDRAWN_MS = Millis(0)  # an invitation that expires at this instant never opens anything again

SeatRole = Literal["client", "manager"]
"""Who sits there: the client, or an agency's manager, who reads and changes nothing (SPEC, section 1)."""

SEAT_TYPES = frozenset(
    {"joining", "terms", "acceptance", "dispute", "redaction", "bonus", "payment", "message"}
)
"""What a client's seat may write in the log of its contract (R48); all else there is the freelancer's."""

MANAGER_TYPES = frozenset({"joining", "message"})
"""What a manager's seat may write: that it is there, and messages; nothing that the others go by."""

_ID = re.compile(r"[0-9a-f]{32}")
_KEY = re.compile(r"[0-9a-f]{64}")
_TIME_END = 2**53  # what JavaScript counts exactly


class InvitationInClear(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The invitation that a grant belongs to (R51).

    `auth` is the Ed25519 public key, in hexadecimal, that the link's secret makes: whoever joins signs by it.
    `ends` are the seats whose right to write and to read ends when it is used. `agency` is the account of the
    agency whose manager it invites, absent where it invites the client; such an invitation that is withdrawn
    after it was used ends the seat that used it.
    """

    auth: str
    expires_at_ms: Millis
    ends: tuple[ReplicaId, ...] = ()
    agency: AccountId | UnsetType = UNSET


class SeatInClear(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The keys of a seat that joins, in hexadecimal, and the invitation by which it does (R48, R51)."""

    sign: str
    box: str
    invitation: str


def types_of(role: SeatRole) -> frozenset[str]:
    """Return the types of rows that a seat of this role may write (R48)."""
    return SEAT_TYPES if role == "client" else MANAGER_TYPES


def fault_of_invitation(to: str, invitation: InvitationInClear | None) -> str | None:
    """Return why a grant to `to` cannot carry this invitation, None where it can."""
    if (to == INVITATION) != (invitation is not None):
        return "a grant to an invitation names it, and no other does"
    if invitation is None:
        return None
    if not _KEY.fullmatch(invitation.auth) or not 0 <= invitation.expires_at_ms < _TIME_END:
        return "an invitation has a key of 64 hexadecimal digits and the instant at which it expires"
    if len(invitation.ends) > ENDS_MAX or not all(map(_ID.fullmatch, invitation.ends)):
        return f"an invitation ends at most {ENDS_MAX} seats, named by 32 hexadecimal digits each"
    if invitation.agency is not UNSET and not _ID.fullmatch(invitation.agency):
        return "an agency is an account, named by 32 hexadecimal digits"
    return None


def fault_of_seat(n: int, seat: SeatInClear | None) -> str | None:
    """Return why version `n` of a seat cannot be its joining, None where it can."""
    if seat is None:
        return "a joining carries its own part"
    if not all(map(_KEY.fullmatch, (seat.sign, seat.box, seat.invitation))):
        return "a seat's keys and its invitation are 64 hexadecimal digits each"
    return None if n == 1 else "a joining is the first version of its seat"
