"""An account's devices as its numbered, signed list names them, in clear (R50). Pure."""

import msgspec

from diary.rules.ids import ReplicaId


class ListedDevice(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """One device of an account's list: public keys in hexadecimal (R50)."""

    replica: ReplicaId
    sign: str
    box: str
    successor_of: ReplicaId | None = None
    revoked_from: int | None = None  # the first n of this replica that no longer counts


class DeviceListInClear(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The numbered device list (R50). `root` and `recovery` are the root's public keys in hexadecimal.

    `signer` is "root", or the listed replica that signs its own successor.
    """

    number: int
    root: str
    recovery: str
    signer: str
    devices: tuple[ListedDevice, ...]
