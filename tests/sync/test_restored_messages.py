"""A server goes back to its backup, and the parties' messages come back to it with their files (R43, R68)."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from diary.messaging import NewFile
from diary.rules.ids import ContractId
from tests.rule import rule
from tests.sync.clients import invited, join_in
from tests.sync.restoring import RestoringStage, restoring_stage, sync_in_turn
from tests.sync.stage import Device, two_devices

PLAN = NewFile("plan.pdf", "application/pdf", b"%PDF " + bytes(range(256)) * 40)


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[RestoringStage]:
    with restoring_stage(tmp_path, None, None) as stage:
        yield stage


def texts(device: Device, contract: ContractId) -> list[str]:
    return [one.text for one in device.diary.conversation(contract).messages]


@rule("R43")
@rule("R68")
def test_messages_that_a_restored_server_lost_come_back_in_their_order_with_their_files(
    stage: RestoringStage,
) -> None:
    a, b, contract = two_devices(stage, [])
    client = join_in(stage, invited(a, contract))
    a.diary.send_message(contract.id, "kept by the backup")
    sync_in_turn(a, client, b, a)
    backup = stage.back_up()
    client.diary.send_message(contract.id, "lost by it", [PLAN])
    client.diary.mark_read(contract.id)
    sync_in_turn(client, a, b)
    a.diary.send_message(contract.id, "an answer, lost too")
    a.sync()
    stage.restore(backup)
    stage.say_restored()
    sync_in_turn(a, client, b, a, client, b)
    said = ["kept by the backup", "lost by it", "an answer, lost too"]
    assert texts(a, contract.id) == texts(b, contract.id) == texts(client, contract.id) == said
    third = stage.another(a.diary.phrase() or "")
    sync_in_turn(a, third, a, third)
    assert texts(third, contract.id) == said, "the server has them again"
    (file,) = third.diary.conversation(contract.id).messages[1].files
    assert third.diary.message_file(contract.id, file.sealed_name)[1] == PLAN.content
    assert a.diary.conversation(contract.id).messages[0].state == "read"
