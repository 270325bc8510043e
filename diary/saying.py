"""What one party says to the other: asks, accepts, disputes, pays and redacts (R10, R38, R54, R62, R63).

Devices and seats write through the same functions: whose it is to say is the rule's answer, not the caller's.
Each is one transaction; one that is refused leaves the file as it was.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from typing import Literal

from diary import contracts, envelope, parties
from diary.envelope import HeaderParts
from diary.errors import NothingError, UsageError
from diary.parties import RefusedSayingError
from diary.rules.act_change import REVIEW_MILLIS, Said, refused_act, reviews_of
from diary.rules.act_parts import (
    SLOTS_NAMED_MAX,
    AcceptanceInClear,
    DisputeInClear,
    RedactionInClear,
    RequestInClear,
    VersionName,
)
from diary.rules.acts import Request, requests
from diary.rules.ids import ContractId, Slot
from diary.rules.invoice_parts import Invoice, InvoicePart
from diary.rules.money_parts import BonusInClear, PaymentInClear
from diary.rules.sealed_content import ReasonContent
from diary.rules.segment import Header, VersionType
from diary.rules.timesheet import Place
from diary.rules.week import Week
from diary.state import OpenDiary
from diary.store import invoices, versions
from diary.store.versions import held_of
from diary.tracking import checked_text


class NoReasonError(UsageError):
    """A request, a dispute and a reply say why."""

    says = "This needs a reason that the other party reads."
    mend = "Say it in a sentence."


class NoSuchRequestError(NothingError):
    """No request of the contract fits."""

    says = "“{title}” has no open request that fits."
    mend = "See what is asked for: diary contract show."


def ask_manual_time(
    diary: OpenDiary, contract: ContractId, reason: str, *, week: Week | None = None
) -> VersionName:
    """Ask the client to allow manual time, for the contract or for one week; return the request (R10).

    Raises:
        UnknownContractError: There is no such contract.
        NoReasonError: The reason is empty.
        RefusedSayingError: It cannot be asked any more.
    """
    part = RequestInClear(kind="manual_time", week=week.name if week else None)
    with diary.writing():
        header = envelope.draw_header(diary, "request", contract, request=part)
        _say(diary, header, _needed(reason))
    return header.name


def take_request_back(diary: OpenDiary, contract: ContractId, request: VersionName) -> None:
    """Take an unanswered request back (R10).

    Raises:
        RefusedSayingError: There is no such request.
    """
    with diary.writing():
        week = next((one.week for one in _requests(diary, contract) if one.name == request), None)
        part = RequestInClear(kind="manual_time", week=week, withdraws=request)
        _say(diary, envelope.draw_header(diary, "request", contract, request=part), "")


def answer_request(
    diary: OpenDiary, contract: ContractId, request: VersionName, *, allows: bool, reason: str = ""
) -> None:
    """Allow or decline a request for manual time; what is allowed are new terms, said first (R10).

    Raises:
        NoSuchRequestError: The contract has none of this name.
        RefusedSayingError: It was taken back, or is the other party's to answer.
    """
    with diary.writing():
        known = contracts.by_id(diary, contract)
        asked = next((one for one in _requests(diary, contract) if one.name == request), None)
        if asked is None:
            raise NoSuchRequestError(title=known.title)
        if allows and asked.week is None:
            contracts.write_terms(diary, known, {"manual_allowed": True})
        elif allows and asked.week is not None:
            contracts.write_terms(diary, known, {"manual_weeks": (*known.terms.manual_weeks, asked.week)})
        part = AcceptanceInClear(request=request, allows=allows)
        header = envelope.draw_header(diary, "acceptance", contract, acceptance=part)
        _say(diary, header, checked_text(reason))


def accept_late(diary: OpenDiary, places: Iterable[Place], reason: str = "") -> int:
    """Accept late time, which then bills as a bonus and stands; return how many segments (R38).

    Raises:
        RefusedSayingError: Something of it is not late or was deleted; nothing is accepted then.
    """
    return _say_of_slots(diary, places, "acceptance", _acceptance_part, reason)


def dispute(diary: OpenDiary, places: Iterable[Place], reason: str) -> int:
    """Dispute segments of a week in review; return how many (R62).

    Raises:
        NoReasonError: The reason is empty.
        RefusedSayingError: A week of them is not in review, or it is not for this party to dispute.
    """
    return _say_of_slots(diary, places, "dispute", _dispute_part("raised"), _needed(reason))


def take_dispute_back(diary: OpenDiary, places: Iterable[Place], reason: str = "") -> int:
    """Dispute segments no longer; return how many (R62).

    Raises:
        RefusedSayingError: It is not for this party to say.
    """
    return _say_of_slots(diary, places, "dispute", _dispute_part("withdrawn"), reason)


def reply_with(
    diary: OpenDiary, places: Iterable[Place], reason: str, send: Callable[[], VersionName]
) -> int:
    """Reply to what the client disputes, and send what proves it, in one (R62, R68).

    Raises:
        NoReasonError: The reply is empty.
        RefusedSayingError: It is not for this party to say; nothing was sent then.
    """
    said = _needed(reason)
    with diary.writing():
        count = _say_slots_within(diary, places, "dispute", _dispute_part("replied"), said)
        send()
    return count


def reply(diary: OpenDiary, places: Iterable[Place], reason: str) -> int:
    """Reply to what the client disputes; return about how many segments (R62).

    Raises:
        NoReasonError: The reply is empty.
        RefusedSayingError: It is not for this party to say.
    """
    return _say_of_slots(diary, places, "dispute", _dispute_part("replied"), _needed(reason))


def concede(diary: OpenDiary, places: Iterable[Place], reason: str = "") -> int:
    """Concede what the client disputes, as the freelancer: it is credited; return how many segments (R62).

    Raises:
        RefusedSayingError: Something of it is not disputed, or it is not for this party to say.
    """
    return _say_of_slots(diary, places, "dispute", _dispute_part("conceded"), reason)


def give_bonus(diary: OpenDiary, contract: ContractId, part: BonusInClear, reason: str) -> None:
    """Add a bonus for a week in review, as the client (R62).

    Raises:
        NoReasonError: The reason is empty.
        RefusedSayingError: The week is not in review, or it is not for this party to give.
    """
    with diary.writing():
        _say(diary, envelope.draw_header(diary, "bonus", contract, bonus=part), _needed(reason))


def say_payment(diary: OpenDiary, contract: ContractId, part: PaymentInClear, reference: str = "") -> None:
    """Say of a payment what this party has to say of it, within the caller's transaction (R63).

    Raises:
        RefusedSayingError: It was said before, pays no invoice, or is not for this party to say.
    """
    _say(diary, envelope.draw_header(diary, "payment", contract, payment=part), checked_text(reference))


def redact(diary: OpenDiary, places: Iterable[Place], reason: str = "") -> int:
    """Sign that the content of frozen segments be destroyed; it is once both parties have (R54).

    Returns of how many of them both have signed now.

    Raises:
        RefusedSayingError: A week of them is not frozen: there its freelancer deletes.
    """
    chosen = list(dict.fromkeys(places))
    _say_of_slots(diary, chosen, "redaction", _redaction_part, reason)
    with diary.reading():
        agreed = {
            (contract, slot)
            for contract in {contract for contract, _ in chosen}
            for slot, one in parties.redactions(diary, contract).items()
            if one.is_agreed
        }
    return sum(place in agreed for place in chosen)


_Act = Literal["raised", "withdrawn", "replied", "conceded"]
_Parts = Callable[[tuple[Slot, ...]], HeaderParts]


def _acceptance_part(slots: tuple[Slot, ...]) -> HeaderParts:
    return {"acceptance": AcceptanceInClear(slots=slots)}


def _redaction_part(slots: tuple[Slot, ...]) -> HeaderParts:
    return {"redaction": RedactionInClear(slots=slots)}


def _dispute_part(act: _Act) -> _Parts:
    return lambda slots: {"dispute": DisputeInClear(act=act, slots=slots)}


def _say_of_slots(
    diary: OpenDiary, places: Iterable[Place], kind: VersionType, parts_of: _Parts, reason: str
) -> int:
    """Write a row for each contract of the places, and one for each thousand slots of it."""
    with diary.writing():
        return _say_slots_within(diary, places, kind, parts_of, reason)


def _say_slots_within(
    diary: OpenDiary, places: Iterable[Place], kind: VersionType, parts_of: _Parts, reason: str
) -> int:
    by_contract: dict[ContractId, list[Slot]] = defaultdict(list)
    for contract, slot in sorted(set(places)):
        by_contract[contract].append(slot)
    for contract, slots in by_contract.items():
        for first in range(0, len(slots), SLOTS_NAMED_MAX):
            named = tuple(slots[first : first + SLOTS_NAMED_MAX])
            header = envelope.draw_header(diary, kind, contract, **parts_of(named))
            _say(diary, header, checked_text(reason))
    return sum(map(len, by_contract.values()))


def _say(diary: OpenDiary, header: Header, reason: str) -> None:
    """Write the row if rules and sides allow it; its words are sealed where there are any.

    Raises:
        UnknownContractError: There is no such contract.
        RefusedSayingError: They do not.
    """
    history = contracts.by_id(diary, header.contract).history
    parties.require_side(diary, header, history)
    at_ms = diary.now_ms()
    is_of_review = header.dispute is not None or header.bonus is not None
    reviews = reviews_of(_billed(diary)) if is_of_review else {}
    said = Said(
        acts=parties.held_acts(diary, header.contract),
        held_at=lambda slot: [
            held_of(stored) for stored in versions.at_place(diary.connection, header.contract, slot)
        ],
        history=history,
        at_ms=at_ms,
        slack_ms=diary.slack_ms(),
        review_ms=reviews[max(reviews)] if reviews else REVIEW_MILLIS,
        reviews=reviews,
    )
    refused = refused_act(header, said)
    if refused is not None:
        raise RefusedSayingError(refused)
    if reason:
        envelope.write(diary, header, ReasonContent(contract=header.contract, reason=reason), at_ms=at_ms)
    else:
        envelope.write_bare(diary, header, at_ms=at_ms)


def _billed(diary: OpenDiary) -> Iterator[Invoice | InvoicePart]:
    """Yield the invoices here: they say how long the server lets weeks be in review (R62)."""
    return (kept.invoice for kept in invoices.everything(diary.connection))


def _requests(diary: OpenDiary, contract: ContractId) -> tuple[Request, ...]:
    return requests(parties.held_acts(diary, contract))


def _needed(reason: str) -> str:
    said = checked_text(reason)
    if not said:
        raise NoReasonError
    return said
