"""Rows that come beside what is held under their names (R34, R40, R42)."""

from collections import defaultdict
from collections.abc import Sequence

import msgspec

from diary.evidence.alarm import FeedFaultError
from diary.evidence.feed import CheckedRow
from diary.resealing import Anew, forget, reseal
from diary.rules.ids import ContractId, ReplicaId
from diary.rules.segment import Header
from diary.rules.vector import join
from diary.state import OpenDiary, mark_destroying
from diary.store import feed, renewal, versions
from diary.store.versions import Name


class Arrival(msgspec.Struct, frozen=True, gc=False):
    """One row of a page, and what is held under its name already (None: it is new here)."""

    checked: CheckedRow
    known: feed.KnownRow | None

    @property
    def header(self) -> Header:
        """Return the row's header."""
        return self.checked.header


def compare(diary: OpenDiary, contract: ContractId, checked: Sequence[CheckedRow]) -> list[Arrival]:
    """Return the rows beside what is held under their names (R40, R42).

    Raises:
        FeedFaultError: A name is held with other content, or comes twice.
    """
    numbers: dict[ReplicaId, list[int]] = defaultdict(list)
    for row in checked:
        numbers[row.header.replica].append(row.header.n)
    held = {
        replica: feed.known(diary.connection, replica, min(ns), max(ns)) for replica, ns in numbers.items()
    }
    if sum(len(set(ns)) for ns in numbers.values()) < len(checked):
        raise FeedFaultError("version_reused", f"the log of contract {contract} holds one version twice")
    arrivals = [Arrival(row, held[row.header.replica].get(row.header.n)) for row in checked]
    for arrival in arrivals:
        known, row = arrival.known, arrival.checked
        if known and (known.header != row.raw or (known.has_body and known.body_hash != row.body_hash)):
            what = f"version {row.header.replica}:{row.header.n} is held with other content"
            raise FeedFaultError("version_reused", what)
    return arrivals


def give_way(diary: OpenDiary, arrivals: Sequence[Arrival]) -> None:
    """Drop what was sealed anew at a renewal where another copy of the file had sent it after all (R42)."""
    former = renewal.former(diary.connection)
    if not former:
        return
    for arrival in arrivals:
        if arrival.known is not None or arrival.header.replica not in former:
            continue
        anew = renewal.renamed(diary.connection, arrival.header.name, arrival.checked.raw)
        if anew is None:
            continue
        stored = versions.find(diary.connection, anew)
        if stored is None or stored.is_ours_alone:
            # It may be gone already: a later one of this hand has taken its place.
            forget(diary, anew)
            mark_destroying(diary)  # what came instead may have no content any more (R25)
            _know_instead(diary, anew, arrival.header)


def _know_instead(diary: OpenDiary, given_up: Name, sent: Header) -> None:
    """Let what was written here on top of a name that is given up know the one that was sent (R34, R42).

    Else it would stand beside what it was written upon, and time that is added again after a deletion would
    know of none.
    """
    if sent.slot is None or sent.vector is None:
        return
    replica, n = given_up
    for held in versions.at_place(diary.connection, sent.contract, sent.slot):
        vector = held.header.vector or {}
        if held.waits and held.is_ours_alone and vector.get(replica, 0) >= n:
            reseal(diary, held, Anew(vector=join((vector, sent.vector)), held_for=held.held_for))
