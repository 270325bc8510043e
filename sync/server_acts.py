"""What an operator does at a server's books: each act is kept beside what it changes (R44, R69)."""

import getpass
import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypedDict, Unpack

import typer

from diary.command.desk import AsJson, Desk, desk_of, print_json, say, tell
from diary.errors import DamageError, UsageError
from diary.rules.ids import AccountId, Millis
from diary.rules.json_form import iso
from sync.server_settings import BYTES_A_GIGABYTE, Said, chosen

if TYPE_CHECKING:
    from sync.server.operating import AccountLine, AccountRule, Deed, KeptAct, OperatorBooks
    from sync.server.settings import Settings

SERVER_FOLDER = "server"
PAGE = 1000  # accounts read at a time: a list of a million begins at once
ACCOUNT_DIGITS = 32

account_app = typer.Typer(help="The accounts on this server.", no_args_is_help=True)

Account = Annotated[str, typer.Argument(metavar="ACCOUNT", help="Its id, 32 hexadecimal digits.")]
Folder = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR", help="Where the server keeps its files; else “server” in the diary's folder."
    ),
]
Database = Annotated[
    str | None,
    typer.Option(metavar="URL", help="A PostgreSQL database (postgresql://…); else the server's own file."),
]
SettingsPath = Annotated[
    Path | None,
    typer.Option(
        "--settings", metavar="FILE", help="A settings file; else server.toml in the server's folder."
    ),
]


class NoServerFolderError(UsageError):
    """There is no server in that folder."""

    says = "No server keeps its files in {folder}."
    mend = "Name the folder that it was started with: --folder DIR."


class NoAccountError(UsageError):
    """What was given is no account's id."""

    says = "“{given}” is no account: an id has 32 hexadecimal digits."
    mend = "List those that are here: diary server account list."


class BrokenActsError(DamageError):
    """The record of what operators did was changed."""

    says = "The record of acts does not hold from act {n} of {whose} on, of {at}: it was changed or cut."
    mend = "Compare it with a backup of the database; whoever can write there can have changed it."


class Changed(TypedDict, total=False):
    """What of an account's rule a decision changes (see `sync.server.operating.AccountRule`)."""

    suspended_at_ms: Millis | None
    because: str
    picture_quota_bytes: int | None
    admitted: bool


class Books:
    """The operator's books of one server, and who writes in them."""

    def __init__(self, desk: Desk, books: "OperatorBooks") -> None:
        self._desk = desk
        self.books = books

    def act(
        self, deed: "Deed", account: str = "", detail: str = "", rule: "AccountRule | None" = None
    ) -> "KeptAct":
        """Keep what is done now, with the rule that it sets."""
        from sync.server.operating import Act

        return self.books.keep(Act(self.now_ms(), who_acts(), deed, account, detail), rule)

    def decide(self, deed: "Deed", account: AccountId, detail: str = "", **changed: Unpack[Changed]) -> None:
        """Change these fields of an account's rule, and keep that it was done."""
        self.act(deed, account, detail, replace(self.books.rule(account), **changed))

    def now_ms(self) -> Millis:
        """Return the instant of what is done now."""
        return Millis(self._desk.clock.now_ms())


def who_acts() -> str:
    """Return who is at this command: by the name that the system knows, behind sudo too."""
    try:
        name = getpass.getuser()
    except (KeyError, OSError):  # a user without an entry, as in a container
        name = f"user {os.getuid()}" if hasattr(os, "getuid") else "somebody"
    behind = os.environ.get("SUDO_USER")
    return f"{behind} as {name}" if behind and behind != name else name


def folder_of(ctx: typer.Context, folder: Path | None) -> Path:
    """Return where the server keeps its files."""
    return folder if folder is not None else desk_of(ctx).home / SERVER_FOLDER


def settings_there(
    ctx: typer.Context, folder: Path | None, database: str | None, settings_file: Path | None
) -> "Settings":
    """Return the settings of the server that keeps its files there already.

    Raises:
        NoServerFolderError: There is no such folder.
    """
    place = folder_of(ctx, folder)
    if not place.is_dir():
        raise NoServerFolderError(folder=place)
    return chosen(place, settings_file, Said(database=database))


@contextmanager
def books_at(desk: Desk, settings: "Settings") -> Iterator[Books]:
    """Give the books of a server that may be running meanwhile."""
    from sync.server.server import storage_of

    storage = storage_of(settings, desk.clock)
    try:
        yield Books(desk, storage.operator)
    finally:
        storage.close()


def _books(
    ctx: typer.Context, folder: Path | None, database: str | None, settings_file: Path | None
) -> AbstractContextManager[Books]:
    """Give the books of the server that the options name."""
    return books_at(desk_of(ctx), settings_there(ctx, folder, database, settings_file))


@account_app.command("list")
def account_list(
    ctx: typer.Context,
    *,
    suspended: Annotated[bool, typer.Option("--suspended", help="Only those not in good standing.")] = False,
    folder: Folder = None,
    database: Database = None,
    settings_file: SettingsPath = None,
    as_json: AsJson = False,
) -> None:
    """List the accounts: last receipt, room for pictures, standing. Who they are, nobody here knows."""
    with _books(ctx, folder, database, settings_file) as books:
        lines = _lines(books.books)
        found = [line for line in lines if line.rule.suspended_at_ms is not None] if suspended else lines
        if as_json:
            print_json([_line_json(line) for line in found])
            return
        for line in found:
            standing = "suspended" if line.rule.suspended_at_ms is not None else "good"
            size = f"{line.picture_bytes / BYTES_A_GIGABYTE:8.3f} GB"
            tell(f"{line.account}  {iso(line.received_at_ms)}  {size}  {standing}")


@account_app.command("suspend")
def account_suspend(
    ctx: typer.Context,
    account: Account,
    reason: Annotated[str, typer.Argument(help="Why; its freelancer reads it.")],
    *,
    folder: Folder = None,
    database: Database = None,
    settings_file: SettingsPath = None,
) -> None:
    """Put an account out of good standing: its pictures wait on its devices; rows are taken as ever."""
    named, why = _named(account), _reason(reason)
    with _books(ctx, folder, database, settings_file) as books:
        books.decide("suspend", named, why, suspended_at_ms=books.now_ms(), because=why)
    say(f"Suspended {named}. Running servers know it within a minute.")


@account_app.command("resume")
def account_resume(
    ctx: typer.Context,
    account: Account,
    *,
    folder: Folder = None,
    database: Database = None,
    settings_file: SettingsPath = None,
) -> None:
    """Bring an account back into good standing: its pictures come with the next sync."""
    named = _named(account)
    with _books(ctx, folder, database, settings_file) as books:
        books.decide("resume", named, suspended_at_ms=None, because="")
    say(f"{named} is in good standing again.")


@account_app.command("quota")
def account_quota(
    ctx: typer.Context,
    account: Account,
    gigabytes: Annotated[
        int | None, typer.Argument(min=0, metavar="[GB]", help="Room for its pictures; none: the server's.")
    ] = None,
    *,
    folder: Folder = None,
    database: Database = None,
    settings_file: SettingsPath = None,
) -> None:
    """Give an account room of its own for pictures, in place of the server's picture_quota_gb."""
    named = _named(account)
    with _books(ctx, folder, database, settings_file) as books:
        quota = None if gigabytes is None else gigabytes * BYTES_A_GIGABYTE
        said = "the server's" if gigabytes is None else f"{gigabytes} GB"
        books.decide("quota", named, said, picture_quota_bytes=quota)
    say(f"{named} may keep {'what the server allows all' if gigabytes is None else f'{gigabytes} GB'}.")


@account_app.command("admit")
def account_admit(
    ctx: typer.Context,
    account: Account,
    *,
    folder: Folder = None,
    database: Database = None,
    settings_file: SettingsPath = None,
) -> None:
    """Let an account be opened on a server that takes no others (new_accounts = "admitted")."""
    named = _named(account)
    with _books(ctx, folder, database, settings_file) as books:
        books.decide("admit", named, admitted=True)
    say(f"{named} may register.")


def acts(
    ctx: typer.Context,
    *,
    folder: Folder = None,
    database: Database = None,
    settings_file: SettingsPath = None,
    as_json: AsJson = False,
) -> None:
    """Show what operators did, by whom and when; exit status 4 when that record was changed."""
    from sync.server.operating import broken_at

    with _books(ctx, folder, database, settings_file) as books:
        kept = books.books.acts()
    in_time = sorted(kept, key=lambda one: (one.act.at_ms, one.act.account, one.n))
    if as_json:
        print_json([_act_json(one) for one in in_time])
    else:
        for one in in_time:
            words = (iso(one.act.at_ms), one.act.who, one.act.deed, one.act.account, one.act.detail)
            tell("  ".join(filter(None, words)))
    broken = broken_at(kept)
    if broken is not None:
        whose = broken.act.account or "the server"
        raise BrokenActsError(n=broken.n, whose=whose, at=iso(broken.act.at_ms))


def _lines(books: "OperatorBooks") -> "list[AccountLine]":
    found: list[AccountLine] = []
    while True:
        more = books.lines(found[-1].account if found else None, PAGE)
        found += more
        if len(more) < PAGE:
            return found


def _named(given: str) -> AccountId:
    word = given.strip().lower()
    if len(word) != ACCOUNT_DIGITS or not all(digit in "0123456789abcdef" for digit in word):
        raise NoAccountError(given=given)
    return AccountId(word)


def _reason(given: str) -> str:
    from sync.server.operating import TEXT_CHARACTERS_MAX

    return " ".join(given.split())[:TEXT_CHARACTERS_MAX]


def _line_json(line: "AccountLine") -> dict[str, object]:
    rule = line.rule
    return {
        "account": line.account,
        "received_at": iso(line.received_at_ms),
        "picture_bytes": line.picture_bytes,
        "picture_quota_bytes": rule.picture_quota_bytes,
        "suspended_at": None if rule.suspended_at_ms is None else iso(rule.suspended_at_ms),
        "because": rule.because,
        "admitted": rule.admitted,
    }


def _act_json(kept: "KeptAct") -> dict[str, object]:
    act = kept.act
    return {
        "at": iso(act.at_ms),
        "who": act.who,
        "act": act.deed,
        "account": act.account or None,
        "detail": act.detail,
        "n": kept.n,
        "hash": kept.hash,
    }
