"""What was read of the feeds: rows, how far, who signed them, and what gave alarm (R25, R45, R48).

Statements over lists, each run once a page: a diary of years arrives in tens of thousands of rows.
"""

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypedDict

import msgspec
from msgspec.structs import astuple

from diary.evidence.alarm import AlarmKind, Evidence
from diary.evidence.receipt import SignedPush
from diary.many_rows import for_many, joined, left_over
from diary.rules.ids import AccountId, ContractId, Millis, ReplicaId, Slot
from diary.rules.segment import Header, stored_header
from diary.store import sealed
from diary.store.versions import ContentState

_DEVICE_LISTS = """
    SELECT header
      FROM version
     WHERE contract = :contract
       AND slot IS NULL
       AND type = 'device_list'
       AND leaf_index < :size
       AND log_epoch > 0
     ORDER BY leaf_index
"""
_NEWEST_N = """
    SELECT ifnull(max(n), 0)
      FROM version
     WHERE replica = :replica
"""
_KNOWN = """
    SELECT n, id, header, body_hash, sealed IS NOT NULL, log_epoch, leaf_index, received_at_ms
      FROM version
     WHERE replica = :replica
       AND n BETWEEN :first AND :last
"""
_HELD = """
    SELECT v.slot, v.id, v.header, v.received_at_ms, iif(v.log_epoch > 0, v.leaf_index, NULL), v.content,
           v.push IS NOT NULL
      FROM json_each(:slots) AS place
      JOIN version AS v
        ON v.slot = place.value
       AND v.contract = :contract
     WHERE v.slot IS NOT NULL
"""
# By the place, which has few versions.
_BESIDE = """
    SELECT taken.id, other.header, other.content = 'standing'
      FROM json_each(:ids) AS wanted
      JOIN version AS taken
        ON taken.id = wanted.value
      JOIN version AS other INDEXED BY version_slot
        ON other.slot = taken.slot
       AND other.slot IS NOT NULL
       AND other.contract = taken.contract
       AND other.type = taken.type
       AND other.life = taken.life
       AND other.received_at_ms IS NOT NULL
       AND other.id <> taken.id
     WHERE taken.type = 'entry'
       AND taken.slot IS NOT NULL
       AND taken.sealed IS NOT NULL
"""
_ADD = """
    INSERT INTO version (
        replica, n, type, account, contract, slot, life, received_at_ms, written_at_ms,
        log_epoch, leaf_index, push, content, body_hash, header, sealed
    )
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
_ADD_MANY = for_many(_ADD)
_RECEIVED = """
    UPDATE version
       SET received_at_ms = :received_at_ms,
           log_epoch = :log_epoch,
           leaf_index = :leaf_index,
           push = :push,
           body_hash = :body_hash
     WHERE id = :id
"""
_REFILL = """
    UPDATE version
       SET content = 'standing',
           sealed = :sealed
     WHERE id = :id
"""
_ADD_PICTURE = """
    INSERT INTO picture (replica, n, idx, name, contract, slot, size, at_server)
    VALUES (:replica, :n, :idx, :name, :contract, :slot, :size, 1)
        ON CONFLICT (replica, n, idx) DO NOTHING
"""
_ADD_PUSH = """
    INSERT INTO push (hash, replica, hashes, signature)
    VALUES (:hash, :replica, :hashes, :signature)
        ON CONFLICT (hash) DO NOTHING
"""
_LEAVE_OUTBOX = """
    DELETE FROM outbox
     WHERE (replica, n) IN (
           SELECT replica, n
             FROM version
            WHERE id = :id
              AND content <> 'standing'
           )
"""
_RAISE_ALARM = """
    INSERT INTO alarm (raised_at_ms, contract, kind, says, evidence)
    VALUES (:raised_at_ms, :contract, :kind, :says, :evidence)
        ON CONFLICT (contract, kind, says) DO NOTHING
"""
_ALARMS = """
    SELECT raised_at_ms, contract, kind, says, evidence
      FROM alarm
     ORDER BY id
"""

_evidence = msgspec.json.Decoder(tuple[Evidence, ...])


class NewRow(msgspec.Struct, frozen=True, gc=False):
    """One row of a feed as it is added: columns of `version` in the order in which `add` binds them."""

    replica: ReplicaId
    n: int
    type: str
    account: AccountId
    contract: ContractId
    slot: Slot | None
    life: int | None
    received_at_ms: Millis
    written_at_ms: Millis
    log_epoch: int
    leaf_index: int
    push: str
    content: ContentState
    body_hash: bytes
    header: bytes


class NewPicture(TypedDict):
    """One picture that a row names: the columns of `picture`, as SQLite binds them."""

    replica: ReplicaId
    n: int
    idx: int
    name: str
    contract: ContractId
    slot: Slot
    size: int


class KnownRow(msgspec.Struct, frozen=True, gc=False):
    """A version that is held already under a name that a page shows.

    `place` is its log epoch, its index and when it was received, as `version` has them; of one that was never
    received all are None.
    """

    id: int
    header: bytes
    body_hash: bytes
    has_body: bool
    place: tuple[int | None, int | None, int | None]


class HeldRow(msgspec.Struct, frozen=True, gc=False):
    """A capture or an entry that is held at a place; `seen` when it ever left this machine or came to it.

    `leaf_index` is None for what the server has not, or lost (R43).
    """

    id: int
    slot: Slot
    header: Header
    received_at_ms: Millis | None
    leaf_index: int | None
    content: ContentState
    seen: bool


class Beside(msgspec.Struct, frozen=True, gc=False):
    """An entry that the server holds in a slot with one that it took, of the same life.

    `taken` is that one's row; `is_whole` says that nothing of this one was destroyed here.
    """

    taken: int
    header: Header
    is_whole: bool


@dataclass(frozen=True, slots=True)
class Alarm:
    """What stays until a person has looked; `evidence` are the signed statements that show it (R48, R56)."""

    raised_at_ms: Millis
    contract: ContractId
    kind: AlarmKind
    says: str
    evidence: tuple[Evidence, ...] = ()


def device_list_headers(connection: sqlite3.Connection, contract: ContractId, size: int) -> list[bytes]:
    """Return the headers of the device lists among the first `size` rows of a log, in its order (R50)."""
    return [bytes(raw) for (raw,) in connection.execute(_DEVICE_LISTS, {"contract": contract, "size": size})]


def newest_n(connection: sqlite3.Connection, replica: ReplicaId) -> int:
    """Return the greatest n of a replica's versions that are known here; 0 for none (R50)."""
    return int(connection.execute(_NEWEST_N, {"replica": replica}).fetchone()[0])


def known(connection: sqlite3.Connection, replica: ReplicaId, first: int, last: int) -> dict[int, KnownRow]:
    """Return this replica's versions from `first` to `last` by their n."""
    rows = connection.execute(_KNOWN, {"replica": replica, "first": first, "last": last})
    return {
        n: KnownRow(id_, header, body_hash, bool(has_body), (epoch, index, received_at_ms))
        for n, id_, header, body_hash, has_body, epoch, index, received_at_ms in rows
    }


def held(connection: sqlite3.Connection, contract: ContractId, slots: Iterable[int]) -> list[HeldRow]:
    """Return every capture and entry of the contract in these slots."""
    asked = {"contract": contract, "slots": msgspec.json.encode(sorted(slots)).decode()}
    return [
        HeldRow(
            id=id_,
            slot=Slot(slot),
            header=stored_header(header),
            received_at_ms=received_at_ms,
            leaf_index=leaf_index,
            content=content,
            seen=bool(pushed) or received_at_ms is not None,
        )
        for slot, id_, header, received_at_ms, leaf_index, content, pushed in connection.execute(_HELD, asked)
    ]


def beside(connection: sqlite3.Connection, taken: Iterable[int]) -> list[Beside]:
    """Return what the server holds beside the entries in these rows, which it took and are whole (R25)."""
    asked = {"ids": msgspec.json.encode(list(taken)).decode()}
    return [
        Beside(id_, stored_header(header), bool(is_whole))
        for id_, header, is_whole in connection.execute(_BESIDE, asked)
    ]


def add(connection: sqlite3.Connection, rows: Sequence[tuple[NewRow, sealed.Content]]) -> None:
    """Add rows that are not held yet, each with its body and wrap."""
    numbers = sealed.add_all(connection, [content for _, content in rows])
    # Bound by place: by name, a row's columns take a tenth of its time.
    bound = [(*astuple(row), number) for (row, _), number in zip(rows, numbers, strict=True)]
    connection.executemany(_ADD_MANY, joined(bound))
    connection.executemany(_ADD, left_over(bound))


def note_received(connection: sqlite3.Connection, id_: int, row: NewRow) -> None:
    """Note that the server holds a version that is held here already, and what it took (R40, R56).

    Of what was sent again by its header alone, it may hold no content (R25).
    It stays in the outbox until the server's signed receipt comes, unless its content is gone.
    """
    received = {
        "id": id_,
        "received_at_ms": row.received_at_ms,
        "log_epoch": row.log_epoch,
        "leaf_index": row.leaf_index,
        "push": row.push,
        "body_hash": row.body_hash,
    }
    connection.execute(_RECEIVED, received)
    connection.execute(_LEAVE_OUTBOX, {"id": id_})


def refill(connection: sqlite3.Connection, id_: int, body: bytes, wrap: bytes | None) -> None:
    """Put back a content that stands after all (R37d)."""
    connection.execute(_REFILL, {"id": id_, "sealed": sealed.add(connection, body, wrap)})


def add_pictures(connection: sqlite3.Connection, pictures: Iterable[NewPicture]) -> None:
    """Note pictures that rows name; their ciphertext is to be fetched, from the server alone (R41)."""
    connection.executemany(_ADD_PICTURE, pictures)


def add_pushes(connection: sqlite3.Connection, pushes: dict[str, SignedPush]) -> None:
    """Keep checked pushes, by their hash (R48)."""
    connection.executemany(
        _ADD_PUSH,
        (
            {"hash": name, "replica": push.replica, "hashes": push.hashes, "signature": push.signature}
            for name, push in pushes.items()
        ),
    )


def raise_alarm(connection: sqlite3.Connection, alarm: Alarm) -> None:
    """Keep an alarm; one that says the same of the same contract is kept once."""
    raised = {
        "raised_at_ms": alarm.raised_at_ms,
        "contract": alarm.contract,
        "kind": alarm.kind,
        "says": alarm.says,
        "evidence": msgspec.json.encode(alarm.evidence).decode() if alarm.evidence else None,
    }
    connection.execute(_RAISE_ALARM, raised)


def alarms(connection: sqlite3.Connection) -> tuple[Alarm, ...]:
    """Return the alarms, the oldest first."""
    return tuple(
        Alarm(Millis(at_ms), ContractId(contract), kind, says, _evidence.decode(evidence) if evidence else ())
        for at_ms, contract, kind, says, evidence in connection.execute(_ALARMS)
    )
