"""The one question that an absence leaves open, kept sealed until it is answered (R18, R19).

The tracker asks it and does what the answer says; command line, pages and the notification answer it, each
perhaps a process of its own. So it outlives a crash of any of them.
"""

from typing import Literal

import msgspec

from diary.errors import NothingError, RefusedError, UsageError
from diary.rules.counted import counted
from diary.rules.ids import ContractId, Millis
from diary.rules.sealed_content import StampedText
from diary.state import OpenDiary
from diary.tracking import checked_text, new_stamp

IDLE_QUESTION = "idle question"

IdleAnswer = Literal["keep", "drop", "move"]


class NothingAskedError(NothingError):
    """No absence waits for an answer."""

    says = "Nothing is asked about time away."
    mend = ""


class NoContractToMoveToError(UsageError):
    """A move names where to."""

    says = "To which contract the time away is to go is not said."
    mend = "diary idle move CONTRACT"


class IdleQuestion(msgspec.Struct, frozen=True, kw_only=True):
    """From the last activity until tracking paused: minutes that are recorded though nobody was there.

    `contract` was tracked then. `answer` is None until there is one; `move_to`, `memo` and `label` belong to
    "move". `handle` is by which the desktop knows the notification that asks.
    """

    contract: ContractId
    since_ms: Millis
    until_ms: Millis
    minutes: int
    answer: IdleAnswer | None = None
    move_to: ContractId | None = None
    memo: StampedText | None = None
    label: StampedText | None = None
    handle: str = ""

    @property
    def says(self) -> str:
        """Return how long nobody was there, for people; when is shown beside it."""
        return f"{counted(self.minutes, 'minute')} without you"


def ask(
    diary: OpenDiary, contract: ContractId, *, since_ms: Millis, until_ms: Millis, minutes: int
) -> IdleQuestion:
    """Ask what becomes of an absence, in place of any older question (R18)."""
    question = IdleQuestion(contract=contract, since_ms=since_ms, until_ms=until_ms, minutes=minutes)
    with diary.writing():
        diary.keep(IDLE_QUESTION, msgspec.to_builtins(question))
    return question


def question(diary: OpenDiary) -> IdleQuestion | None:
    """Return the question as it stands, answered or not; None where nothing is asked."""
    with diary.reading():
        return _kept(diary)


def open_question(diary: OpenDiary) -> IdleQuestion | None:
    """Return the question while it has no answer."""
    asked = question(diary)
    return None if asked is None or asked.answer is not None else asked


def answer(
    diary: OpenDiary,
    word: IdleAnswer,
    *,
    move_to: ContractId | None = None,
    memo: str | None = None,
    label: str | None = None,
    until_ms: Millis | None = None,
) -> IdleQuestion:
    """Answer the open question; the tracker does what it says (R18). A later answer replaces it until then.

    `until_ms` names the question that was seen, where it may be another one by now.

    Raises:
        NothingAskedError: Nothing is asked, or no longer this.
        NoContractToMoveToError: A move that names no contract.
        UnknownContractError: There is none of this id.
        UnknownLabelError: The contract has no such label.
        RefusedError: The contract is paused or closed (R9).
    """
    with diary.writing():
        asked = _kept(diary)
        if asked is None or until_ms not in {None, asked.until_ms}:
            raise NothingAskedError
        found = asked
        if word == "move":
            found = _moving(diary, asked, move_to, memo, label)
        answered = msgspec.structs.replace(found, answer=word)
        diary.keep(IDLE_QUESTION, msgspec.to_builtins(answered))
    return answered


def _moving(
    diary: OpenDiary, asked: IdleQuestion, move_to: ContractId | None, memo: str | None, label: str | None
) -> IdleQuestion:
    if move_to is None:
        raise NoContractToMoveToError
    from diary import (
        contracts,  # here: the state in one look, which asks for the question, needs none of them
    )

    contract = contracts.by_id(diary, move_to)
    if not contract.is_active:
        raise RefusedError(reason=f"contract_{contract.terms.state}", because="no time is added to it now")
    contracts.check_label(contract, label)
    memo_said, label_said = (
        None if text is None else StampedText(checked_text(text), new_stamp(diary, ()))
        for text in (memo, label)
    )
    return msgspec.structs.replace(asked, move_to=move_to, memo=memo_said, label=label_said)


def note_handle(diary: OpenDiary, handle: str) -> None:
    """Note the notification that asks, so that a later run puts its own in that one's place."""
    with diary.writing():
        asked = _kept(diary)
        if asked is not None:
            diary.keep(IDLE_QUESTION, msgspec.to_builtins(msgspec.structs.replace(asked, handle=handle)))


def settle(diary: OpenDiary) -> None:
    """Ask no more: everything has become what the answer says."""
    with diary.writing():
        if diary.kept(IDLE_QUESTION) is not None:
            diary.keep(IDLE_QUESTION, None)


def _kept(diary: OpenDiary) -> IdleQuestion | None:
    found = diary.kept(IDLE_QUESTION)
    return None if found is None else msgspec.convert(found, IdleQuestion)
