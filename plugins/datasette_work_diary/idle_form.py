"""The question about time away as every page asks it, and its answer (R18)."""

from typing import Any

from datasette_work_diary.edit_form import form_of, led_on
from datasette_work_diary.frame import Handler, viewer_here
from diary.diary import Diary
from diary.idling import NothingAskedError
from diary.rules.ids import ContractId, Millis

PATH = "/-/diary/idle"
_SAID = {
    "keep": "The time without you counts.",
    "drop": "The time without you does not count.",
    "move": "The time without you goes to the other contract.",
}


async def answer(datasette: Any, request: Any) -> Any:
    """Keep, drop or move the time away that the form speaks of."""
    form = await form_of(request)
    back, until_ms, word = form.back(), Millis(form.number("until")), form.text("answer")
    move_to = ContractId(form.text("contract")) if word == "move" else None

    def write(diary: Diary) -> str:
        try:
            match word:
                case "keep" | "drop" | "move":
                    diary.answer_idle(word, move_to=move_to, until_ms=until_ms)
                case _:
                    return ""
        except NothingAskedError:
            return ""
        return _SAID[word]

    says = await viewer_here(datasette).room.ask(write)
    return led_on(datasette, request, back, says or "That is not asked any more.", problem=not says)


ROUTES: list[tuple[str, Handler]] = [(rf"^{PATH}$", answer)]
