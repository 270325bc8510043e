"""What the pages of a story say of invoices and statements, read in a real browser (R61, R62, R64).

A freelancer's and an agency's Datasette; a client's own page at the server. Nothing is reckoned here but what
a reader does: an amount is read with the decimals that its currency has, and no other.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from tests.journeys.actors import Computer, eventually

WAIT_MILLIS = 120_000  # a page reads eight weeks before it says what is due, on a machine that others load
# What a cell says, without the small print below it.
_CELLS = """(rows) => rows.map((row) => [...row.cells].map((cell) => {
  const bare = cell.cloneNode(true);
  for (const small of bare.querySelectorAll(".under")) small.remove();
  return bare.textContent.trim();
}))"""
_AMOUNT = re.compile(r"([−-]?)([0-9,]+)(?:\.([0-9]+))?")
_WORDS = {"hours": "hours", "late time, accepted": "late", "bonus": "bonus"}

Lines = list[tuple[str, str, str, int]]
"""What, of which week, hours, amount: each line of one contract's part."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """An invoice as its page shows it; what does not stand there is nothing."""

    number: int
    week: str
    listed: tuple[int, int]  # total and due, on the page of all invoices
    lines: Mapping[str, Lines]  # by contract, "" where the page names none
    sums: Mapping[str, int]


def minor_of(text: str, digits: int) -> int:
    """Return the minor units of an amount with just so many decimals."""
    found = _AMOUNT.fullmatch(text)
    assert found is not None, text
    assert len(found[3] or "") == digits, text
    minor = int(found[2].replace(",", "") + (found[3] or ""))
    return -minor if found[1] else minor


def cells(page: Page, rows: str) -> list[list[str]]:
    """Return what the cells of the rows that a selector names say."""
    found: list[list[str]] = page.locator(rows).evaluate_all(_CELLS)
    return found


def _sum(text: str, digits: Mapping[str, int]) -> int:
    amount, currency = text.split()
    return minor_of(amount, digits[currency])


def _line(what: str, week: str) -> tuple[str, str]:
    """Return what a line is for, and of which week: the invoice's where it says nothing else."""
    word, _, other = what.partition(" of ")
    return _WORDS[word.strip()], other.strip() or week


@dataclass(frozen=True, slots=True)
class Viewer:
    """Somebody's Datasette, read in a browser; `digits` are those of each currency's amounts."""

    page: Page
    origin: str
    digits: Mapping[str, int]

    def json(self, path: str) -> Any:
        """Return a page's own form for programs."""
        answer = self.page.request.get(f"{self.origin}/-/diary/{path}.json")
        assert answer.ok, answer.text()
        return answer.json()

    def sheets(self) -> list[Sheet]:
        """Return all invoices that the list leads to, those of an agency that bills for this one too."""
        self.page.goto(f"{self.origin}/-/diary/invoices")
        rows = cells(self.page, "table.invoices tbody tr")
        links = self.page.locator("table.invoices tbody th a").evaluate_all("(all) => all.map((a) => a.href)")
        return [self._sheet(link, row) for link, row in zip(links, rows, strict=True)]

    def _sheet(self, link: str, listed: list[str]) -> Sheet:
        number, week, _, total, due, _ = listed
        self.page.goto(link)
        lines: dict[str, Lines] = {}
        for title, what, hours, _, amount in cells(self.page, "article.invoice tbody tr"):
            line = (*_line(what, week), hours, _sum(amount, self.digits))
            lines.setdefault(title, []).append(line)
        feet = cells(self.page, "article.invoice tfoot tr")
        return Sheet(
            int(number),
            week,
            (_sum(total, self.digits), _sum(due, self.digits)),
            lines,
            {word: _sum(amount, self.digits) for word, amount in feet},
        )

    def owed(self) -> dict[tuple[str, str], int]:
        """Return what each client owes in each currency: as its statement sums up, and as its entries end."""
        self.page.goto(f"{self.origin}/-/diary/statement")
        found = {}
        for section in self.page.locator("section.card").all():
            client, _, currency = section.locator("h2").inner_text().rpartition(", in ")
            words = section.locator("dl.balances dt").all_inner_texts()
            amounts = section.locator("dl.balances dd").all_inner_texts()
            balances = dict(zip(words, amounts, strict=True))
            # What is nothing has no line among the balances.
            owed = (
                _sum(balances["Owed by the client"], self.digits) if "Owed by the client" in balances else 0
            )
            newest = section.locator("tbody tr").first.locator("td").last.inner_text()
            assert _sum(newest, self.digits) == owed, (client, currency)
            found[client, currency] = owed
        return found


@contextmanager
def viewing(computer: Computer, browser: Browser, digits: Mapping[str, int]) -> Iterator[Viewer]:
    """Open a computer's diary in a browser, by the process that `diary open` is."""
    process = computer.begin("viewer", "open", "--no-browser")
    link = eventually("the diary opens", lambda: _address(process.talk()), seconds=120)
    context = browser.new_context()
    context.set_default_timeout(WAIT_MILLIS)
    try:
        page = context.new_page()
        page.goto(link)
        yield Viewer(page, link.split("/-/")[0], digits)
    finally:
        context.close()
        process.stop()
        process.log.unlink()  # with the address of this time


def _address(talk: str) -> str | None:
    found = re.search(r"http://\S+", talk)
    return found and found[0]


@dataclass
class Phone:
    """A client's browser, which joined each of their contracts by a link of its own."""

    context: BrowserContext
    url: str
    digits: Mapping[str, int]
    page: Page = field(init=False)

    def __post_init__(self) -> None:
        """Open the one page that the client has."""
        self.context.set_default_timeout(WAIT_MILLIS)
        self.page = self.context.new_page()

    def join(self, link: str) -> None:
        """Open a link and join by it."""
        self.page.goto(link)
        self.page.get_by_role("button", name="Join this contract").click()
        expect(self.page.locator("#status")).to_contain_text("You have joined", timeout=WAIT_MILLIS)
        self.rest()

    def rest(self) -> None:
        """Put the phone away: what the server does meanwhile is not looked at."""
        self.page.goto("about:blank")

    def read(self, contract: str, wanted: list[tuple[str, int, int]]) -> None:
        """Open a contract's list of invoices and wait until it says these weeks, totals and what is due.

        It is opened once: what is known shows at once, and the page is drawn anew when it has read what is
        new. Whoever leaves it sooner on a slow machine has never waited for that.
        """
        said: list[tuple[str, int, int]] = []

        def look() -> bool:
            said[:] = sorted(
                (week, _sum(total, self.digits), _sum(due, self.digits))
                for _, week, total, due, _ in self._listed()
                if due != "not borne out"
            )
            return said == wanted

        self.page.goto("about:blank")
        self.page.goto(f"{self.url}/join#/{contract}/invoices")
        expect(self._heading()).to_be_visible(timeout=WAIT_MILLIS)
        with suppress(AssertionError):
            eventually("the phone has read what is new", look, seconds=WAIT_MILLIS / 1000)
        assert said == wanted, (said, wanted)

    def _heading(self) -> Locator:
        return self.page.get_by_role("heading", name="Invoices", exact=True)

    def _listed(self) -> list[list[str]]:
        return cells(self.page, "main tbody tr")

    def sheets(self) -> list[Sheet]:
        """Return the invoices of the list that is open."""
        return [self._sheet(row) for row in self._listed()]

    def _sheet(self, listed: list[str]) -> Sheet:
        name, week, total, due, _ = listed
        self.page.get_by_role("link", name=name, exact=True).click()
        expect(self.page.locator("h1")).to_contain_text(name)  # of an agency's bill also whose it is
        currency = total.split()[1]
        lines = [
            (*_line(what, week), hours, minor_of(amount, self.digits[currency]))
            for what, hours, _, amount in cells(self.page, "main tbody tr")
        ]
        sums = {word: _sum(amount, self.digits) for word, amount in cells(self.page, "main tfoot tr")}
        self.page.go_back()
        expect(self._heading()).to_be_visible()
        number = int(name.removeprefix("Invoice "))
        return Sheet(number, week, (_sum(total, self.digits), _sum(due, self.digits)), {"": lines}, sums)
