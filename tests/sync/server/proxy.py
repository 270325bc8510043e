"""nginx as an operator puts it before the server: TLS to the world, the server behind it."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from tests.patience import until
from tests.sync.server.process import free_port

# The block that docs/operate.md gives; what is around it lets it run as anybody, out of one folder.
CONFIG = """
daemon off;
pid {folder}/pid;
error_log {folder}/error.log;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    {server}
}}
"""


def documented_block(document: Path) -> str:
    """Return the nginx block that the operator's document shows."""
    _, _, rest = document.read_text(encoding="utf-8").partition("```nginx\n")
    return rest.partition("```")[0]


@contextmanager
def behind_nginx(folder: Path, server_port: int, certificate: Path, document: Path) -> Iterator[str]:
    """Run nginx with the documented block before a server; give the address it serves."""
    program = shutil.which("nginx")
    assert program is not None, "make system installs nginx"
    port = free_port()
    server = documented_block(document)
    for shown, real in (
        ("listen 443 ssl;", f"listen 127.0.0.1:{port} ssl;"),
        ("listen [::]:443 ssl;", ""),
        ("diary.example", "localhost"),
        ("/etc/ssl/diary.pem", str(certificate)),
        ("/etc/ssl/diary.key", str(certificate)),
        ("127.0.0.1:8440", f"127.0.0.1:{server_port}"),
    ):
        assert shown in server, f"docs/operate.md shows no {shown}"
        server = server.replace(shown, real)
    folder.mkdir()
    config = folder / "nginx.conf"
    config.write_text(CONFIG.format(folder=folder, server=server), encoding="utf-8")
    process = subprocess.Popen([program, "-e", str(folder / "start.log"), "-c", str(config)])
    address = f"https://localhost:{port}"
    try:
        assert until(lambda: _answers(address)), (folder / "start.log").read_text(encoding="utf-8")
        yield address
    finally:
        process.terminate()
        process.wait()


def _answers(address: str) -> bool:
    try:
        httpx.get(address, verify=False)  # whether it is there, not who it is
    except httpx.TransportError:
        return False
    return True
