"""`late`: what waits for its freelancer's word before it leaves (R20, R38)."""

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from diary.command.desk import AsJson, Utc, Yes, agree, desk_of, print_json
from diary.rules.json_form import iso
from diary.rules.week import starts_at_ms

if TYPE_CHECKING:
    from diary.asking import Asked

app = typer.Typer(rich_markup_mode=None)

Answer = Annotated[
    Literal["send", "drop"] | None,
    typer.Argument(metavar="[send|drop]", help="send all of it, or destroy it; alone lists it"),
]


@app.command()
def late(
    ctx: typer.Context, answer: Answer = None, *, as_json: AsJson = False, yes: Yes = False, utc: Utc = False
) -> None:
    """List the time that waits for your answer: late, or moved by a clock that was wrong; send or drop it."""
    with desk_of(ctx).open_diary() as diary:
        waiting = diary.asked()
        if answer == "drop" and waiting:
            agree(f"Destroys {_count(len(waiting))}; it never left this device. Go on?", yes=yes)
        if answer is not None:
            places = diary.send_asked() if answer == "send" else diary.drop_asked()
            typer.echo(f"{_count(len(places))} {'will be sent' if answer == 'send' else 'destroyed'}.")
            return
        if as_json:
            print_json([_json(one) for one in waiting])
            return
        if not waiting:
            typer.echo("Nothing waits for an answer.")
            return
        from diary.command.look import sheet_of
        from diary.command.tables import plain, plain_table

        sheet = sheet_of(diary, utc=utc)
    table = plain_table("Slot", "Contract", "Why", "Memo")
    for one in waiting:
        why = "late: its week is locked"
        if one.true is not None:
            why = f"the clock was wrong: belongs to {sheet.moment(starts_at_ms(one.true))}"
        slot = sheet.moment(starts_at_ms(one.slot))
        table.add_row(slot, plain(one.contract_title), why, plain(one.memo))
    sheet.console.print(table)
    typer.echo("Late time bills once the client accepts it. Send it: diary late send. Or: diary late drop.")


def _count(segments: int) -> str:
    return f"{segments} segment{'' if segments == 1 else 's'}"


def _json(one: "Asked") -> dict[str, object]:
    return {
        "contract": one.contract,
        "slot": one.slot,
        "start": iso(starts_at_ms(one.slot)),
        "why": one.why,
        "true_start": None if one.true is None else iso(starts_at_ms(one.true)),
        "memo": one.memo,
    }
