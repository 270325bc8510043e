"""A ledger's entries: one that does not balance cannot be built (R62). Pure.

Amounts are whole minor units of one currency, a debit above nothing and a credit below.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from diary.rules.ids import ContractId, Millis

LedgerAccount = Literal[
    "client_owes",
    "paid_by_hand",
    "gateway",
    "paid_out",
    "fees",
    "in_review",
    "security_period",
    "available",
    "withdrawn",
    "disputed",
    "refunded",
]
EntryWhat = Literal[
    "closed",
    "review_ended",
    "available",
    "disputed",
    "dispute_withdrawn",
    "conceded",
    "received",
    "refunded",
    "gateway_paid",
    "gateway_refunded",
    "gateway_refund_failed",
    "gateway_charged_back",
    "gateway_charge_back_returned",
    "gateway_paid_out",
    "gateway_paid_out_returned",
    "gateway_fee",
    "corrected",
]


@dataclass(frozen=True, slots=True)
class Posting:
    """One line of an entry: an amount that is not nothing, a debit above it, a credit below."""

    account: LedgerAccount
    amount_minor: int

    def __post_init__(self) -> None:
        """Refuse what moves nothing."""
        if not self.amount_minor:
            raise ValueError("a posting moves something")


class UnbalancedError(ValueError):
    """The postings of an entry do not sum to nothing: something would be made or lost."""


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """One entry of one contract's part of an invoice; `key` is its name within the contract for ever.

    Raises:
        UnbalancedError: The postings do not balance.
        ValueError: There are none, or an account stands twice.
    """

    key: str
    contract: ContractId
    invoice: int
    currency: str
    at_ms: Millis
    what: EntryWhat
    postings: tuple[Posting, ...]

    def __post_init__(self) -> None:
        """Refuse what is no entry."""
        if not self.postings:
            raise ValueError("an entry moves something")
        if len({posting.account for posting in self.postings}) != len(self.postings):
            raise ValueError("an account stands once in an entry")
        rest = sum(posting.amount_minor for posting in self.postings)
        if rest:
            raise UnbalancedError(f"{rest} minor units of {self.currency} would come from nowhere")


def to_post(
    posted: Iterable[LedgerEntry], derived: Iterable[LedgerEntry], at_ms: Millis
) -> tuple[LedgerEntry, ...]:
    """Return what must be entered so that what was posted comes to what is derived now.

    Mostly that is what is new. What was posted is never changed: where a restored server was shown what
    belongs earlier (R43), the difference is an entry of its own, at the instant.
    """
    had: dict[str, list[LedgerEntry]] = {}
    for entry in posted:
        had.setdefault(entry.key.partition("#")[0], []).append(entry)
    wanted = {entry.key: entry for entry in derived}
    found = [entry for key, entry in wanted.items() if key not in had]
    for key, before in had.items():
        sums = balances(before)
        if key in wanted:
            sums = summed(balances([wanted[key]]), {name: -amount for name, amount in sums.items()})
        else:
            sums = {name: -amount for name, amount in sums.items()}
        postings = postings_of(sums)
        if postings:
            first = before[0]
            found.append(
                LedgerEntry(
                    key=f"{key}#{len(before)}",
                    contract=first.contract,
                    invoice=first.invoice,
                    currency=first.currency,
                    at_ms=at_ms,
                    what="corrected",
                    postings=postings,
                )
            )
    return tuple(found)


def balances(found: Iterable[LedgerEntry]) -> dict[LedgerAccount, int]:
    """Return what stands in each account; one in which nothing stands is no key.

    Raises:
        ValueError: The entries are of several currencies.
    """
    listed = list(found)
    if len({entry.currency for entry in listed}) > 1:
        raise ValueError("amounts of several currencies have no sum")
    sums: dict[LedgerAccount, int] = {}
    for entry in listed:
        for posting in entry.postings:
            sums[posting.account] = sums.get(posting.account, 0) + posting.amount_minor
    return {name: amount for name, amount in sums.items() if amount}


def summed(one: Mapping[LedgerAccount, int], other: Mapping[LedgerAccount, int]) -> dict[LedgerAccount, int]:
    """Return the sums of two, account by account."""
    return {name: one.get(name, 0) + other.get(name, 0) for name in sorted({*one, *other})}


def postings_of(sums: Mapping[LedgerAccount, int]) -> tuple[Posting, ...]:
    """Return sums as postings; what comes to nothing is none."""
    return tuple(Posting(name, amount) for name, amount in sorted(sums.items()) if amount)
