"""What is kept of payments by a gateway, of what it told, and of billing methods (R11, R63).

Nothing here goes to the gateway: its answers are kept with the time at which they were given. An event is
kept once by its key and never changed.
"""

from dataclasses import dataclass
from typing import Literal, Protocol

from diary.rules.ids import AccountId, ContractId, Millis
from sync.server.payment import Money, MoneyEvent, PaymentNames

PaymentState = Literal["started", "paid", "ended"]
"""`started`: it may be paid; `ended`: it cannot any more. What was paid stays so, whatever is told later."""


@dataclass(frozen=True, slots=True)
class KeptPayment:
    """A payment that a client began.

    `reference` is its name at the gateway, None until that has answered; `url` is where the client goes on,
    None for nowhere. `looked_at_ms` is when the gateway was last asked about it.
    """

    names: PaymentNames
    gateway: str
    money: Money
    state: PaymentState
    started_at_ms: Millis
    looked_at_ms: Millis
    reference: str | None = None
    url: str | None = None


@dataclass(frozen=True, slots=True)
class KeptMethod:
    """What is known of one client's billing method (R11, R30).

    `customer` is their name at the gateway, None before they had one. `verified` is the gateway's last answer
    and `asked_at_ms` its time; None where it gave none. `stated_at_ms` is when the freelancer stated that
    this client pays by hand as they agreed, None where they did not or took it back.
    """

    payer: str
    gateway: str
    customer: str | None = None
    verified: bool | None = None
    asked_at_ms: Millis | None = None
    stated_at_ms: Millis | None = None


@dataclass(frozen=True, slots=True)
class KeptEvent:
    """What became of money, and when this server took it."""

    event: MoneyEvent
    received_at_ms: Millis


class PaymentBooks(Protocol):
    """One account's payments under its lock: verbs of one transaction."""

    def under_way(self, contract: ContractId, invoice: int) -> KeptPayment | None:
        """Return the open payment of a contract's lines of an invoice: there is one at most."""
        ...

    def payment(self, key: str) -> KeptPayment | None:
        """Return a payment by its key."""
        ...

    def keep(self, payment: KeptPayment) -> None:
        """Keep a payment, in place of what was kept by its key."""
        ...

    def keep_event(self, event: MoneyEvent, received_at_ms: Millis) -> bool:
        """Keep what became of money; False, and nothing kept, where its key is known."""
        ...

    def events(self, contract: ContractId | None = None) -> list[KeptEvent]:
        """Return what became of the account's money, or of one contract's, by the keys."""
        ...

    def method(self, payer: str) -> KeptMethod | None:
        """Return what is known of a client's billing method."""
        ...

    def keep_method(self, method: KeptMethod) -> None:
        """Keep what is known of a client's billing method, in place of what was."""
        ...


class PaymentReader(Protocol):
    """What is asked of payments without a lock: each question sees one committed state."""

    def methods(self, account: AccountId) -> list[KeptMethod]:
        """Return what is known of the billing methods of an account's clients, by the payers."""
        ...

    def events(self, account: AccountId, contract: ContractId | None = None) -> list[KeptEvent]:
        """Return what became of the account's money, or of one contract's, by the keys."""
        ...

    def unfinished(self, looked_before_ms: Millis, limit: int) -> list[KeptPayment]:
        """Return open payments of all accounts of which the gateway was last asked before that."""
        ...

    def outdated(self, asked_before_ms: Millis, limit: int) -> list[tuple[AccountId, KeptMethod]]:
        """Return methods of all accounts whose client the gateway knows, and last told of before that."""
        ...


class HoldsPayments(Protocol):
    """An account's hold, as far as payments go."""

    @property
    def payments(self) -> PaymentBooks:
        """Return what is kept of the account's payments by a gateway (R63)."""
        ...


class ReadsPayments(Protocol):
    """A storage, as far as payments go."""

    @property
    def payments(self) -> PaymentReader:
        """Return what may be asked of payments without a lock (R63)."""
        ...
