"""An account out of good standing, and a server that takes no new ones (R30, R44)."""

from pathlib import Path

from litestar.testing import TestClient

from diary.clock import GivenClock
from diary.rules.ids import Slot
from diary.rules.week import slot_at
from diary.sealing.row import picture_name
from sync.server.app import create_app
from sync.server.operating import AccountRule, Act
from sync.server.server import Server, storage_of
from sync.server.settings import Settings
from tests.rule import rule
from tests.sync.server.author import Author
from tests.sync.server.conftest import WEDNESDAY, Here
from tests.sync.server.process import Client, reasons

PICTURE = b"sealed" * 1000


def decide(here: Here, author: Author, decided: AccountRule) -> None:
    """Let an operator decide at another process over the same database."""
    settings = Settings(folder=here.folder, database_url=here.database_url)
    storage = storage_of(settings, here.clock)
    storage.operator.keep(Act(here.clock.now_ms(), "ada", "suspend", author.account), decided)
    storage.close()
    app = here.client.http.app  # type: ignore[attr-defined]  # a test client's, Litestar's
    server: Server = app.dependencies["server"].dependency()
    server.look_at_standings()  # as it does twice a minute


@rule("R44")
def test_a_suspended_accounts_rows_are_taken_and_its_pictures_wait(here: Here) -> None:
    author, slot = Author(), Slot(slot_at(here.clock.now_ms()) - 1)
    here.client.enrol(author, author.enrol(author.terms()))
    decide(here, author, AccountRule(here.clock.now_ms(), "The bill was not paid"))
    assert reasons(here.client.push(author, author.capture(slot, pictures=(PICTURE,)))) == ["received"]
    refused = here.client.upload(author, picture_name(PICTURE), PICTURE)
    assert (refused.status_code, refused.json()["reason"]) == (403, "account_suspended")
    assert "The bill was not paid" in refused.json()["because"]
    told = here.client.pull(author).suspended
    assert told is not None
    assert (told.since_ms, told.because) == (here.clock.now_ms(), "The bill was not paid")
    assert reasons(here.client.push(author, author.entry(slot, life=1))) == ["received"]


@rule("R44")
def test_what_was_decided_for_an_account_takes_the_place_of_the_servers_quota(here: Here) -> None:
    author, slot = Author(), Slot(slot_at(here.clock.now_ms()) - 1)
    here.client.enrol(author, author.enrol(author.terms()))
    here.client.push(author, author.capture(slot, pictures=(PICTURE,)))
    decide(here, author, AccountRule(picture_quota_bytes=len(PICTURE) - 17))
    refused = here.client.upload(author, picture_name(PICTURE), PICTURE)
    assert (refused.status_code, refused.json()["reason"]) == (413, "quota")
    decide(here, author, AccountRule(picture_quota_bytes=len(PICTURE) - 16))
    assert here.client.upload(author, picture_name(PICTURE), PICTURE).status_code == 200
    assert here.client.pull(author).suspended is None


@rule("R50")
def test_a_server_that_is_closed_takes_those_it_has_and_those_it_admitted(tmp_path: Path) -> None:
    known, admitted, stranger = Author(), Author(), Author()
    clock = GivenClock(WEDNESDAY)
    with TestClient(create_app(Settings(folder=tmp_path / "server"), clock)) as http:
        Client(http).enrol(known)
    closed = Settings(folder=tmp_path / "server", new_accounts="admitted")
    storage = storage_of(closed, clock)
    storage.operator.keep(Act(clock.now_ms(), "ada", "admit", admitted.account), AccountRule(admitted=True))
    storage.close()
    with TestClient(create_app(closed, clock)) as http:
        client = Client(http)
        assert reasons(client.enrol(known)) == ["received"]
        assert reasons(client.enrol(admitted)) == ["received"]
        refused = client.post("/v1/enrol", stranger.enrol())
        assert (refused.status_code, refused.json()["reason"]) == (403, "registration_closed")
        assert stranger.account in refused.json()["because"]
