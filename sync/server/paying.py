"""Clients pay through a gateway: what is begun, and who has a billing method (R11, R63).

The gateway is asked without any lock, and what it is asked for is kept before: a process that ends in between
leaves a key by which the next one goes on with the same payment.
"""

import secrets
from dataclasses import replace
from typing import Final

import structlog

from diary.clock import Clock
from diary.rules.ids import AccountId, ContractId
from sync.money_messages import (
    Billing,
    BillingMethod,
    BillingPage,
    GiveBack,
    GivenBack,
    MoneyMoved,
    PaymentStarted,
    SetUpBilling,
    StartPayment,
    StateBilling,
)
from sync.server import agency_bills, agency_books
from sync.server.accounts import Caller, caller_for
from sync.server.clock_watch import ClockWatch
from sync.server.faults import BusyError, FaultError, NotFoundError, NotYoursError, UnreadableError, again
from sync.server.hearing import PAGE_MILLIS, Books, Due, Hearing, given_back
from sync.server.kept_payments import KeptEvent, KeptMethod, KeptPayment
from sync.server.payment import (
    ByHand,
    CannotPayError,
    EndedEvent,
    Gateway,
    MethodState,
    Money,
    PaymentNames,
    PaymentOrder,
    RefundOrder,
)
from sync.server.storage import Storage

BY_HAND: Final = "by_hand"
KEY_BYTES = 16
ROUNDS = 3  # what is due may change while a page is ended, and not without end

_log = structlog.get_logger("workdiary.server")


class NothingDueError(FaultError):
    """Of that invoice the contract's client owes nothing."""

    says = "Nothing of invoice {invoice} is to be paid for this contract."
    status = 409
    reason = "nothing_due"


class Paying:
    """The payments of one server. Its calls may come from several threads."""

    def __init__(
        self,
        storage: Storage,
        gateway: Gateway,
        books: Books,
        clock: Clock,
        watch: ClockWatch,
        *,
        accounts: frozenset[str] | None,
        public_url: str,
    ) -> None:
        """Make it; `accounts` are those that the gateway serves, None for all. The others pay by hand."""
        self._storage = storage
        self._gateway = gateway
        self._by_hand: Gateway = ByHand()
        self._books = books
        self._clock = clock
        self._accounts = accounts
        self._public_url = public_url
        self._hearing = Hearing(storage, gateway, books, clock, watch)
        self.take = self._hearing.take
        self.look_after = self._hearing.look_after

    def _of(self, account: AccountId) -> Gateway:
        return self._gateway if self._accounts is None or account in self._accounts else self._by_hand

    def _back_to(self, contract: ContractId) -> str:
        """Return the contract's place on the client's page, to which the gateway sends them back."""
        return f"{self._public_url}/join#/{contract}"

    # What a client asks for.

    def start(self, authorization: str | None, asked: StartPayment) -> PaymentStarted:
        """Begin the payment of what the seat's contract owes of an invoice, or go on with it (R63).

        Raises:
            NotYoursError: A device asks: a freelancer does not pay.
            NothingDueError: There is no such invoice, or it is paid.
            GatewayAwayError: The gateway cannot be asked; asked again, the same payment goes on.
        """
        asking = caller_for(self._storage, authorization, asked.account)
        contract = self._client(asking)
        issuer = self._issuer(asking, contract, asked)
        gateway = self._of(issuer)
        for _ in range(ROUNDS):
            payment, due = again(lambda: self._begun(gateway, issuer, contract, asked.invoice))
            if gateway.name == BY_HAND:
                return _started(gateway, due, None)
            if self._is_of_now(gateway, payment, due):
                return _started(gateway, due, payment.url or self._page_of(gateway, payment, due).url)
            self._end(payment)
        raise BusyError(what="what is to be paid changes at this moment")

    def _issuer(self, asking: Caller, contract: ContractId, asked: StartPayment) -> AccountId:
        """Return the account whose invoice is to be paid: the contract's own, or an agency's of it (R61).

        Raises:
            NothingDueError: That account has nothing to do with the contract.
        """
        if asked.issuer in {None, asking.account}:
            return asking.account
        with self._storage.hold(asking.account) as hold:
            agencies = agency_bills.agencies_of(hold, {contract})
        if asked.issuer not in agencies:
            raise NothingDueError(invoice=asked.invoice)
        assert asked.issuer is not None, "it is one of them"
        return asked.issuer

    def _client(self, asking: Caller) -> ContractId:
        """Return the contract whose client asks.

        Raises:
            NotYoursError: A device asks, or an agency's manager, who reads and changes nothing.
        """
        if asking.contract is None:
            raise NotYoursError
        with self._storage.hold(asking.account) as hold:
            roles = hold.seats({asking.contract})[asking.contract].roles
        if roles.get(asking.replica) != "client":
            raise NotYoursError
        return asking.contract

    def _begun(
        self, gateway: Gateway, account: AccountId, contract: ContractId, invoice: int
    ) -> tuple[KeptPayment, Due]:
        """Return the open payment, and what is due; made and kept where there was none."""
        with self._storage.hold(account) as hold:
            due = self._books.due(hold, account, contract, invoice)
            if due is None:
                raise NothingDueError(invoice=invoice)
            names = PaymentNames(account, contract, invoice, secrets.token_hex(KEY_BYTES))
            at_ms = hold.received_at_ms
            payment = hold.payments.under_way(contract, invoice)
            if payment is None:
                payment = KeptPayment(names, gateway.name, due.money, "started", at_ms, at_ms)
                if gateway.name != BY_HAND:
                    hold.payments.keep(payment)
            return payment, due

    def _is_of_now(self, gateway: Gateway, payment: KeptPayment, due: Due) -> bool:
        """Return whether it is what would be begun now: of what is due, and with a page that lasts."""
        is_fresh = self._clock.now_ms() - payment.started_at_ms < PAGE_MILLIS
        return is_fresh and (payment.gateway, payment.money) == (gateway.name, due.money)

    def _page_of(self, gateway: Gateway, payment: KeptPayment, due: Due) -> KeptPayment:
        """Return the payment with the gateway's page, which is kept before anybody sees it."""
        names = payment.names
        customer = self._customer(gateway, names.account, names.contract)
        try:
            page = gateway.start(
                PaymentOrder(names, payment.money, due.week, customer, self._back_to(names.contract))
            )
        except CannotPayError:
            # Its page was shown to nobody: whoever asks again begins another.
            self._hearing.apply(EndedEvent(names))
            raise
        begun = replace(payment, reference=page.reference, url=page.url)

        def keep() -> None:
            with self._storage.hold(names.account) as hold:
                kept = hold.payments.payment(names.key)
                if kept is not None and kept.state == "started":
                    hold.payments.keep(begun)

        again(keep)
        _log.info("payment begun", account=names.account, gateway=gateway.name)
        return begun

    def _end(self, payment: KeptPayment) -> None:
        """End a payment that is not what is due now, unless it was paid meanwhile.

        Raises:
            CannotPayError: The gateway is at it: it may still be paid.
        """
        if payment.reference is None:  # its page was shown to nobody
            self._hearing.apply(EndedEvent(payment.names))
            return
        became = self._gateway.end(payment.names, payment.reference)
        if became is None:
            raise CannotPayError(what="A payment of this invoice is under way at the gateway: wait for it.")
        self._hearing.apply(became)

    def _customer(self, gateway: Gateway, account: AccountId, contract: ContractId) -> str:
        """Return the contract's client by their name at the gateway, made known to it once (R63)."""
        with self._storage.hold(account) as hold:
            payer = self._books.payer(hold, contract)
            known = hold.payments.method(payer)
        if known is not None and known.customer is not None and known.gateway == gateway.name:
            return known.customer
        customer = gateway.customer(account, payer)

        def keep() -> None:
            with self._storage.hold(account) as hold:
                before = hold.payments.method(payer)
                stated_at_ms = None if before is None else before.stated_at_ms
                hold.payments.keep_method(
                    KeptMethod(payer, gateway.name, customer, stated_at_ms=stated_at_ms)
                )

        again(keep)
        return customer

    def set_up(self, authorization: str | None, asked: SetUpBilling) -> BillingPage:
        """Return the page on which the seat's client leaves a billing method (R11).

        Raises:
            NotYoursError: A device asks.
            CannotPayError: This account's clients pay by hand.
        """
        asking = caller_for(self._storage, authorization, asked.account)
        contract = self._client(asking)
        gateway = self._of(asking.account)
        customer = self._customer(gateway, asking.account, contract) if gateway.name != BY_HAND else ""
        with self._storage.hold(asking.account) as hold:
            payer = self._books.payer(hold, contract)
        page = gateway.set_up(asking.account, payer, customer, self._back_to(contract))
        if page.url is None:
            raise CannotPayError(what="The gateway has no page for that.")
        return BillingPage(url=page.url)

    # What a freelancer asks for.

    def state_by_hand(self, authorization: str | None, asked: StateBilling) -> Billing:
        """Keep that a contract's client pays by hand as agreed, or that it is not so (R11).

        Raises:
            NotYoursError: A client asks: it is the freelancer's word.
            NotFoundError: The account has no such contract.
        """
        asking = self._owner(authorization, asked.account, asked.contract)

        def keep() -> None:
            with self._storage.hold(asking.account) as hold:
                payer = self._books.payer(hold, asked.contract)
                known = hold.payments.method(payer) or KeptMethod(payer, self._of(asking.account).name)
                at_ms = hold.received_at_ms if asked.by_hand else None
                hold.payments.keep_method(replace(known, stated_at_ms=at_ms))

        again(keep)
        return self.billing(asking)

    def give_back(self, authorization: str | None, asked: GiveBack) -> GivenBack:
        """Give back a part of what was paid through the gateway (R63).

        Raises:
            NotYoursError: A client asks.
            CannotPayError: So much was not paid there, or it was paid by hand.
        """
        asking = self._owner(authorization, asked.account, asked.contract)
        if len(asked.id) != 2 * KEY_BYTES or asked.minor <= 0:
            raise UnreadableError(what="A refund has an id of 32 hexadecimal digits and an amount above 0.")
        with self._storage.hold(asking.account) as hold:
            told = [kept.event for kept in hold.payments.events(asked.contract)]
            paid = [one for one in told if one.kind == "paid" and one.names.invoice == asked.invoice]
            known = [hold.payments.payment(one.names.key) for one in paid]
        for event, payment in zip(paid, known, strict=True):
            back = given_back([one for one in told if one.names == event.names])
            if payment is not None and payment.reference and event.money.minor - back >= asked.minor:
                money = Money(asked.minor, event.money.currency)
                key = f"{asking.account}/{asked.id}"
                became = self._gateway.refund(RefundOrder(event.names, key, payment.reference, money))
                if became is not None:
                    self._hearing.apply(became)
                return GivenBack(done=became is not None)
        raise CannotPayError(what="So much was not paid through the gateway for that invoice.")

    def _owner(self, authorization: str | None, account: AccountId, contract: ContractId) -> Caller:
        """Return the device that asks, sure that the contract is its account's."""
        asking = caller_for(self._storage, authorization, account)
        if asking.contract is not None:
            raise NotYoursError
        with self._storage.hold(asking.account) as hold:
            is_known = contract in hold.logs({contract}) or hold.invoices.of({contract})
            if contract == ContractId(asking.account) or not is_known:
                raise NotFoundError(what="The account has no such contract.")
        return asking

    # What everybody may know.

    def billing(self, asking: Caller, moved_from_ms: int = 0) -> Billing:
        """Return how the account's clients pay and what moved since; to a seat, of its own (R11, R63)."""
        gateway = self._of(asking.account)
        methods = self._storage.payments.methods(asking.account)
        with self._storage.hold(asking.account) as hold:
            said_elsewhere = agency_books.told(hold, asking.account, asking.contract, moved_from_ms)
            payer = None if asking.contract is None else self._books.payer(hold, asking.contract)
            contracts = hold.managed() & ({asking.contract} if asking.contract else hold.managed())
            agencies = agency_bills.agencies_of(hold, contracts)
        if payer is not None:
            methods = [method for method in methods if method.payer == payer]
        told = [said for said in (_said(method, gateway) for method in methods) if said is not None]
        otherwise: MethodState = "unknown" if gateway.name == BY_HAND else "unverified"
        kept = self._storage.payments.events(asking.account, asking.contract)
        for agency, managed in agencies.items():
            for contract in sorted(managed):
                kept = [*kept, *self._storage.payments.events(agency, contract)]
        moved = [_moved(one) for one in kept if one.received_at_ms >= moved_from_ms]
        return Billing(
            gateway=gateway.name, otherwise=otherwise, methods=told, moved=moved, said=said_elsewhere
        )


def _started(gateway: Gateway, due: Due, url: str | None) -> PaymentStarted:
    return PaymentStarted(gateway=gateway.name, minor=due.money.minor, currency=due.money.currency, url=url)


def _moved(kept: KeptEvent) -> MoneyMoved:
    event = kept.event
    return MoneyMoved(
        id=event.key,
        what=event.kind,
        contract=event.names.contract,
        invoice=event.names.invoice,
        minor=event.money.minor,
        currency=event.money.currency,
        at_ms=kept.received_at_ms,
        issuer=event.names.account,
    )


def _said(method: KeptMethod, gateway: Gateway) -> BillingMethod | None:
    """Return what is said of a billing method: the gateway's yes, else the freelancer's word, else its no."""
    is_asked = method.gateway == gateway.name and method.asked_at_ms is not None
    state: MethodState
    if is_asked and method.verified:
        state, at_ms = "verified", method.asked_at_ms
    elif method.stated_at_ms is not None:
        state, at_ms = "stated", method.stated_at_ms
    elif is_asked:
        state, at_ms = "unverified", method.asked_at_ms
    else:
        return None
    assert at_ms is not None, "each of these has its time"
    return BillingMethod(payer=method.payer, state=state, at_ms=at_ms)
