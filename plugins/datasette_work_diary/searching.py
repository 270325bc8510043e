"""The search: its form and its results (R31, R52)."""

from dataclasses import dataclass
from typing import Any

from datasette.utils.asgi import NotFound, Response

from datasette_work_diary.edit_form import form_of
from datasette_work_diary.frame import Handler, crumbs, reading_of, show, viewer_here
from datasette_work_diary.reading import Reading, short_day
from diary.diary import Diary
from diary.rules.ids import ContractId, Slot
from diary.rules.json_form import iso
from diary.rules.week import ends_at_ms, starts_at_ms
from diary.search import TEXT_CHARACTERS_MAX, Found, Hit

HITS_A_PAGE = 50
PAGE_MAX = 10_000
PATH = "/-/diary/search"


@dataclass(frozen=True, slots=True)
class HitShown:
    """One segment that was found."""

    href: str
    when: str
    contract: str
    memo: str
    label: str
    seen: str
    thumbnail: str


@dataclass(frozen=True, slots=True)
class SearchPage:
    """All that the search's template shows; `words` is "" before anything was asked.

    `says` stands before the words that were sought, and `says_after` behind them: they stand by themselves,
    since they may hold what turns the direction of writing. Without `says_after` the words are not said.
    """

    words: str
    says: str
    says_after: str
    hits: tuple[HitShown, ...]
    newer: str
    older: str
    json_href: str


def search_page(words: str, number: str, page: int, found: Found, reading: Reading) -> SearchPage:
    """Return a page of results, `page` counting from 0 (R31)."""
    first = page * HITS_A_PAGE + 1
    says, after = "Nothing holds", "."
    if found.hits:
        says, after = (
            "Segments that hold",
            f", the newest first: {first} to {first + len(found.hits) - 1}.",
        )
    elif page:
        says, after = "There are no older ones.", ""
    here = f"{PATH}/{number}"
    return SearchPage(
        words=words,
        says=says,
        says_after=after,
        hits=tuple(_shown(hit, reading) for hit in found.hits),
        newer=f"{here}?page={page - 1}" if page else "",
        older=f"{here}?page={page + 1}" if found.more else "",
        json_href=f"{here}.json?page={page}",
    )


def _shown(hit: Hit, reading: Reading) -> HitShown:
    starts_ms = starts_at_ms(hit.slot)
    day = short_day(reading.local(starts_ms).date())
    return HitShown(
        href=f"/-/diary/segment/{hit.contract}/{hit.slot}",
        when=f"{day}, {reading.span(starts_ms, ends_at_ms(hit.slot))}",
        contract=hit.contract_title,
        memo=hit.memo,
        label=hit.label,
        seen=" · ".join((*hit.applications, *hit.titles)),
        thumbnail=f"/-/diary/picture/{hit.thumbnail}" if hit.thumbnail else "",
    )


async def search(datasette: Any, request: Any) -> Any:
    """Show the form; take the words that it sends, and lead to their results (R31)."""
    viewer = viewer_here(datasette)
    if request.method == "POST":
        words = (await form_of(request)).text("words", TEXT_CHARACTERS_MAX)
        return Response.redirect(f"{PATH}/{viewer.searches.keep(words)}" if words else PATH, status=303)
    reading = await viewer.room.ask(reading_of)
    empty = SearchPage("", "", "", (), "", "", "")
    return await _show(datasette, request, empty, reading)


async def results(datasette: Any, request: Any) -> Any:
    """Show a page of results (R31); as JSON the places and texts of the same page."""
    viewer = viewer_here(datasette)
    number = request.url_vars["number"]
    words = viewer.searches.found(number)
    if words is None:
        raise NotFound("This search was forgotten: the viewer keeps searches in memory only. Search again.")
    page = _page_asked(request.args.get("page", "0"))

    def look(diary: Diary) -> tuple[Reading, Found]:
        return reading_of(diary), diary.search(words, limit=HITS_A_PAGE, skip=page * HITS_A_PAGE)

    reading, found = await viewer.search_room.ask(look)
    if request.url_vars["format"]:
        return Response.json(found_json(words, found))
    return await _show(datasette, request, search_page(words, number, page, found, reading), reading)


def found_json(words: str, found: Found) -> dict[str, object]:
    """Return a page of results for programs."""
    return {"words": words, "more": found.more, "segments": [_hit_json(hit) for hit in found.hits]}


def _hit_json(hit: Hit) -> dict[str, ContractId | Slot | str | tuple[str, ...]]:
    return {
        "contract": hit.contract,
        "contract_title": hit.contract_title,
        "slot": hit.slot,
        "start": iso(starts_at_ms(hit.slot)),
        "memo": hit.memo,
        "label": hit.label,
        "applications": hit.applications,
        "titles": hit.titles,
    }


def _page_asked(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and int(text) <= PAGE_MAX):
        raise NotFound("There is no such page of results.")
    return int(text)


async def _show(datasette: Any, request: Any, page: SearchPage, reading: Reading) -> Any:
    context = {"search": page, "room": "search", "crumbs_here": crumbs((PATH, "search"))}
    return await show(datasette, request, "search", reading, context)


ROUTES: list[tuple[str, Handler]] = [
    (r"^/-/diary/search$", search),
    (r"^/-/diary/search/(?P<number>[0-9a-f]{16})(?P<format>\.json)?$", results),
]
