"""Runs the parts of `diary up` as child processes: starts, watches, starts again, ends in order.

Each part is the `diary` command with other words, so that it can run apart just as well; they meet only at
the diary's file. What a part prints is shown with its name; what it says on stderr goes to its log. All
waiting is asyncio's.
"""

import asyncio
import ctypes
import os
import signal
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from diary.services import Service

LOGS = "logs"
LOG_BYTES_MAX = 1_000_000  # then the log begins anew, the one before kept
BACKOFF_FIRST_SECONDS = 1.0
BACKOFF_MAX_SECONDS = 60.0
STEADY_SECONDS = 30.0  # a part that ran so long was well: the next pause is a short one again
END_SECONDS_MAX = 8.0  # a tracker seals its draft, a server answers what is under way
LINE_BYTES_MAX = 64 * 1024
_PR_SET_PDEATHSIG = 1

Say = Callable[[str], None]


@dataclass(slots=True)
class Part:
    """One child: what it is, its process while it runs, and how often it ended lately."""

    service: Service
    log: Path
    process: asyncio.subprocess.Process | None = None
    failures: int = 0
    tasks: list[asyncio.Task[None]] = field(default_factory=list)

    @property
    def name(self) -> str:
        """Return the name under which it is shown."""
        return self.service.name


class Supervisor:
    """Keeps parts running on one diary, from `start` until `end`."""

    def __init__(self, home: Path, *, say: Say, passphrase: str | None = None) -> None:
        self._home = home
        self._say = say
        self._given = b"" if passphrase is None else f"{passphrase}\n".encode()
        self._parts: list[Part] = []
        self._ending = False
        (home / LOGS).mkdir(mode=0o700, parents=True, exist_ok=True)

    async def start(self, service: Service) -> None:
        """Start a part and keep it running until `end`."""
        part = Part(service=service, log=self._log_of(service.name))
        self._parts.append(part)
        await self._launch(part)
        part.tasks.append(asyncio.create_task(self._keep(part)))

    async def run(self, name: str, arguments: Sequence[str]) -> int:
        """Run something once to its end, its talk shown; return its exit status."""
        part = Part(service=Service(name, tuple(arguments)), log=self._log_of(name))
        await self._launch(part)
        assert part.process is not None, "it was just launched"
        status = await part.process.wait()
        await asyncio.gather(*part.tasks)
        return status

    async def end(self) -> None:
        """End all parts, the last started first: pages, sync, tracker, and the server at the end."""
        self._ending = True
        for part in reversed(self._parts):
            process = part.process
            if process is not None and process.returncode is None:
                process.terminate()
                try:
                    await asyncio.wait_for(process.wait(), END_SECONDS_MAX)
                except TimeoutError:
                    self._say(f"{part.name} did not end in {END_SECONDS_MAX:.0f} seconds and was stopped.")
                    with suppress(ProcessLookupError):
                        process.kill()
                    await process.wait()
            for task in part.tasks:
                task.cancel()
            await asyncio.gather(*part.tasks, return_exceptions=True)

    def last_words(self, name: str) -> str:
        """Return what a part said last on stderr, for telling why it ended."""
        path = self._log_of(name)
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines() if path.exists() else []
        return next((line.strip() for line in reversed(lines) if line.strip()), "")

    def _log_of(self, name: str) -> Path:
        return self._home / LOGS / f"{name}.log"

    async def _launch(self, part: Part) -> None:
        if part.log.exists() and part.log.stat().st_size > LOG_BYTES_MAX:
            part.log.replace(part.log.with_suffix(".log.1"))
        words = ["-m", "diary.cli", "--home", str(self._home), *part.service.arguments]
        with part.log.open("ab") as log:
            part.process = await asyncio.create_subprocess_exec(
                sys.executable,
                *words,
                stdin=asyncio.subprocess.PIPE if self._given else asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
                env={**os.environ, "PYTHONUNBUFFERED": "1"},
                limit=LINE_BYTES_MAX,
                # Ctrl-C is ours to pass on, in order; and nothing runs on should this process be killed.
                start_new_session=True,
                preexec_fn=_end_with_parent if sys.platform == "linux" else None,
            )
        if part.process.stdin is not None:
            part.process.stdin.write(self._given)
            part.process.stdin.close()
        part.tasks = [task for task in part.tasks if not task.done()]
        part.tasks.append(asyncio.create_task(self._show(part, part.process)))

    async def _show(self, part: Part, process: asyncio.subprocess.Process) -> None:
        """Show what the part prints, line by line, with its name."""
        assert process.stdout is not None, "stdout is a pipe"
        while True:
            try:
                line = await process.stdout.readline()
            except ValueError:
                continue  # longer than any line of ours: passed over
            if not line:
                return
            self._say(f"{part.name:<10}{line.decode(errors='replace').rstrip()}")

    async def _keep(self, part: Part) -> None:
        """Start the part again whenever it ends, after a pause that doubles while it keeps ending."""
        loop = asyncio.get_running_loop()
        while True:
            began = loop.time()
            assert part.process is not None, "launched before it is kept"
            status = await part.process.wait()
            if self._ending:
                return
            part.failures = 0 if loop.time() - began > STEADY_SECONDS else part.failures + 1
            pause = min(BACKOFF_MAX_SECONDS, BACKOFF_FIRST_SECONDS * 2 ** min(part.failures, 10))
            why = self.last_words(part.name) if status else ""
            self._say(
                f"{part.name:<10}ended with status {status}, starts again in {pause:.0f} s."
                + (f" It said: {why}" if why else "")
            )
            await asyncio.sleep(pause)
            await self._launch(part)


def _end_with_parent() -> None:
    """Let the system end this child when its parent is gone, also by SIGKILL (Linux)."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
