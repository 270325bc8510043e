"""What the pages say about states, marks and reasons, and how each can be mended (R24, R28).

Pure words: no instant, no diary. The keys are the words of CLI.md.
"""

from dataclasses import dataclass

from diary.rules.timesheet import SegmentView, State, WhyNot, marks

BILLS = "It bills."
SIGNS = {
    "draft": "…",
    "not synced": "↑",
    "held": "‖",
    "late": "◔",
    "overlapping": "∩",
    "masked": "■",
    "no picture": "□",
    "missing": "?",
    "refused": "✕",
    "deleted": "—",
    "does not bill": "∅",
    "defective": "!",
    "accepted": "✓",
    "disputed": "⚑",
    "redacted": "▒",
}
UNMARKED: frozenset[WhyNot | None] = frozenset({"manual_not_allowed", "fixed_price"})
# In a frozen week these can still go: nobody else has them, or they came after the lock (R25, R38).
LOOSE: frozenset[State] = frozenset({"unsynced", "held", "late", "refused"})
SIGN_OF_OTHERS = "•"


@dataclass(frozen=True, slots=True)
class Mark:
    """A mark as a sign and its word (R24)."""

    sign: str
    word: str


@dataclass(frozen=True, slots=True)
class Why:
    """Why something does not bill, and what can be done."""

    title: str
    why: str
    mend: str


WHY_NOT: dict[WhyNot, Why] = {
    "deleted": Why("Deleted", "It was deleted; only its place is known.", ""),
    "late": Why(
        "Late",
        "It was not at the server when its week froze.",
        "It stays visible, and your client can accept it as a bonus.",
    ),
    "overlapping": Why(
        "Overlapping",
        "Another contract holds the same ten minutes and was received first; they bill once.",
        "Delete the other one if this is the one that should bill.",
    ),
    "over_limit": Why(
        "Over the weekly limit",
        "The week's earlier segments use up the limit.",
        "Delete an earlier one to let it in, or ask your client to raise the limit before the week ends.",
    ),
    "manual_not_allowed": Why(
        "Manual time not allowed",
        "It is manual time, or has no picture, and the contract allows only tracked time.",
        "Your client can allow manual time; it holds from then on. Ask for it on the page of contracts.",
    ),
    "fixed_price": Why("Fixed price", "Fixed-price contracts record time and do not bill by the hour.", ""),
}


def marks_of(segment: SegmentView) -> tuple[Mark, ...]:
    """Return a segment's marks, and that it does not bill where neither bar nor mark says so (R24)."""
    words: list[str] = list(marks(segment))
    if segment.why_not in UNMARKED:
        words.append("does not bill")
    return tuple(mark(word) for word in words)


def mend_of(word: WhyNot, *, frozen: bool) -> str:
    """Return how a reason for not billing can be mended; "" once the week is frozen (R3, R38)."""
    return WHY_NOT[word].mend if word == "late" or not frozen else ""


def mark(word: str) -> Mark:
    """Return a mark's sign with its word."""
    return Mark(SIGNS.get(word, SIGN_OF_OTHERS), word)


def can_go(segment: SegmentView, *, frozen: bool) -> bool:
    """Return whether a segment can still be removed (R4, R25, R38)."""
    return segment.state != "deleted" and not segment.accepted and (not frozen or segment.state in LOOSE)


def can_change(segment: SegmentView, *, frozen: bool) -> bool:
    """Return whether memo and label can be edited: in a frozen week only those of late time (R37a)."""
    if segment.state in {"deleted", "refused"} or segment.accepted:
        return False
    return not frozen or (segment.kind == "automatic" and segment.state in LOOSE)


def removal_word(*, week_has_ended: bool, many: bool) -> str:
    """Return how a removal is offered: by its snapshot until the week ends, then by its time (R4)."""
    if week_has_ended:
        return "Delete the times (and their snapshots)" if many else "Delete the time (and its snapshot)"
    return "Remove the snapshots (and their time)" if many else "Remove the snapshot (and its time)"
