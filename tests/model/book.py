"""What was written, and how it must have ended: in one way, not lost, not twice (R25, R37, R42)."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from diary.rules.ids import ContractId, Slot
from tests.model.device import Device
from tests.model.healing import Proofs
from tests.model.log import check_grown, check_log, read_log
from tests.model.oracle import Name, Place, Row, Terms, at_places, counting
from tests.model.serving import bytes_in
from tests.model.world import World

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
    SELECT n, type, contract, slot, life, header, body, wrap
      FROM stored
     WHERE replica = :replica AND n > :after AND slot IS NOT NULL
     UNION ALL
    SELECT n, what, contract, slot, 0, header, body, wrap
      FROM refusal
      LEFT JOIN sealed
        ON sealed.id = refusal.sealed
     WHERE replica = :replica AND n > :after AND slot IS NOT NULL
     ORDER BY n
"""
_LAST_NS = "SELECT replica, last_n FROM replica"
_PICTURES = """
    SELECT name, body
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
_REFUSED = "SELECT replica, n, reason, sealed IS NOT NULL, what, because FROM refusal"
_RENAMED = "SELECT replica, n, header_hash, new_replica, new_n FROM renamed"


@dataclass
class Written:
    """One version that an act wrote: where, and some of the bytes by which its content would be found.

    `order` counts what was written in the whole world. What is `lost` was written after the copy from which
    its device was restored: nothing is promised of it but what the server has accepted.
    """

    name: Name
    home: str
    order: int
    type: str
    place: Place
    life: int
    header: bytes | None
    traces: list[bytes]
    lost: bool = False


@dataclass
class Kept:
    """An older copy of a device's file, and what the book held of the device when it was made."""

    folder: Path
    home: str
    order: int
    last_ns: dict[str, int]
    removed: dict[tuple[str, Place], int]


@dataclass
class Book:
    """Everything the model remembers of what it did. `shots` are the pictures taken, in the clear."""

    terms: Mapping[str, Terms]
    log: list[Row] = field(default_factory=list)
    written: list[Written] = field(default_factory=list)
    shots: set[bytes] = field(default_factory=set)
    pictures: dict[str, bytes] = field(default_factory=dict)
    removed: dict[tuple[str, Place], int] = field(default_factory=dict)
    seen: dict[tuple[str, str], int] = field(default_factory=dict)
    proofs: Proofs = field(default_factory=Proofs)

    def note(self, device: Device) -> list[Written]:
        """Enter what a device has written since it was last asked, and return that."""
        id_, home = device.diary.replica, device.home.name
        found: list[Written] = []
        for n, kind, contract, slot, life, header, body, wrap in device.rows(
            _WRITTEN, replica=id_, after=self.seen.get((home, id_), 0)
        ):
            pictures = device.rows(_PICTURES, replica=id_, n=n)
            traces = [part[16:64] for part in (body, wrap, *(picture for _, picture in pictures)) if part]
            order = len(self.written) + len(found)
            place = (contract, slot)
            found.append(Written((id_, n), home, order, kind, place, life or 0, header, traces))
            for name, _ in pictures:
                self.pictures[name] = device.diary.picture(name)
                assert self.pictures[name] in self.shots, "a picture is another one than was taken"
        self.written += found
        self.seen |= {(home, replica): n for replica, n in last_ns(device).items()}
        return found

    def note_removed(self, device: Device, place: Place) -> None:
        """Remember that what the device wrote there until now may be gone: its owner removed it."""
        self.removed[device.home.name, place] = len(self.written)

    def was_recorded_or_removed(self, device: Device, place: Place) -> bool:
        home = device.home.name
        return (home, place) in self.removed or any(
            one.type == "capture"
            and one.place == place
            and one.name[0] == device.diary.replica
            and not one.lost
            for one in self.written
        )

    # Copies.

    def note_kept(self, device: Device, folder: Path) -> Kept:
        """Remember what a copy of a device's file holds."""
        self.note(device)
        home = device.home.name
        removed = {key: order for key, order in self.removed.items() if key[0] == home}
        return Kept(folder, home, len(self.written), last_ns(device), removed)

    def note_restored(self, device: Device, kept: Kept) -> None:
        """Remember that a device is again as it was when the copy was made."""
        for one in self.written:
            if one.home == kept.home and one.order >= kept.order:
                one.lost = True
        others = {key: order for key, order in self.removed.items() if key[0] != kept.home}
        self.removed = others | kept.removed
        self.proofs.note_held(device)
        self._note_copied(device, kept.last_ns)

    def note_copy(self, copy: Device, of: Device) -> None:
        """Remember that a copy of a device goes on beside it: what it sealed anew is its own writing."""
        home = of.home.name
        # The marks of removed segments came with the file: nothing is recorded there (R12).
        came_with = {(copy.home.name, key[1]): order for key, order in self.removed.items() if key[0] == home}
        self.removed |= came_with
        self._note_copied(copy, last_ns(of))

    def _note_copied(self, device: Device, came_with: Mapping[str, int]) -> None:
        home = device.home.name
        self.seen = {key: n for key, n in self.seen.items() if key[0] != home}
        self.seen |= {(home, replica): n for replica, n in came_with.items()}
        self.note(device)

    # What must hold when all is quiet.

    def check_log(self, world: World) -> None:
        """Check that the log only grew or was healed, holds nothing twice and nothing that is forbidden."""
        before, self.log = self.log, read_log(world)
        if self.proofs.was_restored:
            self.proofs.check(world, self.log)
        else:
            check_grown(before, self.log)
        check_log(self.log, self.proofs.healed)
        accepted = {row.name: row for row in self.log}
        have_failed = {device.diary.replica for device in world.devices if device.has_failed}
        for device in world.devices:
            for old, digest, new in _renamed(device):
                # What a copy has sent before its live original, or cannot know not to have sent, the
                # original sends after it (R42). A copy of that copy has its names too: ask whose they are.
                assert (
                    old not in accepted
                    or hashlib.sha256(accepted[old].raw).digest() != digest  # another's, of the same name
                    or new not in accepted
                    or device.has_failed
                    or new[0] in have_failed
                    or accepted[new].index < accepted[old].index
                    or accepted[new].name in self.proofs.healed  # it stands where it came back
                ), f"{old} is accepted, and sealed anew as {new} once more"

    def has_lost(self, place: Place, picture: str) -> bool:
        """Return whether the device that took a picture had it no more before it was sent.

        It destroyed it, and its deletion came too late (R37d), or it was put back to an older copy (R42).
        Then nobody ever has it, and from an instant on it is missing (R41).
        """
        takers = {
            row.name
            for row in self.log
            if row.place == place and picture in {named for named, _ in row.header.get("pictures", ())}
        }
        written = [one for one in self.written if one.name in takers]
        return {one.name for one in written} == takers != set() and all(
            one.lost or one.order < self.removed.get((one.home, place), 0) for one in written
        )

    def gone(self) -> set[Name]:
        """Return what the server lost and has again without its content, which its writer had no more."""
        bare = {row.name for row in self.log if row.content is None and row.name in self.proofs.healed}
        return {
            one.name
            for one in self.written
            if one.name in bare and (one.lost or one.order < self.removed.get((one.home, one.place), 0))
        }

    def check_outcomes(self, world: World) -> None:
        """Check that every version ended in one way: accepted, refused and listed, or pending and shown."""
        accepted = {row.name: row.raw for row in self.log}
        for device in world.devices:
            refused = {(id_, n): reason for id_, n, reason, *_ in device.rows(_REFUSED)}
            assert set(refused.values()) <= REASONS, device.rows(_REFUSED)
            assert len(device.diary.refusals()) == len(refused), "what is refused is listed"
            waiting = {name for name, _ in pending(device)}
            assert device.diary.queue().versions == len(waiting), "what is pending is shown"
            renamed = _renamed(device)
            for one in self.written:
                if one.home != device.home.name or one.lost:
                    continue
                is_accepted = accepted.get(one.name, b"") == one.header
                ends = [is_accepted, one.name in refused, one.name in waiting]
                assert sum(ends) == 1 or (sum(ends) == 0 and self._gave_way(one, renamed)), (one, ends)

    def _gave_way(self, one: Written, renamed: list[tuple[Name, bytes, Name]]) -> bool:
        """Return whether the same hand has replaced, removed or renamed it before it left."""
        if one.order < self.removed.get((one.home, one.place), 0) and one.life % 2 == 0:
            return True
        own = {other.name for other in self.written if other.home == one.home and not other.lost}
        accepted = {(row.name, hashlib.sha256(row.raw).digest()) for row in self.log}
        if any(old == one.name and (new in own or (old, digest) in accepted) for old, digest, new in renamed):
            return True
        if any(new == one.name and (old, digest) in accepted for old, digest, new in renamed):
            return True  # its original was sent after all
        return one.type == "entry" and any(
            other.place == one.place
            and other.home == one.home
            and other.order > one.order
            # Of a refused deletion no more is kept than place and time; it ended whatever stood (R37d).
            and ((other.type in {"entry", "manual"} and other.life >= one.life) or other.type == "deletion")
            for other in self.written
        )

    def check_destroyed(self, world: World) -> None:
        """Check that no file holds the content of what stands no more, and is neither pending nor refused."""
        standing = {row.name for rows in at_places(self.log).values() for row in counting(rows)}
        for device in world.devices:
            alive = standing | {name for name, _ in pending(device)}
            alive |= {(id_, n) for id_, n, _, is_kept, *_ in device.rows(_REFUSED) if is_kept}
            fallen = device.with_content() - alive
            assert not fallen, f"{device.home.name} holds what was destroyed: {fallen}"
            assert not device.diary.status().destroying
            self._check_traces(device.home.name, bytes_in(device.home), alive)
        self._check_traces("server", world.serving.stored(), standing)

    def _check_traces(self, where: str, held: bytes, alive: set[Name]) -> None:
        """Check that nothing is left of what fell: what was accepted, or removed on this device unsent."""
        accepted = {row.name: row.raw for row in self.log}
        for one in self.written:
            was_removed = one.order < self.removed.get((one.home, one.place), 0) and not one.lost
            is_ours = where in {one.home, "server"}
            if one.name not in alive and (
                accepted.get(one.name, b"") == one.header or (was_removed and is_ours)
            ):
                assert not any(trace in held for trace in one.traces), (
                    f"content of {one.name} is left in a file of {where}"
                )


def last_ns(device: Device) -> dict[str, int]:
    """Return the last number that each of the replicas in a device's file gave away."""
    return dict(device.rows(_LAST_NS))


def pending(device: Device) -> list[tuple[Name, tuple[ContractId, Slot]]]:
    """Return what waits to be sent from a device, and where it belongs."""
    return [((id_, n), (contract, slot)) for id_, n, contract, slot in device.rows(_PENDING)]


def _renamed(device: Device) -> list[tuple[Name, bytes, Name]]:
    """Return what a device sealed anew when it took another id: name, hash of its header, a later name."""
    last = {(old, n): (digest, (new, new_n)) for old, n, digest, new, new_n in device.rows(_RENAMED)}
    found = []
    for old, (digest, next_) in last.items():
        new: Name | None = next_
        while new is not None:
            found.append((old, digest, new))
            new = last[new][1] if new in last else None
    return found
