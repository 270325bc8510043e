"""The viewer answers programs of its own user only, whatever they know (R52)."""

import os
import socket
import subprocess
from pathlib import Path

import pytest

from datasette_work_diary.own_user import is_anothers, owner_is_another, owner_of
from tests.plugins.test_open import Viewer, viewer
from tests.rule import rule

__all__ = ["viewer"]  # the fixture
NOBODY = 65534
CURL = "/usr/bin/curl"
GOT_NOTHING, RESET = 52, 56  # curl's words for a connection that was hung up


def line(local: str, remote: str, owner: int) -> str:
    return f"   1: {local} {remote} 01 00000000:00000000 00:00000000 00000000 {owner:5d}        0 4711 1"


@rule("R52")
def test_the_table_of_connections_tells_whose_the_other_end_is() -> None:
    ours = line("0100007F:21B7", "0100007F:C350", 1000)
    theirs = line("0100007F:C350", "0100007F:21B7", 1001)
    assert owner_is_another([ours, theirs], 0x21B7, 0xC350, 1000)
    assert not owner_is_another([ours, theirs], 0x21B7, 0xC350, 1001)
    mapped = line("0000000000000000FFFF00000100007F:C350", "0000000000000000FFFF00000100007F:21B7", 1000)
    assert not owner_is_another([ours, mapped], 0x21B7, 0xC350, 1000)
    assert owner_is_another([ours], 0x21B7, 0xC350, 1000)
    assert not owner_is_another([], 0x21B7, 0xC350, 1000)
    elsewhere = line("0200A8C0:C350", "0100007F:21B7", 1000)
    assert owner_is_another([ours, elsewhere], 0x21B7, 0xC350, 1000)


@rule("R52")
def test_the_system_tells_whose_one_connection_is() -> None:
    with socket.socket() as place:
        place.bind(("127.0.0.1", 0))
        place.listen()
        with socket.create_connection(place.getsockname()) as line_in:
            ours, theirs = line_in.getsockname(), line_in.getpeername()
            assert owner_of(ours, theirs) == os.getuid()
            assert not is_anothers(theirs, ours)
            assert owner_of(ours, ("127.0.0.1", 9)) is None


def asked_as(user: int, url: str, cookie: str = "") -> tuple[int, str]:
    """Return how a program of some user ended that asked, and the status it was answered with."""
    done = subprocess.run(
        [CURL, "--silent", "--output", "/dev/null", "--write-out", "%{http_code}", "--cookie", cookie, url],
        user=user,
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout


@rule("R52")
@pytest.mark.skipif(os.getuid() != 0 or not Path(CURL).exists(), reason="only root can be somebody else")
def test_another_user_who_read_the_token_and_the_cookie_gets_no_answer(viewer: Viewer) -> None:
    viewer.sign_in()
    page = f"http://{viewer.host}/-/diary/refused"
    cookie = "; ".join(f"{name}={value}" for name, value in viewer.cookies.items())
    assert asked_as(os.getuid(), page, cookie) == (0, "200")
    assert asked_as(os.getuid(), viewer.url) == (0, "303")
    for url, given in ((viewer.url, ""), (page, cookie), (f"http://{viewer.host}/", "")):
        status, answered = asked_as(NOBODY, url, given)
        assert status in {GOT_NOTHING, RESET}
        assert answered == "000"


@rule("R52")
def test_a_connection_of_ones_own_is_let_in(viewer: Viewer) -> None:
    host, _, port = viewer.host.partition(":")
    with socket.create_connection((host, int(port))) as line_in:
        line_in.sendall(f"GET / HTTP/1.1\r\nHost: {viewer.host}\r\nConnection: close\r\n\r\n".encode())
        assert line_in.recv(100).startswith(b"HTTP/1.1 403")
