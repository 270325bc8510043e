"""Rows that come beside what is held under their names (R34, R40, R42)."""

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from contextlib import suppress

import msgspec

from diary import envelope
from diary.errors import DamageError, NothingError
from diary.evidence.alarm import FeedFaultError
from diary.evidence.feed import CheckedRow
from diary.resealing import Anew, forget, reseal
from diary.rules.ids import ContractId, ReplicaId
from diary.rules.segment import Header, Sealed
from diary.rules.vector import join
from diary.sealing import row
from diary.state import OpenDiary, mark_destroying
from diary.store import feed, pictures, renewal, versions
from diary.store.versions import Name, StoredVersion

NO_BODY = hashlib.sha256(b"").digest()  # as a header alone is signed


class Arrival(msgspec.Struct, frozen=True, gc=False):
    """One row of a page, and what is held under its name already (None: it is new here)."""

    checked: CheckedRow
    known: feed.KnownRow | None

    @property
    def header(self) -> Header:
        """Return the row's header."""
        return self.checked.header

    @property
    def came_bare(self) -> bool:
        """Return whether its writer sent by its header alone what is held here whole (R25, R43).

        It was removed there before its receipt came, and a server that was restored meanwhile took it as new.
        """
        held_whole = self.known is not None and self.known.has_body
        return held_whole and self.checked.body_hash == NO_BODY


def compare(diary: OpenDiary, contract: ContractId, checked: Sequence[CheckedRow]) -> list[Arrival]:
    """Return the rows beside what is held under their names (R40, R42).

    Raises:
        FeedFaultError: A name is held with other content, or comes twice.
    """
    numbers: dict[ReplicaId, list[int]] = defaultdict(list)
    for each in checked:
        numbers[each.header.replica].append(each.header.n)
    held = {
        replica: feed.known(diary.connection, replica, min(ns), max(ns)) for replica, ns in numbers.items()
    }
    if sum(len(set(ns)) for ns in numbers.values()) < len(checked):
        raise FeedFaultError("version_reused", f"the log of contract {contract} holds one version twice")
    arrivals = [Arrival(each, held[each.header.replica].get(each.header.n)) for each in checked]
    for arrival in arrivals:
        known, came = arrival.known, arrival.checked
        is_other = known is not None and known.has_body and known.body_hash != came.body_hash
        if known and (known.header != came.raw or (is_other and not arrival.came_bare)):
            what = f"version {came.header.replica}:{came.header.n} is held with other content"
            raise FeedFaultError("version_reused", what)
    return arrivals


def give_way(diary: OpenDiary, arrivals: Sequence[Arrival]) -> dict[str, bytes]:
    """Drop what was sealed anew at a renewal where another copy of the file had sent it after all (R42).

    Returns the pictures of what was sent, by name, sealed as that copy sealed them: it may never send them.
    """
    former = renewal.former(diary.connection)
    regained: dict[str, bytes] = {}
    if not former:
        return regained
    for arrival in arrivals:
        if arrival.known is not None or arrival.header.replica not in former:
            continue
        anew = renewal.renamed(diary.connection, arrival.header.name, arrival.checked.raw)
        if anew is None:
            continue
        stored = versions.find(diary.connection, anew)
        if stored is None or stored.is_ours_alone:
            if stored is not None and arrival.header.pictures:
                regained |= _regained(diary, stored, arrival.checked)
            # It may be gone already: a later one of this hand has taken its place.
            forget(diary, anew)
            mark_destroying(diary)  # what came instead may have no content any more (R25)
            _know_instead(diary, anew, arrival.header)
    return regained


def _regained(diary: OpenDiary, given_up: StoredVersion, sent: CheckedRow) -> dict[str, bytes]:
    """Return the pictures that a row names, sealed once more out of what was sealed anew of it (R41, R42).

    Under the row's own key, and in its place, the same bytes come out: the name that the row gives them is
    their hash. What does not open, or comes out as another, is left out.
    """
    there = Sealed(header=sent.raw, body=sent.row.body, wrap=sent.row.wrap)
    names = {name for name, _ in sent.header.pictures or ()}
    found: dict[str, bytes] = {}
    with suppress(DamageError, NothingError):
        here_key, there_key = (
            row.row_key(sealed, envelope.epoch_key(diary, header.contract, header.epoch or 0))
            for header, sealed in ((given_up.header, given_up.sealed), (sent.header, there))
        )
        for index, (name, _) in enumerate(given_up.header.pictures or ()):
            held = pictures.ciphertext(diary.connection, name)
            if held is None:
                continue
            place = envelope.picture_place(given_up.header, index)
            plain = row.open_picture(held, row_key=here_key, place=place)
            for at in range(len(names)):
                place = envelope.picture_place(sent.header, at)
                sealed = row.seal_picture(plain, row_key=there_key, place=place)
                if row.picture_name(sealed) in names:
                    found[row.picture_name(sealed)] = sealed
    return found


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
