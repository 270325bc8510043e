"""The agency's page: whose contracts it reads and bills, and what each recorded (SPEC, section 1; R61).

The copies of the contracts are diaries of their own; one whose keys lie under a passphrase is read at the
command line, for a page asks nobody for another passphrase.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from datasette.utils.asgi import Response

from datasette_work_diary.frame import Handler, crumbs, reading_of, show, viewer_here
from datasette_work_diary.reading import Reading, hours
from diary.agency import MemberView
from diary.agency_copies import CopyView, views
from diary.diary import Diary
from diary.json_lists import member_json
from diary.rules.ids import ContractId
from diary.rules.money import money
from diary.rules.week import Week


@dataclass(frozen=True, slots=True)
class MemberShown:
    """One member's contract as a row of the table; `folder` is "" where no copy lies here."""

    member: str
    contract: str
    client: str
    weeks: tuple[tuple[str, str], ...]
    folder: str


@dataclass(frozen=True, slots=True)
class AgencyPage:
    """All that the page shows: `sums` are words a week, such as what it bills in each currency."""

    reading: Reading
    account: str
    weeks: tuple[str, ...]
    members: tuple[MemberShown, ...]
    sums: tuple[str, ...]


def agency_page(diary: Diary) -> AgencyPage:
    """Return the page: every contract on the agency's bill, this week and the last."""
    reading = reading_of(diary)
    this = Week.at(reading.now_ms)
    weeks = (this, this.previous())
    found = [views(diary.home, week, clock=diary.clock) for week in weeks]
    return AgencyPage(
        reading=reading,
        account=diary.account,
        weeks=tuple(week.name for week in weeks),
        members=tuple(_member(one, found) for one in diary.members()),
        sums=tuple(_sums(diary.members(), of_week) for of_week in found),
    )


def _member(one: MemberView, found: Sequence[Mapping[ContractId, CopyView]]) -> MemberShown:
    copy = found[0].get(one.contract)
    return MemberShown(
        member=one.name or one.member[:8],
        contract=copy.contract.title if copy is not None else one.contract[:8],
        client=one.client,
        weeks=tuple(_cell(of_week.get(one.contract)) for of_week in found),
        folder=str(copy.folder) if copy is not None else "",
    )


def _cell(copy: CopyView | None) -> tuple[str, str]:
    """Return how long was recorded, and what of it bills."""
    if copy is None or copy.totals is None:
        return "–", ""
    totals = copy.totals
    return hours(totals.segments), f"{money(totals.amount_minor, totals.currency)} {totals.currency}"


def _sums(listed: Sequence[MemberView], of_week: Mapping[ContractId, CopyView]) -> str:
    minor: dict[str, int] = defaultdict(int)
    for one in listed:
        copy = of_week.get(one.contract)
        if copy is not None and copy.totals is not None:
            minor[copy.totals.currency] += copy.totals.amount_minor
    return ", ".join(f"{money(amount, currency)} {currency}" for currency, amount in sorted(minor.items()))


def agency_json(diary: Diary) -> list[dict[str, object]]:
    """Return this week and the last as `diary agency members --json` gives each."""
    this = Week.at(diary.now_ms())
    return [_week_json(diary, week) for week in (this, this.previous())]


def _week_json(diary: Diary, week: Week) -> dict[str, object]:
    shown = views(diary.home, week, clock=diary.clock)
    return {"week": week.name, "members": [member_json(one, shown) for one in diary.members()]}


async def agency(datasette: Any, request: Any) -> Any:
    """Show the agency's members."""
    if request.url_vars["format"]:
        return Response.json(await viewer_here(datasette).room.ask(agency_json))
    page = await viewer_here(datasette).room.ask(agency_page)
    context = {
        "page": page,
        "room": "",
        "here": "/-/diary/agency",
        "crumbs_here": crumbs(("/-/diary/agency", "Agency")),
    }
    return await show(datasette, request, "agency", page.reading, context)


ROUTES: list[tuple[str, Handler]] = [(r"^/-/diary/agency(?P<format>\.json)?$", agency)]
