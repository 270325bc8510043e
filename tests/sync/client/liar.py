"""A server that lies to a browser: the real one's answers, altered on their way and signed anew (R56)."""

from collections.abc import Callable
from dataclasses import dataclass, field

import httpx
import msgspec
from msgspec.structs import replace
from playwright.sync_api import Route

from diary.evidence.merkle import CompactRange
from diary.evidence.receipt import LogRow, Page
from sync.protocol import HealAnswer, PullAnswer, PushAnswer, WeeksAnswer
from sync.server.log import ServerKey
from tests.sync.client.conftest import Client
from tests.sync.liar import Liar, PageLie, ReceiptLie, leaf_of


@dataclass
class BrowserLiar:
    """Stands between a browser and the server; what it let pass before is what the browser knows.

    `pages`, `looks` and `answers` alter what is answered to a pull, a first look and a push.
    """

    liar: Liar
    pages: PageLie | None = None
    looks: PageLie | None = None
    answers: Callable[[PushAnswer], PushAnswer] | None = None
    rows: list[LogRow] = field(default_factory=list)

    @property
    def known(self) -> CompactRange:
        """Return the log as the browser was shown it."""
        return CompactRange().extended(leaf_of(row) for row in self.rows)

    @property
    def receipts(self) -> ReceiptLie | None:
        """Return how receipts are altered."""
        return self.liar.receipts

    def pulled(self, route: Route) -> None:
        """Pass an answer to a pull on, altered."""
        answer = route.fetch()
        if answer.status != httpx.codes.OK:
            route.fulfill(response=answer)
            return
        pulled = msgspec.json.decode(answer.body(), type=PullAnswer)
        pages = [self._page(page) for page in pulled.pages]
        route.fulfill(response=answer, body=msgspec.json.encode(replace(pulled, pages=pages)))

    def _page(self, page: Page) -> Page:
        shown = self.pages(page) if self.pages and (page.rows or page.seals) else page
        if shown is page:
            self.rows += [row for row in page.rows if row.index >= len(self.rows)]
        return shown

    def looked(self, route: Route) -> None:
        """Pass a first look on, altered."""
        answer = route.fetch()
        looked = msgspec.json.decode(answer.body(), type=WeeksAnswer)
        page = self.looks(looked.page) if self.looks else looked.page
        route.fulfill(response=answer, body=msgspec.json.encode(replace(looked, page=page)))

    def pushed(self, route: Route) -> None:
        """Pass an answer to a push on, its receipts altered."""
        answer = route.fetch()
        if answer.status != httpx.codes.OK:
            route.fulfill(response=answer)
            return
        pushed = msgspec.json.decode(answer.body(), type=PushAnswer)
        shown = self.answers(pushed) if self.answers else self.liar._altered_push(pushed)
        route.fulfill(response=answer, body=msgspec.json.encode(shown))

    def state_nothing(self, route: Route) -> None:
        """Answer what is shown of heads as a server that lost nothing does."""
        told = HealAnswer(server_ms=0, healed=0, openings=[])
        route.fulfill(body=msgspec.json.encode(told), content_type="application/json")


def liar_before(client: Client) -> BrowserLiar:
    """Put a liar between a browser and the stage's server."""
    key = ServerKey.at(client.room.stage.folder / "server" / "server.key")
    liar = BrowserLiar(Liar(httpx.HTTPTransport(), key))
    context = client.page.context
    context.route("**/v1/pull", liar.pulled)
    context.route("**/v1/weeks", liar.looked)
    context.route("**/v1/push", liar.pushed)
    return liar


def without_last(page: Page) -> Page:
    """Return the page without its last row."""
    return replace(page, rows=page.rows[:-1])


Lie = Callable[[BrowserLiar, Page], Page]
