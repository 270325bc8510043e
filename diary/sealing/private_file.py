"""Writing a small secret file so that it is there whole or not at all, for its owner alone (R49)."""

import contextlib
import os
import tempfile
from pathlib import Path

from diary.errors import MachineError

OWNER_ONLY = 0o600


class NotWrittenError(MachineError):
    """The disk did not take a file of keys (R49)."""

    says = "{path} could not be written: {because}."
    mend = "Free some space or mend the permissions of the folder, then try again. What was there stays."


def write_private(path: Path, content: bytes) -> None:
    """Replace the file at `path`, or make it, readable by its owner alone, and durably.

    Written beside it, synced, renamed over it, the folder synced: a power cut leaves the old or the new.

    Raises:
        NotWrittenError: The disk is full, or the folder cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, fresh = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # mode 0600
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            os.replace(fresh, path)  # noqa: PTH105  # `fresh` is mkstemp's text
        except OSError:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(fresh)  # noqa: PTH108  # as above
            raise
        sync_folder(path.parent)
    except OSError as error:
        raise NotWrittenError(path=path, because=error.strerror or error) from error


def remove_private(path: Path) -> None:
    """Remove a file, if it is there, and make the removal durable.

    Raises:
        NotWrittenError: The folder cannot be written.
    """
    try:
        path.unlink(missing_ok=True)
        sync_folder(path.parent)
    except OSError as error:
        raise NotWrittenError(path=path, because=error.strerror or error) from error


def is_for_owner_alone(path: Path) -> bool:
    """Return whether nobody but the owner may read the file; where there are no modes, True."""
    return os.name != "posix" or not path.stat().st_mode & 0o077


def sync_folder(folder: Path) -> None:
    """Make what was renamed or removed in a folder durable."""
    if os.name != "posix":  # Windows opens no folders
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
