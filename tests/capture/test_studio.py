"""The studio: a real process before a real screen, one that dies, one that hangs, one that cannot start."""

import asyncio
import contextlib
import io
import os
import signal
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from PIL import Image

from capture.studio import ProcessStudio, Sitting
from diary.clock import SystemClock
from diary.rules.private import PrivateRule
from tests.capture.film import film_at
from tests.capture.painted import has_colour
from tests.desktop import Desktop
from tests.event_loop import run
from tests.rule import rule

ROOT = Path(__file__).parents[2]
ALL = Sitting("all")
CLOCK = SystemClock()


@rule("R13")
@pytest.mark.screen
def test_a_snapshot_comes_whole_from_a_process_that_is_gone_afterwards(desktop: Desktop) -> None:
    async def sit() -> None:
        studio = ProcessStudio(CLOCK)
        before_ms = CLOCK.now_ms()
        taken = await studio.take(ALL)
        assert taken
        assert before_ms <= taken.moment.wall_ms <= CLOCK.now_ms()
        assert taken.moment.boot == CLOCK.boot()
        assert (taken.application, taken.title, taken.no_picture) == ("XTerm", "Ledger — draft", None)
        (_, screen), (_, thumbnail) = taken.pictures
        assert Image.open(io.BytesIO(screen)).size == (1280, 800)
        assert Image.open(io.BytesIO(thumbnail)).size == (320, 200)
        assert _children() == set()

    run(sit())


@rule("R19")
@pytest.mark.screen
def test_a_studio_whose_tracker_was_killed_ends_without_a_word(desktop: Desktop) -> None:
    command = [sys.executable, "-m", "capture.studio"]
    studio = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT
    )
    assert studio.stdout is not None
    studio.stdout.close()
    studio.stdout = None
    _, said = studio.communicate(msgspec.msgpack.encode(ALL), timeout=60)
    assert (studio.returncode, said) == (0, b"")


@rule("R13")
@pytest.mark.screen
def test_a_camera_that_is_on_gives_one_frame_beside_the_screen(desktop: Desktop, tmp_path: Path) -> None:
    film = film_at(tmp_path / "camera.avi")

    async def sit() -> None:
        studio = ProcessStudio(CLOCK)
        taken = await studio.take(Sitting("all", camera=film))
        assert taken
        assert [role for role, _ in taken.pictures] == ["screen", "thumbnail", "camera"]
        masked = await studio.take(Sitting("all", (PrivateRule(application="XTerm"),), camera=film))
        assert masked
        assert masked.masked
        assert [role for role, _ in masked.pictures] == ["screen", "thumbnail"]
        gone = await studio.take(Sitting("all", camera=str(tmp_path / "none")))
        assert gone
        assert len(gone.pictures) == 2
        assert gone.camera_fault

    run(sit())


@rule("R12")
@pytest.mark.screen
def test_a_prepared_process_takes_the_picture_when_it_is_asked_and_not_before(desktop: Desktop) -> None:
    async def sit() -> None:
        studio = ProcessStudio(CLOCK)
        studio.prepare()
        studio.prepare()
        await _started()
        assert len(_children()) == 1
        await asyncio.sleep(1)
        desktop.retitle("at the moment")
        asked_ms = CLOCK.now_ms()
        taken = await studio.take(ALL)
        assert taken
        assert taken.title == "at the moment"
        assert taken.moment.wall_ms >= asked_ms

    run(sit())


@rule("R22")
@pytest.mark.screen
def test_what_is_private_never_comes_from_the_process(desktop: Desktop) -> None:
    async def sit() -> None:
        studio = ProcessStudio(CLOCK)
        rules = (PrivateRule(words="ledger"),)
        taken = await studio.take(Sitting("all", rules))
        assert taken
        assert (taken.masked, taken.application, taken.title) == (True, "", "")
        assert not has_colour(Image.open(io.BytesIO(taken.pictures[0][1])), (255, 255, 255))
        assert await studio.take(Sitting("all", rules, may_mask=False)) is None

    run(sit())


@rule("R16")
@pytest.mark.parametrize("deadly", [signal.SIGKILL, signal.SIGSTOP])
def test_a_process_that_dies_or_hangs_costs_one_picture(deadly: signal.Signals) -> None:
    async def sit() -> None:
        studio = ProcessStudio(CLOCK, seconds_max=0.5)
        studio.prepare()
        await _started()
        os.kill(next(iter(_children())), deadly)
        taken = await studio.take(ALL)
        assert taken
        assert (taken.no_picture, taken.pictures) == ("failed", ())
        assert _children() == set()

    run(sit())


@rule("R16")
def test_a_process_that_cannot_start_costs_one_picture(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "gone"))

    async def sit() -> None:
        studio = ProcessStudio(CLOCK)
        taken = await studio.take(ALL)
        assert taken
        assert taken.no_picture == "failed"
        studio.prepare()
        await studio.close()

    run(sit())


def test_what_was_prepared_in_vain_is_ended() -> None:
    async def sit() -> None:
        studio = ProcessStudio(CLOCK)
        studio.prepare()
        await _started()
        await studio.close()
        assert _children() == set()

    run(sit())


async def _started() -> None:
    while not _children():  # noqa: ASYNC110  # another process starts: nothing here could tell
        await asyncio.sleep(0.01)


def _children() -> set[int]:
    """Return the studio's processes that this one started."""
    found = set()
    for task in Path("/proc/self/task").iterdir():
        with contextlib.suppress(FileNotFoundError):  # a thread, or a child, may end while it is looked at
            for child in (task / "children").read_text(encoding="ascii").split():
                if b"capture.studio" in Path("/proc", child, "cmdline").read_bytes():
                    found.add(int(child))
    return found
