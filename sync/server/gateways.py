"""Which gateway a server's clients pay by, as its operator set it (R63).

Stripe's library is loaded only where it is used.
"""

from diary.clock import Clock
from diary.rules.contract import TermsHistory
from diary.rules.ids import AccountId, ContractId
from diary.rules.ledger_entry import balances
from sync.server import billing
from sync.server.clock_watch import ClockWatch
from sync.server.hearing import Books, Due
from sync.server.paying import Paying
from sync.server.payment import ByHand, Gateway, Money
from sync.server.settings import ALL_ACCOUNTS, GatewaySettings
from sync.server.storage import AccountHold, Storage


def paying_of(storage: Storage, settings: GatewaySettings, clock: Clock, watch: ClockWatch) -> Paying:
    """Return the payments of a server with these settings."""
    everybody = ALL_ACCOUNTS in settings.accounts
    return Paying(
        storage,
        gateway_of(settings),
        BOOKS,
        clock,
        watch,
        accounts=None if everybody else frozenset(settings.accounts),
        public_url=settings.public_url,
    )


def gateway_of(settings: GatewaySettings) -> Gateway:
    """Return the gateway that the settings name."""
    if settings.name == "by_hand":
        return ByHand()
    from sync.server.payment_stripe import StripeGateway, StripeKeys

    keys = StripeKeys(settings.stripe_key, settings.stripe_webhook_secret, settings.stripe_api)
    return StripeGateway(keys)


def _due(hold: AccountHold, _account: AccountId, contract: ContractId, invoice: int) -> Due | None:
    """Return what the ledger has the contract's client owe of an invoice; not what they dispute (R62)."""
    posted = hold.invoices.entries({contract}, {invoice})
    stands = balances(posted)
    owed = stands.get("client_owes", 0) + min(stands.get("disputed", 0), 0)
    if owed <= 0:
        return None
    week = next(one.week for one in hold.invoices.of({contract}) if one.number == invoice)
    return Due(Money(owed, posted[0].currency), week)


def _post(hold: AccountHold, contract: ContractId) -> None:
    """Enter into the ledger what the gateway told about a contract, the account's own or a member's."""
    billing.post_about_members(hold, {contract})


def _payer(hold: AccountHold, contract: ContractId) -> str:
    """Return the payer of a contract: without one it is its own; a member's is that of its bill (R61)."""
    found = hold.terms({contract}).get(contract)
    billed = [] if found else hold.invoices.of({contract})
    payer = TermsHistory(found).first.payer if found else None
    payer = billed[-1].payer if billed else payer
    return payer or str(contract)


BOOKS = Books(_due, _post, _payer)
