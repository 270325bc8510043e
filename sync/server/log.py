"""The contracts' logs: the next leaf, its receipt, and the server's signature (R37d, R45, R56).

A leaf's index is given under the account's lock, so the order of the indexes is the order of the commits.
"""

import contextlib
import hashlib
import hmac
import os
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from diary.errors import DamageError
from diary.evidence.head import LogHead, sign_head
from diary.evidence.invoice_statement import sign_invoice, sign_part
from diary.evidence.merkle import CompactRange, leaf_hash
from diary.evidence.opening import FIRST_EPOCH, Opening, SignedOpening, sign_opening
from diary.evidence.page_proof import sign_page
from diary.evidence.receipt import Receipt, Refusal, SignedAnswer, sign_answer
from diary.evidence.seal import Seal, sign_seal
from diary.evidence.statement import SignedStatement
from diary.rules.ids import ContractId, Millis
from diary.rules.invoice_parts import Invoice, InvoicePart
from diary.rules.segment import Header
from sync.server.kept_log import Log

SEED_BYTES = 32


class ServerKeyDamagedError(DamageError):
    """The file that holds the server's key holds something else."""

    says = "The server's key file {path} holds no key."
    mend = "Restore it from a backup: devices trust no other key."


class Logs:
    """Gives the next place in each contract's log within one transaction.

    `log_epoch` is the account's: a new log begins in it (R43).
    """

    def __init__(
        self,
        logs: Mapping[ContractId, Log],
        push: bytes,
        received_at_ms: Millis,
        log_epoch: int = FIRST_EPOCH,
    ) -> None:
        self._logs = logs
        self._nothing = Log(log_epoch)
        self._new: dict[ContractId, list[bytes]] = defaultdict(list)
        self._push = push
        self._received_at_ms = received_at_ms

    def receive(self, header: Header, header_hash: bytes, body_hash: bytes) -> Receipt:
        """Return the receipt of a version that now enters its contract's log (R45)."""
        contract, at_ms = header.contract, self._received_at_ms
        log = self._logs.get(contract, self._nothing)
        epoch = log.log_epoch
        leaf = leaf_hash(header.type, contract, epoch, at_ms, header_hash, body_hash, self._push)
        new = self._new[contract]
        new.append(leaf)
        return Receipt(
            replica=header.replica,
            n=header.n,
            contract=contract,
            log_epoch=epoch,
            index=log.leaves.size + len(new) - 1,
            received_at_ms=at_ms,
            leaf=leaf.hex(),
        )

    def grown(self) -> dict[ContractId, CompactRange]:
        """Return the ranges of the logs that grew, with what they received (R56)."""
        return {
            contract: self._logs.get(contract, self._nothing).leaves.extended(leaves)
            for contract, leaves in self._new.items()
        }

    def heads(self, grown: Mapping[ContractId, CompactRange]) -> list[LogHead]:
        """Return what the logs that grew are now (R56)."""
        return [
            head_of(contract, Log(self._nothing.log_epoch, leaves), self._received_at_ms)
            for contract, leaves in grown.items()
        ]


def head_of(contract: ContractId, log: Log, at_ms: Millis) -> LogHead:
    """Return what a log is at an instant, to be signed (R56)."""
    return LogHead(
        contract=contract,
        log_epoch=log.log_epoch,
        size=log.size,
        root=log.leaves.root.hex(),
        at_ms=at_ms,
    )


class ServerKey:
    """The server's Ed25519 key: it signs answers, and nobody else can (R37d, R56)."""

    def __init__(self, seed: bytes) -> None:
        self._seed = seed
        self._private = Ed25519PrivateKey.from_private_bytes(seed)
        self.public = self._private.public_key().public_bytes_raw()

    @classmethod
    def at(cls, path: Path) -> "ServerKey":
        """Return the key that lies at `path`; make one at the first start, readable by its owner alone.

        Raises:
            ServerKeyDamagedError: The file holds something else.
        """
        if not path.exists():
            _make_key(path)
        try:
            seed = bytes.fromhex(path.read_text(encoding="ascii").strip())
        except ValueError as error:
            raise ServerKeyDamagedError(path=path) from error
        if len(seed) != SEED_BYTES:
            raise ServerKeyDamagedError(path=path)
        return cls(seed)

    def answer(self, answers: list[Receipt | Refusal]) -> SignedAnswer:
        """Return the answers to one push, signed once for all of them (R37d)."""
        return sign_answer(answers, self._private)

    def page(self, contract: ContractId, first: int, leaves: bytes) -> bytes:
        """Return the signature by which any reader can prove the rows of a page (R43)."""
        return sign_page(contract, first, leaves, self._private)

    def head(self, head: LogHead) -> SignedStatement:
        """Return what a log is, signed (R56)."""
        return sign_head(head, self._private)

    def seal(self, seal: Seal) -> SignedStatement:
        """Return the seal of a frozen week, signed (R57)."""
        return sign_seal(seal, self._private)

    def invoice(self, invoice: Invoice) -> SignedStatement:
        """Return an invoice, signed (R61)."""
        return sign_invoice(invoice, self._private)

    def invoice_part(self, part: InvoicePart) -> SignedStatement:
        """Return one contract's part of an invoice, signed (R51, R61)."""
        return sign_part(part, self._private)

    def opening(self, opening: Opening) -> SignedOpening:
        """Return the statement that an account's logs go on in a new epoch, signed (R43)."""
        return sign_opening(opening, self._private)

    def secret_for(self, purpose: str) -> bytes:
        """Return a secret of this server for one purpose, alike in all its processes."""
        return hmac.digest(self._seed, f"workdiary/1/server/{purpose}".encode(), hashlib.sha256)


def _make_key(path: Path) -> None:
    """Write a new key, durably: no answer may be signed by one that a power cut takes away."""
    # A name that nobody had: a process of the same id may have been killed here before, as in a container.
    fresh = path.with_name(f"{path.name}.{os.urandom(8).hex()}")
    try:
        _write_private(fresh, os.urandom(SEED_BYTES).hex())
        with contextlib.suppress(FileExistsError):
            os.link(fresh, path)  # of two processes that start at once, one makes the key
    finally:
        fresh.unlink(missing_ok=True)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _write_private(path: Path, text: str) -> None:
    """Write a file that its owner alone can read, durably."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
