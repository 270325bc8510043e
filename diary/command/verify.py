"""`verify`: checks a bundle with nothing but its file (R59, R60)."""

import errno
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from diary.command.desk import AsJson, print_json, tell
from diary.errors import MachineError, NothingError, UsageError

if TYPE_CHECKING:
    from diary.evidence.verify import Line, Verification

app = typer.Typer(rich_markup_mode=None)

KEY_DIGITS = 64
NAME_SHOWN_MAX = 80
_MARKS = {"holds": "holds ", "stated": "stated", "fails": "FAILS "}


class NoBundleError(UsageError):
    """There is no such file."""

    says = "There is no file {path}."
    mend = "Name the bundle's file: diary verify 2026-W47-orchard.bundle.zip."


class FolderError(UsageError):
    """What was named is a folder: perhaps an unpacked bundle."""

    says = "{path} is a folder, and a bundle is one file."
    mend = "Name the file as it was sent to you, not what was unpacked from it."


class UnreadableFileError(MachineError):
    """The file is there and cannot be read."""

    says = "{path} cannot be read: {fault}."
    mend = "Look at who may read it."


class BadKeyError(UsageError):
    """What was given is no server's key."""

    says = "“{given}” is no server's key: one has 64 hexadecimal digits."
    mend = "The server says its own at /v1/server; an invitation link holds it."


class DoesNotHoldError(NothingError):
    """Something in the bundle does not hold (R59)."""

    says = "This bundle does not hold. {count}: {about}: {because}."
    mend = "Ask for the file anew, as it was made; if that fails too, what is named was changed."


class OtherServerError(DoesNotHoldError):
    """The bundle is of another server than the one whose key was given (R59)."""

    mend = "Look where your key is from. If it is right, the bundle is of another server than yours."


@app.command()
def verify(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A bundle that somebody made.")],
    *,
    server_key: Annotated[
        str | None,
        typer.Option(metavar="HEX", help="The key that you know to be the server's: it must be this one."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Check a bundle offline, trusting nobody: line by line what holds, what is only stated, what fails."""
    from diary.evidence.verify import THE_SERVER
    from diary.evidence.verify import verify as check

    if server_key is not None and not _is_key(server_key):
        raise BadKeyError(given=server_key)
    found = check(_read(file), server_key=server_key)
    if as_json:
        print_json(_json(found))
    else:
        _tell(found)
    failing = [line for line in found.lines if line.outcome == "fails"]
    if failing:
        count = "One claim fails" if len(failing) == 1 else f"{len(failing)} claims fail, the first"
        error = OtherServerError if failing[0].about == THE_SERVER else DoesNotHoldError
        raise error(count=count, about=failing[0].about, because=failing[0].says)


def _read(file: Path) -> bytes:
    from diary.evidence.bundle_zip import CONTAINER_BYTES_MAX

    try:
        with file.open("rb") as opened:
            return opened.read(CONTAINER_BYTES_MAX + 1)  # one more says that it is too long
    except IsADirectoryError as error:
        raise FolderError(path=file) from error
    except (FileNotFoundError, NotADirectoryError) as error:
        raise NoBundleError(path=file) from error
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            raise NoBundleError(path=f"{str(file)[:NAME_SHOWN_MAX]}…") from error
        raise UnreadableFileError(path=file, fault=error.strerror or error) from error


def _is_key(text: str) -> bool:
    word = text.strip().lower()
    return len(word) == KEY_DIGITS and all(digit in "0123456789abcdef" for digit in word)


def _tell(found: "Verification") -> None:
    from diary.command.tables import plain
    from diary.rules.money import money

    for line in found.lines:
        tell(f"{_MARKS[line.outcome]}  {plain(line.about).plain}: {plain(line.says).plain}")
    if not found.holds:
        return
    record = found.record
    assert record is not None, "what holds has a record"
    tell("")
    for total in found.totals:
        sums = _sum_says(total.billable, total.segments)
        amount = f"{money(total.amount_minor, total.currency)} {total.currency}"
        tell(f"{record.week}, {plain(total.contract_title).plain}: {sums}, which makes {amount}")
    tell("Unchanged since the server received it, as the freelancer's device stated it, received then.")


def _sum_says(billable: int, segments: int) -> str:
    word = "segment" if segments == 1 else "segments"
    return f"{segments} {word} shown, {billable} of them bill"


def _json(found: "Verification") -> dict[str, object]:
    record = found.record
    return {
        "holds": found.holds,
        "week": None if record is None else record.week,
        "contract": None if record is None else record.contract,
        "account": None if record is None else record.account,
        "server_key": None if record is None else record.server_key,
        "totals": [
            {
                "contract_title": total.contract_title,
                "segments": total.segments,
                "billable": total.billable,
                "amount_minor": total.amount_minor,
                "currency": total.currency,
            }
            for total in found.totals
        ],
        "lines": [_line_json(line) for line in found.lines],
    }


def _line_json(line: "Line") -> dict[str, str]:
    return {"outcome": line.outcome, "about": line.about, "says": line.says}
