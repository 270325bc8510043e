"""What a device shows to a restored server holds nothing that a server may not see (R43, R46)."""

import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.journeys.seen_by_server import (
    ASKED,
    SHOWN,
    Sent,
    headers_sent,
    parts_shown,
    unexpected_fields,
    unexpected_requests,
)
from tests.practice import slot
from tests.rule import rule
from tests.sync.restoring import RestoringStage, lost, restoring_stage, sync_in_turn
from tests.sync.stage import Device, two_devices
from tests.sync.test_billed_weeks import locked, work

TEN = slot("2026-11-18T10:00Z")


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[RestoringStage]:
    with restoring_stage(tmp_path, None, None) as stage:
        yield stage


def shown_by(*devices: Device) -> list[Sent]:
    """Return what went to the door at which lost rows are shown."""
    found = []
    for device in devices:
        traffic = device.failing.traffic
        for url, body in zip(traffic[::4], traffic[2::4], strict=True):
            path = urlsplit(url.decode()).path
            if path == "/v1/heal":
                found.append(Sent("POST", path, {}, body))
    return found


@rule("R43")
@rule("R46")
def test_each_field_of_what_is_shown_to_a_restored_server_is_listed_and_was_seen(
    stage: RestoringStage,
) -> None:
    a, b, _ = two_devices(stage, [TEN])
    paid = a.diary.new_contract(title="Orchard", client="Ada", rate_minor=6000)
    a.sync()
    reader = stage.another(a.diary.phrase() or "")
    backups = [stage.back_up()]
    work(a, paid, "2026-11-18T08:00Z", 2)
    sync_in_turn(a, b, reader)
    stage.restore(backups[0])
    sync_in_turn(b, a, b, reader)  # whose rows the reader read, it proves by their page

    backups.append(stage.back_up())
    locked(stage, a)
    sync_in_turn(b, reader)
    with reader.diary._state.writing():
        reader.diary._state.connection.execute("DELETE FROM page_proof")
    stage.restore(backups[1])
    sync_in_turn(reader, a, b, reader)
    assert (lost(a), lost(b)) == (0, 0)

    shown = shown_by(a, b, reader)
    assert unexpected_requests(shown) == set()
    assert unexpected_fields(headers_sent(shown)) == set()
    messages = [json.loads(each.body) for each in shown]
    assert {name for message in messages for name in message} == ASKED["/v1/heal"], "each was seen here"
    seen = {name: set[str]() for name in SHOWN}
    for message in messages:
        for name in SHOWN:
            for part in parts_shown(message.get(name)):
                seen[name] |= part.keys()
    assert seen == SHOWN
