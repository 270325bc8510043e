"""A device as the server sees it: real keys, real sealed versions, real signatures, and no diary."""

import hashlib
import itertools
import os
from collections.abc import Sequence
from typing import Any

from diary.evidence import signature
from diary.evidence.list_leaf import leaf_body
from diary.rules.devices import DeviceListInClear, ListedDevice
from diary.rules.ids import ContractId, Millis, ReplicaId, Slot
from diary.rules.sealed_content import EntryContent, StampedText, TermsContent, content_bytes
from diary.rules.segment import GrantInClear, Header, Sealed
from diary.sealing import grant as grants
from diary.sealing import row
from diary.sealing.key_tree import DeviceKeys, Root, new_phrase
from sync.protocol import Enrol, Push, RootProof, WireVersion
from tests.sync.server.versions import TERMS

EMPTY = b"{}"


class Author:
    """One replica of one account; `phrase` of another makes it a second device of the same account."""

    def __init__(self, phrase: str | None = None, devices: DeviceListInClear | None = None) -> None:
        self.phrase = phrase or new_phrase(os.urandom(16))
        self.root = Root.from_phrase(self.phrase)
        self.account = self.root.account
        self.replica = ReplicaId(os.urandom(16).hex())
        self.contract = ContractId(os.urandom(16).hex())
        self.keys = DeviceKeys(os.urandom(32), os.urandom(32), os.urandom(32))
        self.epoch_key = os.urandom(32)
        self.devices = devices
        self.proof_of_devices: list[Sealed] = []
        self.numbers = itertools.count(1)

    @property
    def authorization(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.account}.{self.replica}.{self.keys.token}"}

    def header(self, kind: str, **fields: Any) -> Header:
        given: dict[str, Any] = {
            "v": 1,
            "type": kind,
            "account": self.account,
            "contract": self.contract,
            "replica": self.replica,
            "n": next(self.numbers) if "n" not in fields else fields["n"],
            "head": None,
        }
        return Header(**{**given, **fields})

    def sealed(self, header: Header, content: bytes = EMPTY, *, key: bytes | None = None) -> WireVersion:
        made = row.seal(
            header,
            content,
            epoch=1,
            epoch_key=self.epoch_key,
            row_key=key or os.urandom(32),
            wrap_nonce=os.urandom(12),
        )
        return wire(made)

    def device_list(self, *, revoked: dict[ReplicaId, int] | None = None) -> WireVersion:
        """Return the next device list, by the root; it lists this device if the last one did not."""
        known = self.devices
        listed = [
            ListedDevice(
                replica=item.replica,
                sign=item.sign,
                box=item.box,
                successor_of=item.successor_of,
                revoked_from=(revoked or {}).get(item.replica, item.revoked_from),
            )
            for item in (known.devices if known else ())
        ]
        if all(item.replica != self.replica for item in listed):
            listed.append(
                ListedDevice(
                    replica=self.replica,
                    sign=self.keys.sign_public.hex(),
                    box=self.keys.box_public.hex(),
                )
            )
        self.devices = DeviceListInClear(
            number=known.number + 1 if known else 1,
            root=self.root.sign_public.hex(),
            recovery=self.root.recovery_public.hex(),
            signer="root",
            devices=tuple(listed),
        )
        raw = self.header("device_list", contract=ContractId(self.account), devices=self.devices).to_bytes()
        body = self.root.sign(signature.signed_message(signature.DEVICE_LIST, raw))
        self.proof_of_devices = [Sealed(header=raw, body=body, wrap=None)]
        return WireVersion(header=raw.decode(), body=body, wrap=None)

    def leaf(self, contract: ContractId | None = None) -> WireVersion:
        """Return the device list that this author knows as a leaf of the contract's log."""
        header = self.header("device_list", contract=contract or self.contract, devices=self.devices)
        body = leaf_body(self.proof_of_devices)
        return WireVersion(header=header.to_bytes().decode(), body=body, wrap=None)

    def grant(self, to: str = "recovery", contract: ContractId | None = None) -> WireVersion:
        header = self.header("grant", contract=contract or self.contract, grant=GrantInClear(to=to, epoch=1))
        return wire(grants.seal_grant(header, self.epoch_key, self.root.recovery_public))

    def terms(
        self, *, contract: ContractId | None = None, title: str = "Work", **changed: Any
    ) -> WireVersion:
        given = {name: getattr(TERMS, name) for name in TERMS.__struct_fields__}
        clear = type(TERMS)(**{**given, **changed})
        header = self.header("terms", contract=contract or self.contract, terms=clear)
        return self.sealed(header, content_bytes(TermsContent(title=title, client="", labels=())))

    def capture(self, slot: int, *, pictures: Sequence[bytes] = (), **fields: Any) -> WireVersion:
        named = tuple((row.picture_name(item), row.padded_picture_bytes(item)) for item in pictures)
        return self.sealed(self.header("capture", slot=Slot(slot), pictures=named, **fields))

    def entry(
        self,
        slot: int,
        *,
        life: int = 0,
        manual: bool = False,
        memo: str = "",
        knows: dict[ReplicaId, int] | None = None,
        stamp_ms: Millis | None = None,
        **fields: Any,
    ) -> WireVersion:
        n = next(self.numbers)
        stamp = (stamp_ms, self.replica) if stamp_ms is not None else None
        header = self.header(
            "entry",
            n=n,
            slot=Slot(slot),
            life=life,
            manual=manual,
            stamp=stamp,
            vector={**(knows or {}), self.replica: n},
            **fields,
        )
        text = StampedText(memo, stamp or (0, self.replica)) if memo else None
        content = EntryContent(contract=self.contract, slot=Slot(slot), memo=text, label=None)
        return self.sealed(header, content_bytes(content))

    def picture(self, size: int = 3000) -> bytes:
        """Return ciphertext as long as a sealed picture of that many bytes."""
        return os.urandom(-(-(size + 1) // 4096) * 4096 + row.TAG_BYTES)

    def push(self, *versions: WireVersion) -> Push:
        hashes = b"".join(
            hashlib.sha256(item.header.encode()).digest() + hashlib.sha256(item.body or b"").digest()
            for item in versions
        )
        return Push(
            account=self.account,
            replica=self.replica,
            versions=list(versions),
            signature=self.keys.sign(signature.PUSH, hashes),
        )

    def enrol(self, *more: WireVersion) -> Enrol:
        return Enrol(
            push=self.push(self.device_list(), *more),
            token_hash=hashlib.sha256(self.keys.token.encode()).hexdigest(),
        )

    def proof(self, nonce: str) -> RootProof:
        message = signature.signed_message(signature.ROOT_PROOF, nonce.encode())
        return RootProof(
            account=self.account,
            root=self.root.sign_public.hex(),
            nonce=nonce,
            signature=self.root.sign(message),
        )

    def second_device(self) -> "Author":
        """Return another device with the same phrase, which knows this one's list and contract."""
        other = Author(self.phrase, self.devices)
        other.contract, other.epoch_key = self.contract, self.epoch_key
        other.proof_of_devices = self.proof_of_devices
        return other


def wire(sealed: Sealed) -> WireVersion:
    return WireVersion(header=sealed.header.decode(), body=sealed.body, wrap=sealed.wrap)


def n_of(version: WireVersion) -> int:
    from diary.rules.segment import parse_header

    return parse_header(version.header.encode()).n
