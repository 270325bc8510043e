"""`bundle` and `verify` as a person types them (R59; CLI.md)."""

import hashlib
import json
import re
import sys
from contextlib import suppress
from html import unescape
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from typer.testing import CliRunner, Result

from diary.cli import app
from diary.clock import GivenClock
from diary.evidence.bundle_zip import unpacked
from diary.evidence.verify import verify
from diary.report_words import WORDS
from diary.rules.ids import Slot
from diary.rules.week import Week
from sync.transport import UnreachableError
from tests.diary.pdf.printed import text_of
from tests.practice import record_slot, slot
from tests.rule import rule
from tests.sync.clients import invited, join_in
from tests.sync.restoring import RestoringStage, sync_in_turn
from tests.sync.stage import Device, Stage, two_devices

TEN = slot("2026-11-18T10:00Z")


@pytest.fixture
def device(stage: Stage) -> Device:
    """Return a device with three synced segments of a contract, one of another, and one not synced."""
    device = stage.first()
    orchard = device.diary.new_contract(title="Orchard", client="Orchard Ltd")
    shelter = device.diary.new_contract(title="Night shelter")
    for at in range(3):
        record_slot(device.diary, orchard, Slot(TEN + at), memo=f"hour {at}")
    record_slot(device.diary, shelter, Slot(TEN + 3), memo="of the other")
    device.sync()
    record_slot(device.diary, orchard, Slot(TEN + 4), memo="not synced")
    return device


def run(device: Device, *words: str, typed: str | None = None) -> Result:
    clock = GivenClock(device.clock.now_ms())
    home = str(device.diary.home)
    return CliRunner().invoke(app, ["--home", home, *words], obj=clock, input=typed)


@rule("R59")
def test_a_week_is_bundled_and_verified(device: Device, tmp_path: Path) -> None:
    file = tmp_path / "dispute.bundle.zip"
    result = run(device, "bundle", "2026-W47", "--contract", "Orchard", "--out", str(file), "--utc")
    assert result.exit_code == 0, result.stderr
    assert "3 segments, 3 pictures" in result.stdout
    assert "Not in it, since no server has received them yet:\n  2026-11-18 10:40" in result.stderr
    checked = run(device, "verify", str(file))
    assert checked.exit_code == 0, checked.stderr
    assert "holds   2026-11-18 10:00 UTC: automatic, received 2026-11-18T12:00:00Z" in checked.stdout
    assert "2026-W47, Orchard: 3 segments shown, 3 of them bill" in checked.stdout
    assert file.stat().st_mode & 0o777 == 0o600


@rule("R59")
def test_a_bundle_has_a_report_to_print_and_the_same_bytes_are_made_again(device: Device) -> None:
    contract = device.diary.contract("Orchard")
    made = device.diary.bundle(contract, Week.of(TEN), None, ZoneInfo("Europe/Berlin"))
    files = unpacked(made.whole)
    text = text_of(files["report.pdf"])
    assert made.printed
    for said in ("Orchard, week 2026-W47", "11:10–11:20", "hour 1", "pictures/20261118T1010Z.jpg"):
        assert said in text
    assert hashlib.sha256(files["record.json"]).hexdigest() in text
    assert device.diary.bundle(contract, Week.of(TEN), None, ZoneInfo("Europe/Berlin")).whole == made.whole


@rule("R60")
def test_both_reports_say_what_is_proven_and_what_their_words_mean(device: Device) -> None:
    contract = device.diary.contract("Orchard")
    files = unpacked(device.diary.bundle(contract, Week.of(TEN), None, ZoneInfo("Europe/Berlin")).whole)
    page = unescape(re.sub(r"<[^>]*>", " ", files["report.html"].decode()))
    for report in (page, text_of(files["report.pdf"])):
        text = " ".join(report.split())
        assert "What the bundle proves: this was received by the server" in text
        assert "Monday 16 November 2026 00:00 UTC to Monday 23 November 2026 00:00 UTC" in text
        assert hashlib.sha256(files["record.json"]).hexdigest() in text
        assert "1 h 50 min after it ended" in text
        for word in WORDS:
            assert word in text


@rule("R59")
def test_where_nothing_can_print_the_bundle_is_made_without_and_says_so(
    device: Device, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "uharfbuzz", None)
    file = tmp_path / "dispute.bundle.zip"
    result = run(device, "bundle", "2026-W47", "--contract", "Orchard", "--out", str(file))
    assert result.exit_code == 0, result.stderr
    assert "No report.pdf is in it" in result.stderr
    assert "report.pdf" not in unpacked(file.read_bytes())
    assert verify(file.read_bytes()).holds


@rule("R59")
def test_a_changed_bundle_ends_with_status_1_and_says_where(device: Device, tmp_path: Path) -> None:
    file = tmp_path / "dispute.bundle.zip"
    run(device, "bundle", "2026-W47", "--contract", "Orchard", "--out", str(file))
    file.write_bytes(file.read_bytes().replace(b"hour 1", b"hour 9", 1))
    checked = run(device, "verify", str(file))
    assert checked.exit_code == 1
    assert "FAILS" in checked.stdout
    assert "This bundle does not hold" in checked.stderr
    as_json = json.loads(run(device, "verify", str(file), "--json").stdout)
    assert as_json["holds"] is False
    assert [line["outcome"] for line in as_json["lines"]] == ["fails"]


@rule("R59")
def test_another_servers_key_is_refused(device: Device, tmp_path: Path) -> None:
    file = tmp_path / "dispute.bundle.zip"
    run(device, "bundle", "2026-W47", "--contract", "Orchard", "--out", str(file))
    link = device.diary.server()
    assert link is not None
    assert run(device, "verify", str(file), "--server-key", link.key).exit_code == 0
    assert run(device, "verify", str(file), "--server-key", "0" * 64).exit_code == 1
    assert run(device, "verify", str(file), "--server-key", "mine").exit_code == 2


@rule("R59")
def test_only_some_slots_are_bundled(device: Device, tmp_path: Path) -> None:
    file = tmp_path / "two.bundle.zip"
    words = ("bundle", "2026-W47", "2026-11-18T10:00Z", "2026-11-18T10:20Z", "--contract", "Orchard")
    assert run(device, *words, "--out", str(file)).exit_code == 0
    whole = file.read_bytes()
    assert verify(whole).holds
    assert b"hour 0" in whole
    assert b"hour 1" not in whole
    assert b"hour 2" in whole


@rule("R59")
def test_what_a_bundle_cannot_be_made_of_is_said(stage: Stage, device: Device, tmp_path: Path) -> None:
    several = run(device, "bundle", "2026-W47")
    assert several.exit_code == 2
    assert "Night shelter, Orchard" in several.stderr
    other_week = run(device, "bundle", "2026-W46", "2026-11-18T10:00Z", "--contract", "Orchard")
    assert other_week.exit_code == 2
    nothing = run(device, "bundle", "2026-W40", "--contract", "Orchard", "--out", str(tmp_path / "none.zip"))
    assert nothing.exit_code == 1
    assert "reached a server" in nothing.stderr
    missing = run(device, "verify", str(tmp_path / "nowhere.zip"))
    assert missing.exit_code == 2
    assert "There is no file" in missing.stderr
    unregistered = stage.first(registered=False)
    record_slot(unregistered.diary, unregistered.diary.new_contract(title="Alone"), TEN, memo="here alone")
    alone = run(unregistered, "bundle", "2026-W47")
    assert alone.exit_code == 1
    assert "diary sync" in alone.stderr


@rule("R59")
def test_a_client_makes_a_bundle_of_their_copy_too(stage: Stage, device: Device, tmp_path: Path) -> None:
    orchard = device.diary.contract("Orchard")
    client = join_in(stage, invited(device, orchard))
    device.sync()
    client.sync()
    made = client.diary.bundle(client.diary.contract("Orchard"), Week.of(TEN), None, ZoneInfo("UTC"))
    assert made.segments == 4
    found = verify(made.whole)
    assert found.holds
    assert any("a seat of the client" in line.says for line in found.lines)
    assert device.diary._state.keys.sign_seed not in made.whole


@rule("R43")
def test_a_bundle_holds_after_its_server_was_restored(either: RestoringStage) -> None:
    stage = either
    a, b, contract = two_devices(stage, [TEN])
    sync_in_turn(a, b)
    backup = stage.back_up()
    record_slot(a.diary, contract, Slot(TEN + 1), memo="after the backup")
    sync_in_turn(a, b)
    stage.restore(backup)
    sync_in_turn(b, a, b)
    for device in (a, b):
        made = device.diary.bundle(contract, Week.of(TEN), None, ZoneInfo("UTC"))
        assert (made.segments, verify(made.whole).holds) == (2, True)


@rule("R25")
@rule("R40")
@rule("R59")
@pytest.mark.parametrize("fate", ["refuse", "lose"])
def test_a_week_is_bundled_in_which_something_was_removed_while_it_was_on_its_way(
    device: Device, fate: str
) -> None:
    (contract,) = (one for one in device.diary.contracts() if one.title == "Orchard")
    device.failing.fates = ["pass", fate]
    with suppress(UnreachableError):
        device.sync()
    device.diary.remove([(contract.id, Slot(TEN + 4))])
    device.sync()
    bundled = device.diary.bundle(contract, Week.of(TEN), None, ZoneInfo("UTC"))
    assert verify(bundled.whole).holds
    assert device.diary.alarms() == ()
