"""By which invoices rows about money are judged: what may be paid, and until when disputed (R62, R63)."""

from collections.abc import Iterable, Sequence

from diary.rules.act_change import InvoiceName, reviews_of
from diary.rules.ids import ContractId
from diary.rules.payments import contract_of
from diary.rules.segment import Header
from diary.rules.week import Week
from sync.server import agency_bills
from sync.server.pushed import Pushed
from sync.server.storage import AccountHold


def numbers_of(hold: AccountHold, paid: Sequence[Header]) -> dict[ContractId, dict[InvoiceName, str]]:
    """Return each paid contract's invoices by issuer and number with their currency: what may be paid (R63).

    Of a member's contract, of which an agency speaks in its own log, those with a line of the member's.
    """
    of_members = {contract_of(header) for header in paid if header.in_own_log}
    contracts = {contract_of(header) for header in paid}
    found: dict[ContractId, dict[InvoiceName, str]] = {contract: {} for contract in contracts}
    for invoice in hold.invoices.of(contracts):
        for line in invoice.lines:
            if line.contract in found and (line.contract in of_members) == (line.member is not None):
                found[line.contract][invoice.account, invoice.number] = invoice.currency
    for agency, managed in agency_bills.agencies_of(hold, contracts).items():
        for invoice in hold.beside(agency).invoices.of(managed):
            for line in invoice.lines:
                if line.contract in managed:
                    found[line.contract][agency, invoice.number] = invoice.currency
    return found


def reviews_named(hold: AccountHold, pushed: Iterable[Pushed]) -> dict[str, int]:
    """Return how long the weeks are in review that disputes and bonuses name, where they are billed (R62)."""
    weeks: set[str] = set()
    for header in (item.header for item in pushed if item.header is not None):
        if header.dispute is not None:
            weeks |= {Week.of(slot).name for slot in header.dispute.slots}
        elif header.bonus is not None:
            weeks.add(header.bonus.week)
    return reviews_of(hold.invoices.of_weeks(weeks)) if weeks else {}
