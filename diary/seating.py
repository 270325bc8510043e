"""Invitations and seats of a contract, as this diary holds its log (R51).

Everything runs within the caller's snapshot or transaction.
"""

from collections.abc import Iterator
from contextlib import suppress

from diary.evidence.receipt import Cursor
from diary.evidence.seats import JoiningError, Seats
from diary.rules.ids import ContractId, Millis
from diary.rules.seat import INVITATION
from diary.sealing.invitation import InvitationKeys, open_by_invitation
from diary.state import OpenDiary
from diary.store import versions
from diary.store.versions import StoredVersion

SECRET = "invitation"  # noqa: S105  # where it lies: the secret of the link by which a client's replica joined, sealed


def seats(diary: OpenDiary, contract: ContractId) -> Seats:
    """Return invitations and seats of a contract: what its log holds, then what waits here to be sent."""
    return _after(rows(diary, contract))


def seats_before(diary: OpenDiary, contract: ContractId, cursor: Cursor | None) -> Seats:
    """Return them as the first rows of the log show them, up to the cursor."""
    size = cursor.size if cursor is not None else 0
    return _after(
        stored
        for stored in rows(diary, contract)
        if stored.log_epoch and stored.leaf_index is not None and stored.leaf_index < size
    )


def keys_by_invitation(diary: OpenDiary, contract: ContractId) -> dict[tuple[ContractId, int], bytes]:
    """Return the epoch keys that the link's secret opens on a client's replica (R51).

    Raises:
        WrongInvitationError: What was granted to the invitation does not open.
    """
    secret = diary.kept(SECRET)
    if secret is None:
        return {}
    keys = InvitationKeys.of(bytes.fromhex(str(secret)))
    return {
        (contract, grant.epoch): open_by_invitation(stored.sealed, keys)
        for stored in versions.slotless(diary.connection, "grant", contract)
        if (grant := stored.header.grant) is not None
        and grant.to == INVITATION
        and grant.invitation is not None
        and grant.invitation.auth == keys.auth
        and stored.sealed.body  # one without a key withdraws the invitation
    }


def rows(diary: OpenDiary, contract: ContractId) -> list[StoredVersion]:
    """Return a contract's invitations and joinings in its log's order; what was not received comes last."""
    invitations = (
        stored
        for stored in versions.slotless(diary.connection, "grant", contract)
        if stored.header.grant is not None and stored.header.grant.invitation is not None
    )
    joinings = versions.slotless(diary.connection, "joining", contract)
    return sorted((*invitations, *joinings), key=_place)


def _place(stored: StoredVersion) -> tuple[bool, int, int]:
    is_received = bool(stored.log_epoch) and stored.leaf_index is not None
    return not is_received, (stored.leaf_index or 0) if is_received else 0, stored.header.n


def _after(held: Iterator[StoredVersion] | list[StoredVersion]) -> Seats:
    found = Seats()
    for stored in held:
        at_ms = Millis(stored.received_at_ms or stored.written_at_ms)
        with suppress(JoiningError):  # it was checked when it came; one that waits here is for the server
            found.learn(stored.header, stored.sealed.header, stored.sealed.body or b"", at_ms)
    return found
