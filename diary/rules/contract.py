"""Terms, and from when each of them holds (R7, R8).

Terms are versions in a contract's log. What a version says about the state holds from its receipt; what it
takes from the freelancer (a lower limit, a permission withdrawn) holds from the next Monday only; the rate
is that of the week's start. Nothing here asks what time it is.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import takewhile

import msgspec

from diary.rules.ids import MINUTES_PER_SLOT, Millis, ReplicaId
from diary.rules.segment import ContractState, Header, TermsInClear
from diary.rules.week import Week


@dataclass(frozen=True, slots=True)
class TermsVersion:
    """One version of a contract's terms and when it was received; `name` is its (replica, n) (R8).

    On a device that has not sent it yet, `received_at_ms` is the instant at which it was written. One that is
    `state_only` changed nothing but the state: all else of its terms is what the version before it says.
    """

    terms: TermsInClear
    received_at_ms: Millis
    name: tuple[ReplicaId, int]
    state_only: bool = False


@dataclass(frozen=True, slots=True)
class TermsHistory:
    """A contract's terms, at least one version, kept in the order of receipt (R8).

    They may be given in any order; those received in one instant stay in the order given, which is the
    log's. The first version holds for all time before its receipt too: an account that began without a
    server brings slots that are older than its terms (R50).

    Raises:
        ValueError: There is no version.
    """

    versions: tuple[TermsVersion, ...]

    def __post_init__(self) -> None:
        """Refuse a history that says nothing, and put the versions in order."""
        if not self.versions:
            raise ValueError("a contract has at least one version of its terms")
        in_order = _carried_on(sorted(self.versions, key=lambda version: version.received_at_ms))
        object.__setattr__(self, "versions", in_order)  # the one moment at which a frozen value is still made

    def followed_by(self, header: Header, received_at_ms: Millis) -> "TermsHistory":
        """Return the history with one more terms row of the log."""
        terms = header.terms or msgspec.structs.replace(
            self.at(received_at_ms), state=header.state or self.newest.state
        )
        version = TermsVersion(terms, received_at_ms, header.name, state_only=header.terms is None)
        return TermsHistory((*self.versions, version))

    @property
    def first(self) -> TermsInClear:
        """Return the terms with which the contract began."""
        return self.versions[0].terms

    @property
    def newest(self) -> TermsInClear:
        """Return the terms that were received last."""
        return self.versions[-1].terms

    def at(self, at_ms: int) -> TermsInClear:
        """Return the newest terms received until the instant, whether or not all of it holds yet (R8)."""
        received = [version.terms for version in self.versions if version.received_at_ms <= at_ms]
        return received[-1] if received else self.versions[0].terms

    def state_at(self, at_ms: int) -> ContractState:
        """Return the contract's state, which changes at once (R9)."""
        return self.at(at_ms).state

    def inactive_since_ms(self, at_ms: int) -> Millis | None:
        """Return the instant from which the contract has not been active; None when it is active (R9)."""
        known = [version for version in self.versions if version.received_at_ms <= at_ms] or self.versions[:1]
        inactive = list(takewhile(lambda version: version.terms.state != "active", reversed(known)))
        return inactive[-1].received_at_ms if inactive else None

    def limit_minutes(self, week: Week) -> int | None:
        """Return the greatest limit in force at any moment of the week; None for no limit (R8)."""
        limits = [terms.limit_minutes for terms in self._in_force(week.starts_at_ms, week.ends_at_ms - 1)]
        known = [limit for limit in limits if limit is not None]
        return max(known) if len(known) == len(limits) else None

    def limit_segments(self, week: Week) -> int | None:
        """Return the week's limit in whole segments, rounded down; None for no limit (R8)."""
        minutes = self.limit_minutes(week)
        return None if minutes is None else minutes // MINUTES_PER_SLOT

    def rate_of(self, week: Week) -> tuple[int, str]:
        """Return the rate in minor units an hour and its currency, as they stood at the week's start (R8).

        In a contract's first week they are those of its first version.
        """
        terms = self.at(week.starts_at_ms)
        return terms.rate_minor, terms.currency

    def manual_allowed_at(self, at_ms: int) -> bool:
        """Return whether manual time of the instant's own week may be added at the instant (R8)."""
        return self.manual_allowed_for(Week.at(at_ms), at_ms)

    def manual_allowed_for(self, week: Week, at_ms: int) -> bool:
        """Return whether manual time of `week` may be added at the instant, in it or after it (R8, R10).

        A permission holds from its receipt. One that was withdrawn holds for the slots of the week in which
        that was received, and so until that week's lock; for the next week's slots it is gone. One for this
        week alone holds as soon as the terms name the week, and as long.
        """
        until_ms = max(at_ms, week.starts_at_ms)
        return any(
            terms.manual_allowed or (terms.manual_weeks and week.name in terms.manual_weeks)
            for terms in self._in_force(week.starts_at_ms, until_ms)
        )

    def masking_allowed_at(self, at_ms: int) -> bool:
        """Return whether a masked picture may be taken at the instant (R8, R22)."""
        return any(terms.masking_allowed for terms in self._in_force(Week.at(at_ms).starts_at_ms, at_ms))

    def _in_force(self, first_ms: int, last_ms: int) -> Iterator[TermsInClear]:
        """Yield the terms that were the newest at some moment from `first_ms` to `last_ms`, both included."""
        yield self.at(first_ms)
        for version in self.versions:
            # Of several received in one instant only the last was ever in force.
            if first_ms < version.received_at_ms <= last_ms:
                yield self.at(version.received_at_ms)


def versions_of(rows: Iterable[tuple[Header, Millis]]) -> tuple[TermsVersion, ...]:
    """Return the versions that a log's terms rows make, in the order of receipt; other rows make none (R8).

    `rows` are headers with their times of receipt, in log order. A change of state that nothing precedes says
    nothing: a contract begins with its terms.
    """
    history: TermsHistory | None = None
    for header, received_at_ms in sorted(rows, key=lambda row: row[1]):
        if header.terms is not None and history is None:
            history = TermsHistory((TermsVersion(header.terms, received_at_ms, header.name),))
        elif history is not None and (header.terms is not None or header.state is not None):
            history = history.followed_by(header, received_at_ms)
    return () if history is None else history.versions


def _carried_on(in_order: Iterable[TermsVersion]) -> tuple[TermsVersion, ...]:
    """Return the versions with what each of them did not change taken from the one before (R8)."""
    found: list[TermsVersion] = []
    for version in in_order:
        if not (version.state_only and found):
            found.append(version)
            continue
        terms = msgspec.structs.replace(found[-1].terms, state=version.terms.state)
        found.append(TermsVersion(terms, version.received_at_ms, version.name, state_only=True))
    return tuple(found)
