"""Paying without doors: two contracts with a client's seat each, and what their clients owe (R63)."""

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path

from diary.clock import GivenClock
from diary.rules.ids import AccountId, ContractId, Millis, ReplicaId
from diary.rules.seat import InvitationInClear, SeatInClear
from diary.rules.segment import GrantInClear, Header
from diary.sealing.invitation import InvitationKeys, sign_joining
from sync.money_messages import Billing, GiveBack, SetUpBilling, StartPayment, StateBilling
from sync.server.accounts import caller
from sync.server.clock_watch import ClockWatch
from sync.server.hearing import Books, Due, given_back
from sync.server.kept_payments import KeptPayment
from sync.server.paying import Paying
from sync.server.payment import Gateway, Money, MoneyEvent
from sync.server.storage import AccountHold, Storage
from tests.sync.server.stripe_here import signed
from tests.sync.server.versions import ACCOUNT, CONTRACT, OTHER_CONTRACT, REPLICA, append, terms

SEAT, OTHER_SEAT = ReplicaId("5" * 32), ReplicaId("6" * 32)
LATER = Millis(2_000_000_000_000)
INVOICE = 7
WEEK = "2026-W47"
PUBLIC_URL = "https://diary.example"
TOKEN = "f" * 64
OWED = {CONTRACT: Money(6050, "EUR"), OTHER_CONTRACT: Money(90_000, "JPY")}


def asks(replica: ReplicaId, account: AccountId = ACCOUNT) -> str:
    return f"Bearer {account}.{replica}.{TOKEN}"


def seat_down(storage: Storage) -> None:
    """Put two contracts with their clients' seats into the account."""
    token_hash = hashlib.sha256(TOKEN.encode()).digest()
    with storage.hold(ACCOUNT) as hold:
        append(hold, terms(2), terms(3, contract=OTHER_CONTRACT))
        hold.admit(REPLICA, token_hash)
        for n, (seat, contract) in enumerate(((SEAT, CONTRACT), (OTHER_SEAT, OTHER_CONTRACT))):
            keys = InvitationKeys.of(bytes([n] * 32))
            invitation = InvitationInClear(auth=keys.auth, expires_at_ms=LATER)
            grant = GrantInClear(to="invitation", epoch=1, invitation=invitation)
            append(hold, _row("grant", REPLICA, 4 + n, contract, grant=grant))
            joining = _row(
                "joining",
                seat,
                1,
                contract,
                seat=SeatInClear(sign=f"{n}" * 64, box="2" * 64, invitation=keys.auth),
            )
            append(hold, joining, body=sign_joining(joining, keys.auth_seed).body)
            hold.admit(seat, token_hash, contract)


def _row(kind: str, replica: ReplicaId, n: int, contract: ContractId, **parts: object) -> Header:
    named = {"account": ACCOUNT, "contract": contract, "replica": replica, "n": n}
    return Header(v=1, type=kind, head=None, **named, **parts)  # type: ignore[arg-type]  # as a test says it


@dataclass
class Scene:
    """A server's payments; `owed` is what each contract's part of the invoice comes to."""

    storage: Storage
    gateway: Gateway
    clock: GivenClock
    folder: Path
    owed: dict[ContractId, Money]
    accounts: frozenset[str] | None = None
    posted: int = 0

    def __post_init__(self) -> None:
        self.begin_anew()

    def begin_anew(self) -> None:
        """Start the process anew, as after a kill: what it had in memory is gone."""
        watch = ClockWatch(self.clock, self.storage.last_received_ms(), self.folder / "confirmed")
        self.paying = Paying(
            self.storage,
            self.gateway,
            Books(self._due, self._post, lambda _, contract: str(contract)),
            self.clock,
            watch,
            accounts=self.accounts,
            public_url=PUBLIC_URL,
        )

    def _due(self, hold: AccountHold, _account: AccountId, contract: ContractId, invoice: int) -> Due | None:
        told = [kept.event for kept in hold.payments.events(contract)]
        paid = sum(event.money.minor for event in told if event.kind == "paid") - given_back(told)
        owed = self.owed.get(contract)
        if invoice != INVOICE or owed is None or owed.minor <= paid:
            return None
        return Due(replace(owed, minor=owed.minor - paid), WEEK)

    def _post(self, _hold: AccountHold, _contract: ContractId) -> None:
        self.posted += 1

    # What is asked.

    def start(self, replica: ReplicaId = SEAT, invoice: int = INVOICE) -> str | None:
        """Begin to pay; return the page."""
        asked = StartPayment(account=ACCOUNT, invoice=invoice)
        return self.paying.start(asks(replica), asked).url

    def begun(self, replica: ReplicaId = SEAT) -> KeptPayment:
        """Begin to pay; return what is kept of it."""
        self.start(replica)
        contract = CONTRACT if replica == SEAT else OTHER_CONTRACT
        with self.storage.hold(ACCOUNT) as hold:
            payment = hold.payments.under_way(contract, INVOICE)
        assert payment is not None
        assert payment.reference is not None
        return payment

    def page(self, replica: ReplicaId = SEAT) -> str:
        return self.paying.set_up(asks(replica), SetUpBilling(account=ACCOUNT)).url

    def state(self, *, by_hand: bool, replica: ReplicaId = REPLICA) -> Billing:
        asked = StateBilling(account=ACCOUNT, contract=CONTRACT, by_hand=by_hand)
        return self.paying.state_by_hand(asks(replica), asked)

    def give_back(self, minor: int, refund: str = "9", replica: ReplicaId = REPLICA) -> bool:
        asked = GiveBack(account=ACCOUNT, contract=CONTRACT, invoice=INVOICE, id=refund * 32, minor=minor)
        return self.paying.give_back(asks(replica), asked).done

    def billing(self, replica: ReplicaId = REPLICA) -> dict[str, str]:
        """Return the states that are told by their payers; "" is that of all others."""
        told = self.paying.billing(caller(self.storage, asks(replica)))
        return {"": told.otherwise, **{one.payer: one.state for one in told.methods}}

    def hear(self, *messages: bytes) -> None:
        for body in messages:
            self.paying.take(body, signed(body, self.clock.now_ms()))

    def events(self) -> list[MoneyEvent]:
        return [kept.event for kept in self.storage.payments.events(ACCOUNT)]

    def counted(self) -> list[str]:
        return [event.kind for event in self.events()]
