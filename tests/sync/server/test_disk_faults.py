"""The server's disk fails at every write: nothing acknowledged is lost, nothing counts twice (R40).

One story is told to the server again and again, each time over a disk that fails at another passage. What
fails is answered by its word; told once more, the story ends as if nothing had happened.
"""

import shutil
import subprocess
from pathlib import Path

import pytest

from diary.errors import MachineError
from tests.rule import rule
from tests.small_disk import small_disk
from tests.sync.server.faulty_disk import Disk, Failure, faulty_disk
from tests.sync.server.story import (
    A_SECOND_LATER,
    Answer,
    Story,
    Undisturbed,
    check_files,
    prepared,
    started,
    told,
    tried,
)

SAMPLE = 5  # passages from one sampled to the next; make soak visits all
KINDS: tuple[tuple[Failure, bool], ...] = (
    ("full", False),
    ("full", True),
    ("short", True),
    ("broken", False),
)


def disturbed(folder: Path, disk: Disk, story: Story) -> list[Answer]:
    """Tell the story until the disk fails; return what was answered, and leave the files as they lay."""
    answers: list[Answer] = []
    try:
        server = started(folder)
    except MachineError:
        disk.fails_at = 0
        return answers
    for act in story.acts:
        answer = tried(act, server)
        if answer is None:
            break
        answers.append(answer)
    goes_on, disk.fails_at = disk.fails_at % 2, 0
    if not goes_on:
        # A power cut, perhaps in the middle: what lies there is all that there is.
        aside = folder.with_name("as-it-lay")
        shutil.copytree(folder, aside, ignore=shutil.ignore_patterns("*-shm"))
        server.close()
        shutil.rmtree(folder)
        aside.rename(folder)
        return answers
    told(server, story)  # the same process goes on when there is room again
    server.close()
    return answers


def check_a_failure(
    folder: Path, story: Story, undisturbed: Undisturbed, at: int, kind: tuple[Failure, bool]
) -> None:
    prepared(folder, undisturbed)
    right = undisturbed.answers
    with faulty_disk() as disk:
        disk.fails_at, (disk.failure, disk.stays) = at, kind
        answers = disturbed(folder, disk, story)
        where = disk.labels[at - 1]
        assert answers == right[: len(answers)], (kind, where)
        server = started(folder, A_SECOND_LATER)  # what was lost would be received later than it was
        server.tidy()
        assert told(server, story)[: len(answers)] == answers, (kind, where)
        server.close()
    check_files(folder, story)
    shutil.rmtree(folder)


@rule("R40")
@rule("R25")
@pytest.mark.parametrize("kind", KINDS)
def test_a_disk_that_fails_loses_nothing_and_doubles_nothing(
    story: Story, undisturbed: Undisturbed, memory: Path, kind: tuple[Failure, bool]
) -> None:
    assert undisturbed.passages > 100
    for at in range(1 + KINDS.index(kind), undisturbed.passages + 1, SAMPLE):
        check_a_failure(memory / "failing", story, undisturbed, at, kind)


@pytest.mark.soak
@rule("R40")
@rule("R25")
@pytest.mark.parametrize("kind", KINDS)
def test_a_disk_that_fails_at_any_passage_loses_nothing_and_doubles_nothing(
    story: Story, undisturbed: Undisturbed, memory: Path, kind: tuple[Failure, bool]
) -> None:
    for at in range(1, undisturbed.passages + 1):
        check_a_failure(memory / "failing", story, undisturbed, at, kind)


@rule("R40")
@rule("R41")
@pytest.mark.parametrize("files_max", [1000, *range(2, 6)])
def test_a_full_folder_of_pictures_takes_nothing_half_and_goes_on_when_there_is_room(
    story: Story, undisturbed: Undisturbed, memory: Path, files_max: int
) -> None:
    """Filled to each page that a story of two pictures takes; then to each file and folder that it makes."""
    folder = prepared(memory / "server", undisturbed)
    room = 64 * 1024
    for left in range(0, 32 * 1024, 4096) if files_max == 1000 else [room]:
        with small_disk(folder / "pictures", kibibytes=room // 1024, files_max=files_max) as disk:
            filler = disk / "filler"
            filler.write_bytes(bytes(room - left))
            server = started(folder)
            failed = 0
            for act in story.acts:
                if tried(act, server) is None:
                    failed += 1
                    filler.unlink()
                    subprocess.run(["mount", "-o", "remount,nr_inodes=1000", str(disk)], check=True)
                    act(server)
            assert failed == (left < 8 * 4096 or files_max < 1000)
            assert told(server, story) == undisturbed.answers
            server.close()
            check_files(folder, story)
        for path in folder.glob("server.db*"):
            path.unlink()
