"""Attacks on an account over a real line: each is refused or alarmed by name, and shows nothing (R50)."""

import hashlib
import os
from collections.abc import Callable

import httpx
import msgspec
import pytest

from diary.evidence import signature
from diary.evidence.alarm import FeedFaultError
from diary.evidence.head import LogHead
from diary.evidence.merkle import push_hash
from diary.evidence.receipt import Cursor, LogRow, Page, SignedPush
from diary.rules.devices import DeviceListInClear, ListedDevice
from diary.rules.ids import ContractId, ReplicaId
from diary.rules.segment import Header, Sealed, parse_header
from diary.sealing.key_tree import Root
from diary.sealing.keyring import choose_place
from sync.enrolment import login
from sync.protocol import DeviceLists, Enrol, Pull, PullAnswer, Push, WireVersion
from sync.revocation import revoke
from sync.server.log import ServerKey
from sync.transport import Transport, TurnedAwayError
from tests.practice import record_slot, slot
from tests.rule import rule
from tests.sync.lying_line import LyingLine
from tests.sync.stage import Device, Stage, two_devices

NINE = slot("2026-11-18T09:00Z")
TEN = slot("2026-11-18T10:00Z")
SECRET = "a memo that nobody else may read"


def lied_to(stage: Stage, device: Device) -> LyingLine:
    """Put a lying line in the place of the device's."""
    line = LyingLine()
    device.line.close()
    device.line = Transport(stage.url, client=httpx.Client(transport=line, timeout=30), attempts=1)
    device.failing = line
    return line


def own_log(device: Device) -> ContractId:
    return ContractId(device.diary.account)


def pushed(device: Device, replica: ReplicaId, seed: bytes, *versions: WireVersion) -> Push:
    hashes = b"".join(
        hashlib.sha256(item.header.encode()).digest() + hashlib.sha256(item.body or b"").digest()
        for item in versions
    )
    signed = signature.sign(seed, signature.PUSH, hashes)
    return Push(account=device.diary.account, replica=replica, versions=list(versions), signature=signed)


@rule("R48")
@rule("R50")
def test_a_stolen_token_writes_nothing_and_reads_ciphertext_alone(stage: Stage) -> None:
    a, b, contract = two_devices(stage, [NINE])
    record_slot(a.diary, contract, TEN, memo=SECRET)
    a.sync()
    thief, failing = stage.line()
    thief.authorise(b.diary.account, b.diary.replica, b.diary.token)
    push = msgspec.json.encode(pushed(b, b.diary.replica, os.urandom(32)))
    with pytest.raises(TurnedAwayError, match="bad_signature"):
        thief.push(push)
    assert thief.pull(Pull(account=b.diary.account, cursors={})).pages
    assert SECRET.encode() not in b"".join(failing.traffic)
    thief.close()


@rule("R50")
def test_a_revoked_device_with_its_keys_and_its_token_gets_in_by_no_door(stage: Stage) -> None:
    a, b, _ = two_devices(stage, [NINE])
    keys, replica = b.diary._state.keys, b.diary.replica
    picture = b.segment((b.diary.contract("Practice").id, NINE)).snapshots[0].screen
    revoke(a.diary, a.line, a.diary.phrase() or "", replica)
    thief, _ = stage.line()
    thief.authorise(b.diary.account, replica, keys.token)
    known = newest_list(a)
    mine = ListedDevice(
        replica=ReplicaId(os.urandom(16).hex()),
        sign=signature.public_of(os.urandom(32)).hex(),
        box="0" * 64,
        successor_of=replica,
    )
    listed = msgspec.structs.replace(
        known, number=known.number + 1, signer=replica, devices=(*known.devices, mine)
    )
    raw = list_of(b, listed, mine.replica, 1)
    successor = WireVersion(header=raw.decode(), body=keys.sign(signature.DEVICE_LIST, raw), wrap=None)
    enrol = Enrol(push=pushed(b, mine.replica, os.urandom(32), successor), token_hash="00" * 32)
    doors: list[tuple[Callable[[], object], str]] = [
        (lambda: thief.pull(Pull(account=b.diary.account, cursors={})), "device_revoked"),
        (lambda: thief.push(msgspec.json.encode(pushed(b, replica, keys.sign_seed))), "device_revoked"),
        (lambda: thief.picture_part(picture, 0, 10), "device_revoked"),
        (lambda: thief.enrol(enrol), "bad_device_list"),
    ]
    for knock, word in doors:
        with pytest.raises(TurnedAwayError, match=word):
            knock()
    thief.close()


def list_of(device: Device, devices: DeviceListInClear, writer: ReplicaId, n: int) -> bytes:
    """Return a header of the account's own log that names these devices."""
    header = Header(
        v=1,
        type="device_list",
        account=device.diary.account,
        contract=own_log(device),
        replica=writer,
        n=n,
        head=None,
        devices=devices,
    )
    return header.to_bytes()


def newest_list(device: Device) -> DeviceListInClear:
    devices = parse_header(own_lists(device)[-1].header.encode()).devices
    assert devices is not None
    return devices


def with_signed_head(stage: Stage, page: Page) -> Page:
    """Return the page under a head that the server's own key signed."""
    key = ServerKey.at(stage.folder / "server" / "server.key")
    head = LogHead(
        contract=page.contract,
        log_epoch=page.head.log_epoch,
        size=page.head.size,
        root="0" * 64,
        at_ms=stage.clock.now_ms(),
    )
    return msgspec.structs.replace(page, signed_head=key.head(head))


def showing(
    stage: Stage, device: Device, raw: bytes, body: bytes, writer: ReplicaId, seed: bytes
) -> Callable[[PullAnswer], PullAnswer]:
    """Return what shows one row more in the account's own log, pushed as its writer would."""
    cursor, log = device.diary.cursors()[own_log(device)], own_log(device)
    hashes = hashlib.sha256(raw).digest() + hashlib.sha256(body).digest()
    push = SignedPush(replica=writer, hashes=hashes, signature=signature.sign(seed, signature.PUSH, hashes))
    row = LogRow(
        log_epoch=cursor.log_epoch,
        index=cursor.size,
        received_at_ms=device.clock.now_ms(),
        push=push_hash(push).hex(),
        header=raw.decode(),
        body_hash=hashlib.sha256(body).hexdigest(),
        body=body,
        wrap=None,
    )
    head = Cursor(cursor.log_epoch, cursor.size + 1)
    page = with_signed_head(stage, Page(contract=log, rows=[row], pushes={row.push: push}, head=head))
    return lambda answer: msgspec.structs.replace(answer, pages=[page])


@rule("R50")
def test_a_device_that_the_server_invents_is_an_alarm_and_no_device(stage: Stage) -> None:
    a, _, _ = two_devices(stage, [NINE])
    a.sync()
    seed = os.urandom(32)
    invented = ListedDevice(
        replica=ReplicaId(os.urandom(16).hex()), sign=signature.public_of(seed).hex(), box="0" * 64
    )
    known = newest_list(a)
    devices = msgspec.structs.replace(known, number=known.number + 1, devices=(*known.devices, invented))
    raw = list_of(a, devices, invented.replica, 1)
    forged = signature.sign(seed, signature.DEVICE_LIST, raw)
    lied_to(stage, a).pull = showing(stage, a, raw, forged, invented.replica, seed)
    before = [one.replica for one in a.diary.devices_seen()]
    with pytest.raises(FeedFaultError) as raised:
        a.sync()
    assert raised.value.kind == "device_list"
    assert [alarm.kind for alarm in a.diary.alarms()] == ["device_list"]
    assert [one.replica for one in a.diary.devices_seen()] == before


@rule("R50")
@rule("R56")
def test_a_server_that_takes_the_newest_list_back_is_an_alarm_to_a_device(stage: Stage) -> None:
    a, _, _ = two_devices(stage, [NINE])

    a.sync()
    head = Cursor(log_epoch=1, size=1)
    shorter = with_signed_head(stage, Page(contract=own_log(a), rows=[], pushes={}, head=head))
    lied_to(stage, a).pull = lambda answer: msgspec.structs.replace(answer, pages=[shorter])
    with pytest.raises(FeedFaultError) as raised:
        a.sync()
    assert raised.value.kind == "log_shrank"
    assert [alarm.kind for alarm in a.diary.alarms()] == ["log_shrank"]
    assert len(a.diary.devices_seen()) == 2


@rule("R50")
def test_who_logs_in_by_an_older_list_enrols_nobody(stage: Stage) -> None:
    a, _, _ = two_devices(stage, [NINE])
    first = [one for one in own_lists(a) if number_of(one) == 1]
    line = LyingLine()
    line.lists = lambda _: DeviceLists(versions=first)
    home = stage.folder / "lied-to"
    home.mkdir()
    place, phrase = choose_place(home, "file"), a.diary.phrase() or ""
    lying = Transport(stage.url, client=httpx.Client(transport=line, timeout=30), attempts=1)
    with pytest.raises(TurnedAwayError, match="bad_device_list"):
        login(home, lying, phrase, clock=a.clock, place=place, device_name="c")
    lying.close()
    a.sync()
    assert len(a.diary.devices_seen()) == 2
    assert a.diary.alarms() == ()


def own_lists(device: Device) -> list[WireVersion]:
    """Return the account's lists as the server shows them."""
    device.line.authorise(device.diary.account, device.diary.replica, device.diary.token)
    pages = device.line.pull(Pull(account=device.diary.account, cursors={})).pages
    (page,) = [page for page in pages if page.contract == own_log(device)]
    found = [Sealed(header=row.header.encode(), body=row.body, wrap=None) for row in page.rows]
    return [
        WireVersion(header=one.header.decode(), body=one.body, wrap=None)
        for one in found
        if parse_header(one.header).type == "device_list"
    ]


def number_of(version: WireVersion) -> int:
    devices = parse_header(version.header.encode()).devices
    assert devices is not None
    return devices.number


@rule("R50")
def test_another_list_of_the_same_number_is_an_alarm_though_the_root_signed_it(stage: Stage) -> None:
    a, b, _ = two_devices(stage, [NINE])
    phrase = a.diary.phrase() or ""
    stage.another(phrase)
    a.sync()
    forked = msgspec.structs.replace(newest_list(a), devices=newest_list(a).devices[:2])
    raw = list_of(a, forked, b.diary.replica, 900)
    body = Root.from_phrase(phrase).sign(signature.signed_message(signature.DEVICE_LIST, raw))
    keys = b.diary._state.keys
    lied_to(stage, a).pull = showing(stage, a, raw, body, b.diary.replica, keys.sign_seed)
    with pytest.raises(FeedFaultError, match="two lists have that number"):
        a.sync()
    assert [alarm.kind for alarm in a.diary.alarms()] == ["device_list"]
    assert len(a.diary.devices_seen()) == 3
