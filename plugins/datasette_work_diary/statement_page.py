"""What a client and the freelancer have between them, as its page shows it (R62, R63). Pure."""

from collections.abc import Iterable
from dataclasses import dataclass

from datasette_work_diary.reading import Reading, money
from diary.rules.statement import ACCOUNT_WORDS, ENTRY_WORDS, Statement, shown_minor


@dataclass(frozen=True, slots=True)
class EntryShown:
    """One entry of the ledger as a line."""

    when: str
    what: str
    invoice: int
    title: str
    amount: str
    owed: str


@dataclass(frozen=True, slots=True)
class StatementShown:
    """One client and currency: what stands where, and how it came so, the newest first."""

    title: str
    balances: tuple[tuple[str, str], ...]
    entries: tuple[EntryShown, ...]


def statement_page(found: Iterable[Statement], reading: Reading) -> tuple[StatementShown, ...]:
    """Return the statements as their page shows them."""
    return tuple(_shown(one, reading) for one in found)


def _shown(one: Statement, reading: Reading) -> StatementShown:
    client = one.client or ("You" if reading.for_client else "A client without a name")
    return StatementShown(
        title=f"{client}, in {one.currency}",
        balances=tuple(
            (word, money(shown_minor(account, one.balances[account]), one.currency))
            for account, word in ACCOUNT_WORDS.items()
            if account in one.balances
        ),
        entries=tuple(
            EntryShown(
                when=reading.instant(line.at_ms),
                what=ENTRY_WORDS[line.what],
                invoice=line.invoice,
                title=line.title,
                amount=money(line.amount_minor, one.currency),
                owed=money(line.owed_minor, one.currency),
            )
            for line in reversed(one.lines)
        ),
    )
