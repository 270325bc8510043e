"""What can go wrong, said so that the person it happens to can mend it.

An error's class says whose fault it is: the caller's (`UsageError`), a rule's answer to the caller
(`RefusedError`), the other side's (`PeerError`), stored bytes' (`DamageError`), this machine's
(`MachineError`). Every error carries what happened, how to mend it, and the exit status of the command
line (CLI.md). Expected answers of the protocol are values, not errors (`diary.rules.change.Refused`).
"""

from typing import ClassVar


class DiaryError(Exception):
    """The parent of every error that `diary` raises on purpose.

    `says` and `mend` are templates; `details` fills them. Use a subclass that names the fault.
    """

    says: ClassVar[str] = "Something went wrong."
    mend: ClassVar[str] = ""
    exit_code: ClassVar[int] = 1

    def __init__(self, **details: object) -> None:
        self.details = details
        super().__init__(self.what_happened)

    @property
    def what_happened(self) -> str:
        """Return the sentence that says what happened."""
        return self.says.format(**self.details)

    @property
    def how_to_mend(self) -> str:
        """Return the sentence that says what to do, or an empty string."""
        return self.mend.format(**self.details)

    @property
    def in_full(self) -> str:
        """Return what happened and what to do, as one piece of text."""
        return f"{self.what_happened} {self.how_to_mend}".rstrip()


class NothingError(DiaryError):
    """The answer is no: not tracking, nothing found, a check that does not hold."""

    exit_code = 1


class UsageError(DiaryError):
    """The caller can mend it: an unknown contract, a bad time, a wrong passphrase."""

    exit_code = 2


class RefusedError(DiaryError):
    """A rule refuses the act; `reason` is one of the words of CLI.md."""

    says = "{reason}: {because}"
    exit_code = 3

    @property
    def reason(self) -> str:
        """Return the refusal's word, first on stderr."""
        return str(self.details["reason"])


class DamageError(DiaryError):
    """Stored bytes do not hold: a file that is no diary, a row that does not open."""

    exit_code = 4


class PeerError(DiaryError):
    """The server cannot be reached or cannot be trusted, or broke the protocol.

    `passes`: the same may go through later though nobody mends anything.
    """

    exit_code = 5
    passes: ClassVar[bool] = False


class MachineError(DiaryError):
    """This machine failed: disk full, no permission, no display."""

    exit_code = 6
