"""Who but the freelancer may write in a contract's log, as that log itself shows it (R48, R51).

Server and readers run this same code over the grants and joinings of one log, in its order. A **seat** is in
force from its joining on, until an invitation that ends it is used; a manager's also no longer than the
invitation by which it came stands. Pure.
"""

from dataclasses import dataclass, field, replace

from msgspec import UNSET

from diary.errors import PeerError
from diary.evidence.signature import JOINING, verify
from diary.rules.ids import AccountId, Millis, ReplicaId
from diary.rules.seat import WITHDRAWN_MS, SeatInClear, SeatRole
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
    """An invitation as its grants have it: the earliest end counts, which is how one is withdrawn (R51).

    `agency` is the account whose manager it invites, None where it invites the client.
    """

    auth: str
    expires_at_ms: Millis
    ends: frozenset[ReplicaId]
    used_by: ReplicaId | None = None
    agency: AccountId | None = None


@dataclass(frozen=True, slots=True)
class Seat:
    """A seat: its keys, by which invitation and when it joined, and when its right ended, None before.

    `agency` is the account of the agency whose manager sits there, None for a client's seat.
    """

    replica: ReplicaId
    keys: SeatInClear
    joined_at_ms: Millis
    ended_at_ms: Millis | None = None
    agency: AccountId | None = None

    @property
    def ended(self) -> bool:
        """Return whether it may neither write nor read any more."""
        return self.ended_at_ms is not None

    @property
    def role(self) -> SeatRole:
        """Return who sits there."""
        return "client" if self.agency is None else "manager"

    def in_force_at(self, at_ms: int) -> bool:
        """Return whether it had joined before the instant and its right had not ended then."""
        return self.joined_at_ms < at_ms and (self.ended_at_ms is None or self.ended_at_ms >= at_ms)


@dataclass(slots=True)
class Seats:
    """Invitations and seats of one contract, as far as its log was read; `learn` adds a row (R51)."""

    invitations: dict[str, Invitation] = field(default_factory=dict)
    seats: dict[ReplicaId, Seat] = field(default_factory=dict)

    @property
    def has_client(self) -> bool:
        """Return whether a client ever joined: from then on the terms are theirs (R8)."""
        return "client" in self.roles.values()

    @property
    def roles(self) -> dict[ReplicaId, SeatRole]:
        """Return who sits on each seat that ever joined, in their order."""
        return {replica: seat.role for replica, seat in self.seats.items()}

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
            self._invite(header, received_at_ms)
        elif header.type == "joining":
            self._join(header, raw, body, received_at_ms)

    def ended_by(self, header: Header) -> frozenset[ReplicaId]:
        """Return the seats whose right the row ends: by a joining in their place, or a grant taken back."""
        if header.seat is not None:
            invitation = self.invitations.get(header.seat.invitation)
            return invitation.ends if invitation is not None else frozenset()
        if header.grant is None or header.grant.invitation is None:
            return frozenset()
        known = self.invitations.get(header.grant.invitation.auth)
        if known is None or known.agency is None or header.grant.invitation.expires_at_ms != WITHDRAWN_MS:
            return frozenset()
        return frozenset({known.used_by}) if known.used_by is not None else frozenset()

    def _invite(self, header: Header, received_at_ms: Millis) -> None:
        assert header.grant is not None, "an invitation is a grant"
        new = header.grant.invitation
        assert new is not None, "see `learn`"
        self._end(self.ended_by(header), received_at_ms)
        known = self.invitations.get(new.auth)
        agency = None if new.agency is UNSET else new.agency
        self.invitations[new.auth] = Invitation(
            auth=new.auth,
            expires_at_ms=min(new.expires_at_ms, known.expires_at_ms) if known else new.expires_at_ms,
            ends=frozenset(new.ends) | (known.ends if known else frozenset()),
            used_by=known.used_by if known else None,
            agency=known.agency if known else agency,  # a withdrawal need not repeat whom it was for
        )

    def _end(self, replicas: frozenset[ReplicaId], at_ms: Millis) -> None:
        for replica in replicas:
            seat = self.seats.get(replica)
            if seat is not None and not seat.ended:
                self.seats[replica] = replace(seat, ended_at_ms=at_ms)

    def _join(self, header: Header, raw: bytes, body: bytes, received_at_ms: Millis) -> None:
        keys = header.seat
        assert keys is not None, "a joining has its part"
        invitation = self.check(header, raw, body, received_at_ms)
        self.invitations[invitation.auth] = replace(invitation, used_by=header.replica)
        self._end(invitation.ends, received_at_ms)
        new = Seat(header.replica, keys, received_at_ms, agency=invitation.agency)
        self.seats.setdefault(header.replica, new)

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
