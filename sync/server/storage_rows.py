"""Rows of the databases as the storage's values, the same for every one of them (R40, R45)."""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import Any

from diary.evidence.merkle import CompactRange
from diary.evidence.receipt import LogRow, Receipt, Refusal
from diary.evidence.seats import JoiningError, Seats
from diary.evidence.statement import SignedStatement
from diary.rules.contract import TermsVersion, versions_of
from diary.rules.ids import AccountId, ContractId, Millis, ReplicaId
from diary.rules.merge import Held
from diary.rules.segment import Header, parse_header, stored_header
from sync.server.kept_log import Log, NewSeal
from sync.server.storage import NewLeaf, Stored, pictures_of

# STRICT tables, and PostgreSQL's, answer for the types of their columns.
Row = Sequence[Any]


def accepted(replica: ReplicaId, rows: Iterable[Row]) -> dict[int, Stored]:
    """Return the receipts by n (see `ACCEPTED` of the statements)."""
    known: dict[int, Stored] = {}
    for n, header, body_hash, contract, epoch, index, at_ms, leaf in rows:
        receipt = Receipt(
            replica=replica,
            n=n,
            contract=contract,
            log_epoch=epoch,
            index=index,
            received_at_ms=at_ms,
            leaf=leaf.hex(),
        )
        known[n] = Stored(hashlib.sha256(header.encode()).digest(), body_hash, receipt)
    return known


def refused(replica: ReplicaId, rows: Iterable[Row]) -> dict[int, Stored]:
    """Return the refusals by n (see `REFUSED` of the statements)."""
    return {
        n: Stored(
            header_hash,
            body_hash,
            Refusal(
                replica=replica,
                n=n,
                reason=reason,
                because=because,
                refused_at_ms=at_ms,
                header_hash=header_hash.hex(),
                body_hash=body_hash.hex(),
            ),
        )
        for n, header_hash, body_hash, reason, because, at_ms in rows
    }


def log(row: Row, leaves: Callable[[], Iterable[bytes]]) -> Log:
    """Return a log (see `LOGS` of the statements, without the contract).

    `leaves` gives those of a log that was kept before ranges were: it is asked where there is none.
    """
    log_epoch, size, peaks, seals = row
    if size and peaks is None:
        return Log(log_epoch, CompactRange().extended(leaves()), seals)
    return Log(log_epoch, CompactRange.from_bytes(size, peaks or b""), seals)


def segments(rows: Iterable[Row]) -> dict[ContractId, list[Held]]:
    """Return captures and entries with their leaves by their contracts (see `SEGMENTS` of the statements)."""
    found: dict[ContractId, list[Held]] = {}
    for contract, header, at_ms, leaf in rows:
        found.setdefault(ContractId(contract), []).append(Held(stored_header(header), Millis(at_ms), leaf))
    return found


def seal(account: AccountId, new: NewSeal) -> dict[str, str | int | bytes]:
    """Return a seal as the row of `seal`."""
    return {
        "account": account,
        "contract": new.contract,
        "number": new.number,
        "week": new.week,
        "text": new.signed.text,
        "signature": new.signed.signature,
    }


def newest_seals(rows: Iterable[Row]) -> dict[ContractId, SignedStatement]:
    """Return the last seal of each contract, of rows by their numbers."""
    return {
        ContractId(contract): SignedStatement(text=text, signature=signature)
        for contract, text, signature in rows
    }


def terms(rows: Iterable[Row]) -> dict[ContractId, tuple[TermsVersion, ...]]:
    """Return the contracts' terms in the rows' order (see `TERMS` of the statements)."""
    logs: dict[ContractId, list[tuple[Header, Millis]]] = {}
    for contract, text, at_ms in rows:
        logs.setdefault(contract, []).append((parse_header(text.encode()), Millis(at_ms)))
    found = {contract: versions_of(log) for contract, log in logs.items()}
    return {contract: versions for contract, versions in found.items() if versions}


def seats(contracts: Iterable[ContractId], rows: Iterable[Row]) -> dict[ContractId, Seats]:
    """Return the contracts' invitations and seats in the rows' order (see `SEATS` of the statements)."""
    found = {contract: Seats() for contract in contracts}
    for contract, text, body, at_ms in rows:
        raw = text.encode()
        with suppress(JoiningError):  # it was let in by nobody, and gives nobody a right
            found[contract].learn(stored_header(raw), raw, body or b"", Millis(at_ms))
    return found


def memberships(rows: Iterable[Row]) -> list[Held]:
    """Return an account's memberships in the rows' order (see `MEMBERSHIPS` of the statements)."""
    return [Held(stored_header(text), Millis(at_ms)) for _, text, at_ms in rows]


def acts(contracts: Iterable[ContractId], rows: Iterable[Row]) -> dict[ContractId, list[Held]]:
    """Return what the parties of the contracts said, in the rows' order (see `ACTS` of the statements)."""
    found: dict[ContractId, list[Held]] = {contract: [] for contract in contracts}
    for contract, text, at_ms in rows:
        found[contract].append(Held(stored_header(text), Millis(at_ms)))
    return found


def log_row(log_epoch: int, row: Row) -> LogRow:
    """Return one row of a feed (see `FEED` of the statements)."""
    index, at_ms, push, header, body_hash, body, wrap, _ = row
    return LogRow(
        log_epoch=log_epoch,
        index=index,
        received_at_ms=at_ms,
        push=push.hex(),
        header=header,
        body_hash=body_hash.hex(),
        body=body,
        wrap=wrap,
    )


def cost(row: Row) -> int:
    """Return about how many bytes a feed's row is on the wire."""
    return len(row[3]) + len(row[5] or b"")


def version(account: AccountId, push_hash: bytes, leaf: NewLeaf) -> tuple[str | int | bytes | None, ...]:
    """Return a leaf as the row of `version`, its columns in the table's order."""
    receipt = leaf.receipt
    return (
        account,
        receipt.contract,
        receipt.log_epoch,
        receipt.index,
        receipt.received_at_ms,
        receipt.replica,
        receipt.n,
        leaf.header.type,
        leaf.header.slot,
        push_hash,
        bytes.fromhex(receipt.leaf),
        leaf.header_text,
        leaf.body_hash,
        leaf.body,
        leaf.wrap,
    )


def expected_pictures(account: AccountId, leaves: Iterable[NewLeaf]) -> list[tuple[str, str, str, int, int]]:
    """Return account, name, replica, n and size of every picture that may be uploaded from now on (R41).

    A picture has one size, the first that was named.
    """
    sizes: dict[str, int] = {}
    return [
        (account, name, leaf.receipt.replica, leaf.receipt.n, sizes.setdefault(name, size))
        for leaf in leaves
        if leaf.header.pictures
        for name, size in pictures_of(leaf)
    ]


def last_receipts(leaves: Iterable[NewLeaf]) -> list[Receipt]:
    """Return the last receipt of each log that the leaves make grow."""
    return list({leaf.receipt.contract: leaf.receipt for leaf in leaves}.values())


def revoked_by(leaf: NewLeaf) -> list[ReplicaId] | None:
    """Return the replicas that the account's new device list revokes; None when the leaf is none (R50).

    One that stands in a contract's log is for its readers: the account's own log says whom to let in.
    """
    devices = leaf.header.devices
    if devices is None or not leaf.header.in_own_log:
        return None
    return [item.replica for item in devices.devices if item.revoked_from is not None]
