"""Headers and contents as bytes: what is read back, and what is refused (R32, R33, R35, R46)."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from diary.rules.act_parts import SLOT_END
from diary.rules.devices import DeviceListInClear, ListedDevice
from diary.rules.sealed_content import CaptureContent, EntryContent, MinuteCounts, content_bytes
from diary.rules.segment import (
    HEADER_BYTES_MAX,
    NUMBER_END,
    GrantInClear,
    Header,
    MalformedHeaderError,
    parse_header,
)
from tests.diary.rules.made import (
    ACCOUNT,
    COMMIT,
    CONTRACT,
    DESKTOP,
    LAPTOP,
    PICTURE,
    REPLICAS,
    SLOT,
    TERMS,
    capture,
    capture_content,
    entry,
    entry_content,
    said,
    terms,
)
from tests.rule import rule

TERMS_HEADER = Header(
    v=1, type="terms", account=ACCOUNT, contract=CONTRACT, replica=LAPTOP, n=1, head=None, terms=TERMS
)
GRANT = Header(
    v=1,
    type="grant",
    account=ACCOUNT,
    contract=CONTRACT,
    replica=LAPTOP,
    n=1,
    head=None,
    grant=GrantInClear(to=DESKTOP, epoch=1),
)
DEVICES = Header(
    v=1,
    type="device_list",
    account=ACCOUNT,
    contract=CONTRACT,
    replica=LAPTOP,
    n=1,
    head=None,
    devices=DeviceListInClear(
        number=1,
        root="00" * 32,
        recovery="01" * 32,
        signer="root",
        devices=(ListedDevice(replica=LAPTOP, sign="02" * 32, box="03" * 32),),
    ),
)


def changed(header: Header, **fields: Any) -> bytes:
    return msgspec.structs.replace(header, **fields).to_bytes()


@rule("R46")
@pytest.mark.parametrize(
    "header",
    [
        capture(),
        capture(pictures=0),
        entry(life=1, commit=None, epoch=None),
        entry(stamp=(5, DESKTOP), covers={DESKTOP: 3}),
        entry(head=(CONTRACT, 1, 7, COMMIT)),
        TERMS_HEADER,
        msgspec.structs.replace(TERMS_HEADER, terms=None, state="paused"),
        msgspec.structs.replace(TERMS_HEADER, terms=terms(manual_weeks=("2026-W47", "2026-W48"))),
        GRANT,
        DEVICES,
    ],
)
def test_a_header_is_read_back_as_it_was_written(header: Header) -> None:
    raw = header.to_bytes()
    assert parse_header(raw) == header
    assert parse_header(raw).to_bytes() == raw


entries = st.builds(
    entry,
    st.sampled_from(REPLICAS),
    st.integers(1, NUMBER_END - 1),
    covers=st.dictionaries(st.sampled_from(REPLICAS), st.integers(1, NUMBER_END - 1)),
    life=st.integers(0, 40),
    manual=st.booleans(),
    slot=st.integers(0, SLOT_END - 1),
    stamp=st.none() | st.tuples(st.integers(0, NUMBER_END - 1), st.sampled_from(REPLICAS)),
)


@rule("R35")
@given(entries)
def test_every_entry_within_its_bounds_is_read_back(header: Header) -> None:
    raw = header.to_bytes()
    assert parse_header(raw) == header
    assert parse_header(raw).name == (header.replica, header.n)


@rule("R46")
@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (b"", "truncated"),
        (b"\xff", "malformed|invalid"),
        (b"{}", "missing"),
        (b" " * (HEADER_BYTES_MAX + 1), "more than"),
        (capture().to_bytes()[:-1] + b',"colour":"red"}', "unknown field"),
        (changed(capture(), v=2), "format version 2"),
        (changed(capture(), account="AC" * 16), "32 hexadecimal"),
        (changed(capture(), replica="a" * 31), "32 hexadecimal"),
        (changed(capture(), n=0), "n counts from 1"),
        (changed(capture(), n=NUMBER_END), "n counts from 1"),
        (changed(capture(), commit="22"), "64 hexadecimal"),
        (changed(capture(), commit=None), "is sealed"),
        (changed(capture(), epoch=None), "is sealed"),
        (changed(capture(), slot=None), "names its slot"),
        (changed(capture(), slot=-1), "names its slot"),
        (changed(TERMS_HEADER, slot=SLOT), "only a capture or an entry"),
        (changed(capture(), slot=SLOT_END), "names its slot"),
        (changed(capture(), pictures=None), "lists its pictures"),
        (changed(capture(), pictures=(PICTURE,) * 9), "at most 8"),
        (changed(capture(), pictures=(("zz" * 32, 1),)), "a picture is named"),
        (changed(capture(), pictures=((PICTURE[0], 0),)), "a size over 0"),
        (changed(capture(), life=0), "no vector, life or claim"),
        (changed(capture(), vector={LAPTOP: 1}), "no vector, life or claim"),
        (changed(entry(), life=None), "a life from 0"),
        (changed(entry(), life=-1), "a life from 0"),
        (changed(entry(), manual=None), "claims manual time"),
        (changed(entry(), pictures=()), "has no pictures"),
        (changed(entry(), commit=None, epoch=None), "is sealed"),
        (changed(entry(life=1), commit=None), "is sealed"),
        (changed(entry(), vector=None), "its own name"),
        (changed(entry(), vector={DESKTOP: 2}), "its own name"),
        (changed(entry(), vector={LAPTOP: 3}), "its own name"),
        (changed(entry(), vector={LAPTOP: 2, DESKTOP: 0}), "numbers from 1"),
        (changed(entry(), vector={LAPTOP: 2, "desktop": 1}), "numbers from 1"),
        (changed(entry(), vector={LAPTOP: 2} | {f"{n:032x}": 1 for n in range(1000)}), "its own name"),
        (changed(entry(), stamp=(-1, LAPTOP)), "a stamp is"),
        (changed(entry(), stamp=(1, "laptop")), "a stamp is"),
        (changed(TERMS_HEADER, terms=None), "carries its own part"),
        (changed(TERMS_HEADER, terms=terms(limit_minutes=-10)), "not below 0"),
        (changed(TERMS_HEADER, terms=terms(rate_minor=-1)), "not below 0"),
        (changed(TERMS_HEADER, state="paused"), "carries its own part"),
        (changed(TERMS_HEADER, terms=None, state="paused", epoch=1, commit=COMMIT), "nothing sealed"),
        (changed(TERMS_HEADER, terms=None, state="ended"), "invalid enum"),
        (changed(TERMS_HEADER, terms=terms(manual_weeks=("2026-W48", "2026-W47"))), "in order, each once"),
        (changed(TERMS_HEADER, terms=terms(manual_weeks=("2026-W54",))), "written like"),
        (changed(TERMS_HEADER, terms=terms(currency="usd")), "three capital letters"),
        (changed(GRANT, grant=None), "carries its own part"),
        (changed(DEVICES, devices=None), "carries its own part"),
    ],
)
def test_what_is_no_header_is_refused_and_says_where(raw: bytes, says: str) -> None:
    with pytest.raises(MalformedHeaderError, match=f"(?i){says}"):
        parse_header(raw)


@rule("R46")
@given(st.binary(max_size=200) | st.dictionaries(st.text(), st.integers()).map(msgspec.json.encode))
def test_no_bytes_make_the_reader_fail_otherwise(raw: bytes) -> None:
    with pytest.raises(MalformedHeaderError):
        parse_header(raw)


@rule("R14")
@pytest.mark.parametrize(
    ("minute", "active"),
    [
        (MinuteCounts(0, 0, 0, False), False),
        (MinuteCounts(None, None, None, False), False),
        (MinuteCounts(1, 0, 0, False), True),
        (MinuteCounts(0, 1, 0, False), True),
        (MinuteCounts(0, 0, 1, False), True),
        (MinuteCounts(None, None, None, True), True),
    ],
)
def test_a_minute_is_active_if_any_of_the_four_says_so(minute: MinuteCounts, *, active: bool) -> None:
    assert minute.is_active is active


@rule("R32")
def test_contents_are_read_back_as_they_were_sealed() -> None:
    seen = capture_content(minutes=(None,) * 9 + (MinuteCounts(None, None, None, True),))
    words = entry_content(memo=said("tests", 5), label=None)
    assert msgspec.json.decode(content_bytes(seen), type=CaptureContent) == seen
    assert msgspec.json.decode(content_bytes(words), type=EntryContent) == words


@rule("R46")
def test_a_captures_header_and_content_stay_near_a_kilobyte() -> None:
    assert len(capture(slot=SLOT).to_bytes()) + len(content_bytes(capture_content())) < 1500
