"""What stands in a slot: the merge of every version that is held (R34, R35, R36).

Merging never writes: it is a function of a set of versions, so the order in which they came, and how often,
changes nothing. The greatest life wins; within it the versions that no other descends from stand together.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal

import msgspec

from diary.rules.ids import Millis, ReplicaId
from diary.rules.segment import Header
from diary.rules.vector import Vector, descends_from, join

Kind = Literal["automatic", "manual"]


class Held(msgspec.Struct, frozen=True, gc=False):
    """A capture or an entry that is held; `received_at_ms` is None until the server has taken it.

    `leaf` is its leaf in the contract's log, for whoever reckons a seal; None where nobody asks for it (R57).
    """

    header: Header
    received_at_ms: Millis | None
    leaf: bytes | None = None

    @property
    def life(self) -> int:
        """Return the life it belongs to: a capture always to life 0 (R35)."""
        return self.header.life or 0

    @property
    def vector(self) -> Vector:
        """Return what its writer knew of the entry; a capture knows of nothing (R34)."""
        return self.header.vector or {}

    @property
    def is_capture(self) -> bool:
        """Return whether the machine wrote it (R32)."""
        return self.header.type == "capture"

    @property
    def claims(self) -> bool:
        """Return whether it makes its life a segment: a capture, or a claim of manual time (R36)."""
        return self.is_capture or bool(self.header.manual)


class Present(msgspec.Struct, frozen=True):
    """What stands of the present life of one (contract, slot) (R34, R35).

    `frontier` are its standing entries, `captures` those that count, both in the order that was given.
    """

    life: int
    frontier: tuple[Held, ...]
    captures: tuple[Held, ...]

    @property
    def kept(self) -> set[tuple[ReplicaId, int]]:
        """Return the names of the versions whose content stays; that of all others is destroyed (R25)."""
        return {version.header.name for version in (*self.frontier, *self.captures)}


_NOTHING = Present(life=0, frontier=(), captures=())


@dataclass(frozen=True, slots=True)
class Standing:
    """What one (contract, slot) holds (R35, R36).

    `frontier` are the standing entries of the present life, `captures` those that count, both by (replica,
    n). `kind` is None where nothing bills: deleted, or nothing but a memo. `vector` covers every entry that
    is held, of any life: the next version starts from it. `received_at_ms` is the first receipt of a capture
    or a claim of the present life, `claimed_at_ms` the last; None where the server has taken none.
    """

    life: int
    deleted: bool
    kind: Kind | None
    frontier: tuple[Held, ...]
    captures: tuple[Held, ...]
    vector: dict[ReplicaId, int] = field(hash=False)
    received_at_ms: Millis | None
    claimed_at_ms: Millis | None = None

    @property
    def has_picture(self) -> bool:
        """Return whether a capture that counts lists a picture (R16, R36)."""
        return any(capture.header.pictures for capture in self.captures)


def standing(held: Iterable[Held]) -> Standing:
    """Return what stands in a slot of which `held` are the versions, in any order (R35, R36).

    A claim stands for its life: a later version that does not repeat it takes nothing back, since taking
    time back is a deletion.
    """
    versions = _once(held)
    if not versions:
        return Standing(0, deleted=False, kind=None, frontier=(), captures=(), vector={}, received_at_ms=None)
    life, captures, entries = _greatest_life(versions)
    claims = [version for version in (*captures, *entries) if version.claims]
    received = [claim.received_at_ms for claim in claims if claim.received_at_ms is not None]
    return Standing(
        life=life,
        deleted=life % 2 == 1,
        kind=_kind_of(life, captures, claims),
        frontier=_frontier_of(entries),
        captures=tuple(captures),
        vector=join([version.vector for version in versions]),
        received_at_ms=min(received, default=None) if life % 2 == 0 else None,
        claimed_at_ms=max(received, default=None) if life % 2 == 0 else None,
    )


def present(held: Sequence[Held]) -> Present:
    """Return what stands of the present life, as `standing` says it, for those who ask nothing else (R35)."""
    if not held:  # most slots that a push or a page is about are new
        return _NOTHING
    life, captures, entries = _greatest_life(held)
    return Present(life, _frontier_of(entries), tuple(captures))


def ended_by(header: Header, stands: Present) -> tuple[tuple[ReplicaId, int], ...]:
    """Return the names whose content goes when the version comes to where `stands` stands (R25, R35).

    They are those that then stand no more, in their order; the version's own is among them when what descends
    from it, or a greater life, came first. What does not stand has lost its content already: so only what
    stands is compared, for whatever a version descends from, that which stands of it descends from too.
    """
    life = header.life or 0
    if life < stands.life:
        return (header.name,)
    if header.type == "capture":
        return ()
    if life > stands.life:
        return tuple(sorted(stands.kept))
    vector = header.vector or {}
    if _is_superseded(header, vector, [version.vector for version in stands.frontier]):
        return (header.name,)
    ended = [one for one in stands.frontier if _is_superseded(one.header, one.vector, (vector,))]
    return tuple(sorted(one.header.name for one in ended))


def destroyed(held: Iterable[Held]) -> tuple[Held, ...]:
    """Return the versions whose content must be destroyed, by (replica, n) (R25, R35).

    They are those of a lower life than the greatest, and the entries that another descends from.
    """
    versions = _once(held)
    names = present(versions).kept
    return tuple(version for version in versions if version.header.name not in names)


def displaced(held: Iterable[Header]) -> set[tuple[ReplicaId, int]]:
    """Return the names of the entries that another of their life among them descends from (R34)."""
    lives: dict[int, list[Header]] = {}
    for header in held:
        if header.type == "entry":
            lives.setdefault(header.life or 0, []).append(header)
    found: set[tuple[ReplicaId, int]] = set()
    for headers in lives.values():
        if len(headers) > 1:
            vectors = [header.vector or {} for header in headers]
            pairs = zip(headers, vectors, strict=True)
            found.update([header.name for header, own in pairs if _is_superseded(header, own, vectors)])
    return found


def _greatest_life(versions: Sequence[Held]) -> tuple[int, list[Held], list[Held]]:
    """Return the greatest life, the captures that count in it and the entries that belong to it (R35)."""
    captures: list[Held] = []
    entries: list[Held] = []
    life = 0
    for version in versions:
        header = version.header
        if header.type == "capture":
            captures.append(version)
            continue
        of_it = header.life or 0
        if of_it > life:
            life, entries = of_it, [version]
        elif of_it == life:
            entries.append(version)
    return life, [] if life else captures, entries


def _once(held: Iterable[Held]) -> list[Held]:
    """Return each version once, by name; one that is known to be received counts as received."""
    by_name: dict[tuple[ReplicaId, int], Held] = {}
    for version in held:
        known = by_name.setdefault(version.header.name, version)
        if known is not version and _is_earlier(version.received_at_ms, known.received_at_ms):
            by_name[version.header.name] = version
    return [by_name[name] for name in sorted(by_name)]


def _is_earlier(one_ms: Millis | None, other_ms: Millis | None) -> bool:
    return one_ms is not None and (other_ms is None or one_ms < other_ms)


def _kind_of(life: int, captures: Sequence[Held], claims: Sequence[Held]) -> Kind | None:
    if life % 2 == 1:
        return None
    if any(capture.header.pictures for capture in captures):
        return "automatic"
    # From life 2 on a segment is manual: it was added again by hand (R35).
    return "manual" if claims or life > 0 else None


def _frontier_of(entries: Sequence[Held]) -> tuple[Held, ...]:
    """Return the entries of one life that no other descends from (R34)."""
    if len(entries) <= 1:
        return tuple(entries)
    vectors = [version.header.vector or {} for version in entries]
    pairs = zip(entries, vectors, strict=True)
    return tuple([version for version, own in pairs if not _is_superseded(version.header, own, vectors)])


def _is_superseded(header: Header, own: Vector, vectors: Iterable[Vector]) -> bool:
    """Return whether one of `vectors` descends from the version; its own, or an equal one, does not.

    Of equal vectors neither supersedes the other, so that one always stands.
    """
    replica, n = header.replica, own.get(header.replica, 0)
    for vector in vectors:
        # Whoever does not know this very version does not descend from it: one look-up settles most pairs.
        if vector is not own and vector.get(replica, 0) >= n and descends_from(vector, own) and vector != own:
            return True
    return False
