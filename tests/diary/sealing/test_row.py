"""One sealed version: what opens, what does not, and how each fault is called."""

import hashlib

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from diary.errors import DamageError, DiaryError
from diary.rules.ids import AccountId, ContractId, ReplicaId, Slot
from diary.rules.segment import Header, Sealed, parse_header
from diary.sealing import row
from tests.rule import rule
from tests.vector_file import SealedText, raw, vectors

FAULTS: dict[str, type[DiaryError]] = {
    "wrong_key": row.WrongKeyError,
    "wrong_place": row.WrongPlaceError,
    "altered_body": row.AlteredBodyError,
    "altered_wrap": row.AlteredWrapError,
    "wrong_commitment": row.WrongCommitmentError,
    "bad_padding": row.BadPaddingError,
    "destroyed": row.ContentDestroyedError,
    "unreadable_header": row.UnreadableHeaderError,
    "altered_picture": row.AlteredPictureError,
}


class Sealing(msgspec.Struct, frozen=True):
    header: Header
    content: str
    epoch: int
    row_key: str
    wrap_nonce: str


class RowCase(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    epoch_key: str
    sealed: SealedText
    expect: str
    sealing: Sealing | None = None
    content: str = ""


class RowFile(msgspec.Struct, frozen=True):
    cases: list[RowCase]


class Place(msgspec.Struct, frozen=True):
    account: AccountId
    contract: ContractId
    slot: Slot | None
    replica: ReplicaId
    n: int
    index: int


class PictureCase(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    row_key: str
    place: Place
    ciphertext: str
    expect: str
    picture: str | None = None
    picture_name: str = ""
    padded_bytes: int = 0


class PictureFile(msgspec.Struct, frozen=True):
    cases: list[PictureCase]


ROWS = vectors("row", RowFile).cases
PICTURES = vectors("picture", PictureFile).cases
GOOD_ROWS = [case for case in ROWS if case.sealing is not None]
GOOD_PICTURES = [case for case in PICTURES if case.picture is not None]


def sealed(case: RowCase) -> Sealed:
    text = case.sealed
    return Sealed(header=text.header.encode(), body=raw(text.body), wrap=raw(text.wrap))


def place(case: PictureCase) -> row.PicturePlace:
    return row.PicturePlace(**msgspec.structs.asdict(case.place))


def flipped(whole: bytes, at: int) -> bytes:
    """Return `whole` with one bit flipped; `at` counts bits and may run over the end."""
    at %= len(whole) * 8
    return whole[: at // 8] + bytes([whole[at // 8] ^ 1 << at % 8]) + whole[at // 8 + 1 :]


@rule("R47")
@pytest.mark.parametrize("case", GOOD_ROWS, ids=lambda case: case.name)
def test_the_same_content_and_randomness_give_the_same_bytes(case: RowCase) -> None:
    given_ = case.sealing
    assert given_ is not None
    assert sealed(case) == row.seal(
        given_.header,
        bytes.fromhex(given_.content),
        epoch=given_.epoch,
        epoch_key=bytes.fromhex(case.epoch_key),
        row_key=bytes.fromhex(given_.row_key),
        wrap_nonce=bytes.fromhex(given_.wrap_nonce),
    )


@rule("R31")
@pytest.mark.parametrize("case", ROWS, ids=lambda case: case.name)
def test_a_search_reads_what_opens_and_nothing_of_what_is_altered(case: RowCase) -> None:
    found, key = sealed(case), bytes.fromhex(case.epoch_key)
    if found.body is None or found.wrap is None:
        return  # the search asks the file for what has its content
    rows = [(found.header, found.body, found.wrap, ContractId("c"), "beside")]
    [(glanced, of_row)] = row.glances(rows, lambda *_: key)
    assert of_row == rows[0]
    if case.expect != "wrong_commitment":  # which is looked at when what was found is shown
        assert glanced == (bytes.fromhex(case.content) if case.expect == "opens" else None)


@rule("R47")
@pytest.mark.parametrize("case", ROWS, ids=lambda case: case.name)
def test_a_version_opens_to_its_content_or_its_fault_is_named(case: RowCase) -> None:
    key = bytes.fromhex(case.epoch_key)
    if case.expect == "opens":
        assert row.open_row(sealed(case), key) == bytes.fromhex(case.content)
        return
    with pytest.raises(FAULTS[case.expect]) as fault:
        row.open_row(sealed(case), key)
    assert type(fault.value) is FAULTS[case.expect]
    assert fault.value.how_to_mend


@rule("R47")
@pytest.mark.parametrize("case", GOOD_ROWS, ids=lambda case: case.name)
def test_the_key_of_one_version_can_be_had_alone(case: RowCase) -> None:
    assert case.sealing is not None
    assert row.row_key(sealed(case), bytes.fromhex(case.epoch_key)).hex() == case.sealing.row_key


@rule("R46")
@pytest.mark.parametrize("case", GOOD_ROWS, ids=lambda case: case.name)
def test_what_lies_on_the_disk_shows_the_header_and_nothing_of_the_content(case: RowCase) -> None:
    version = sealed(case)
    parse_header(version.header)
    content = bytes.fromhex(case.content)
    assert version.body is not None
    for start in range(0, len(content) - 8, 4):
        assert content[start : start + 8] not in version.body
    assert len(version.body) == (len(content) // 256 + 1) * 256 + row.TAG_BYTES


@rule("R47")
@given(st.sampled_from(GOOD_ROWS), st.sampled_from(["header", "body", "wrap"]), st.integers(0, 2**20))
def test_any_flipped_bit_of_a_version_is_found(case: RowCase, part: str, at: int) -> None:
    version = sealed(case)
    damaged = msgspec.structs.replace(version, **{part: flipped(getattr(version, part), at)})
    with pytest.raises(DamageError):
        row.open_row(damaged, bytes.fromhex(case.epoch_key))


@rule("R47")
@given(st.permutations(GOOD_ROWS[1:2] + GOOD_ROWS[3:]), st.sampled_from(["header", "body", "wrap"]))
def test_no_part_of_a_version_can_take_the_place_of_another_versions(cases: list[RowCase], part: str) -> None:
    one, other = sealed(cases[0]), sealed(cases[1])
    mixed = msgspec.structs.replace(one, **{part: getattr(other, part)})
    with pytest.raises(DamageError):
        row.open_row(mixed, bytes.fromhex(cases[0].epoch_key))


@rule("R47")
@given(
    content=st.binary(max_size=2000),
    keys=st.binary(min_size=64, max_size=64),
    nonce=st.binary(min_size=12, max_size=12),
)
def test_whatever_was_sealed_comes_back(content: bytes, keys: bytes, nonce: bytes) -> None:
    header = parse_header(sealed(GOOD_ROWS[1]).header)
    version = row.seal(header, content, epoch=7, epoch_key=keys[:32], row_key=keys[32:], wrap_nonce=nonce)
    assert row.open_row(version, keys[:32]) == content
    assert parse_header(version.header).epoch == 7


@rule("R47")
@pytest.mark.parametrize("case", GOOD_PICTURES, ids=lambda case: case.name)
def test_the_same_picture_gives_the_same_bytes_and_name(case: PictureCase) -> None:
    assert case.picture is not None
    ciphertext = row.seal_picture(
        bytes.fromhex(case.picture), row_key=bytes.fromhex(case.row_key), place=place(case)
    )
    assert ciphertext.hex() == case.ciphertext
    assert row.picture_name(ciphertext) == case.picture_name
    assert row.padded_picture_bytes(ciphertext) == case.padded_bytes


@rule("R47")
@pytest.mark.parametrize("case", PICTURES, ids=lambda case: case.name)
def test_a_picture_opens_in_its_place_or_its_fault_is_named(case: PictureCase) -> None:
    ciphertext, key = bytes.fromhex(case.ciphertext), bytes.fromhex(case.row_key)
    if case.picture is not None:
        assert row.open_picture(ciphertext, row_key=key, place=place(case)).hex() == case.picture
        return
    with pytest.raises(FAULTS[case.expect]):
        row.open_picture(ciphertext, row_key=key, place=place(case))


@rule("R47")
@given(st.sampled_from(GOOD_PICTURES), st.integers(0, 2**20))
def test_any_flipped_bit_of_a_picture_is_found(case: PictureCase, at: int) -> None:
    damaged = flipped(bytes.fromhex(case.ciphertext), at)
    with pytest.raises(DamageError):
        row.open_picture(damaged, row_key=bytes.fromhex(case.row_key), place=place(case))
    assert row.picture_name(damaged) != case.picture_name


@rule("R48")
def test_the_hashes_that_a_push_signs_are_of_the_very_bytes() -> None:
    version = sealed(GOOD_ROWS[0])
    bare = msgspec.structs.replace(version, body=None, wrap=None)
    assert version.body is not None
    assert row.header_hash(version) == hashlib.sha256(version.header).digest()
    assert row.body_hash(version) == hashlib.sha256(version.body).digest()
    assert row.body_hash(bare) == hashlib.sha256(b"").digest()
