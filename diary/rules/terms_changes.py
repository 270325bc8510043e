"""What each version of a contract's terms changed, in words, and from when that holds (R8). Pure."""

from collections.abc import Iterator
from dataclasses import dataclass

from diary.rules.contract import TermsHistory, TermsVersion
from diary.rules.ids import Millis
from diary.rules.money import money
from diary.rules.segment import TermsInClear
from diary.rules.week import Week


@dataclass(frozen=True, slots=True)
class Change:
    """One point that a version changed: what it says now, and the instant from which it holds."""

    says: str
    from_ms: Millis


def changes(history: TermsHistory) -> tuple[tuple[TermsVersion, tuple[Change, ...]], ...]:
    """Return every version with what it changed in clear, the newest first; the first one changes nothing.

    What only key holders see (title, client, labels) is not among it. A lowering and a withdrawal hold from
    the next Monday, and so does a rate; all else holds from receipt.
    """
    pairs = zip(history.versions, history.versions[1:], strict=False)
    found = [(new, tuple(_changed(old.terms, new.terms, new.received_at_ms))) for old, new in pairs]
    return (*reversed(found), (history.versions[0], ()))


def limit_words(minutes: int | None) -> str:
    """Return a weekly limit in words."""
    return "no weekly limit" if minutes is None else f"{minutes // 60}:{minutes % 60:02} h a week"


def _changed(old: TermsInClear, new: TermsInClear, at_ms: Millis) -> Iterator[Change]:
    monday_ms = Week.at(at_ms).ends_at_ms
    if new.state != old.state:
        yield Change({"active": "active again", "paused": "paused", "closed": "closed"}[new.state], at_ms)
    if new.limit_minutes != old.limit_minutes:
        is_raise = new.limit_minutes is None or (old.limit_minutes or 0) < new.limit_minutes
        is_raise = is_raise and old.limit_minutes is not None
        yield Change(limit_words(new.limit_minutes), at_ms if is_raise else monday_ms)
    if (new.rate_minor, new.currency) != (old.rate_minor, old.currency):
        yield Change(f"{money(new.rate_minor, new.currency)} {new.currency} an hour", monday_ms)
    for allowed, was_allowed, name in (
        (new.manual_allowed, old.manual_allowed, "manual time"),
        (new.masking_allowed, old.masking_allowed, "masking"),
    ):
        if allowed != was_allowed:
            yield Change(f"{name} {'allowed' if allowed else 'not allowed'}", at_ms if allowed else monday_ms)
    for week in sorted(set(new.manual_weeks) - set(old.manual_weeks)):
        yield Change(f"manual time allowed for {week}", at_ms)
    if new.label_required != old.label_required:
        yield Change(f"a label is {'required' if new.label_required else 'optional'}", at_ms)
    if new.kind != old.kind:
        yield Change({"hourly": "hourly", "fixed_price": "fixed price"}[new.kind], monday_ms)
