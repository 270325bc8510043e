"""What was written, and what must be found of it: the promises, asked of files, feeds and views (R25)."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import msgspec

from diary import envelope
from diary.evidence.receipt import Cursor, LogRow
from diary.rules.ids import Slot
from diary.rules.segment import Sealed, parse_header
from diary.rules.timesheet import SegmentView
from diary.rules.week import Week
from diary.showing import NoPictureError
from sync.protocol import Pull
from tests.model.oracle import (
    Name,
    Place,
    Row,
    Shown,
    Terms,
    at_places,
    counting,
    expected,
    frozen_part,
    is_time,
    life_of,
    lock_of,
)
from tests.model.world import Replica, World

# What a right device and a right server may say no to here; any other word is somebody's mistake.
REASONS = {
    "week_locked",
    "slot_deleted",
    "capture_exists",
    "manual_not_allowed",
    "slot_in_future",
    "clock_ahead",
}

_WRITTEN = """
    SELECT n, type, contract, slot, life, body, wrap
      FROM stored
     WHERE replica = :replica AND n > :after AND slot IS NOT NULL
     UNION ALL
    SELECT n, what, contract, slot, 0, body, wrap
      FROM refusal
      LEFT JOIN sealed
        ON sealed.id = refusal.sealed
     WHERE replica = :replica AND n > :after AND slot IS NOT NULL
     ORDER BY n
"""
_LAST_N = "SELECT last_n FROM replica WHERE replica = :replica"
_CIPHERTEXTS = """
    SELECT body
      FROM picture
      JOIN sealed
        ON sealed.id = picture.sealed
     WHERE replica = :replica AND n = :n
"""
_PENDING = """
    SELECT outbox.replica, outbox.n, version.contract, version.slot
      FROM outbox
      JOIN version
        ON version.replica = outbox.replica AND version.n = outbox.n
"""
_REFUSED = "SELECT replica, n, reason, sealed IS NOT NULL FROM refusal"
_WITH_CONTENT = """
    SELECT replica, n, 0, 0
      FROM version
     WHERE sealed IS NOT NULL AND slot IS NOT NULL
     UNION
    SELECT replica, n, 0, 0
      FROM picture
     WHERE sealed IS NOT NULL
"""


@dataclass
class Written:
    """One version that an act wrote: where, and some of the bytes by which its content would be found."""

    name: Name
    type: str
    place: Place
    life: int
    traces: list[bytes]


@dataclass
class Book:
    """Everything the model remembers of what it did."""

    terms: Mapping[str, Terms]
    log: list[Row] = field(default_factory=list)
    written: dict[Name, Written] = field(default_factory=dict)
    pictures: dict[str, bytes] = field(default_factory=dict)
    removed: dict[tuple[str, Place], int] = field(default_factory=dict)
    seen: dict[str, int] = field(default_factory=dict)

    def note(self, replica: Replica) -> list[Written]:
        """Enter what a replica has written since it was last asked, and return that."""
        connection, id_ = replica.diary._state.connection, replica.diary.replica
        bound = {"replica": id_, "after": self.seen.get(id_, 0)}
        found = []
        for n, kind, contract, slot, life, body, wrap in connection.execute(_WRITTEN, bound).fetchall():
            pictures = connection.execute(_CIPHERTEXTS, {"replica": id_, "n": n})
            traces = [part[16:64] for part in (body, wrap, *(picture for (picture,) in pictures)) if part]
            found.append(Written((id_, n), kind, (contract, slot), life or 0, traces))
        self.written |= {one.name: one for one in found}
        self.seen[id_] = self.last_n(replica)
        return found

    def last_n(self, replica: Replica) -> int:
        return int(
            replica.diary._state.connection.execute(_LAST_N, {"replica": replica.diary.replica}).fetchone()[0]
        )

    def note_removed(self, replica: Replica, place: Place) -> None:
        """Remember that what the replica wrote there until now may be gone: its owner removed it."""
        self.removed[replica.diary.replica, place] = self.last_n(replica)

    def was_recorded_or_removed(self, replica: Replica, place: Place) -> bool:
        id_ = replica.diary.replica
        return (id_, place) in self.removed or any(
            one.type == "capture" and one.place == place and one.name[0] == id_
            for one in self.written.values()
        )

    # The server's log.

    def check_log(self, world: World) -> None:
        """Check that the log only grew, has no holes, and holds nothing that a rule forbids."""
        before, self.log = self.log, read_log(world)
        kept = {(row.contract, row.index): row for row in self.log}
        assert len({row.name for row in self.log}) == len(self.log), "a version counts once"
        for old in before:
            new = kept[old.contract, old.index]
            assert (new.header, new.received_at_ms) == (old.header, old.received_at_ms), "a log only grows"
        for contract in {row.contract for row in self.log}:
            rows = [row for row in self.log if row.contract == contract]
            assert [row.index for row in rows] == list(range(len(rows))), "a feed has no holes"
            received = [row.received_at_ms for row in rows]
            assert received == sorted(received), "received_at never falls"
        for rows in at_places(self.log).values():
            _check_order(rows)
            _check_lock(rows)
            _check_destroyed_at_server(rows)

    # The replicas.

    def check_views(self, world: World) -> None:
        """Check that every replica shows what the log says, but for what it could not send yet."""
        should = expected(self.log, self.terms)
        for replica in world.replicas:
            waits = {place for _, place in pending(replica)}
            shown = view_of(replica, {row.place[1] for row in self.log if row.place})
            differ = {
                place: (shown.get(place), should.get(place))
                for place in shown.keys() | should.keys()
                if place not in waits
                and (_unjudged(shown.get(place)) if waits else shown.get(place))
                != (_unjudged(should.get(place)) if waits else should.get(place))
            }
            assert not differ, f"{replica.home.name} shows, and should show: {differ}"
            assert replica.diary.alarms() == ()
            self._check_pictures(replica, should)

    def _check_pictures(self, replica: Replica, should: Mapping[Place, Shown]) -> None:
        waits = {place for _, place in pending(replica)}
        for place, one in should.items():
            for name in one.pictures if place not in waits else ():
                try:
                    assert replica.diary.picture(name) == self.pictures[name]
                except NoPictureError:
                    assert self._was_destroyed_unsent(place, name), f"{replica.home.name} has no {name}"

    def _was_destroyed_unsent(self, place: Place, name: str) -> bool:
        """Return whether the device that took a picture destroyed it, and its deletion came too late (R37d).

        Then nobody ever has it, and from an instant on it is missing (R41).
        """
        takers = [
            row.name
            for row in self.log
            if row.place == place and name in {named for named, _ in row.header.get("pictures", ())}
        ]
        return bool(takers) and all(
            n <= self.removed.get((id_, place), 0) and (id_, n) in self.written for id_, n in takers
        )

    def check_outcomes(self, world: World) -> None:
        """Check that every version ended in one way: accepted, refused and listed, or pending and shown."""
        accepted = {row.name for row in self.log}
        for replica in world.replicas:
            refused = {(id_, n): reason for id_, n, reason, _ in _rows(replica, _REFUSED)}
            assert set(refused.values()) <= REASONS, refused
            listed = replica.diary.refusals()
            assert len(listed) == len(refused), "what is refused is listed"
            waiting = {name for name, _ in pending(replica)}
            assert replica.diary.queue().versions == len(waiting), "what is pending is shown"
            for name, one in self.written.items():
                if name[0] == replica.diary.replica:
                    ends = [name in accepted, name in refused, name in waiting]
                    assert sum(ends) == 1 or (sum(ends) == 0 and self._gave_way(one)), (one, ends)

    def _gave_way(self, one: Written) -> bool:
        """Return whether the same hand has replaced or removed it before it left."""
        id_, n = one.name
        if n <= self.removed.get((id_, one.place), 0):
            return one.life % 2 == 0
        later = (
            other for other in self.written.values() if other.place == one.place and other.name[0] == id_
        )
        return one.type == "entry" and any(
            other.type in {"entry", "manual"} and other.name[1] > n and other.life >= one.life
            for other in later
        )

    def check_destroyed(self, world: World) -> None:
        """Check that no file holds the content of what stands no more, and is neither pending nor refused."""
        standing = {row.name for rows in at_places(self.log).values() for row in counting(rows)}
        for replica in world.replicas:
            alive = standing | {name for name, _ in pending(replica)}
            alive |= {(id_, n) for id_, n, _, is_kept in _rows(replica, _REFUSED) if is_kept}
            fallen = {(id_, n) for id_, n, _, _ in _rows(replica, _WITH_CONTENT)} - alive
            assert not fallen, f"{replica.home.name} holds what was destroyed: {fallen}"
            assert not replica.diary.status().destroying
            _check_traces(replica.home, self._gone(alive))
        _check_traces(world.folder / "server", self._gone(standing))

    def _gone(self, alive: set[Name]) -> list[Written]:
        """Return what was accepted or removed and is not alive; what was sealed anew lives on."""
        accepted = {row.name for row in self.log}
        return [
            one
            for name, one in self.written.items()
            if name not in alive
            and (name in accepted or name[1] <= self.removed.get((name[0], one.place), 0))
        ]


def _check_traces(folder: Path, gone: Iterable[Written]) -> None:
    held = b"\0".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())
    for one in gone:
        assert not any(trace in held for trace in one.traces), f"content of {one.name} is left in a file"


def _check_order(rows: Sequence[Row]) -> None:
    """Check that lives rise by one, and that no capture enters a slot that was deleted (R32, R35)."""
    life = 0
    recorded = set()
    for row in rows:
        assert row.life <= life + 1
        life = max(life, row.life)
        if row.is_capture:
            assert life == 0, "a capture entered a deleted slot"
            assert row.name[0] not in recorded, "a replica recorded a slot twice"
            recorded.add(row.name[0])


def _check_lock(rows: Sequence[Row]) -> None:
    """Check that what came after the lock is late time of a slot that held nothing (R37, R38)."""
    late = [row for row in rows if row.received_at_ms >= lock_of(row.header["slot"])]
    if late:
        frozen = frozen_part(rows)
        assert not is_time(frozen), "a frozen segment was changed"
        assert life_of(frozen) == 0, "a frozen deletion was changed"
        assert late[0].is_capture or any(row.is_capture for row in frozen), "late time begins by a capture"
        assert not any(row.header.get("manual") for row in late), "manual time was claimed after the lock"


def _check_destroyed_at_server(rows: Sequence[Row]) -> None:
    standing = {row.name for row in counting(rows)}
    for row in rows:
        assert row.content is None or row.name in standing, f"the server gives out {row.name}"


def _unjudged(one: Shown | None) -> Shown | None:
    """Return what is shown but for the verdict, which what waits may sway."""
    return None if one is None else replace(one, bills=False, why_not=None)


def _rows(replica: Replica, query: str) -> list[tuple[str, int, str, int]]:
    return replica.diary._state.connection.execute(query).fetchall()


def pending(replica: Replica) -> list[tuple[Name, Place]]:
    """Return what waits to be sent from a replica, and where it belongs."""
    found = replica.diary._state.connection.execute(_PENDING)
    return [((id_, n), (contract, slot)) for id_, n, contract, slot in found]


def view_of(replica: Replica, slots: set[int]) -> dict[Place, Shown]:
    """Return what a replica shows of the weeks of some slots, refused changes left out."""
    weeks = {Week.of(Slot(slot)) for slot in slots}
    segments = (one for week in weeks for one in replica.diary.week(week).segments)
    return {(one.contract, int(one.slot)): _shown(one) for one in segments if one.state != "refused"}


def _shown(one: SegmentView) -> Shown:
    assert not one.defective
    if one.state == "deleted":
        assert (one.memo, one.label, one.snapshots) == ("", "", ())
        return Shown("deleted", one.life, bills=one.bills, why_not=one.why_not)
    names = [name for shot in one.snapshots for name in (shot.screen, shot.thumbnail, shot.camera) if name]
    return Shown(
        state=one.state,
        life=one.life,
        kind=one.kind,
        memo=one.memo,
        label=one.label,
        activity=one.activity,
        pictures=tuple(sorted(names)),
        received_at_ms=one.received_at_ms,
        bills=one.bills,
        why_not=one.why_not,
    )


def read_log(world: World) -> list[Row]:
    """Return every contract's log as the server gives it out, read from its start."""
    replica = world.replicas[0]
    replica.transport.authorise(replica.diary.account, replica.diary.replica, replica.diary.token)
    cursors: dict[str, Cursor] = {}
    rows: list[Row] = []
    more = True
    while more:
        answer = replica.transport.pull(Pull(account=replica.diary.account, cursors=dict(cursors)))  # type: ignore[arg-type]
        for page in answer.pages:
            rows += [_row(replica, page.contract, row) for row in page.rows]
            cursors[page.contract] = Cursor(page.rows[-1].log_epoch, page.rows[-1].index + 1)
        more = answer.more
    return rows


def _row(replica: Replica, contract: str, row: LogRow) -> Row:
    header = json.loads(row.header)
    content = None
    if row.body is not None and header["type"] in {"capture", "entry"}:
        sealed = Sealed(header=row.header.encode(), body=row.body, wrap=row.wrap)
        opened = envelope.open_content(replica.diary._state, parse_header(sealed.header), sealed)
        content = msgspec.to_builtins(opened)
    return Row(contract, row.index, row.received_at_ms, header, content)
