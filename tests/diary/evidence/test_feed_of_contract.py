"""What a reader of one contract believes, who knows nothing but the account's id (R45, R48, R50)."""

import pytest

from diary.evidence import signature
from diary.evidence.alarm import FeedFaultError
from diary.evidence.feed import Reader
from diary.evidence.list_leaf import leaf_body
from diary.evidence.receipt import Cursor
from diary.rules.devices import ListedDevice
from diary.rules.ids import ContractId
from diary.rules.segment import Header, Sealed
from tests.diary.evidence.test_feed import (
    ACCOUNT,
    CONTRACT,
    DESKTOP,
    LAPTOP,
    NAMES,
    Log,
    account_log,
    capture,
    device,
    list_version,
    reader,
)
from tests.rule import rule


def leaf(number: int, by: bytes, n: int, *devices: ListedDevice) -> tuple[Header, bytes]:
    """Return a leaf of the contract's log that shows a list which the root signed."""
    listed, signed = list_version(number, LAPTOP, number, *devices)
    header = Header(
        v=1,
        type="device_list",
        account=ACCOUNT,
        contract=CONTRACT,
        replica=NAMES[by],
        n=n,
        head=None,
        devices=listed.devices,
    )
    return header, leaf_body([Sealed(header=listed.to_bytes(), body=signed, wrap=None)])


def client() -> Reader:
    return Reader(ACCOUNT, None, {}, lists_from="contract")


def contract_log() -> Log:
    log = Log(CONTRACT)
    log.append(LAPTOP, leaf(1, LAPTOP, 2, device(LAPTOP)), capture(LAPTOP, 3))
    return log


@rule("R50")
def test_who_reads_one_contract_learns_its_devices_from_the_logs_first_row() -> None:
    checked = client().check(contract_log().page(), None)
    assert [row.header.type for row in checked] == ["device_list", "capture"]


@rule("R50")
def test_a_device_counts_for_a_client_from_the_leaf_that_names_it() -> None:
    log = contract_log()
    log.append(LAPTOP, leaf(2, LAPTOP, 4, device(LAPTOP), device(DESKTOP)))
    log.append(DESKTOP, capture(DESKTOP, 2))
    assert client().check(log.page(), None)[-1].header.replica == NAMES[DESKTOP]


@rule("R50")
def test_a_log_that_was_begun_before_lists_stood_in_it_is_read_by_its_first_one() -> None:
    log = Log(CONTRACT)
    log.append(LAPTOP, capture(LAPTOP, 2), leaf(1, LAPTOP, 3, device(LAPTOP)))
    assert len(client().check(log.page(), None)) == 2


@rule("R50")
def test_what_a_revoked_device_writes_later_is_an_alarm_to_a_client() -> None:
    log = contract_log()
    log.append(DESKTOP, leaf(2, DESKTOP, 1, device(LAPTOP, revoked_from=4), device(DESKTOP)))
    log.append(LAPTOP, capture(LAPTOP, 4))
    with pytest.raises(FeedFaultError) as raised:
        client().check(log.page(), None)
    assert raised.value.kind == "unlisted_device"


@rule("R50")
def test_an_older_list_that_comes_later_takes_nothing_back() -> None:
    # Two devices may write the leaf at once; the one that knew less may come second.
    log = contract_log()
    log.append(LAPTOP, leaf(3, LAPTOP, 4, device(LAPTOP), device(DESKTOP, revoked_from=9)))
    log.append(LAPTOP, leaf(2, LAPTOP, 5, device(LAPTOP), device(DESKTOP)))
    log.append(DESKTOP, capture(DESKTOP, 9))
    with pytest.raises(FeedFaultError) as raised:
        client().check(log.page(), None)
    assert raised.value.kind == "unlisted_device"


@rule("R50")
def test_a_device_that_the_server_invents_is_an_alarm_to_a_client() -> None:
    listed, _ = list_version(2, LAPTOP, 2, device(LAPTOP), device(DESKTOP))
    raw = listed.to_bytes()
    forged = Sealed(header=raw, body=signature.sign(DESKTOP, signature.DEVICE_LIST, raw), wrap=None)
    header, _ = leaf(2, DESKTOP, 1, device(LAPTOP), device(DESKTOP))
    log = contract_log()
    log.append(DESKTOP, (header, leaf_body([forged])))
    known = client()
    with pytest.raises(FeedFaultError) as raised:
        known.check(log.page(), None)
    assert raised.value.kind == "device_list"


@rule("R50")
def test_lists_that_fork_between_contract_and_account_are_an_alarm_to_a_device() -> None:
    log = Log(CONTRACT)
    log.append(LAPTOP, leaf(1, LAPTOP, 2, device(LAPTOP), device(DESKTOP)))
    with pytest.raises(FeedFaultError) as raised:
        reader().check(log.page(), None)
    assert raised.value.kind == "device_list"


@rule("R50")
def test_a_device_follows_the_accounts_log_alone() -> None:
    log = Log(CONTRACT)
    log.append(LAPTOP, leaf(2, LAPTOP, 2, device(LAPTOP), device(DESKTOP)))
    log.append(DESKTOP, capture(DESKTOP, 1))
    with pytest.raises(FeedFaultError) as raised:
        reader().check(log.page(), None)
    assert raised.value.kind == "unlisted_device"


@rule("R50")
def test_a_client_who_is_shown_no_list_believes_nothing() -> None:
    log = Log(CONTRACT)
    log.append(LAPTOP, capture(LAPTOP, 2))
    with pytest.raises(FeedFaultError) as raised:
        client().check(log.page(), None)
    assert raised.value.kind == "unlisted_device"


@rule("R45")
def test_a_client_who_reads_on_knows_the_list_of_before() -> None:
    log = contract_log()
    first = client()
    first.check(log.page(), None)
    log.append(LAPTOP, capture(LAPTOP, 4))
    later = Reader(ACCOUNT, first.devices, {}, lists_from="contract")
    assert len(later.check(log.page(2), Cursor(log_epoch=1, size=2))) == 1


@rule("R50")
def test_a_leaf_of_another_account_is_none_of_this_one() -> None:
    account = account_log()
    assert account.contract == ContractId(ACCOUNT)
    header, body = leaf(1, LAPTOP, 2, device(LAPTOP))
    stranger = Header(
        **{name: getattr(header, name) for name in header.__struct_fields__} | {"account": "f" * 32}
    )
    log = Log(CONTRACT)
    log.append(LAPTOP, (stranger, body))
    with pytest.raises(FeedFaultError) as raised:
        client().check(log.page(), None)
    assert raised.value.kind == "wrong_place"
