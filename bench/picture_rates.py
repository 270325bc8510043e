"""How fast one server process takes and gives pictures, in a folder and in an object store beside it.

    python -m bench pictures

Pictures of 200 KB, as one part and as four, from eight connections at once; CPU is the server process's own.
Beside it, the bare limit: the same bytes put into the same place without any server of ours.
"""

import os
import tempfile
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import obstore

from bench.figure import print_figure
from diary.sealing.row import picture_name
from tests.sync.server.author import Author
from tests.sync.server.object_store import object_store
from tests.sync.server.process import running

PICTURES = 160
PICTURE_BYTES = 200_000
CONNECTIONS = 8
RUNS = 3
PARTS = (1, 4)
_TICKS = os.sysconf("SC_CLK_TCK")


def measure() -> None:
    """Print MB and CPU for each place."""
    with object_store() as store:
        for place in ("folder", "s3"):
            for parts in PARTS:
                figures = []
                for _ in range(RUNS):
                    url = store.new_place() if place == "s3" else None
                    figures.append(_run(url, store.environment, parts))
                names = ("taken", "taken_cpu", "given", "given_cpu")
                units = ("MB/s", "ms/picture", "MB/s", "ms/picture")
                for name, unit, values in zip(names, units, zip(*figures, strict=True), strict=True):
                    print_figure(f"pictures_{name}", values, unit, place=place, parts=parts)
            with tempfile.TemporaryDirectory() as folder:
                put = (
                    _into_folder(Path(folder))
                    if place == "folder"
                    else _into_store(store.line(store.new_place()))
                )
                print_figure("pictures_bare_limit", [_rate(put) for _ in range(RUNS)], "MB/s", place=place)


def _run(url: str | None, environment: dict[str, str], parts: int) -> tuple[float, float, float, float]:
    with (
        tempfile.TemporaryDirectory() as folder,
        running(Path(folder) / "server", pictures_url=url, environment=environment) as server,
    ):
        author = Author()
        server.client.enrol(author, author.enrol(author.terms()))
        last = int(time.time()) // 600 - 1
        pictures = {
            picture_name(one): one for one in (author.picture(PICTURE_BYTES) for _ in range(PICTURES))
        }
        rows = [author.capture(last - at, pictures=[one]) for at, one in enumerate(pictures.values())]
        server.client.push(author, *rows)
        base = server.client.http.base_url

        def send(http: httpx.Client, name: str) -> None:
            content = pictures[name]
            step = -(-len(content) // parts)
            for at in range(0, len(content), step):
                headers = {**author.authorization, "Upload-Offset": str(at)}
                answer = http.put(f"/v1/pictures/{name}", content=content[at : at + step], headers=headers)
                answer.raise_for_status()

        def fetch(http: httpx.Client, name: str) -> None:
            answer = http.get(f"/v1/pictures/{name}", headers=author.authorization)
            assert answer.content == pictures[name]

        taken = _timed(server.process.pid, base, send, pictures)
        given = _timed(server.process.pid, base, fetch, pictures)
        return (*taken, *given)


def _timed(
    pid: int, base: httpx.URL, act: Callable[[httpx.Client, str], None], names: Iterable[str]
) -> tuple[float, float]:
    """Return MB a second, and the server's milliseconds of CPU a picture."""
    clients = [httpx.Client(base_url=base, timeout=60) for _ in range(CONNECTIONS)]
    waiting = list(names)
    began, cpu = time.perf_counter(), _cpu_seconds(pid)
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        turns = [
            pool.submit(_in_turn, act, clients[at], waiting[at::CONNECTIONS]) for at in range(CONNECTIONS)
        ]
        for turn in turns:
            turn.result()
    seconds, spent = time.perf_counter() - began, _cpu_seconds(pid) - cpu
    for client in clients:
        client.close()
    return len(waiting) * PICTURE_BYTES / 1e6 / seconds, spent * 1000 / len(waiting)


def _in_turn(act: Callable[[httpx.Client, str], None], http: httpx.Client, names: Iterable[str]) -> None:
    for name in names:
        act(http, name)


def _cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def _into_folder(folder: Path) -> Callable[[str, bytes], object]:
    def put(name: str, content: bytes) -> None:
        path = folder / name
        with path.with_suffix(".part").open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        path.with_suffix(".part").rename(path)

    return put


def _into_store(line: obstore.store.S3Store) -> Callable[[str, bytes], object]:
    return lambda name, content: obstore.put(line, name, content, use_multipart=False)


def _rate(put: Callable[[str, bytes], object]) -> float:
    pictures = {os.urandom(8).hex(): os.urandom(PICTURE_BYTES) for _ in range(PICTURES)}
    began = time.perf_counter()
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        list(pool.map(lambda item: put(*item), pictures.items()))
    return PICTURES * PICTURE_BYTES / 1e6 / (time.perf_counter() - began)
