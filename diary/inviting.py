"""Inviting a client or a manager: the link, what of it lies in the contract's log, taking it back (R51, R64).

The link's secret is nowhere but in the link. In the log lie, by devices of the freelancer, the contract's
epoch keys sealed to it, and its public half, by which server and readers know who may join.
"""

import re
import secrets
from dataclasses import dataclass
from typing import Literal

from msgspec import UNSET

from diary import contracts, envelope, exchanging, granting, seating
from diary.errors import NothingError, UsageError
from diary.evidence.seats import Invitation, Seat, Seats
from diary.rules.ids import AccountId, ContractId, Millis, ReplicaId
from diary.rules.seat import INVITATION, WITHDRAWN_MS, InvitationInClear
from diary.rules.segment import GrantInClear, Sealed
from diary.sealing.invitation import NONCE_BYTES, Link, seal_to_invitation
from diary.state import OpenDiary
from diary.store import versions

DAY_MILLIS = 24 * 3_600_000
EXPIRES_DAYS = 14
EXPIRES_DAYS_MAX = 366

_ACCOUNT = re.compile(r"[0-9a-f]{32}")

InvitationState = Literal["open", "used", "expired", "withdrawn"]


class NoServerToInviteToError(UsageError):
    """A link leads to a server, and the diary has none (R50)."""

    says = "A client reads your diary at a server, and this diary is registered with none."
    mend = "Register it first: diary register URL."


class BadExpiryError(UsageError):
    """An invitation's time is none."""

    says = "An invitation is open for 1 to {most} days, not {days}."
    mend = "For example: --expires 14."


class BadAgencyError(UsageError):
    """What should name an agency does not (SPEC, section 1)."""

    says = "“{text}” is no agency's id."
    mend = "It is 32 hexadecimal digits, which the agency sees with `diary agency show`."


class UnknownInvitationError(NothingError):
    """No open invitation has an id that begins so."""

    says = "There is no open invitation {name}."
    mend = "See them with `diary invitations`."


@dataclass(frozen=True, slots=True)
class Invited:
    """An invitation that was written: its link, until when it is open, and how many seats end with it."""

    link: Link
    expires_at_ms: Millis
    ends: int


@dataclass(frozen=True, slots=True)
class InvitationView:
    """One invitation as it stands: `auth` is its public key, `sent` says that the server knows of it.

    `used_by` and `joined_at_ms` are of the seat that joined by it, None until one did. `agency` is that whose
    manager is invited, None where it is the client.
    """

    contract: ContractId
    title: str
    auth: str
    state: InvitationState
    expires_at_ms: Millis
    sent: bool
    used_by: ReplicaId | None
    joined_at_ms: Millis | None
    agency: AccountId | None


def agency_of(text: str) -> AccountId:
    """Return the agency that a text names.

    Raises:
        BadAgencyError: It names none.
    """
    found = text.strip().lower()
    if not _ACCOUNT.fullmatch(found):
        raise BadAgencyError(text=text)
    return AccountId(found)


def days_of(text: str) -> int:
    """Return the days of a text such as "14d" or "14" (see `BadExpiryError`).

    Raises:
        BadExpiryError: It is none.
    """
    number = text.strip().lower().removesuffix("d")
    if not number.isdecimal() or len(number) > len(str(EXPIRES_DAYS_MAX)):
        raise BadExpiryError(most=EXPIRES_DAYS_MAX, days=text)
    return int(number)


def invite(
    diary: OpenDiary,
    contract: ContractId,
    *,
    days: int = EXPIRES_DAYS,
    instead: bool = False,
    agency: AccountId | None = None,
) -> Invited:
    """Write an invitation to a contract and return its link, which is kept nowhere (R51).

    `instead`: the client's seats that are there end when it is used, since the client lost their key. With
    `agency`, the manager of that agency is invited and not the client, and `instead` means that agency's.

    Raises:
        NoServerToInviteToError: The diary is registered with no server.
        UnknownContractError: There is no such contract.
        BadExpiryError: It would be open for no time, or for more than a year.
    """
    server = exchanging.server(diary)
    if server is None:
        raise NoServerToInviteToError
    if not 1 <= days <= EXPIRES_DAYS_MAX:
        raise BadExpiryError(most=EXPIRES_DAYS_MAX, days=days)
    link = Link(server.url, diary.account, contract, server.key, secrets.token_bytes(32))
    keys = link.keys
    with diary.writing():
        contracts.by_id(diary, contract)
        at_ms = diary.now_ms()
        there = seating.seats(diary, contract).seats.values()
        ends = tuple(seat.replica for seat in there if instead and seat.agency == agency and not seat.ended)
        expires_at_ms = Millis(at_ms + days * DAY_MILLIS)
        part = InvitationInClear(
            auth=keys.auth, expires_at_ms=expires_at_ms, ends=ends, agency=UNSET if agency is None else agency
        )
        for (of, epoch), key in sorted(granting.held_keys(diary).items()):
            if of == contract:
                grant = GrantInClear(to=INVITATION, epoch=epoch, invitation=part)
                header = envelope.draw_header(diary, "grant", contract, grant=grant)
                sealed = seal_to_invitation(header, key, keys.wrap, secrets.token_bytes(NONCE_BYTES))
                envelope.keep_sealed(diary, header, sealed, at_ms=at_ms)
    return Invited(link, expires_at_ms, len(ends))


def invitations(diary: OpenDiary) -> tuple[InvitationView, ...]:
    """Return the invitations to all contracts, the open ones first (R51)."""
    with diary.reading():
        now_ms = diary.now_ms()
        sent = {
            grant.invitation.auth
            for stored in versions.slotless(diary.connection, "grant")
            if (grant := stored.header.grant) is not None
            and grant.invitation is not None
            and stored.received_at_ms is not None
        }
        found = [
            _view(one.id, one.title, there, invitation, now_ms, sent)
            for one in contracts.known(diary).values()
            for there in (seating.seats(diary, one.id),)
            for invitation in there.invitations.values()
        ]
    return tuple(sorted(found, key=lambda view: (view.state != "open", view.title, -view.expires_at_ms)))


def withdraw(diary: OpenDiary, name: str) -> InvitationView:
    """Take an open invitation back by the start of its id; nobody joins by it from then on (R51).

    Raises:
        UnknownInvitationError: No open one begins so, or several do.
    """
    found = [view for view in invitations(diary) if view.state == "open" and view.auth.startswith(name)]
    if len(found) != 1 or not name:
        raise UnknownInvitationError(name=name)
    view = found[0]
    with diary.writing():
        _take_back(diary, view)
    return view


def end_managers(diary: OpenDiary, contract: ContractId) -> int:
    """End every manager's reading of a contract, and begin a new key for what comes; return how many (R51).

    Who was invited and has not joined joins no more. What a manager has read, whoever has it may still read.

    Raises:
        UnknownContractError: There is no such contract.
    """
    with diary.writing():
        contracts.by_id(diary, contract)
        there = [view for view in invitations(diary) if view.contract == contract and view.agency is not None]
        standing = [view for view in there if view.state in {"open", "used"}]
        for view in standing:
            _take_back(diary, view)
        granting.write_missing(diary, granting.held_keys(diary))
    return len(standing)


def _take_back(diary: OpenDiary, view: InvitationView) -> None:
    """Write, in the caller's transaction, that an invitation stands no more."""
    agency = UNSET if view.agency is None else view.agency
    part = InvitationInClear(auth=view.auth, expires_at_ms=WITHDRAWN_MS, agency=agency)
    grant = GrantInClear(to=INVITATION, epoch=envelope.newest_epoch(diary, view.contract), invitation=part)
    header = envelope.draw_header(diary, "grant", view.contract, grant=grant)
    sealed = Sealed(header=header.to_bytes(), body=b"", wrap=None)
    envelope.keep_sealed(diary, header, sealed, at_ms=diary.now_ms())


def joined(diary: OpenDiary, contract: ContractId) -> tuple[Seat, ...]:
    """Return the seats of a contract, those that ended too, in the order in which they joined (R51)."""
    with diary.reading():
        return tuple(seating.seats(diary, contract).seats.values())


def _view(
    contract: ContractId,
    title: str,
    there: Seats,
    invitation: Invitation,
    now_ms: Millis,
    sent: set[str],
) -> InvitationView:
    seat = there.seats.get(invitation.used_by) if invitation.used_by is not None else None
    state: InvitationState = "open"
    if seat is not None:
        state = "withdrawn" if seat.agency is not None and seat.ended else "used"
    elif invitation.expires_at_ms == WITHDRAWN_MS:
        state = "withdrawn"
    elif invitation.expires_at_ms <= now_ms:
        state = "expired"
    return InvitationView(
        contract=contract,
        title=title,
        auth=invitation.auth,
        state=state,
        expires_at_ms=invitation.expires_at_ms,
        sent=invitation.auth in sent,
        used_by=invitation.used_by,
        joined_at_ms=seat.joined_at_ms if seat is not None else None,
        agency=invitation.agency,
    )
