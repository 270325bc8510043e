"""A wished request, acceptance, dispute or redaction: taken, or refused by name (R10, R38, R54, R62).

Device, seat and server ask the same question, as `diary.rules.change` does for captures and entries. Whose
it is to write is asked first (`diary.rules.parties`). Pure.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from diary.rules.act_parts import AcceptanceInClear, DisputeInClear, RedactionInClear, RequestInClear
from diary.rules.acts import requests
from diary.rules.change import Refused
from diary.rules.contract import TermsHistory
from diary.rules.ids import Millis, Slot
from diary.rules.merge import Held, standing
from diary.rules.segment import Header
from diary.rules.week import DAY_MILLIS, Week, locks_at_ms

REVIEW_MILLIS = 9 * DAY_MILLIS // 2  # R62: Monday 12:00 to the end of Friday, UTC


@dataclass(frozen=True, slots=True)
class Said:
    """What an act is judged by: what was said before, what stands in a slot, the terms, the instant.

    `acts` are the contract's, in the log's order. A device passes as `slack_ms` how far its clock may be from
    the server's: it then refuses only what the server would refuse anywhere within (R39).
    """

    acts: Sequence[Held]
    held_at: Callable[[Slot], Sequence[Held]]
    history: TermsHistory
    at_ms: Millis
    slack_ms: int = 0


def review_of(week: Week) -> tuple[Millis, Millis]:
    """Return from when and until when a week is in review, the end not included (R62)."""
    return week.locked_at_ms, Millis(week.locked_at_ms + REVIEW_MILLIS)


def refused_act(header: Header, said: Said) -> Refused | None:
    """Return why the act may not enter at the instant, None where it may."""
    if header.request is not None:
        return _refused_request(header.request, said)
    if header.acceptance is not None:
        return _refused_acceptance(header.acceptance, said)
    if header.dispute is not None:
        return _refused_dispute(header.dispute, said)
    if header.redaction is not None:
        return _refused_redaction(header.redaction, said)
    return None


def _refused_request(part: RequestInClear, said: Said) -> Refused | None:
    if part.withdraws is not None:
        return _unknown_request(part.withdraws, said)
    if said.history.state_at(said.at_ms) == "closed":
        return Refused("contract_closed", "a closed contract takes no manual time")
    if part.week is not None and Week.parse(part.week).is_frozen(said.at_ms - said.slack_ms):
        return Refused("week_locked", f"{part.week} is frozen since Monday 12:00 UTC")
    return None


def _refused_acceptance(part: AcceptanceInClear, said: Said) -> Refused | None:
    if part.request is not None:
        return _unknown_request(part.request, said)
    for slot in part.slots or ():
        stands = standing(said.held_at(slot))
        if stands.deleted:
            return Refused("slot_deleted", "the freelancer deleted the late time before it was accepted")
        if stands.received_at_ms is None or stands.received_at_ms < locks_at_ms(slot):
            return Refused("not_late", "only time that came after its week's lock is accepted apart")
    return None


def _unknown_request(name: tuple[str, int], said: Said) -> Refused | None:
    """Refuse an answer to, or a withdrawal of, what is no request or was taken back (R10)."""
    if any(one.name == name and one.state != "withdrawn" for one in requests(said.acts)):
        return None
    return Refused("unknown_request", "there is no such request, or it was taken back")


def _refused_dispute(part: DisputeInClear, said: Said) -> Refused | None:
    """Refuse a dispute outside of the week's review; taking it back and replying have no end (R62)."""
    if part.act != "raised":
        return None
    for week in {Week.of(slot) for slot in part.slots}:
        begins_ms, ends_ms = review_of(week)
        if not begins_ms - said.slack_ms <= said.at_ms < ends_ms + said.slack_ms:
            because = f"{week.name} is in review from the Monday after it, 12:00 UTC, to Friday 23:59 UTC"
            return Refused("not_in_review", because)
    return None


def _refused_redaction(part: RedactionInClear, said: Said) -> Refused | None:
    """Refuse to redact what can still be deleted by its freelancer alone (R54)."""
    for slot in part.slots:
        if said.at_ms + said.slack_ms < locks_at_ms(slot):
            return Refused("week_open", f"{Week.of(slot).name} is not frozen: what it holds can be deleted")
    return None
