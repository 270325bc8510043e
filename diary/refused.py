"""The list of refused changes: what was refused, why, and what its freelancer makes of it (R25, R37d).

Nothing vanishes silently: a refusal stays listed, and a refused deletion is said everywhere, until it is put
away by hand; one that is put away is still here to be read.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from diary import contracts, envelope
from diary.errors import DamageError, NothingError
from diary.rules.ids import ContractId, Millis, Slot
from diary.rules.refusals import RefusalWords, What, words_of
from diary.rules.refused_runs import runs_of
from diary.rules.sealed_content import EntryContent, MessageContent
from diary.rules.segment import parse_header
from diary.state import OpenDiary, mark_destroying
from diary.store import refusals
from diary.store.refusals import KeptRefusal


class NoRefusalError(NothingError):
    """No refusal has this number."""

    says = "No refused change has the number {number}."
    mend = "List them first: diary refused."


@dataclass(frozen=True, slots=True)
class RefusalView:
    """One refused change as it is listed (CLI.md); `slot` is None for what has none, such as terms.

    `number` names it in this diary. `kept`: what was recorded or typed is still here, sealed.
    """

    number: int
    contract: ContractId
    contract_title: str
    slot: Slot | None
    reason: str
    because: str
    what: What
    memo: str
    kept: bool
    refused_at_ms: Millis
    dismissed_at_ms: Millis | None

    @property
    def words(self) -> RefusalWords:
        """Return what the refusal means, in words."""
        return words_of(self.reason)

    @property
    def mend(self) -> str:
        """Return what can still be done."""
        return self.words.mends(self.what)


def told_at_once(listed: Sequence[RefusalView]) -> list[tuple[RefusalView, ...]]:
    """Return refused changes in runs of slots of which the same is to be said (R37d)."""

    def alike(one: RefusalView) -> tuple[object, ...]:
        put_away = one.dismissed_at_ms is not None
        return one.contract, one.what, one.reason, one.because, one.memo, one.kept, put_away

    return runs_of(listed, slot_of=lambda one: one.slot, alike=alike)


def everything(diary: OpenDiary) -> tuple[RefusalView, ...]:
    """Return the refused changes, the newest first, those included that were put away (R37d)."""
    with diary.reading():
        return _views(diary, refusals.everything(diary.connection))


def deletions(diary: OpenDiary) -> tuple[RefusalView, ...]:
    """Return the refused deletions that nobody has put away yet, the oldest first (R37d)."""
    with diary.reading():
        return _views(diary, refusals.deletions(diary.connection))


def dismiss(diary: OpenDiary, numbers: Iterable[int]) -> int:
    """Put refusals away that were looked at; return how many were not yet (R37d).

    Raises:
        NoRefusalError: There is none of one of the numbers; nothing is changed then.
    """
    with diary.writing():
        now_ms = diary.now_ms()
        wanted = _checked(diary, numbers)
        return sum(refusals.dismiss(diary.connection, number, now_ms) for number in wanted)


def forget(diary: OpenDiary, numbers: Iterable[int]) -> int:
    """Destroy what refusals keep, but for place, time and reason; return how many kept anything (R25).

    Raises:
        NoRefusalError: There is none of one of the numbers; nothing is changed then.
    """
    with diary.writing():
        now_ms = diary.now_ms()
        wanted = _checked(diary, numbers)
        kept = {each.id for each in refusals.everything(diary.connection) if each.sealed is not None}
        for number in wanted:
            refusals.forget(diary.connection, number, now_ms)
        if kept & set(wanted):
            mark_destroying(diary)
        return len(kept & set(wanted))


def _checked(diary: OpenDiary, numbers: Iterable[int]) -> list[int]:
    known = {each.id for each in refusals.everything(diary.connection)}
    wanted = list(dict.fromkeys(numbers))
    for number in wanted:
        if number not in known:
            raise NoRefusalError(number=number)
    return wanted


def _views(diary: OpenDiary, kept: Iterable[KeptRefusal]) -> tuple[RefusalView, ...]:
    titles = {contract: found.title for contract, found in contracts.known(diary).items()}
    return tuple(
        RefusalView(
            number=refusal.id,
            contract=refusal.contract,
            contract_title=titles.get(refusal.contract, ""),
            slot=refusal.slot,
            reason=refusal.reason,
            because=refusal.because,
            what=refusal.what,
            memo=_memo_of(diary, refusal),
            kept=refusal.sealed is not None,
            refused_at_ms=refusal.refused_at_ms,
            dismissed_at_ms=refusal.dismissed_at_ms,
        )
        for refusal in kept
    )


def _memo_of(diary: OpenDiary, refusal: KeptRefusal) -> str:
    """Return the memo of a refused entry, the text of a refused message; "" where none is kept."""
    if refusal.sealed is None or refusal.what not in {"entry", "manual", "message"}:
        return ""
    try:
        content = envelope.open_content(diary, parse_header(refusal.sealed.header), refusal.sealed)
    except (DamageError, NothingError):
        return ""
    if isinstance(content, MessageContent):
        return content.text
    return content.memo.text if isinstance(content, EntryContent) and content.memo else ""
