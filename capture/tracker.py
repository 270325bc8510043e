"""The tracker: feeds the session, runs its effects, records through the diary (R11-R19).

One asyncio loop does everything but the picture, which `capture.studio` takes in a process of its own. A tick
comes every second and whenever something is due; a change in the diary's folder wakes it at once. Whatever
fails at the edges is said and survived: a draft that cannot be written now is written a minute later.
"""

import asyncio
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import TypeVar, assert_never, cast
from zoneinfo import ZoneInfo

from watchdog.events import FileSystemEvent, FileSystemEventHandler
from watchdog.observers import Observer

from capture.draft import Draft, Wish
from capture.edges import Edges, Monitors
from capture.idle_notice import IdleNotice
from capture.kept import absence_of, answer_to, found_again, to_keep, wish_of
from capture.notification import Answer as Press
from capture.notification import Notifier
from capture.privacy import Privacy
from capture.private_watch import PrivateWatch
from capture.reminder_notice import ReminderNotices
from capture.sentences import sentence
from capture.session import Session
from capture.snapshot_notices import SnapshotNotices
from capture.steps import (
    Answered,
    Ask,
    Begun,
    DropDraft,
    Effect,
    Ended,
    Event,
    FinishCapture,
    KeepDraft,
    PictureTaken,
    PictureWithheld,
    Removed,
    Say,
    Settle,
    TakePicture,
    Tick,
    Wished,
)
from capture.studio import ProcessStudio, Sitting, Studio
from diary.diary import Diary
from diary.ending import end_when_asked
from diary.errors import DiaryError
from diary.rules.ids import ContractId, Slot

Answer = TypeVar("Answer")

TICK_SECONDS = 1.0
WAKE_SECONDS = 0.05  # changes come in bursts; one look answers them all
DISPLAY_RETRY_MS = 30_000
STUDIO_AHEAD_MS = 4_000
RECORD_RETRY_MS = 60_000
_CHANGES = {"modified", "created", "moved", "deleted"}


class Tracker:
    """One run of the tracker. `say` gets sentences; `below` is the operating system's randomness (R12)."""

    def __init__(
        self,
        diary: Diary,
        edges: Edges,
        *,
        say: Callable[[str], None],
        zone: ZoneInfo,
        notifier: Notifier,
        below: Callable[[int], int] = secrets.randbelow,
        studio: Studio | None = None,
    ) -> None:
        self._diary = diary
        self._studio = studio or ProcessStudio(diary.clock)
        self._edges = edges
        self._say = say
        self._zone = zone
        self._session = Session(below, idle_minutes=int(diary.setting("idle_minutes")))
        self._wish = Wish(contract=None)
        self._marks: set[tuple[ContractId, Slot]] = set()
        self._unrecorded: list[Draft] = []
        self._retry_at_ms = 0
        self._is_counting = False
        self._is_display_missed = False
        self._display_retry_at_ms = 0
        self._said_last: str = ""
        self._notifier = notifier

    async def run(self) -> None:
        """Track until SIGTERM or SIGINT; the draft is kept then (R19)."""
        loop = asyncio.get_running_loop()
        self._woken = asyncio.Event()
        self._ending = asyncio.Event()
        end_when_asked(loop, self.end)
        for lack in self._edges.introduced():
            self._say(lack)
        self._notices = SnapshotNotices(
            self._diary, self._notifier, say=self._say, wake=self._woken.set, zone=self._zone
        )
        self._edges.idle.watch(lambda: _wake(loop, self._woken))
        self._idle_notice = IdleNotice(
            self._diary, self._notifier, say=self._say, wake=self._woken.set, zone=self._zone
        )
        with _watching(self._diary.home, loop, self._woken.set):
            async with asyncio.TaskGroup() as self._pictures:
                self._private = PrivateWatch(self._edges, self._privacy_of, self._monitors, self._pictures)
                self._begin()
                beginning = self._pictures.create_task(self._begin_notices())
                while not self._ending.is_set():
                    await self._rest()
                    self._tick()
                beginning.cancel()
                # Within the group: where the moment has just come, its picture is taken and awaited.
                self._step(Ended(self._diary.now_ms()))
            await self._studio.close()
            await self._notices.end()
            await self._idle_notice.end()
            await self._notifier.end()
        self._edges.close()

    def end(self) -> None:
        """Let `run` finish: the picture under way is awaited, the draft kept."""
        self._ending.set()
        self._woken.set()

    def _begin(self) -> None:
        drafts = tuple(found_again(kept) for kept in self._diary.drafts())
        self._marks = {(draft.contract, draft.slot) for draft in drafts if draft.removed}
        self._wish = wish_of(self._diary.tracking())
        asked = self._diary.idle_question()
        self._step(Begun(self._diary.now_ms(), self._wish, drafts, absence_of(asked)))
        self._look_for_answer()
        self._listen()

    async def _begin_notices(self) -> None:
        """Connect to the desktop's notifications, beside the tracking: they may be slow to answer (R17)."""
        self._notices.begin(await self._notifier.begin(self._take_press))
        self._try(self._idle_notice.begin, None)
        await ReminderNotices(self._diary, self._notifier, say=self._say).keep_looking()

    def _take_press(self, press: Press) -> None:
        self._notices.take(press)
        self._idle_notice.take(press)

    async def _rest(self) -> None:
        """Wait for the next tick, for what is due, or for a change in the diary's folder."""
        due_seconds = (self._session.wakes_at_ms - self._diary.now_ms()) / 1000
        try:
            await asyncio.wait_for(self._woken.wait(), max(0.0, min(TICK_SECONDS, due_seconds)))
        except TimeoutError:
            return
        await asyncio.sleep(WAKE_SECONDS)

    def _tick(self) -> None:
        sample = replace(self._edges.input_counts.take_minute(), idle_ms=self._edges.idle.idle_ms())
        if self._is_counting and sample.keystrokes is None:
            self._is_counting = False
            self._miss_display()
        self._private.look(
            self._wish.contract,
            self._diary.clock.monotonic_ms(),
            is_on=self._session.is_on,
            is_woken=self._woken.is_set(),
        )
        locked = self._edges.idle.is_locked()
        self._step(Tick(self._diary.now_ms(), sample, locked=locked, private=self._private.is_shown))
        if self._woken.is_set():
            self._woken.clear()
            self._look_for_marks()
            self._look_for_answer()
        # Read each second too, not only when woken: a pause ends by the clock alone.
        wish = self._try(lambda: wish_of(self._diary.tracking()), self._wish)
        if wish != self._wish:
            self._wish = wish
            self._step(Wished(self._diary.now_ms(), wish))
        self._listen()
        self._look_ahead()
        self._record_again()

    def _listen(self) -> None:
        """Count input while tracking is on, and only then (R15)."""
        now_ms = self._diary.clock.monotonic_ms()
        if self._session.listens and not self._is_counting and now_ms >= self._display_retry_at_ms:
            self._is_counting = self._edges.input_counts.start()
            if not self._is_counting:
                self._display_retry_at_ms = now_ms + DISPLAY_RETRY_MS
                self._miss_display()
            elif self._is_display_missed:
                self._is_display_missed = False
                self._say("The display is back.")
        elif not self._session.listens and self._is_counting:
            self._edges.input_counts.stop()
            self._is_counting = False

    def _look_ahead(self) -> None:
        """Have the studio ready when the snapshot's moment comes (R12)."""
        draft = self._session.draft
        if draft is not None and 0 <= draft.drawn_ms - self._diary.now_ms() <= STUDIO_AHEAD_MS:
            self._studio.prepare()

    def _miss_display(self) -> None:
        """Say once that nothing is seen (R16)."""
        if (
            not self._is_display_missed
            and not self._edges.blind_because
            and "counts" not in self._edges.lacks
        ):
            self._is_display_missed = True
            self._say("The display is gone. Until it is back, segments have no picture and no counts.")

    def _look_for_marks(self) -> None:
        """Tell the session what the freelancer removed while it was under way (R12)."""
        marks = self._try(self._marks_now, self._marks)
        for contract, slot in sorted(marks - self._marks):
            self._step(Removed(self._diary.now_ms(), contract, slot))
        self._marks = marks
        self._notices.look_for_removed()

    def _look_for_answer(self) -> None:
        """Tell the session what the freelancer said about the time away (R18)."""
        answer = self._try(lambda: answer_to(self._diary), None)
        if answer is not None:
            self._step(Answered(self._diary.now_ms(), answer))

    def _marks_now(self) -> set[tuple[ContractId, Slot]]:
        return {(draft.contract, draft.slot) for draft in self._diary.drafts() if draft.removed}

    def _step(self, event: Event) -> None:
        for effect in self._session.step(event):
            self._run_effect(effect)

    def _run_effect(self, effect: Effect) -> None:
        match effect:
            case TakePicture(slot, contract):
                self._pictures.create_task(self._take_picture(slot, contract))
            case KeepDraft(draft, instead_of):
                self._keep(draft, instead_of)
            case DropDraft(contract, slot):
                self._try(lambda: self._diary.drop_draft((contract, slot)), None)
            case FinishCapture(draft):
                self._record(draft)
            case Ask():
                self._ask(effect)
            case Settle():
                self._try(self._diary.settle_idle, None)
                self._idle_notice.settle()
            case Say():
                self._say(sentence(effect, self._zone))
            case _:
                assert_never(effect)

    async def _take_picture(self, slot: Slot, contract: ContractId) -> None:
        # Asked for anew each time: a rule that was added a second ago holds (R22).
        privacy = self._privacy_of(contract)
        sitting = Sitting(self._monitors(), privacy.rules, privacy.may_mask, self._camera())
        snapshot = await self._studio.take(sitting)
        if snapshot is not None and snapshot.camera_fault:
            self._say_once(snapshot.camera_fault)
        now_ms = self._diary.now_ms()
        self._step(
            PictureWithheld(now_ms, slot) if snapshot is None else PictureTaken(now_ms, slot, snapshot)
        )

    def _monitors(self) -> Monitors:
        # The setting takes these words only.
        return self._try(lambda: cast("Monitors", self._diary.setting("picture_monitors")), "all")

    def _camera(self) -> str | None:
        """Return the camera that its freelancer turned on, None for none (R13)."""
        diary = self._diary
        return self._try(
            lambda: str(diary.setting("camera_source")) if diary.setting("camera") else None, None
        )

    def _privacy_of(self, contract: ContractId) -> Privacy:
        """Return what is private now; where that cannot be read, everything is (R22)."""
        return self._try(
            lambda: Privacy(self._diary.private_rules(), self._diary.may_mask(contract)), Privacy(None)
        )

    def _ask(self, ask: Ask) -> None:
        since_ms, until_ms = ask.absence.since_ms, ask.absence.until_ms
        asked = self._try(
            lambda: self._diary.ask_idle(
                ask.contract, since_ms=since_ms, until_ms=until_ms, minutes=ask.minutes
            ),
            None,
        )
        if asked is not None:
            self._try(lambda: self._idle_notice.ask(asked), None)

    def _keep(self, draft: Draft, instead_of: ContractId | None) -> None:
        kept = self._try(lambda: self._diary.keep_draft(to_keep(draft), instead_of), True)
        if kept:
            self._notices.see(draft)
        if kept is False and (draft.contract, draft.slot) not in self._marks:
            self._marks.add((draft.contract, draft.slot))
            self._step(Removed(self._diary.now_ms(), draft.contract, draft.slot))

    def _record(self, draft: Draft) -> None:
        self._notices.see(draft)
        try:
            self._diary.record(to_keep(draft))
            self._diary.forget_opened()
        except DiaryError as fault:
            self._unrecorded.append(draft)
            self._say_once(fault.in_full)

    def _record_again(self) -> None:
        """Try again what could not be recorded; its draft lies on the disk in between (R19)."""
        now_ms = self._diary.clock.monotonic_ms()
        if self._unrecorded and now_ms >= self._retry_at_ms:
            self._retry_at_ms = now_ms + RECORD_RETRY_MS
            waiting, self._unrecorded = self._unrecorded, []
            for draft in waiting:
                self._record(draft)

    def _try(self, ask: Callable[[], Answer], otherwise: Answer) -> Answer:
        """Return the diary's answer; where it cannot give one now, say why and go on."""
        try:
            return ask()
        except DiaryError as fault:
            self._say_once(fault.in_full)
            return otherwise

    def _say_once(self, text: str) -> None:
        """Say what goes on failing once, not every second."""
        if text != self._said_last:
            self._said_last = text
            self._say(text)


def _wake(loop: asyncio.AbstractEventLoop, woken: asyncio.Event) -> None:
    """Wake the tracker from another thread; one that has ended is not woken."""
    with suppress(RuntimeError):
        loop.call_soon_threadsafe(woken.set)


class _Waker(FileSystemEventHandler):
    """Calls `wake` in the loop when the diary's file changed."""

    def __init__(self, loop: asyncio.AbstractEventLoop, wake: Callable[[], None]) -> None:
        self._loop = loop
        self._wake = wake

    def on_any_event(self, event: FileSystemEvent) -> None:
        """Wake the tracker, from watchdog's thread."""
        if event.event_type in _CHANGES and Path(str(event.src_path)).name.startswith("diary.db"):
            self._loop.call_soon_threadsafe(self._wake)


@contextmanager
def _watching(home: Path, loop: asyncio.AbstractEventLoop, wake: Callable[[], None]) -> Iterator[None]:
    observer = Observer()
    observer.schedule(_Waker(loop, wake), str(home))
    observer.start()
    try:
        yield
    finally:
        observer.stop()
        observer.join()
