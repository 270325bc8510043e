"""Contracts: derived from the terms in their logs, written as terms (R7, R8, R46)."""

import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypedDict, Unpack, get_args

import msgspec

from diary import envelope, listing, parties
from diary.errors import UsageError
from diary.rules.act_parts import is_week
from diary.rules.contract import TermsHistory, versions_of
from diary.rules.ids import ContractId, Millis
from diary.rules.sealed_content import TermsContent, content_bytes
from diary.rules.segment import ContractState, TermsInClear
from diary.rules.week import Week
from diary.sealing import row
from diary.state import OpenDiary
from diary.store import versions
from diary.store.versions import StoredVersion

FIRST_EPOCH = 1
ID_PREFIX_MIN = 4  # shorter ones name too much by chance
TEXT_CHARACTERS_MAX = 500
LABELS_MAX = 200

_CURRENCY = re.compile(r"[A-Z]{3}")
_ID_PREFIX = re.compile(rf"[0-9a-f]{{{ID_PREFIX_MIN},32}}")


class UnknownContractError(UsageError):
    """No contract has this name or id."""

    says = "There is no contract “{name}”."
    mend = "See the contracts with `diary contract list`; the start of a title or of an id is enough."


class AmbiguousContractError(UsageError):
    """Several contracts fit a name."""

    says = "“{name}” may be any of {count} contracts: {titles}."
    mend = "Write more of the title, or the start of the id (diary contract list)."


class BadTermsError(UsageError):
    """A contract's terms make no sense."""

    says = "These terms cannot be: {because}."
    mend = "See `diary contract new --help`."


class UnknownLabelError(UsageError):
    """A contract has no such activity label (R7)."""

    says = "“{title}” has no label “{label}”. Its labels: {labels}."
    mend = "Use one of them, or change them with `diary contract terms`."


class TermsFields(TypedDict, total=False):
    """What terms can say; what is left out stays as it is (R7)."""

    title: str
    client: str
    labels: Sequence[str]
    state: Literal["active", "paused", "closed"]
    kind: Literal["hourly", "fixed_price"]
    rate_minor: int
    currency: str
    limit_minutes: int | None
    manual_allowed: bool
    masking_allowed: bool
    label_required: bool
    manual_weeks: Sequence[str]


@dataclass(frozen=True, slots=True)
class Contract:
    """A contract as its newest terms have it; `history` says from when each version holds (R8)."""

    id: ContractId
    title: str
    client: str
    labels: tuple[str, ...]
    terms: TermsInClear
    history: TermsHistory

    @property
    def is_active(self) -> bool:
        """Return whether time may be tracked on it now (R9)."""
        return self.terms.state == "active"


_FIRST_TERMS = TermsInClear(
    state="active",
    kind="hourly",
    limit_minutes=None,
    manual_allowed=False,
    masking_allowed=True,
    label_required=False,
    rate_minor=0,
    currency="USD",
)
_FIRST_CONTENT = TermsContent(title="", client="", labels=())


def new_contract(diary: OpenDiary, **fields: Unpack[TermsFields]) -> Contract:
    """Make a contract: its terms, and its first epoch key granted to every device (R7, R49).

    Raises:
        BadTermsError: The terms make no sense.
    """
    terms, content = _with(_FIRST_TERMS, _FIRST_CONTENT, fields)
    terms = msgspec.structs.replace(terms, payer=_payer_of(diary, content.client))
    contract = ContractId(secrets.token_hex(16))
    key = secrets.token_bytes(32)
    with diary.writing():
        at_ms = diary.now_ms()
        # The log begins with who may write in it: a reader of this contract alone knows nobody before (R50).
        listing.write_leaf(diary, contract, at_ms=at_ms)
        header = envelope.draw_header(diary, "terms", contract, terms=terms)
        sealed = row.seal(
            header,
            content_bytes(content),
            epoch=FIRST_EPOCH,
            epoch_key=key,
            row_key=secrets.token_bytes(32),
            wrap_nonce=secrets.token_bytes(row.NONCE_BYTES),
        )
        envelope.keep_sealed(diary, header, sealed, at_ms=at_ms)
        envelope.grant_to_all(diary, contract, FIRST_EPOCH, key, at_ms=at_ms)
    return by_id(diary, contract)


def _payer_of(diary: OpenDiary, client: str) -> str:
    """Return by which id a client's contracts go on one bill: that of another contract of theirs (R61).

    The id is random: it tells the server which contracts have one client, and not who that is.
    """
    same = client.casefold()
    known_payers = (
        one.history.first.payer for one in contracts(diary) if same and one.client.casefold() == same
    )
    return next((payer for payer in known_payers if payer is not None), None) or secrets.token_hex(16)


def change_terms(diary: OpenDiary, contract: ContractId, **fields: Unpack[TermsFields]) -> Contract:
    """Write new terms of a contract; what is left out stays (R8).

    Raises:
        UnknownContractError: There is none of this id.
        BadTermsError: The terms make no sense.
        RefusedSayingError: They are the other party's to set.
    """
    with diary.writing():
        write_terms(diary, by_id(diary, contract), fields)
    return by_id(diary, contract)


def write_terms(diary: OpenDiary, known: Contract, fields: TermsFields) -> None:
    """Write new terms within the caller's transaction (see `change_terms`; R8).

    A change of nothing but the state is a row of its own: whatever was set meanwhile elsewhere stays.
    """
    at_ms = diary.now_ms()
    if set(fields) == {"state"}:
        if fields["state"] not in get_args(ContractState):
            raise BadTermsError(because="a state is active, paused or closed")
        header = envelope.draw_header(diary, "terms", known.id, state=fields["state"])
        parties.require_side(diary, header, known.history)
        envelope.write_bare(diary, header, at_ms=at_ms)
        return
    content = TermsContent(title=known.title, client=known.client, labels=known.labels)
    terms, content = _with(known.terms, content, fields)
    # Weeks that are frozen take no manual time whatever the terms say: they need not be named for ever.
    still_open = {name for name in terms.manual_weeks if not Week.parse(name).is_frozen(at_ms)}
    terms = msgspec.structs.replace(terms, manual_weeks=tuple(sorted(still_open)))
    header = envelope.draw_header(diary, "terms", known.id, terms=terms)
    parties.require_side(diary, header, known.history)
    envelope.write(diary, header, content, at_ms=at_ms)


def _with(
    terms: TermsInClear, content: TermsContent, fields: TermsFields
) -> tuple[TermsInClear, TermsContent]:
    """Return terms with some fields changed.

    Raises:
        BadTermsError: They make no sense.
    """
    sealed = {"title", "client", "labels"}
    clear = {name: value for name, value in fields.items() if name not in sealed}
    new_terms = msgspec.structs.replace(terms, **clear)
    new_content = TermsContent(
        title=fields.get("title", content.title).strip(),
        client=fields.get("client", content.client).strip(),
        labels=tuple(label.strip() for label in fields.get("labels", content.labels)),
    )
    because = _fault_of(new_terms, new_content)
    if because:
        raise BadTermsError(because=because)
    return new_terms, new_content


def _fault_of(terms: TermsInClear, content: TermsContent) -> str:
    texts = (content.title, content.client, *content.labels)
    faults = {
        "a contract has a title": not content.title,
        "a title, client or label is too long": max(map(len, texts)) > TEXT_CHARACTERS_MAX,
        "a label is empty or stands twice": len(set(content.labels) - {""}) != len(content.labels),
        f"there are more than {LABELS_MAX} labels": len(content.labels) > LABELS_MAX,
        "a label is required, and there are none": terms.label_required and not content.labels,
        "a currency is three capital letters": not _CURRENCY.fullmatch(terms.currency),
        "a rate is not below nothing": terms.rate_minor < 0,
        "a weekly limit is not below nothing": terms.limit_minutes is not None and terms.limit_minutes < 0,
        "a state is active, paused or closed": terms.state not in {"active", "paused", "closed"},
        "a kind is hourly or fixed_price": terms.kind not in {"hourly", "fixed_price"},
        "a week is written like 2026-W47": not all(map(is_week, terms.manual_weeks)),
    }
    return next((fault for fault, holds in faults.items() if holds), "")


def contracts(diary: OpenDiary) -> tuple[Contract, ...]:
    """Return every contract this device can open, by title, then id (R7)."""
    return tuple(sorted(known(diary).values(), key=lambda one: (one.title.casefold(), one.id)))


def known(diary: OpenDiary) -> dict[ContractId, Contract]:
    """Return every contract this device can open, by id; those whose key is still to come are left out."""
    by_contract: dict[ContractId, list[StoredVersion]] = {}
    with diary.reading():
        for stored in versions.slotless(diary.connection, "terms"):
            by_contract.setdefault(stored.header.contract, []).append(stored)
        found = (_contract_of(diary, held) for held in by_contract.values())
        return {contract.id: contract for contract in found if contract is not None}


def _contract_of(diary: OpenDiary, held: Sequence[StoredVersion]) -> Contract | None:
    rows = [(stored.header, Millis(stored.received_at_ms or stored.written_at_ms)) for stored in held]
    found = versions_of(rows)
    if not found:
        return None
    history = TermsHistory(found)
    sealed = [version.name for version in history.versions if not version.state_only]
    newest = next(stored for stored in held if stored.header.name == sealed[-1])
    try:
        content = envelope.content_of(diary, newest)
    except envelope.NoKeyError:
        return None
    assert isinstance(content, TermsContent), "terms open to the content of terms"
    return Contract(
        id=newest.header.contract,
        title=content.title,
        client=content.client,
        labels=content.labels,
        terms=history.newest,
        history=history,
    )


def by_id(diary: OpenDiary, contract: ContractId) -> Contract:
    """Return the contract of an id.

    Raises:
        UnknownContractError: There is none.
    """
    found = known(diary).get(contract)
    if found is None:
        raise UnknownContractError(name=contract)
    return found


def named(diary: OpenDiary, name: str) -> Contract:
    """Return the contract of a title, the start of one, or the start of an id; case does not matter.

    Where several fit, and all but one of them are closed, it is that one.

    Raises:
        UnknownContractError: None fits.
        AmbiguousContractError: Several do.
    """
    everything = contracts(diary)
    wanted = name.strip().casefold()
    ways = (
        [one for one in everything if one.title.casefold() == wanted],
        [one for one in everything if _ID_PREFIX.fullmatch(wanted) and one.id.startswith(wanted)],
        [one for one in everything if wanted and one.title.casefold().startswith(wanted)],
    )
    fitting = next((way for way in ways if way), [])
    if not fitting:
        raise UnknownContractError(name=name)
    if len(fitting) > 1:
        fitting = [one for one in fitting if one.terms.state != "closed"] or fitting
    if len(fitting) > 1:
        titles = ", ".join(f"{one.title} ({one.id[:8]})" for one in fitting)
        raise AmbiguousContractError(name=name, count=len(fitting), titles=titles)
    return fitting[0]


def check_label(contract: Contract, label: str | None) -> None:
    """Let only a label pass that the contract has; none and an empty one pass (R7).

    Raises:
        UnknownLabelError: The contract has no such label.
    """
    if label and label not in contract.labels:
        labels = ", ".join(contract.labels) or "none"
        raise UnknownLabelError(title=contract.title, label=label, labels=labels)
