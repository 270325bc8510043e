"""Freelancers, clients and a server of a story that goes on for weeks: real processes, a clock that is moved.

Each stage of the story starts the server anew at its instant: a machine that was off meanwhile has no jump of
its clock to doubt (R6).
"""

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from diary.clock import GivenClock
from diary.diary import Diary
from diary.rules.ids import Millis, Slot
from tests.bent_time import BentTime
from tests.journeys.actors import Computer, at, eventually, free_port
from tests.journeys.books import Books, Deal, Work
from tests.practice import SCREEN, record_slot

MONDAY = datetime(2026, 10, 5, tzinfo=UTC)  # of week 0
SLOTS_OF_NINE = 9 * 6
AT_ONCE = 3  # processes; what each computer does is its own


@dataclass
class Town:
    """Who lives in the story; what is done here is written into its books."""

    folder: Path
    books: Books
    time: BentTime = field(default_factory=lambda: BentTime.at("2026-10-05T08:00Z"))
    port: int = field(default_factory=free_port)
    computers: dict[str, Computer] = field(default_factory=dict)
    contracts: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Start the server."""
        self.machine = Computer("machine", self.folder / "machine", self.time)
        self._serve()

    @property
    def url(self) -> str:
        """Return the server's address."""
        return f"http://127.0.0.1:{self.port}"

    def computer(self, name: str) -> Computer:
        """Return somebody's computer."""
        return self.computers.setdefault(name, Computer(name, self.folder / name, self.time))

    def settle(self, name: str) -> Computer:
        """Let a freelancer begin a diary and register it."""
        computer = self.computer(name)
        computer.run("init", "--key-file", "--name", name)
        computer.run("register", self.url)
        computer.run("config", "hold_seconds", "0")
        return computer

    def agree(self, deal: Deal) -> None:
        """Make a contract, and let its client join it."""
        freelancer = self.computers[deal.freelancer]
        terms = ["--client", deal.client, "--rate", deal.rate, "--currency", deal.currency]
        if deal.limit is not None:
            terms += ["--limit", f"{deal.limit * 10}m"]
        self.contracts[deal.title] = freelancer.json("contract", "new", deal.title, *terms)["id"]
        invited = freelancer.json("invite", deal.title)
        client = self.client(deal)
        client.run("join", invited["link"], "--key-file", "--name", deal.client)
        freelancer.run("sync")
        client.run("sync")
        if deal.agency is not None:
            self._grant(deal, deal.agency)

    def _grant(self, deal: Deal, agency: str) -> None:
        """Let an agency's manager read a contract, and put it on the agency's bill."""
        freelancer, manager = self.computers[deal.freelancer], self.computers[agency]
        account = manager.json("agency", "show")["account"]
        link = freelancer.json("agency", "grant", deal.title, account)["link"]
        manager.run("agency", "add", link, "--client", deal.client, "--key-file")
        freelancer.run("sync")
        manager.run("agency", "sync")

    def invite_again(self, deal: Deal) -> str:
        """Return a second link of a contract, for the browser of a client who keeps a copy as well."""
        freelancer = self.computers[deal.freelancer]
        link: str = freelancer.json("invite", deal.title)["link"]
        freelancer.run("sync")
        return link

    def client(self, deal: Deal) -> Computer:
        """Return the computer on which a client keeps the copy of a contract."""
        return self.computer(f"{deal.client}-{deal.title}")

    def go_to(self, week: int, days: float) -> None:
        """Move the clock to so many days after a week's Monday 00:00 UTC."""
        self.machine.shut_down()
        instant = MONDAY + timedelta(weeks=week, days=days)
        self.time.start_ms, self.time.began = int(instant.timestamp() * 1000), time.monotonic()
        self._serve()

    def work(self, title: str, week: int, places: range, *, send: bool = True) -> None:
        """Record ten minutes each from Tuesday nine o'clock on, as the tracker would, and send them."""
        freelancer = self.computers[self.books.deals[title].freelancer]
        with Diary.open(freelancer.home, clock=GivenClock(Millis(self.time.now_ms()))) as diary:
            contract = diary.contract(title)
            for place in places:
                slot = slot_of(week, place)
                record_slot(
                    diary, contract, slot, memo=f"{title} {place}", picture=SCREEN + str(slot).encode()
                )
                self.books.worked.append((title, week, place))
        if send:
            freelancer.run("sync")

    def sync_all(self) -> None:
        """Let everybody sync: freelancers, clients, and freelancers again for what their clients said."""
        freelancers = [name for name in self.computers if "-" not in name]
        clients = [name for name in self.computers if "-" in name]
        with ThreadPoolExecutor(AT_ONCE) as pool:
            for names in (freelancers, clients, freelancers):
                list(pool.map(lambda name: self.computers[name].run("sync"), names))
        for name in sorted({deal.agency for deal in self.books.deals.values() if deal.agency}):
            self.computers[name].run("agency", "sync")

    def name_of(self, week: int) -> str:
        """Return the name of a week."""
        year, number, _ = (MONDAY + timedelta(weeks=week)).isocalendar()
        return f"{year}-W{number:02}"

    def end(self) -> None:
        """End all that runs."""
        for computer in (*self.computers.values(), self.machine):
            computer.shut_down()

    def _serve(self) -> None:
        self.machine.begin(
            "server", "server", "run", "--port", str(self.port), "--folder", str(self.folder / "server-files")
        )
        eventually("the server answers", self._answers)

    def _answers(self) -> bool:
        try:
            return httpx.get(f"{self.url}/v1/server", timeout=5).is_success
        except httpx.HTTPError:
            return False


def slot_of(week: int, place: int) -> Slot:
    """Return the slot of a week's ten minutes of work: they begin on Tuesday at nine."""
    tuesday = MONDAY + timedelta(weeks=week, days=1)
    return Slot(int(tuesday.timestamp()) // 600 + SLOTS_OF_NINE + place)


def moment(work: Work) -> str:
    """Return when a story's ten minutes of work began, for the command line."""
    return at(slot_of(work[1], work[2]))


def lines_of(
    invoice: dict[str, Any], weeks: dict[str, int], titles: dict[str, str]
) -> list[tuple[str, str, int, int, int]]:
    """Return an invoice's lines as the books write them; `titles` are those of the contracts' ids."""
    return [
        (titles[line["contract"]], line["what"], weeks[line["week"]], line["segments"], line["amount_minor"])
        for line in invoice["lines"]
    ]
