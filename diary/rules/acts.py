"""What the parties' requests, answers, disputes and redactions amount to (R10, R38, R54, R62).

Each is a function of the rows of one contract's log in the log's order; those that were not received yet
stand at the end. Who may write which is asked before (`diary.rules.parties`). Pure.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from diary.rules.act_parts import VersionName
from diary.rules.ids import Millis, ReplicaId, Slot
from diary.rules.merge import Held

ACT_TYPES = frozenset({"request", "acceptance", "dispute", "redaction", "bonus", "payment"})

_REPLIES = frozenset({"replied", "conceded"})

RequestState = Literal["open", "allowed", "declined", "withdrawn"]


@dataclass(frozen=True, slots=True)
class Request:
    """A freelancer's request and what became of it (R10).

    `week` of None asks for the contract. `answer` names the row that answered last, None while open. Times
    are those of receipt, None where the server has not received it.
    """

    name: VersionName
    week: str | None
    asked_at_ms: Millis | None
    state: RequestState
    answer: VersionName | None
    answered_at_ms: Millis | None


@dataclass(frozen=True, slots=True)
class Dispute:
    """A client's dispute: `open_slots` are those of its slots that are disputed still (R62).

    `withdrawn` and `replies` name the rows that came after it about any of its slots, in the log's order; a
    concession is a reply too, and `conceded_slots` are those of its slots that it credits.
    """

    name: VersionName
    slots: tuple[Slot, ...]
    open_slots: tuple[Slot, ...]
    raised_at_ms: Millis | None
    withdrawn: tuple[VersionName, ...]
    replies: tuple[VersionName, ...]
    conceded_slots: tuple[Slot, ...] = ()


@dataclass(frozen=True, slots=True)
class Redaction:
    """How far the redaction of a slot has come: each party's row, None where it has not signed (R54)."""

    freelancer: VersionName | None
    client: VersionName | None
    completed_at_ms: Millis | None

    @property
    def is_agreed(self) -> bool:
        """Return whether both have signed: then the content goes everywhere."""
        return self.freelancer is not None and self.client is not None


def requests(acts: Iterable[Held]) -> tuple[Request, ...]:
    """Return the requests in the order in which they were asked, each with its state (R10).

    The last answer counts, so that who declined can allow; one that was taken back unanswered stays so, and
    an answer that came before is not undone by taking the request back.
    """
    found: dict[VersionName, Request] = {}
    for act in acts:
        header = act.header
        if header.request is not None and header.request.withdraws is None:
            asked = Request(header.name, header.request.week, act.received_at_ms, "open", None, None)
            found[header.name] = asked
        elif header.request is not None and header.request.withdraws is not None:
            asked_back = found.get(header.request.withdraws)
            if asked_back is not None and asked_back.state == "open":
                found[asked_back.name] = _answered(asked_back, "withdrawn", act)
        elif header.acceptance is not None and header.acceptance.request is not None:
            answered = found.get(header.acceptance.request)
            if answered is not None and answered.state != "withdrawn":
                word: RequestState = "allowed" if header.acceptance.allows else "declined"
                found[answered.name] = _answered(answered, word, act)
    return tuple(found.values())


def _answered(request: Request, state: RequestState, act: Held) -> Request:
    return Request(
        request.name, request.week, request.asked_at_ms, state, act.header.name, act.received_at_ms
    )


def accepted_slots(acts: Iterable[Held]) -> dict[Slot, VersionName]:
    """Return the slots of late time that the client accepted, and by which row first (R38)."""
    found: dict[Slot, VersionName] = {}
    for act in acts:
        if act.header.acceptance is not None:
            for slot in act.header.acceptance.slots or ():
                found.setdefault(slot, act.header.name)
    return found


def disputes(acts: Sequence[Held]) -> tuple[Dispute, ...]:
    """Return the disputes in the order in which they were raised (R62)."""
    rows = [(act, act.header.dispute) for act in acts if act.header.dispute is not None]
    found = []
    for place, (act, part) in enumerate(rows):
        if part.act != "raised":
            continue
        after = [
            (later, said)
            for later, said in rows[place + 1 :]
            if said.act != "raised" and not set(said.slots).isdisjoint(part.slots)
        ]
        taken_back = {slot for _, said in after if said.act == "withdrawn" for slot in said.slots}
        conceded = {slot for _, said in after if said.act == "conceded" for slot in said.slots}
        found.append(
            Dispute(
                name=act.header.name,
                slots=part.slots,
                open_slots=tuple(slot for slot in part.slots if slot not in taken_back | conceded),
                raised_at_ms=act.received_at_ms,
                withdrawn=tuple(later.header.name for later, said in after if said.act == "withdrawn"),
                replies=tuple(later.header.name for later, said in after if said.act in _REPLIES),
                conceded_slots=tuple(slot for slot in part.slots if slot in conceded),
            )
        )
    return tuple(found)


def disputed_slots(acts: Sequence[Held]) -> frozenset[Slot]:
    """Return the slots that the client disputes now (R62)."""
    return frozenset(slot for dispute in disputes(acts) for slot in dispute.open_slots)


def redactions(acts: Iterable[Held], seats: Collection[ReplicaId]) -> dict[Slot, Redaction]:
    """Return how far the redaction of each named slot has come; the first row of each party counts (R54)."""
    found: dict[Slot, Redaction] = {}
    for act in acts:
        if act.header.redaction is None:
            continue
        name = act.header.name
        for slot in act.header.redaction.slots:
            known = found.get(slot, Redaction(None, None, None))
            by_client = name[0] in seats
            if known.is_agreed or (known.client if by_client else known.freelancer) is not None:
                continue
            freelancer = known.freelancer if by_client else name
            client = name if by_client else known.client
            agreed = freelancer is not None and client is not None
            found[slot] = Redaction(freelancer, client, act.received_at_ms if agreed else None)
    return found
