"""`make run`: the main job on this machine, with nothing asked of the user.

Where there is a screen, it is recorded. Where there is none, a virtual one with a window manager and a
terminal is started, and a practice worker types into it, so that the diary has something to see. The diary
lies in `.run/` of the checkout, apart from any diary of yours.
"""

import asyncio
import os
import signal
import sys
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from tests.desktop import Desktop

HOME = Path(__file__).parent.parent / ".run" / "diary"
PRACTICE_LINES = (
    "ls -la",
    "date",
    "echo reviewing the invoice page",
    "git log --oneline -5",
    "python3 -c 'print(6 * 7)'",
    "clear",
)
LINE_SECONDS = 20  # a calm worker: some minutes with input, none without


def has_screen() -> bool:
    """Return whether a desktop is there to be recorded."""
    return bool(os.environ.get("DISPLAY"))


def has_keyring() -> bool:
    """Return whether the operating system offers a keyring that keeps secrets."""
    from diary.sealing.keyring import has_keyring

    return has_keyring()


async def practise(desktop: Desktop) -> None:
    """Type a line into the virtual desktop's terminal every so often, click and scroll between."""
    while True:
        for line in PRACTICE_LINES:
            await asyncio.to_thread(desktop.type_text, line)
            await asyncio.to_thread(desktop.key, "Return")
            await asyncio.sleep(LINE_SECONDS)
            await asyncio.to_thread(desktop.click, 1)


def end(up: asyncio.subprocess.Process) -> None:
    """Ask `diary up` to end, once it is there and until it has."""
    if up.returncode is None:
        up.terminate()


async def run(environment: dict[str, str], desktop: Desktop | None) -> int:
    """Run `diary up` to its end, the practice worker beside it; return its exit status."""
    key_place = [] if (HOME / "diary.db").exists() or has_keyring() else ["--key-file"]
    up = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "diary.cli", "--home", str(HOME), "up", *key_place, env=environment
    )
    loop = asyncio.get_running_loop()
    for ending in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(ending, partial(end, up))
    worker = asyncio.create_task(practise(desktop)) if desktop else None
    try:
        return await up.wait()
    finally:
        if worker:
            worker.cancel()


def main() -> int:
    """Start a screen if there is none, then `diary up`."""
    HOME.parent.mkdir(exist_ok=True)
    with ExitStack() as stack:
        environment = dict(os.environ)
        desktop = None
        if not has_screen():
            desktop = stack.enter_context(Desktop.start(1280, 800))
            environment |= desktop.environment()
            print(
                "No display here: recording a virtual one "
                f"({environment['DISPLAY']}) with a terminal in which a practice worker types.",
                flush=True,
            )
        return asyncio.run(run(environment, desktop))


if __name__ == "__main__":
    sys.exit(main())
