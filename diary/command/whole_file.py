"""A file that is written for somebody: whole or not at all, and for its owner's eyes."""

import os
from pathlib import Path

from diary.errors import MachineError


class NotWrittenError(MachineError):
    """The file could not be written; nothing is left of it."""

    says = "{path} could not be written: {fault}."
    mend = "Free some space, or name another file."


def write_whole(file: Path, whole: bytes) -> None:
    """Write a file that only this user can read, in place of one that is there.

    Raises:
        NotWrittenError: It could not be; what stood there stands.
    """
    begun = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        handle = os.open(begun, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as opened:
            opened.write(whole)
            opened.flush()
            os.fsync(opened.fileno())
        begun.replace(file)
    except OSError as error:
        begun.unlink(missing_ok=True)
        raise NotWrittenError(path=file, fault=error.strerror or error) from error
