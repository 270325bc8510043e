"""The whole `diary` command: our commands by module, other rooms' by entry point, all lazily (CLI.md).

A command of ours loads its own module and nothing else. A name that is none of ours loads what the other
rooms added (entry point group "workdiary.commands", each a function `commands(app, open_diary)`); help and
completion load all of it.
"""

import re
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from diary.clock import SystemClock
from diary.command.desk import AsJson, Desk, Utc, Yes, say
from diary.command.home import fault_of, home_of, tell_fault

if TYPE_CHECKING:
    # Typer's own click: what its groups are made of has no public name.
    from typer._click import Command, Context, HelpFormatter

COMMANDS = "workdiary.commands"

# In the order of help, each with the module that has it.
_OWN = {
    "up": "running",
    "status": "status",
    "today": "look",
    "week": "look",
    "show": "look",
    "search": "look",
    "report": "report",
    "edit": "correct",
    "add": "correct",
    "remove": "correct",
    "undo": "correct",
    "refused": "refused",
    "check": "check",
    "late": "late",
    "invoice": "invoice",
    "statement": "invoice",
    "bonus": "payment",
    "paid": "payment",
    "received": "payment",
    "dispute": "dispute",
    "redact": "dispute",
    "message": "message",
    "messages": "message",
    "call": "message",
    "idle": "idle",
    "export": "export",
    "bundle": "bundle",
    "verify": "verify",
    "init": "account",
    "key": "account",
    "contract": "contract",
    "config": "settings",
    "import": "importer",
    "doctor": "doctor",
    "audit": "audit",
    "backup": "care",
    "restore": "care",
    "salvage": "salvage",
}
# As CLI.md has them: what a newcomer looks for stands together. What is not installed is left out.
GROUPS = {
    "Run": ("up", "status", "window", "tracker"),
    "Track": ("start", "stop", "continue", "switch", "memo", "label", "pause", "idle"),
    "Look": ("today", "week", "show", "search", "report", "open"),
    "Correct": ("edit", "add", "remove", "undo", "refused"),
    "Week": ("check", "export", "bundle", "verify", "late", "dispute", "redact"),
    "Bills": ("invoice", "statement", "bonus", "paid", "received", "refund", "billing"),
    "Contracts": (
        "contract",
        "invite",
        "invitations",
        "join",
        "message",
        "messages",
        "call",
        "agency",
    ),
    "Sync": ("init", "key", "register", "login", "sync", "devices", "server"),
    "Settings": ("config", "private", "import"),
    "Care": ("doctor", "audit", "backup", "restore", "salvage", "demo"),
}
# What stands before the command holds for it wherever the command takes it itself.
_COMMON = {"as_json": "--json", "yes": "--yes", "utc": "--utc"}


class Commands(TyperGroup):
    """The group that loads a command's module when the command is asked for."""

    def get_command(self, ctx: "Context", cmd_name: str) -> "Command | None":
        """Return a command by its name, loading as little as finds it."""
        if cmd_name not in self.commands:
            if cmd_name in _OWN:
                self._load_own(_OWN[cmd_name])
            else:
                self._load_all(ctx)
        return self.commands.get(cmd_name)

    def format_commands(self, ctx: "Context", formatter: "HelpFormatter") -> None:
        """Write the commands in their groups (CLI.md), each with the first clause of its description."""
        found = {name: self.get_command(ctx, name) for name in self.list_commands(ctx)}
        placed = {name for names in GROUPS.values() for name in names}
        others = tuple(name for name in found if name not in placed)
        for group, names in (GROUPS | {"More": others}).items():
            rows = [(name, _clause(command)) for name in names if (command := found.get(name)) is not None]
            if rows:
                with formatter.section(group):
                    formatter.write_dl(rows)

    def list_commands(self, ctx: "Context") -> list[str]:
        """Return every command's name: ours in their order, then the other rooms'."""
        self._load_all(ctx)
        return [*_OWN, *sorted(name for name in self.commands if name not in _OWN)]

    def resolve_command(
        self, ctx: "Context", args: list[str]
    ) -> "tuple[str | None, Command | None, list[str]]":
        """Return the command, with the common options that stood before it as its own defaults."""
        name, command, rest = super().resolve_command(ctx, args)
        for parameter, option in _COMMON.items():
            if command is not None and ctx.params.get(parameter):
                found = list(_options(command, option))
                for each in found:
                    each.default = True
                if not found and option == "--json":
                    ctx.fail(f"“{name}” shows nothing that could be JSON.")
        return name, command, rest

    def invoke(self, ctx: "Context") -> Any:
        """Run the command; an error of ours ends as its sentences on stderr and its exit status (CLI.md)."""
        try:
            return super().invoke(ctx)
        except Exception as error:
            desk = ctx.find_root().obj  # none yet where the words themselves are wrong
            known = fault_of(error, desk.home) if isinstance(desk, Desk) else None
            if known is None:
                raise
            raise typer.Exit(tell_fault(known)) from error

    def _load_own(self, module: str) -> None:
        app: typer.Typer = import_module(f"diary.command.{module}").app
        self.commands.update(typer.main.get_group(app).commands)

    def _load_all(self, ctx: "Context") -> None:
        for module in dict.fromkeys(_OWN.values()):
            self._load_own(module)
        for name, command in _rooms(lambda: _desk(ctx).open_diary()):
            self.commands.setdefault(name, command)


def _rooms(open_diary: Callable[[], Any]) -> "Iterator[tuple[str, Command]]":
    """Yield what the other rooms add; a room whose libraries are not installed adds nothing."""
    from importlib.metadata import entry_points

    for point in sorted(entry_points(group=COMMANDS)):
        try:
            commands = point.load()
        except ModuleNotFoundError as error:
            say(f"{point.name} is left out: {error.name} is not installed.")
            continue
        app = typer.Typer(rich_markup_mode=None)
        commands(app, open_diary)
        yield from typer.main.get_group(app).commands.items()


def _clause(command: "Command") -> str:
    """Return what a command does, up to the first stop: the list of all has room for no more."""
    return re.split(r"[:;.]", (command.help or "").strip(), maxsplit=1)[0]


def _options(command: "Command", option: str) -> Iterator[Any]:
    """Yield the parameters of a command, and of those below it, that this option sets."""
    yield from (parameter for parameter in command.params if option in parameter.opts)
    for below in getattr(command, "commands", {}).values():
        yield from _options(below, option)


def _desk(ctx: "Context") -> Desk:
    desk = ctx.find_root().obj
    assert isinstance(desk, Desk), "the callback has run before any command"
    return desk


app = typer.Typer(
    name="diary",
    cls=Commands,
    help="Record, read, correct and prove your paid hours.",
    invoke_without_command=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def start(
    ctx: typer.Context,
    home: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="The diary's folder (else DIARY_HOME, else this user's data folder)."
        ),
    ] = None,
    *,
    as_json: AsJson = False,
    yes: Yes = False,  # noqa: ARG001  # the command that follows takes it over
    utc: Utc = False,
) -> None:
    """Record, read, correct and prove your paid hours; alone it says the state in one line."""
    # Who runs the command within a process of theirs may give the clock as the context's object.
    ctx.obj = Desk(home=home_of(home), clock=ctx.obj or SystemClock())
    if ctx.invoked_subcommand is None:
        from diary.command.state import show_state

        show_state(ctx.obj, as_json=as_json, utc=utc, brief=True)
