"""ActivityWatch's own watchers beside the tracker, where there are checkouts of them.

No registry has the two watchers. `AW_WATCHERS=DIR` names a folder in which `aw-watcher-afk` and
`aw-watcher-window` are checked out; what they need, with the server they report to, comes from a registry
into an environment of its own.
"""

import os
import socket
import subprocess
import sys
import time
import venv
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

CHECKOUTS = "AW_WATCHERS"
# python-xlib as the watchers pin it; setuptools for a server that still asks it for its own version.
NEEDED = ("aw-client==0.5.15", "aw-server==0.12.0", "pynput==1.8.2", "python-xlib==0.31", "setuptools<81")
WATCHERS = ("afk", "window")
START_SECONDS_MAX = 60


@contextmanager
def watchers(folder: Path, desktop: Mapping[str, str]) -> Iterator[dict[str, int]]:
    """Run server and watchers on a desktop and yield the watchers' process ids by name; none without."""
    checkouts = os.environ.get(CHECKOUTS)
    if not checkouts:
        print(f"ActivityWatch's watchers are not measured: {CHECKOUTS} names no folder.", file=sys.stderr)
        yield {}
        return
    python = _environment(folder / "aw")
    port = _free_port()
    sources = ":".join(str(Path(checkouts).absolute() / f"aw-watcher-{name}") for name in WATCHERS)
    env = {**os.environ, **desktop, "PYTHONPATH": sources, "HOME": str(folder), "XDG_DATA_HOME": str(folder)}
    asked = ["--testing", "--host", "127.0.0.1", "--port", str(port)]
    with ExitStack() as ending:

        def begin(*command: str) -> int:
            running = subprocess.Popen(
                [str(python), *command], env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            )
            ending.callback(running.wait)
            ending.callback(running.kill)
            return running.pid

        begin("-c", "from aw_server import main; main()", *asked, "--storage", "memory")
        _wait_for(port)
        yield {
            f"ActivityWatch's {name} watcher": begin("-m", f"aw_watcher_{name}", *asked) for name in WATCHERS
        }


def _environment(where: Path) -> Path:
    venv.create(where, with_pip=False)
    python = where / "bin" / "python"
    uv = Path(sys.executable).parent / "uv"
    subprocess.run([str(uv), "pip", "install", "--quiet", "--python", str(python), *NEEDED], check=True)
    return python


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def _wait_for(port: int) -> None:
    end = time.monotonic() + START_SECONDS_MAX
    while time.monotonic() < end:
        with socket.socket() as knock:
            if knock.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.2)
    raise TimeoutError("aw-server did not start")
