"""The versions this diary holds: exact bytes, what the server said of them, what became of them (R25, R46).

Every function runs within its caller's transaction. A version that was never handed to a push is known to
nobody else (`is_ours_alone`); when its content falls it is dropped whole and leaves an unused number.
"""

import hashlib
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

import msgspec

from diary.rules.ids import ContractId, Millis, ReplicaId, Slot
from diary.rules.merge import Held
from diary.rules.segment import Header, Sealed, VersionType, parse_header
from diary.store import sealed as contents

Name = tuple[ReplicaId, int]
ContentState = Literal["standing", "superseded", "destroyed"]

WithContent = tuple[bytes, bytes, bytes, ContractId, Slot, VersionType, ReplicaId, int]
"""A capture or an entry that has its content: header, body, wrap, place, type, name.

As SQLite gives it: a search asks for hundreds of thousands.
"""

_ADD = """
    INSERT INTO version (replica, n, type, account, contract, slot, life, written_at_ms, received_at_ms,
                         log_epoch, leaf_index, push, content, body_hash, header, sealed)
    VALUES (:replica, :n, :type, :account, :contract, :slot, :life, :written_at_ms, :received_at_ms,
            :log_epoch, :leaf_index, :push, :content, :body_hash, :header, :sealed)
"""
_FIND = """
    SELECT *
      FROM stored
     WHERE replica = :replica AND n = :n
"""
_AT_PLACE = """
    SELECT *
      FROM stored
     WHERE slot = :slot AND contract = :contract AND type IN ('capture', 'entry')
     ORDER BY replica, n
"""
_IN_SLOTS = """
    SELECT *
      FROM stored
     WHERE slot >= :first AND slot < :end AND type IN ('capture', 'entry')
     ORDER BY slot, contract, replica, n
"""
_SLOTLESS = """
    SELECT *
      FROM stored
     WHERE type = :type AND slot IS NULL AND (:contract IS NULL OR contract = :contract)
     ORDER BY contract, received_at_ms IS NULL, received_at_ms, log_epoch, leaf_index, written_at_ms, n
"""
_ACTS = """
    SELECT *
      FROM stored
     WHERE type IN ('request', 'acceptance', 'dispute', 'redaction', 'bonus', 'payment')
       AND slot IS NULL
       AND (:contract IS NULL OR contract = :contract)
     ORDER BY contract, received_at_ms IS NULL, received_at_ms, log_epoch, leaf_index, written_at_ms, n
"""
_SEATS = """
    SELECT contract, replica
      FROM version
     WHERE type = 'joining' AND slot IS NULL AND (:contract IS NULL OR contract = :contract)
"""
_SLOTLESS_STATE = """
    SELECT count(*) || ':' || ifnull(max(id), 0)
      FROM version
     WHERE slot IS NULL AND type IN ('device_list', 'grant', 'terms')
"""
_EMPTY = """
    UPDATE version
       SET sealed = NULL,
           content = :content
     WHERE replica = :replica AND n IN (SELECT value FROM json_each(:ns))
"""
_DROP = """
    DELETE FROM version
     WHERE replica = :replica AND n = :n
"""
_DROP_PICTURES = """
    DELETE FROM picture
     WHERE replica = :replica AND n = :n
"""
_AN_ACCOUNT = """
    SELECT account
      FROM version
     LIMIT 1
"""
_NAMES = """
    SELECT replica, n
      FROM version
"""
_COUNT = """
    SELECT count(*)
      FROM version
"""
_ALL_WITH_CONTENT = """
    SELECT header, body, wrap, contract, slot, type, replica, n
      FROM stored
     WHERE id > :after AND (:until IS NULL OR id <= :until)
       AND type IN ('capture', 'entry') AND body IS NOT NULL
"""
_MIDDLE = """
    SELECT ifnull((min(id) + max(id)) / 2, 0)
      FROM version
"""
_WITHOUT_CONTENT = """
    SELECT replica, n
      FROM version
     WHERE type NOT IN ('capture', 'entry') OR sealed IS NULL
"""
_WITH_CONTENT = """
    SELECT header, body, wrap, contract, slot, type, replica, n
      FROM stored
     WHERE replica = :replica AND n = :n AND type IN ('capture', 'entry') AND body IS NOT NULL
"""
_BODIES = """
    SELECT replica, n, body_hash, body
      FROM stored
     WHERE body IS NOT NULL
"""
_SLOTS_HELD = """
    SELECT DISTINCT slot
      FROM version
     WHERE slot IS NOT NULL AND type IN ('capture', 'entry')
     UNION
    SELECT slot
      FROM draft
     WHERE removed = 0
     ORDER BY slot DESC
"""


@dataclass(frozen=True, slots=True)
class StoredVersion:
    """One version as it lies in the file.

    `received_at_ms`, `log_epoch` and `leaf_index` are None until the server took it; `push` is the hash of
    the push it was signed in, None until one was made. `waits` says it is to be sent, not before
    `not_before_ms`, and not while `held_for` names a question; `late_answered` that it may be late (R38).
    """

    header: Header
    sealed: Sealed
    body_hash: bytes
    content: ContentState
    written_at_ms: Millis
    received_at_ms: Millis | None
    log_epoch: int | None
    leaf_index: int | None
    push: str | None
    waits: bool
    not_before_ms: Millis | None
    held_for: str | None
    late_answered: bool

    @property
    def is_ours_alone(self) -> bool:
        """Return whether nobody else can have seen it: it was never handed to a push (R25)."""
        return self.push is None and self.received_at_ms is None


@dataclass(frozen=True, slots=True)
class Receipted:
    """What the server's log says of a version (R45, R56)."""

    received_at_ms: Millis
    log_epoch: int
    leaf_index: int
    push: str


def _stored(row: sqlite3.Row) -> StoredVersion:
    return StoredVersion(
        header=parse_header(row["header"]),
        sealed=Sealed(header=row["header"], body=row["body"], wrap=row["wrap"]),
        body_hash=row["body_hash"],
        content=row["content"],
        written_at_ms=row["written_at_ms"],
        received_at_ms=row["received_at_ms"],
        log_epoch=row["log_epoch"],
        leaf_index=row["leaf_index"],
        push=row["push"],
        waits=bool(row["waits"]),
        not_before_ms=row["not_before_ms"],
        held_for=row["held_for"],
        late_answered=bool(row["late_answered"]),
    )


def _asked(connection: sqlite3.Connection, query: str, bound: dict[str, object]) -> tuple[StoredVersion, ...]:
    cursor = connection.cursor()
    cursor.row_factory = sqlite3.Row
    return tuple(map(_stored, cursor.execute(query, bound)))


def header_columns(header: Header) -> dict[str, str | int | None]:
    """Return the columns by which a version is found: they repeat what its header says."""
    return {
        "replica": header.replica,
        "n": header.n,
        "type": header.type,
        "account": header.account,
        "contract": header.contract,
        "slot": header.slot,
        "life": header.life,
    }


def add(
    connection: sqlite3.Connection,
    header: Header,
    sealed: Sealed,
    *,
    written_at_ms: Millis,
    receipted: Receipted | None = None,
    body_hash: bytes | None = None,
    content: ContentState = "standing",
) -> None:
    """Store a version: an own one as it was sealed, or one from a feed with what its log says.

    `body_hash` is needed where the body is not given; `content` then says why.
    """
    connection.execute(
        _ADD,
        header_columns(header)
        | {
            "written_at_ms": written_at_ms,
            "received_at_ms": receipted.received_at_ms if receipted else None,
            "log_epoch": receipted.log_epoch if receipted else None,
            "leaf_index": receipted.leaf_index if receipted else None,
            "push": receipted.push if receipted else None,
            "content": content,
            "body_hash": body_hash or hashlib.sha256(sealed.body or b"").digest(),
            "header": sealed.header,
            "sealed": contents.add(connection, sealed.body, sealed.wrap),
        },
    )


def held_of(stored: StoredVersion) -> Held:
    """Return what the rules need of a stored version."""
    return Held(stored.header, stored.received_at_ms)


def find(connection: sqlite3.Connection, name: Name) -> StoredVersion | None:
    """Return the version of this name, or None."""
    found = _asked(connection, _FIND, {"replica": name[0], "n": name[1]})
    return found[0] if found else None


def at_place(connection: sqlite3.Connection, contract: ContractId, slot: Slot) -> tuple[StoredVersion, ...]:
    """Return the captures and entries of one segment, by name."""
    return _asked(connection, _AT_PLACE, {"contract": contract, "slot": slot})


def in_slots(connection: sqlite3.Connection, slots: range) -> tuple[StoredVersion, ...]:
    """Return the captures and entries of a run of slots, by slot, contract and name."""
    return _asked(connection, _IN_SLOTS, {"first": slots.start, "end": slots.stop})


def slotless(
    connection: sqlite3.Connection, kind: VersionType, contract: ContractId | None = None
) -> tuple[StoredVersion, ...]:
    """Return the versions of a type that has no slot, received ones first in order of receipt (R8)."""
    return _asked(connection, _SLOTLESS, {"type": kind, "contract": contract})


def acts(connection: sqlite3.Connection, contract: ContractId | None = None) -> tuple[StoredVersion, ...]:
    """Return what the parties of one contract, or of all, said, in the log's order (R10, R62)."""
    return _asked(connection, _ACTS, {"contract": contract})


def seats(
    connection: sqlite3.Connection, contract: ContractId | None = None
) -> set[tuple[ContractId, ReplicaId]]:
    """Return every seat that ever joined a contract, of one contract or of all (R51)."""
    return set(connection.execute(_SEATS, {"contract": contract}))


def slotless_state(connection: sqlite3.Connection) -> str:
    """Return what is another whenever a device list, a grant or terms came or went."""
    return str(connection.execute(_SLOTLESS_STATE).fetchone()[0])


def empty(connection: sqlite3.Connection, names: Iterable[Name], content: ContentState) -> None:
    """Destroy the contents of versions; header, hashes and receipt stay (R25, R40)."""
    for replica, ns in numbers_of(names).items():
        connection.execute(_EMPTY, {"replica": replica, "ns": ns, "content": content})


def drop(connection: sqlite3.Connection, name: Name) -> None:
    """Remove a version, with its pictures and its place in the outbox (R25)."""
    connection.execute(_DROP_PICTURES, {"replica": name[0], "n": name[1]})
    connection.execute(_DROP, {"replica": name[0], "n": name[1]})


def move_out(connection: sqlite3.Connection, name: Name) -> None:
    """Remove a version that the refusals keep from now on; its pictures stay with it (R37d)."""
    connection.execute(_DROP, {"replica": name[0], "n": name[1]})


def names(connection: sqlite3.Connection) -> set[Name]:
    """Return the name of every version that is held."""
    return set(connection.execute(_NAMES))


def count(connection: sqlite3.Connection) -> int:
    """Return how many versions are held."""
    return int(connection.execute(_COUNT).fetchone()[0])


def without_content(connection: sqlite3.Connection) -> set[Name]:
    """Return the names of all that `all_with_content` leaves out."""
    return set(connection.execute(_WITHOUT_CONTENT))


def an_account(connection: sqlite3.Connection) -> str | None:
    """Return the account of any version: a diary's are all of one; None without any."""
    row = connection.execute(_AN_ACCOUNT).fetchone()
    return None if row is None else str(row[0])


def all_with_content(
    connection: sqlite3.Connection, *, after: int = 0, until: int | None = None
) -> Iterator[WithContent]:
    """Yield every capture and entry that has its content, in no order.

    `after` and `until` are where in the file a part of them begins and ends (see `middle`).
    """
    return connection.execute(_ALL_WITH_CONTENT, {"after": after, "until": until})


def middle(connection: sqlite3.Connection) -> int:
    """Return where in the file one half of the versions ends and the other begins."""
    return int(connection.execute(_MIDDLE).fetchone()[0])


def with_content(connection: sqlite3.Connection, wanted: Iterable[Name]) -> Iterator[WithContent]:
    """Yield the captures and entries of these names that have their content."""
    for replica, n in wanted:
        yield from connection.execute(_WITH_CONTENT, {"replica": replica, "n": n})


def numbers_of(names: Iterable[Name]) -> dict[ReplicaId, str]:
    """Return the names' numbers by replica, each as a list that SQLite's `json_each` reads.

    A push is one replica's: one statement then asks for all of it.
    """
    numbers: dict[ReplicaId, list[int]] = {}
    for replica, n in names:
        numbers.setdefault(replica, []).append(n)
    return {replica: msgspec.json.encode(ns).decode() for replica, ns in numbers.items()}


def altered(connection: sqlite3.Connection) -> Iterator[Name]:
    """Yield the versions whose body is not the one that was stored (R47)."""
    for replica, n, body_hash, body in connection.execute(_BODIES):
        if hashlib.sha256(body).digest() != body_hash:
            yield ReplicaId(replica), n


def slots_held(connection: sqlite3.Connection) -> tuple[Slot, ...]:
    """Return every slot in which anything is held, newest first."""
    return tuple(Slot(row[0]) for row in connection.execute(_SLOTS_HELD))
