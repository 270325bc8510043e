"""Versions for tests of the storage: right in form, with bytes in place of sealed content."""

import hashlib
import os
from collections.abc import Sequence
from typing import Any

import msgspec

from diary.evidence.receipt import Receipt, Refusal, SignedPush
from diary.rules.devices import DeviceListInClear, ListedDevice
from diary.rules.ids import AccountId, ContractId, ReplicaId, Slot
from diary.rules.segment import Header, TermsInClear
from sync.server.kept_log import Log
from sync.server.storage import AccountHold, NewLeaf, NewRefusal

ACCOUNT = AccountId("a" * 32)
OTHER_ACCOUNT = AccountId("0" * 32)
CONTRACT = ContractId("c" * 32)
OTHER_CONTRACT = ContractId("b" * 32)
REPLICA = ReplicaId("d" * 32)
SLOT = Slot(2_999_999)
ROOT = "e" * 64

TERMS = TermsInClear(
    state="active",
    kind="hourly",
    limit_minutes=None,
    manual_allowed=True,
    masking_allowed=True,
    label_required=False,
    rate_minor=6000,
    currency="EUR",
)


def capture(n: int, *, slot: int = SLOT, pictures: tuple[tuple[str, int], ...] = (), **other: Any) -> Header:
    given: dict[str, Any] = {
        "v": 1,
        "type": "capture",
        "account": ACCOUNT,
        "contract": CONTRACT,
        "replica": REPLICA,
        "n": n,
        "head": None,
        "slot": Slot(slot),
        "pictures": pictures,
        "epoch": 1,
        "commit": "f" * 64,
    }
    return Header(**{**given, **other})


def entry(n: int, *, life: int = 0, slot: int = SLOT, manual: bool = False, **other: Any) -> Header:
    given: dict[str, Any] = {
        "v": 1,
        "type": "entry",
        "account": ACCOUNT,
        "contract": CONTRACT,
        "replica": REPLICA,
        "n": n,
        "head": None,
        "slot": Slot(slot),
        "vector": {other.get("replica", REPLICA): n},
        "life": life,
        "manual": manual,
        "epoch": 1,
        "commit": "f" * 64,
    }
    return Header(**{**given, **other})


def terms(n: int, *, contract: ContractId = CONTRACT, **changed: Any) -> Header:
    given = {name: getattr(TERMS, name) for name in TERMS.__struct_fields__}
    return Header(
        v=1,
        type="terms",
        account=ACCOUNT,
        contract=contract,
        replica=REPLICA,
        n=n,
        head=None,
        epoch=1,
        commit="f" * 64,
        terms=TermsInClear(**{**given, **changed}),
    )


def header_of_message(n: int) -> Header:
    """Return the header of a message, which stands in no slot."""
    return Header(
        v=1,
        type="message",
        account=ACCOUNT,
        contract=CONTRACT,
        replica=REPLICA,
        n=n,
        head=None,
        epoch=1,
        commit="f" * 64,
    )


def device_list(n: int, *, number: int = 1, revoked_from: int | None = None) -> Header:
    device = ListedDevice(replica=REPLICA, sign="1" * 64, box="2" * 64, revoked_from=revoked_from)
    return Header(
        v=1,
        type="device_list",
        account=ACCOUNT,
        contract=ContractId(ACCOUNT),
        replica=REPLICA,
        n=n,
        head=None,
        devices=DeviceListInClear(
            number=number, root=ROOT, recovery="3" * 64, signer="root", devices=(device,)
        ),
    )


def leaf(
    header: Header, *, index: int, at_ms: int, body: bytes | None = b"sealed", epoch: int = 1
) -> NewLeaf:
    text = header.to_bytes().decode()
    body_hash = hashlib.sha256(body or b"").digest()
    receipt = Receipt(
        replica=header.replica,
        n=header.n,
        contract=header.contract,
        log_epoch=epoch,
        index=index,
        received_at_ms=at_ms,
        leaf=hashlib.sha256(text.encode() + body_hash).hexdigest(),
    )
    wrap = b"wrap" if body is not None and header.type in {"capture", "entry", "terms"} else None
    return NewLeaf(header, text, body_hash, body, wrap, receipt)


def append(
    hold: AccountHold,
    *headers: Header,
    body: bytes | None = b"sealed",
    leaves: Sequence[NewLeaf] = (),
) -> list[NewLeaf]:
    """Append the headers to their logs, or `leaves` that are made already, signed by a push of their own."""
    sizes = {name: head.size for name, head in hold.logs({header.contract for header in headers}).items()}
    made = list(leaves)
    for header in headers:
        index = sizes.get(header.contract, 0)
        sizes[header.contract] = index + 1
        made.append(leaf(header, index=index, at_ms=hold.received_at_ms, body=body, epoch=hold.log_epoch))
    hashes = b"".join(hashlib.sha256(item.header_text.encode()).digest() + item.body_hash for item in made)
    push = SignedPush(replica=made[0].header.replica, hashes=hashes, signature=os.urandom(64))
    logs = hold.logs({item.receipt.contract for item in made})
    grown = {
        contract: logs.get(contract, Log(hold.log_epoch)).leaves.extended(
            bytes.fromhex(item.receipt.leaf) for item in made if item.receipt.contract == contract
        )
        for contract in {item.receipt.contract for item in made}
    }
    hold.append(push, hashlib.sha256(hashes + push.signature).digest(), made, grown)
    return made


def without_content(item: NewLeaf) -> NewLeaf:
    return msgspec.structs.replace(item, body=None, wrap=None)


def refused(n: int) -> NewRefusal:
    """Return the refusal of a version whose hashes are all h and all b."""
    refusal = Refusal(
        replica=REPLICA,
        n=n,
        reason="week_locked",
        because="late",
        refused_at_ms=1_763_770_300_000,
        header_hash=(b"h" * 32).hex(),
        body_hash=(b"b" * 32).hex(),
    )
    return NewRefusal(b"h" * 32, b"b" * 32, refusal)
