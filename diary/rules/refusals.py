"""What each refusal means to its freelancer, and what can still be done (R37d, R39). Pure words.

One table for the command, the pages and the sync: the keys are the words of CLI.md, all of them. A few
answers depend on what was refused, since a deletion that fails is another matter than an edit that does.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from diary.rules.change import RefusalReason

What = Literal["capture", "entry", "manual", "deletion", "terms", "message", "other"]

_KEPT = "What you typed is kept in this list."
_ASK_CLIENT = "Ask your client to change the contract's terms; it can be done again from then on."
_TRY_AGAIN = "Nothing needs to be done: it is tried again by itself."
_STANDS = "It stands as before, with its time and its pictures, and your client sees it."


@dataclass(frozen=True, slots=True)
class RefusalWords:
    """A refusal in words: a title, what happened, and what can still be done.

    `mend_of` holds other words where those of `mend` do not fit what was refused.
    """

    title: str
    happened: str
    mend: str
    mend_of: Mapping[What, str] = field(default_factory=dict)

    def mends(self, what: What) -> str:
        """Return what can still be done about a refused change of this kind."""
        if what in self.mend_of:
            return self.mend_of[what]
        return f"{_STANDS} Sync, and remove it once more." if what == "deletion" else self.mend


REFUSED: Mapping["RefusalReason", RefusalWords] = {
    "week_locked": RefusalWords(
        "The week is frozen",
        "A week can be changed until the Monday after it, 12:00 UTC; this reached the server later.",
        f"The segment keeps what it said at the lock. {_KEPT}",
        {
            "capture": "The week holds time in this slot already, and that one counts. What this device "
            "recorded stays here until you remove it.",
            "manual": "Where the server had the segment it stands as it was; else it is not added. "
            f"{_KEPT} Time that is missing now is to be settled with your client.",
            "deletion": f"{_STANDS} It cannot be deleted any more; tell your client if it should not count.",
        },
    ),
    "slot_deleted": RefusalWords(
        "The segment was deleted",
        "The segment was deleted before this arrived, and deleting destroys what was recorded.",
        "If the time is missing, add it as manual time where the contract allows it, until the week locks.",
    ),
    "capture_exists": RefusalWords(
        "Already recorded",
        "This device has recorded these ten minutes before, and the first recording counts.",
        "Nothing is missing: the first recording stands.",
    ),
    "version_reused": RefusalWords(
        "A number was used twice",
        "Two different changes came under one number: this diary is probably a copy of another.",
        "Sync once more: the copy then goes on as a device of its own, and the change can be made again.",
    ),
    "contract_paused": RefusalWords(
        "The contract is paused",
        "A paused contract takes no new time and no edits.",
        "Once it is active again the change can be made again, until the week locks.",
    ),
    "contract_closed": RefusalWords(
        "The contract is closed",
        "A closed contract takes no new time and no edits.",
        f"It stays readable. {_KEPT} If it should count all the same, settle it with your client.",
    ),
    "manual_not_allowed": RefusalWords(
        "Manual time is not allowed", "The contract allows only tracked time.", _ASK_CLIENT
    ),
    "label_required": RefusalWords(
        "A label is needed", "The contract asks for a label.", "Choose one and save again."
    ),
    "slot_in_future": RefusalWords(
        "Not begun yet",
        "Time can be added once it has begun.",
        "Choose an earlier time. Or wait until it has begun.",
    ),
    "clock_ahead": RefusalWords(
        "This clock is ahead", "The server's clock is behind this computer's.", _TRY_AGAIN
    ),
    "clock_unsure": RefusalWords(
        "The server's clock is unsure", "The server takes nothing until it is sure of its clock.", _TRY_AGAIN
    ),
    "quota": RefusalWords(
        "The account is full",
        "Its pictures need more room than the server gives; the rows were taken.",
        "The pictures wait here. Ask who runs the server for more room.",
    ),
    "too_many_versions": RefusalWords(
        "Changed too often",
        "This segment takes no more changes.",
        f"It can still be deleted until its week locks. {_KEPT}",
    ),
    "too_large": RefusalWords(
        "Too large", "The text is longer than the server takes.", "Shorten it and save again."
    ),
    "too_many_siblings": RefusalWords(
        "Too many at once",
        "Too many devices changed this segment without having seen each other's changes.",
        "Sync, look at what stands now, and make the change again.",
    ),
    "too_many_lives": RefusalWords(
        "Deleted and added too often",
        "This slot takes no more time.",
        "Add the time in another slot if it is missing.",
    ),
    "bad_header": RefusalWords(
        "Not understood",
        "The server could make no sense of this change, or it left out what this device knew before.",
        f"Sync and make the change again; if that fails too, update this program. {_KEPT}",
    ),
    "bad_signature": RefusalWords(
        "The signature does not hold",
        "The server could not establish that this device wrote it.",
        f"Sync and make the change again. {_KEPT}",
    ),
    "device_revoked": RefusalWords(
        "This device was revoked",
        "It may write no more.",
        "What is here can still be read. Enrol a device with your recovery phrase: diary login.",
        {"deletion": f"{_STANDS} Remove it on another device of yours, until its week locks."},
    ),
    "unknown_contract": RefusalWords(
        "Unknown contract",
        "The server does not know this contract.",
        "Sync, so that its terms arrive there, and make the change again.",
    ),
    "not_yours": RefusalWords(
        "Not yours",
        "Only the freelancer writes here, and the terms are the client's once they have joined.",
        "Ask them to make the change.",
    ),
    "unknown_request": RefusalWords(
        "No such request",
        "The request was taken back before it was answered, or the server does not have it.",
        "Sync and look at what is asked for now.",
    ),
    "not_late": RefusalWords(
        "Not late",
        "Only time that came after its week's lock is accepted apart; all else counts by itself.",
        "Sync and look at what is late now.",
    ),
    "not_in_review": RefusalWords(
        "Not in review",
        "A week is disputed from the Monday after it, 12:00 UTC, to Friday 23:59 UTC.",
        "Settle it with the other party.",
    ),
    "week_open": RefusalWords(
        "The week is open",
        "What is not frozen yet is deleted by its freelancer, not redacted by both.",
        "Have the freelancer delete it until the lock; or redact it afterwards.",
    ),
    "payer_fixed": RefusalWords(
        "The payer is fixed",
        "Which contracts go on one bill is said by the first terms of each.",
        "Make a new contract if another client is to pay.",
    ),
    "wrong_currency": RefusalWords(
        "Another currency",
        "The amount is in another currency than the contract's in that week, or than the invoice's.",
        "Say it again in the contract's currency.",
    ),
    "unknown_invoice": RefusalWords(
        "No such invoice",
        "The server knows no invoice of this number with a line of this contract.",
        "Sync and look at the invoices.",
    ),
    "payment_known": RefusalWords(
        "Already recorded",
        "A payment counts once, and this one was recorded before.",
        "Nothing is missing: the first record stands.",
    ),
    "unknown_payment": RefusalWords(
        "No such payment",
        "The payment was taken back, or confirmed already, or the server does not have it.",
        "Sync and look at the payments.",
    ),
    "not_disputed": RefusalWords(
        "Not disputed",
        "Only what the client disputes now can be conceded.",
        "Sync and look at what is disputed.",
    ),
}


def words_of(reason: str) -> RefusalWords:
    """Return the words for a refusal; a newer server's own word where this table has none."""
    for known, words in REFUSED.items():
        if known == reason:
            return words
    return RefusalWords(
        reason.replace("_", " ").capitalize(),
        "The server has a reason that this program does not know yet.",
        "Update this program; the change is kept in this list.",
    )
