"""An agency's side: whose contracts stand on its bill, and which client each is of (SPEC, section 1; R61).

What the server must know to bill lies in clear in the account's own log; names of members and clients stay
in this file, sealed. A client's payer is made of the name and the account's key: every device of the agency
makes the same, and it says nothing to anybody else.
"""

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from diary import envelope, parties
from diary.billing_methods import moved, said_elsewhere
from diary.errors import NothingError
from diary.parties import RefusedSayingError
from diary.rules.act_change import refused_payment
from diary.rules.ids import AccountId, ContractId, Slot
from diary.rules.invoice_shown import Known
from diary.rules.membership import MembershipInClear
from diary.rules.merge import Held
from diary.rules.money_parts import PaymentInClear
from diary.rules.payments import of_contract
from diary.rules.week import Week
from diary.sealing.derive import derive
from diary.state import OpenDiary
from diary.store import versions
from diary.tracking import checked_text

if TYPE_CHECKING:
    from diary.rules.invoice_parts import Invoice

_MEMBER = "agency member "
_CLIENT = "agency client "
_PAYMENT = "agency payment "
PAYER_BYTES = 16


class NotOnTheBillError(NothingError):
    """The agency bills no such contract (SPEC, section 1)."""

    says = "No contract “{name}” stands on your agency's bill."
    mend = "See them with `diary agency members`."


@dataclass(frozen=True, slots=True)
class MemberView:
    """A contract on the agency's bill, with the names that were given here, "" where none was.

    `sent` says whether the server knows of it.
    """

    member: AccountId
    contract: ContractId
    name: str
    client: str
    payer: str | None
    sent: bool


def put_on_bill(diary: OpenDiary, member: AccountId, contract: ContractId, *, name: str, client: str) -> None:
    """Put a member's contract on the agency's bill; contracts of one client's name go on one (R61)."""
    called, wanted = checked_text(name), checked_text(client)
    with diary.writing():
        payer = _payer_of(diary, wanted) if wanted else None
        if called:
            diary.keep(_MEMBER + member, called)
        if payer is not None:
            diary.keep(_CLIENT + payer, wanted)
        _write(diary, MembershipInClear(account=member, contract=contract, payer=payer))


def take_off_bill(diary: OpenDiary, contract: ContractId) -> MemberView:
    """Take a contract off the agency's bill: the week under way is the last one on it.

    Raises:
        NotOnTheBillError: It stands on none.
    """
    with diary.writing():
        view = next((one for one in members(diary) if one.contract == contract), None)
        if view is None:
            raise NotOnTheBillError(name=contract[:8])
        _write(diary, MembershipInClear(account=view.member, contract=contract, ends=True))
    return view


def members(diary: OpenDiary) -> tuple[MemberView, ...]:
    """Return the contracts on the agency's bill, those that the server does not know of yet among them."""
    with diary.reading():
        standing: dict[ContractId, tuple[MembershipInClear, bool]] = {}
        for stored in versions.slotless(diary.connection, "membership", diary.contract_of_account):
            part = stored.header.membership
            assert part is not None, "a membership has its part"
            standing.pop(part.contract, None)
            if not part.ends:
                standing[part.contract] = part, stored.received_at_ms is not None
        views = [
            MemberView(
                member=part.account,
                contract=part.contract,
                name=str(diary.kept(_MEMBER + part.account) or ""),
                client=str(diary.kept(_CLIENT + part.payer) or "") if part.payer is not None else "",
                payer=part.payer,
                sent=sent,
            )
            for part, sent in standing.values()
        ]
    return tuple(sorted(views, key=lambda view: (view.name.casefold(), view.member, view.contract)))


def note_payment(diary: OpenDiary, contract: ContractId, part: PaymentInClear, reference: str) -> None:
    """Say in the agency's own log that money came in for its bill, or was given back (R61, R63).

    Within the caller's transaction. The words stay in this file, sealed: nobody else reads the agency's log.

    Raises:
        RefusedSayingError: It was said before, or contradicts what was.
    """
    words = checked_text(reference)
    part = msgspec.structs.replace(part, contract=contract)
    header = envelope.draw_header(diary, "payment", diary.contract_of_account, payment=part)
    refused = refused_payment(header, said_of(diary, contract), None)
    if refused is not None:
        raise RefusedSayingError(refused)
    if words:
        diary.keep(_PAYMENT + f"{header.replica}:{header.n}", words)
    envelope.write_bare(diary, header, at_ms=diary.now_ms())


def said_of(diary: OpenDiary, contract: ContractId) -> list[Held]:
    """Return what was said of the money of a member's contract: here, and as the server tells (R63)."""
    own = parties.held_acts(diary, diary.contract_of_account)
    told = (one.held() for one in said_elsewhere(diary) if one.contract == contract)
    return [*told, *of_contract(own, contract)]


def known_of(diary: OpenDiary, invoice: "Invoice") -> dict[ContractId, Known]:
    """Return what an agency knows of the members' contracts on one of its invoices (R61, R62)."""
    client = str(diary.kept(_CLIENT + invoice.payer) or "")
    told = said_elsewhere(diary)
    found = {}
    for line in invoice.lines:
        if line.member is None or line.contract in found:
            continue
        billing: dict[str, set[Slot]] = defaultdict(set)
        for slot in (slot for one in told if one.contract == line.contract for slot in one.bills):
            billing[Week.of(slot).name].add(slot)
        acts = said_of(diary, line.contract)
        names = [act.header.name for act in acts if act.header.account == diary.account]
        words = {name: diary.kept(_PAYMENT + f"{name[0]}:{name[1]}") for name in names}
        found[line.contract] = Known(
            title=str(diary.kept(_MEMBER + line.member) or line.contract[:8]),
            client=client,
            acts=acts,
            billing={week: frozenset(slots) for week, slots in billing.items()},
            words={name: str(said) for name, said in words.items() if said is not None},
            gateway=[event for event in moved(diary) if event.contract == line.contract],
        )
    return found


def is_one(diary: OpenDiary) -> bool:
    """Return whether this account ever said that it bills anybody as an agency (R61)."""
    return bool(versions.slotless(diary.connection, "membership", diary.contract_of_account))


def _payer_of(diary: OpenDiary, client: str) -> str:
    purpose = f"workdiary/1/agency/payer/{client.casefold()}"
    return derive(diary.keys.account_key, purpose.encode())[:PAYER_BYTES].hex()


def _write(diary: OpenDiary, part: MembershipInClear) -> None:
    header = envelope.draw_header(diary, "membership", diary.contract_of_account, membership=part)
    envelope.write_bare(diary, header, at_ms=diary.now_ms())
