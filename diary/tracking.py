"""What the freelancer asked of the tracker: contract, memo and label, on or off (R11, R23, R36).

It is kept sealed, so that tracker, command line and pages, each a process, read and set the same wish.
"""

from dataclasses import dataclass

import msgspec

from diary.errors import NothingError, RefusedError, UsageError
from diary.rules.ids import ContractId, Millis
from diary.rules.sealed_content import StampedText
from diary.rules.segment import Stamp
from diary.state import OpenDiary

TEXT_CHARACTERS_MAX = 10_000  # a memo; a version stays far under what a push may hold
TRACKING = "tracking"


class NotTrackingError(NothingError):
    """There is nothing to which a memo or label could belong."""

    says = "Nothing is being tracked."
    mend = "Start with `diary start CONTRACT`."


class TooLongTextError(UsageError):
    """A memo or label has a bound."""

    says = "A memo or label has at most {most} characters; this one has {found}."
    mend = "Shorten it."


class UnreadableTextError(UsageError):
    """A memo or label holds bytes of which no program could make text again."""

    says = "A memo or label is text; this one holds bytes that are none."
    mend = "Write it in UTF-8."


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """What the freelancer asked of the tracker, as it is kept sealed."""

    contract: ContractId | None = None
    last_contract: ContractId | None = None
    memo: StampedText | None = None
    label: StampedText | None = None
    since_ms: Millis = Millis(0)
    paused_until_ms: Millis | None = None


@dataclass(frozen=True, slots=True)
class Tracking:
    """What the tracker is to do now (R11).

    `contract` is None when tracking is off; `on` is False then and during a pause. `last_contract`, `memo`
    and `label` are what `continue` takes up again.
    """

    on: bool
    contract: ContractId | None
    memo: StampedText | None
    label: StampedText | None
    since_ms: Millis
    paused_until_ms: Millis | None = None
    last_contract: ContractId | None = None


def tracking(diary: OpenDiary) -> Tracking:
    """Return what the tracker is to do now (R11)."""
    with diary.reading():
        wish = _wish(diary)
        now_ms = diary.now_ms()
    is_paused = wish.paused_until_ms is not None and now_ms < wish.paused_until_ms
    return Tracking(
        on=wish.contract is not None and not is_paused,
        contract=wish.contract,
        memo=wish.memo,
        label=wish.label,
        since_ms=wish.since_ms,
        paused_until_ms=wish.paused_until_ms if is_paused else None,
        last_contract=wish.last_contract,
    )


def start(diary: OpenDiary, contract: ContractId, memo: str | None = None, label: str | None = None) -> None:
    """Switch tracking on for a contract; a memo or label of None leaves it unset (R11).

    Raises:
        UnknownContractError: There is none of this id.
        UnknownLabelError: The contract has no such label.
        RefusedError: The contract is paused or closed.
    """
    from diary import contracts

    with diary.writing():
        found = contracts.by_id(diary, contract)
        contracts.check_label(found, label)
        if not found.is_active:
            raise RefusedError(reason=f"contract_{found.terms.state}", because="no time is tracked on it now")
        now_ms = diary.now_ms()
        old = _wish(diary)
        wish = Wish(
            contract=contract,
            last_contract=contract,
            memo=_typed(diary, memo, old.memo),
            label=_typed(diary, label, old.label),
            since_ms=now_ms,
        )
        diary.keep(TRACKING, msgspec.to_builtins(wish))


def stop(diary: OpenDiary) -> None:
    """Switch tracking off; what was tracked last is remembered (R11)."""
    with diary.writing():
        wish = msgspec.structs.replace(_wish(diary), contract=None, paused_until_ms=None)
        diary.keep(TRACKING, msgspec.to_builtins(wish))


def set_memo(diary: OpenDiary, text: str) -> None:
    """Set the memo of the slots whose snapshot is still to come (R36).

    Raises:
        NotTrackingError: Tracking is off.
    """
    with diary.writing():
        wish = _wish_that_is_on(diary)
        memo = _typed(diary, text, wish.memo)
        diary.keep(TRACKING, msgspec.to_builtins(msgspec.structs.replace(wish, memo=memo)))


def set_label(diary: OpenDiary, text: str) -> None:
    """Set the label of the slots whose snapshot is still to come (R36).

    Raises:
        NotTrackingError: Tracking is off.
        UnknownLabelError: The contract has no such label.
    """
    from diary import contracts

    with diary.writing():
        wish = _wish_that_is_on(diary)
        assert wish.contract is not None, "a wish that is on names its contract"
        contracts.check_label(contracts.by_id(diary, wish.contract), text)
        label = _typed(diary, text, wish.label)
        diary.keep(TRACKING, msgspec.to_builtins(msgspec.structs.replace(wish, label=label)))


def pause_until(diary: OpenDiary, at_ms: Millis) -> None:
    """Let the tracker rest until an instant (R23).

    Raises:
        NotTrackingError: Tracking is off.
    """
    with diary.writing():
        wish = msgspec.structs.replace(_wish_that_is_on(diary), paused_until_ms=at_ms)
        diary.keep(TRACKING, msgspec.to_builtins(wish))


def _wish(diary: OpenDiary) -> Wish:
    found = diary.kept(TRACKING)
    return Wish() if found is None else msgspec.convert(found, Wish)


def _wish_that_is_on(diary: OpenDiary) -> Wish:
    wish = _wish(diary)
    if wish.contract is None:
        raise NotTrackingError
    return wish


def _typed(diary: OpenDiary, text: str | None, last: StampedText | None) -> StampedText | None:
    """Return a text with the stamp of its typing (R36); None for one that is not said."""
    if text is None:
        return None
    seen = () if last is None else (last.stamp,)
    return StampedText(checked_text(text), new_stamp(diary, seen))


def checked_text(text: str) -> str:
    """Return a memo or label without blanks at its ends.

    Raises:
        TooLongTextError: It is too long.
        UnreadableTextError: It came from bytes that are no UTF-8, as a shell may hand them on.
    """
    stripped = text.strip()
    try:
        stripped.encode()
    except UnicodeEncodeError as error:
        raise UnreadableTextError from error
    if len(stripped) > TEXT_CHARACTERS_MAX:
        raise TooLongTextError(most=TEXT_CHARACTERS_MAX, found=len(stripped))
    return stripped


def new_stamp(diary: OpenDiary, seen: tuple[Stamp, ...] | list[Stamp]) -> Stamp:
    """Return max(corrected clock, 1 + greatest stamp seen in this entry) with this replica's id (R36)."""
    greatest = max((stamp[0] for stamp in seen), default=-1)
    return max(int(diary.now_ms()), greatest + 1), diary.replica
