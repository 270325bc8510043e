"""A disk that is soon full: a file system in memory, mounted for a test. Only root may mount one."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def small_disk(folder: Path, *, kibibytes: int, files_max: int = 1000) -> Iterator[Path]:
    """Mount a disk of that size on `folder`, made where it is missing, until the block ends."""
    folder.mkdir(parents=True, exist_ok=True)
    options = f"size={kibibytes}k,nr_inodes={files_max}"
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)], check=False, capture_output=True
    )
    if mounted.returncode:
        pytest.skip("only root may mount a small disk")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def fill(disk: Path, *, left: int = 0) -> Path:
    """Fill a disk but for so many bytes; return the file that takes the rest, to be removed."""
    there = os.statvfs(disk)
    filler = disk / "filler"
    filler.write_bytes(bytes(max(0, there.f_bavail * there.f_frsize - left)))
    return filler
