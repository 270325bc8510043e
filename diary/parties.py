"""The two parties of a contract, as this diary knows them: who joined, what they said (R8, R10, R38, R62).

Everything here reads, within the caller's snapshot or transaction.
"""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from diary import envelope, seating
from diary.errors import DamageError, NothingError, RefusedError
from diary.rules import acts, parties
from diary.rules.act_parts import VersionName
from diary.rules.acts import Dispute, Redaction, Request, RequestState
from diary.rules.change import Refused
from diary.rules.contract import TermsHistory
from diary.rules.ids import ContractId, Millis, ReplicaId, Slot
from diary.rules.merge import Held
from diary.rules.refusals import words_of
from diary.rules.sealed_content import ReasonContent
from diary.rules.segment import Header
from diary.state import OpenDiary
from diary.store import versions
from diary.store.versions import StoredVersion, held_of


class RefusedSayingError(RefusedError):
    """A rule refuses what one party wants to say, or says it is the other's (R8, R10, R54, R62)."""

    says = "{reason}: {because}."
    mend = "{mend}"

    def __init__(self, refused: Refused) -> None:
        mend = words_of(refused.reason).mend
        super().__init__(reason=refused.reason, because=refused.because, mend=mend)


@dataclass(frozen=True, slots=True)
class RequestView:
    """A request with its words; `answer_reason` is "" where there is none, `by_us` of whoever looks (R10)."""

    name: VersionName
    week: str | None
    reason: str
    state: RequestState
    asked_at_ms: Millis
    synced: bool
    answered_at_ms: Millis | None
    answer_reason: str


@dataclass(frozen=True, slots=True)
class DisputeView:
    """A dispute with its words: why, and what the freelancer replied, the earliest first (R62)."""

    name: VersionName
    slots: tuple[Slot, ...]
    open_slots: tuple[Slot, ...]
    reason: str
    raised_at_ms: Millis
    replies: tuple[tuple[Millis, str], ...]


@dataclass(frozen=True, slots=True)
class Marks:
    """What the parties said means for slots: late and accepted, disputed, redacted (R38, R54, R62)."""

    accepted: Collection[Slot] = frozenset()
    disputed: Collection[Slot] = frozenset()
    redacted: Collection[Slot] = frozenset()


def clients(diary: OpenDiary, contract: ContractId) -> frozenset[ReplicaId]:
    """Return every seat of the client that ever joined the contract; empty until one has (R8, R51)."""
    return frozenset(
        seat.replica for seat in seating.seats(diary, contract).seats.values() if seat.role == "client"
    )


def held_acts(diary: OpenDiary, contract: ContractId) -> list[Held]:
    """Return what the parties said of one contract, in the log's order, unsent rows last."""
    return list(map(held_of, versions.acts(diary.connection, contract)))


def require_side(diary: OpenDiary, header: Header, history: TermsHistory | None) -> None:
    """Check that a row is this party's to write (R8, R48).

    Raises:
        RefusedSayingError: It is the other's.
    """
    refused = parties.wrong_side(header, seating.seats(diary, header.contract).roles, history)
    if refused is not None:
        raise RefusedSayingError(refused)


def marks(diary: OpenDiary) -> dict[ContractId, Marks]:
    """Return what the parties' words mean for the slots of every contract; one without words is no key."""
    by_contract: dict[ContractId, list[Held]] = defaultdict(list)
    for stored in versions.acts(diary.connection):
        by_contract[stored.header.contract].append(held_of(stored))
    if not by_contract:  # of most diaries
        return {}
    joined: dict[ContractId, set[ReplicaId]] = defaultdict(set)
    for contract, replica in versions.seats(diary.connection):
        joined[contract].add(replica)
    return {
        contract: Marks(
            accepted=acts.accepted_slots(said).keys(),
            disputed=acts.disputed_slots(said),
            redacted={slot for slot, one in acts.redactions(said, joined[contract]).items() if one.is_agreed},
        )
        for contract, said in by_contract.items()
    }


def accepted(diary: OpenDiary, contract: ContractId, slot: Slot) -> bool:
    """Return whether the client accepted late time in a slot (R38)."""
    return slot in acts.accepted_slots(held_acts(diary, contract))


def requests(diary: OpenDiary, contract: ContractId) -> tuple[RequestView, ...]:
    """Return the requests of a contract with their words, the newest first (R10)."""
    stored = _by_name(versions.acts(diary.connection, contract))
    found = acts.requests(held_of(each) for each in stored.values())
    return tuple(_request_view(diary, one, stored) for one in reversed(found))


def _request_view(diary: OpenDiary, one: Request, stored: dict[VersionName, StoredVersion]) -> RequestView:
    row = stored[one.name]
    answer = stored[one.answer] if one.answer is not None else None
    return RequestView(
        name=one.name,
        week=one.week,
        reason=_reason(diary, row),
        state=one.state,
        asked_at_ms=row.received_at_ms or row.written_at_ms,
        synced=row.received_at_ms is not None,
        answered_at_ms=None if answer is None else answer.received_at_ms or answer.written_at_ms,
        answer_reason="" if answer is None else _reason(diary, answer),
    )


def disputes(diary: OpenDiary, contract: ContractId) -> tuple[DisputeView, ...]:
    """Return the disputes of a contract with their words, the newest first (R62)."""
    stored = _by_name(versions.acts(diary.connection, contract))
    found = acts.disputes([held_of(each) for each in stored.values()])
    return tuple(_dispute_view(diary, one, stored) for one in reversed(found))


def _dispute_view(diary: OpenDiary, one: Dispute, stored: dict[VersionName, StoredVersion]) -> DisputeView:
    row = stored[one.name]
    replies = [stored[name] for name in one.replies]
    return DisputeView(
        name=one.name,
        slots=one.slots,
        open_slots=one.open_slots,
        reason=_reason(diary, row),
        raised_at_ms=row.received_at_ms or row.written_at_ms,
        replies=tuple(
            (reply.received_at_ms or reply.written_at_ms, _reason(diary, reply)) for reply in replies
        ),
    )


def redactions(diary: OpenDiary, contract: ContractId) -> dict[Slot, Redaction]:
    """Return how far the redaction of each named slot of a contract has come (R54)."""
    return acts.redactions(held_acts(diary, contract), clients(diary, contract))


def words_about_money(diary: OpenDiary, contract: ContractId) -> dict[VersionName, str]:
    """Return what bonuses and payments of a contract say under seal, by the row's name (R62, R63)."""
    return {
        stored.header.name: _reason(diary, stored)
        for stored in versions.acts(diary.connection, contract)
        if stored.header.type in {"bonus", "payment"}
    }


def _by_name(stored: Sequence[StoredVersion]) -> dict[VersionName, StoredVersion]:
    return {each.header.name: each for each in stored}


def _reason(diary: OpenDiary, stored: StoredVersion) -> str:
    """Return the words of a row; "" where it has none, or they do not open here."""
    if stored.sealed.body is None:
        return ""
    try:
        content = envelope.content_of(diary, stored)
    except (DamageError, NothingError):
        return ""
    return content.reason if isinstance(content, ReasonContent) else ""
