"""What the payment gateway tells, and what it is asked when it tells nothing (R11, R63).

What it tells is kept in one transaction with what that does to the ledger, before it is answered. Told twice,
late or in another order, it changes nothing: an event has the key of its effect. A message that went astray
is made up for by asking.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import structlog

from diary.clock import Clock
from diary.rules.ids import AccountId, ContractId, Millis
from sync.server.clock_watch import ClockWatch
from sync.server.faults import again
from sync.server.kept_payments import KeptPayment
from sync.server.payment import (
    EndedEvent,
    Gateway,
    GatewayEvent,
    MethodEvent,
    Money,
    MoneyEvent,
    PaymentNames,
)
from sync.server.storage import AccountHold, Storage

PAGE_MILLIS = 23 * 3_600_000  # Stripe's pages and its memory of keys last 24 hours
LOOK_AFTER_MILLIS = 600_000  # a message about a payment comes within seconds, if it comes
ASK_AGAIN_MILLIS = 24 * 3_600_000  # cards expire by the month
AT_A_TIME = 100

_log = structlog.get_logger("workdiary.server")


@dataclass(frozen=True, slots=True)
class Due:
    """What a contract's client has still to pay of an invoice, and the week it is of."""

    money: Money
    week: str


@dataclass(frozen=True, slots=True)
class Books:
    """How paying asks for and writes what is not its own: the invoices and the ledger, under a hold.

    `due` returns None where nothing is owed; `post` enters into the ledger what
    an event has moved in a contract.
    """

    due: Callable[[AccountHold, AccountId, ContractId, int], Due | None]
    post: Callable[[AccountHold, ContractId], None]
    payer: Callable[[AccountHold, ContractId], str]


class Hearing:
    """What one server hears of its gateway. Its calls may come from several threads."""

    def __init__(
        self, storage: Storage, gateway: Gateway, books: Books, clock: Clock, watch: ClockWatch
    ) -> None:
        self._storage = storage
        self._gateway = gateway
        self._books = books
        self._clock = clock
        self._watch = watch

    def take(self, body: bytes, signature: str | None) -> None:
        """Take a message of the gateway: once this returns, what it told is kept (R63).

        Raises:
            ForgedError: It is not the gateway's, or of another time.
            ClockUnsureError: Nobody can say now of what time it is (R6); it comes again.
        """
        self._watch.require_sure()
        event = self._gateway.read(body, signature, self._clock.now_ms())
        if event is not None:
            self.apply(event)

    def apply(self, event: GatewayEvent) -> None:
        """Keep what became of something; of what is not here, nothing."""
        account = event.account if isinstance(event, MethodEvent) else event.names.account
        if self._storage.newest_device_list(account) is None:
            _log.warning("the gateway told of an account that is not here", account=account)
            return
        match event:
            case MoneyEvent():
                again(lambda: self._keep(event))
            case EndedEvent(names):
                again(lambda: self._note_ended(names))
            case MethodEvent():
                self._ask_about(account, event.payer)

    def _keep(self, event: MoneyEvent) -> None:
        names = event.names
        with self._storage.hold(names.account) as hold:
            # An agency's invoices are of contracts that lie under its members' accounts (R61).
            if names.contract not in hold.logs({names.contract}) and not hold.invoices.of({names.contract}):
                _log.warning("the gateway told of a contract that is not here", account=names.account)
                return
            is_new = hold.payments.keep_event(event, hold.received_at_ms)
            payment = hold.payments.payment(names.key)
            if event.kind == "paid" and payment is not None and payment.state != "paid":
                hold.payments.keep(replace(payment, state="paid"))
            if is_new:
                self._books.post(hold, names.contract)
        if is_new:
            _log.info("money moved", account=names.account, gateway=self._gateway.name, kind=event.kind)

    def _note_ended(self, names: PaymentNames) -> None:
        with self._storage.hold(names.account) as hold:
            payment = hold.payments.payment(names.key)
            if payment is not None and payment.state == "started":
                hold.payments.keep(replace(payment, state="ended"))

    def _ask_about(self, account: AccountId, payer: str) -> None:
        """Ask the gateway about a client's billing method, and keep the answer with its time (R63)."""
        with self._storage.hold(account) as hold:
            known = hold.payments.method(payer)
        if known is None or known.customer is None or known.gateway != self._gateway.name:
            return
        verified = self._gateway.has_method(known.customer)
        asked_at_ms = None if verified is None else Millis(self._clock.now_ms())

        def keep() -> None:
            with self._storage.hold(account) as hold:
                method = hold.payments.method(payer) or known
                hold.payments.keep_method(replace(method, verified=verified, asked_at_ms=asked_at_ms))

        again(keep)

    def look_after(self) -> None:
        """Ask the gateway about what it should have told, in case a message went astray (R63)."""
        now_ms = Millis(self._clock.now_ms())
        for payment in self._storage.payments.unfinished(Millis(now_ms - LOOK_AFTER_MILLIS), AT_A_TIME):
            self._look_at(payment, now_ms)
        for account, method in self._storage.payments.outdated(Millis(now_ms - ASK_AGAIN_MILLIS), AT_A_TIME):
            self._ask_about(account, method.payer)

    def _look_at(self, payment: KeptPayment, now_ms: Millis) -> None:
        names = payment.names
        if payment.reference is None:
            if now_ms - payment.started_at_ms >= PAGE_MILLIS:
                self.apply(EndedEvent(names))
                return
        elif payment.gateway == self._gateway.name:
            became = self._gateway.look(names, payment.reference)
            if became is not None:
                self.apply(became)
                return

        def note() -> None:
            with self._storage.hold(names.account) as hold:
                kept = hold.payments.payment(names.key)
                if kept is not None and kept.state == "started":
                    looked_at_ms = max(now_ms, kept.looked_at_ms)
                    hold.payments.keep(replace(kept, looked_at_ms=looked_at_ms))

        again(note)


def given_back(told: Sequence[MoneyEvent]) -> int:
    """Return how much of one payment has gone back to its client, by all that was told of it."""
    keys = {event.key for event in told}
    back = sum(event.money.minor for event in told if event.kind in {"refunded", "charged_back"})
    return back - sum(event.money.minor for event in told if event.takes_back in keys)
