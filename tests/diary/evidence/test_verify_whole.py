"""No change of a bundle passes: every byte, every length, every file, by whoever changed it (R59).

In a normal run a sample of the places is tried, in a soak all; `FUZZ_SECONDS` says how long to fuzz.
"""

import os
import random
import time
from collections.abc import Iterator

import msgspec
import pytest

from diary.evidence import bundle
from diary.evidence.bundle import PictureFile
from diary.evidence.bundle_zip import packed
from diary.evidence.verify import verify
from tests.diary.evidence.bundles import Bundles, Made, bundles_in, failing, parties_in
from tests.rule import rule

SAMPLED = 61  # one of so many places is tried in a normal run
OTHERS = (1, 0x80, 0xFF)  # by which a byte is changed: least bit, greatest, all
# A verification of so small a bundle takes milliseconds: what takes this long hangs, on any machine.
SECONDS_MAX = 60
FUZZED_SAMPLE = 300
# Their words and looks are the maker's, who may choose others; all else is as the record makes it.
MAKERS_WORDS = frozenset({bundle.REPORT, bundle.PRINT, *bundle.STYLES})


@pytest.fixture(scope="module")
def given_bundles(tmp_path_factory: pytest.TempPathFactory) -> Bundles:
    return bundles_in(tmp_path_factory.mktemp("bundles"))


@pytest.fixture(scope="module")
def with_absent(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """Return a bundle of which some row is shown by its header alone, pictures and all (R54)."""
    return parties_in(tmp_path_factory.mktemp("parties")).whole_week


def check_each_byte(whole: bytes, step: int) -> None:
    for at in range(0, len(whole), step):
        for other in OTHERS:
            changed = bytearray(whole)
            changed[at] ^= other
            fails = failing(bytes(changed))
            assert fails, f"byte {at} changed by {other}"
            assert all(about for about, _ in fails), f"byte {at}: no place is named"


def check_each_length(whole: bytes, step: int) -> None:
    for length in range(0, len(whole), step):
        assert failing(whole[:length]), f"cut to {length} bytes"
        assert failing(whole[length + 1 :]), f"the first {length + 1} bytes are cut off"
        assert failing(whole[:length] + whole[length + 1 :]), f"byte {length} is left out"
        assert failing(whole[:length] + b"\0" + whole[length:]), f"a byte is put in at {length}"


def check_files(made: Made, other: Made) -> None:
    """Remove, add, rename and swap every file, as somebody on the way could and as its maker could."""
    files = made.files
    names = list(files)
    for name in names:
        without = {key: raw for key, raw in files.items() if key != name}
        assert name in dict(failing(packed(without)))
        for new in (f"{name}x", "pictures/new.avif", "zz.json"):
            renamed = {(new if key == name else key): raw for key, raw in files.items()}
            assert name in dict(failing(packed(renamed))), name
        for second in names:
            if files[second] != files[name]:
                swapped = {**files, name: files[second], second: files[name]}
                found = dict(failing(packed(swapped)))
                assert found.keys() & {name, second, bundle.MANIFEST, bundle.SIGNATURE}, (name, second)
                if not {name, second} & {bundle.MANIFEST, bundle.SIGNATURE} | MAKERS_WORDS & {name, second}:
                    assert failing(made.signed_anew(swapped)), (name, second)
        if other.files.get(name, files[name]) != files[name]:
            found = dict(failing(packed({**files, name: other.files[name]})))
            assert found.keys() & {name, bundle.SIGNATURE}, name
            if name not in MAKERS_WORDS | {bundle.MANIFEST, bundle.SIGNATURE}:
                assert failing(made.signed_anew({**files, name: other.files[name]})), name
    for added in ("added.csv", "pictures/20200101T0000Z.avif", "report.txt"):
        assert added in dict(failing(packed({**files, added: b"x"})))
        assert failing(made.signed_anew({**files, added: b"x"})), added


@rule("R59")
def test_a_changed_byte_and_a_cut_anywhere_are_found(given_bundles: Bundles) -> None:
    check_each_byte(given_bundles.sealed.whole, SAMPLED)
    check_each_length(given_bundles.sealed.whole, SAMPLED * 3)


@rule("R59")
def test_files_that_were_removed_added_renamed_or_swapped_are_found(given_bundles: Bundles) -> None:
    check_files(given_bundles.sealed, given_bundles.other)


@pytest.mark.soak
@pytest.mark.timeout(4 * 3600)
@rule("R59")
def test_each_byte_length_and_file_of_each_bundle(given_bundles: Bundles, with_absent: Made) -> None:
    for made in (given_bundles.one_slot, given_bundles.sealed, with_absent):
        check_each_byte(made.whole, 1)
        check_each_length(made.whole, 1)
        check_files(made, given_bundles.other)


@rule("R59")
def test_nothing_else_can_be_said_of_pictures_whose_row_is_not_shown(with_absent: Made) -> None:
    """The redacted segment's pictures are named by its header, which its device signed."""
    record = with_absent.record
    hidden = [row.header for row in record.versions if row.key is None and '"pictures"' in row.header]
    name, *_ = sorted(name for name in record.pictures if any(name in header for header in hidden))
    file = next(where.file for where in record.pictures.values() if where.file is not None)
    for at in range(len(name)):
        other = name[:at] + ("0" if name[at] != "0" else "1") + name[at + 1 :]
        said = {other if key == name else key: where for key, where in record.pictures.items()}
        changed = msgspec.structs.replace(record, pictures=said)
        assert failing(with_absent.with_record(changed)) == [
            (bundle.RECORD, f"it speaks of picture {other}, which no row names")
        ]
    for where in (PictureFile(file=file), PictureFile(), PictureFile(file=file, absent="missing")):
        changed = msgspec.structs.replace(record, pictures={**record.pictures, name: where})
        assert failing(with_absent.with_record(changed)) == [
            (bundle.RECORD, f"picture {name} is of a row whose content is not shown")
        ]


@rule("R59")
def test_slots_of_a_record_stand_in_order_and_once(given_bundles: Bundles) -> None:
    made = given_bundles.one_slot
    record = made.record
    assert record.slots is not None
    twice = msgspec.structs.replace(record, slots=(*record.slots, *record.slots))
    unsealed = msgspec.structs.replace(record, seal_proof=("0" * 64,))
    for changed in (twice, unsealed):
        assert [about for about, _ in failing(made.with_record(changed))] == [bundle.RECORD]


def mutated(raw: bytes, beside: bytes, chance: random.Random) -> bytes:
    """Return the bytes with some of them changed, cut, doubled, moved or taken from another file."""
    changed = bytearray(raw)
    for _ in range(chance.choice((1, 1, 1, 2, 5))):
        at = chance.randrange(len(changed) + 1)
        length = chance.choice((1, 1, 2, 4, 8, 64, 1000))
        kind = chance.randrange(7)
        if kind == 0:
            changed[at : at + length] = chance.randbytes(length)
        elif kind == 1:
            del changed[at : at + length]
        elif kind == 2:
            changed[at:at] = changed[at : at + length]
        elif kind == 3:
            start = chance.randrange(len(beside) + 1)
            changed[at : at + length] = beside[start : start + length]
        elif kind == 4:
            changed[at : at + 4] = chance.choice(
                (b"\xff\xff\xff\xff", b"\0\0\0\0", b"PK\x01\x02", b"\xff\xff\xff\x7f")
            )
        elif kind == 5:
            number = chance.choice(
                ("-1", "9" * 40, "1e999", "null", '"\\ud800"', "[" * 2000, "{}", "true", "1.5")
            )
            changed[at : at + length] = number.encode()
        elif at < len(changed):
            changed[at] ^= 1 << chance.randrange(8)
    return bytes(changed)


def fuzzed(bundles: Bundles, chance: random.Random) -> Iterator[tuple[str, bytes, bytes]]:
    """Yield bundles with one thing changed: on the way, or in any file by who can sign all anew."""
    made = (bundles.open_week, bundles.one_slot, bundles.sealed, bundles.other)
    while True:
        one, beside = chance.choice(made), chance.choice(made)
        name = chance.choice(["", "", *one.files])
        if not name:
            yield name, one.whole, mutated(one.whole, beside.whole, chance)
            continue
        raw = one.files[name]
        changed = mutated(raw, beside.files.get(name, beside.whole), chance)
        if name in {bundle.MANIFEST, bundle.SIGNATURE}:
            yield name, one.whole, packed({**one.files, name: changed})
        elif name not in MAKERS_WORDS:
            yield name, one.whole, one.with_file(name, changed)


def check_fuzzed(bundles: Bundles, chance: random.Random, seconds: float, tries: int) -> int:
    began, tried = time.monotonic(), 0
    for name, before, changed in fuzzed(bundles, chance):
        if tried >= tries or time.monotonic() - began > seconds:
            break
        if changed == before:
            continue
        tried += 1
        started = time.process_time()
        assert not verify(changed).holds, f"{name or 'the zip'}: {changed.hex()}"
        assert time.process_time() - started < SECONDS_MAX, f"{name or 'the zip'}: {changed.hex()}"
    return tried


@rule("R59")
def test_a_bundle_that_was_changed_by_chance_is_refused_without_a_crash(given_bundles: Bundles) -> None:
    assert check_fuzzed(given_bundles, random.Random(8), SECONDS_MAX, FUZZED_SAMPLE) > 0


@pytest.mark.soak
@pytest.mark.timeout(4 * 3600)
@rule("R59")
def test_nor_does_long_fuzzing_of_all_its_parts_find_a_crash(
    given_bundles: Bundles, capsys: pytest.CaptureFixture[str]
) -> None:
    seconds = float(os.environ.get("FUZZ_SECONDS", "1200"))
    seed = int(os.environ.get("FUZZ_SEED", "0")) or random.SystemRandom().randrange(1 << 32)
    tried = check_fuzzed(given_bundles, random.Random(seed), seconds, 1 << 40)
    with capsys.disabled():
        print(f"\nfuzzed with seed {seed}: {tried} bundles, none passed, none crashed")
