"""The window's acts through the diary's door, each with what is said of it."""

import subprocess
import sys
from typing import TYPE_CHECKING

from capture.launch import ensure_tracker
from capture.window.panel import PAUSE_MINUTES, Act, LastSnapshot, Panel, panel_of
from capture.window.reading import facts_of
from diary.command.home import ask_passphrase
from diary.diary import Diary
from diary.errors import DiaryError, UsageError
from diary.rules.ids import ContractId, Millis, Place

if TYPE_CHECKING:
    from diary.idling import IdleAnswer
    from diary.sealing.keyring import Ask

MINUTE_MS = 60_000


class NoContractChosenError(UsageError):
    """An act that needs a contract was given none."""

    says = "No contract is chosen."
    mend = 'Make one: diary contract new "TITLE".'


class Acting:
    """Reads and acts on one open diary."""

    def __init__(self, diary: Diary, *, ask: "Ask" = ask_passphrase) -> None:
        self._diary = diary
        self._ask = ask  # for the passphrase of a tracker that is to be started
        self._said: list[str] = []

    def panel(self, wanted: ContractId | None) -> Panel:
        """Return what is to be shown now."""
        return panel_of(facts_of(self._diary, wanted), wanted)

    def do(
        self,
        act: Act,
        *,
        contract: ContractId | None = None,
        text: str = "",
        label: str = "",
        place: Place | None = None,
        asked_until_ms: Millis | None = None,
    ) -> str:
        """Do one act; what a rule or the machine refuses is said, and nothing is lost (R11).

        `place` is the segment that "remove" was asked about, `asked_until_ms` names the question about time
        away that "answer_idle" was shown.
        """
        self._said = []
        try:
            if act == "answer_idle":
                self._answer(text, contract, asked_until_ms)
            else:
                self._do(act, contract, text, label, place)
        except DiaryError as fault:
            self._said.append(fault.in_full)
        return " ".join(self._said)

    def _do(self, act: Act, contract: ContractId | None, text: str, label: str, place: Place | None) -> None:
        diary = self._diary
        match act:
            case "start" | "switch":
                if contract is None:
                    raise NoContractChosenError
                diary.start(contract, memo=text or None, label=label or None)
                ensure_tracker(diary.home, self._said.append, self._ask)
            case "stop":
                diary.stop()
            case "pause":
                diary.pause_until(Millis(diary.now_ms() + PAUSE_MINUTES * MINUTE_MS))
            case "continue":
                diary.pause_until(diary.now_ms())
                ensure_tracker(diary.home, self._said.append, self._ask)
            case "set_memo":
                diary.set_memo(text)
                self._said.append("Memo set.")
            case "set_label":
                diary.set_label(label)
                self._said.append("Label set.")
            case "remove":
                self._remove(place)

    def _remove(self, place: Place | None) -> None:
        if place is None:
            return
        refused = [f"Not removed. {no.reason}: {no.because}" for _, no in self._diary.remove([place]).refused]
        self._said += refused or ["Removed, with its time."]

    def _answer(self, word: str, contract: ContractId | None, until_ms: Millis | None) -> None:
        answers: dict[str, IdleAnswer] = {"keep": "keep", "drop": "drop", "move": "move"}
        move_to = contract if word == "move" else None
        self._diary.answer_idle(answers[word], move_to=move_to, until_ms=until_ms)

    def thumbnail(self, snapshot: LastSnapshot) -> bytes:
        """Return a snapshot's small picture; empty where it is gone or not here."""
        try:
            return self._diary.picture(snapshot.thumbnail) if snapshot.thumbnail else b""
        except DiaryError:
            return b""

    def open_diary(self) -> str:
        """Open the diary in the browser, in a process of its own."""
        command = [sys.executable, "-m", "diary.cli", "--home", str(self._diary.home), "open"]
        subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        return "The diary opens in your browser."
