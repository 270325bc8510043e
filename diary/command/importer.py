"""`import`: time kept elsewhere as manual time, with a look at it first (R21)."""

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from diary.command.desk import AsJson, Utc, Yes, agree, desk_of, print_json, say, tell, zone_of
from diary.errors import RefusedError, UsageError
from diary.rules.json_form import iso
from diary.rules.week import starts_at_ms

if TYPE_CHECKING:
    from diary.contracts import Contract
    from diary.diary import Diary
    from diary.importing import Claim, Line, Read
    from diary.rules.change import Refused
    from diary.rules.ids import Slot

app = typer.Typer(rich_markup_mode=None)

BYTES_MAX = 64 * 1024 * 1024
FAULTS_SAID = 10


class UnreadableFileError(UsageError):
    """The file cannot be read as text."""

    says = "{path} cannot be read: {because}."
    mend = "Name a CSV file in UTF-8."


class UnmappedProjectError(UsageError):
    """A project of the file is no contract of the diary."""

    says = "No contract is called like the file's {projects}."
    mend = 'Say which is meant: --map "PROJECT=CONTRACT", once for each, or --contract for all of them.'


class NothingImportedError(RefusedError):
    """Nothing of the file was taken."""

    says = "{reason}: nothing of {path} was added."
    mend = "The lines above say why. Manual time needs an open week and a contract that allows it."


@app.command("import")
def import_(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A CSV of Toggl or Clockify, or a plain one.")],
    contract: Annotated[
        str | None, typer.Option(metavar="CONTRACT", help="All of it is this contract's.")
    ] = None,
    mapped: Annotated[
        list[str] | None,
        typer.Option("--map", metavar="PROJECT=CONTRACT", help="Which contract a project is; several times."),
    ] = None,
    dates: Annotated[
        Literal["ymd", "dmy", "mdy"] | None, typer.Option(help="In which order dates stand in the file.")
    ] = None,
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be added.")] = False,
    as_json: AsJson = False,
    yes: Yes = False,
    utc: Utc = False,
) -> None:
    """Add time from Toggl, Clockify or a CSV as manual time, where the terms allow it; shows it first."""
    from diary.importing import read

    with desk_of(ctx).open_diary() as diary:
        found = read(_text(file), str(file), zone_of(diary, utc=utc), dates)
        plan = _plan(diary, found, contract, mapped or [])
        if as_json:
            print_json(_json(found, plan, dry_run=dry_run))
        else:
            _tell(found, plan)
        if not plan.addable and not dry_run:
            reason = plan.refused[0][2].reason if plan.refused else "capture_exists"
            raise NothingImportedError(reason=reason, path=file)
        if dry_run:
            return
        agree("Add it as manual time?", yes=yes)
        added = sum(
            len(diary.add_manual(one.id, claim.slots, claim.memo, _label(one, claim)).done)
            for one, claim in plan.addable
        )
    if not as_json:
        tell(f"{_hours(added)} added as manual time.")


class _Plan:
    """What would be added, what stands already, and what a rule refuses, slot by slot."""

    def __init__(self) -> None:
        self.addable: list[tuple[Contract, Claim]] = []
        self.standing: dict[str, int] = defaultdict(int)
        self.refused: list[tuple[Contract, Slot, Refused]] = []


def _plan(diary: "Diary", found: "Read", contract: str | None, mapped: Sequence[str]) -> _Plan:
    from dataclasses import replace

    from diary.importing import claims

    plan = _Plan()
    for one, lines in _by_contract(diary, found, contract, mapped):
        for claim in claims(lines):
            answers = {slot: diary.may_add(one, slot, _label(one, claim)) for slot in claim.slots}
            addable = tuple(slot for slot, no in answers.items() if no is None)
            if addable:
                plan.addable.append((one, replace(claim, slots=addable)))
            for slot, no in answers.items():
                if no is not None and no.reason == "capture_exists":
                    plan.standing[one.title] += 1
                elif no is not None:
                    plan.refused.append((one, slot, no))
    return plan


def _by_contract(
    diary: "Diary", found: "Read", contract: str | None, mapped: Sequence[str]
) -> "list[tuple[Contract, list[Line]]]":
    names = dict(pair.split("=", 1) for pair in mapped if "=" in pair)
    titles = {one.title.casefold(): one for one in diary.contracts()}
    lines: dict[str, list[Line]] = defaultdict(list)
    known: dict[str, Contract] = {}
    unknown: dict[str, None] = {}
    for line in found.lines:
        if contract is not None:
            one: Contract | None = diary.contract(contract)
        elif line.project in names:
            one = diary.contract(names[line.project])
        else:
            one = titles.get(line.project.casefold())
        if one is None:
            unknown[line.project or "lines without a project"] = None
            continue
        known[one.id] = one
        lines[one.id].append(line)
    if unknown:
        raise UnmappedProjectError(projects=", ".join(f"“{each}”" for each in unknown))
    return [(known[id_], each) for id_, each in lines.items()]


def _label(contract: "Contract", claim: "Claim") -> str | None:
    """Return the first of the line's tags that is one of the contract's labels."""
    known = {label.casefold(): label for label in contract.labels}
    return next((known[tag.casefold()] for tag in claim.tags if tag.casefold() in known), None)


def _text(file: Path) -> str:
    try:
        if file.stat().st_size > BYTES_MAX:
            raise UnreadableFileError(path=file, because="it is larger than 64 MB")
        return file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UnreadableFileError(path=file, because=getattr(error, "strerror", None) or error) from error


def _tell(found: "Read", plan: _Plan) -> None:
    kinds = {"toggl": "a report of Toggl", "clockify": "a report of Clockify", "plain": "a plain CSV"}
    tell(f"It is {kinds[found.kind]} with {len(found.lines)} lines of time.")
    by_contract: dict[str, int] = defaultdict(int)
    for one, claim in plan.addable:
        by_contract[one.title] += len(claim.slots)
    for title, count in by_contract.items():
        tell(f"{title}: {_hours(count)} to add, in whole ten minutes.")
    for title, count in plan.standing.items():
        tell(f"{title}: {_hours(count)} stand in the diary already and are left as they are.")
    reasons: dict[tuple[str, str, str], int] = defaultdict(int)
    for one, _, no in plan.refused:
        reasons[one.title, no.reason, no.because] += 1
    for (title, reason, because), count in reasons.items():
        say(f"{reason}: {title}, {_hours(count)}: {because}.")
    for fault in found.faults[:FAULTS_SAID]:
        say(f"Line {fault.number} is left out: {fault.because}.")
    if len(found.faults) > FAULTS_SAID:
        say(f"{len(found.faults) - FAULTS_SAID} more lines are left out.")


def _json(found: "Read", plan: _Plan, *, dry_run: bool) -> dict[str, object]:
    return {
        "kind": found.kind,
        "dry_run": dry_run,
        "add": [
            {
                "contract": one.id,
                "memo": claim.memo,
                "label": _label(one, claim),
                "slots": [{"slot": slot, "start": iso(starts_at_ms(slot))} for slot in claim.slots],
            }
            for one, claim in plan.addable
        ],
        "refused": [
            {"contract": one.id, "slot": slot, "start": iso(starts_at_ms(slot)), "reason": no.reason}
            for one, slot, no in plan.refused
        ],
        "faults": [{"line": fault.number, "because": fault.because} for fault in found.faults],
    }


def _hours(segments: int) -> str:
    from diary.command.tables import hours

    return hours(segments)
