"""`up`: tracker, sync, embedded server and pages in one; it creates what is missing (CLI.md)."""

import asyncio
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import typer

from diary.command.account import DeviceName, begin
from diary.command.desk import Desk, ask_passphrase, desk_of, say, tell
from diary.command.keys import KeyFile, Passphrase, new_passphrase
from diary.ending import end_when_asked
from diary.errors import UsageError
from diary.services import Service
from diary.supervising import LOGS, Supervisor

if TYPE_CHECKING:
    from diary.diary import Diary

app = typer.Typer(rich_markup_mode=None)

SERVICES = "workdiary.services"
SERVER = "server"
_LAST = {"sync": 1, "datasette": 2}  # what waits for others' work starts after them
LOOPBACK = "127.0.0.1"
PORT = 8440  # the same each time where it is free, so that the address stays right
SERVER_SECONDS_MAX = 60.0  # a cold start on a slow, loaded machine
PRACTICE = "Practice"


class AlreadyUpError(UsageError):
    """Another `diary up` has this diary."""

    says = "`diary up` runs on {home} already."
    mend = "Its Ctrl-C ends it; or name another diary with --home."


@app.command()
def up(
    ctx: typer.Context, name: DeviceName = None, *, passphrase: Passphrase = False, key_file: KeyFile = False
) -> None:
    """Run tracker, sync, an embedded server and the pages until Ctrl-C; makes a diary if there is none."""
    desk = desk_of(ctx)
    desk.home.mkdir(mode=0o700, parents=True, exist_ok=True)
    heard: list[str] = []
    with _alone(desk.home):
        with _opened(desk, heard, name, passphrase=passphrase, key_file=key_file) as diary:
            tell(f"The diary is in {desk.home}. {diary.key_place_says()}")
            _practise(diary)
            link = diary.server()
        # The parts get a passphrase as they would on stdin, so that it is typed once.
        asyncio.run(_run(desk.home, link.url if link else None, heard[-1] if heard else None))


def _opened(desk: Desk, heard: list[str], name: str | None, *, passphrase: bool, key_file: bool) -> "Diary":
    """Open the diary, or begin one where there is none; a passphrase that was typed goes to `heard` (R49)."""
    from diary.diary import Diary
    from diary.store.connection import FILE_NAME

    def ask(question: Callable[[], str]) -> Callable[[], str]:
        def answer() -> str:
            heard.append(question())
            return heard[-1]

        return answer

    if (desk.home / FILE_NAME).exists():
        return Diary.open(desk.home, clock=desk.clock, ask_passphrase=ask(ask_passphrase))
    diary = begin(desk, passphrase=passphrase, key_file=key_file, name=name, ask=ask(new_passphrase))
    say("A new diary. Write its recovery phrase down before you rely on it: diary key phrase.")
    return diary


def _practise(diary: "Diary") -> None:
    """Make a practice contract and track it where there is no contract at all.

    Raises:
        ClientReplicaError: It is a client's copy, which tracks nothing.
    """
    diary.require_freelancer()
    if not diary.contracts():
        made = diary.new_contract(title=PRACTICE, manual_allowed=True)
        diary.start(made.id, memo="Trying the diary out")
        tell(f"There was no contract: “{PRACTICE}” was made and is tracked from now on.")
    elif not diary.tracking().on:
        tell("Tracking is off. Switch it on: diary start CONTRACT.")


async def _run(home: Path, url: str | None, passphrase: str | None) -> None:
    """Start all parts, then wait for Ctrl-C or SIGTERM, then end them in order."""
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    end_when_asked(loop, stopped.set)
    supervisor = Supervisor(home, say=tell, passphrase=passphrase)
    starting = asyncio.create_task(_start(supervisor, home, url))
    try:
        waiting = asyncio.create_task(stopped.wait())
        await asyncio.wait({starting, waiting}, return_when=asyncio.FIRST_COMPLETED)
        if starting.done():
            starting.result()
            await waiting
    finally:
        starting.cancel()
        await asyncio.gather(starting, return_exceptions=True)
        tell("Ending.")
        await supervisor.end()


async def _start(supervisor: Supervisor, home: Path, url: str | None) -> None:
    services = {service.name: service for service in services_here()}
    server = services.pop(SERVER, None)
    if server is not None and is_embedded(home, url):
        where = url or f"http://{LOOPBACK}:{free_port()}"
        port = str(urlsplit(where).port or PORT)
        await supervisor.start(Service(SERVER, (*server.arguments, "--port", port)))
        if not await _answers(int(port)):
            tell(f"{SERVER:<10}does not answer yet: {supervisor.last_words(SERVER)}")
        elif url is None and await supervisor.run("register", ("register", where)):
            tell(f"{'register':<10}{supervisor.last_words('register')}")
        tell(f"{SERVER:<10}{where}, its files in {home / SERVER}")
    elif url is not None:
        tell(f"{SERVER:<10}{url}")
    for name in sorted(services, key=lambda name: (_LAST.get(name, 0), name)):
        await supervisor.start(services[name])
        tell(f"{name:<10}started")
    tell(f"Logs are in {home / LOGS}. Ctrl-C ends all of it.")


def services_here() -> Iterator[Service]:
    """Yield what the installed rooms run (entry point group "workdiary.services")."""
    for point in sorted(entry_points(group=SERVICES)):
        try:
            service = point.load()
        except ModuleNotFoundError as error:
            say(f"{point.name} is left out: {error.name} is not installed.")
            continue
        yield service()


def is_embedded(home: Path, url: str | None) -> bool:
    """Return whether the diary's server is the one that `up` runs: none is linked yet, or it is ours."""
    return url is None or (urlsplit(url).hostname == LOOPBACK and (home / SERVER).is_dir())


def free_port(wanted: int = PORT) -> int:
    """Return the wanted port, or a free one where somebody else has it."""
    with socket.socket() as probe:
        # As the server itself will: a port of a connection that just ended counts as free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, wanted))
        except OSError:
            probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
        return port


async def _answers(port: int) -> bool:
    """Return whether somebody answers at the port, within a while."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + SERVER_SECONDS_MAX
    while loop.time() < deadline:
        try:
            _, writer = await asyncio.open_connection(LOOPBACK, port)
        except OSError:
            await asyncio.sleep(0.1)
            continue
        writer.close()
        await writer.wait_closed()
        return True
    return False


@contextmanager
def _alone(home: Path) -> Iterator[None]:
    """Hold this diary's `up` for the time of the block.

    Raises:
        AlreadyUpError: Another process holds it.
    """
    from filelock import FileLock, Timeout

    lock = FileLock(home / "up.lock", mode=0o600)
    try:
        lock.acquire(blocking=False)
    except Timeout as error:
        raise AlreadyUpError(home=home) from error
    try:
        yield
    finally:
        lock.release()
