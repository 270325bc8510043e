"""A server is known by its key: pinned at the first contact, or named before it (R50)."""

from pathlib import Path

import httpx
import pytest

from diary.evidence.receipt import ForgedAnswerError
from sync.enrolment import register
from sync.server_address import (
    NoServerKeyError,
    ServerAddress,
    TwoServerKeysError,
    UnexpectedKeyError,
    in_groups,
    read_address,
)
from sync.transport import Transport
from tests.practice import record_slot, slot
from tests.rule import rule
from tests.sync.stage import Device, FailingTransport, Stage, serving, stage_in

NINE = slot("2026-11-18T09:00Z")
KEY, OTHER_KEY = "0f" * 32, "a1" * 32


@rule("R50")
@pytest.mark.parametrize(
    ("text", "option", "address"),
    [
        ("https://diary.example", None, ServerAddress("https://diary.example", None)),
        ("https://diary.example#" + KEY, None, ServerAddress("https://diary.example", KEY)),
        ("https://diary.example", in_groups(KEY).upper(), ServerAddress("https://diary.example", KEY)),
        ("https://diary.example#" + KEY, KEY, ServerAddress("https://diary.example", KEY)),
    ],
)
def test_an_address_may_name_the_servers_key(text: str, option: str | None, address: ServerAddress) -> None:
    assert read_address(text, option) == address


@rule("R50")
def test_what_is_no_key_or_two_of_them_is_said() -> None:
    with pytest.raises(NoServerKeyError, match="“0f0f” is no key"):
        read_address("https://diary.example#0f0f")
    with pytest.raises(TwoServerKeysError):
        read_address("https://diary.example#" + KEY, OTHER_KEY)


@rule("R50")
def test_a_server_with_another_key_than_the_named_one_is_told_nothing(stage: Stage) -> None:
    a = stage.first(registered=False)
    with pytest.raises(UnexpectedKeyError, match="server_key: "):
        register(a.diary, a.line, server_key=OTHER_KEY)
    assert a.failing.paths == ["GET /v1/server"]
    assert a.diary.server() is None
    register(a.diary, a.line, server_key=a.line.server().key)
    assert a.diary.server() is not None


@rule("R50")
@rule("R43")
def test_a_server_that_was_made_anew_is_shown_nothing_of_what_the_old_one_had(
    stage: Stage, tmp_path: Path
) -> None:
    a = stage.first()
    record_slot(a.diary, a.diary.new_contract(title="Practice"), NINE)
    a.sync()
    with serving(tmp_path / "anew", stage.clock) as url:
        line, failing = line_to(url)
        with pytest.raises(UnexpectedKeyError):
            Device(a.diary, a.clock, line, failing).sync()
        line.close()
    assert "POST /v1/heal" not in failing.paths


@rule("R50")
@rule("R37d")
def test_receipts_by_another_key_are_none(tmp_path: Path) -> None:
    with stage_in(tmp_path) as stage:
        a = stage.first()
        contract = a.diary.new_contract(title="Practice")
        a.sync()
        server = tmp_path / "server"
        with httpx.Client(base_url=stage.url) as http:
            http.get("/health")
        (server / "server.key").write_text("11" * 32, encoding="ascii")  # as a thief of the database would
        with serving(server, stage.clock) as url:
            line, failing = line_to(url)
            place = record_slot(a.diary, contract, NINE)
            with pytest.raises(ForgedAnswerError):
                Device(a.diary, a.clock, line, failing).sync()
            line.close()
        assert a.segment(place).state == "unsynced"


def line_to(url: str) -> tuple[Transport, FailingTransport]:
    failing = FailingTransport()
    return Transport(url, client=httpx.Client(transport=failing, timeout=30), attempts=1), failing
