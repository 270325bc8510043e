"""The commands of syncing, as a person types them (CLI.md)."""

import json
from pathlib import Path

import apsw
import pytest
from typer.testing import CliRunner, Result

from diary.cli import app
from diary.clock import GivenClock
from diary.diary import Diary
from diary.rules.ids import Slot
from diary.sealing.keyring import choose_place
from sync.cli import server_service, sync_service
from sync.server.clock_watch import confirmed_at
from sync.server_acts import who_acts
from tests.practice import record_slot, slot
from tests.rule import rule
from tests.sync.server.process import free_port
from tests.sync.stage import AFTER_THE_LOCK, Stage, serving

TEN = slot("2026-11-18T10:00Z")


@pytest.fixture
def home(stage: Stage, tmp_path: Path) -> Path:
    """Return the home of a diary with one recorded segment that nobody else knows."""
    home = tmp_path / "first"
    home.mkdir()
    clock = GivenClock(stage.clock.now_ms())
    with Diary.create(home, clock=clock, place=choose_place(home, "file"), device_name="laptop") as diary:
        diary.set_setting("hold_seconds", 0)
        contract = diary.new_contract(title="Practice", manual_allowed=True)
        record_slot(diary, contract, TEN, memo="of the first")
    return home


def run(stage: Stage, home: Path, *words: str, typed: str | None = None) -> Result:
    clock = GivenClock(stage.clock.now_ms())
    return CliRunner().invoke(app, ["--home", str(home), *words], obj=clock, input=typed)


def phrase_of(home: Path) -> str:
    with Diary.open(home) as diary:
        return diary.phrase() or ""


def test_register_says_where_and_what_was_sent(stage: Stage, home: Path) -> None:
    result = run(stage, home, "register", stage.url)
    assert result.exit_code == 0
    assert f"Registered with {stage.url}." in result.stderr
    # Two grants and the terms of the contract, the capture, its entry, and two grants of the account's key.
    assert result.stdout.splitlines()[-1] == "8 sent, 0 received, 2 pictures sent"


@rule("R50")
def test_login_by_the_phrase_makes_a_second_device(stage: Stage, home: Path, tmp_path: Path) -> None:
    run(stage, home, "register", stage.url)
    words = tmp_path / "phrase.txt"
    words.write_text(phrase_of(home), encoding="utf-8")
    second = tmp_path / "second"
    options = ["--phrase-file", str(words), "--key-file", "--name", "desktop"]
    result = run(stage, second, "login", stage.url, *options)
    assert result.exit_code == 0, result.stderr
    assert "This device is “desktop”" in result.stderr
    with Diary.open(second, clock=GivenClock(stage.clock.now_ms())) as diary:
        assert [one.memo for one in diary.week(diary.weeks()[0]).segments] == ["of the first"]
    listed = run(stage, second, "devices")
    assert [line.split()[0] for line in listed.stdout.splitlines()] == ["1.", "2."]
    assert "“desktop”  this device" in listed.stdout
    assert "“laptop”  since 2026-11-18  last wrote 2026-11-18 " in listed.stdout
    as_json = json.loads(run(stage, second, "devices", "list", "--json").stdout)
    assert [(one["this"], one["revoked"]) for one in as_json] == [(False, False), (True, False)]


def test_login_reads_the_phrase_from_stdin_and_names_what_is_wrong_with_it(
    stage: Stage, home: Path, tmp_path: Path
) -> None:
    run(stage, home, "register", stage.url)
    wrong = run(stage, tmp_path / "second", "login", stage.url, "--key-file", typed="one two three\n")
    assert wrong.exit_code == 2
    assert "it has 3 words, not 12" in wrong.stderr
    right = run(stage, tmp_path / "third", "login", stage.url, "--key-file", typed=phrase_of(home) + "\n")
    assert right.exit_code == 0


def test_a_login_says_when_the_phrases_file_cannot_be_read(stage: Stage, tmp_path: Path) -> None:
    result = run(stage, tmp_path / "new", "login", stage.url, "--key-file", "--phrase-file", "nowhere.txt")
    assert result.exit_code == 2
    assert "nowhere.txt cannot be read" in result.stderr


@rule("R49")
def test_keys_lie_in_one_place(stage: Stage, tmp_path: Path) -> None:
    result = run(stage, tmp_path / "new", "login", stage.url, "--key-file", "--passphrase")
    assert result.exit_code == 2
    assert "one place" in result.stderr


def test_sync_as_json_has_the_form_that_others_build_on(stage: Stage, home: Path) -> None:
    run(stage, home, "register", stage.url)
    result = run(stage, home, "sync", "--json")
    report = json.loads(result.stdout)
    assert {"pushed", "pulled", "refused", "pictures_left", "head"} <= report.keys()
    assert (report["pushed"], report["refused"]) == (0, [])
    assert sorted(report["head"].values()) == [[1, 3], [1, 6]]


@rule("R37d")
def test_a_refused_change_is_listed_with_its_reason_and_is_no_failure(stage: Stage, home: Path) -> None:
    run(stage, home, "register", stage.url)
    with Diary.open(home, clock=GivenClock(stage.clock.now_ms())) as diary:
        diary.edit([(diary.contract("Practice").id, Slot(TEN))], memo="too late")
    stage.put_clocks(AFTER_THE_LOCK)
    result = run(stage, home, "sync")
    assert result.exit_code == 0
    assert "refused  2026-11-18T10:00:00Z  week_locked" in result.stdout


@rule("R37d")
def test_a_refused_deletion_is_loud_and_ends_a_sync_with_status_3(stage: Stage, home: Path) -> None:
    run(stage, home, "register", stage.url)
    with Diary.open(home, clock=GivenClock(stage.clock.now_ms())) as diary:
        diary.remove([(diary.contract("Practice").id, Slot(TEN))])
    stage.put_clocks(AFTER_THE_LOCK)
    result = run(stage, home, "sync")
    assert result.exit_code == 3
    # On a busy machine it says before how far it is, as every sync of more than some seconds does.
    said = [
        line
        for line in result.stderr.splitlines()
        if not line.startswith(("Syncing for", "Waiting for the server"))
    ]
    assert said[0].startswith("week_locked: the deletion of 2026-11-18T10:00:00Z was REFUSED.")
    assert "It stands as before" in result.stderr
    assert "refused  2026-11-18T10:00:00Z  week_locked" in result.stdout
    as_json = json.loads(run(stage, home, "refused", "--json").stdout)
    assert [(one["what"], one["reason"], one["memo"]) for one in as_json] == [("deletion", "week_locked", "")]
    assert run(stage, home, "sync").exit_code == 0


def test_a_server_that_is_away_ends_with_status_5(stage: Stage, home: Path) -> None:
    result = run(stage, home, "register", "http://127.0.0.1:9")
    assert result.exit_code == 5
    assert "cannot be reached" in result.stderr
    assert "try the same again" in result.stderr


def test_an_unregistered_diary_says_how_to_register(stage: Stage, home: Path) -> None:
    result = run(stage, home, "sync")
    assert result.exit_code == 2
    assert "diary register URL" in result.stderr


@rule("R6")
def test_confirming_the_clock_keeps_the_operators_word(stage: Stage, home: Path) -> None:
    unknown = run(stage, home, "server", "confirm-clock")
    assert unknown.exit_code == 2
    assert "No server keeps its files" in unknown.stderr
    result = run(stage, home, "server", "confirm-clock", "--folder", str(stage.folder / "server"))
    assert result.exit_code == 0
    assert "Confirmed: it is 2026-11-18T12:00:00Z." in result.stderr
    assert confirmed_at(stage.folder / "server" / "clock-confirmed") == stage.clock.now_ms()


@rule("R69")
def test_an_operators_acts_are_done_and_kept(stage: Stage, home: Path) -> None:
    there, account = ("--folder", str(stage.folder / "server")), "a" * 32
    assert run(stage, home, "server", "account", "suspend", "ada", "why", *there).exit_code == 2
    for words in (
        ("account", "suspend", account, "The bill\nwas not paid"),
        ("account", "quota", account, "7"),
        ("account", "admit", account),
        ("account", "resume", account),
        ("confirm-clock",),
    ):
        assert run(stage, home, "server", *words, *there).exit_code == 0, words
    shown = json.loads(run(stage, home, "server", "acts", *there, "--json").stdout)
    assert [(one["act"], one["account"], one["detail"]) for one in shown] == [
        ("confirm_clock", None, "2026-11-18T12:00:00Z"),
        ("suspend", account, "The bill was not paid"),
        ("quota", account, "7 GB"),
        ("admit", account, ""),
        ("resume", account, ""),
    ]
    assert {one["who"] for one in shown} == {who_acts()}


@rule("R69")
def test_a_changed_record_of_acts_is_found(stage: Stage, home: Path) -> None:
    there = ("--folder", str(stage.folder / "server"))
    assert run(stage, home, "server", "account", "suspend", "a" * 32, "why", *there).exit_code == 0
    with apsw.Connection(str(stage.folder / "server" / "server.db")) as connection:
        connection.execute("DROP TRIGGER operator_act_stays")
        connection.execute("UPDATE operator_act SET who = 'nobody'")
    connection.close()
    result = run(stage, home, "server", "acts", *there)
    assert result.exit_code == 4
    assert "does not hold from act 1" in result.stderr


@rule("R30")
def test_a_suspended_account_is_told_why_until_it_is_in_good_standing(stage: Stage, home: Path) -> None:
    folder, port = stage.folder / "another", free_port()
    with serving(folder, stage.clock, port) as url:
        run(stage, home, "register", url)
    with Diary.open(home) as diary:
        account = diary.account
    run(
        stage, home, "server", "account", "suspend", account, "The bill was not paid", "--folder", str(folder)
    )
    with serving(folder, stage.clock, port):
        assert run(stage, home, "sync").exit_code == 0
    assert "suspended this account: The bill was not paid." in run(stage, home, "status").stdout
    failing = json.loads(run(stage, home, "check", "2026-W47", "--json").stdout)["contracts"][0]["failing"]
    assert [one["outcome"] for one in failing if one["point"] == "good_standing"] == ["fails"]
    run(stage, home, "server", "account", "resume", account, "--folder", str(folder))
    with serving(folder, stage.clock, port):
        assert run(stage, home, "sync").exit_code == 0
    assert "suspended" not in run(stage, home, "status").stdout


def test_the_services_of_diary_up_are_these_commands(stage: Stage, home: Path) -> None:
    for service in (sync_service(), server_service()):
        result = run(stage, home, *service.arguments, "--help")
        assert result.exit_code == 0, service.name


@rule("R50")
def test_a_device_is_revoked_by_its_name_and_comes_back_by_the_words_it_is_given(
    stage: Stage, home: Path, tmp_path: Path
) -> None:
    run(stage, home, "register", stage.url)
    words = tmp_path / "phrase.txt"
    words.write_text(phrase_of(home), encoding="utf-8")
    second = tmp_path / "second"
    run(stage, second, "login", stage.url, "--phrase-file", str(words), "--key-file", "--name", "attic")
    unknown = run(stage, home, "devices", "revoke", "cellar", "--phrase-file", str(words), "--yes")
    assert unknown.exit_code == 2
    assert "There is no device “cellar”." in unknown.stderr
    done = run(stage, home, "devices", "revoke", "2", "--phrase-file", str(words), "--yes")
    assert done.exit_code == 0, done.stderr
    assert "Revoked: device " in done.stderr
    as_json = json.loads(run(stage, home, "devices", "--json").stdout)
    assert [(one["revoked"], one["revoked_at"]) for one in as_json] == [
        (False, None),
        (True, "2026-11-18T12:00:00Z"),
    ]
    turned_away = run(stage, second, "sync")
    assert turned_away.exit_code == 5
    assert turned_away.stderr.startswith("device_revoked: ")
    assert f"diary login {stage.url}" in turned_away.stderr
    back = run(stage, second, "login", stage.url, "--phrase-file", str(words))
    assert back.exit_code == 0, back.stderr
    assert "device.key" in back.stderr, "its keys lie where they lay"
    assert run(stage, second, "sync").exit_code == 0
