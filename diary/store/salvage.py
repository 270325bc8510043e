"""From a damaged file into a fresh one: every row that can be read and holds (R19, R70).

Nothing is taken on trust. A version's row is written from its header, whose hash and whose body's hash must
be those that were stored, or signed in a push; a picture must be the one its name says. What names a content
that is not there goes with it, so that the server's feed can bring the whole of it back.
"""

import hashlib
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice
from typing import Literal

from sqlite_utils import Database

from diary.rules.ids import ContractId, ReplicaId, Slot
from diary.rules.segment import Header, MalformedHeaderError, parse_header
from diary.store.records import Record, Value
from diary.store.shapes import Shape, shapes
from diary.store.tree import Tree
from diary.store.versions import Name, header_columns

LostKind = Literal["version", "content", "picture"]
ROWS_AT_ONCE = 50

# What the rows of these say can be told anew, or asked for again; the others say what they cost.
_ITS_CONTENT_IS_ALL = frozenset(("history", "meta"))
_PAIR_BYTES = 64

_READ_ANEW = "DELETE FROM log_head"  # without a cursor the tree over a log begins anew as well
_ORPHAN_PICTURES = """
    DELETE FROM picture
     WHERE NOT EXISTS (
           SELECT 1 FROM version WHERE version.replica = picture.replica AND version.n = picture.n
           )
       AND NOT EXISTS (
           SELECT 1 FROM refusal WHERE refusal.replica = picture.replica AND refusal.n = picture.n
           )
"""
_WITHOUT_THEIR_PARENTS = (
    "DELETE FROM outbox WHERE (replica, n) NOT IN (SELECT replica, n FROM version)",
    "DELETE FROM receipt WHERE answer NOT IN (SELECT id FROM answer)",
    "DELETE FROM draft_part WHERE block NOT IN (SELECT id FROM draft_block)",
    "DELETE FROM draft_part WHERE (contract, slot) NOT IN (SELECT contract, slot FROM draft)",
    "DELETE FROM lost_head WHERE log_epoch NOT IN (SELECT log_epoch FROM opening)",
)
_WAIT_AGAIN = """
    INSERT OR IGNORE INTO outbox (replica, n)
    SELECT replica, n
      FROM version
     WHERE received_at_ms IS NULL
       AND replica IN (SELECT replica FROM replica)
       AND NOT EXISTS (
           SELECT 1 FROM receipt WHERE receipt.replica = version.replica AND receipt.n = version.n
           )
"""
_COUNTS = """
    SELECT (SELECT count(DISTINCT contract || slot) FROM version WHERE slot IS NOT NULL),
           (SELECT count(*) FROM picture WHERE sealed IS NOT NULL)
"""
_NEWEST_NUMBERS = """
    UPDATE replica
       SET last_n = max(last_n, (
           SELECT ifnull(max(n), 0)
             FROM version
            WHERE version.replica = replica.replica
       ))
"""


@dataclass(frozen=True, slots=True)
class Lost:
    """A version, its content or a picture that is gone, and where it belonged as far as is known."""

    kind: LostKind
    name: Name | None
    contract: ContractId | None
    slot: Slot | None
    at_server: bool = False


@dataclass(slots=True)
class Salvage:
    """What did not come over; `rows_lost` counts rows that lost their content or did not fit, by table."""

    lost: list[Lost] = field(default_factory=list)
    rows_lost: dict[str, int] = field(default_factory=dict)
    broken: frozenset[str] = frozenset()

    @property
    def is_whole(self) -> bool:
        """Return whether there was nothing to mend."""
        return not (self.lost or any(self.rows_lost.values()) or self.broken)

    def miss(self, table: str) -> None:
        """Count a row that did not come over."""
        self.rows_lost[table] = self.rows_lost.get(table, 0) + 1


def salvage(tree: Tree, fresh: sqlite3.Connection) -> Salvage:
    """Write into an empty diary what can be read of a damaged one; return what did and did not come over."""
    known = shapes(fresh)
    found = Salvage()
    fresh.execute("PRAGMA foreign_keys = OFF")
    fresh.execute("PRAGMA synchronous = OFF")  # whoever called syncs the whole file when it is done
    wanted = _numbers_wanted(tree, known)
    digests = _take_contents(tree, known["sealed"], fresh, wanted)
    signed = _signed_hashes(tree, known["push"])
    for name, shape in known.items():
        if not shape.is_index and name not in {"sealed", "version"}:
            _take(fresh, found, shape, _kept(tree, found, shape, digests))
    _take(fresh, found, known["version"], _kept_versions(tree, found, known["version"], digests, signed))
    found.lost += _named_by_indexes(tree, known, fresh, found)
    _mend(tree, fresh, found)
    found.broken = frozenset(tree.broken)
    return found


def counts(connection: sqlite3.Connection) -> tuple[int, int]:
    """Return of how many segments and pictures a diary has anything."""
    segments, kept = connection.execute(_COUNTS).fetchone()
    return segments, kept


def wait_again(connection: sqlite3.Connection) -> None:
    """Have every version of this device sent that no server has answered for.

    With the first page gone nobody knows which rows the outbox had, nor that any are missing.
    """
    connection.execute(_WAIT_AGAIN)


def count_on(connection: sqlite3.Connection) -> None:
    """Let each replica go on behind the greatest of its numbers that is left (R33)."""
    connection.execute(_NEWEST_NUMBERS)


def _rows_of(tree: Tree, shape: Shape) -> Iterator[dict[str, Value]]:
    for row in tree.rows(shape.name):
        if shape.fits(row.record):
            yield shape.named(row.record, row.rowid)
        else:
            tree.broken.add(shape.name)


def _numbers_wanted(tree: Tree, known: Mapping[str, Shape]) -> set[int]:
    """Return the numbers of all contents that a row names: what nobody names was to be destroyed (R25)."""
    owners = [
        shape
        for shape in known.values()
        if not shape.is_index and any(column.name == "sealed" for column in shape.columns)
    ]
    values = (row["sealed"] for shape in owners for row in _rows_of(tree, shape))
    return {value for value in values if isinstance(value, int)}


def _take_contents(tree: Tree, shape: Shape, fresh: sqlite3.Connection, wanted: set[int]) -> dict[int, bytes]:
    """Bring the contents over in the order of their numbers; return the hash of each body by number."""
    digests: dict[int, bytes] = {}
    last = 0

    def ascending() -> Iterator[dict[str, Value]]:
        nonlocal last
        for row in _rows_of(tree, shape):
            number, body = row["id"], row["body"]
            # Rows only ever come behind the last one; one that does not is an older page's.
            if isinstance(number, int) and number > last and number in wanted:
                last = number
                if isinstance(body, bytes) or row["wrap"] is not None:
                    digests[number] = hashlib.sha256(body if isinstance(body, bytes) else b"").digest()
                    yield row

    _insert(fresh, shape.name, ascending())
    return digests


def _insert(fresh: sqlite3.Connection, table: str, rows: Iterator[dict[str, Value]]) -> int:
    """Insert rows, the rest of them where the schema refuses some; return how many were refused."""
    refused = 0
    while batch := list(islice(rows, ROWS_AT_ONCE)):
        before = fresh.total_changes
        try:
            Database(fresh).table(table).insert_all(batch, ignore=True)
        except sqlite3.IntegrityError:  # a trigger's: it lets none of a statement pass
            for row in batch:
                with suppress(sqlite3.IntegrityError):
                    Database(fresh).table(table).insert(row, ignore=True)
        refused += len(batch) - (fresh.total_changes - before)
    return refused


def _take(fresh: sqlite3.Connection, found: Salvage, shape: Shape, rows: Iterator[dict[str, Value]]) -> None:
    refused = _insert(fresh, shape.name, rows)
    if refused:
        found.rows_lost[shape.name] = found.rows_lost.get(shape.name, 0) + refused


def _kept(
    tree: Tree, found: Salvage, shape: Shape, digests: Mapping[int, bytes]
) -> Iterator[dict[str, Value]]:
    for row in _rows_of(tree, shape):
        number = row.get("sealed")
        gone = isinstance(number, int) and number not in digests
        if shape.name == "picture":
            altered = isinstance(number, int) and not gone and digests[number].hex() != row["name"]
            if gone or altered:
                found.lost.append(_lost("picture", row, at_server=bool(row["at_server"])))
                yield row | {"sealed": None}
                continue
        elif gone:
            found.miss(shape.name)
            if shape.name in _ITS_CONTENT_IS_ALL:
                continue
            row |= {"sealed": None}
        yield row


def _kept_versions(
    tree: Tree,
    found: Salvage,
    shape: Shape,
    digests: Mapping[int, bytes],
    signed: Mapping[str, frozenset[bytes]],
) -> Iterator[dict[str, Value]]:
    for row in _rows_of(tree, shape):
        at_server = row["received_at_ms"] is not None
        header = _header_of(row["header"])
        if header is None:
            found.lost.append(_lost("version", row, at_server=at_server))
            continue
        # What the header says is what was signed; the columns are for finding it only.
        mended = row | header_columns(header)
        if _holds(mended, digests, signed):
            yield mended
        else:
            found.lost.append(_lost("content", mended, at_server=at_server))


def _header_of(raw: Value) -> Header | None:
    with suppress(MalformedHeaderError):
        return parse_header(raw) if isinstance(raw, bytes) else None
    return None


def _holds(
    row: Mapping[str, Value], digests: Mapping[int, bytes], signed: Mapping[str, frozenset[bytes]]
) -> bool:
    """Return whether a version is what was stored, by its body's hash and the push that signed both."""
    number, header, body_hash = row["sealed"], row["header"], row["body_hash"]
    if not isinstance(header, bytes) or not isinstance(body_hash, bytes):
        return False
    if isinstance(number, int) and digests.get(number) != body_hash:
        return False
    in_push = signed.get(str(row["push"]))
    return in_push is None or hashlib.sha256(header).digest() + body_hash in in_push


def _signed_hashes(tree: Tree, shape: Shape) -> dict[str, frozenset[bytes]]:
    """Return what each push signed: pairs of a header's hash and its body's."""
    found: dict[str, frozenset[bytes]] = {}
    for row in _rows_of(tree, shape):
        hashes = row["hashes"]
        if isinstance(hashes, bytes):
            pairs = (hashes[at : at + _PAIR_BYTES] for at in range(0, len(hashes), _PAIR_BYTES))
            found[str(row["hash"])] = frozenset(pairs)
    return found


def _named_by_indexes(
    tree: Tree, known: Mapping[str, Shape], fresh: sqlite3.Connection, found: Salvage
) -> list[Lost]:
    """Return the versions of which only an index still tells: their rows are gone."""
    ids = {row[0] for row in fresh.execute("SELECT id FROM version")}
    told = {one.name for one in found.lost if one.name is not None}
    places = {row[2]: (row[0], row[1]) for row in _index(tree, known["version_slot"])}
    received = {row[-1] for row in _index(tree, known["version_leaf"])}
    lost: list[Lost] = []
    for replica, n, rowid in _index(tree, known["sqlite_autoindex_version_1"]):
        name = (ReplicaId(str(replica)), int(str(n)))
        if rowid not in ids and name not in told:
            slot, contract = places.get(rowid, (None, None))
            row: dict[str, Value] = {"replica": name[0], "n": name[1], "slot": slot, "contract": contract}
            lost.append(_lost("version", row, at_server=rowid in received))
    return lost


def _index(tree: Tree, shape: Shape) -> Iterator[Record]:
    return (row.record for row in tree.rows(shape.name) if shape.fits(row.record))


def _lost(kind: LostKind, row: Mapping[str, Value], *, at_server: bool = False) -> Lost:
    replica, n, contract, slot = row["replica"], row["n"], row["contract"], row["slot"]
    return Lost(
        kind,
        (ReplicaId(replica), n) if isinstance(replica, str) and isinstance(n, int) else None,
        ContractId(contract) if isinstance(contract, str) else None,
        Slot(slot) if isinstance(slot, int) else None,
        at_server,
    )


def _mend(tree: Tree, fresh: sqlite3.Connection, found: Salvage) -> None:
    """Bring what hangs together back together, and let the feeds be read anew where something is missing."""
    fresh.execute(_ORPHAN_PICTURES)
    for statement in _WITHOUT_THEIR_PARENTS:
        fresh.execute(statement)
    for table, rowid, *_ in fresh.execute("PRAGMA foreign_key_check").fetchall():
        if rowid is not None:
            Database(fresh).table(table).delete_where("rowid = ?", [rowid])
            found.miss(table)
    count_on(fresh)
    if found.lost or any(found.rows_lost.values()) or tree.broken:
        fresh.execute(_READ_ANEW)
