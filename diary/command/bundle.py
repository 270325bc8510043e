"""`bundle`: a week that anybody can check offline, in one file (R59)."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from diary.command.chosen import places_of
from diary.command.desk import AsJson, Utc, Yes, agree, desk_of, print_json, say, tell, zone_of
from diary.command.whole_file import write_whole
from diary.errors import UsageError
from diary.fetching import fetch_thinned
from diary.rules.json_form import at, iso
from diary.rules.week import Week, starts_at_ms

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from diary.bundling import Bundled
    from diary.contracts import Contract
    from diary.diary import Diary
    from diary.rules.ids import Slot

app = typer.Typer(rich_markup_mode=None)

SHOWN_MAX = 20
ENDING = ".bundle.zip"


class WhichContractError(UsageError):
    """A week has several contracts, and a bundle shows one (R59)."""

    says = "{week} has several contracts: {titles}. A bundle shows one."
    mend = "Say which: --contract TITLE."


class SeveralWeeksError(UsageError):
    """The slots are of several weeks (R59)."""

    says = "These slots are of several weeks, and a bundle shows one."
    mend = "Make one for each week."


@app.command()
def bundle(
    ctx: typer.Context,
    week: Annotated[str, typer.Argument(metavar="WEEK", help="2026-W47, this, last")],
    slots: Annotated[
        list[str] | None,
        typer.Argument(metavar="[SLOTS]", help="Only these: tuesday 9-10:30, @3; else the whole week."),
    ] = None,
    contract: Annotated[str | None, typer.Option(metavar="C", help="The contract; one a bundle.")] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The file to write; else one named by the week.")
    ] = None,
    *,
    yes: Yes = False,
    as_json: AsJson = False,
    utc: Utc = False,
) -> None:
    """Write a week, or some of its slots, with pictures and proofs: diary verify FILE checks it anywhere."""
    from diary.when import week_of

    desk = desk_of(ctx)
    with desk.open_diary() as diary:
        zone = zone_of(diary, utc=utc)
        which = week_of(week, now_ms=diary.now_ms())
        one = _contract(diary, which, contract)
        chosen = None
        if slots:
            chosen = frozenset(slot for _, slot in places_of(diary, desk, slots, zone, contract=one.id))
            if not chosen <= set(which.slots):
                raise SeveralWeeksError
        file = out or Path.cwd() / f"{which.name}-{_name_of(one.title)}{ENDING}"
        if file.exists():
            agree(f"{file} is there already. Replace it?", yes=yes)
        because = fetch_thinned(
            diary,
            (
                each
                for each in diary.week(which).segments
                if each.contract == one.id and (chosen is None or each.slot in chosen)
            ),
        )
        made = diary.bundle(one, which, chosen, zone)
        write_whole(file, made.whole)
    _tell(file, made, because, zone, as_json=as_json)


def _contract(diary: "Diary", week: Week, name: str | None) -> "Contract":
    if name is not None:
        return diary.contract(name)
    found = {one.contract for one in diary.week(week).segments if one.state != "deleted"}
    known = [one for one in diary.contracts() if one.id in found]
    if len(known) > 1:
        raise WhichContractError(week=week.name, titles=", ".join(one.title for one in known))
    if not known:
        from diary.bundling import NothingToBundleError

        raise NothingToBundleError(what=week.name)
    return known[0]


def _name_of(title: str) -> str:
    """Return a title as a file's name has it everywhere."""
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")[:40] or "contract"


def _tell(file: Path, made: "Bundled", because: str, zone: "ZoneInfo", *, as_json: bool) -> None:
    if as_json:
        print_json(
            {
                "file": str(file),
                "bytes": len(made.whole),
                "segments": made.segments,
                "pictures": made.pictures,
                "without": [iso(starts_at_ms(slot)) for slot in made.without],
                "unsynced": [iso(starts_at_ms(slot)) for slot in made.unsynced],
                "because": because,
                "printed": made.printed,
            }
        )
        return
    tell(f"{file}: {made.segments} segments, {made.pictures} pictures, {len(made.whole) / 1_000_000:.1f} MB")
    if because:
        say(because)
    if not made.printed:
        say("No report.pdf is in it: what makes one is not installed (workdiary[print]).")
    _name(made.without, "Pictures that are not to be had", zone)
    _name(made.unsynced, "Not in it, since no server has received them yet", zone)
    say("It was checked as anybody can check it: diary verify FILE. Who has it can read what it shows.")


def _name(slots: "tuple[Slot, ...]", what: str, zone: "ZoneInfo") -> None:
    if not slots:
        return
    say(f"{what}:")
    for slot in slots[:SHOWN_MAX]:
        say(f"  {at(starts_at_ms(slot)).astimezone(zone):%Y-%m-%d %H:%M}")
    if len(slots) > SHOWN_MAX:
        say(f"  and {len(slots) - SHOWN_MAX} more: --json lists all")
