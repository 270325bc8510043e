"""What the tracker tells the session, and what the session has it do: values only (R11-R19)."""

from dataclasses import dataclass
from typing import Literal

from capture.draft import Draft, Sample, Snapshot, Wish
from diary.rules.ids import ContractId, Millis, Slot


@dataclass(frozen=True, slots=True)
class Begun:
    """The tracker started and found this wish and these drafts (R19)."""

    at_ms: Millis
    wish: Wish
    drafts: tuple[Draft, ...] = ()


@dataclass(frozen=True, slots=True)
class Tick:
    """A second went by: input since the last tick, and how long the desktop has been idle (R14)."""

    at_ms: Millis
    sample: Sample


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
class Removed:
    """The freelancer removed the segment under way (R12)."""

    at_ms: Millis
    contract: ContractId
    slot: Slot


@dataclass(frozen=True, slots=True)
class Ended:
    """The tracker ends; the draft must survive it (R19)."""

    at_ms: Millis


Event = Begun | Tick | Wished | PictureTaken | Removed | Ended


@dataclass(frozen=True, slots=True)
class TakePicture:
    """Take the picture of this slot now."""

    slot: Slot


@dataclass(frozen=True, slots=True)
class KeepDraft:
    """Seal the segment under way to disk (R19)."""

    draft: Draft


@dataclass(frozen=True, slots=True)
class DropDraft:
    """Destroy what was kept of this segment."""

    contract: ContractId
    slot: Slot


@dataclass(frozen=True, slots=True)
class FinishCapture:
    """The slot is over: record its capture (R32)."""

    draft: Draft


Word = Literal[
    "begun",  # a slot is under way
    "stopped_before_snapshot",  # off, and nothing will be recorded unless tracking goes on
    "stopped_after_snapshot",  # off, and the tracked minutes are kept
    "not_recorded",  # off, paused or idle at the snapshot's moment
    "idle",
    "active_again",
    "pause_over",
    "removed",
    "taken_up",  # a draft of this slot was found at the start
    "finished_after_restart",  # a draft of a slot that is over had its snapshot
    "lost_without_snapshot",  # a draft of a slot that is over had none
    "clock_set_back",
]


@dataclass(frozen=True, slots=True)
class Say:
    """Tell the freelancer; `capture.sentences` has the words."""

    word: Word
    slot: Slot | None = None
    minutes: int = 0


Effect = TakePicture | KeepDraft | DropDraft | FinishCapture | Say
