"""A bundle is checked by its bytes alone: what is true holds, and no change of it passes (R59, R60)."""

import csv
import io
import json
import subprocess
import sys
import time
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from diary.evidence import bundle
from diary.evidence.bundle_zip import packed, unpacked
from diary.evidence.verify import verify
from diary.rules.ids import Millis
from diary.rules.json_form import at as instant
from diary.rules.week import starts_at_ms
from tests.bent_time import BentTime
from tests.diary.evidence.bundles import (
    SECRET_MEMO,
    TEN,
    Bundles,
    Made,
    bundles_in,
    failing,
    outcomes,
)
from tests.diary.pdf.printed import text_of
from tests.rule import rule

STEP = 13  # of the bytes that are flipped in a normal run; the soak flips all
FIXTURES = Path(__file__).parent / "fixtures"


@pytest.fixture(scope="module")
def given_bundles(tmp_path_factory: pytest.TempPathFactory) -> Bundles:
    return bundles_in(tmp_path_factory.mktemp("bundles"))


def flipped(whole: bytes, at: int) -> bytes:
    changed = bytearray(whole)
    changed[at] ^= 1 << (at % 8)
    return bytes(changed)


@rule("R59")
def test_an_honest_bundle_holds_in_all_its_lines(given_bundles: Bundles) -> None:
    for made in (given_bundles.open_week, given_bundles.one_slot, given_bundles.sealed, given_bundles.other):
        found = verify(made.whole, server_key=made.server_key)
        assert found.holds, [line for line in found.lines if line.outcome == "fails"]
        assert outcomes(found, "the server") == ["holds"]
        assert outcomes(found, bundle.SEGMENTS) == ["holds"]


@rule("R57")
def test_a_sealed_week_shows_that_nothing_was_left_out(given_bundles: Bundles) -> None:
    assert outcomes(verify(given_bundles.sealed.whole), "2026-W47") == ["holds"]
    assert outcomes(verify(given_bundles.open_week.whole), "2026-W47") == ["stated"]
    assert outcomes(verify(given_bundles.one_slot.whole), "2026-W47") == ["stated"]


@rule("R60")
def test_what_is_only_stated_is_said_to_be(given_bundles: Bundles) -> None:
    found = verify(given_bundles.sealed.whole)
    stated = {line.about for line in found.lines if line.outcome == "stated"}
    assert {"the server", "the record", bundle.REPORT} <= stated


@rule("R59")
def test_another_servers_bundle_is_told_by_its_key(given_bundles: Bundles) -> None:
    found = verify(given_bundles.sealed.whole, server_key="0" * 64)
    assert [line.about for line in found.lines if line.outcome == "fails"] == ["the server"]


def check_each_flip(made: Made, step: int) -> None:
    for at in range(0, len(made.whole), step):
        assert failing(flipped(made.whole, at)), f"byte {at}"


@rule("R59")
def test_a_flipped_byte_anywhere_is_found(given_bundles: Bundles) -> None:
    check_each_flip(given_bundles.sealed, STEP)


@pytest.mark.soak
@rule("R59")
def test_each_flipped_byte_of_each_bundle_is_found(given_bundles: Bundles) -> None:
    for made in (given_bundles.open_week, given_bundles.one_slot, given_bundles.sealed):
        check_each_flip(made, 1)


def check_each_flip_of_the_record(made: Made, step: int) -> None:
    """Flip the record's bytes as its maker could: with a manifest that is signed anew."""
    record = made.files[bundle.RECORD]
    for at in range(0, len(record), step):
        assert failing(made.with_file(bundle.RECORD, flipped(record, at))), record[max(0, at - 40) : at + 9]


@rule("R59")
def test_nor_can_its_maker_flip_a_byte_of_the_record(given_bundles: Bundles) -> None:
    check_each_flip_of_the_record(given_bundles.sealed, 97)


@pytest.mark.soak
@rule("R59")
def test_nor_can_its_maker_flip_any_byte_of_any_record(given_bundles: Bundles) -> None:
    for made in (given_bundles.open_week, given_bundles.one_slot, given_bundles.sealed):
        check_each_flip_of_the_record(made, 1)


@rule("R59")
def test_a_file_that_was_removed_added_renamed_or_swapped_is_named(given_bundles: Bundles) -> None:
    sealed, other = given_bundles.sealed, given_bundles.open_week
    files = sealed.files
    for name in files:
        without = {key: raw for key, raw in files.items() if key != name}
        assert name in dict(failing(packed(without)))
        renamed = {("other.csv" if key == name else key): raw for key, raw in files.items()}
        assert name in dict(failing(packed(renamed)))
        if name in other.files and other.files[name] != files[name]:
            found = dict(failing(packed({**files, name: other.files[name]})))
            assert name in found or bundle.SIGNATURE in found
    assert "added.csv" in dict(failing(packed({**files, "added.csv": b""})))


@rule("R59")
def test_a_picture_that_was_swapped_by_its_maker_is_named(given_bundles: Bundles) -> None:
    made = given_bundles.sealed
    first, second, *_ = sorted(name for name in made.files if name.startswith("pictures/"))
    swapped = {**made.files, first: made.files[second], second: made.files[first]}
    assert {first, second} <= set(dict(failing(made.signed_anew(swapped))))
    extra = {**made.files, "pictures/20261118T2300Z.avif": b"another picture"}
    assert "pictures/20261118T2300Z.avif" in dict(failing(made.signed_anew(extra)))


@rule("R58")
def test_each_changed_cell_is_named_by_line_and_column(given_bundles: Bundles) -> None:
    made = given_bundles.sealed
    for name in (bundle.SEGMENTS, bundle.TOTALS):
        rows = list(csv.reader(io.StringIO(made.files[name].decode(), newline="")))
        for line, row in enumerate(rows):
            for place, column in enumerate(rows[0]):
                changed = [list(each) for each in rows]
                changed[line][place] = row[place] + "x"
                text = io.StringIO(newline="")
                csv.writer(text, lineterminator="\r\n").writerows(changed)
                says = [said for about, said in failing(made.with_file(name, text.getvalue().encode()))]
                assert any(said.startswith(f"line {line + 1}, {column}: ") for said in says), (name, column)


@rule("R59")
def test_nothing_of_its_segments_can_be_left_out_of_a_sealed_week(given_bundles: Bundles) -> None:
    """Nor a deletion, a memo, or the terms: the seal says of each slot over which rows it was made."""
    made = given_bundles.sealed
    record = made.record
    headers = [json.loads(row.header) for row in record.versions]
    counting = {at for at, header in enumerate(headers) if header["type"] in {"terms", "capture", "entry"}}
    assert len(counting) == 1 + 4 * 2 + 1
    for at, row in ((at, record.versions[at]) for at in sorted(counting)):
        fewer = msgspec.structs.replace(record, versions=record.versions[:at] + record.versions[at + 1 :])
        left = {one.push for one in fewer.versions}
        fewer = msgspec.structs.replace(
            fewer, pushes={name: push for name, push in record.pushes.items() if name in left}
        )
        fails = failing(made.with_record(fewer))
        assert fails, row.header
        if headers[at]["type"] != "terms":
            time = f"{instant(starts_at_ms(headers[at]['slot'])):%Y-%m-%d %H:%M} UTC"
            assert (time, "the seal says otherwise of it than the rows that are here") in fails


@rule("R56")
def test_a_time_of_receipt_cannot_be_moved(given_bundles: Bundles) -> None:
    made = given_bundles.sealed
    record = made.record
    for at, row in enumerate(record.versions):
        later = msgspec.structs.replace(row, received_at_ms=Millis(row.received_at_ms - 1))
        changed = (*record.versions[:at], later, *record.versions[at + 1 :])
        ((about, says),) = failing(made.with_record(msgspec.structs.replace(record, versions=changed)))
        assert about.startswith(f"row {row.index}, ")
        assert "of the log with this content and this time of receipt" in says


@rule("R47")
def test_a_key_opens_its_own_version_and_no_other(given_bundles: Bundles) -> None:
    made = given_bundles.sealed
    record = made.record
    keys = [row.key for row in record.versions if row.key is not None]
    for at, row in enumerate(record.versions):
        if row.key is None:
            continue
        other = next(key for key in keys if key != row.key)
        wrong = msgspec.structs.replace(row, key=other)
        changed = (*record.versions[:at], wrong, *record.versions[at + 1 :])
        ((about, says),) = failing(made.with_record(msgspec.structs.replace(record, versions=changed)))
        assert about.startswith(f"row {row.index}, ")
        assert "is not the one that its header commits to" in says


@rule("R47")
def test_what_is_shown_of_one_slot_shows_nothing_of_the_others(given_bundles: Bundles) -> None:
    one, whole = given_bundles.one_slot, given_bundles.sealed
    shown = b"".join(one.files.values())
    assert b"the first hour" in shown
    assert SECRET_MEMO.encode() not in shown
    assert b"2026-11-18 10:10" not in shown
    assert "the first hour" in text_of(one.files[bundle.PRINT])
    assert SECRET_MEMO not in text_of(one.files[bundle.PRINT])
    keys = {row.key: json.loads(row.header).get("slot") for row in whole.record.versions if row.key}
    others = [key for key, slot in keys.items() if slot not in {TEN, None}]
    disclosed = {row.key for row in one.record.versions}
    assert len(others) >= 3
    assert not disclosed & set(others)
    for made in (one, whole):
        assert given_bundles.epoch_key not in b"".join(made.files.values())
        assert all(row.key != given_bundles.epoch_key for row in made.record.versions)
    sent = sum(len(push.hashes) for push in one.record.pushes.values())
    assert sent > 64, "what was sent beside it shows as hashes alone"


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.floats(allow_nan=False),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=3,
)


@rule("R59")
@settings(deadline=None, max_examples=60)
@given(place=st.integers(0, 1 << 20), value=ANYTHING)
def test_a_record_with_any_value_put_anywhere_is_refused_by_name(
    given_bundles: Bundles, place: int, value: object
) -> None:
    made = given_bundles.sealed
    record = json.loads(made.files[bundle.RECORD])
    paths = paths_in(record)
    *above, last = paths[place % len(paths)]
    holder = record
    for step in above:
        holder = holder[step]
    if holder[last] == value and type(holder[last]) is type(value):
        return
    holder[last] = value
    raw = json.dumps(record, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "replace")
    assert failing(made.with_file(bundle.RECORD, raw))


def paths_in(value: object, above: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    found: list[tuple[str | int, ...]] = []
    for key, inner in items:
        found += [(*above, key), *paths_in(inner, (*above, key))]
    return found


@rule("R59")
@given(st.binary(max_size=400))
def test_noise_is_no_bundle(noise: bytes) -> None:
    assert failing(noise)


@pytest.mark.parametrize("fixture", sorted(FIXTURES.glob("*.bundle.zip")), ids=lambda path: path.name)
@rule("R59")
def test_a_bundle_that_an_earlier_version_made_holds(fixture: Path) -> None:
    found = verify(fixture.read_bytes())
    assert found.holds, [line for line in found.lines if line.outcome == "fails"]


@rule("R59")
def test_a_bundle_of_each_format_holds_a_year_later(tmp_path: Path) -> None:
    """By the command, on a computer that knows nobody, a year after the newest of them was made."""
    newest_ms = max(
        bundle.read_manifest(unpacked(path.read_bytes())[bundle.MANIFEST]).made_at_ms
        for path in FIXTURES.glob("*.bundle.zip")
    )
    later = BentTime(max(newest_ms, int(time.time() * 1000)) + 365 * 24 * 3_600_000)
    environment = later.environment() | {"DIARY_HOME": str(tmp_path)}
    for path in sorted(FIXTURES.glob("*.bundle.zip")):
        command = [str(Path(sys.executable).parent / "diary"), "verify", str(path)]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, (path.name, done.stdout, done.stderr)
    assert list(tmp_path.iterdir()) == []


def test_there_is_a_bundle_of_each_format() -> None:
    formats = {int(path.name.split(".")[0].rpartition("-")[2]) for path in FIXTURES.glob("*.bundle.zip")}
    assert formats == set(range(1, bundle.FORMAT + 1))
