"""Messages between a freelancer's devices and a client's replica, over a real server (R46, R47, R56, R68)."""

import os

import msgspec
import pytest

from diary.contracts import Contract
from diary.conversations import NoFileError
from diary.messaging import NewFile
from diary.rules.ids import ContractId
from diary.rules.sealed_content import MessageContent
from diary.store import versions
from sync.message_news import tell_news
from tests.practice import record_slot, slot
from tests.rule import rule
from tests.sync.clients import invited, join_in
from tests.sync.stage import Device, Stage, two_devices

PLAN = NewFile("orchard-plan.pdf", "application/pdf", b"%PDF " + bytes(range(256)) * 40)


def parties(stage: Stage) -> tuple[Device, Device, Device, Contract]:
    """Return two devices, the client's replica and their contract."""
    a, b, contract = two_devices(stage, ())
    client = join_in(stage, invited(a, contract))
    all_sync(a, b, client)
    return a, b, client, contract


def all_sync(*devices: Device) -> None:
    for device in devices * 2:
        device.sync()
        assert device.diary.alarms() == ()


def texts(device: Device, contract: ContractId) -> list[tuple[str, str, bool]]:
    """Return what is shown of a contract's messages: text, state, whether ours."""
    shown = device.diary.conversation(contract).messages
    return [(one.text, one.state, one.ours) for one in shown]


@rule("R68")
def test_both_parties_read_the_same_in_one_order_and_know_what_arrived(stage: Stage) -> None:
    a, b, client, contract = parties(stage)
    a.diary.send_message(contract.id, "The first page is done.")
    assert texts(a, contract.id) == [("The first page is done.", "waiting", True)]
    a.sync()
    assert texts(a, contract.id) == [("The first page is done.", "sent", True)]
    client.sync()
    client.diary.send_message(contract.id, "Thank you! And the second?")
    all_sync(client, a, b)
    here = [("The first page is done.", "delivered", True), ("Thank you! And the second?", "unread", False)]
    assert texts(a, contract.id) == texts(b, contract.id) == here
    assert client.diary.mark_read(contract.id) == 1
    assert client.diary.mark_read(contract.id) == 0, "what is read is not marked twice"
    all_sync(client, a, b)
    assert texts(b, contract.id)[0] == ("The first page is done.", "read", True)
    assert texts(client, contract.id)[0] == ("The first page is done.", "read", False)


@rule("R68")
def test_what_one_device_read_is_read_on_the_other(stage: Stage) -> None:
    a, b, client, contract = parties(stage)
    for text in ("one", "two", "three"):
        client.diary.send_message(contract.id, text)
    all_sync(client, a, b)
    assert a.diary.unread() == b.diary.unread() == {contract.id: 3}
    two = a.diary.conversation(contract.id).messages[1].name
    assert a.diary.mark_read(contract.id, two) == 2
    all_sync(a, b)
    assert b.diary.unread() == {contract.id: 1}
    assert b.diary.mark_read(contract.id) == 1
    assert a.diary.mark_read(contract.id, two) == 0, "an older mark takes nothing back"
    all_sync(b, a)
    assert a.diary.unread() == {}


@rule("R19")
@rule("R68")
def test_messages_written_offline_wait_in_order_and_arrive_once(stage: Stage) -> None:
    a, b, client, contract = parties(stage)
    for number in range(3):
        a.clock.put(a.clock.now_ms() + 1_000)
        a.diary.send_message(contract.id, f"offline {number}")
    b.diary.send_message(contract.id, "from the other device")
    b.sync()
    assert [state for _, state, _ in texts(a, contract.id)] == ["waiting"] * 3
    all_sync(a, client, b)
    order = ["from the other device", "offline 0", "offline 1", "offline 2"]
    for device in (a, b, client):
        assert [text for text, _, _ in texts(device, contract.id)] == order


@rule("R41")
@rule("R68")
def test_files_travel_sealed_and_open_on_the_other_side_byte_for_byte(stage: Stage) -> None:
    a, b, client, contract = parties(stage)
    other = NewFile("notes.txt", "text/plain", b"three trees\n")
    a.diary.send_message(contract.id, "", [PLAN, other])
    all_sync(a, client, b)
    for device in (client, b):
        (shown,) = device.diary.conversation(contract.id).messages
        assert [(file.name, file.media_type, file.size) for file in shown.files] == [
            (PLAN.name, PLAN.media_type, len(PLAN.content)), ("notes.txt", "text/plain", 12),
        ]  # fmt: skip
        opened = [device.diary.message_file(contract.id, file.sealed_name)[1] for file in shown.files]
        assert opened == [PLAN.content, other.content]
    back = NewFile("answer.bin", "application/octet-stream", os.urandom(20_000))
    client.diary.send_message(contract.id, "Here is mine.", [back])
    all_sync(client, a)
    (file,) = a.diary.conversation(contract.id).messages[1].files
    assert a.diary.message_file(contract.id, file.sealed_name)[1] == back.content


@rule("R47")
@rule("R68")
def test_a_file_is_found_by_its_own_contract_alone(stage: Stage) -> None:
    a, _, _, contract = parties(stage)
    a.diary.send_message(contract.id, "see", [PLAN])
    (file,) = a.diary.conversation(contract.id).messages[0].files
    with pytest.raises(NoFileError):
        a.diary.message_file(ContractId("0" * 32), file.sealed_name)
    with pytest.raises(NoFileError):
        a.diary.message_file(contract.id, "0" * 64)
    at = slot("2026-11-18T09:00Z")
    record_slot(a.diary, contract, at)
    (shot,) = a.diary.week(a.diary.weeks()[0]).segments[0].snapshots
    assert shot.screen is not None
    with pytest.raises(NoFileError):
        a.diary.message_file(contract.id, shot.screen)


@rule("R46")
@rule("R68")
def test_no_server_file_and_no_request_holds_a_word_a_name_or_a_byte_of_a_file(stage: Stage) -> None:
    a, b, client, contract = parties(stage)
    planted = b"marzipan-in-the-attachment" * 40
    named = NewFile("quince-secret.txt", "text/x-marigold", planted)
    a.diary.send_message(contract.id, "persimmon words for you", [named])
    a.diary.set_call(contract.id, "https://meet.example/tamarind")
    all_sync(a, client, b)
    client.diary.mark_read(contract.id)
    all_sync(client, a)
    traffic = b"".join(part for device in stage.devices for part in device.failing.traffic)
    stored = stage.stored_bytes()
    on_disk = b"".join(path.read_bytes() for path in stage.folder.rglob("*") if path.is_file())
    for secret in (b"persimmon", b"quince", b"marigold", b"tamarind", b"marzipan"):
        assert secret not in traffic
        assert secret not in stored
        assert secret not in on_disk
    assert b'"type":"message"' in stored.replace(b"\\", b""), "the search would find what is there"


@rule("R46")
@rule("R68")
def test_a_mark_of_what_was_read_looks_like_a_short_message_to_the_server(stage: Stage) -> None:
    a, _, client, contract = parties(stage)
    client.diary.send_message(contract.id, "ok")
    all_sync(client, a)
    a.diary.send_message(contract.id, "ok")
    a.diary.mark_read(contract.id)
    a.diary.set_call(contract.id, "https://meet.example/")
    rows = versions.slotless(a.diary._state.connection, "message", contract.id)
    mine = [row for row in rows if row.header.replica == a.diary.replica]
    assert len(mine) == 3
    assert len({len(row.sealed.body or b"") for row in mine}) == 1
    fields = [set(msgspec.json.decode(row.sealed.header)) for row in mine]
    assert {frozenset(each) for each in fields} == {
        frozenset({"v", "type", "account", "contract", "replica", "n", "head", "epoch", "commit"})
    }


@rule("R68")
def test_the_last_address_of_a_call_counts_for_both_parties(stage: Stage) -> None:
    a, b, client, contract = parties(stage)
    a.diary.set_call(contract.id, "https://meet.example/one")
    all_sync(a, client)
    assert client.diary.call(contract.id) == "https://meet.example/one"
    client.diary.set_call(contract.id, "https://meet.example/two")
    all_sync(client, a, b)
    assert a.diary.call(contract.id) == b.diary.call(contract.id) == "https://meet.example/two"


@rule("R56")
@rule("R68")
def test_each_message_names_the_newest_head_its_writer_knew(stage: Stage) -> None:
    a, _, client, contract = parties(stage)
    client.diary.send_message(contract.id, "hello")
    all_sync(client, a)
    a.diary.send_message(contract.id, "hello to you")
    rows = versions.slotless(a.diary._state.connection, "message", contract.id)
    head = rows[-1].header.head
    assert head is not None
    assert (head[0], head[2] > (rows[0].leaf_index or 0)) == (contract.id, True)


@rule("R42")
@rule("R68")
def test_a_message_that_waits_in_a_copied_diary_goes_out_once_under_its_new_name(stage: Stage) -> None:
    a, _, client, contract = parties(stage)
    a.diary.send_message(contract.id, "written before the copy", [PLAN])
    before = a.diary.replica
    a.diary.renew()
    all_sync(a, client)
    assert a.diary.replica != before
    (shown,) = client.diary.conversation(contract.id).messages
    assert (shown.text, shown.name[0]) == ("written before the copy", a.diary.replica)
    opened = client.diary.message_file(contract.id, shown.files[0].sealed_name)
    assert opened[1] == PLAN.content


@rule("R47")
@rule("R68")
def test_a_message_that_does_not_fit_its_header_is_shown_as_defective_and_says_nothing(stage: Stage) -> None:
    a, _, client, contract = parties(stage)
    from diary import messaging

    forged = MessageContent(
        contract=ContractId("0" * 32), kind="text", written_at_ms=a.diary.now_ms(), text="x"
    )
    with a.diary._state.writing():
        messaging._write_row(a.diary._state, contract.id, forged)
    all_sync(a, client)
    (shown,) = client.diary.conversation(contract.id).messages
    assert (shown.text, shown.state) == ("", "unread")
    assert shown.fault == "The message is defective: it was sealed for another contract."


@rule("R68")
def test_news_is_told_once_and_counts_what_came_since(stage: Stage) -> None:
    a, b, client, contract = parties(stage)
    assert a.diary.message_news() == ()
    client.diary.send_message(contract.id, "first")
    client.diary.send_message(contract.id, "second")
    all_sync(client, a, b)
    (told,) = a.diary.message_news()
    assert (told.contract, told.count, told.text) == (contract.id, 2, "second")
    assert a.diary.message_news() == ()
    client.diary.send_message(contract.id, "third")
    all_sync(client, a, b)
    assert [(one.count, one.text) for one in a.diary.message_news()] == [(1, "third")]
    a.diary.mark_read(contract.id)
    all_sync(a, b)
    assert b.diary.message_news() == (), "what was read on another device is no news"


@rule("R68")
def test_the_state_counts_what_nobody_here_has_read(stage: Stage) -> None:
    a, b, client, contract = parties(stage)
    client.diary.send_message(contract.id, "hello")
    all_sync(client, a, b)
    assert (a.diary.status().unread, a.diary.attention().unread, client.diary.status().unread) == (1, 1, 0)
    b.diary.mark_read(contract.id)
    all_sync(b, a)
    assert a.diary.status().unread == 0


@rule("R68")
def test_messages_that_came_are_said_once_with_their_sender(stage: Stage) -> None:
    a, _, client, contract = parties(stage)
    client.diary.send_message(contract.id, "hello")
    client.diary.send_message(contract.id, "and again")
    all_sync(client, a)
    a.diary.set_setting("notify_messages", "off")
    said: list[str] = []
    tell_news(a.diary, said.append)
    tell_news(a.diary, said.append)
    assert said == ["2 messages from the client on Practice: diary messages “Practice”."]
