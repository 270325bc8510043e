"""Who of the client's side may write in a contract's log, as that log itself shows it (R48, R51).

Server and readers run this same code over the grants and joinings of one log, in its order. A **seat** is in
force from its joining on, until an invitation that ends it is used. Pure.
"""

from dataclasses import dataclass, field

from diary.errors import PeerError
from diary.evidence.signature import JOINING, verify
from diary.rules.ids import Millis, ReplicaId
from diary.rules.seat import SeatInClear
from diary.rules.segment import Header


class JoiningError(PeerError):
    """A joining that no invitation of its contract's log allows; `reason` names why (R51)."""

    says = "{because}."
    mend = "Ask for a new invitation link."

    def __init__(self, reason: str, because: str) -> None:
        self.reason = reason
        super().__init__(because=because)


@dataclass(frozen=True, slots=True)
class Invitation:
    """An invitation as its grants have it: the earliest end counts, which is how one is withdrawn (R51)."""

    auth: str
    expires_at_ms: Millis
    ends: frozenset[ReplicaId]
    used_by: ReplicaId | None = None


@dataclass(frozen=True, slots=True)
class Seat:
    """A client's seat: its keys, by which invitation and when it joined, and whether its right ended."""

    replica: ReplicaId
    keys: SeatInClear
    joined_at_ms: Millis
    ended: bool = False


@dataclass(slots=True)
class Seats:
    """Invitations and seats of one contract, as far as its log was read; `learn` adds a row (R51)."""

    invitations: dict[str, Invitation] = field(default_factory=dict)
    seats: dict[ReplicaId, Seat] = field(default_factory=dict)

    @property
    def has_client(self) -> bool:
        """Return whether a client ever joined: from then on the terms are theirs (R8)."""
        return bool(self.seats)

    def in_force(self, replica: ReplicaId) -> Seat | None:
        """Return the seat of this id while it may write and read, else None."""
        seat = self.seats.get(replica)
        return seat if seat is not None and not seat.ended else None

    def learn(self, header: Header, raw: bytes, body: bytes, received_at_ms: Millis) -> None:
        """Follow the next row of the log, `raw` being its header's bytes; other types change nothing.

        Who wrote a grant is for the caller to have checked: only a device may.

        Raises:
            JoiningError: A joining that was not allowed.
        """
        if header.grant is not None and header.grant.invitation is not None:
            self._invite(header)
        elif header.type == "joining":
            self._join(header, raw, body, received_at_ms)

    def _invite(self, header: Header) -> None:
        assert header.grant is not None, "an invitation is a grant"
        new = header.grant.invitation
        assert new is not None, "see `learn`"
        known = self.invitations.get(new.auth)
        self.invitations[new.auth] = Invitation(
            auth=new.auth,
            expires_at_ms=min(new.expires_at_ms, known.expires_at_ms) if known else new.expires_at_ms,
            ends=frozenset(new.ends) | (known.ends if known else frozenset()),
            used_by=known.used_by if known else None,
        )

    def _join(self, header: Header, raw: bytes, body: bytes, received_at_ms: Millis) -> None:
        keys = header.seat
        assert keys is not None, "a joining has its part"
        invitation = self.check(header, raw, body, received_at_ms)
        self.invitations[invitation.auth] = Invitation(
            invitation.auth, invitation.expires_at_ms, invitation.ends, used_by=header.replica
        )
        for ended in invitation.ends:
            seat = self.seats.get(ended)
            if seat is not None:
                self.seats[ended] = Seat(seat.replica, seat.keys, seat.joined_at_ms, ended=True)
        self.seats.setdefault(header.replica, Seat(header.replica, keys, received_at_ms))

    def check(self, header: Header, raw: bytes, body: bytes, received_at_ms: Millis) -> Invitation:
        """Return the invitation by which a seat may join at this instant; nothing is changed (R51).

        The same joining once more is fine: a log is read again from its start (R43).

        Raises:
            JoiningError: `invitation_unknown`, `invitation_used`, `invitation_expired`, `bad_signature`, or
                `not_yours` where the seat's id is taken.
        """
        keys = header.seat
        if header.type != "joining" or keys is None:
            raise JoiningError("bad_header", "A joining carries the keys of its seat")
        invitation = self.invitations.get(keys.invitation)
        if invitation is None:
            raise JoiningError("invitation_unknown", "No invitation of this contract has that secret")
        if invitation.used_by not in {None, header.replica}:
            raise JoiningError("invitation_used", "This invitation link was used already")
        if not verify(bytes.fromhex(keys.invitation), JOINING, raw, body):
            raise JoiningError("bad_signature", "The joining is not signed by the invitation's secret")
        if received_at_ms >= invitation.expires_at_ms and invitation.used_by is None:
            raise JoiningError("invitation_expired", "This invitation link has expired or was withdrawn")
        known = self.seats.get(header.replica)
        if known is not None and known.keys != keys:
            raise JoiningError("not_yours", "Another seat has that id already")
        return invitation
