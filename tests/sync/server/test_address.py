"""A server that cannot listen says so before it begins, and how to mend it (R69)."""

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from sync.server.address import AddressTakenError, NoAddressError, require_address
from tests.rule import rule
from tests.sync.server.process import free_port


@rule("R69")
def test_a_free_port_is_let_pass_and_stays_free() -> None:
    port = free_port()
    require_address("127.0.0.1", port)
    with socket.create_server(("127.0.0.1", port)) as ours:
        assert ours.getsockname()[1] == port


@rule("R69")
def test_a_port_at_which_another_program_listens_is_taken() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other, pytest.raises(AddressTakenError):
        require_address("127.0.0.1", other.getsockname()[1])


@rule("R69")
def test_an_address_of_another_computer_is_none_to_listen_at() -> None:
    with pytest.raises(NoAddressError):
        require_address("192.0.2.1", free_port())  # RFC 5737: nobody's


@rule("R69")
def test_the_command_ends_as_a_wrong_use_and_names_what_is_taken(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        command = [
            sys.executable,
            "-m",
            "diary.cli",
            "server",
            "run",
            "--folder",
            str(tmp_path),
            "--port",
            port,
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.splitlines() == [
        f"Another program listens at 127.0.0.1, port {port}.",
        "End it, or name another port: diary server run --port 8441.",
    ]
