"""The device list in contracts' logs, as the server takes it: for readers, and for nobody's access (R50)."""

import msgspec
import pytest

from diary.evidence import signature
from diary.rules.ids import ContractId
from diary.rules.segment import parse_header
from sync.protocol import WireVersion
from tests.rule import rule
from tests.sync.server.author import Author
from tests.sync.server.conftest import Here
from tests.sync.server.process import reasons


def enrolled(here: Here) -> tuple[Author, Author]:
    """Return two devices of one account, with a contract of the first's whose log begins with the list."""
    first = Author()
    here.client.enrol(first)
    assert push(here, first, first.leaf(), first.terms()) == ["received"] * 2
    second = first.second_device()
    here.client.enrol(second)
    return first, second


def push(here: Here, author: Author, *versions: WireVersion) -> list[str]:
    return reasons(here.client.push(author, *versions))


@rule("R50")
def test_the_list_stands_in_a_contracts_log_and_moves_no_other(here: Here) -> None:
    first, second = enrolled(here)
    assert push(here, second, second.leaf()) == ["received"]
    logs = here.client.pull_all(first)
    assert [parse_header(text.encode()).type for text in logs[first.contract]] == [
        "device_list", "terms", "device_list",
    ]  # fmt: skip
    assert len(logs[ContractId(first.account)]) == 2


@rule("R50")
def test_an_older_list_in_a_contract_lets_no_revoked_device_back_in(here: Here) -> None:
    first, second = enrolled(here)
    leaf = first.leaf()  # it says list 1, in which nobody is revoked
    revoking = second.device_list(revoked={second.replica: 2})
    revoking_by_first = on(first, second, revoking)
    assert push(here, first, *revoking_by_first, leaf) == ["received"] * 2
    assert here.client.post("/v1/push", second.push(), second).status_code == 403
    assert here.client.pull(first).pages


def on(writer: Author, signer: Author, listed: WireVersion) -> list[WireVersion]:
    """Return a list that the root signed for `signer` as version of `writer`, signed anew."""
    header = parse_header(listed.header.encode())
    writer.devices = header.devices
    moved = msgspec.structs.replace(header, replica=writer.replica, n=next(writer.numbers)).to_bytes()
    body = signer.root.sign(signature.signed_message(signature.DEVICE_LIST, moved))
    return [WireVersion(header=moved.decode(), body=body, wrap=None)]


@rule("R50")
def test_a_list_that_the_root_did_not_sign_is_refused_in_a_contract_too(here: Here) -> None:
    first, second = enrolled(here)
    thief = Author()
    thief.devices, thief.account = second.devices, first.account
    thief.proof_of_devices = [msgspec.structs.replace(one, body=bytes(64)) for one in second.proof_of_devices]
    thief.replica, thief.keys, thief.contract = second.replica, second.keys, second.contract
    thief.numbers = second.numbers
    assert push(here, thief, thief.leaf()) == ["bad_signature"]


@rule("R50")
def test_a_list_that_forks_is_refused_in_a_contract_too(here: Here) -> None:
    first, _ = enrolled(here)
    other = Author(first.phrase, parse_header(first.leaf().header.encode()).devices)
    other.device_list()  # list 2 with another second device
    other.replica, other.keys, other.contract, other.numbers = (
        first.replica, first.keys, first.contract, first.numbers,
    )  # fmt: skip
    assert push(here, other, other.leaf()) == ["bad_header"]


@rule("R50")
def test_a_list_enters_no_other_accounts_contract(here: Here) -> None:
    first, _ = enrolled(here)
    stranger = Author()
    here.client.enrol(stranger)
    assert push(here, stranger, stranger.leaf(first.contract)) == ["not_yours"]


@rule("R50")
@pytest.mark.parametrize("kind", ["grant", "terms"])
def test_no_other_type_says_who_the_devices_are(here: Here, kind: str) -> None:
    first, second = enrolled(here)
    version = first.grant() if kind == "grant" else first.terms()
    header = parse_header(version.header.encode())
    forged = msgspec.structs.replace(header, devices=second.devices, contract=ContractId(first.account))
    smuggled = WireVersion(header=forged.to_bytes().decode(), body=version.body, wrap=version.wrap)
    assert push(here, first, smuggled) == ["bad_header"]
    assert here.client.pull(second).pages
