"""Inviting the client of a contract from its card: the link, shown once, as text and as a QR code (R51, R64).

The link's secret is in the one answer that shows it, which no browser keeps (R52), and nowhere else: the page
has no address of its own to come back to.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from datasette.utils.asgi import BadRequest

from datasette_work_diary.contracts_page import PATH, contract_of
from datasette_work_diary.edit_form import form_of, led_on
from datasette_work_diary.frame import Handler, crumbs, reading_of, show, viewer_here
from datasette_work_diary.reading import Reading, counted
from diary.diary import Diary
from diary.errors import DiaryError
from diary.inviting import days_of
from diary.qr_code import QrCode, qr_code
from diary.rules.ids import ContractId

WHILE_TRACKED = (
    "Tracking is on: a snapshot of this screen would show the link to whoever reads the contract. "
    "Pause first, or say that it may be shown."
)


@dataclass(frozen=True, slots=True)
class InvitedPage:
    """A link that was just made; `code` is None where it leads to this computer alone.

    `ends` says how many seats end when it is used, "" for none; `name` is what it is taken back by.
    """

    reading: Reading
    title: str
    link: str
    code: QrCode | None
    until: str
    ends: str
    name: str


def invited_page(diary: Diary, contract: ContractId, *, days: int, instead: bool) -> InvitedPage:
    """Invite the client and return the page that shows the link (R51)."""
    reading = reading_of(diary)
    made = diary.invite(contract, days=days, instead=instead)
    title = next(one.title for one in diary.contracts() if one.id == contract)
    return InvitedPage(
        reading=reading,
        title=title,
        link=made.link.text,
        code=None if made.link.leads_here else qr_code(made.link.text),
        until=reading.instant(made.expires_at_ms),
        ends=counted(made.ends, "seat") if made.ends else "",
        name=made.link.keys.auth[:8],
    )


async def invite(datasette: Any, request: Any) -> Any:
    """Make a link and show it, in the answer to the form alone (R51, R64)."""
    form = await form_of(request)
    contract, instead, may_be_seen = contract_of(form), form.has("instead"), form.has("seen")
    days = form.text("days", 4)

    def write(diary: Diary) -> InvitedPage | None:
        if diary.tracking().on and not may_be_seen:
            return None
        return invited_page(diary, contract, days=days_of(days), instead=instead)

    try:
        page = await viewer_here(datasette).room.ask(write)
    except DiaryError as error:
        return led_on(datasette, request, PATH, error.in_full, problem=True)
    if page is None:
        return led_on(datasette, request, PATH, WHILE_TRACKED, problem=True)
    context = {"page": page, "room": "contracts", "crumbs_here": crumbs((PATH, "contracts"))}
    return await show(datasette, request, "invited", page.reading, context)


async def withdraw(datasette: Any, request: Any) -> Any:
    """Take an open invitation back (R51)."""
    form = await form_of(request)
    name = form.text("invitation", 64)
    if len(name) != 64:
        raise BadRequest("The form names no invitation.")

    def write(diary: Diary) -> None:
        diary.withdraw_invitation(name)

    try:
        await viewer_here(datasette).room.ask(write)
    except DiaryError as error:
        return led_on(datasette, request, PATH, error.in_full, problem=True)
    return led_on(datasette, request, PATH, "The invitation is taken back: its link is dead after a sync.")


ROUTES: Sequence[tuple[str, Handler]] = [
    (rf"^{PATH}/invite$", invite),
    (rf"^{PATH}/invite/withdraw$", withdraw),
]
