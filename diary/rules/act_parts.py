"""What the parties of a contract say to each other, as it stands in clear (R10, R38, R46, R54, R62).

A request asks for manual time; an acceptance answers it, or accepts late time; a dispute marks slots of a
week in review, and is replied to; a redaction asks that what some slots hold be destroyed. Reasons are
sealed. Pure.
"""

from collections.abc import Sequence
from typing import Literal

import msgspec

from diary.rules.ids import ReplicaId, Slot
from diary.rules.week import SLOTS_PER_WEEK, Week

SLOTS_NAMED_MAX = SLOTS_PER_WEEK  # a whole week in one row: about 8 KiB of header
MANUAL_WEEKS_MAX = 60  # a year of weeks, though only those that are not frozen matter
SLOT_END = 2**28  # the year 7073: every slot has a week that the calendar knows

VersionName = tuple[ReplicaId, int]
"""(replica, n): one version for ever (R33)."""


class RequestInClear(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True
):
    """What a freelancer asks for: manual time, for one week or, where `week` is absent, the contract (R10).

    `withdraws` names the request that this one takes back; it then repeats that one's week.
    """

    kind: Literal["manual_time"]
    week: str | None = None
    withdraws: VersionName | None = None


class AcceptanceInClear(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True
):
    """What a client answers: to a request, or to late time in some slots; never both (R10, R38).

    `allows` says whether the request is allowed. The terms that allow it are a row of their own.
    """

    request: VersionName | None = None
    allows: bool | None = None
    slots: tuple[Slot, ...] | None = None


class DisputeInClear(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a client disputes or no longer disputes, what the freelancer replies or concedes, by slots (R62).

    What is conceded is credited, and disputed no more.
    """

    act: Literal["raised", "withdrawn", "replied", "conceded"]
    slots: tuple[Slot, ...]


class RedactionInClear(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The slots whose content one party wants destroyed; it is when both have said so (R54)."""

    slots: tuple[Slot, ...]


def fault_of_request(part: RequestInClear | None, *, is_sealed: bool) -> str | None:
    """Return what is wrong with a request, None where nothing is."""
    if part is None:
        return "a request carries its own part"
    if part.week is not None and not is_week(part.week):
        return "a week is written like 2026-W47"
    if part.withdraws is None and not is_sealed:
        return "a request is sealed: epoch and commit are needed"
    return None


def fault_of_acceptance(part: AcceptanceInClear | None) -> str | None:
    """Return what is wrong with an acceptance, None where nothing is."""
    if part is None:
        return "an acceptance carries its own part"
    if (part.request is None) != (part.allows is None) or (part.request is None) == (part.slots is None):
        return "an acceptance answers a request or names slots of late time"
    return None if part.slots is None else fault_of_slots(part.slots)


def fault_of_dispute(part: DisputeInClear | None, *, is_sealed: bool) -> str | None:
    """Return what is wrong with a dispute, None where nothing is."""
    if part is None:
        return "a dispute carries its own part"
    if part.act in {"raised", "replied"} and not is_sealed:
        return "a dispute is sealed: epoch and commit are needed"
    return fault_of_slots(part.slots)


def fault_of_redaction(part: RedactionInClear | None) -> str | None:
    """Return what is wrong with a redaction, None where nothing is."""
    return "a redaction carries its own part" if part is None else fault_of_slots(part.slots)


def fault_of_manual_weeks(weeks: Sequence[str]) -> str | None:
    """Return what is wrong with the weeks for which terms allow manual time, None where nothing is (R10)."""
    if len(weeks) > MANUAL_WEEKS_MAX or list(weeks) != sorted(set(weeks)):
        return f"weeks of manual time stand in order, each once, at most {MANUAL_WEEKS_MAX}"
    return None if all(map(is_week, weeks)) else "a week is written like 2026-W47"


def fault_of_slots(slots: Sequence[Slot]) -> str | None:
    """Return what is wrong with named slots, None where nothing is."""
    if not 1 <= len(slots) <= SLOTS_NAMED_MAX:
        return f"1 to {SLOTS_NAMED_MAX} slots are named"
    if list(slots) != sorted(set(slots)) or slots[0] < 0 or slots[-1] >= SLOT_END:
        return "named slots stand in order, each once"
    return None


def is_week(name: str) -> bool:
    """Return whether the name is one of a week that exists (R2)."""
    try:
        return Week.parse(name).name == name
    except ValueError:
        return False
