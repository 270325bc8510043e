"""A device shows a restored server what that had refused for good: it refuses it again (R40, R43)."""

import httpx
import msgspec
import pytest

from diary.contracts import Contract
from diary.evidence.receipt import Receipt, Refusal
from sync.protocol import PushAnswer
from tests.practice import record_slot, slot
from tests.rule import rule
from tests.sync.restoring import RestoringStage
from tests.sync.stage import AFTER_THE_LOCK, Device, two_devices

TEN = slot("2026-11-18T10:00Z")
ELEVEN = slot("2026-11-18T11:00Z")


def answered(stage: RestoringStage, device: Device, push: bytes) -> list[Receipt | Refusal]:
    """Return what the server answers to a push that comes once more, delayed on the way."""
    headers = device.line._headers
    answer = httpx.post(f"{stage.url}/v1/push", content=push, headers=headers)
    signed = msgspec.json.decode(answer.content, type=PushAnswer).answers
    return msgspec.json.decode(signed.text, type=list[Receipt | Refusal])


def last_push(device: Device) -> bytes:
    traffic = device.failing.traffic
    return [traffic[at + 2] for at in range(0, len(traffic), 4) if traffic[at].endswith(b"/v1/push")][-1]


def refused_edit(stage: RestoringStage, device: Device, contract: Contract) -> bytes:
    """Have an edit refused that was typed in time and came too late; return the push."""
    device.diary.edit([(contract.id, TEN)], memo="typed in time, sent too late")
    stage.put_clocks(AFTER_THE_LOCK)
    device.sync()
    (kept,) = device.diary.refusals()
    assert kept.reason == "week_locked"
    return last_push(device)


@rule("R40")
@rule("R43")
@pytest.mark.parametrize("said", [True, False], ids=["its operator says so", "nobody says so"])
def test_a_server_that_lost_a_refusal_and_rows_gives_the_same_one_again(
    either: RestoringStage, *, said: bool
) -> None:
    stage = either
    a, b, contract = two_devices(stage, [TEN])
    backup = stage.back_up()
    record_slot(b.diary, contract, ELEVEN)
    b.sync()
    push = refused_edit(stage, a, contract)
    before = answered(stage, a, push)
    stage.restore(backup)
    if said:
        stage.say_restored()
    a.sync()
    b.sync()
    assert answered(stage, a, push) == before
    assert [kept.reason for kept in a.diary.refusals()] == ["week_locked"]
    assert (a.diary.alarms(), b.diary.alarms()) == ((), ())


@rule("R40")
@rule("R42")
@rule("R43")
def test_a_server_that_lost_nothing_but_a_refusal_gives_the_same_one_again(either: RestoringStage) -> None:
    stage = either
    a, _, contract = two_devices(stage, [TEN])
    backup = stage.back_up()
    push = refused_edit(stage, a, contract)
    before = answered(stage, a, push)
    stage.restore(backup)
    a.sync()
    assert answered(stage, a, push) == before
    assert a.diary.alarms() == ()
    a.failing.paths.clear()
    a.sync()
    assert a.failing.paths == ["POST /v1/pull"]  # it is shown once
