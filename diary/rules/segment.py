"""One version: its header in clear, and the sealed bytes that belong to it (R32, R33, R35, R46).

The header is JSON text whose exact bytes are hashed, signed, stored and sent; it is never encoded again
after `Header.to_bytes`. What is sealed stands in `diary.rules.sealed_content`. Fields that do not apply to
a type are absent. Readers refuse fields they do not know (`bad_header`).
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Literal

import msgspec

from diary.rules import act_parts, money_parts
from diary.rules.act_parts import (
    SLOT_END,
    AcceptanceInClear,
    DisputeInClear,
    RedactionInClear,
    RequestInClear,
    VersionName,
)
from diary.rules.devices import DeviceListInClear
from diary.rules.ids import AccountId, ContractId, ReplicaId, Slot
from diary.rules.membership import MembershipInClear, fault_of_membership
from diary.rules.money_parts import BonusInClear, PaymentInClear, is_payer
from diary.rules.seat import InvitationInClear, SeatInClear, fault_of_invitation, fault_of_seat
from diary.rules.unreadable import UNREADABLE

HEADER_VERSION = 1
HEADER_BYTES_MAX = 64 * 1024  # a device list of 200 devices; a capture's header is about 500 bytes
PICTURES_MAX = 8  # screen and thumbnail a snapshot, several snapshots after a restart, a camera frame
VECTOR_MAX = 1000  # more replicas than a segment may have versions: no limit may refuse a deletion (R44)
HASH_DIGITS = 64
NUMBER_END = 2**53  # what JavaScript counts exactly

VersionType = Literal[
    "capture",
    "entry",
    "terms",
    "request",
    "acceptance",
    "dispute",
    "redaction",
    "bonus",
    "payment",
    "message",
    "grant",
    "device_list",
    "joining",
    "membership",
]

Stamp = tuple[int, ReplicaId]
"""Milliseconds and replica: of two texts the greater stamp wins (R36)."""

PictureName = tuple[str, int]
"""SHA-256 of a picture's ciphertext in hexadecimal, and its padded size in bytes (R41)."""

Head = tuple[ContractId, int, int, str]
"""A log head: contract, log epoch, size, root in hexadecimal (R56)."""


ContractState = Literal["active", "paused", "closed"]


class TermsInClear(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What the server must enforce or bill by (R7, R8, R46).

    `rate_minor` is in the currency's minor unit an hour; `limit_minutes` of None means no weekly limit.
    `manual_weeks` are the weeks for which manual time is allowed though not for the contract (R10). Contracts
    of one `payer` go on one bill (R61): a random id, that of the contract's first terms for ever; None means
    that the contract is billed alone.
    """

    state: ContractState
    kind: Literal["hourly", "fixed_price"]
    limit_minutes: int | None
    manual_allowed: bool
    masking_allowed: bool
    label_required: bool
    rate_minor: int
    currency: str
    manual_weeks: tuple[str, ...] = ()
    payer: str | None = None


class GrantInClear(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Whom an epoch key is sealed to: a replica id, "recovery", or the "invitation" it is of (R49, R51)."""

    to: str
    epoch: int
    invitation: InvitationInClear | None = None


class Header(
    msgspec.Struct, frozen=True, gc=False, kw_only=True, forbid_unknown_fields=True, omit_defaults=True
):
    """The clear part of one version.

    `vector` and `life` belong to entries, `manual` (the claim of manual time) too; `stamp` is the greatest
    stamp in the content; `pictures` belong to captures, to payments as receipts, to messages as files, in the
    order of their index; `epoch` names the key epoch and `commit` the key commitment of a sealed body (R47).
    `head` is the newest log head the writer knew, null until there is one. A terms row says all of `terms`,
    or nothing but the contract's `state`, so that who pauses offline takes no limit or rate back that was set
    meanwhile.
    """

    v: int
    type: VersionType
    account: AccountId
    contract: ContractId
    replica: ReplicaId
    n: int
    head: Head | None
    slot: Slot | None = None
    vector: dict[ReplicaId, int] | None = None
    life: int | None = None
    manual: bool | None = None
    stamp: Stamp | None = None
    pictures: tuple[PictureName, ...] | None = None
    epoch: int | None = None
    commit: str | None = None
    terms: TermsInClear | None = None
    state: ContractState | None = None
    request: RequestInClear | None = None
    acceptance: AcceptanceInClear | None = None
    dispute: DisputeInClear | None = None
    redaction: RedactionInClear | None = None
    bonus: BonusInClear | None = None
    payment: PaymentInClear | None = None
    devices: DeviceListInClear | None = None
    grant: GrantInClear | None = None
    seat: SeatInClear | None = None
    membership: MembershipInClear | None = None

    def to_bytes(self) -> bytes:
        """Return the header's bytes, to be kept as they are from now on."""
        return _encoder.encode(self)

    @property
    def name(self) -> VersionName:
        """Return (replica, n), the version's name for ever (R33)."""
        return self.replica, self.n

    @property
    def in_own_log(self) -> bool:
        """Return whether it stands in the account's own log, whose id is the account's."""
        return str(self.contract) == str(self.account)


class MalformedHeaderError(ValueError):
    """The bytes are no header of this version; the text says where they differ."""


_encoder = msgspec.json.Encoder(order="deterministic")
_decoder = msgspec.json.Decoder(Header)
_ID = re.compile(r"[0-9a-f]{32}")
_HEX_DIGITS = b"0123456789abcdef"
_CURRENCY = re.compile(r"[A-Z]{3}")


def parse_header(raw: bytes) -> Header:
    """Return the header that `raw` holds, its fields checked against its type.

    Raises:
        MalformedHeaderError: Not JSON, an unknown or missing field, or a value out of its bounds.
    """
    if len(raw) > HEADER_BYTES_MAX:
        raise MalformedHeaderError(f"the header has {len(raw)} bytes, more than {HEADER_BYTES_MAX}")
    try:
        header = _decoder.decode(raw)
    except UNREADABLE as error:
        raise MalformedHeaderError(str(error)) from error
    fault = _fault_of(header)
    if fault is not None:
        raise MalformedHeaderError(fault)
    return header


def stored_header(text: str | bytes) -> Header:
    """Return the header that `parse_header` found to be one before its text was stored."""
    return _decoder.decode(text)


@lru_cache(maxsize=4096)  # thousands of versions name the same account, contracts and replicas
def _is_id(text: str) -> bool:
    return _ID.fullmatch(text) is not None


def _is_hash(text: str) -> bool:
    """Return whether this is SHA-256 in hexadecimal; a regular expression takes four times as long."""
    return len(text) == HASH_DIGITS and not text.encode().translate(None, _HEX_DIGITS)


def _fault_of(header: Header) -> str | None:
    """Return what is wrong with the header first, None where nothing is."""
    if _bears_anothers_part(header):
        return f"a {header.type} carries no part of another type"
    return _fault_of_any(header) or _fault_of_its_type(header)


def _fault_of_any(header: Header) -> str | None:
    if header.v != HEADER_VERSION:
        return f"format version {header.v} is not known here"
    if not (_is_id(header.account) and _is_id(header.contract) and _is_id(header.replica)):
        return "account, contract and replica are 32 hexadecimal digits each"
    if not 1 <= header.n < NUMBER_END:
        return "n counts from 1"
    if header.commit is not None and not _is_hash(header.commit):
        return "commit is 64 hexadecimal digits"
    if header.stamp is not None and not (0 <= header.stamp[0] < NUMBER_END and _is_id(header.stamp[1])):
        return "a stamp is milliseconds and a replica"
    return None


_PART_OWNERS: tuple[VersionType, ...] = (
    "terms", "terms", "request", "acceptance", "dispute", "redaction", "bonus", "payment",
    "device_list", "grant", "joining", "membership",
)  # fmt: skip
_NO_PARTS = (None,) * len(_PART_OWNERS)


def _bears_anothers_part(header: Header) -> bool:
    """Return whether it says what only another type, which is checked for it, may say (R8, R49, R50)."""
    parts = (
        header.terms, header.state, header.request, header.acceptance, header.dispute, header.redaction,
        header.bonus, header.payment, header.devices, header.grant, header.seat, header.membership,
    )  # fmt: skip
    if parts == _NO_PARTS:  # captures and entries, which come in thousands
        return False
    return any(
        part is not None and owner != header.type for part, owner in zip(parts, _PART_OWNERS, strict=True)
    )


def _fault_of_its_type(header: Header) -> str | None:
    if header.type == "capture":
        return _fault_of_capture(header)
    if header.type == "entry":
        return _fault_of_entry(header)
    if header.slot is not None:
        # It would stand among the captures and entries of the slot, and be merged with them.
        return "only a capture or an entry stands in a slot"
    return _fault_of_slotless(header)


def _fault_of_slotless(header: Header) -> str | None:
    match header.type:
        case "terms":
            return _fault_of_terms(header)
        case "joining":
            return fault_of_seat(header.n, header.seat)
        case "request" | "acceptance" | "dispute" | "redaction" | "bonus" | "payment":
            return _fault_of_act(header)
        case "message":
            return _fault_of_message(header)
        case _:
            return _fault_of_account(header)


def _fault_of_account(header: Header) -> str | None:
    """Return what is wrong with what an account says of devices, keys and members, None where nothing is."""
    match header.type:
        case "membership":
            if not (_is_bare(header) and header.in_own_log):
                return "a membership is bare, and stands in the account's own log"
            return fault_of_membership(header.membership)
        case "grant" if header.grant is not None:
            return fault_of_invitation(header.grant.to, header.grant.invitation)
        case "device_list" if header.devices is not None:
            return None
        case _:
            return f"a {header.type} carries its own part"


def _fault_of_act(header: Header) -> str | None:
    """Return what is wrong with what one party says to the other, None where nothing is."""
    if (header.commit is None) != (header.epoch is None):
        return "epoch and commit come together or not at all"
    is_sealed = header.commit is not None
    match header.type:
        case "request":
            fault = act_parts.fault_of_request(header.request, is_sealed=is_sealed)
        case "acceptance":
            fault = act_parts.fault_of_acceptance(header.acceptance)
        case "dispute":
            fault = act_parts.fault_of_dispute(header.dispute, is_sealed=is_sealed)
        case "bonus":
            fault = money_parts.fault_of_bonus(header.bonus)
        case "payment":
            receipts = header.pictures or ()
            fault = money_parts.fault_of_payment(
                header.payment,
                receipts,
                account=header.account,
                in_own_log=header.in_own_log,
                is_sealed=is_sealed,
            )
        case _:
            fault = act_parts.fault_of_redaction(header.redaction)
    return fault


def _is_bare(header: Header) -> bool:
    return header.commit is None and header.epoch is None


def _has_no_slot(header: Header) -> bool:
    return header.slot is None or not 0 <= header.slot < SLOT_END


def _fault_of_capture(header: Header) -> str | None:
    pictures = header.pictures
    if _has_no_slot(header):
        return "a capture or an entry names its slot"
    if header.commit is None or header.epoch is None:
        return "a capture is sealed: epoch and commit are needed"
    if pictures is None or len(pictures) > PICTURES_MAX:
        return f"a capture lists its pictures, at most {PICTURES_MAX}"
    if header.vector is not None or header.life is not None or header.manual is not None:
        return "a capture has no vector, life or claim"
    return _fault_of_pictures(pictures)


def _fault_of_pictures(pictures: Sequence[PictureName]) -> str | None:
    for name, size in pictures:
        if not _is_hash(name) or size <= 0:
            return "a picture is named by 64 hexadecimal digits and a size over 0"
    return None


def _fault_of_message(header: Header) -> str | None:
    """Return what is wrong with a message: what it says, and what kind it is, is sealed (R46, R68)."""
    if header.commit is None or header.epoch is None:
        return "a message is sealed: epoch and commit are needed"
    if (header.vector, header.life, header.manual, header.stamp) != (None, None, None, None):
        return "a message has no vector, life, claim or stamp"
    files = header.pictures
    if files is None:
        return None
    if not 1 <= len(files) <= PICTURES_MAX:
        return f"a message with files lists them, at most {PICTURES_MAX}"
    return _fault_of_pictures(files)


def _fault_of_entry(header: Header) -> str | None:
    if _has_no_slot(header):
        return "a capture or an entry names its slot"
    if header.life is None or header.life < 0 or header.manual is None or header.pictures is not None:
        return "an entry has a life from 0, says whether it claims manual time, and has no pictures"
    # A deletion may be its header alone (R17); what says anything is sealed.
    is_deletion = header.life % 2 == 1
    if (header.commit is None) != (header.epoch is None) or (header.commit is None and not is_deletion):
        return "an entry is sealed: epoch and commit are needed"
    vector = header.vector or {}
    if not 1 <= len(vector) <= VECTOR_MAX or vector.get(header.replica) != header.n:
        return "an entry's vector holds its own name"
    for replica, n in vector.items():
        if not _is_id(replica) or not 1 <= n < NUMBER_END:
            return "a vector maps replicas to numbers from 1"
    return None


def _fault_of_terms(header: Header) -> str | None:
    terms = header.terms
    if (terms is None) == (header.state is None):
        return "a terms row carries its own part: all terms, or the contract's state"
    if terms is None:
        return None if _is_bare(header) else "a change of state has nothing sealed"
    if (terms.limit_minutes or 0) < 0 or not 0 <= terms.rate_minor < NUMBER_END:
        return "a limit and a rate are not below 0"
    if not _CURRENCY.fullmatch(terms.currency):
        return "a currency is three capital letters"
    if terms.payer is not None and not is_payer(terms.payer):
        return "a payer is 32 hexadecimal digits"
    return act_parts.fault_of_manual_weeks(terms.manual_weeks)


class Sealed(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """One version as it lies in `diary.db`, on the wire and at the server, byte for byte.

    `body` and `wrap` are None where the content was destroyed or superseded (R45). A grant's body is the
    sealed key, a device list's and a joining's the signature; none of them has a wrap.
    """

    header: bytes
    body: bytes | None
    wrap: bytes | None
