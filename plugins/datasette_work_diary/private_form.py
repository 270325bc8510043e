"""The private rules on the page of settings: added, listed, removed, as JSON (R22)."""

from typing import Any

from datasette.utils.asgi import Response

from datasette_work_diary.edit_form import form_of, led_on
from datasette_work_diary.frame import Handler, viewer_here
from diary.diary import Diary
from diary.errors import DiaryError
from diary.rules.private import TEXT_CHARACTERS_MAX, BadRuleError, PrivateRule

PATH = "/-/diary/private"
BACK = "/-/diary/settings#private"


async def listed(datasette: Any) -> Any:
    """Return the rules with their numbers."""
    rules = await viewer_here(datasette).room.ask(lambda diary: diary.private_rules())
    return Response.json(
        [
            {"number": number, "application": rule.application, "words": rule.words}
            for number, rule in enumerate(rules, start=1)
        ]
    )


async def add(datasette: Any, request: Any) -> Any:
    """Add a rule; one that hides nothing or everything is refused with its reason."""
    form = await form_of(request)
    words, application = (form.text(name, TEXT_CHARACTERS_MAX * 2) for name in ("words", "application"))

    def write(diary: Diary) -> str:
        try:
            diary.add_private_rule(words=words, application=application)
        except DiaryError as error:
            return error.what_happened
        return ""

    # The line is kept in a cookie by the browser: it never says what is private.
    problem = await viewer_here(datasette).room.ask(write)
    says = "Never captured from now on." if not problem else _without(problem, (words, application))
    return led_on(datasette, request, BACK, says, problem=bool(problem))


async def remove(datasette: Any, request: Any) -> Any:
    """Remove a rule: what it hid is captured again."""
    form = await form_of(request)
    try:
        rule = PrivateRule(form.text("application"), form.text("words"))
    except BadRuleError:
        return led_on(datasette, request, BACK, "There is no such rule.", problem=True)
    await viewer_here(datasette).room.ask(lambda diary: diary.remove_private_rule(rule))
    return led_on(datasette, request, BACK, "Captured again from now on.")


def _without(text: str, private: tuple[str, ...]) -> str:
    for each in filter(None, private):
        text = text.replace(f"“{each}”", "it")
    return text


ROUTES: list[tuple[str, Handler]] = [
    (rf"^{PATH}\.json$", listed),
    (rf"^{PATH}/add$", add),
    (rf"^{PATH}/remove$", remove),
]
