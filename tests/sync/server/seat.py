"""A client's seat as the server sees it: invited by an author, with keys of its own."""

import hashlib
import os

from msgspec import UNSET

from diary.rules.ids import AccountId, ContractId, Millis, ReplicaId
from diary.rules.seat import InvitationInClear, SeatInClear
from diary.rules.segment import GrantInClear, Sealed
from diary.sealing.invitation import InvitationKeys, seal_to_invitation, sign_joining
from sync.protocol import Join, WireVersion
from tests.sync.server.author import Author, wire
from tests.sync.server.conftest import WEDNESDAY
from tests.sync.server.process import Client, answers_in, reasons

FORTNIGHT_MS = 14 * 24 * 3_600_000


class Seat(Author):
    """A client of one contract; `secret` is the link's."""

    def __init__(self, freelancer: Author, secret: bytes, contract: ContractId | None = None) -> None:
        super().__init__()
        self.account = freelancer.account
        self.contract = contract or freelancer.contract
        self.epoch_key = freelancer.epoch_key
        self.secret = secret

    def joining(self, secret: bytes | None = None) -> WireVersion:
        keys = InvitationKeys.of(secret or self.secret)
        seat = SeatInClear(
            sign=self.keys.sign_public.hex(), box=self.keys.box_public.hex(), invitation=keys.auth
        )
        return wire(sign_joining(self.header("joining", n=1, seat=seat), keys.auth_seed))

    def join(self, joining: WireVersion | None = None) -> Join:
        next(self.numbers)
        return Join(
            push=self.push(joining or self.joining()),
            token_hash=hashlib.sha256(self.keys.token.encode()).hexdigest(),
        )


def invitation(
    freelancer: Author,
    secret: bytes,
    *,
    contract: ContractId | None = None,
    expires_at_ms: int = WEDNESDAY + FORTNIGHT_MS,
    ends: tuple[ReplicaId, ...] = (),
    withdrawn: bool = False,
    agency: AccountId | None = None,
) -> WireVersion:
    """Return the grant by which a freelancer invites, or takes the invitation back."""
    keys = InvitationKeys.of(secret)
    part = InvitationInClear(
        auth=keys.auth,
        expires_at_ms=Millis(0 if withdrawn else expires_at_ms),
        ends=ends,
        agency=UNSET if agency is None else agency,
    )
    header = freelancer.header(
        "grant",
        contract=contract or freelancer.contract,
        grant=GrantInClear(to="invitation", epoch=1, invitation=part),
    )
    if withdrawn:
        return wire(Sealed(header=header.to_bytes(), body=b"", wrap=None))
    return wire(seal_to_invitation(header, freelancer.epoch_key, keys.wrap, os.urandom(12)))


def joined(
    client: Client, freelancer: Author, secret: bytes = bytes(32), agency: AccountId | None = None
) -> Seat:
    """Return the client, or the agency's manager, who was invited to the freelancer's contract and joined."""
    invited = invitation(freelancer, secret, agency=agency)
    assert reasons(client.push(freelancer, invited)) == ["received"]
    seat = Seat(freelancer, secret)
    assert reasons(answers_in(client.post("/v1/join", seat.join()), client.key())) == ["received"]
    return seat
