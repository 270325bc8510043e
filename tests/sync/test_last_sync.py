"""What keeps syncs from going through is kept, and said where one looks: state, doctor, pages (R19, R41)."""

import json

import pytest
from typer.testing import CliRunner, Result

from diary.cli import app
from diary.errors import PeerError
from sync.engine import Engine
from sync.examination import checks
from sync.line_faults import GatedError
from sync.transport import Transport
from tests.practice import record_slot, slot
from tests.rule import rule
from tests.sync.answering import answering
from tests.sync.stage import Device, Stage

PAGE = (200, {"Content-Type": "text/html"}, b"<html><title>Hotel Wi-Fi</title>")


def typed(device: Device, *words: str) -> Result:
    return CliRunner().invoke(app, ["--home", str(device.diary.home), *words], obj=device.clock)


def with_a_slot(stage: Stage) -> Device:
    device = stage.first()
    record_slot(device.diary, device.diary.new_contract(title="Practice"), slot("2026-11-18T10:00Z"))
    return device


def away(device: Device) -> None:
    device.failing.fates = ["refuse"]
    with pytest.raises(PeerError):
        device.sync()


@rule("R19")
def test_the_state_says_since_when_no_sync_went_through_and_why_until_one_does(stage: Stage) -> None:
    device = with_a_slot(stage)
    assert "Last synced" in typed(device, "status", "--utc").stdout
    stage.put_clocks("2026-11-19T09:30Z")
    away(device)
    stage.put_clocks("2026-11-19T09:45Z")
    away(device)
    told = typed(device, "status", "--utc").stdout
    assert "Last synced Wed 18 Nov 12:00. Tried 09:45: The server" in told
    assert "Nothing is lost: what is not sent yet stays in the diary." in told
    assert "no sync since" in typed(device).stdout
    fault = json.loads(typed(device, "--json", "status").stdout)["sync_fault"]
    assert (fault["since"], fault["at"]) == ("2026-11-19T09:30:00Z", "2026-11-19T09:45:00Z")
    assert fault["says"].startswith("The server")
    device.sync()
    assert "Tried" not in typed(device, "status").stdout
    told = json.loads(typed(device, "--json", "status").stdout)
    assert (told["synced_at"], told["sync_fault"]) == ("2026-11-19T09:45:00Z", None)


@rule("R19")
def test_without_a_network_nothing_wants_mending_and_before_a_log_in_page_something_does(
    stage: Stage,
) -> None:
    device = with_a_slot(stage)
    away(device)
    assert device.diary.attention().sync_stopped == ""
    with answering(PAGE) as (portal, _), Transport(portal) as line, pytest.raises(GatedError):
        Engine(device.diary, line).run()
    assert "Hotel Wi-Fi" in device.diary.attention().sync_stopped
    assert "open any page in your browser" in device.diary.attention().sync_stopped


@rule("R37")
def test_after_a_lock_the_state_says_what_was_typed_too_late_until_the_server_has_answered(
    stage: Stage,
) -> None:
    device = with_a_slot(stage)
    stage.put_clocks("2026-11-18T14:00Z")
    device.sync()
    place = (device.diary.contracts()[0].id, slot("2026-11-18T10:00Z"))
    device.diary.edit([place], memo="typed without a network")
    record_slot(device.diary, device.diary.contracts()[0], slot("2026-11-18T12:00Z"))  # late, and asked about
    away(device)
    stage.put_clocks("2026-11-23T11:59Z")
    assert "locked" not in typed(device, "status").stdout
    stage.put_clocks("2026-11-23T12:00Z")
    told = typed(device, "status").stdout
    assert "1 change of 2026-W47 had not reached the server when it locked" in told
    assert "1 late and held (diary late)" in told
    assert [week.changes for week in device.diary.attention().missed_lock] == [1]
    device.sync()
    assert "when it locked" not in typed(device, "status").stdout


@rule("R70")
def test_the_doctor_says_what_keeps_syncs_from_going_through_while_the_server_answers(stage: Stage) -> None:
    device = with_a_slot(stage)
    away(device)
    found = {check.name: check for check in checks(device.diary)}
    assert found["server"].outcome == "fine"
    assert found["sync"].outcome == "warning"
    assert "The last sync failed." in found["sync"].says
    assert "To be sent: 1 segment, 2 pictures." in found["sync"].says
    assert found["sync"].mend
