"""A bundle's container: other programs open it, and each byte of it is accounted for (R59)."""

import io
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diary.evidence.bundle_zip import FILE_BYTES_MAX, ContainerError, packed, unpacked
from tests.rule import rule

FILES = {"manifest.json": b"{}", "pictures/20261118T0900Z.avif": b"picture" * 9, "segments.csv": b""}


@rule("R59")
def test_any_program_that_opens_zips_opens_it() -> None:
    with zipfile.ZipFile(io.BytesIO(packed(FILES))) as opened:
        assert opened.testzip() is None
        assert {name: opened.read(name) for name in opened.namelist()} == FILES


@rule("R59")
@given(
    st.dictionaries(st.from_regex(r"[a-z]{1,9}\.json", fullmatch=True), st.binary(max_size=60), min_size=1)
)
def test_what_was_packed_comes_out(files: dict[str, bytes]) -> None:
    assert unpacked(packed(files)) == files
    assert list(unpacked(packed(files))) == list(files)


@rule("R59")
def test_each_flipped_bit_of_each_byte_is_found() -> None:
    whole = packed(FILES)
    for at in range(len(whole)):
        for bit in range(8):
            changed = bytearray(whole)
            changed[at] ^= 1 << bit
            with pytest.raises(ContainerError):
                unpacked(bytes(changed))


@rule("R59")
def test_a_cut_or_longer_container_is_found_at_any_length() -> None:
    whole = packed(FILES)
    for length in range(len(whole)):
        with pytest.raises(ContainerError):
            unpacked(whole[:length])
    with pytest.raises(ContainerError):
        unpacked(whole + b"\0")


@rule("R59")
def test_a_changed_content_is_named_by_its_file() -> None:
    whole = packed(FILES).replace(b"picturepicture", b"pictureQicture", 1)
    with pytest.raises(ContainerError) as found:
        unpacked(whole)
    assert (found.value.where, found.value.because) == (
        "pictures/20261118T0900Z.avif",
        "its content was changed",
    )


@pytest.mark.parametrize(
    "name", ["../secret.json", "/etc/passwd.txt", "a/b.json", "con", "a" * 99 + ".json", "é.json"]
)
@rule("R59")
def test_a_path_that_leads_elsewhere_is_none(name: str) -> None:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as writing:
        writing.writestr(zipfile.ZipInfo(name), b"{}")
    with pytest.raises(ContainerError):
        unpacked(made.getvalue())
    with pytest.raises(ContainerError):
        packed({name: b""})


@rule("R59")
def test_what_unpacks_to_much_more_is_not_unpacked() -> None:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as writing:
        writing.writestr("record.json", bytes(FILE_BYTES_MAX + 1))
    assert len(made.getvalue()) < FILE_BYTES_MAX // 500
    with pytest.raises(ContainerError):
        unpacked(made.getvalue())


@rule("R59")
@given(st.binary(max_size=300))
def test_anything_else_is_refused_by_name(noise: bytes) -> None:
    with pytest.raises(ContainerError):
        unpacked(noise)
    with pytest.raises(ContainerError):
        unpacked(b"PK\x03\x04" + noise)
