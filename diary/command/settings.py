"""`config`: the settings of this device."""

from typing import Annotated

import typer

from diary.command.desk import AsJson, desk_of, print_json, tell, text_of

app = typer.Typer(rich_markup_mode=None)


@app.command()
def config(
    ctx: typer.Context,
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="The setting.")] = None,
    value: Annotated[str | None, typer.Argument(metavar="[VALUE]", help="What to set it to.")] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """List the settings, show one with what it takes, or set it."""
    from diary.settings import SETTINGS

    with desk_of(ctx).open_diary() as diary:
        if name is not None and value is not None:
            diary.set_setting(name, text_of(value, "value") or "")
        names = list(SETTINGS) if name is None else [name]
        found = {each: diary.setting(each) for each in names}
    if as_json:
        print_json(found)
        return
    for each, now in found.items():
        tell(f"{each} = {_word(now)}")
        if name is not None and value is None:
            known = SETTINGS[each]
            tell(f"{known.does}; takes {known.takes}; at first {_word(known.default)}")


def _word(value: object) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return str(value) or "–"
