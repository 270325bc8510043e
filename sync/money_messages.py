"""Messages about money between a client and the server: how clients pay, what moved, refunds (R11, R61, R63).

They are a part of `sync.protocol`, and keep to what it says of all messages.
"""

import msgspec

from diary.rules.elsewhere import SaidElsewhere
from diary.rules.ids import AccountId, ContractId


class BillingMethod(msgspec.Struct, frozen=True, kw_only=True):
    """How a client pays: `state` is verified, unverified, stated or unknown, and `at_ms` when that was said.

    `verified` and `unverified` are the payment gateway's answer; `stated` is the freelancer's word that the
    two of them agreed on paying by hand, which proves nothing (R11, R30).
    """

    payer: str
    state: str
    at_ms: int


class MoneyMoved(msgspec.Struct, frozen=True, kw_only=True):
    """What the gateway told of one contract's part of an invoice, and when the server took it (R63).

    `issuer` is the account whose invoice it is: the contract's own, or an agency's (R61); a server that knows
    of no agencies names none.
    """

    id: str
    what: str
    contract: ContractId
    invoice: int
    minor: int
    currency: str
    at_ms: int
    issuer: AccountId | None = None


class Billing(msgspec.Struct, frozen=True, kw_only=True):
    """The payment gateway of an account, `by_hand` or its name, and what is known of its clients (R11, R63).

    `otherwise` is the state of every payer that `methods` does not name. `moved` is what the gateway told
    since `Pull.moved_from_ms`, that instant included: of all contracts to a device, of its own to a seat.
    `said` is what was said since then in other logs.
    """

    gateway: str
    otherwise: str
    methods: list[BillingMethod]
    moved: list[MoneyMoved] = []
    said: list[SaidElsewhere] = []


class StartPayment(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """POST /v1/payments: a client's seat begins to pay what its contract owes of an invoice (R63).

    `issuer` is the agency whose invoice it is, absent for the contract's own account's (R61).
    """

    account: AccountId
    invoice: int
    issuer: AccountId | None = None


class PaymentStarted(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be paid, in minor units, and the gateway's page; `url` is null where one pays by hand."""

    gateway: str
    minor: int
    currency: str
    url: str | None


class SetUpBilling(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """POST /v1/billing/page: a client's seat begins to leave a billing method with the gateway (R11)."""

    account: AccountId


class BillingPage(msgspec.Struct, frozen=True, kw_only=True):
    """The gateway's page on which a client leaves a billing method."""

    url: str


class StateBilling(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """PUT /v1/billing: a device states that a contract's client pays by hand, as agreed, or takes it back.

    Answered with `Billing`.
    """

    account: AccountId
    contract: ContractId
    by_hand: bool


class GiveBack(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """POST /v1/refunds: a device gives back a part of what a client paid through the gateway (R63).

    `id` is 32 hexadecimal digits of the device's own: the same again is the same refund.
    """

    account: AccountId
    contract: ContractId
    invoice: int
    id: str
    minor: int


class GivenBack(msgspec.Struct, frozen=True, kw_only=True):
    """Whether the gateway has given it back; false while it is at it."""

    done: bool
