"""The numbered, signed device list of an account (R50).

A list names the account's root and its devices. The root may sign any list that follows the known one; a
listed device may sign one that adds its own successor, after a restore or a copy, and nothing else. A list
drops no device and changes no key: a device only leaves by `revoked_from`. One that goes back or forks is
named, so that whoever reads it can raise the alarm.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from diary.errors import PeerError
from diary.evidence.signature import DEVICE_LIST, PUBLIC_BYTES, verify
from diary.rules.devices import DeviceListInClear, ListedDevice
from diary.rules.ids import AccountId, ReplicaId
from diary.rules.segment import Header, MalformedHeaderError, Sealed, parse_header

ROOT: Final = "root"
RECOVERY: Final = "recovery"
DEVICES_MAX = 200  # what a header holds; as many replicas as a vector may name


class DeviceListError(PeerError):
    """A device list is not what the account's root, or one of its devices, could have written (R50)."""

    says = "Device list {number} is refused: {because}."
    mend = "Nothing was changed. Look at `diary devices list`; enrol the device again with the phrase."


class DeviceListForkError(DeviceListError):
    """A list goes back, or stands beside the known one: somebody shows two histories (R50)."""

    says = "Device list {number} does not follow list {known}: {because}."
    mend = "Trust this server no further until you know why: compare `diary devices list` on each device."


class UnsignedDeviceListError(DeviceListError):
    """A list bears no valid signature of its signer (R48, R50)."""


@dataclass(frozen=True, slots=True)
class _Step:
    """A new list beside the known one; its methods say why the one may not follow the other."""

    new: DeviceListInClear
    known: DeviceListInClear

    def refusal(self) -> str:
        """Return why the step is refused, or an empty string."""
        if (self.new.root, self.new.recovery) != (self.known.root, self.known.recovery):
            return "it names another root"
        kept = self.new.devices[: len(self.known.devices)]
        if len(kept) < len(self.known.devices):
            return "it drops a device"
        if not may_become(self.known, self.new):
            return "it changes a device that was listed"
        if self.new.signer != ROOT:
            return self._refusal_of_successor(ReplicaId(self.new.signer))
        return ""

    def _refusal_of_successor(self, signer: ReplicaId) -> str:
        added = self.new.devices[len(self.known.devices) :]
        if self.new.devices[: len(self.known.devices)] != self.known.devices:
            return "only the root revokes a device"
        if len(added) != 1 or added[0].successor_of != signer:
            return "a device adds its own successor and nothing else"
        if added[0].revoked_from is not None:
            return "a successor is listed to write, not to be revoked"
        return ""


def account_of(root_public: bytes) -> AccountId:
    """Return the account that a root's Ed25519 public key makes: half of its SHA-256 (R50)."""
    return AccountId(hashlib.sha256(root_public).hexdigest()[:32])


def check(header: Header, raw: bytes, body: bytes, known: DeviceListInClear | None) -> DeviceListInClear:
    """Return the list that `header` carries, once it is sure that it may follow `known` (R50).

    `raw` are the header's exact bytes, `body` the signature over them. `known` is None where no list is known
    yet: then it must be number 1 (a device that joins asks `check_chain`). The known list itself, once more,
    is fine.

    Raises:
        UnsignedDeviceListError: The signer did not sign these bytes.
        DeviceListForkError: It goes back or stands beside the known list.
        DeviceListError: It is no list of this account, or does what its signer may not do.
    """
    new = _well_formed(header)
    if known is None and (new.number != 1 or new.signer != ROOT):
        raise DeviceListError(number=new.number, because="the first list has number 1, by the root")
    # The signature first: nobody is accused of a fork by a list that nobody signed.
    _check_signature(new, raw, body, known or new)
    if known is not None and new != known:
        _check_follows(new, known)
    return new


def check_chain(versions: Sequence[Sealed], root_public: bytes) -> DeviceListInClear:
    """Return the newest list for a device that joins with the phrase and knows no earlier one (R50).

    `versions` are the newest list that the root signed and those that devices signed after it, in order:
    a device's signature alone proves nothing to somebody who does not know yet which devices there are.

    Raises:
        UnsignedDeviceListError: The root did not sign the first, or a signer a later one.
        DeviceListError: No lists of this root's account, or one does not follow the other.
    """
    known: DeviceListInClear | None = None
    for version in versions:
        header = _parsed(version.header)
        if known is not None:
            known = check(header, version.header, version.body or b"", known)
            continue
        known = _well_formed(header)
        if known.root != root_public.hex():
            raise DeviceListError(number=known.number, because="its root is not the phrase's")
        if known.signer != ROOT:
            raise UnsignedDeviceListError(number=known.number, because="the root did not sign it")
        _check_signature(known, version.header, version.body or b"", known)
    if known is None:
        raise DeviceListError(number="?", because="there is none")
    return known


def device(devices: DeviceListInClear, replica: ReplicaId) -> ListedDevice | None:
    """Return the listed device of this replica id, or None."""
    return next((listed for listed in devices.devices if listed.replica == replica), None)


def may_become(older: DeviceListInClear, newer: DeviceListInClear) -> bool:
    """Return whether a list can have become a later one, whatever stood between them (R50)."""
    kept = newer.devices[: len(older.devices)]
    return (
        (newer.root, newer.recovery) == (older.root, older.recovery)
        and len(kept) == len(older.devices)
        and all(_only_revokes(old, new) for old, new in zip(older.devices, kept, strict=True))
    )


def counts(devices: DeviceListInClear, replica: ReplicaId, n: int) -> bool:
    """Return whether version (replica, n) is by a listed device and before its revocation (R50)."""
    listed = device(devices, replica)
    return listed is not None and counts_at(listed, n)


def counts_at(listed: ListedDevice, n: int) -> bool:
    """Return whether version `n` of a listed device is before its revocation (R50)."""
    return listed.revoked_from is None or n < listed.revoked_from


def _parsed(raw: bytes) -> Header:
    try:
        return parse_header(raw)
    except MalformedHeaderError as error:
        raise DeviceListError(number="?", because=str(error)) from error


def _well_formed(header: Header) -> DeviceListInClear:
    """Return the header's list where its parts agree with each other."""
    new = header.devices
    if header.type != "device_list" or new is None:
        raise DeviceListError(number="?", because="the version carries no device list")
    because = _fault_within(header, new)
    if because:
        raise DeviceListError(number=new.number, because=because)
    return new


def _fault_within(header: Header, new: DeviceListInClear) -> str:
    """Return why the list contradicts itself or its header, or an empty string."""
    keys = [new.root, new.recovery, *(key for item in new.devices for key in (item.sign, item.box))]
    if any(_key(text) is None for text in keys):
        return "a key is not 64 hexadecimal digits"
    account = account_of(bytes.fromhex(new.root))
    if header.account != account or not header.in_own_log:
        return "its root does not make this account"
    return _fault_among(new) or ("" if counts(new, header.replica, header.n) else "its writer does not count")


def _fault_among(new: DeviceListInClear) -> str:
    """Return why the listed devices cannot stand beside each other, or an empty string."""
    replicas = {item.replica for item in new.devices}
    if not 1 <= len(new.devices) <= DEVICES_MAX:
        return f"it lists {len(new.devices)} devices, not 1 to {DEVICES_MAX}"
    if len(replicas) < len(new.devices):
        return "it lists a device twice"
    if any(item.successor_of is not None and item.successor_of not in replicas for item in new.devices):
        return "a successor follows a device that is not listed"
    return ""


def _check_follows(new: DeviceListInClear, known: DeviceListInClear) -> None:
    """Raise unless `new` is the list right after `known`."""
    if new.number <= known.number:
        because = "it goes back" if new.number < known.number else "two lists have that number"
        raise DeviceListForkError(number=new.number, known=known.number, because=because)
    if new.number != known.number + 1:
        because = "the lists between are missing"
        raise DeviceListForkError(number=new.number, known=known.number, because=because)
    because = _Step(new, known).refusal()
    if because:
        raise DeviceListError(number=new.number, because=because)


def _check_signature(new: DeviceListInClear, raw: bytes, body: bytes, known: DeviceListInClear) -> None:
    """Raise unless the list's signer, by the key that `known` lists for it, signed the header's bytes."""
    signer = None if new.signer == ROOT else device(known, ReplicaId(new.signer))
    if new.signer != ROOT and (signer is None or signer.revoked_from is not None):
        raise UnsignedDeviceListError(number=new.number, because="its signer is not listed, or revoked")
    public = bytes.fromhex(signer.sign if signer else new.root)
    if not verify(public, DEVICE_LIST, raw, body):
        raise UnsignedDeviceListError(number=new.number, because="its signature is not its signer's")


def _only_revokes(old: ListedDevice, new: ListedDevice) -> bool:
    """Return whether `new` is `old`, or `old` revoked, or revoked earlier than it was."""
    keeps = (old.replica, old.sign, old.box, old.successor_of)
    if keeps != (new.replica, new.sign, new.box, new.successor_of):
        return False
    if old.revoked_from is None or new.revoked_from is None:
        return old.revoked_from is None
    return new.revoked_from <= old.revoked_from


def _key(text: str) -> bytes | None:
    """Return the 32 bytes of lower-case hexadecimal digits, or None."""
    try:
        key = bytes.fromhex(text)
    except ValueError:
        return None
    return key if len(key) == PUBLIC_BYTES and key.hex() == text else None
