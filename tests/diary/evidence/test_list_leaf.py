"""The device list in a contract's log: what proves it to a reader who has nothing else (R50)."""

import msgspec
import pytest

from diary.evidence import list_leaf
from diary.evidence.device_list import DeviceListError, DeviceListForkError, UnsignedDeviceListError
from diary.evidence.list_leaf import check_leaf, leaf_body, since_root
from diary.rules.devices import DeviceListInClear
from diary.rules.segment import Sealed, parse_header
from tests.rule import rule
from tests.vector_file import SealedText, raw, vectors

FAULTS: dict[str, type[DeviceListError]] = {
    "bad_signature": UnsignedDeviceListError,
    "fork": DeviceListForkError,
    "refused": DeviceListError,
}


class LeafCase(msgspec.Struct, frozen=True):
    name: str
    known: DeviceListInClear | None
    sealed: SealedText
    expect: str


class LeafFile(msgspec.Struct, frozen=True):
    cases: list[LeafCase]


FILE = vectors("list_leaf", LeafFile)
NAMED = {case.name: case for case in FILE.cases}
SUCCESSOR = NAMED["a successor's list, proven since the root's last"]


def checked(case: LeafCase) -> DeviceListInClear:
    return check_leaf(parse_header(case.sealed.header.encode()), raw(case.sealed.body) or b"", case.known)


@rule("R50")
@pytest.mark.parametrize("case", FILE.cases, ids=lambda case: case.name)
def test_a_leaf_proves_its_list_or_its_fault_is_named(case: LeafCase) -> None:
    if case.expect == "proven":
        assert checked(case) == parse_header(case.sealed.header.encode()).devices
        return
    with pytest.raises(DeviceListError) as fault:
        checked(case)
    assert type(fault.value) is FAULTS[case.expect]


@rule("R50")
def test_a_leafs_body_is_written_as_the_vectors_have_it() -> None:
    body = raw(SUCCESSOR.sealed.body) or b""
    proof = msgspec.json.decode(body, type=list_leaf.LeafBody)
    lists = [Sealed(header=one.header.encode(), body=one.signature, wrap=None) for one in proof.lists]
    assert leaf_body(lists) == body
    named = [parse_header(one.header).devices for one in lists]
    assert since_root([one for one in named if one is not None]) == 0


@rule("R50")
def test_a_proof_holds_no_more_lists_than_there_may_be_devices() -> None:
    header = parse_header(SUCCESSOR.sealed.header.encode())
    lists = msgspec.json.decode(raw(SUCCESSOR.sealed.body) or b"", type=list_leaf.LeafBody).lists
    body = msgspec.json.encode(list_leaf.LeafBody(lists=lists * 101))
    with pytest.raises(DeviceListError, match="over 200 lists"):
        check_leaf(header, body, None)
