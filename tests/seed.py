"""The seed of what a run of all tests draws: each commit has its own, and a run of it is always the same."""

import subprocess
from pathlib import Path

SEED_BITS = 32


def seed_of_commit() -> int:
    """Return a number made of the commit that is checked out; 1 where git knows of none."""
    try:
        told = subprocess.run(
            ["git", "rev-parse", "HEAD"],
            cwd=Path(__file__).parent,
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return 1
    return int(told.stdout.strip(), 16) % (1 << SEED_BITS)
