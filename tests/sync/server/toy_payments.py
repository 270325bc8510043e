"""Payments of one account in plain dictionaries (see `toy_storage`)."""

from dataclasses import dataclass, field

from diary.rules.ids import AccountId, ContractId, Millis
from sync.server.kept_payments import KeptEvent, KeptMethod, KeptPayment
from sync.server.payment import MoneyEvent


@dataclass
class ToyPaymentBooks:
    begun: dict[str, KeptPayment] = field(default_factory=dict)
    told: dict[str, KeptEvent] = field(default_factory=dict)
    known: dict[str, KeptMethod] = field(default_factory=dict)

    def under_way(self, contract: ContractId, invoice: int) -> KeptPayment | None:
        place = (contract, invoice)
        open_ones = (one for one in self.begun.values() if one.state == "started")
        return next((one for one in open_ones if (one.names.contract, one.names.invoice) == place), None)

    def payment(self, key: str) -> KeptPayment | None:
        return self.begun.get(key)

    def keep(self, payment: KeptPayment) -> None:
        self.begun[payment.names.key] = payment

    def keep_event(self, event: MoneyEvent, received_at_ms: Millis) -> bool:
        if event.key in self.told:
            return False
        self.told[event.key] = KeptEvent(event, received_at_ms)
        return True

    def events(self, contract: ContractId | None = None) -> list[KeptEvent]:
        told = [kept for _, kept in sorted(self.told.items())]
        return [kept for kept in told if contract in {None, kept.event.names.contract}]

    def method(self, payer: str) -> KeptMethod | None:
        return self.known.get(payer)

    def keep_method(self, method: KeptMethod) -> None:
        self.known[method.payer] = method


@dataclass
class ToyPaymentReader:
    of_all: dict[AccountId, ToyPaymentBooks]

    def methods(self, account: AccountId) -> list[KeptMethod]:
        books = self.of_all.get(account, ToyPaymentBooks())
        return [method for _, method in sorted(books.known.items())]

    def events(self, account: AccountId, contract: ContractId | None = None) -> list[KeptEvent]:
        return self.of_all.get(account, ToyPaymentBooks()).events(contract)

    def unfinished(self, looked_before_ms: Millis, limit: int) -> list[KeptPayment]:
        begun = [one for books in self.of_all.values() for one in books.begun.values()]
        waiting = [one for one in begun if one.state == "started" and one.looked_at_ms < looked_before_ms]
        return sorted(waiting, key=lambda one: one.looked_at_ms)[:limit]

    def outdated(self, asked_before_ms: Millis, limit: int) -> list[tuple[AccountId, KeptMethod]]:
        known = [(name, one) for name, books in self.of_all.items() for one in books.known.values()]
        named = [(name, one) for name, one in known if one.customer is not None]
        return [item for item in named if (item[1].asked_at_ms or 0) < asked_before_ms][:limit]
