"""Eight weeks of work, bills and money between real processes, beside books kept apart (R61, R62).

Late, over the limit, overlapping, disputed, conceded, accepted, bonus, partly paid, paid too much and given
back, in four currencies: what each party's copy, papers and pages say agrees to the minor unit.
"""

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.diary.pdf.printed import text_of
from tests.journeys.books import Books, Deal
from tests.journeys.pages_compared import check_phones, check_viewers, join_phones
from tests.journeys.town import Town, lines_of, moment
from tests.rule import rule

WEEKS = 8
MIDDLE = (
    5  # by when there was late time, a bonus, a dispute, a credit; pages are looked at then and at the end
)
DEALS = (
    Deal("Lantern", "ana", "Yoshi", "JPY", 0, "3333", limit=6),
    Deal("Harbour", "ana", "Walsh", "USD", 2, "61.37"),
    Deal("Quarry", "ana", "Walsh", "USD", 2, "45.01"),
    Deal("Falcon", "ben", "Walsh", "KWD", 3, "12.345"),
    Deal("Meadow", "ben", "Emma", "EUR", 2, "77.77", agency="guild"),
    Deal("Orchard", "ana", "Emma", "EUR", 2, "33.33", agency="guild"),
)
ISSUERS = ("ana", "ben", "guild")
WEDNESDAY = 2.5


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    made = Town(tmp_path, Books({deal.title: deal for deal in DEALS}))
    try:
        yield made
    finally:
        made.end()


@pytest.mark.journey
@pytest.mark.browser
@pytest.mark.timeout(2700)
@rule("R61")
@rule("R62")
@rule("R64")
@rule("R38")
def test_eight_weeks_come_to_the_same_for_everybody_to_the_minor_unit(town: Town, chromium: Browser) -> None:
    for name in ISSUERS:
        town.settle(name)
    for deal in DEALS:
        town.agree(deal)
    phones = join_phones(town, chromium)
    for week in range(WEEKS):
        town.go_to(week, WEDNESDAY)
        town.sync_all()
        if week:
            talk_about(town, week - 1)
            check_all(town, week - 1)
        if week == MIDDLE:
            check_viewers(town, chromium, week - 1)
            check_phones(town, phones, week - 1)
        work_on(town, week)
    town.go_to(WEEKS, WEDNESDAY)
    town.sync_all()
    check_all(town, WEEKS - 1)
    check_viewers(town, chromium, WEEKS - 1)
    check_phones(town, phones, WEEKS - 1)
    for issuer in ISSUERS:
        check_papers(town, issuer)
    for issuer in ("ana", "ben"):
        check_statements(town, issuer)


def work_on(town: Town, week: int) -> None:
    """Let both freelancers work a week: different every time, with nothing at all to bill in some."""
    town.work("Harbour", week, range(4 + week))
    if week != 6:
        # The first of them are Harbour's already.
        town.work("Quarry", week, range(3 + week, 7 + week))
    if week != 2:
        town.work("Lantern", week, range(20, 25 + week))
    town.work("Meadow", week, range(1 + week % 3))
    town.work("Orchard", week, range(40, 40 + week % 4))
    # Ben is offline for the end of week 2, and is heard of after its lock.
    town.work("Falcon", week, range(10, 13), send=week != 2)


def talk_about(town: Town, week: int) -> None:
    """Let the parties say what they have to say in the review of a week."""
    books, deals = town.books, town.books.deals
    client = {title: town.client(deal) for title, deal in deals.items()}
    ana, ben = town.computers["ana"], town.computers["ben"]
    match week:
        case 1:  # Lantern was worked on past its limit
            client["Lantern"].run("bonus", "Lantern", "1111", "for the rest", "--week", town.name_of(week))
            books.bonuses.append(("Lantern", week, week + 1, 1111))
        case 2:
            late = [("Falcon", 2, place) for place in range(10, 13)]
            books.late.update(late)
            ben.run("late", "send", "--yes")
            ben.run("sync")
            client["Falcon"].run("sync")
            client["Falcon"].run("late", "accept", moment(late[0]), moment(late[1]), "--utc", "--yes")
            books.accepted.update(dict.fromkeys(late[:2], week + 1))
        case 3:
            for place in (0, 1):
                client["Harbour"].run(
                    "dispute", moment(("Harbour", week, place)), "--reason", "why?", "--utc"
                )
                books.disputed.add(("Harbour", week, place))
        case 4:
            client["Quarry"].run("dispute", moment(("Quarry", week, 9)), "--reason", "idle", "--utc")
            client["Harbour"].run("dispute", moment(("Harbour", 4, 0)), "--reason", "no", "--utc")
            town.sync_all()
            ana.run("dispute", moment(("Quarry", week, 9)), "--concede", "--reason", "right", "--utc")
            books.conceded.add(("Quarry", week, 9))
            client["Harbour"].run("dispute", moment(("Harbour", 4, 0)), "--withdraw", "--utc")
        case 5:
            pay(town, "Lantern", week, 1000)
            pay(town, "Harbour", week, books.part("Harbour", week).amount)
        case 6:
            pay(town, "Falcon", week, books.part("Falcon", week).amount + 500)
            give_back(town, "Falcon", week, 500)
    town.sync_all()


def pay(town: Town, title: str, week: int, minor: int) -> None:
    """Let a client pay by hand, and the freelancer confirm it."""
    deal = town.books.deals[title]
    client, freelancer = town.client(deal), town.computers[deal.freelancer]
    number = str(invoice_of(client, town, week, title)["number"])
    client.run("paid", number, written(minor, deal.digits), "--reference", f"transfer {title}")
    client.run("sync")
    freelancer.run("sync")
    freelancer.run("received", number)
    town.books.paid.append((title, week, minor))


def give_back(town: Town, title: str, week: int, minor: int) -> None:
    """Let a freelancer give back what was paid too much."""
    deal = town.books.deals[title]
    freelancer = town.computers[deal.freelancer]
    number = str(invoice_of(freelancer, town, week, title)["number"])
    freelancer.run("refund", number, written(minor, deal.digits), "--reference", "too much")
    town.books.refunded.append((title, week, minor))


def written(minor: int, digits: int) -> str:
    """Return an amount as a person types it."""
    return f"{minor // 10**digits}.{minor % 10**digits:0{digits}}" if digits else str(minor)


def invoice_of(computer: Any, town: Town, week: int, title: str) -> dict[str, Any]:
    """Return the one invoice of a week's closing that has a line of a contract."""
    (found,) = [
        one
        for one in computer.json("invoice", town.name_of(week))
        if any(line["title"] == title for line in one["lines"])
    ]
    assert isinstance(found, dict)
    return found


def check_all(town: Town, closing: int) -> None:
    """Compare what every party's copy says of all closings so far with the books."""
    weeks = {town.name_of(week): week for week in range(WEEKS)}
    titles = {contract: title for title, contract in town.contracts.items()}
    for issuer in ISSUERS:
        check_issued(town, issuer, closing, weeks, titles)
    for deal in DEALS:
        copies = [town.client(deal)]
        if deal.agency:
            copies.append(town.computers[deal.freelancer])
        for copy in copies:
            for one in copy.json("invoice"):
                if {line["contract"] for line in one["lines"]} != {town.contracts[deal.title]}:
                    continue
                week = weeks[one["week"]]
                assert sorted(lines_of(one, weeks, titles)) == sorted(town.books.lines(deal.title, week))
                part = town.books.part(deal.title, week)
                assert sums_of(one) == (part.amount, part.credited, part.disputed, part.due), (week, deal)


def check_issued(
    town: Town, issuer: str, closing: int, weeks: dict[str, int], titles: dict[str, str]
) -> None:
    """Compare whose invoices these are with the books: all of them, line by line, sum by sum."""
    said = [one for one in town.computers[issuer].json("invoice") if one["agency"] is None]
    assert sorted(one["number"] for one in said) == list(range(1, len(said) + 1)), "no number is left out"
    assert all(one["agrees"] for one in said)
    wanted = {
        (week, *key): sorted(lines)
        for week in range(closing + 1)
        for key, lines in town.books.invoices(issuer, week).items()
    }
    found = {}
    for one in said:
        lines = sorted(lines_of(one, weeks, titles))
        deal = town.books.deals[lines[0][0]]
        week = weeks[one["week"]]
        found[week, deal.client, one["currency"]] = lines
        parts = [
            town.books.part(each.title, week)
            for each in DEALS
            if (each.issuer, each.client, each.currency) == (issuer, deal.client, one["currency"])
        ]
        assert sums_of(one) == (
            sum(part.amount for part in parts),
            sum(part.credited for part in parts),
            sum(part.disputed for part in parts),
            sum(part.due for part in parts),
        ), (week, deal.client)
    assert found == wanted
    assert len(said) == len(wanted), "one for a client, currency and week"


def check_papers(town: Town, issuer: str) -> None:
    """Compare an issuer's CSV with the books line by line, and a PDF of each currency with its sum."""
    computer, deals = town.computers[issuer], town.books.deals
    said = [one for one in computer.json("invoice") if one["agency"] is None]
    rows = list(csv.DictReader(io.StringIO(computer.run("invoice", "--csv").stdout)))
    if issuer != "guild":  # which has no other's lines, and knows contracts by their ids
        rows = [row for row in rows if deals[row["contract"]].issuer == issuer]
    amounts = sorted(
        written(line[4], deal.digits)
        for deal in deals.values()
        if deal.issuer == issuer
        for week in range(WEEKS)
        for line in town.books.lines(deal.title, week)
    )
    assert sorted(row["amount"] for row in rows) == amounts
    for one in {one["currency"]: one for one in said}.values():
        paper = town.folder / f"{issuer}-{one['currency']}.pdf"
        computer.run("invoice", str(one["number"]), "--pdf", str(paper))
        assert one["total"] in text_of(paper.read_bytes())


def check_statements(town: Town, issuer: str) -> None:
    """Compare what stands between a freelancer and each client, by the ledger, with the books."""
    owed = {
        (one["client"], one["currency"]): one["balances"].get("client_owes", 0)
        for one in town.computers[issuer].json("statement")
    }
    wanted: dict[tuple[str, str], int] = {}
    for deal in DEALS:
        if deal.issuer == issuer:
            key = deal.client, deal.currency
            parts = (town.books.part(deal.title, week) for week in range(WEEKS))
            wanted[key] = wanted.get(key, 0) + sum(part.owed for part in parts)
    assert owed == wanted


def sums_of(one: dict[str, Any]) -> tuple[int, int, int, int]:
    """Return what an invoice says: its total, what was credited, what is disputed, what is due."""
    total, credited, disputed = (one[f"{name}_minor"] for name in ("total", "credited", "disputed"))
    return total, credited, disputed, one["due_minor"]
