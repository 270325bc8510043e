"""`private`: what is never captured, and what of the screen would be masked now (R22)."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from diary.command.desk import AsJson, print_json, say, tell, text_of
from diary.diary import Diary
from diary.errors import MachineError
from diary.rules.private import PrivateRule

if TYPE_CHECKING:
    from capture.edges import Monitors, VisibleWindow
    from capture.photograph import Taken

OpenDiary = Callable[[], Diary]
Words = Annotated[
    str, typer.Argument(metavar="[WORDS]", help="Words of a title or an application; * stands for anything.")
]
Application = Annotated[str, typer.Option("--application", help="Only windows of this application.")]
Number = Annotated[int, typer.Argument(metavar="NUMBER", help="As `diary private list` counts them.")]
Picture = Annotated[
    Path | None,
    typer.Option("--picture", metavar="FILE", help="Write what would be captured now as a PNG, in clear."),
]

NO_POSITIONS = (
    "This desktop does not tell where windows are: while there are private rules, whole pictures are masked."
)


class NoPictureNowError(MachineError):
    """There is nothing to show a mask on."""

    says = "No picture can be taken here now ({why})."
    mend = "diary doctor looks at the screen and says more."


def add_private(app: typer.Typer, open_diary: OpenDiary) -> None:
    """Add the commands of private rules to the `diary` command."""
    private = typer.Typer(help="What is never captured.", no_args_is_help=True)
    app.add_typer(private, name="private", rich_help_panel="settings")

    @private.command()
    def add(words: Words = "", application: Application = "") -> None:
        """Never capture windows with these words, of an application, or both."""
        with open_diary() as diary:
            rule = diary.add_private_rule(
                words=text_of(words, "words") or "", application=text_of(application, "name") or ""
            )
            tell(f"Never captured from now on: {said(rule)}.")
            say("What was recorded before stays: diary search, diary remove.")

    @private.command("list")
    def listed(*, as_json: AsJson = False) -> None:
        """List the rules with their numbers."""
        with open_diary() as diary:
            rules = diary.private_rules()
        if as_json:
            print_json([_json(number, rule) for number, rule in enumerate(rules, start=1)])
            return
        for number, rule in enumerate(rules, start=1):
            tell(f"{number}  {said(rule)}")
        if not rules:
            tell("There are no private rules: everything on the screen is captured.")

    @private.command()
    def remove(number: Number) -> None:
        """Remove a rule by its number: what it hid is captured again."""
        with open_diary() as diary:
            rule = diary.private_rule(number)
            diary.remove_private_rule(rule)
            tell(f"Captured again from now on: {said(rule)}.")

    @private.command()
    def test(picture: Picture = None, *, as_json: AsJson = False) -> None:
        """Show what would be masked now: by which rule, where; with --picture what would be captured."""
        with open_diary() as diary:
            rules = diary.private_rules()
            monitors = cast("Monitors", diary.setting("picture_monitors"))
        _try_out(rules, monitors, picture, as_json=as_json)


def said(rule: PrivateRule) -> str:
    """Return a rule in words."""
    words = f"“{rule.words}”"
    if not rule.application:
        return f"windows with {words} in application or title"
    of = f"windows of “{rule.application}”"
    return f"{of} with {words} in their title" if rule.words else f"all {of}"


def _json(number: int, rule: PrivateRule) -> dict[str, object]:
    return {"number": number, "application": rule.application, "words": rule.words}


def _try_out(
    rules: tuple[PrivateRule, ...], monitors: "Monitors", picture: Path | None, *, as_json: bool
) -> None:
    from capture.edges import edges_of
    from capture.photograph import take
    from capture.privacy import Privacy

    edges = edges_of()
    try:
        visible = edges.windows.visible()
        taken = take(edges, monitors, Privacy(rules))
    finally:
        edges.close()
    assert taken is not None, "masking is allowed here"
    if isinstance(taken.picture, str):
        raise NoPictureNowError(why=edges.blind_because or taken.picture)
    if picture is not None:
        taken.picture.save(picture, "PNG")
        say(f"Written: {picture}. It is not sealed; delete it when you have looked.")
    if as_json:
        print_json(_outcome(rules, visible, taken))
    else:
        for line in _lines(rules, visible, taken):
            tell(line)


def _hidden(
    rules: tuple[PrivateRule, ...], visible: "tuple[VisibleWindow, ...] | None"
) -> "list[tuple[int, VisibleWindow]]":
    """Return each window that a rule hides, with the rule's number."""
    return [
        (number, window)
        for window in visible or ()
        for number, rule in enumerate(rules, start=1)
        if rule.hides(window.application, window.title)
    ]


def _lines(
    rules: tuple[PrivateRule, ...], visible: "tuple[VisibleWindow, ...] | None", taken: "Taken"
) -> "list[str]":
    """Say what would be masked; titles are left out, as this terminal may be captured too."""
    if not rules:
        return ["There are no private rules: nothing would be masked."]
    if visible is None:
        return [NO_POSITIONS]
    lines = [
        f"Rule {number}: a window of {window.application or 'an application without a name'}, "
        f"{window.box[2]} by {window.box[3]} at {window.box[0]}, {window.box[1]}."
        for number, window in dict.fromkeys(_hidden(rules, visible))
    ]
    count = len(taken.boxes)
    lines.append(
        f"{count} place{'' if count == 1 else 's'} in the picture would be masked."
        if count
        else "Nothing in the picture would be masked."
    )
    if taken.masked and not taken.title:
        lines.append("The active window's title and application would be hidden.")
    return lines


def _outcome(
    rules: tuple[PrivateRule, ...], visible: "tuple[VisibleWindow, ...] | None", taken: "Taken"
) -> dict[str, object]:
    return {
        "masked": taken.masked,
        "positions_known": visible is not None,
        "windows": [
            {"rule": number, "application": window.application, "box": list(window.box)}
            for number, window in dict.fromkeys(_hidden(rules, visible))
        ],
        "boxes": [list(box) for box in taken.boxes],
    }
