"""Versions sealed on their way in and opened on their way out (R33, R46, R47, R49).

The only place where a number is drawn, and where an epoch key meets a row. Everything runs within the
caller's transaction.
"""

import secrets
from collections.abc import Iterable, Sequence
from typing import TypedDict, Unpack

import msgspec

from diary.errors import DamageError
from diary.rules.act_parts import AcceptanceInClear, DisputeInClear, RedactionInClear, RequestInClear
from diary.rules.devices import DeviceListInClear
from diary.rules.ids import ContractId, Millis, ReplicaId, Slot
from diary.rules.membership import MembershipInClear
from diary.rules.money_parts import BonusInClear, PaymentInClear
from diary.rules.sealed_content import (
    CaptureContent,
    Content,
    EntryContent,
    MessageContent,
    ReasonContent,
    TermsContent,
    content_bytes,
)
from diary.rules.seat import SeatInClear
from diary.rules.segment import (
    HEADER_VERSION,
    ContractState,
    GrantInClear,
    Header,
    Sealed,
    Stamp,
    TermsInClear,
    VersionType,
)
from diary.rules.unreadable import UNREADABLE
from diary.rules.week import slot_at
from diary.sealing import row
from diary.state import OpenDiary
from diary.store import heads, outbox, pictures, replica, versions
from diary.store.versions import StoredVersion

ACCOUNT_KEY_EPOCH = 1
RECOVERY = "recovery"

_capture = msgspec.json.Decoder(CaptureContent)
_entry = msgspec.json.Decoder(EntryContent)
_terms = msgspec.json.Decoder(TermsContent)
_message = msgspec.json.Decoder(MessageContent)
_reason = msgspec.json.Decoder(ReasonContent)


class NoKeyError(DamageError):
    """This device was never granted the key of an epoch (R49)."""

    says = "This device holds no key for epoch {epoch} of contract {contract}."
    mend = "Sync, so that another of your devices can grant it."


class UnreadableContentError(DamageError):
    """A content opens, but is none of this format (R47)."""

    says = "The content of version {replica}:{n} is not what its header says: {because}."
    mend = "The device that wrote it broke the format; keep it as evidence."


class HeaderParts(TypedDict, total=False):
    """The parts of a header that its type asks for."""

    slot: Slot
    vector: dict[ReplicaId, int]
    life: int
    manual: bool
    stamp: Stamp | None
    terms: TermsInClear
    state: ContractState
    request: RequestInClear
    acceptance: AcceptanceInClear
    dispute: DisputeInClear
    redaction: RedactionInClear
    bonus: BonusInClear
    payment: PaymentInClear
    devices: DeviceListInClear
    grant: GrantInClear
    seat: SeatInClear
    membership: MembershipInClear


def draw_header(
    diary: OpenDiary, kind: VersionType, contract: ContractId, **parts: Unpack[HeaderParts]
) -> Header:
    """Return a header of this replica under its next number, not yet sealed (R33)."""
    return Header(
        v=HEADER_VERSION,
        type=kind,
        account=diary.account,
        contract=contract,
        replica=diary.replica,
        n=replica.next_n(diary.connection, diary.replica),
        # Of this contract's log and no other: its other party reads it, and compares (R46, R56).
        head=heads.newest_checked(diary.connection, contract),
        **parts,
    )


def keep_sealed(
    diary: OpenDiary, header: Header, sealed: Sealed, *, at_ms: Millis, not_before_ms: int = 0
) -> None:
    """Store a version of this replica and let it wait to be sent (R17)."""
    versions.add(diary.connection, header, sealed, written_at_ms=at_ms)
    outbox.wait(diary.connection, header.name, not_before_ms)


def seal(diary: OpenDiary, header: Header, content: Content, row_key: bytes | None = None) -> Sealed:
    """Return a version sealed under its contract's newest epoch key (R47)."""
    epoch = newest_epoch(diary, header.contract)
    return row.seal(
        header,
        content_bytes(content),
        epoch=epoch,
        epoch_key=epoch_key(diary, header.contract, epoch),
        row_key=row_key or secrets.token_bytes(32),
        wrap_nonce=secrets.token_bytes(row.NONCE_BYTES),
    )


def write(
    diary: OpenDiary, header: Header, content: Content, *, at_ms: Millis, not_before_ms: int = 0
) -> None:
    """Seal a version and store it (R46)."""
    keep_sealed(diary, header, seal(diary, header, content), at_ms=at_ms, not_before_ms=not_before_ms)
    diary.remember(header.name, content)


def write_bare(diary: OpenDiary, header: Header, *, at_ms: Millis) -> None:
    """Store a version that is its header alone: nothing of it is sealed."""
    keep_sealed(diary, header, Sealed(header=header.to_bytes(), body=None, wrap=None), at_ms=at_ms)


def write_with_pictures(
    diary: OpenDiary,
    header: Header,
    content: CaptureContent | MessageContent,
    sealed_pictures: Sequence[bytes],
    row_key: bytes,
    *,
    at_ms: Millis,
    not_before_ms: int = 0,
) -> None:
    """Seal a version under the key its pictures or files were sealed with, and store all of it (R41, R47)."""
    sealed = seal(diary, header, content, row_key)
    keep_sealed(diary, header, sealed, at_ms=at_ms, not_before_ms=not_before_ms)
    pictures.add(diary.connection, header, tuple(sealed_pictures), slot_of(header, at_ms))
    diary.remember(header.name, content)


def slot_of(header: Header, at_ms: Millis) -> Slot:
    """Return by which slot a version's pictures are in line: a message's by when it was written (R41)."""
    return slot_at(at_ms) if header.slot is None else header.slot


def with_pictures(header: Header, ciphertexts: Iterable[bytes]) -> Header:
    """Return a header with the names and padded sizes of its pictures or files (R41)."""
    names = tuple((row.picture_name(each), row.padded_picture_bytes(each)) for each in ciphertexts)
    return msgspec.structs.replace(header, pictures=names)


def picture_place(header: Header, index: int) -> row.PicturePlace:
    """Return the place that a version's picture or file is bound to (R47)."""
    return row.PicturePlace(header.account, header.contract, header.slot, header.replica, header.n, index)


def content_of(diary: OpenDiary, stored: StoredVersion) -> Content:
    """Return a version's content, opened (R47).

    Raises:
        ContentDestroyedError: There is none any more.
        DamageError: It does not open, or is not what its header says.
    """
    known = diary.contents.get(stored.header.name)
    if known is not None and stored.sealed.body is not None:
        return known
    content = open_content(diary, stored.header, stored.sealed)
    diary.remember(stored.header.name, content)
    return content


def open_content(diary: OpenDiary, header: Header, sealed: Sealed) -> Content:
    """Return what a sealed version hides (see `content_of`), without keeping it at hand."""
    plain = row.open_row(sealed, epoch_key(diary, header.contract, header.epoch or 0))
    try:
        match header.type:
            case "capture":
                return _capture.decode(plain)
            case "entry":
                return _entry.decode(plain)
            case "terms":
                return _terms.decode(plain)
            case "message":
                return _message.decode(plain)
            case _:
                return _reason.decode(plain)
    except UNREADABLE as error:
        raise UnreadableContentError(replica=header.replica, n=header.n, because=error) from error


def newest_epoch(diary: OpenDiary, contract: ContractId) -> int:
    """Return the newest epoch of a contract's key that this device was granted (R49).

    Raises:
        NoKeyError: It was granted none.
    """
    if contract in diary.newest_epochs:
        return diary.newest_epochs[contract]
    _learn_keys(diary, contract)
    epochs = [epoch for of, epoch in diary.epoch_keys if of == contract]
    if not epochs:
        raise NoKeyError(contract=contract, epoch="any")
    diary.newest_epochs[contract] = max(epochs)
    return diary.newest_epochs[contract]


def epoch_key(diary: OpenDiary, contract: ContractId, epoch: int) -> bytes:
    """Return an epoch's key (R49).

    Raises:
        NoKeyError: This device was not granted it.
    """
    if (contract, epoch) not in diary.epoch_keys:
        _learn_keys(diary, contract)
    try:
        return diary.epoch_keys[contract, epoch]
    except KeyError:
        raise NoKeyError(contract=contract, epoch=epoch) from None


def _learn_keys(diary: OpenDiary, contract: ContractId) -> None:
    """Open the grants to this device that are not opened yet; a client's invitation opens its own (R51)."""
    if diary.is_seat:
        from diary import seating

        diary.epoch_keys.update(seating.keys_by_invitation(diary, contract))
    for stored in versions.slotless(diary.connection, "grant", contract):
        grant = stored.header.grant
        if (
            grant is not None
            and grant.to == diary.replica
            and (contract, grant.epoch) not in diary.epoch_keys
            and stored.sealed.body is not None
        ):
            diary.epoch_keys[contract, grant.epoch] = diary.keys.open_grant(stored.sealed)


def grant(
    diary: OpenDiary,
    contract: ContractId,
    epoch: int,
    key: bytes,
    to: str,
    to_public: bytes,
    *,
    at_ms: Millis,
) -> None:
    """Grant a key to a listed device or to "recovery" (R49); the contract is the account for its own key."""
    diary.newest_epochs.pop(contract, None)
    header = draw_header(diary, "grant", contract, grant=GrantInClear(to=to, epoch=epoch))
    from diary.sealing.grant import seal_grant

    keep_sealed(diary, header, seal_grant(header, key, to_public), at_ms=at_ms)


def device_list(diary: OpenDiary) -> DeviceListInClear:
    """Return the newest device list this diary holds (R50).

    Raises:
        UnreadableContentError: It holds none.
    """
    lists = [
        stored.header.devices
        for stored in versions.slotless(diary.connection, "device_list", diary.log_of_lists)
        if stored.header.devices is not None
    ]
    if not lists:
        raise UnreadableContentError(replica=diary.replica, n=0, because="there is no device list")
    return max(lists, key=lambda devices: devices.number)


def grant_to_all(diary: OpenDiary, contract: ContractId, epoch: int, key: bytes, *, at_ms: Millis) -> None:
    """Grant a key to every device that is listed and not revoked, this one included, and to "recovery"."""
    devices = device_list(diary)
    for device in devices.devices:
        if device.revoked_from is None:
            grant(diary, contract, epoch, key, device.replica, bytes.fromhex(device.box), at_ms=at_ms)
    grant(diary, contract, epoch, key, RECOVERY, bytes.fromhex(devices.recovery), at_ms=at_ms)
