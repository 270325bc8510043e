"""What a segment says and shows: the merge of its opened contents (R14, R36, R47).

Which contents count is `diary.rules.merge`'s to say; here they are put together, in any order, with the
same result.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from diary.rules.ids import MINUTES_PER_SLOT
from diary.rules.sealed_content import CaptureContent, EntryContent, MinuteCounts, StampedText
from diary.rules.segment import Header
from diary.rules.timesheet import SnapshotView

OpenedCapture = tuple[Header, CaptureContent]
OpenedEntry = tuple[Header, EntryContent]


@dataclass(frozen=True, slots=True)
class MergedContent:
    """The contents of one segment as one (R36).

    `minutes` has ten items, None where nothing tracked. `memo` and `label` are None where nothing was ever
    said. `snapshots` are in order of time, and so are applications, titles, devices and the reasons why
    there is no picture, each once.
    """

    minutes: tuple[MinuteCounts | None, ...]
    memo: StampedText | None
    label: StampedText | None
    snapshots: tuple[SnapshotView, ...]
    applications: tuple[str, ...]
    titles: tuple[str, ...]
    masked: bool
    no_picture: tuple[str, ...]
    devices: tuple[str, ...]

    @property
    def activity(self) -> int:
        """Return the activity level: the number of active minutes, 0 to 10 (R14)."""
        return sum(minute is not None and minute.is_active for minute in self.minutes)


def merged(captures: Sequence[OpenedCapture], entries: Sequence[OpenedEntry]) -> MergedContent:
    """Return the contents of one segment as one, whatever the order they are given in (R36).

    `captures` are those that count, `entries` those of the frontier; contents that cannot be opened are
    left out by the caller.
    """
    in_order = sorted(captures, key=lambda opened: (opened[1].moment.wall_ms, opened[0].name))
    contents = [content for _, content in in_order]
    return MergedContent(
        minutes=_minutes(contents),
        memo=_greatest(content.memo for _, content in entries),
        label=_greatest(content.label for _, content in entries),
        snapshots=tuple(snapshot for header, content in in_order for snapshot in _snapshots(header, content)),
        applications=_each_once(content.application for content in contents),
        titles=_each_once(content.title for content in contents),
        masked=any(content.masked for content in contents),
        no_picture=_each_once(content.no_picture or "" for content in contents),
        devices=_each_once(content.device for content in contents),
    )


def agrees(header: Header, content: CaptureContent | EntryContent) -> bool:
    """Return whether the content says what its header says; else the segment is defective (R47)."""
    if (content.contract, content.slot) != (header.contract, header.slot):
        return False
    match content:
        case CaptureContent():
            return (
                content.picture_names == tuple([name for name, _ in header.pictures or ()])
                and len(content.roles) == len(content.picture_names)
                and len(content.minutes) == MINUTES_PER_SLOT
            )
        case EntryContent():
            stamps = [text.stamp for text in (content.memo, content.label) if text is not None]
            return max(stamps, default=None) == header.stamp


def _minutes(contents: Sequence[CaptureContent]) -> tuple[MinuteCounts | None, ...]:
    """Return the ten minutes of a slot, summed up over its captures (R36)."""
    if len(contents) == 1:  # nearly always: a second capture comes of a restart, or of another device
        only = contents[0].minutes[:MINUTES_PER_SLOT]
        return (*only, *(None,) * (MINUTES_PER_SLOT - len(only)))
    return tuple(
        _sum_of(_minute(content, index) for content in contents) for index in range(MINUTES_PER_SLOT)
    )


def _minute(content: CaptureContent, index: int) -> MinuteCounts | None:
    """Return the content's minute; None past the end of a content that is defective."""
    return content.minutes[index] if index < len(content.minutes) else None


def _sum_of(minutes: Iterable[MinuteCounts | None]) -> MinuteCounts | None:
    """Return the counts of one minute over all captures; its activity is the OR (R36)."""
    tracked = [minute for minute in minutes if minute is not None]
    if len(tracked) <= 1:
        return tracked[0] if tracked else None
    return MinuteCounts(
        keystrokes=_sum_of_counted(minute.keystrokes for minute in tracked),
        clicks=_sum_of_counted(minute.clicks for minute in tracked),
        scrolls=_sum_of_counted(minute.scrolls for minute in tracked),
        os_active=any(minute.os_active for minute in tracked),
    )


def _sum_of_counted(counts: Iterable[int | None]) -> int | None:
    """Return the sum of what was counted; None where no desktop let it be counted (R14)."""
    counted = [count for count in counts if count is not None]
    return sum(counted) if counted else None


def _greatest(texts: Iterable[StampedText | None]) -> StampedText | None:
    """Return the text with the greatest stamp (R36).

    Of equal stamps, which no honest device writes for two texts, the greater text: so all agree.
    """
    said = [text for text in texts if text is not None]
    return max(said, key=lambda text: (text.stamp, text.text), default=None)


def _snapshots(header: Header, content: CaptureContent) -> Iterator[SnapshotView]:
    """Yield the capture's snapshots: a role that comes again begins the next one."""
    names: dict[str, str] = {}
    # A list of roles that is too long or too short is a defect, not a reason to show nothing.
    for role, (name, _) in zip(content.roles, header.pictures or (), strict=False):
        if role in names:
            yield _snapshot(names, content)
            names = {}
        names[role] = name
    if names:
        yield _snapshot(names, content)


def _snapshot(names: dict[str, str], content: CaptureContent) -> SnapshotView:
    return SnapshotView(
        taken_at_ms=content.moment.wall_ms,
        screen=names.get("screen", ""),
        thumbnail=names.get("thumbnail", ""),
        camera=names.get("camera", ""),
        device=content.device,
    )


def _each_once(texts: Iterable[str]) -> tuple[str, ...]:
    """Return the texts that are not empty, each where it came first."""
    return tuple(dict.fromkeys(text for text in texts if text))
