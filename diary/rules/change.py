"""A wished change and an instant, and the answer: allowed, or refused by name (R9, R21, R35, R37, R44).

Device and server ask the same question here: the server with the instant of receipt, the device with its
corrected clock and the slack by which that may be wrong (R39). This file decides; it reads no clock and
changes nothing. What only a key holder can see (a label that is required, R7) is the device's to check.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import msgspec

from diary.rules.contract import TermsHistory
from diary.rules.ids import Millis, Slot
from diary.rules.merge import Held, Present, present, standing
from diary.rules.segment import Header
from diary.rules.vector import descends_from
from diary.rules.week import Week, ends_at_ms, locks_at_ms, slot_at, starts_at_ms

SIBLINGS_MAX = 32  # R44: a merge stays readable, and quick
VERSIONS_MAX = 200  # R44: captures and entries of one segment
LIVES_MAX = 32  # R44: lives 0 to 31, so that the last one is a deletion
CLOCK_TRUSTED_MS = 2 * 60 * 1000  # R20: a clock that is off by less moves nothing
CLOCK_AHEAD_MS = 10 * 60 * 1000  # R44: a stamp further ahead would win over all that is typed meanwhile

RefusalReason = Literal[
    "week_locked",
    "slot_deleted",
    "capture_exists",
    "version_reused",
    "contract_paused",
    "contract_closed",
    "manual_not_allowed",
    "label_required",
    "slot_in_future",
    "clock_ahead",
    "clock_unsure",
    "quota",
    "too_many_versions",
    "too_large",
    "too_many_siblings",
    "too_many_lives",
    "bad_header",
    "bad_signature",
    "device_revoked",
    "unknown_contract",
    "not_yours",
    "unknown_request",
    "not_late",
    "not_in_review",
    "week_open",
    "payer_fixed",
    "wrong_currency",
    "unknown_invoice",
    "payment_known",
    "unknown_payment",
    "not_disputed",
]


class Allowed(msgspec.Struct, frozen=True):
    """The change may be made; `stands` is what stands before it."""

    stands: Present


@dataclass(frozen=True, slots=True)
class Refused:
    """The change may not be made: a word of CLI.md, and why in words for the user."""

    reason: RefusalReason
    because: str


def decide(
    header: Header,
    held: Sequence[Held],
    history: TermsHistory,
    at_ms: Millis,
    *,
    slack_ms: int = 0,
    accepted: bool = False,
) -> Allowed | Refused:
    """Return whether a capture or an entry may enter at the instant (R9, R21, R35, R37, R44).

    `held` are all versions of the same contract and slot that are held, in any order, those included whose
    content was destroyed; `history` are the contract's terms. A device passes as `slack_ms` how far its
    clock may be from the server's: it then refuses only what the server would refuse anywhere within.
    `accepted` says that the client accepted late time in the slot, which then stands as it is (R38).
    """
    assert header.type in {"capture", "entry"}, "only a capture or an entry is decided here"
    assert header.slot is not None, "a header that was parsed names its slot"
    asked = _Asked(header, header.slot, held, present(held), history, at_ms, slack_ms, accepted)
    for check in _checks_of(header, held):
        refused = check(asked)
        if refused is not None:
            return refused
    return Allowed(asked.stands)


def true_slot(recorded: Slot, wall_ms: Millis, difference_ms: int) -> Slot:
    """Return the slot to which a capture belongs by the best known difference to the server's clock (R20).

    `wall_ms` is its moment by this machine's clock. A difference under two minutes moves nothing. Where the
    slot does not hold that moment it was taken by a clock that was corrected already, by a difference that
    is not known any more: then a slot that is off by less than two minutes stays.
    """
    if abs(difference_ms) < CLOCK_TRUSTED_MS:
        return recorded
    at_ms = wall_ms + difference_ms
    starts_ms, ends_ms = starts_at_ms(recorded), ends_at_ms(recorded)
    was_corrected = not starts_ms <= wall_ms < ends_ms
    if was_corrected and starts_ms - CLOCK_TRUSTED_MS <= at_ms < ends_ms + CLOCK_TRUSTED_MS:
        return recorded
    return slot_at(at_ms)


def move_needs_a_yes(recorded: Slot, true: Slot) -> bool:
    """Return whether a capture moves so far that its freelancer is asked first (R20)."""
    return abs(true - recorded) > 1 or Week.of(true) != Week.of(recorded)


def is_deletion(header: Header) -> bool:
    """Return whether the version deletes: an odd life (R35). No limit ever refuses it (R44)."""
    return (header.life or 0) % 2 == 1


def frozen_record(held: Sequence[Held], slot: Slot) -> list[Held]:
    """Return what the log held before the lock: merged, it is the frozen record of the slot (R37b).

    What the server has not taken is no part of it.
    """
    locked_at_ms = locks_at_ms(slot)
    return [
        version
        for version in held
        if version.received_at_ms is not None and version.received_at_ms < locked_at_ms
    ]


class _Asked(msgspec.Struct, frozen=True):
    """One question, with what all checks need."""

    header: Header
    slot: Slot
    held: Sequence[Held]
    stands: Present
    history: TermsHistory
    at_ms: Millis
    slack_ms: int
    accepted: bool

    @property
    def week(self) -> Week:
        return Week.of(self.slot)

    @property
    def is_frozen(self) -> bool:
        return self.at_ms - self.slack_ms >= locks_at_ms(self.slot)

    @property
    def is_late_segment(self) -> bool:
        """Return whether nothing stood in the frozen week and a capture came after the lock (R37c)."""
        return not self.froze_with_time and any(version.is_capture for version in self.held)

    @property
    def froze_with_time(self) -> bool:
        """Return whether the frozen record holds a capture, a claim or a deletion: no time is late then."""
        record = frozen_record(self.held, self.slot)
        return any(version.claims or version.life > 0 for version in record)

    @property
    def is_new_claim(self) -> bool:
        """Return whether the entry makes manual time of what is none yet; an edit carries its claim on."""
        return bool(self.header.manual) and not any(
            version.claims and not version.is_capture and version.life == self.header.life
            for version in self.held
        )


def _slot_has_begun(asked: _Asked) -> Refused | None:
    if starts_at_ms(asked.slot) <= asked.at_ms + asked.slack_ms or is_deletion(asked.header):
        return None
    return Refused("slot_in_future", "the slot has not begun")


def _capture_ended_while_active(asked: _Asked) -> Refused | None:
    """Refuse a slot that had not ended when the contract was paused or closed (R9)."""
    return _refused_by_state(asked, ends_at_ms(asked.slot) - 1, "the slot had not ended before that")


def _entry_finds_the_contract_active(asked: _Asked) -> Refused | None:
    """Refuse edits and manual time, but neither a deletion nor what was written with a capture (R9)."""
    refused = _refused_by_state(asked, asked.at_ms, "nothing is added or edited then")
    if refused is None or is_deletion(asked.header) or _came_with_its_capture(asked):
        return None
    return refused


def _refused_by_state(asked: _Asked, at_ms: int, because: str) -> Refused | None:
    match asked.history.state_at(at_ms):
        case "active":
            return None
        case "paused":
            return Refused("contract_paused", f"the contract is paused, and {because}")
        case "closed":
            return Refused("contract_closed", f"the contract is closed, and {because}")


def _came_with_its_capture(asked: _Asked) -> bool:
    """Return whether the replica that recorded the slot says its first word about it (R9).

    Its texts were typed before the pause, so far as the stamp can tell: the tracker applies what was set at
    the snapshot's moment (R36).
    """
    header = asked.header
    own = [version for version in asked.held if version.header.replica == header.replica]
    first_word = any(version.is_capture for version in own) and all(version.is_capture for version in own)
    paused_at_ms = asked.history.inactive_since_ms(asked.at_ms)
    typed_before = (
        header.stamp is None or paused_at_ms is None or header.stamp[0] <= paused_at_ms + CLOCK_AHEAD_MS
    )
    return first_word and header.life == 0 and not header.manual and typed_before


def _capture_belongs_to_life_0(asked: _Asked) -> Refused | None:
    if asked.stands.life == 0:
        return None
    return Refused("slot_deleted", "the slot was deleted; nothing that was recorded enters it again")


def _capture_is_early_or_late(asked: _Asked) -> Refused | None:
    """Take a capture after the lock only where the frozen week holds nothing: it is late (R37c)."""
    if not asked.is_frozen or not asked.froze_with_time:
        return None
    return Refused("week_locked", f"{asked.week.name} is frozen and already holds time in this slot")


def _entry_is_early_or_of_late_time(asked: _Asked) -> Refused | None:
    """Take an entry after the lock only about late time not accepted yet, and no claim (R21, R37a, R38)."""
    if asked.accepted:
        return Refused("week_locked", "the client has accepted this late time, and it stands")
    if not asked.is_frozen or (asked.is_late_segment and not asked.is_new_claim):
        return None
    return Refused("week_locked", f"{asked.week.name} is frozen since Monday 12:00 UTC")


def _capture_is_the_replicas_first(asked: _Asked) -> Refused | None:
    own = (version.is_capture and version.header.replica == asked.header.replica for version in asked.held)
    return Refused("capture_exists", "this device recorded the slot before") if any(own) else None


def _life_follows(asked: _Asked) -> Refused | None:
    """Refuse time that is added again by a life that jumps, or that knows nothing of the one before (R35).

    A deletion may jump: the life that it ends may have been written and removed while no reply came back, and
    its content is gone for good.
    """
    life, vector = asked.header.life or 0, asked.header.vector or {}
    if is_deletion(asked.header):
        return None
    if life > asked.stands.life + 1:
        return Refused("bad_header", f"life {life} does not follow life {asked.stands.life}")
    if life > 1 and not any(
        descends_from(vector, version.header.vector or {})
        for version in asked.held
        if version.life == life - 1
    ):
        return Refused("bad_header", f"life {life} knows no version of life {life - 1}")
    if life > 1 and not asked.header.manual:
        return Refused("bad_header", "time that is added again is claimed as manual time")
    return None


def _vector_covers_its_own(asked: _Asked) -> Refused | None:
    """Refuse a version that forgot what its own replica knew when it wrote an earlier one (R34)."""
    header = asked.header
    for version in asked.held:
        own_earlier = version.header.replica == header.replica and version.header.n < header.n
        if own_earlier and not descends_from(header.vector or {}, version.header.vector or {}):
            return Refused("bad_header", f"the vector does not cover the replica's own n {version.header.n}")
    return None


def _stamp_is_not_ahead(asked: _Asked) -> Refused | None:
    stamp = asked.header.stamp
    if stamp is None or is_deletion(asked.header):
        return None
    if stamp[0] <= asked.at_ms + asked.slack_ms + CLOCK_AHEAD_MS:
        return None
    return Refused("clock_ahead", "the text was stamped over ten minutes ahead of the clock")


def _manual_time_is_allowed(asked: _Asked) -> Refused | None:
    """Refuse a new claim where the terms do not allow one (R21)."""
    if not asked.is_new_claim or asked.history.manual_allowed_for(asked.week, asked.at_ms):
        return None
    return Refused("manual_not_allowed", "the contract's terms allow no manual time")


def _is_within_limits(asked: _Asked) -> Refused | None:
    """Refuse what would make a segment too long to merge; never a deletion (R44)."""
    if is_deletion(asked.header):
        return None
    if (asked.header.life or 0) >= LIVES_MAX:
        return Refused("too_many_lives", f"the slot was deleted and added again {LIVES_MAX // 2} times")
    if len(asked.held) < SIBLINGS_MAX:
        return None
    if len({version.header.name for version in asked.held}) >= VERSIONS_MAX:
        return Refused("too_many_versions", f"the segment has {VERSIONS_MAX} versions")
    before, after = standing(asked.held), standing([*asked.held, Held(asked.header, asked.at_ms)])
    if len(after.frontier) > max(SIBLINGS_MAX, len(before.frontier)):
        return Refused("too_many_siblings", f"{SIBLINGS_MAX} versions stand side by side already")
    return None


def _checks_of(header: Header, held: Sequence[Held]) -> tuple[Callable[[_Asked], Refused | None], ...]:
    """Return the checks that a version must pass, in their order."""
    if header.type == "capture":
        return _CHECKS_OF_CAPTURE if held else _CHECKS_OF_FIRST_CAPTURE
    return _CHECKS_OF_ENTRY


# The order is part of the answer: the slot, the contract's state, the week, then the type's own rules.
_CHECKS_OF_CAPTURE = (
    _slot_has_begun,
    _capture_ended_while_active,
    _capture_belongs_to_life_0,
    _capture_is_early_or_late,
    _capture_is_the_replicas_first,
    _is_within_limits,
)
# Where nothing is held, most of what a tracker sends, the others find nothing to hold the capture to.
_CHECKS_OF_FIRST_CAPTURE = _CHECKS_OF_CAPTURE[:2]
_CHECKS_OF_ENTRY = (
    _slot_has_begun,
    _entry_finds_the_contract_active,
    _entry_is_early_or_of_late_time,
    _life_follows,
    _vector_covers_its_own,
    _stamp_is_not_ahead,
    _manual_time_is_allowed,
    _is_within_limits,
)
