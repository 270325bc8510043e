"""The page of settings: each with what it does and takes, saved one by one (R5, R13, R17, R18)."""

from dataclasses import dataclass, replace
from typing import Any
from zoneinfo import available_timezones

from datasette.utils.asgi import Response

from datasette_work_diary.edit_form import form_of, led_on
from datasette_work_diary.frame import Handler, RefusalSaid, crumbs, reading_of, show, viewer_here
from datasette_work_diary.reading import Reading, sentence
from diary.diary import Diary
from diary.errors import DiaryError
from diary.settings import SETTINGS, Value

PATH = "/-/diary/settings"
VALUE_MAX = 100


@dataclass(frozen=True, slots=True)
class SettingShown:
    """One setting as its form shows it; `choices` is empty where it is typed."""

    name: str
    title: str
    does: str
    takes: str
    value: str
    at_first: str
    choices: tuple[str, ...]
    is_number: bool


def word(value: Value) -> str:
    """Return a value as it is typed."""
    if isinstance(value, bool):
        return "on" if value else "off"
    return str(value)


def settings_shown(values: dict[str, Value]) -> tuple[SettingShown, ...]:
    """Return every setting with its value, in the order of `diary config`."""
    return tuple(_shown(name, values[name]) for name in SETTINGS)


def _shown(name: str, value: Value) -> SettingShown:
    known = SETTINGS[name]
    choices: tuple[str, ...] = ("on", "off") if isinstance(known.default, bool) else known.choices
    return SettingShown(
        name=name,
        title=name.replace("_", " ").capitalize(),
        does=sentence(known.does),
        takes=known.takes,
        value=word(value),
        at_first=word(known.default),
        choices=choices,
        is_number=isinstance(known.default, int) and not isinstance(known.default, bool),
    )


def look_at_settings(diary: Diary) -> tuple[Reading, dict[str, Value]]:
    """Return the settings as they are."""
    return reading_of(diary), {name: diary.setting(name) for name in SETTINGS}


async def settings(datasette: Any, request: Any) -> Any:
    """Show the settings, or save the one that was sent; as JSON like `diary config --json`."""
    room = viewer_here(datasette).room
    if request.method == "POST":
        form = await form_of(request)
        name, value = form.text("name", VALUE_MAX), form.text("value", VALUE_MAX)
        try:
            await room.ask(lambda diary: diary.set_setting(name, value))
        except DiaryError as error:
            return await _show(datasette, request, Unsaved(name, value, error))
        return led_on(datasette, request, f"{PATH}#{name}", f"Saved: {name.replace('_', ' ')}.")
    if request.url_vars["format"]:
        return Response.json((await room.ask(look_at_settings))[1])
    return await _show(datasette, request)


@dataclass(frozen=True, slots=True)
class Unsaved:
    """A value that was refused: it stays where it was typed, beside the reason."""

    name: str
    value: str
    error: DiaryError

    @property
    def said(self) -> RefusalSaid:
        """Return why it was not saved."""
        return RefusalSaid("Not saved", "", self.error.what_happened, self.error.how_to_mend)


async def _show(datasette: Any, request: Any, unsaved: Unsaved | None = None) -> Any:
    room = viewer_here(datasette).room
    reading, values = await room.ask(look_at_settings)
    shown = settings_shown(values)
    if unsaved:
        shown = tuple(replace(one, value=unsaved.value) if one.name == unsaved.name else one for one in shown)
    context: dict[str, object] = {
        "private": await room.ask(lambda diary: diary.private_rules()),
        "settings": shown,
        "zones": sorted(available_timezones()),
        "refused": unsaved.name if unsaved and unsaved.name in SETTINGS else "",
        "refusals_said": [unsaved.said] if unsaved else [],
        "room": "settings",
        "crumbs_here": crumbs((PATH, "settings")),
    }
    return await show(datasette, request, "settings", reading, context, 409 if unsaved else 200)


ROUTES: list[tuple[str, Handler]] = [(r"^/-/diary/settings(?P<format>\.json)?$", settings)]
