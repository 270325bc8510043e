"""That the server does not answer for its log, kept from sync to sync until it does (R43, R56).

Whoever only asks for it, as every prompt does, loads nothing of what notes it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from diary.evidence.alarm import Evidence
from diary.rules.ids import ContractId, Millis
from diary.rules.unanswered import Unanswered, unanswered_again
from diary.state import OpenDiary
from diary.store import feed, meta

if TYPE_CHECKING:
    from diary.evidence.statement import SignedStatement
    from diary.store.versions import Name

_UNANSWERED = "unanswered"


@dataclass(frozen=True, slots=True)
class Suspicion:
    """What the server has to answer for: `what` it shows, as a part of a sentence, and what shows it.

    `contracts` are those whose logs it shows otherwise, `shown` the heads by which it does, `lacks` versions
    of which it had given receipts; `evidence` is what is known beside these.
    """

    what: str
    contracts: Sequence[ContractId] = ()
    shown: Sequence["SignedStatement"] = ()
    lacks: Sequence["Name"] = ()
    evidence: Sequence[Evidence] = ()


class _Kept(msgspec.Struct, frozen=True):
    """What is kept of it: the rule's count, and what the alarm will say if it comes to one."""

    since_ms: Millis
    last_ms: Millis
    waited_ms: int
    is_clock_unsure: bool
    what: str
    contract: ContractId
    evidence: tuple[Evidence, ...]


_kept = msgspec.json.Decoder(_Kept)


def unanswered(diary: OpenDiary) -> Unanswered | None:
    """Return that the server does not answer for its log, None where it does (R43).

    It belongs into the caller's snapshot.
    """
    kept = _kept_in(diary)
    return None if kept is None else _counted(kept)


def note_unanswered(diary: OpenDiary, suspicion: Suspicion, *, is_clock_unsure: bool) -> None:
    """Note that a sync ended without the server's answer; after a week of them that is an alarm (R56)."""
    with diary.writing():
        kept = _kept_in(diary)
        known = None if kept is None else _counted(kept)
        now = unanswered_again(known, diary.now_ms(), suspicion.what, is_clock_unsure=is_clock_unsure)
        contract = kept.contract if kept else next(iter(suspicion.contracts), diary.contract_of_account)
        evidence = kept.evidence if kept else tuple(_evidence_of(diary, suspicion))
        keep = _Kept(now.since_ms, now.last_ms, now.waited_ms, is_clock_unsure, now.what, contract, evidence)
        meta.put(diary.connection, _UNANSWERED, msgspec.json.encode(keep).decode())
        if now.is_alarm:
            alarm = feed.Alarm(diary.now_ms(), contract, "unanswered", now.alarm_says, evidence)
            feed.raise_alarm(diary.connection, alarm)


def note_answered(diary: OpenDiary) -> None:
    """Note that the server answers for all that it shows; an alarm that was raised stays."""
    with diary.reading():
        if meta.get(diary.connection, _UNANSWERED) is None:
            return
    with diary.writing():
        meta.remove(diary.connection, _UNANSWERED)


def _kept_in(diary: OpenDiary) -> _Kept | None:
    found = meta.word(diary.connection, _UNANSWERED)
    return None if found is None else _kept.decode(found)


def _counted(kept: _Kept) -> Unanswered:
    return Unanswered(kept.since_ms, kept.last_ms, kept.waited_ms, kept.is_clock_unsure, kept.what)


def _evidence_of(diary: OpenDiary, suspicion: Suspicion) -> Iterator[Evidence]:
    """Yield the server's statements that cannot both be true: what it had signed, and what it shows (R56)."""
    from diary.errors import PeerError
    from diary.evidence.head import read_head
    from diary.evidence.signature import ANSWER, EPOCH, HEAD
    from diary.store import epochs, heads, receipts
    from diary.witnessing import evidence_of, pinned_key

    known = set(suspicion.evidence)
    yield from suspicion.evidence
    cursors = receipts.cursors(diary.connection)
    for contract in suspicion.contracts:
        cursor = cursors.get(contract)
        newest = heads.newest(diary.connection, contract, cursor.log_epoch) if cursor else None
        yield from (one for one in evidence_of(newest) if one not in known)
    for signed in suspicion.shown:
        try:
            read_head(signed, pinned_key(diary) or b"")
        except PeerError:
            continue  # whoever shows it, the server's key did not sign it
        yield Evidence(HEAD, signed.text, signed.signature)
    for name in suspicion.lacks:
        answer = receipts.answer_for(diary.connection, name)
        if answer is not None:
            yield Evidence(ANSWER, answer.text, answer.signature)
    stated = epochs.newest_signed(diary.connection)
    if stated is not None:
        yield Evidence(EPOCH, stated.text, stated.signature)
