"""What the parties of a contract say, made short, for the tests of the rules."""

from typing import Any

import msgspec

from diary.rules.act_parts import (
    AcceptanceInClear,
    DisputeInClear,
    RedactionInClear,
    RequestInClear,
    VersionName,
)
from diary.rules.contract import TermsHistory, versions_of
from diary.rules.ids import AccountId, ContractId, Millis, ReplicaId, Slot
from diary.rules.money_parts import BonusInClear, PaymentAct, PaymentInClear
from diary.rules.segment import ContractState, Header, TermsInClear, VersionType
from tests.diary.rules.made import ACCOUNT, COMMIT, CONTRACT, LAPTOP, PHONE, SPARE, TERMS, TUESDAY

BROWSER = PHONE
"""The client's seat."""

AGENCY = AccountId("a9" * 16)
"""The account of an agency that may bill the contract."""

MANAGER = ReplicaId("9" * 32)
"""The seat of an agency's manager; the other replicas are the freelancer's devices."""


def row(kind: VersionType, by: ReplicaId, n: int, *, sealed: bool = True, **parts: Any) -> Header:
    made = Header(v=1, type=kind, account=ACCOUNT, contract=CONTRACT, replica=by, n=n, head=None, **parts)
    return msgspec.structs.replace(made, epoch=1, commit=COMMIT) if sealed else made


def new_terms(by: ReplicaId = LAPTOP, n: int = 1, terms: TermsInClear = TERMS) -> Header:
    return row("terms", by, n, terms=terms)


def new_state(state: ContractState, by: ReplicaId = LAPTOP, n: int = 1) -> Header:
    return row("terms", by, n, sealed=False, state=state)


def request(n: int = 1, *, week: str | None = None, by: ReplicaId = LAPTOP) -> Header:
    return row("request", by, n, request=RequestInClear(kind="manual_time", week=week))


def withdrawal(of: VersionName, n: int, by: ReplicaId = LAPTOP) -> Header:
    return row("request", by, n, sealed=False, request=RequestInClear(kind="manual_time", withdraws=of))


def answer(of: VersionName, n: int, *, allows: bool, by: ReplicaId = BROWSER) -> Header:
    part = AcceptanceInClear(request=of, allows=allows)
    return row("acceptance", by, n, sealed=False, acceptance=part)


def acceptance(n: int, *slots: int, by: ReplicaId = BROWSER) -> Header:
    part = AcceptanceInClear(slots=tuple(map(Slot, slots)))
    return row("acceptance", by, n, sealed=False, acceptance=part)


def dispute(n: int, act: Any, *slots: int, by: ReplicaId = BROWSER) -> Header:
    part = DisputeInClear(act=act, slots=tuple(map(Slot, slots)))
    return row("dispute", by, n, dispute=part)


def bonus(
    n: int, minor: int, *, week: str = "2026-W47", currency: str = "USD", by: ReplicaId = BROWSER
) -> Header:
    part = BonusInClear(week=week, minor=minor, currency=currency)
    return row("bonus", by, n, sealed=False, bonus=part)


def payment(
    n: int,
    act: PaymentAct,
    minor: int = 5000,
    *,
    id_: str = "9" * 32,
    invoice: int = 1,
    currency: str = "USD",
    issuer: AccountId | None = None,
    by: ReplicaId | None = None,
) -> Header:
    part = PaymentInClear(id=id_, act=act, invoice=invoice, minor=minor, currency=currency, issuer=issuer)
    writer = by or (BROWSER if act in {"paid", "withdrawn_claim"} else LAPTOP)
    return row("payment", writer, n, sealed=False, payment=part)


def received_by_agency(
    n: int,
    act: PaymentAct = "received",
    minor: int = 5000,
    *,
    id_: str = "9" * 32,
    invoice: int = 1,
    currency: str = "USD",
) -> Header:
    """Return what an agency says in its own log of a payment of the contract's part of its invoice."""
    part = PaymentInClear(id=id_, act=act, invoice=invoice, minor=minor, currency=currency, contract=CONTRACT)
    made = row("payment", SPARE, n, sealed=False, payment=part)
    return msgspec.structs.replace(made, account=AGENCY, contract=ContractId(AGENCY))


def redaction(by: ReplicaId, n: int, *slots: int) -> Header:
    return row("redaction", by, n, sealed=False, redaction=RedactionInClear(slots=tuple(map(Slot, slots))))


def terms_log(*headers: Header) -> TermsHistory:
    """Return the history of terms rows, received a millisecond apart from Tuesday on."""

    return TermsHistory(versions_of((header, Millis(TUESDAY + at)) for at, header in enumerate(headers)))
