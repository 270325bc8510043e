"""A real object store of the tests' own, SeaweedFS: in a temporary folder, on loopback, gone afterwards."""

import itertools
import json
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import obstore
import pytest
from obstore.store import S3Store

from tests.sync.server.process import free_port

START_SECONDS = 60
WEED = str(Path(sys.executable).parent / "weed")
BUCKET = "diary"
KEY, SECRET = "the-diarys-key", "a secret that no log may hold"
IDENTITY = {
    "name": "diary",
    "credentials": [{"accessKey": KEY, "secretKey": SECRET}],
    "actions": ["Admin", "Read", "Write", "List"],
}
PORTS = ("master", "volume", "filer", "s3")


@dataclass
class ObjectStore:
    """One store with one bucket; each test gets a folder of its own in it."""

    folder: Path
    ports: dict[str, int] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.ports['s3']}"

    @property
    def environment(self) -> dict[str, str]:
        """Return what a server's environment must say to use the store."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_REGION": "us-east-1",
            "AWS_ALLOW_HTTP": "true",
        }

    def new_place(self) -> str:
        return f"s3://{BUCKET}/place{next(self.numbers)}"

    def new_bucket(self) -> str:
        """Make a bucket of its own, which the store does for its owner's first object."""
        bucket = f"bucket{next(self.numbers)}"
        obstore.put(self.line(f"s3://{bucket}/x"), "first", b"x", use_multipart=False)
        return bucket

    def shell(self, command: str) -> None:
        """Run a command of the store's own administration."""
        master = f"127.0.0.1:{self.ports['master']}.{self.ports['master.grpc']}"
        done = subprocess.run(
            [WEED, "shell", f"-master={master}"],
            input=command,
            capture_output=True,
            check=False,
            text=True,
            timeout=START_SECONDS,
        )
        assert done.returncode == 0, done.stdout + done.stderr

    def line(self, url: str) -> S3Store:
        """Return a line to a place, to look there without the product's own code."""
        bucket, _, folder = url.removeprefix("s3://").partition("/")
        return S3Store(
            bucket,
            prefix=folder,
            endpoint=self.endpoint,
            access_key_id=KEY,
            secret_access_key=SECRET,
            region="us-east-1",
            client_options={"allow_http": True},
        )

    def objects(self, url: str) -> dict[str, bytes]:
        """Return all that lies in a place."""
        line = self.line(url)
        paths = [item["path"] for chunk in obstore.list(line) for item in chunk]
        return {path: bytes(obstore.get(line, path).bytes()) for path in paths}

    def start(self) -> None:
        if not self.ports:
            names = [*PORTS, *(f"{name}.grpc" for name in PORTS)]
            self.ports = {name: free_port() for name in names}
        (self.folder / "s3.json").write_text(json.dumps({"identities": [IDENTITY]}), encoding="ascii")
        numbers = [
            f"-{name.replace('.', '.port.') if '.' in name else f'{name}.port'}={port}"
            for name, port in self.ports.items()
        ]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [
                    WEED,
                    "server",
                    f"-dir={self.folder}",
                    "-ip=127.0.0.1",
                    "-ip.bind=127.0.0.1",
                    "-master.telemetry=false",
                    "-master.volumeSizeLimitMB=64",
                    "-volume.max=16",
                    "-filer",
                    f"-filer.localSocket={self.folder}/filer.sock",
                    "-s3",
                    f"-s3.config={self.folder}/s3.json",
                    f"-s3.localSocket={self.folder}/s3.sock",
                    "-s3.port.iceberg=0",
                    "-s3.port.lance=0",
                    *numbers,
                ],
                stdout=log,
                stderr=log,
            )
        self._wait_until_it_stores()

    def _wait_until_it_stores(self) -> None:
        assert self.process is not None
        for _ in range(START_SECONDS * 10):
            assert self.process.poll() is None, (self.folder / "log").read_text(encoding="utf-8")
            try:
                if httpx.get(f"{self.endpoint}/healthz").is_success:
                    obstore.put(self.line(f"s3://{BUCKET}/started"), "started", b"x", use_multipart=False)
                    return
            except (httpx.TransportError, obstore.exceptions.BaseError):
                pass
            time.sleep(0.1)
        raise AssertionError((self.folder / "log").read_text(encoding="utf-8"))

    def stop(self) -> None:
        """End it as a power cut does: told to end it would wait half a minute for its other servers."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    @contextmanager
    def away(self) -> Iterator[None]:
        """Be gone until the block ends: nobody listens there."""
        self.stop()
        try:
            yield
        finally:
            self.start()

    @contextmanager
    def stuck(self) -> Iterator[None]:
        """Take requests and answer none until the block ends."""
        assert self.process is not None
        self.process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self.process.send_signal(signal.SIGCONT)


@contextmanager
def object_store() -> Iterator[ObjectStore]:
    """Run a store until the block ends."""
    with tempfile.TemporaryDirectory(prefix="diary-s3-", ignore_cleanup_errors=True) as folder:
        store = ObjectStore(Path(folder))
        store.start()
        try:
            yield store
        finally:
            store.stop()


def put_environment(patch: pytest.MonkeyPatch, environment: dict[str, str]) -> None:
    """Let servers in this process use the store."""
    for name, value in environment.items():
        patch.setenv(name, value)
