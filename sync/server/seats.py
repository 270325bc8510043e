"""A client's seat at the server: how it joins, and what it is told of other contracts (R28, R51).

A seat reads one contract's log and writes into it what a client may. Of the account's other contracts it
learns nothing, save in which slots of its own the time does not bill because another contract has it.
"""

import hmac
from collections import defaultdict

from diary.evidence.receipt import Receipt
from diary.rules.contract import TermsHistory
from diary.rules.ids import AccountId, ContractId, Millis, Slot
from diary.rules.invoice import LIFE, Life
from diary.rules.merge import standing
from diary.rules.verdict import Fact, fact_of, verdicts
from diary.rules.week import Week
from sync.protocol import Join, PushAnswer
from sync.server.accounts import token_hash_of
from sync.server.clock_watch import ClockWatch
from sync.server.faults import (
    ForgedError,
    InvitationExpiredError,
    InvitationUnknownError,
    InvitationUsedError,
    NotYoursError,
    UnreadableHeaderError,
)
from sync.server.intake import authentic, enter, listed, read_push
from sync.server.log import ServerKey
from sync.server.storage import Storage
from sync.server.week_books import Rivals

_FAULTS = {
    "invitation_expired": InvitationExpiredError,
    "invitation_used": InvitationUsedError,
    "not_yours": NotYoursError,
    "version_reused": NotYoursError,
}


def join(
    storage: Storage, key: ServerKey, watch: ClockWatch, message: Join, *, life: Life = LIFE
) -> PushAnswer:
    """Let a seat join by an invitation of its contract, and admit it (R51). Sent twice, it is answered alike.

    Raises:
        FaultError: No joining, not signed as it must be, or no invitation allows it; nothing was stored.
    """
    first = message.push.versions[0] if len(message.push.versions) == 1 else None
    given = read_push(message.push, joins=True)
    header = given.versions[0].header if first is not None else None
    if header is None or header.type != "joining" or header.seat is None:
        raise UnreadableHeaderError(what="Joining is a push of one joining and nothing else.")
    if (header.account, header.replica) != (message.push.account, message.push.replica):
        raise NotYoursError
    token_hash = token_hash_of(message.token_hash)
    with storage.hold(message.push.account) as hold:
        basis = hold.basis(given.question)
        devices = listed(basis.device_list)
        if devices is None or header.contract not in basis.logs:
            raise InvitationUnknownError
        authentic(given, devices, joins=header)
        entered = enter(hold, given, basis, watch, key, life=life)
        answer = entered.answers[0]
        if not isinstance(answer, Receipt):
            if answer.reason == "bad_signature":
                raise ForgedError(what=answer.because)
            raise _FAULTS.get(answer.reason, InvitationUnknownError)
        if not hmac.compare_digest(hold.admit(header.replica, token_hash, header.contract), token_hash):
            raise NotYoursError
    return entered.answer(key)


def first_told(now_ms: Millis, asked_from: Slot | None) -> Slot:
    """Return from which slot on a seat is told what overlaps: all that can still change, unless it asks."""
    before = Week.at(now_ms).previous()
    is_open = not before.is_frozen(now_ms)
    return asked_from if asked_from is not None else (before if is_open else Week.at(now_ms)).first_slot


def overlapping(storage: Storage, account: AccountId, contract: ContractId, slots: range) -> list[Slot]:
    """Return those of the slots that the contract has something in and another one the time (R28)."""
    rivals = storage.rivals(account, contract, slots)
    return sorted(slot for slot, of in _overlaps(rivals) if of == contract)


def _overlaps(rivals: Rivals) -> set[tuple[Slot, ContractId]]:
    histories = {contract: TermsHistory(terms) for contract, terms in rivals.terms.items()}
    weeks: dict[Week, list[Fact]] = defaultdict(list)
    for (contract, slot), held in rivals.standing.items():
        if held and contract in histories:
            weeks[Week.of(slot)].append(fact_of(contract, slot, standing(held)))
    return {
        (slot, contract)
        for week, facts in weeks.items()
        for (contract, slot), verdict in verdicts(week, facts, histories).items()
        if verdict.why_not == "overlapping"
    }
