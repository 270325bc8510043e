"""What the tracker tells the session, and what the session has it do: values only (R11-R19)."""

from dataclasses import dataclass
from typing import Literal

from capture.absence import Absence, Answer
from capture.draft import Draft, Sample, Snapshot, Wish
from diary.rules.ids import ContractId, Millis, Slot


@dataclass(frozen=True, slots=True)
class Begun:
    """The tracker started and found this wish, these drafts, and what was asked before (R18, R19)."""

    at_ms: Millis
    wish: Wish
    drafts: tuple[Draft, ...] = ()
    absence: Absence | None = None


@dataclass(frozen=True, slots=True)
class Tick:
    """A second went by: input since the last tick, and how long the desktop has been idle (R14).

    `locked`: the screen is locked, or shows another user's session (R18). `private`: a window is on the
    screen that must not be captured, and this contract lets nothing be masked (R22).
    """

    at_ms: Millis
    sample: Sample
    locked: bool = False
    private: bool = False


@dataclass(frozen=True, slots=True)
class Wished:
    """The freelancer switched tracking on, off or to another contract, or wrote a memo (R11)."""

    at_ms: Millis
    wish: Wish


@dataclass(frozen=True, slots=True)
class PictureTaken:
    """The picture asked for is there, or the reason why there is none (R13, R16)."""

    at_ms: Millis
    slot: Slot
    snapshot: Snapshot


@dataclass(frozen=True, slots=True)
class PictureWithheld:
    """A private window was on the screen at the moment, and the contract lets nothing be masked (R22)."""

    at_ms: Millis
    slot: Slot


@dataclass(frozen=True, slots=True)
class Answered:
    """The freelancer said what becomes of the time away (R18)."""

    at_ms: Millis
    answer: Answer


@dataclass(frozen=True, slots=True)
class Removed:
    """The freelancer removed the segment under way (R12)."""

    at_ms: Millis
    contract: ContractId
    slot: Slot


@dataclass(frozen=True, slots=True)
class Ended:
    """The tracker ends; the draft must survive it (R19)."""

    at_ms: Millis


Event = Begun | Tick | Wished | PictureTaken | PictureWithheld | Answered | Removed | Ended


@dataclass(frozen=True, slots=True)
class TakePicture:
    """Take the picture of this slot now; `contract` says whether anything may be masked in it (R22)."""

    slot: Slot
    contract: ContractId


@dataclass(frozen=True, slots=True)
class KeepDraft:
    """Seal a segment to disk (R19); it is what the draft of `instead_of` was, which goes in the same act."""

    draft: Draft
    instead_of: ContractId | None = None


@dataclass(frozen=True, slots=True)
class DropDraft:
    """Destroy what was kept of this segment."""

    contract: ContractId
    slot: Slot


@dataclass(frozen=True, slots=True)
class FinishCapture:
    """The slot is over: record its capture (R32)."""

    draft: Draft


@dataclass(frozen=True, slots=True)
class Ask:
    """Ask what becomes of the time away; the question must outlive this process (R18)."""

    absence: Absence
    contract: ContractId
    minutes: int


@dataclass(frozen=True, slots=True)
class Settle:
    """Ask no more: everything that waited for an answer has become what it says."""


Word = Literal[
    "begun",  # a slot is under way
    "stopped_before_snapshot",  # off, and nothing will be recorded unless tracking goes on
    "stopped_after_snapshot",  # off, and the tracked minutes are kept
    "not_recorded",  # off, paused or idle at the snapshot's moment
    "idle",
    "active_again",
    "kept_away",  # the answer: the time away counts
    "dropped_away",  # the answer: it does not
    "moved_away",  # the answer: it belongs to another contract
    "unanswered",  # nobody answered: it does not count
    "locked",
    "unlocked",
    "asleep",  # or the clock was set ahead: nothing is filled in
    "private_shown",
    "private_gone",
    "withheld",  # a private window at the snapshot's moment
    "pause_over",
    "removed",
    "taken_up",  # a draft of this slot was found at the start
    "finished_after_restart",  # a draft of a slot that is over had its snapshot
    "held_after_restart",  # it had its snapshot, and nobody was there at its end
    "lost_without_snapshot",  # a draft of a slot that is over had none
    "clock_set_back",
]


@dataclass(frozen=True, slots=True)
class Say:
    """Tell the freelancer; `capture.sentences` has the words."""

    word: Word
    slot: Slot | None = None
    minutes: int = 0


Effect = TakePicture | KeepDraft | DropDraft | FinishCapture | Ask | Settle | Say
