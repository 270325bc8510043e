"""`late`: what waits for its freelancer's word before it leaves (R20, R38)."""

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from diary.command.chosen import among
from diary.command.correct import OfContract
from diary.command.desk import AsJson, Utc, Yes, agree, desk_of, print_json, say, tell, zone_of
from diary.errors import NothingError
from diary.json_lists import asked_json
from diary.rules.counted import counted
from diary.rules.json_form import segment_json
from diary.rules.timesheet import Place
from diary.rules.week import starts_at_ms
from diary.when import selection_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from diary.asking import Asked
    from diary.command.desk import Desk
    from diary.command.tables import Sheet
    from diary.diary import Diary

app = typer.Typer(rich_markup_mode=None)

Answer = Annotated[
    Literal["send", "drop", "accept"] | None,
    typer.Argument(metavar="[send|drop|accept]", help="send it, or destroy it; the client accepts it"),
]
Which = Annotated[
    list[str] | None,
    typer.Argument(metavar="[SLOTS]...", help="9:00, 9-10:30, @3, @3-5; all that waits where none are named"),
]


class NothingWaitsThereError(NothingError):
    """No segment that waits for an answer stands where the command points."""

    says = "Nothing that waits for an answer stands at {words}."
    mend = "See what waits: diary late."


@app.command()
def late(
    ctx: typer.Context,
    answer: Answer = None,
    slots: Which = None,
    contract: OfContract = None,
    *,
    as_json: AsJson = False,
    yes: Yes = False,
    utc: Utc = False,
) -> None:
    """List the late time that waits for your answer; send or drop it, or accept it as the client."""
    desk = desk_of(ctx)
    with desk.open_diary() as diary:
        only = None if contract is None else diary.contract(contract).id
        if answer == "accept" or diary.seat_in is not None:
            _late_for_client(diary, desk, slots or (), accept=answer == "accept", as_json=as_json, utc=utc)
            return
        waiting = [one for one in diary.asked() if only in {None, one.contract}]
        if answer is not None:
            places = [(one.contract, one.slot) for one in waiting]
            if slots:
                zone = zone_of(diary, utc=utc)
                chosen = selection_of(slots, now_ms=diary.now_ms(), zone=zone, listed=desk.listed())
                places = among(places, chosen)
                if not places:
                    raise NothingWaitsThereError(words=" ".join(slots))
            tell(_answered(diary, answer, places, yes=yes))
            return
        if as_json:
            print_json([asked_json(one) for one in waiting])
            return
        if accepted := diary.accepted_late():
            say(f"The client accepted {counted(accepted, 'segment')} of late time so far, as a bonus.")
        if not waiting:
            tell("Nothing waits for an answer.")
            return
        from diary.command.look import sheet_of

        sheet = sheet_of(diary, utc=utc)
    desk.list_places([[(one.contract, one.slot)] for one in waiting])
    _show(waiting, sheet)
    tell("Late time bills once the client accepts it. Send it: diary late send. Or: diary late drop.")
    tell("Some of it: diary late send @1 @3-5")


def _late_for_client(
    diary: "Diary", desk: "Desk", slots: "Sequence[str]", *, accept: bool, as_json: bool, utc: bool
) -> None:
    """List the late time that the client has not accepted, or accept it: then it bills as a bonus (R38)."""
    from diary.command.look import sheet_of

    late = [
        one
        for week in diary.weeks()
        for one in diary.week(week).segments
        if one.state == "late" and not one.accepted
    ]
    places = [(one.contract, one.slot) for one in late]
    if slots:
        zone = zone_of(diary, utc=utc)
        places = among(places, selection_of(slots, now_ms=diary.now_ms(), zone=zone, listed=desk.listed()))
        if not places:
            raise NothingWaitsThereError(words=" ".join(slots))
    if accept:
        accepted = diary.accept_late(places) if places else 0
        tell(f"{counted(accepted, 'segment')} accepted; they bill as a bonus.")
        return
    if as_json:
        print_json([segment_json(one) for one in late])
        return
    if not late:
        tell("No late time waits for you.")
        return
    desk.list_places([[place] for place in places])
    sheet_of(diary, utc=utc).segments(late, with_day=True)
    tell("It bills once you accept it: diary late accept. Some of it: diary late accept @1 @3-5")


def _answered(diary: "Diary", answer: Literal["send", "drop"], places: list[Place], *, yes: bool) -> str:
    """Carry an answer out and return what was done."""
    if answer == "send":
        return f"{counted(len(diary.send_asked(places)), 'segment')} will be sent."
    if places:
        agree(f"Destroys {counted(len(places), 'segment')}; it never left this device. Go on?", yes=yes)
    return f"{counted(len(diary.drop_asked(places)), 'segment')} destroyed."


def _show(waiting: "list[Asked]", sheet: "Sheet") -> None:
    """Print what waits, its lines numbered for `@3`."""
    from diary.command.tables import plain, plain_table

    table = plain_table("", "Slot", "Contract", "Why", "Memo")
    for line, one in enumerate(waiting, start=1):
        why = "late: its week is locked"
        if one.true is not None:
            why = f"the clock was wrong: belongs to {sheet.moment(starts_at_ms(one.true))}"
        slot = sheet.moment(starts_at_ms(one.slot))
        table.add_row(f"@{line}", slot, plain(one.contract_title), why, plain(one.memo))
    sheet.console.print(table)
