"""Version vectors: which version knew of which (R33, R34).

A vector maps a replica to the greatest n of that replica's versions of one entry that were known when the
version was written. A version's own (replica, n) is in its vector.
"""

from collections.abc import Iterable, Mapping

from diary.rules.ids import ReplicaId

Vector = Mapping[ReplicaId, int]


def descends_from(later: Vector, earlier: Vector) -> bool:
    """Return whether `later` knew all that `earlier` knew; equal vectors descend from each other (R34)."""
    for replica, n in earlier.items():  # noqa: SIM110 - a generator takes twice as long, a thousand times a push
        if later.get(replica, 0) < n:
            return False
    return True


def are_concurrent(one: Vector, other: Vector) -> bool:
    """Return whether neither version knew of the other (R34)."""
    return not descends_from(one, other) and not descends_from(other, one)


def join(vectors: Iterable[Vector]) -> dict[ReplicaId, int]:
    """Return the least vector that descends from all of `vectors`, replicas in order; {} for none (R34)."""
    joined: dict[ReplicaId, int] = {}
    for vector in vectors:
        for replica, n in vector.items():
            if joined.get(replica, 0) < n:
                joined[replica] = n
    return dict(sorted(joined.items()))
