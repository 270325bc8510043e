"""The line to the server, against real sockets that answer as told."""

import socket
import ssl
import subprocess
import tempfile
import threading
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from diary.rules.ids import AccountId, ReplicaId
from sync.protocol import PROTOCOL_VERSION, Pull, PullAnswer, ServerFacts
from sync.transport import (
    ANSWER_SECONDS,
    ANSWER_SECONDS_MAX,
    BadAddressError,
    BrokenProtocolError,
    GatedError,
    MovedError,
    NotEnrolledError,
    PictureSpan,
    ServerFailedError,
    Transport,
    TurnedAwayError,
    UnreachableError,
    UntrustedLineError,
    patience_seconds,
)
from tests.rule import rule
from tests.sync.answering import Answer, answering, fault

FACTS = msgspec.json.encode(ServerFacts(protocol=PROTOCOL_VERSION, key="ab" * 32, server_ms=5))
EMPTY = msgspec.json.encode(PullAnswer(server_ms=1, pages=[], more=False, replica_n=0))
PULL = Pull(account=AccountId("a" * 32), cursors={})


def test_an_answer_is_read_as_its_message() -> None:
    with answering((200, {}, FACTS)) as (url, _), Transport(url + "/") as line:
        assert line.server().key == "ab" * 32


def test_a_request_is_made_in_the_replicas_name() -> None:
    with answering((200, {}, EMPTY)) as (url, heard), Transport(url) as line:
        line.authorise(AccountId("a" * 32), ReplicaId("b" * 32), "token")
        line.pull(PULL)
    method, path, headers, body = heard.requests[0]
    assert (method, path) == ("POST", "/v1/pull")
    assert headers["Authorization"] == f"Bearer {'a' * 32}.{'b' * 32}.token"
    assert msgspec.json.decode(body, type=Pull) == PULL


@rule("R40")
def test_a_server_that_fails_for_a_moment_is_asked_again() -> None:
    with answering(fault(503, "busy"), (200, {}, EMPTY)) as (url, heard), Transport(url) as line:
        assert line.pull(PULL).pages == []
    assert len(heard.requests) == 2


@pytest.mark.parametrize(
    ("answer", "error", "words"),
    [
        (fault(503, "busy"), ServerFailedError, "A sentence."),
        ((502, {}, b"<html>"), ServerFailedError, "502"),
        (fault(401, "not_enrolled"), NotEnrolledError, "does not know this device"),
        (fault(403, "device_revoked"), TurnedAwayError, "device_revoked"),
        ((404, {}, b"<html>nothing here"), GatedError, "404"),
        ((404, {}, b"nothing here"), BrokenProtocolError, "404"),
        ((200, {}, b"<html>a portal"), GatedError, "a web page"),
        ((200, {}, b"[" * 100_000), BrokenProtocolError, "no diary server"),
        ((200, {}, b'{"pages":' + b"[" * 100_000), BrokenProtocolError, "no diary server"),
        ((400, {}, b"[" * 100_000), BrokenProtocolError, "400"),
        (
            (302, {"Location": "https://elsewhere.example/v1/pull"}, b""),
            MovedError,
            "https://elsewhere.example",
        ),
    ],
)
def test_every_failed_answer_says_whose_fault_it_is(
    answer: Answer, error: type[Exception], words: str
) -> None:
    with answering(answer) as (url, _), Transport(url, attempts=1) as line:
        with pytest.raises(error) as raised:
            line.pull(PULL)
        assert words in str(raised.value)
        assert getattr(raised.value, "exit_code", None) == 5


def test_another_version_of_the_protocol_is_named() -> None:
    newer = msgspec.json.encode(ServerFacts(protocol=PROTOCOL_VERSION + 1, key="", server_ms=5))
    with (
        answering((200, {}, newer)) as (url, _),
        Transport(url) as line,
        pytest.raises(BrokenProtocolError, match="version 2"),
    ):
        line.server()


def test_nobody_listening_is_said_as_unreachable() -> None:
    with closing(socket.socket()) as held:
        held.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{held.getsockname()[1]}"
        with Transport(url, attempts=2) as line, pytest.raises(UnreachableError, match="cannot be reached"):
            line.server()


def test_a_line_that_breaks_off_is_said_as_unreachable() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as listening:

        def hang_up() -> None:
            peer, _ = listening.accept()
            peer.recv(100)
            peer.close()

        thread = threading.Thread(target=hang_up)
        thread.start()
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        with Transport(url, attempts=1) as line, pytest.raises(UnreachableError):
            line.server()
        thread.join()


def test_a_certificate_that_does_not_hold_is_not_called_a_broken_network() -> None:
    with tempfile.TemporaryDirectory() as folder:
        pem = Path(folder, "own.pem")
        subject = ["-subj", "/CN=localhost", "-keyout", str(pem), "-out", str(pem) + ".crt"]
        command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", *subject]
        subprocess.run(command, check=True, capture_output=True)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(str(pem) + ".crt", str(pem))
        with closing(socket.create_server(("127.0.0.1", 0))) as listening:

            def shake_hands() -> None:
                peer, _ = listening.accept()
                with closing(peer), pytest.raises(ssl.SSLError):
                    context.wrap_socket(peer, server_side=True)

            thread = threading.Thread(target=shake_hands)
            thread.start()
            port = listening.getsockname()[1]
            with (
                Transport(f"https://localhost:{port}", attempts=1) as line,
                pytest.raises(UntrustedLineError, match="certificate"),
            ):
                line.server()
            thread.join()


@pytest.mark.parametrize("url", ["diary.example.org", "ftp://diary.example.org", "http://", "https://[::"])
def test_what_is_no_address_is_said_before_anything_is_sent(url: str) -> None:
    with pytest.raises(BadAddressError, match="no address of a server") as told:
        Transport(url)
    assert told.value.exit_code == 2, "what was asked for is wrong, and no server failed"


@rule("R41")
def test_an_upload_learns_where_it_stopped() -> None:
    there = (200, {"Upload-Offset": "4096", "Upload-Whole": "false"}, b"")
    with answering(there) as (url, heard), Transport(url) as line:
        held = line.picture_held("f" * 64)
        assert held is not None
        assert (held.size, held.whole) == (4096, False)
    assert heard.requests[0][0] == "HEAD"


@rule("R41")
def test_a_part_that_does_not_fit_is_answered_with_where_to_go_on() -> None:
    conflict = (409, {"Upload-Offset": "8192", "Upload-Whole": "false"}, fault(409, "upload_offset")[2])
    with answering(conflict) as (url, heard), Transport(url) as line:
        held = line.send_part("f" * 64, 4096, b"part")
        assert (held.size, held.whole) == (8192, False)
    assert heard.requests[0][2]["Upload-Offset"] == "4096"


@rule("R41")
def test_a_picture_that_no_live_row_names_is_none() -> None:
    with answering(fault(404, "not_found")) as (url, _), Transport(url) as line:
        assert line.picture_part("f" * 64, 0, 100) is None
        assert line.picture_held("f" * 64) is None


@rule("R41")
def test_a_part_of_a_picture_says_which_and_of_how_much() -> None:
    part = (206, {"Content-Range": "bytes 4-6/9"}, b"ure")
    with answering(part) as (url, heard), Transport(url) as line:
        assert line.picture_part("f" * 64, 4, 3) == PictureSpan(b"ure", 9)
        assert heard.requests[0][2]["Range"] == "bytes=4-6"
        with pytest.raises(BrokenProtocolError):
            line.picture_part("f" * 64, 0, 3)


@rule("R41")
def test_a_proxy_that_knows_no_ranges_gives_the_whole_picture_and_it_is_taken() -> None:
    with answering((200, {}, b"a picture")) as (url, _), Transport(url) as line:
        assert line.picture_part("f" * 64, 2, 3) == PictureSpan(b"picture", 9)


@rule("R41")
def test_an_answer_is_waited_for_the_longer_the_more_was_sent() -> None:
    assert patience_seconds(0) == ANSWER_SECONDS
    # What 64 kbit/s with a fifth of it lost carries in a minute, twice over.
    assert patience_seconds(256 * 1024) > 300
    assert patience_seconds(2**40) == ANSWER_SECONDS_MAX
