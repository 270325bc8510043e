"""The commands of tracking: what the freelancer wishes, and the tracker that follows it (R11)."""

import asyncio
import logging
import sys
from collections.abc import Callable
from importlib.util import find_spec
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from capture.alone import alone, holder, is_tracked
from capture.autostart_command import add_autostart
from capture.launch import LOG, ensure_tracker, last_lines
from capture.private_command import add_private
from diary.command.desk import desk_of
from diary.command.home import say, tell
from diary.contracts import Contract
from diary.diary import Diary
from diary.errors import MachineError, NothingError
from diary.rules.qualifies import Finding, Point
from diary.services import Service
from diary.tracking import NotTrackingError
from diary.when import duration_of
from diary.zone import machine_zone

LOG_BYTES_MAX = 1_000_000  # then it begins anew, the one before kept
LOG_LINES_SHOWN = 40
MINUTE_MS = 60_000

OpenDiary = Callable[[], Diary]
Memo = Annotated[str | None, typer.Argument(help="What you are working on.")]
Label = Annotated[str | None, typer.Option("--label", help="One of the contract's activity labels.")]


class NothingToContinueError(NothingError):
    """Nothing was ever tracked in this diary."""

    says = "There is nothing to continue: no contract was tracked before."
    mend = "Start with `diary start CONTRACT`."


class NoToolkitError(MachineError):
    """The window's toolkit is not installed."""

    says = "The window needs Qt, which is not installed here."
    mend = "Install workdiary[window]; the command line and the pages do all of it without."


class NoLogError(NothingError):
    """The tracker has said nothing yet."""

    says = "The tracker has not run here yet."
    mend = "Start with `diary start CONTRACT`."


def service() -> Service:
    """Return what `diary up` runs of this room."""
    return Service("tracker", ("tracker", "run"))


def commands(app: typer.Typer, open_diary: OpenDiary) -> None:
    """Add the commands of tracking to the `diary` command."""
    _add_wishes(app, open_diary)
    _add_changes(app, open_diary)
    _add_tracker(app, open_diary)
    add_private(app, open_diary)
    _add_window(app)


def _add_wishes(app: typer.Typer, open_diary: OpenDiary) -> None:
    @app.command(rich_help_panel="track")
    def start(contract: str, memo: Memo = None, label: Label = None) -> None:
        """Track time on a contract from now on."""
        with open_diary() as diary:
            _begin(diary, diary.contract(contract), memo, label)

    @app.command(rich_help_panel="track")
    def switch(contract: str, memo: Memo = None, label: Label = None) -> None:
        """Track another contract; the slot under way goes to the one tracked at its snapshot's moment."""
        with open_diary() as diary:
            if diary.tracking().contract is None:
                raise NotTrackingError
            _begin(diary, diary.contract(contract), memo, label)

    @app.command(rich_help_panel="track")
    def stop() -> None:
        """Switch tracking off."""
        with open_diary() as diary:
            if diary.tracking().contract is None:
                raise NotTrackingError
            diary.stop()
            tell("Tracking is off.")

    @app.command("continue", rich_help_panel="track")
    def go_on() -> None:
        """Track again what was tracked last, with its memo and label; also ends a pause."""
        with open_diary() as diary:
            last = diary.tracking()
            if last.contract is not None:
                diary.pause_until(diary.now_ms())
                tell("Tracking goes on.")
                ensure_tracker(diary.home, say)
                return
            if last.last_contract is None:
                raise NothingToContinueError
            memo, label = (text.text if text else None for text in (last.memo, last.label))
            _begin(diary, diary.contract(last.last_contract), memo, label)


def _add_changes(app: typer.Typer, open_diary: OpenDiary) -> None:
    @app.command(rich_help_panel="track")
    def memo(text: str) -> None:
        """Set the memo of this slot, if its snapshot is still to come, and of the slots after it."""
        with open_diary() as diary:
            diary.set_memo(text)
            tell("Memo set.")

    @app.command(rich_help_panel="track")
    def label(text: str) -> None:
        """Set the activity label of this slot, if its snapshot is still to come, and of those after it."""
        with open_diary() as diary:
            diary.set_label(text)
            tell("Label set.")

    @app.command(rich_help_panel="track")
    def pause(duration: Annotated[str, typer.Argument(help="For how long: 30m, 2h.")]) -> None:
        """Pause tracking for a while; it goes on by itself."""
        minutes = duration_of(duration)
        with open_diary() as diary:
            diary.pause_until(type(diary.now_ms())(diary.now_ms() + minutes * MINUTE_MS))
            tell(f"Paused for {minutes} minute{'s' if minutes > 1 else ''}.")


def _add_tracker(app: typer.Typer, open_diary: OpenDiary) -> None:
    tracker = typer.Typer(help="The process that records.", no_args_is_help=True)
    app.add_typer(tracker, name="tracker", rich_help_panel="track")
    add_autostart(tracker)

    @tracker.command()
    def run(
        *, quiet: Annotated[bool, typer.Option("--quiet", help="Talk to the log file only.")] = False
    ) -> None:
        """Run the tracker here until it is ended."""
        with open_diary() as diary, alone(diary.home):
            diary.require_freelancer()
            # Imported here: the other commands start without pictures and the X libraries.
            from capture.edges import edges_of
            from capture.notification import notifier_of
            from capture.tracker import Tracker

            log = _log(diary.home, quiet=quiet)
            tracker = Tracker(diary, edges_of(), say=log.info, zone=_zone(diary), notifier=notifier_of())
            asyncio.run(tracker.run())
            log.info("The tracker ended.")

    @tracker.command()
    def log(lines: Annotated[int, typer.Option("--lines", min=1)] = LOG_LINES_SHOWN) -> None:
        """Show what the tracker said lately."""
        with open_diary() as diary:
            path = diary.home / LOG
            pid = holder(diary.home) if is_tracked(diary.home) else None
        if not path.exists():
            raise NoLogError
        tell("\n".join(last_lines(path, lines)))
        say(f"It runs as process {pid}." if pid else "It does not run now.")


def _add_window(app: typer.Typer) -> None:
    @app.command(rich_help_panel="track")
    def window(
        ctx: typer.Context,
        *,
        hidden: Annotated[
            bool, typer.Option("--hidden", help="Start in the tray, where there is one.")
        ] = False,
    ) -> None:
        """Show a small window: what is tracked, start and stop, memo, pause, the last snapshot."""
        # Imported here: the toolkit is an extra, and large.
        if find_spec("PySide6") is None:
            raise NoToolkitError
        from capture.window.acting import Acting
        from capture.window.passphrase import passphrase_for_tracker, unlocked
        from capture.window.qt import run

        desk = desk_of(ctx)
        with unlocked(lambda ask: Diary.open(desk.home, clock=desk.clock, ask_passphrase=ask)) as diary:
            acting = Acting(diary, ask=lambda: passphrase_for_tracker(desk.home))
            raise typer.Exit(run(acting, hidden=hidden))


def _begin(diary: Diary, contract: Contract, memo: str | None, label: str | None) -> None:
    diary.start(contract.id, memo=memo, label=label)
    tell(f"Tracking {contract.title}.")
    for finding in diary.foresee(contract, memo or "", label or ""):
        say(_warning(finding, contract))
    ensure_tracker(diary.home, say)


def _warning(finding: Finding, contract: Contract) -> str:
    """Return a point that is known to fail, and what is typed to mend it (R11)."""
    typed: dict[Point, str] = {
        "memo": ' Set one: diary memo "what you are doing".',
        "label": f" Set one: diary label {'|'.join(contract.labels)}.",
    }
    return finding.says + typed.get(finding.point, f" {finding.mend}".rstrip())


def _log(home: Path, *, quiet: bool) -> logging.Logger:
    """Return the tracker's log: sentences with their time, nothing that a person wrote (R46)."""
    log = logging.getLogger("workdiary.tracker")
    log.setLevel(logging.INFO)
    handlers: list[logging.Handler] = [
        RotatingFileHandler(home / LOG, maxBytes=LOG_BYTES_MAX, backupCount=1, encoding="utf-8")
    ]
    if not quiet:
        handlers.append(logging.StreamHandler(sys.stderr))
    for handler in handlers:
        handler.setFormatter(logging.Formatter("%(asctime)s %(message)s", "%Y-%m-%d %H:%M:%S"))
        log.addHandler(handler)
    return log


def _zone(diary: Diary) -> ZoneInfo:
    name = str(diary.setting("zone"))
    return ZoneInfo(name) if name else machine_zone()
