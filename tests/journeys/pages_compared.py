"""What pages show of a story's invoices and statements, beside its books (R61, R62, R64)."""

from collections.abc import Callable, Iterable
from dataclasses import replace

from playwright.sync_api import Browser

from tests.journeys.books import Books, Deal
from tests.journeys.pages import Phone, Sheet, viewing
from tests.journeys.town import Town


def check_viewers(town: Town, browser: Browser, closing: int) -> None:
    """Compare the pages of every freelancer and agency with the books, after a closing."""
    deals = town.books.deals.values()
    for name in sorted({deal.freelancer for deal in deals} | {deal.issuer for deal in deals}):
        computer = town.computers[name]
        with viewing(computer, browser, digits_of(town.books)) as viewer:
            invoices, statements = computer.json("invoice"), computer.json("statement")
            assert viewer.json("invoices") == invoices
            assert viewer.json("statement") == statements
            sheets = viewer.sheets()
            owed = viewer.owed()
        assert sorted(one.number for one in sheets) == sorted(one["number"] for one in invoices)
        seen = [deal for deal in deals if name in {deal.freelancer, deal.issuer}]
        assert _ordered(_titled(sheets, town)) == _ordered(_sheets(town, seen, closing)), name
        wanted = _owed(town.books, name, closing)
        if any(deal.agency == name for deal in seen):
            # An agency's statement may not know yet what its members' clients are called.
            owed, wanted = _by_currency(owed), _by_currency(wanted)
        assert owed == wanted, name


def join_phones(town: Town, browser: Browser) -> dict[str, Phone]:
    """Let each client join all their contracts in a browser too, each by a link of its own."""
    phones: dict[str, Phone] = {}
    for deal in town.books.deals.values():
        if deal.client not in phones:
            phones[deal.client] = Phone(browser.new_context(), town.url, digits_of(town.books))
        phones[deal.client].join(town.invite_again(deal))
    return phones


def check_phones(town: Town, phones: dict[str, Phone], closing: int) -> None:
    """Compare the pages of every client, contract by contract, with the books."""
    for deal in town.books.deals.values():
        wanted = _ordered(_sheets(town, [deal], closing, name=lambda _: ""))
        phone = phones[deal.client]
        phone.read(town.contracts[deal.title], sorted((one.week, *one.listed) for one in wanted))
        assert _ordered(phone.sheets()) == wanted, deal
        phone.rest()


def digits_of(books: Books) -> dict[str, int]:
    """Return how many decimals the amounts of each currency of the story have."""
    return {deal.currency: deal.digits for deal in books.deals.values()}


def _sheets(town: Town, seen: Iterable[Deal], closing: int, name: Callable[[str], str] = str) -> list[Sheet]:
    """Return the invoices of all closings as they show to who sees only these deals."""
    groups: dict[tuple[str, str, str], list[Deal]] = {}
    for deal in seen:
        groups.setdefault((deal.issuer, deal.client, deal.currency), []).append(deal)
    made = [_sheet(town, deals, week, name) for deals in groups.values() for week in range(closing + 1)]
    return [one for one in made if one.lines]


def _sheet(town: Town, deals: list[Deal], week: int, name: Callable[[str], str]) -> Sheet:
    books = town.books
    lines = {
        name(deal.title): sorted(
            (what, town.name_of(of), "" if what == "bonus" else _hours(segments), minor)
            for _, what, of, segments, minor in books.lines(deal.title, week)
        )
        for deal in deals
        if books.lines(deal.title, week)
    }
    parts = [books.part(deal.title, week) for deal in deals]
    total, due = sum(part.amount for part in parts), sum(part.due for part in parts)
    apart = {
        "Credited": -sum(part.credited for part in parts),
        "Disputed, set apart": -sum(part.disputed for part in parts),
        "Paid": -sum(part.paid - part.refunded for part in parts),
    }
    sums = {"Total": total, **{word: minor for word, minor in apart.items() if minor}, "Due": due}
    return Sheet(0, town.name_of(week), (total, due), lines, sums)


def _hours(segments: int) -> str:
    return f"{segments // 6}:{segments % 6 * 10:02}"


def _titled(sheets: Iterable[Sheet], town: Town) -> list[Sheet]:
    """Return the sheets with contracts by their titles, which an agency knows only by their ids."""
    titles = {contract[:8]: title for title, contract in town.contracts.items()}
    return [
        replace(one, lines={titles.get(shown, shown): lines for shown, lines in one.lines.items()})
        for one in sheets
    ]


def _ordered(sheets: Iterable[Sheet]) -> list[Sheet]:
    """Return the sheets without their numbers, by which nothing is told apart in the books."""
    bare = [
        replace(one, number=0, lines={title: sorted(lines) for title, lines in one.lines.items()})
        for one in sheets
    ]
    return sorted(bare, key=lambda one: (one.week, sorted(one.lines.items()), one.listed))


def _owed(books: Books, issuer: str, closing: int) -> dict[tuple[str, str], int]:
    """Return what each client owes an issuer in each currency, as far as anything was billed."""
    owed: dict[tuple[str, str], int] = {}
    for deal in books.deals.values():
        if deal.issuer == issuer:
            for week in range(closing + 1):
                if books.lines(deal.title, week):
                    key = deal.client, deal.currency
                    owed[key] = owed.get(key, 0) + books.part(deal.title, week).owed
    return owed


def _by_currency(owed: dict[tuple[str, str], int]) -> dict[tuple[str, str], int]:
    found: dict[tuple[str, str], int] = {}
    for (_, currency), minor in owed.items():
        found["", currency] = found.get(("", currency), 0) + minor
    return found
