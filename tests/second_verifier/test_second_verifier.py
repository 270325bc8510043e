"""A second verifier, in another language, says of every bundle what ours says (R59)."""

import json
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec
import pytest

from diary.evidence import bundle
from diary.evidence.bundle_zip import packed
from diary.evidence.verify import verify
from tests.diary.evidence.bundles import Bundles, bundles_in, parties_in
from tests.rule import rule

FIXTURES = Path(__file__).parents[1] / "diary" / "evidence" / "fixtures"
PROGRAM = Path(__file__).parent / "verify.mjs"
NODE = Path(sys.executable).parent / "node"


@pytest.fixture(scope="module")
def given_bundles(tmp_path_factory: pytest.TempPathFactory) -> Bundles:
    return bundles_in(tmp_path_factory.mktemp("bundles"))


def flipped(whole: bytes, at: int) -> bytes:
    changed = bytearray(whole)
    changed[at] ^= 1 << (at % 8)
    return bytes(changed)


def altered(given: Bundles) -> Iterable[tuple[str, bytes]]:
    """Yield bundles that were changed on their way, and such as their maker changed."""
    made = given.sealed
    files = made.files
    for at in range(5, len(made.whole), 701):
        yield f"byte-{at}", flipped(made.whole, at)
    record = files[bundle.RECORD]
    for at in range(3, len(record), 211):
        yield f"record-{at}", made.with_file(bundle.RECORD, flipped(record, at))
    for name in (bundle.SEGMENTS, bundle.TOTALS):
        for at in range(0, len(files[name]), 61):
            yield f"{name}-{at}", made.with_file(name, flipped(files[name], at))
    for number, name in enumerate(files):
        yield f"without-{number}", packed({key: raw for key, raw in files.items() if key != name})
        other = given.open_week.files.get(name, b"")
        if other != files[name]:
            yield f"swapped-{number}", packed({**files, name: other})
    yield "maker", made.signed_anew({**files, bundle.SEGMENTS: given.open_week.files[bundle.SEGMENTS] + b"x"})


def second_opinion(folder: Path, cases: Mapping[str, bytes]) -> dict[str, bool]:
    paths = []
    for name, whole in cases.items():
        paths.append(folder / f"{name}.zip")
        paths[-1].write_bytes(whole)
    done = subprocess.run([NODE, PROGRAM, *paths], capture_output=True, text=True, check=True)
    said = [json.loads(line) for line in done.stdout.splitlines()]
    return {Path(one["file"]).stem: one["holds"] for one in said}


@rule("R59")
def test_it_says_of_honest_bundles_that_they_hold(given_bundles: Bundles, tmp_path: Path) -> None:
    cases = {
        "open": given_bundles.open_week.whole,
        "slot": given_bundles.one_slot.whole,
        "sealed": given_bundles.sealed.whole,
        "other": given_bundles.other.whole,
    }
    assert second_opinion(tmp_path, cases) == dict.fromkeys(cases, True)


@rule("R59")
def test_it_reads_what_the_parties_said_of_a_week(tmp_path: Path) -> None:
    given = parties_in(tmp_path / "parties")
    record = given.whole_week.record
    rows = tuple(row for row in record.versions if '"acceptance"' not in row.header)
    pushes = {name: push for name, push in record.pushes.items() if name in {row.push for row in rows}}
    fewer = msgspec.structs.replace(record, versions=rows, pushes=pushes)
    cases = {
        "whole": given.whole_week.whole,
        "disputed": given.disputed.whole,
        "client's": given.clients.whole,
        "fewer": given.whole_week.with_record(fewer),
        "old": given.whole_week.with_record(msgspec.structs.replace(record, format=1)),
    }
    ours = {name: verify(whole).holds for name, whole in cases.items()}
    assert second_opinion(tmp_path, cases) == ours
    assert [name for name, holds in ours.items() if not holds] == ["fewer", "old"]


@rule("R59")
@pytest.mark.parametrize("fixture", sorted(FIXTURES.glob("*.bundle.zip")), ids=lambda path: path.name)
def test_it_reads_what_an_earlier_version_made(fixture: Path, tmp_path: Path) -> None:
    cases = {fixture.name.split(".")[0]: fixture.read_bytes()}
    assert second_opinion(tmp_path, cases) == dict.fromkeys(cases, True)


@rule("R59")
def test_it_finds_what_ours_finds(given_bundles: Bundles, tmp_path: Path) -> None:
    cases = dict(altered(given_bundles))
    ours = {name: verify(whole).holds for name, whole in cases.items()}
    assert second_opinion(tmp_path, cases) == ours
    assert not any(ours.values())
