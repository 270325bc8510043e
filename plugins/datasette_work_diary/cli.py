"""`diary open`: the diary in the browser, signed in (R52).

It binds to loopback, makes a token, prints the address that signs in and opens it. The address also stands
in `datasette.url` in the diary's folder, which its owner alone can read, until the viewer ends: a second
`diary open` finds the first one by it.
"""

import contextlib
import functools
import gc
import os
import signal
import socket
import sys
import urllib.error
import urllib.request
import webbrowser
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlsplit

import typer

from diary.clock import Clock
from diary.command.desk import ask_passphrase, desk_of, say
from diary.errors import UsageError
from diary.services import Service

if TYPE_CHECKING:
    from datasette_work_diary.lock import Lock
    from diary.diary import Diary

URL_FILE = "datasette.url"
LOOPBACK = "127.0.0.1"
FIRST_PORT = 8631  # the same place each time, so that a browser's bookmark stays right
PORTS_TRIED = 40  # several diaries may be open at once
KEEP_ALIVE_SECONDS = 600  # loopback: an idle connection costs nothing, a new one costs a pause
ANSWER_SECONDS_MAX = 5


class PortTakenError(UsageError):
    """The port that was asked for is somebody else's."""

    says = "Port {port} is taken by another program."
    mend = "Name another one, or none: diary open finds a free one by itself."


def commands(app: typer.Typer, _: "Callable[[], Diary]") -> None:
    """Add `open` to the command."""

    @app.command("open")
    def open_in_browser(
        ctx: typer.Context,
        port: Annotated[
            int, typer.Option(min=0, max=65535, help="Where to listen; 0 takes a free place.")
        ] = 0,
        *,
        no_browser: Annotated[bool, typer.Option("--no-browser", help="Only print the address.")] = False,
    ) -> None:
        """Open the diary in the browser, signed in."""
        desk = desk_of(ctx)
        run(desk.home, desk.clock, port, browser=not no_browser)


def service() -> Service:
    """Return what `diary up` runs (ARCHITECTURE: services by entry point)."""
    return Service("datasette", ("open", "--no-browser"))


def run(home: Path, clock: Clock, port: int, *, browser: bool) -> None:
    """Serve the diary until it is ended; or, where it is served already, lead there."""
    from datasette_work_diary.lock import Lock
    from diary.diary import Diary
    from diary.sealing.keyring import place_of
    from diary.store.connection import FILE_NAME, require_whole_wal

    running = running_at(home)
    if running:
        tell(running, browser=browser)
        return
    lock = Lock()
    open_again = functools.partial(Diary.open, home, clock=clock, ask_passphrase=lock.passphrase)
    is_locked = place_of(home).kind == "passphrase"
    if is_locked and not sys.stdin.isatty() and (given := ask_passphrase()):
        lock.hold(given)
        is_locked = False
    if is_locked:
        require_whole_wal(home / FILE_NAME)  # Datasette opens the file before the passphrase is typed
        say("The diary is locked by a passphrase: the page asks for it.")
    else:
        open_again().close()
    serve(home, open_again, port, browser=browser, lock=lock, is_locked=is_locked)


def serve(
    home: Path,
    open_again: "Callable[[], Diary]",
    port: int,
    *,
    browser: bool,
    lock: "Lock",
    is_locked: bool,
) -> None:
    """Serve the diary in `home` until SIGINT or SIGTERM; a locked one asks for its passphrase first."""
    import uvicorn

    from datasette_work_diary.access import Door
    from datasette_work_diary.opening import DiaryRoom
    from datasette_work_diary.own_user import OwnUserProtocol
    from datasette_work_diary.pages import week_to_open
    from datasette_work_diary.starting import datasette_for
    from datasette_work_diary.viewer import Viewer

    with contextlib.ExitStack() as stack:
        listening = stack.enter_context(listen(port))
        door = Door.new(listening.getsockname()[1])
        room, search_room = DiaryRoom(open_again), DiaryRoom(open_again, threads=1)
        for each in (room, search_room):
            stack.callback(each.close)
        if is_locked:
            lock.guard((room, search_room))
        else:
            room.start()
            search_room.start()
        # Read ahead, so that the first page, and the first search of a long diary, are as quick as the next.
        room.begin(lambda diary: diary.week(week_to_open(diary)))
        search_room.begin(lambda diary: diary.prepare_search())
        stack.enter_context(url_file(home, door.url))
        viewer = Viewer(home, door, room, search_room, open_again, lock)
        config = uvicorn.Config(
            datasette_for(viewer).app(),
            http=OwnUserProtocol,
            log_level="warning",
            access_log=False,  # addresses may hold what somebody searched for
            server_header=False,
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=1,
        )
        for ending in (signal.SIGINT, signal.SIGTERM):
            # uvicorn ends by them and then raises them again; we have still to tidy up.
            signal.signal(ending, _already_ending)
        tell(door.url, browser=browser)
        # What is loaded by now stays: it need not be looked through each time that a page leaves garbage.
        gc.freeze()
        uvicorn.Server(config).run(sockets=[listening])


def _already_ending(*_: object) -> None:
    """Let what follows the server's end run."""


def tell(url: str, *, browser: bool) -> None:
    """Say where the diary is, and open a browser there unless told not to."""
    sys.stdout.write(f"{url}\n")
    sys.stdout.flush()
    if browser and not webbrowser.open(url):
        sys.stderr.write("No browser could be opened; open the address above in one.\n")


@contextlib.contextmanager
def listen(port: int) -> Iterator[socket.socket]:
    """Listen on loopback: on the port that was asked for, else on the usual one or a free one near it.

    Raises:
        PortTakenError: Somebody else has the port that was asked for.
    """
    tried = [port] if port else [*range(FIRST_PORT, FIRST_PORT + PORTS_TRIED), 0]
    for candidate in tried:
        listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        if os.name == "posix":  # elsewhere the option would let two programs share the port
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind((LOOPBACK, candidate))
            # From here on a browser waits for the first answer instead of being refused: the address is told
            # before Datasette has started.
            listening.listen()
        except OSError:
            listening.close()
            continue
        with listening:
            yield listening
        return
    raise PortTakenError(port=port)


@contextlib.contextmanager
def url_file(home: Path, url: str) -> Iterator[None]:
    """Keep the address in the diary's folder, for its owner alone, while the block runs."""
    path = home / URL_FILE
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w", encoding="utf-8") as file:
        file.write(f"{url}\n")
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


def running_at(home: Path) -> str | None:
    """Return the address of a viewer that serves this diary now; None where none answers.

    A file left by a killed viewer leads nowhere, or to somebody else's program: the answer must be ours.
    """
    path = home / URL_FILE
    try:
        url = path.read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return None
    if urlsplit(url).hostname != LOOPBACK:
        return None
    opener = urllib.request.build_opener(_NoRedirect, urllib.request.ProxyHandler({}))
    try:
        opener.open(url, timeout=ANSWER_SECONDS_MAX).close()
    except urllib.error.HTTPError as answer:
        answer.close()
        return url if answer.code == 303 else None
    except OSError:
        return None
    return None


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Take the redirect itself as the answer: the token was right."""

    def redirect_request(self, *_: object) -> None:
        return None
