"""The camera's frame, from a file in a camera's place: this machine has no camera (R13)."""

import io
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from capture.camera import SIDE_MAX, CameraFault, take_frame, with_frame
from capture.draft import Snapshot
from diary.rules.ids import Millis
from diary.rules.sealed_content import Moment
from diary.settings import SETTINGS
from tests.capture.film import COLOUR, film_at
from tests.rule import rule

MOMENT = Moment(wall_ms=Millis(0), monotonic_ms=0, boot="given")
SHOWN = Snapshot(MOMENT, "editor", "ledger", pictures=(("screen", b"screen"), ("thumbnail", b"small")))


@pytest.fixture
def film(tmp_path: Path) -> str:
    return film_at(tmp_path / "camera.avi")


@rule("R13")
def test_the_camera_is_off_until_it_is_turned_on(film: str) -> None:
    assert SETTINGS["camera"].default is False
    assert with_frame(SHOWN, None) is SHOWN
    assert with_frame(None, film) is None


@rule("R13")
def test_one_frame_is_a_picture_of_its_own_and_small(film: str) -> None:
    shown = with_frame(SHOWN, film)
    assert shown is not None
    assert [role for role, _ in shown.pictures] == ["screen", "thumbnail", "camera"]
    assert shown.pictures[:2] == SHOWN.pictures
    with Image.open(io.BytesIO(shown.pictures[2][1])) as frame:
        assert max(frame.size) == SIDE_MAX
        middle = frame.convert("RGB").getpixel((frame.width // 2, frame.height // 2))
    assert isinstance(middle, tuple)
    assert all(abs(seen - meant) < 16 for seen, meant in zip(middle, COLOUR, strict=True))


@rule("R13")
@rule("R16")
@rule("R22")
@pytest.mark.parametrize(
    "snapshot",
    [
        replace(SHOWN, masked=True),
        Snapshot(MOMENT, no_picture="locked"),
        Snapshot(MOMENT, "editor", "ledger", no_picture="black"),
    ],
)
def test_what_is_masked_or_locked_has_no_frame(snapshot: Snapshot, film: str) -> None:
    assert with_frame(snapshot, film) == snapshot


@rule("R13")
def test_a_camera_that_gives_nothing_costs_the_frame_and_not_the_snapshot(tmp_path: Path) -> None:
    empty = tmp_path / "empty.avi"
    empty.write_bytes(b"")
    for source in (str(tmp_path / "video9"), str(empty)):
        shown = with_frame(SHOWN, source)
        assert shown is not None
        assert shown.pictures == SHOWN.pictures
        assert shown.camera_fault.startswith("The camera gave no frame: ")
        with pytest.raises(CameraFault):
            take_frame(source)
