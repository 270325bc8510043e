"""What a diary does with a feed it does not believe, or gets twice (R40, R45, R48)."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from diary.evidence.alarm import FeedFaultError
from diary.evidence.receipt import Page
from sync.protocol import Pull
from tests.practice import slot
from tests.rule import rule
from tests.sync.stage import Device, Stage, stage_in, two_devices

TEN = slot("2026-11-18T10:00Z")


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    with stage_in(tmp_path) as stage:
        yield stage


def all_pages(device: Device) -> list[Page]:
    return device.line.pull(Pull(account=device.diary.account, cursors={})).pages


def new_pages(device: Device) -> list[Page]:
    return device.line.pull(Pull(account=device.diary.account, cursors=device.diary.cursors())).pages


@rule("R40")
def test_pages_that_come_twice_change_nothing(stage: Stage) -> None:
    a, b, contract = two_devices(stage, [TEN])
    a.diary.edit([(contract.id, TEN)], memo="second")
    a.sync()
    pages = new_pages(b)
    assert b.diary.take_pages(pages).rows == 1
    seen = b.segment((contract.id, TEN))
    assert b.diary.take_pages(pages).rows == 0
    assert b.diary.take_pages(all_pages(b)).rows == 0
    assert b.segment((contract.id, TEN)) == seen


@rule("R45")
def test_an_unbelievable_row_leaves_an_alarm_and_nothing_else(stage: Stage) -> None:
    a, b, contract = two_devices(stage, [TEN])
    a.diary.edit([(contract.id, TEN)], memo="second")
    a.sync()
    (page,) = new_pages(b)
    bent = msgspec.structs.replace(page, rows=[msgspec.structs.replace(page.rows[0], body=b"bent")])
    cursors = b.diary.cursors()
    for _ in range(2):
        with pytest.raises(FeedFaultError, match="was altered"):
            b.diary.take_pages([bent])
    assert b.diary.cursors() == cursors
    assert b.segment((contract.id, TEN)).memo == "first"
    assert [(alarm.kind, alarm.contract) for alarm in b.diary.alarms()] == [("bad_signature", contract.id)]
    assert b.diary.take_pages([page]).rows == 1


@rule("R42")
def test_a_name_that_comes_back_with_other_content_gives_alarm(stage: Stage) -> None:
    a, b, contract = two_devices(stage, [TEN])
    connection = b.diary._state.connection
    connection.execute("UPDATE version SET body_hash = zeroblob(32) WHERE type = 'capture'")
    connection.execute("UPDATE log_head SET size = 0 WHERE contract = ?", (contract.id,))
    with pytest.raises(FeedFaultError, match="held with other content"):
        b.diary.take_pages(new_pages(b))
    assert [alarm.kind for alarm in b.diary.alarms()] == ["version_reused"]
    assert a.diary.alarms() == ()
