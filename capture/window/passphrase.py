"""Asks for a diary's passphrase in a dialog, where there may be no terminal to ask in (R49).

What was typed is passed on and kept nowhere: a tracker that is to be started later is asked about anew.
"""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from PySide6.QtWidgets import QDialog, QDialogButtonBox, QLabel, QLineEdit, QVBoxLayout, QWidget

from capture.window.qt import application
from diary.errors import UsageError
from diary.sealing.keyring import Ask, place_of
from diary.sealing.passphrase import PassphraseNeededError, WrongPassphraseError

Opened = TypeVar("Opened")

WIDTH = 360


class NotUnlockedError(UsageError):
    """Nobody typed the passphrase."""

    says = "The passphrase was not given; nothing was opened or started."
    mend = "Try again, and type the passphrase of this diary."


class Question(QDialog):
    """The dialog; `says` is what was wrong with the answer before."""

    def __init__(self, why: str, says: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Work Diary: passphrase")
        self.setMinimumWidth(WIDTH)
        inside = QVBoxLayout(self)
        asks = QLabel(f"&Passphrase of this diary{why}:")
        inside.addWidget(asks)
        self._line = QLineEdit()
        self._line.setEchoMode(QLineEdit.EchoMode.Password)
        asks.setBuddy(self._line)
        inside.addWidget(self._line)
        said = QLabel(says)
        said.setWordWrap(True)
        said.setVisible(bool(says))
        self._line.setAccessibleDescription(says)
        inside.addWidget(said)
        ok, cancel = QDialogButtonBox.StandardButton.Ok, QDialogButtonBox.StandardButton.Cancel
        buttons = QDialogButtonBox(ok | cancel)
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        inside.addWidget(buttons)

    def answer(self) -> str | None:
        """Wait for the passphrase; None where the dialog was closed without one."""
        is_given = self.exec() == QDialog.DialogCode.Accepted
        given = self._line.text()
        self._line.clear()
        return given if is_given else None


def unlocked(attempt: Callable[[Ask], Opened], why: str = "") -> Opened:
    """Return what an attempt opens that may ask for a passphrase, again and again until it is right.

    Raises:
        NotUnlockedError: The dialog was closed.
    """
    says = ""

    def ask() -> str:
        given = Question(why, says, application().activeWindow()).answer()
        if given is None:
            raise NotUnlockedError
        return given

    while True:
        try:
            return attempt(ask)
        except (PassphraseNeededError, WrongPassphraseError) as fault:
            says = fault.what_happened


def passphrase_for_tracker(home: Path) -> str:
    """Return the passphrase for a tracker that is to be started, tried before it is handed on.

    Raises:
        NotUnlockedError: The dialog was closed.
    """

    def tried(ask: Ask) -> str:
        given = ask()
        place_of(home, lambda: given).load()
        return given

    return unlocked(tried, ", for the tracker that is started")
