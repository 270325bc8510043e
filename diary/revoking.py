"""Revoking a device, by the recovery phrase: it writes no more, and reads nothing written after (R50).

The root signs a list that ends the device at the version it wrote last. In the same transaction every
contract whose key it has gets a new one (see `granting`): what is written from then on is sealed under it.
"""

import msgspec

from diary import envelope, granting, listing
from diary.beginning import WrongAccountError
from diary.errors import UsageError
from diary.evidence import device_list
from diary.rules.devices import DeviceListInClear, ListedDevice
from diary.rules.ids import ReplicaId
from diary.sealing.key_tree import Root
from diary.state import OpenDiary
from diary.store import feed, versions


class OwnDeviceError(UsageError):
    """A device cannot sign the end of itself (R50)."""

    says = "This is the device you are at; it cannot revoke itself."
    mend = "Revoke it from another device of the account. One that is only out of use can stay as it is."


class AlreadyRevokedError(UsageError):
    """The device was revoked before (R50)."""

    says = "The device {replica} was revoked before."
    mend = "See diary devices list."


def revoke_device(diary: OpenDiary, phrase: str, replica: ReplicaId) -> None:
    """Write the list that revokes a device after the last version known of it, and begin new keys (R50).

    The phrase's root is held for the length of this call. Nothing of it counts until the server took it.

    Raises:
        WrongPhraseError: The phrase is none.
        WrongAccountError: It is another account's.
        OwnDeviceError: It is this device.
        AlreadyRevokedError: It was revoked before, or is no device of the account.
    """
    root = Root.from_phrase(phrase)
    if root.account != diary.account:
        raise WrongAccountError
    with diary.writing():
        if replica == diary.replica:
            raise OwnDeviceError
        known = envelope.device_list(diary)
        listed = device_list.device(known, replica)
        if listed is None or listed.revoked_from is not None:
            raise AlreadyRevokedError(replica=replica)
        ended = msgspec.structs.replace(listed, revoked_from=feed.newest_n(diary.connection, replica) + 1)
        listing.write_by_root(diary, _with(known, ended), root, at_ms=diary.now_ms())
        granting.write_missing(diary, granting.held_keys(diary))


def take_back_revocation(diary: OpenDiary) -> None:
    """Forget a revoking list that the server did not take, with its leaves; new keys stay (R50)."""
    with diary.writing():
        listing.drop_waiting_leaves(diary)
        for stored in versions.slotless(diary.connection, "device_list", diary.contract_of_account):
            if stored.waits and stored.header.replica == diary.replica:
                versions.drop(diary.connection, stored.header.name)


def _with(known: DeviceListInClear, ended: ListedDevice) -> DeviceListInClear:
    """Return the root's list that follows the known one, with one device ended."""
    devices = (ended if listed.replica == ended.replica else listed for listed in known.devices)
    return msgspec.structs.replace(
        known, number=known.number + 1, signer=device_list.ROOT, devices=tuple(devices)
    )
