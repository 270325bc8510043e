"""The power fails, and what the disk had only promised goes with it: nothing acknowledged is lost (R40).

The server's story is told once over a disk that notes all that is done to it. Then the power is cut behind
each of these doings, and the server is started on what a disk may hold of them.
"""

import os
import random
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.rule import rule
from tests.sync.server.faulty_disk import Forgetful, forgetful_disk
from tests.sync.server.story import A_SECOND_LATER, Story, Undisturbed, check_files, prepared, started, told


@contextmanager
def folders_noted(disk: Forgetful, root: Path) -> Iterator[None]:
    """Note on the forgetful disk what lies in a folder whenever that is synced; only then is it durable."""
    sync = os.fsync

    def note(handle: int) -> None:
        sync(handle)
        path = Path(f"/proc/self/fd/{handle}").readlink()
        if path.is_dir() and path.is_relative_to(root):
            there = {each.name: each.read_bytes() if each.is_file() else None for each in path.iterdir()}
            disk.folders.append((len(disk.done), path, there))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", note)
        yield


def lay_pictures(disk: Forgetful, folder: Path, cut: int) -> None:
    """Lay down, from `folder` on, what had become durable of the pictures' folders by then."""
    known = [there for at, path, there in disk.folders if at <= cut and path == folder]
    for name, content in (known[-1] if known else {}).items():
        if content is not None:
            (folder / name).write_bytes(content)
        elif folder.name != "server" or name == "pictures":
            (folder / name).mkdir()
            lay_pictures(disk, folder / name, cut)


@rule("R40")
@rule("R25")
@rule("R41")
def test_a_power_cut_that_loses_what_was_not_synced_loses_nothing_acknowledged(
    story: Story, undisturbed: Undisturbed, memory: Path
) -> None:
    """Cut behind every third write: each sector that was not synced may be there or not, in any mixture."""
    folder = prepared(memory / "server", undisturbed)
    acknowledged: list[int] = []
    with forgetful_disk() as disk, folders_noted(disk, folder):
        server = started(folder)
        for act in story.acts:
            act(server)
            acknowledged.append(len(disk.done))
        server.close()
    seed = secrets.randbits(32)
    print(f"{seed=}")
    chance = random.Random(seed)
    for cut in range(chance.randrange(3), len(disk.done) + 1, 3):
        shutil.rmtree(folder)
        folder.mkdir()
        lay_pictures(disk, folder, cut)
        (folder / "server.key").write_text(undisturbed.key)
        for name, content in disk.after_a_cut(cut, chance).items():
            (folder / name).write_bytes(content)
        known = sum(at <= cut for at in acknowledged)
        server = started(folder, A_SECOND_LATER)  # what was lost would be received later than it was
        assert known < 3 or server.picture(story.token, story.kept, 0, None).content, cut
        server.tidy()
        assert told(server, story)[:known] == undisturbed.answers[:known], (cut, disk.done[cut - 1][0])
        server.close()
        check_files(folder, story)
