"""Lists as JSON: refusals, what waits, contracts, messages, members; commands and pages give the same."""

from typing import TYPE_CHECKING

from diary.rules.json_form import iso, totals_json
from diary.rules.terms_changes import changes
from diary.rules.week import starts_at_ms

if TYPE_CHECKING:
    from collections.abc import Mapping

    from diary.agency import MemberView
    from diary.agency_copies import CopyView
    from diary.asking import Asked
    from diary.contracts import Contract
    from diary.conversations import ConversationView, MessageView
    from diary.diary import Diary
    from diary.refused import RefusalView
    from diary.rules.ids import ContractId


def refusal_json(one: "RefusalView") -> dict[str, object]:
    """Return one refused change (R37d)."""
    return {
        "contract": one.contract,
        "slot": one.slot,
        "reason": one.reason,
        "what": one.what,
        "memo": one.memo,
        "refused_at": iso(one.refused_at_ms),
        "number": one.number,
        "because": one.because,
        "happened": one.words.happened,
        "mend": one.mend,
        "dismissed": one.dismissed_at_ms is not None,
    }


def asked_json(one: "Asked") -> dict[str, object]:
    """Return one segment that waits for its freelancer's answer (R20, R38)."""
    return {
        "contract": one.contract,
        "slot": one.slot,
        "start": iso(starts_at_ms(one.slot)),
        "why": one.why,
        "true_start": None if one.true is None else iso(starts_at_ms(one.true)),
        "memo": one.memo,
    }


def contract_json(found: "Contract") -> dict[str, object]:
    """Return a contract and the terms that hold now (R7)."""
    return {
        "id": found.id,
        "title": found.title,
        "client": found.client,
        "labels": list(found.labels),
        "kind": found.terms.kind,
        "state": found.terms.state,
        "rate_minor": found.terms.rate_minor,
        "currency": found.terms.currency,
        "limit_minutes": found.terms.limit_minutes,
        "manual_allowed": found.terms.manual_allowed,
        "masking_allowed": found.terms.masking_allowed,
        "label_required": found.terms.label_required,
        "manual_weeks": list(found.terms.manual_weeks),
        "terms": [{"received_at": iso(one.received_at_ms)} for one in found.history.versions],
    }


def contract_in_full_json(diary: "Diary", found: "Contract") -> dict[str, object]:
    """Return a contract with who reads along and what the parties set and said (R8, R10, R62)."""
    joined = [
        {"seat": seat.replica, "role": seat.role, "joined_at": iso(seat.joined_at_ms), "ended": seat.ended}
        for seat in diary.joined(found.id)
    ]
    return contract_json(found) | {"joined": joined} | _said_json(diary, found)


def _said_json(diary: "Diary", found: "Contract") -> dict[str, object]:
    """Return terms, requests and disputes; `from` is the instant from which a change of terms holds."""
    seats = diary.seats(found.id)
    return {
        "terms": [
            {
                "received_at": iso(version.received_at_ms),
                "by": "client" if version.name[0] in seats else "freelancer",
                "changes": [{"says": one.says, "from": iso(one.from_ms)} for one in changed],
            }
            for version, changed in reversed(changes(found.history))
        ],
        "requests": [
            {
                "week": asked.week,
                "state": asked.state,
                "reason": asked.reason,
                "asked_at": iso(asked.asked_at_ms),
                "synced": asked.synced,
                "answered_at": None if asked.answered_at_ms is None else iso(asked.answered_at_ms),
                "answer": asked.answer_reason,
            }
            for asked in diary.requests(found.id)
        ],
        "disputes": [
            {
                "slots": list(raised.slots),
                "open_slots": list(raised.open_slots),
                "reason": raised.reason,
                "raised_at": iso(raised.raised_at_ms),
                "replies": [{"at": iso(at_ms), "says": words} for at_ms, words in raised.replies],
            }
            for raised in diary.disputes(found.id)
        ],
    }


def conversations_json(diary: "Diary") -> list[dict[str, object]]:
    """Return the contracts on which something was written, and how much of it is unread (R68)."""
    views = [(one, diary.conversation(one.id)) for one in diary.contracts()]
    return [
        {"contract": one.title, "id": one.id, "messages": len(view.messages), "unread": view.unread}
        for one, view in views
        if view.messages
    ]


def conversation_json(found: "ConversationView") -> dict[str, object]:
    """Return all messages of a contract (R68)."""
    return {
        "contract": found.title,
        "id": found.contract,
        "unread": found.unread,
        "call": found.call or None,
        "messages": [_message_json(one) for one in found.messages],
    }


def _message_json(one: "MessageView") -> dict[str, object]:
    return {
        "by": one.by,
        "ours": one.ours,
        "at": iso(one.at_ms),
        "kind": one.kind,
        "text": one.text,
        "state": one.state,
        "fault": one.fault or None,
        "files": [
            {"name": file.name, "media_type": file.media_type, "size": file.size, "here": file.is_here}
            for file in one.files
        ],
    }


def member_json(one: "MemberView", shown: "Mapping[ContractId, CopyView]") -> dict[str, object]:
    """Return a member's contract on an agency's bill, and what its copy shows of a week (R61)."""
    copy = shown.get(one.contract)
    totals = copy.totals if copy is not None else None
    return {
        "member": one.name,
        "account": one.member,
        "contract": one.contract,
        "title": copy.contract.title if copy is not None else None,
        "client": one.client,
        "sent": one.sent,
        "totals": totals_json(totals) if totals is not None else None,
    }
