"""A week of 240 segments as a bundle: made, and checked (R59).

    python -m bench bundle

Beside each stands the least that could be done with the same bytes: the files hashed and put into a zip, and
the zip read and hashed again.
"""

import hashlib
import io
import os
import tempfile
import zipfile
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

from bench.figure import print_figure, print_paired
from capture.snapshot import encode
from diary.evidence.bundle_zip import unpacked
from diary.evidence.verify import verify
from diary.rules.ids import Slot
from diary.rules.week import Week
from sync.demo_pictures import SCENES, picture
from tests.practice import record_slot, slot
from tests.sync.stage import stage_in

SEGMENTS = 240
PICTURE_BYTES = 70_000  # a page of text and code at 1080p
FIRST = slot("2026-11-16T08:00Z")
ZONE = ZoneInfo("UTC")


def measure() -> None:
    with tempfile.TemporaryDirectory() as folder, stage_in(Path(folder)) as stage:
        device = stage.first()
        contract = device.diary.new_contract(title="Orchard", client="Orchard Ltd")
        for at in range(SEGMENTS):
            screen = os.urandom(PICTURE_BYTES)  # what a picture shows costs a bundle nothing
            record_slot(
                device.diary,
                contract,
                Slot(FIRST + at),
                memo=f"segment {at}",
                picture=screen,
                thumbnail=_thumbnail(at),
            )
        device.sync()
        make = partial(device.diary.bundle, contract, Week.of(FIRST), None, ZONE)
        whole = make().whole
        files = unpacked(whole)
        print_figure("bundle_bytes", [len(whole)], "bytes", segments=SEGMENTS, files=len(files))
        print_paired("bundle_made", make, "hash and zip", partial(_zip, files))
        print_paired("bundle_verified", partial(verify, whole), "unzip and hash", partial(_unzip, whole))


def _thumbnail(number: int) -> bytes:
    """Return what the tracker keeps of a screen to show beside its segment: the report prints it."""
    scene = SCENES[sorted(SCENES)[number % len(SCENES)]]
    return encode(picture(scene, number, masked=False)).thumbnail


def _zip(files: Mapping[str, bytes]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as writing:
        for name, content in files.items():
            hashlib.sha256(content).hexdigest()
            writing.writestr(name, content)
    return made.getvalue()


def _unzip(whole: bytes) -> list[str]:
    with zipfile.ZipFile(io.BytesIO(whole)) as reading:
        return [hashlib.sha256(reading.read(name)).hexdigest() for name in reading.namelist()]
