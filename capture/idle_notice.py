"""The question about time away as a notification, with buttons that answer it (R18).

It runs in the tracker's loop, asks the diary through its one door, and is never the only way: every page, the
state and `diary idle` ask the same.
"""

from collections.abc import Callable
from datetime import datetime
from zoneinfo import ZoneInfo

from capture.errands import Errands
from capture.notification import Answer, Button, Handle, Notice, Notifier, Pressed, Shown
from diary.contracts import Contract
from diary.diary import Diary
from diary.idling import IdleAnswer, IdleQuestion

KEEP, DROP = Button("idle-keep", "Keep"), Button("idle-drop", "Drop")
MOVE = "idle-move"  # a button only where there is one other contract: no desktop shows a dozen
_WORDS: dict[str, IdleAnswer] = {KEEP.word: "keep", DROP.word: "drop", MOVE: "move"}


class IdleNotice:
    """The one notification that may ask. `say` gets sentences; `wake` has the tracker look at the diary."""

    def __init__(
        self,
        diary: Diary,
        notifier: Notifier,
        *,
        say: Callable[[str], None],
        wake: Callable[[], None],
        zone: ZoneInfo,
    ) -> None:
        self._diary = diary
        self._notifier = notifier
        self._wake = wake
        self._zone = zone
        self._asked: IdleQuestion | None = None
        self._handle: Handle | None = None
        self._errands = Errands(say)

    def begin(self) -> None:
        """Show again what an earlier run asked: its notification may be gone, or lead nowhere (R19)."""
        asked = self._diary.idle_question()
        if asked is not None and asked.answer is None:
            self.ask(asked)

    def ask(self, asked: IdleQuestion) -> None:
        """Show the question in place of any other."""
        self._asked = asked
        before = self._handle or (Handle(asked.handle) if asked.handle else None)
        self._errands.run(self._show(asked, self._notice(asked, before)))

    def settle(self) -> None:
        """Take the question away: it was answered, here or elsewhere, or nobody did."""
        handle, self._handle, self._asked = self._handle, None, None
        if handle is not None:
            self._errands.run(self._notifier.withdraw(handle))

    def take(self, answer: Answer) -> None:
        """Answer the question as a button says; answers to others' notifications are passed over."""
        asked = self._asked
        if asked is None or answer.handle != self._handle or not isinstance(answer, Pressed):
            return
        word = _WORDS.get(answer.word)
        if word is None:
            return
        others = self._others(asked)
        with self._errands.surviving():
            move_to = others[0].id if word == "move" and others else None
            self._diary.answer_idle(word, move_to=move_to, until_ms=asked.until_ms)
        self._wake()

    async def end(self) -> None:
        """Take it away: its buttons would do nothing any more. The question stays in the diary."""
        await self._errands.end(self._withdraw)

    async def _withdraw(self) -> None:
        if self._handle is not None:
            await self._notifier.withdraw(self._handle)

    def _others(self, asked: IdleQuestion) -> list[Contract]:
        return [each for each in self._diary.contracts() if each.is_active and each.id != asked.contract]

    def _notice(self, asked: IdleQuestion, before: Handle | None) -> Notice:
        since, until = (
            datetime.fromtimestamp(each / 1000, self._zone) for each in (asked.since_ms, asked.until_ms)
        )
        title = next((each.title for each in self._diary.contracts() if each.id == asked.contract), "")
        others = self._others(asked)
        buttons = [KEEP, DROP]
        if len(others) == 1:
            buttons.append(Button(MOVE, f"Move to {others[0].title}"))
        return Notice(
            summary=f"{asked.says}: {since:%H:%M}–{until:%H:%M}",
            body=f"Recorded on {title}. Without an answer it does not count. "
            "More in the diary's pages, or by diary idle.",
            buttons=tuple(buttons),
            replaces=before,
        )

    async def _show(self, asked: IdleQuestion, notice: Notice) -> None:
        match await self._notifier.show(notice):
            case Shown(handle) if self._asked != asked:
                await self._notifier.withdraw(handle)  # settled meanwhile
            case Shown(handle):
                self._handle = handle
                self._diary.note_idle_handle(handle)
            case _:
                return  # the snapshots' notifications have said why there are none
