"""What the parties say at the server, made by an author or by a client's seat."""

from typing import Any

from diary.rules.act_parts import AcceptanceInClear, DisputeInClear, RedactionInClear, RequestInClear
from diary.rules.ids import AccountId, ContractId, Slot
from diary.rules.membership import MembershipInClear
from diary.rules.money_parts import BonusInClear, PaymentAct, PaymentInClear
from diary.rules.sealed_content import ReasonContent, content_bytes
from diary.rules.segment import ContractState, Sealed, parse_header
from sync.protocol import WireVersion
from tests.sync.server.author import Author, wire


def said(by: Author, kind: str, reason: str = "", **parts: Any) -> WireVersion:
    header = by.header(kind, **parts)
    if reason:
        return by.sealed(header, content_bytes(ReasonContent(contract=header.contract, reason=reason)))
    return wire(Sealed(header=header.to_bytes(), body=None, wrap=None))


def state(by: Author, word: ContractState) -> WireVersion:
    return said(by, "terms", state=word)


def request(by: Author, week: str | None = None) -> WireVersion:
    return said(by, "request", "please", request=RequestInClear(kind="manual_time", week=week))


def answer(by: Author, asked: WireVersion, *, allows: bool) -> WireVersion:
    name = parse_header(asked.header.encode()).name
    return said(by, "acceptance", acceptance=AcceptanceInClear(request=name, allows=allows))


def acceptance(by: Author, *slots: int) -> WireVersion:
    return said(by, "acceptance", acceptance=AcceptanceInClear(slots=tuple(map(Slot, slots))))


def dispute(by: Author, act: Any, *slots: int) -> WireVersion:
    return said(by, "dispute", "because", dispute=DisputeInClear(act=act, slots=tuple(map(Slot, slots))))


def bonus(by: Author, minor: int, week: str, currency: str = "USD") -> WireVersion:
    return said(by, "bonus", "thanks", bonus=BonusInClear(week=week, minor=minor, currency=currency))


def payment(
    by: Author,
    act: PaymentAct,
    minor: int,
    *,
    id_: str = "9" * 32,
    invoice: int = 1,
    currency: str = "USD",
    issuer: AccountId | None = None,
    receipts: tuple[tuple[str, int], ...] = (),
) -> WireVersion:
    part = PaymentInClear(id=id_, act=act, invoice=invoice, minor=minor, currency=currency, issuer=issuer)
    return said(by, "payment", "transfer 42", payment=part, pictures=receipts)


def came_in(
    agency: Author,
    contract: ContractId,
    minor: int,
    *,
    act: PaymentAct = "received",
    id_: str = "9" * 32,
    invoice: int = 1,
    currency: str = "USD",
) -> WireVersion:
    """Return what an agency says in its own log of a payment of its bill."""
    part = PaymentInClear(id=id_, act=act, invoice=invoice, minor=minor, currency=currency, contract=contract)
    return said(agency, "payment", contract=ContractId(agency.account), payment=part)


def redaction(by: Author, *slots: int) -> WireVersion:
    return said(by, "redaction", redaction=RedactionInClear(slots=tuple(map(Slot, slots))))


def membership(
    by: Author, member: AccountId, contract: ContractId, payer: str | None = None, *, ends: bool = False
) -> WireVersion:
    part = MembershipInClear(account=member, contract=contract, payer=payer, ends=ends)
    return said(by, "membership", contract=ContractId(by.account), membership=part)
