"""A tracker that is started by itself, of a diary under a passphrase: a real process."""

import subprocess
import sys
from pathlib import Path

from capture.alone import holder, is_tracked
from tests.rule import rule


@rule("R49")
def test_the_tracker_of_a_diary_under_a_passphrase_is_started_with_it(tmp_path: Path) -> None:
    def diary(*words: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "diary.cli", "--home", str(tmp_path / "diary"), *words],
            input="correct horse battery\n",
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    diary("init", "--passphrase")
    diary("contract", "new", "Mill")
    try:
        diary("start", "Mill")
        assert is_tracked(tmp_path / "diary")
    finally:
        subprocess.run(["kill", str(holder(tmp_path / "diary") or 0)], check=False)
