"""`idle`: what becomes of the time in which nobody was there (R18)."""

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from diary.command.desk import AsJson, Utc, desk_of, print_json, tell, text_of, zone_of
from diary.rules.json_form import at, iso

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from diary.idling import IdleQuestion

app = typer.Typer(rich_markup_mode=None)

Word = Annotated[
    Literal["keep", "drop", "move"] | None,
    typer.Argument(
        metavar="[keep|drop|move]", help="count it, do not count it, or give it to another contract"
    ),
]
Contract = Annotated[str | None, typer.Argument(metavar="[CONTRACT]", help="For move: where it goes.")]
Memo = Annotated[str | None, typer.Argument(metavar="[MEMO]", help="For move: what you were doing there.")]
Label = Annotated[str | None, typer.Option("--label", help="For move: one of that contract's labels.")]


@app.command()
def idle(
    ctx: typer.Context,
    word: Word = None,
    contract: Contract = None,
    memo: Memo = None,
    label: Label = None,
    *,
    as_json: AsJson = False,
    utc: Utc = False,
) -> None:
    """Show what is asked about time without you, or answer: keep it, drop it, move it to another contract."""
    with desk_of(ctx).open_diary() as diary:
        if word is not None:
            move_to = None if contract is None else diary.contract(contract).id
            memo, label = text_of(memo, "memo"), text_of(label, "label")
            diary.answer_idle(word, move_to=move_to, memo=memo, label=label)
            tell(_ANSWERED[word])
            return
        asked = diary.idle_question()
        zone = zone_of(diary, utc=utc)
        titles = {each.id: each.title for each in diary.contracts()}
    if as_json:
        print_json(None if asked is None else _json(asked, titles.get(asked.contract, "")))
    elif asked is None:
        tell("Nothing is asked about time away.")
    elif asked.answer is not None:
        tell(f"Answered: {asked.answer}. The tracker does it as soon as it runs.")
    else:
        tell(f"{says(asked, zone)} on {titles.get(asked.contract, 'a contract')}.")
        tell("Keep it: diary idle keep. Drop it: diary idle drop. Or: diary idle move CONTRACT.")


_ANSWERED = {
    "keep": "The time without you counts.",
    "drop": "The time without you does not count.",
    "move": "The time without you goes to the other contract, with the snapshots taken in it.",
}


def says(asked: "IdleQuestion", zone: "ZoneInfo") -> str:
    """Return how long nobody was there, and when."""
    since, until = (at(each).astimezone(zone) for each in (asked.since_ms, asked.until_ms))
    return f"{asked.says}, {since:%H:%M}–{until:%H:%M}"


def _json(asked: "IdleQuestion", title: str) -> dict[str, object]:
    return {
        "contract": title,
        "since": iso(asked.since_ms),
        "until": iso(asked.until_ms),
        "minutes": asked.minutes,
        "answer": asked.answer,
    }
