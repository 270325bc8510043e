"""What answers in the server's place: a log-in page, a filter, a proxy whose server is away; or nothing.

The person is told who answers and what to do; nothing of it is taken for the server's word (R40, R41).
"""

import socket
from contextlib import closing

import pytest

from diary.rules.ids import AccountId
from sync import transport
from sync.engine import Engine
from sync.line_faults import GatedError, MovedError, NoAnswerError, ServerFailedError, UnreachableError
from sync.protocol import Pull
from sync.transport import Transport
from tests.practice import record_slot, slot
from tests.rule import rule
from tests.sync.answering import Answer, answering
from tests.sync.stage import Stage

PULL = Pull(account=AccountId("a" * 32), cursors={})
HTML = {"Content-Type": "text/html; charset=utf-8"}
LOGIN = (
    b"<!DOCTYPE html>\n<html><head><title>Hotel Bella Vista \xe2\x80\x93\n Wi-Fi &amp; more</title></head>"
)


def told(answer: Answer) -> tuple[GatedError, int]:
    """Return what a pull amounts to, and how often it was asked."""
    with answering(answer) as (url, heard), Transport(url) as line:
        with pytest.raises(GatedError) as raised:
            line.pull(PULL)
        return raised.value, len(heard.requests)


@rule("R40")
@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ((200, HTML, LOGIN), "a web page, “Hotel Bella Vista – Wi-Fi & more”."),
        ((200, {}, LOGIN), "“Hotel Bella Vista – Wi-Fi & more”."),
        ((200, HTML, b""), "a web page."),
        ((511, HTML, LOGIN), "(status 511, Network Authentication Required)."),
        ((403, HTML, b"<html><title>Blocked</title>"), "“Blocked” (status 403, Forbidden)."),
        ((302, {"Location": "http://login.hotel.example/?from=x"}, b""), "http://login.hotel.example."),
        ((307, {"Location": "/login"}, b""), "something that sends on to http://127.0.0.1"),
    ],
)
def test_a_page_in_the_servers_place_is_said_with_what_to_do_and_asked_once(
    answer: Answer, words: str
) -> None:
    error, asked = told(answer)
    assert words in error.what_happened
    assert "log in" in error.how_to_mend
    assert "register" not in error.how_to_mend, "a log-in page is nobody to give a diary to"
    assert error.exit_code == 5
    assert asked == 1


def test_a_title_is_a_strangers_and_shown_as_one_short_line_without_control_characters() -> None:
    hostile = "<html><title>\x1b[31mred\x07 \u202eback&#27;[0m\n\n" + "long " * 100 + "</title>"
    error, _ = told((200, HTML, hostile.encode()))
    assert error.what_happened.isprintable()
    assert len(error.what_happened) < 160


@pytest.mark.parametrize("status", [301, 308])
def test_who_moves_for_good_is_believed_whatever_the_path(status: int) -> None:
    there = (status, {"Location": "https://new.example/"}, b"")
    with (
        answering(there) as (url, _),
        Transport(url) as line,
        pytest.raises(MovedError, match=r"new\.example"),
    ):
        line.pull(PULL)


@pytest.mark.parametrize(("status", "words"), [(502, "Bad Gateway"), (504, "Gateway Timeout")])
def test_a_proxy_whose_server_is_away_is_named_as_one(status: int, words: str) -> None:
    nginx = (status, HTML, b"<html><title>nginx</title>")
    with answering(nginx) as (url, _), Transport(url, attempts=1) as line:
        with pytest.raises(ServerFailedError) as raised:
            line.pull(PULL)
        assert f"status {status}, {words}: what stands before it gets no answer" in raised.value.what_happened


@rule("R41")
@pytest.mark.parametrize("status", [200, 404])
def test_a_page_is_neither_a_picture_nor_word_that_there_is_none(status: int) -> None:
    with answering((status, HTML, LOGIN)) as (url, _), Transport(url) as line:
        with pytest.raises(GatedError):
            line.picture_part("f" * 64, 0, 100)
        with pytest.raises(GatedError if status == 404 else transport.BrokenProtocolError):
            line.picture_held("f" * 64)


def test_a_name_that_nobody_has_and_a_port_where_nobody_listens_are_said_in_words() -> None:
    # RFC 6761: names under "invalid" never resolve.
    with (
        Transport("https://diary.invalid", attempts=1) as line,
        pytest.raises(UnreachableError, match="no network, or the name is wrong"),
    ):
        line.server()
    with closing(socket.socket()) as held:
        held.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{held.getsockname()[1]}"
        with (
            Transport(url, attempts=1) as line,
            pytest.raises(UnreachableError, match="nobody listens there"),
        ):
            line.server()


def test_who_never_answers_is_waited_for_twice_and_not_four_times(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "ANSWER_SECONDS", 0.5)
    with closing(socket.create_server(("127.0.0.1", 0))) as silent:
        silent.settimeout(10)
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with Transport(url) as line, pytest.raises(NoAnswerError, match="no answer within"):
            line.server()
        came = [silent.accept()[0] for _ in range(transport.ATTEMPTS_UNANSWERED)]
        silent.settimeout(0.2)
        with pytest.raises(TimeoutError):
            silent.accept()
        for each in came:
            each.close()


@rule("R40")
def test_nothing_is_lost_behind_a_log_in_page_and_all_goes_once_it_is_gone(stage: Stage) -> None:
    device = stage.first()
    contract = device.diary.new_contract(title="Practice")
    record_slot(device.diary, contract, slot("2026-11-18T10:00Z"))
    with (
        answering((200, HTML, LOGIN)) as (portal, _),
        Transport(portal) as gated,
        pytest.raises(GatedError),
    ):
        Engine(device.diary, gated).run()
    waiting = device.diary.queue().versions
    assert waiting > 0
    assert device.sync().pushed == waiting
