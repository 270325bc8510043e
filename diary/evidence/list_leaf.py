"""The account's device list as a leaf of a contract's log (R50).

A client reads one contract and never the account's own log. So the list stands in every contract's log too,
with what proves it to somebody who knows nothing but the account's id, which is the hash of its root key: the
list that the root signed last, and those by which devices named their successors since.

Devices write the leaf, and two of them may do so at once: one that is older than what a reader knows is no
news. What cannot stand in one history with it is a fork, whichever of the two is the older.
"""

from collections.abc import Sequence
from typing import Literal

import msgspec

from diary.evidence import device_list
from diary.evidence.device_list import DEVICES_MAX, DeviceListError, DeviceListForkError
from diary.rules.devices import DeviceListInClear
from diary.rules.segment import Header, Sealed
from diary.rules.unreadable import UNREADABLE

ListPlace = Literal["account", "contract"]
"""Which log a reader takes its device list from: the account's own, or the one contract's that it reads."""


class SignedList(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A device list as it stands in the account's log: its header's text and its signer's signature."""

    header: str
    signature: bytes


class LeafBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What proves a leaf's list: the root's last one, then each that follows it (see `check_chain`)."""

    lists: tuple[SignedList, ...]


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(LeafBody)


def leaf_body(lists: Sequence[Sealed]) -> bytes:
    """Return the body of a leaf that these lists of the account's log prove, in their order (R50)."""
    return _encoder.encode(
        LeafBody(
            lists=tuple(SignedList(header=one.header.decode(), signature=one.body or b"") for one in lists)
        )
    )


def since_root(lists: Sequence[DeviceListInClear]) -> int:
    """Return the place of the last list that the root signed, of all in order: where the proof begins."""
    return max((at for at, one in enumerate(lists) if one.signer == device_list.ROOT), default=0)


def check_leaf(header: Header, body: bytes, known: DeviceListInClear | None) -> DeviceListInClear:
    """Return the list that a leaf shows, once it is proven and goes with the one that is known (R50).

    `known` is None for who knows the account's id alone. Whether the leaf's own writer counts is for the
    caller to ask, as of every row.

    Raises:
        DeviceListForkError: The lists cannot stand in one history.
        DeviceListError: It is not proven: by another root, or not what its header says.
    """
    new = header.devices
    if header.type != "device_list" or new is None:
        raise DeviceListError(number="?", because="the version carries no device list")
    proven = device_list.check_chain(_lists_in(new, body), _root_of(header, new))
    if proven != new:
        raise DeviceListError(number=new.number, because="what should prove it proves another list")
    if known is not None:
        _check_history(new, known)
    return new


def _lists_in(new: DeviceListInClear, body: bytes) -> list[Sealed]:
    try:
        lists = _decoder.decode(body).lists
    except UNREADABLE as error:
        raise DeviceListError(number=new.number, because=f"its proof cannot be read: {error}") from error
    if len(lists) > DEVICES_MAX:
        raise DeviceListError(number=new.number, because=f"its proof has over {DEVICES_MAX} lists")
    return [Sealed(header=one.header.encode(), body=one.signature, wrap=None) for one in lists]


def _root_of(header: Header, new: DeviceListInClear) -> bytes:
    """Return the root's key, sure that it makes the account: that is all a reader knows before (R50)."""
    try:
        root = bytes.fromhex(new.root)
    except ValueError:
        root = b""
    if device_list.account_of(root) != header.account:
        raise DeviceListError(number=new.number, because="its root does not make this account")
    return root


def _check_history(new: DeviceListInClear, known: DeviceListInClear) -> None:
    older, newer = sorted((new, known), key=lambda one: one.number)
    if new != known and (older.number == newer.number or not device_list.may_become(older, newer)):
        because = "the two cannot stand in one history"
        raise DeviceListForkError(number=new.number, known=known.number, because=because)
