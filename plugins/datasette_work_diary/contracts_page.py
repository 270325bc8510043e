"""The page of contracts: whose terms hold from when, requests and their answers, disputes (R8, R10, R62)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from datasette.utils.asgi import BadRequest, Response

from datasette_work_diary.edit_form import Form, form_of, led_on
from datasette_work_diary.frame import Handler, crumbs, reading_of, show, viewer_here
from datasette_work_diary.reading import Reading, counted
from diary.billing_methods import billing_says
from diary.contracts import Contract
from diary.diary import Diary
from diary.errors import DiaryError
from diary.inviting import EXPIRES_DAYS, InvitationView
from diary.json_lists import contract_in_full_json
from diary.parties import DisputeView, RequestView
from diary.rules.act_parts import VersionName
from diary.rules.ids import ContractId, ReplicaId
from diary.rules.money import money
from diary.rules.terms_changes import changes, limit_words
from diary.rules.week import Week, starts_at_ms

PATH = "/-/diary/contracts"
VERSIONS_SHOWN_MAX = 30
STATE_WORDS = {"open": "waits for an answer", "allowed": "allowed", "declined": "declined"}


@dataclass(frozen=True, slots=True)
class SetShown:
    """One version of the terms: when, by whom, and what it changed."""

    when: str
    who: str
    points: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RequestShown:
    """A request as a line; `name` is what a form sends to take it back."""

    name: str
    what: str
    when: str
    state: str
    word: str
    reason: str
    answer: str


@dataclass(frozen=True, slots=True)
class DisputeShown:
    """A dispute as a card; `first_href` leads to its first segment, `places` are what a reply names."""

    what: str
    when: str
    is_open: bool
    reason: str
    first_href: str
    places: tuple[str, ...]
    replies: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class InvitedShown:
    """An open invitation of the client as a line; `name` is what a form sends to take it back."""

    name: str
    says: str


@dataclass(frozen=True, slots=True)
class ContractShown:
    """One contract: its terms now, how they came to be, what was asked and disputed, who reads it.

    `may_invite`: its client can be invited from here.
    """

    id: str
    title: str
    client: str
    joined: str
    facts: tuple[tuple[str, str], ...]
    versions: tuple[SetShown, ...]
    earlier: int
    requests: tuple[RequestShown, ...]
    disputes: tuple[DisputeShown, ...]
    may_ask: bool
    agencies: tuple[str, ...]
    has_client: bool
    may_invite: bool
    invited: tuple[InvitedShown, ...]


@dataclass(frozen=True, slots=True)
class ContractsPage:
    """All that the page shows; `weeks` are those for which manual time may be asked.

    `tracked`: snapshots of this screen are being taken, which would show a link (R12, R51).
    """

    reading: Reading
    contracts: tuple[ContractShown, ...]
    weeks: tuple[str, ...]
    tracked: bool
    days: int = EXPIRES_DAYS


def contracts_page(diary: Diary, reading: Reading) -> ContractsPage:
    """Return the page: every contract that is shown in lists (R7)."""
    this = Week.at(reading.now_ms)
    before = this.previous()
    open_weeks = [this] if before.is_frozen(reading.now_ms) else [this, before]
    invited = () if reading.for_client else tuple(one for one in diary.invitations() if one.state == "open")
    return ContractsPage(
        reading=reading,
        contracts=tuple(_contract(diary, one, reading, invited) for one in _listed(diary)),
        weeks=tuple(week.name for week in open_weeks),
        tracked=diary.tracking().on,
    )


def _listed(diary: Diary) -> list[Contract]:
    show_fixed = bool(diary.setting("show_fixed_price"))
    return [one for one in diary.contracts() if show_fixed or one.terms.kind == "hourly"]


def listed_json(diary: Diary) -> list[dict[str, object]]:
    """Return the same contracts as `diary contract show --json` gives each."""
    return [contract_in_full_json(diary, one) for one in _listed(diary)]


def _contract(
    diary: Diary, one: Contract, reading: Reading, invited: Sequence[InvitationView]
) -> ContractShown:
    seats = diary.seats(one.id)
    history = changes(one.history)
    return ContractShown(
        id=one.id,
        title=one.title,
        client=one.client,
        joined="The client has joined: the terms are theirs." if seats else "No client has joined yet.",
        facts=(*_facts(one), ("Paying", _paying(diary, one, reading))),
        versions=tuple(
            SetShown(
                when=reading.instant(version.received_at_ms),
                who="client" if version.name[0] in seats else "freelancer",
                points=tuple(
                    point.says
                    if point.from_ms == version.received_at_ms
                    else f"{point.says}, from {reading.instant(point.from_ms)}"
                    for point in points
                ),
            )
            for version, points in history[:VERSIONS_SHOWN_MAX]
        ),
        earlier=max(0, len(history) - VERSIONS_SHOWN_MAX),
        requests=tuple(_request(asked, reading) for asked in diary.requests(one.id)),
        disputes=tuple(_dispute(one.id, raised, reading) for raised in diary.disputes(one.id)),
        may_ask=not reading.for_client and not one.terms.manual_allowed and one.terms.state != "closed",
        agencies=tuple(
            f"The manager of agency {seat.agency[:8]} reads this contract since "
            f"{reading.instant(seat.joined_at_ms)}, and changes nothing in it."
            for seat in diary.joined(one.id)
            if seat.agency is not None and not seat.ended
        ),
        has_client=bool(seats),
        may_invite=not reading.for_client and diary.server() is not None,
        invited=tuple(
            InvitedShown(
                name=each.auth,
                says=f"A link for the client is open until {reading.instant(each.expires_at_ms)}"
                + ("." if each.sent else ", and works once this diary has synced."),
            )
            for each in invited
            if each.contract == one.id and each.agency is None
        ),
    )


def _facts(one: Contract) -> tuple[tuple[str, str], ...]:
    terms = one.terms
    weeks = ", ".join(terms.manual_weeks)
    manual = "allowed" if terms.manual_allowed else f"allowed for {weeks}" if weeks else "not allowed"
    rate = "fixed price"
    if terms.kind == "hourly":
        rate = f"{money(terms.rate_minor, terms.currency)} {terms.currency} an hour"
    return (
        ("State", terms.state),
        ("Rate", rate),
        ("Weekly limit", limit_words(terms.limit_minutes)),
        ("Manual time", manual),
        ("Masking", "allowed" if terms.masking_allowed else "not allowed"),
        ("A label is", "required" if terms.label_required else "optional"),
    )


def _paying(diary: Diary, one: Contract, reading: Reading) -> str:
    """Return how the client pays, and when that was said (R11, R63)."""
    view = diary.billing(one)
    if view is None:
        return "no server has told"
    words = billing_says(view)
    return words if view.at_ms is None else f"{words}, {reading.instant(view.at_ms)}"


def _request(asked: RequestView, reading: Reading) -> RequestShown:
    return RequestShown(
        name=f"{asked.name[0]}/{asked.name[1]}",
        what=f"Manual time in {asked.week}" if asked.week else "Manual time for the whole contract",
        when=reading.instant(asked.asked_at_ms),
        state=asked.state,
        word=STATE_WORDS.get(asked.state, "taken back") + ("" if asked.synced else ", not sent yet"),
        reason=asked.reason,
        answer=asked.answer_reason,
    )


def _dispute(contract: ContractId, raised: DisputeView, reading: Reading) -> DisputeShown:
    slots = raised.open_slots or raised.slots
    return DisputeShown(
        what=f"{counted(len(raised.slots), 'segment')} from {reading.instant(starts_at_ms(raised.slots[0]))}",
        when=reading.instant(raised.raised_at_ms),
        is_open=bool(raised.open_slots),
        reason=raised.reason,
        first_href=f"/-/diary/segment/{contract}/{slots[0]}",
        places=tuple(f"{contract}/{slot}" for slot in slots),
        replies=tuple((reading.instant(at_ms), words) for at_ms, words in raised.replies),
    )


async def contracts(datasette: Any, request: Any) -> Any:
    """Show the contracts, what was asked of their clients, and what is disputed (R8, R10, R62)."""
    if request.url_vars["format"]:
        return Response.json(await viewer_here(datasette).room.ask(listed_json))
    page = await viewer_here(datasette).room.ask(lambda diary: contracts_page(diary, reading_of(diary)))
    context = {"page": page, "room": "contracts", "crumbs_here": crumbs((PATH, "contracts"))}
    return await show(datasette, request, "contracts", page.reading, context)


async def ask(datasette: Any, request: Any) -> Any:
    """Ask the client for manual time (R10)."""
    form = await form_of(request)
    contract, reason, week = contract_of(form), form.text("reason"), _week_of(form.text("week"))

    def write(diary: Diary) -> None:
        diary.ask_manual_time(contract, reason, week=week)

    return await _done(datasette, request, write, "Asked; your client decides.")


async def withdraw(datasette: Any, request: Any) -> Any:
    """Take an unanswered request back (R10)."""
    form = await form_of(request)
    contract, name = contract_of(form), _request_of(form.text("request"))

    def write(diary: Diary) -> None:
        diary.take_request_back(contract, name)

    return await _done(datasette, request, write, "The request is taken back.")


async def reply(datasette: Any, request: Any) -> Any:
    """Reply to what the client disputes, with a bundle where that is asked for, or concede it (R62)."""
    form = await form_of(request)
    places, words = form.places(), form.text("reason")
    concedes, with_bundle = form.text("act", 16) == "concede", form.has("bundle")
    if not places:
        raise BadRequest("A reply is about segments.")

    def write(diary: Diary) -> None:
        if concedes:
            diary.concede(places, words)
        elif with_bundle:
            diary.reply_with_bundle(places, words, reading_of(diary).zone)
        else:
            diary.reply(places, words)

    says = "Conceded: it is credited." if concedes else "Replied, with a file." if with_bundle else "Replied."
    return await _done(datasette, request, write, says)


async def _done(datasette: Any, request: Any, write: Any, says: str) -> Any:
    """Do it and lead on; what was refused is said where the person comes from (R37d)."""
    try:
        await viewer_here(datasette).room.ask(write)
    except DiaryError as error:
        return led_on(datasette, request, PATH, error.in_full, problem=True)
    return led_on(datasette, request, PATH, says)


def contract_of(form: Form) -> ContractId:
    """Return the contract that a form of this page names."""
    name = form.text("contract", 32)
    if len(name) != 32:
        raise BadRequest("The form names no contract.")
    return ContractId(name)


def _week_of(name: str) -> Week | None:
    if not name:
        return None
    try:
        return Week.parse(name)
    except ValueError as error:
        raise BadRequest(str(error)) from error


def _request_of(name: str) -> VersionName:
    replica, _, n = name.partition("/")
    if len(replica) != 32 or not n.isascii() or not n.isdecimal():
        raise BadRequest("The form names no request.")
    return ReplicaId(replica), int(n)


ROUTES: Sequence[tuple[str, Handler]] = [
    (rf"^{PATH}(?P<format>\.json)?$", contracts),
    (rf"^{PATH}/ask$", ask),
    (rf"^{PATH}/withdraw$", withdraw),
    (rf"^{PATH}/reply$", reply),
]
