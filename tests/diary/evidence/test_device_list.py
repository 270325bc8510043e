"""The numbered device list: what may follow, and what is an alarm."""

import hashlib

import msgspec
import pytest

from diary.evidence import device_list, signature
from diary.evidence.device_list import (
    DeviceListError,
    DeviceListForkError,
    UnsignedDeviceListError,
    account_of,
    check,
    check_chain,
    counts,
    device,
)
from diary.rules.devices import DeviceListInClear
from diary.rules.ids import ReplicaId
from diary.rules.segment import Header, Sealed, parse_header
from tests.rule import rule
from tests.vector_file import SealedText, raw, vectors

FAULTS: dict[str, type[DeviceListError]] = {
    "bad_signature": UnsignedDeviceListError,
    "fork": DeviceListForkError,
    "refused": DeviceListError,
}


class ListCase(msgspec.Struct, frozen=True):
    name: str
    known: DeviceListInClear | None
    sealed: SealedText
    expect: str


class Phrase(msgspec.Struct, frozen=True):
    root: str


class ListFile(msgspec.Struct, frozen=True):
    phrase: Phrase
    cases: list[ListCase]


FILE = vectors("device_list", ListFile)
ROOT = bytes.fromhex(FILE.phrase.root)
NAMED = {case.name: case for case in FILE.cases}
FIRST = NAMED["the first list, by the root"]
SECOND = NAMED["the root enrols a second device"]
SUCCESSOR = NAMED["a device adds its successor"]
REVOKED = NAMED["the root revokes a device"]


def sealed(case: ListCase) -> Sealed:
    return Sealed(header=case.sealed.header.encode(), body=raw(case.sealed.body), wrap=None)


def header(case: ListCase) -> Header:
    return parse_header(case.sealed.header.encode())


def checked(case: ListCase) -> DeviceListInClear:
    version = sealed(case)
    return check(header(case), version.header, version.body or b"", case.known)


@rule("R50")
@pytest.mark.parametrize("case", FILE.cases, ids=lambda case: case.name)
def test_a_list_follows_or_its_fault_is_named(case: ListCase) -> None:
    if case.expect == "follows":
        assert checked(case) == header(case).devices
        return
    with pytest.raises(DeviceListError) as fault:
        checked(case)
    assert type(fault.value) is FAULTS[case.expect]
    assert fault.value.exit_code == 5


@rule("R50")
def test_a_list_signed_by_the_same_seed_has_the_bytes_of_the_vectors() -> None:
    # The root of the vectors comes from a published phrase; its seed is derived once more in test_key_tree.
    version = sealed(FIRST)
    assert version.body is not None
    assert signature.verify(ROOT, signature.DEVICE_LIST, version.header, version.body)
    assert header(FIRST).to_bytes() == version.header


@rule("R50")
def test_the_account_is_half_of_the_hash_of_its_root() -> None:
    assert account_of(ROOT) == hashlib.sha256(ROOT).hexdigest()[:32] == header(FIRST).account


@rule("R50")
def test_a_device_that_joins_takes_the_roots_list_and_what_devices_added_since() -> None:
    newest = check_chain([sealed(SECOND), sealed(SUCCESSOR)], ROOT)
    assert newest == header(SUCCESSOR).devices


@rule("R50")
@pytest.mark.parametrize(
    ("versions", "because"),
    [
        ([], "there is none"),
        ([sealed(SUCCESSOR)], "the root did not sign it"),
        ([sealed(SECOND), sealed(FIRST)], "it goes back"),
        ([Sealed(header=b"{}", body=b"", wrap=None)], "missing required field"),
    ],
    ids=["nothing", "a device's word alone", "backwards", "no header"],
)
def test_a_device_that_joins_takes_no_list_on_a_devices_word(versions: list[Sealed], because: str) -> None:
    with pytest.raises(DeviceListError, match=because):
        check_chain(versions, ROOT)


@rule("R50")
def test_a_device_that_joins_takes_no_other_accounts_list() -> None:
    with pytest.raises(DeviceListError, match="not the phrase's"):
        check_chain([sealed(FIRST)], signature.public_of(bytes(32)))


@rule("R50")
def test_a_revoked_device_counts_up_to_its_revocation() -> None:
    devices = header(REVOKED).devices
    assert devices is not None
    revoked = devices.devices[0]
    assert revoked.revoked_from == 40
    assert [n for n in (1, 39, 40, 41) if counts(devices, revoked.replica, n)] == [1, 39]


@rule("R50")
def test_a_listed_device_is_found_and_another_is_not() -> None:
    devices = header(REVOKED).devices
    assert devices is not None
    stranger = ReplicaId("f" * 32)
    assert [device(devices, it.replica) for it in devices.devices] == list(devices.devices)
    assert device(devices, stranger) is None
    assert not counts(devices, stranger, 1)


@rule("R50")
def test_a_list_holds_as_many_devices_as_a_header_can() -> None:
    devices = header(FIRST).devices
    assert devices is not None
    one = devices.devices[0]
    many = tuple(
        msgspec.structs.replace(one, replica=ReplicaId(f"{at:032x}"))
        for at in range(device_list.DEVICES_MAX + 1)
    )
    crowded = msgspec.structs.replace(devices, devices=many)
    new = msgspec.structs.replace(header(FIRST), devices=crowded, replica=many[0].replica)
    with pytest.raises(DeviceListError, match="it lists 201 devices"):
        check(new, new.to_bytes(), b"", None)
