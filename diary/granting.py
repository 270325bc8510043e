"""Keys reach every device of the account: missing ones are granted, recovery's are taken (R49, R50).

With them goes the device list, into the log of every contract that lacks the newest (see `listing`).
"""

import secrets
from collections.abc import Collection, Mapping

from diary import envelope, listing, seating
from diary.beginning import WrongAccountError
from diary.rules.devices import DeviceListInClear
from diary.rules.ids import ContractId
from diary.sealing.key_tree import Root
from diary.state import OpenDiary, adopt_account_key
from diary.store import meta, versions
from diary.store.versions import StoredVersion

WANTED = "grants wanted"

EPOCH_KEY_BYTES = 32

KeyName = tuple[ContractId, int]
"""A contract, or the account for its own key, and the epoch (R49)."""


def want_grants(diary: OpenDiary) -> None:
    """Note, within the transaction that learns of new devices, that keys are to be granted (R50)."""
    meta.put(diary.connection, WANTED, 1)


def are_grants_wanted(diary: OpenDiary) -> bool:
    """Return whether devices were learnt of that may lack keys: a crash does not forget them (R50)."""
    return meta.get(diary.connection, WANTED) is not None


def lacks_keys(diary: OpenDiary) -> bool:
    """Return whether this device has joined and is still without the account's key (R49)."""
    with diary.reading():
        return not any(
            _grants(stored, diary.contract_of_account, diary.replica) for stored in _account_grants(diary)
        )


def grant_missing(diary: OpenDiary) -> int:
    """Grant every key this device holds to every listed device that lacks it; return how many (R49, R50)."""
    if lacks_keys(diary):
        return 0
    with diary.writing():
        return write_missing(diary, held_keys(diary))


def write_missing(diary: OpenDiary, held: Mapping[KeyName, bytes]) -> int:
    """Write the grants of `held` and the leaves that are missing, in the caller's transaction (R49, R50)."""
    if diary.is_seat:  # a client reads, and gives no keys on (R51)
        meta.remove(diary.connection, WANTED)
        return 0
    granted = {
        (stored.header.contract, grant.epoch, grant.to)
        for stored in versions.slotless(diary.connection, "grant")
        if (grant := stored.header.grant) is not None
    }
    devices = envelope.device_list(diary)
    held = {**held, **_keys_without_revoked(diary, held, granted, devices)}
    targets = {device.replica: device.box for device in devices.devices if device.revoked_from is None}
    wanted = [
        (contract, epoch, key, to, box)
        for (contract, epoch), key in sorted(held.items())
        for to, box in (*targets.items(), (envelope.RECOVERY, devices.recovery))
        if (contract, epoch, to) not in granted
    ]
    for (contract, epoch), key in sorted(held.items()):
        wanted += [
            (contract, epoch, key, seat.replica, seat.keys.box)
            for seat in seating.seats(diary, contract).seats.values()
            if not seat.ended and (contract, epoch, seat.replica) not in granted
        ]
    at_ms = diary.now_ms()
    listing.write_missing_leaves(diary, at_ms=at_ms)
    for contract, epoch, key, to, box in wanted:
        envelope.grant(diary, contract, epoch, key, to, bytes.fromhex(box), at_ms=at_ms)
    meta.remove(diary.connection, WANTED)
    return len(wanted)


def _keys_without_revoked(
    diary: OpenDiary,
    held: Collection[KeyName],
    granted: Collection[tuple[ContractId, int, str]],
    devices: DeviceListInClear,
) -> dict[KeyName, bytes]:
    """Return a new key for each contract whose newest one a revoked device or an ended seat has (R50, R51).

    Its epoch is the instant, so that two devices which begin one at once begin two: nobody may find two keys
    under one number.
    """
    # The account's own key seals only what never leaves a device.
    newest = {contract: 0 for contract, _ in held if contract != diary.contract_of_account}
    for contract, epoch, _ in granted:
        if contract in newest:
            newest[contract] = max(newest[contract], epoch)
    revoked = [device.replica for device in devices.devices if device.revoked_from is not None]
    new: dict[KeyName, bytes] = {}
    for contract, epoch in newest.items():
        ended = [seat.replica for seat in seating.seats(diary, contract).seats.values() if seat.ended]
        if any((contract, epoch, gone) in granted for gone in (*revoked, *ended)):
            new[contract, max(epoch + 1, diary.now_ms())] = secrets.token_bytes(EPOCH_KEY_BYTES)
    return new


def open_recovery_grants(diary: OpenDiary, phrase: str) -> int:
    """Take the account's keys by its phrase and grant them to this device; return how many (R49, R50).

    The phrase's root is held for the length of this call.

    Raises:
        WrongPhraseError: The phrase is none.
        WrongAccountError: It is another account's.
        WrongGrantError: What was granted to recovery does not open.
    """
    root = Root.from_phrase(phrase)
    if root.account != diary.account:
        raise WrongAccountError
    with diary.reading():
        recovered = {
            (stored.header.contract, grant.epoch): root.open_grant(stored.sealed)
            for stored in versions.slotless(diary.connection, "grant")
            if (grant := stored.header.grant) is not None
            and grant.to == envelope.RECOVERY
            and stored.sealed.body is not None
        }
    account = diary.contract_of_account
    account_key = recovered.get((account, envelope.ACCOUNT_KEY_EPOCH))
    if account_key is not None and lacks_keys(diary):
        adopt_account_key(diary, account_key)
    with diary.writing():
        own = {
            (stored.header.contract, grant.epoch)
            for stored in versions.slotless(diary.connection, "grant")
            if (grant := stored.header.grant) is not None and grant.to == diary.replica
        }
        at_ms = diary.now_ms()
        listing.write_missing_leaves(diary, at_ms=at_ms)
        missing = sorted(recovered.keys() - own)
        for contract, epoch in missing:
            key = recovered[contract, epoch]
            box = diary.keys.box_public
            envelope.grant(diary, contract, epoch, key, diary.replica, box, at_ms=at_ms)
    return len(missing)


def held_keys(diary: OpenDiary) -> dict[KeyName, bytes]:
    """Return every key this device can grant: the account's and each contract's epochs'."""
    held = {(diary.contract_of_account, envelope.ACCOUNT_KEY_EPOCH): diary.keys.account_key}
    for stored in versions.slotless(diary.connection, "grant"):
        grant, contract = stored.header.grant, stored.header.contract
        if grant is not None and grant.to == diary.replica and contract != diary.contract_of_account:
            held[contract, grant.epoch] = envelope.epoch_key(diary, contract, grant.epoch)
    return held


def _account_grants(diary: OpenDiary) -> tuple[StoredVersion, ...]:
    return versions.slotless(diary.connection, "grant", diary.contract_of_account)


def _grants(stored: StoredVersion, contract: ContractId, to: str) -> bool:
    grant = stored.header.grant
    return grant is not None and stored.header.contract == contract and grant.to == to
