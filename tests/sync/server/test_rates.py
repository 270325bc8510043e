"""How often somebody may ask who has shown nothing yet (R44)."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from diary.clock import GivenClock
from sync.server.rates import OF_ACCOUNT, UNPROVEN, WRONG_TOKENS, Pace, Rate, who_asks
from tests.rule import rule
from tests.sync.server.author import Author
from tests.sync.server.conftest import START
from tests.sync.server.process import Client
from tests.sync.stage import serving

PACE = Pace(burst=3, every_ms=100)
STRANGER, OTHER = "203.0.113.7", "198.51.100.9"


def taken_at(instants: list[int], pace: Pace = PACE) -> list[int]:
    """Return which of the instants, in their order, something was taken at."""
    rate, taken = Rate(pace), []
    for at_ms in sorted(instants):
        if not rate.wait_ms("one", at_ms):
            rate.count("one", at_ms)
            taken.append(at_ms)
    return taken


@rule("R44")
def test_some_are_taken_at_once_and_then_one_now_and_then() -> None:
    assert taken_at([0, 0, 0, 0, 50, 100, 100, 1000, 1000, 1000, 1000]) == [0, 0, 0, 100, 1000, 1000, 1000]


@rule("R44")
@given(st.lists(st.integers(0, 3_000), max_size=100))
def test_no_span_holds_more_than_the_pace_lets_through(instants: list[int]) -> None:
    taken = taken_at(instants)
    for first, at_ms in enumerate(taken):
        for last in range(first, len(taken)):
            most = PACE.burst + (taken[last] - at_ms) // PACE.every_ms
            assert last - first + 1 <= most


@rule("R44")
@given(st.integers(0, 10), st.integers(0, 1_000))
def test_who_waits_as_long_as_told_is_taken(more: int, at_ms: int) -> None:
    rate = Rate(PACE)
    for _ in range(PACE.burst + more):
        rate.count("one", at_ms)
    wait_ms = rate.wait_ms("one", at_ms)
    assert wait_ms > 0
    assert rate.wait_ms("one", at_ms + wait_ms) == 0
    assert rate.wait_ms("another", at_ms) == 0


@rule("R44")
def test_no_more_are_remembered_than_there_is_room_for() -> None:
    rate = Rate(PACE, most=100)
    for number in range(1_000):
        rate.count(str(number), 0)
    assert len(rate) == 100
    for _ in range(PACE.burst):
        rate.count("999", 0)
    assert rate.wait_ms("999", 0) > 0  # who asks on is remembered


@rule("R44")
@pytest.mark.parametrize(
    ("host", "who"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:3::4", "2001:db8:1:2::/64"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("127.0.0.1", None),
        ("::1", None),
        ("::ffff:127.0.0.1", None),
        ("", None),
        (None, None),
        ("a name", None),
    ],
)
def test_an_address_counts_with_its_network_and_this_machine_not_at_all(
    host: str | None, who: str | None
) -> None:
    assert who_asks(host) == who


@pytest.fixture
def clock() -> GivenClock:
    return GivenClock(START)


@pytest.fixture
def client(tmp_path: Path, clock: GivenClock) -> Iterator[Client]:
    with serving(tmp_path / "server", clock) as url, httpx.Client(base_url=url, timeout=30) as http:
        yield Client(http)


def come_from(client: Client, address: str) -> None:
    """Have the next requests come by a proxy that says for whom it asks."""
    client.http.headers["X-Forwarded-For"] = address


def asked(client: Client, author: Author) -> httpx.Response:
    return client.post("/v1/device-list", author.proof("00" * 40))


@rule("R44")
def test_an_address_that_enrols_too_often_is_told_when_to_come_again(
    client: Client, clock: GivenClock
) -> None:
    author = Author()
    come_from(client, STRANGER)
    assert {asked(client, author).status_code for _ in range(UNPROVEN.burst)} == {400}
    refused = asked(client, author)
    assert (refused.status_code, refused.json()["reason"]) == (429, "too_many_requests")
    assert client.post("/v1/enrol", author.enrol()).status_code == 429
    come_from(client, OTHER)
    assert asked(client, author).status_code == 400
    come_from(client, STRANGER)
    clock.put(START + 1000 * int(refused.headers["Retry-After"]))
    assert asked(client, author).status_code == 400


@rule("R44")
def test_an_address_with_wrong_tokens_is_turned_away_before_they_are_looked_up(client: Client) -> None:
    author, thief = Author(), Author()
    client.enrol(author)
    thief.account = author.account
    come_from(client, STRANGER)
    statuses = [client.post("/v1/push", thief.push(), thief).status_code for _ in range(WRONG_TOKENS.burst)]
    assert set(statuses) == {401}
    assert client.post("/v1/push", thief.push(), thief).status_code == 429
    assert client.http.get(f"/v1/pictures/{'1' * 64}", headers=thief.authorization).status_code == 429
    come_from(client, OTHER)
    assert client.pull(author).pages


@rule("R44")
def test_what_was_proven_of_an_account_is_counted_and_nobody_else_uses_it_up(client: Client) -> None:
    author, thief = Author(), Author()
    client.enrol(author)
    forged = msgspec.structs.replace(author.proof(_nonce(client)), signature=bytes(64))
    for _ in range(OF_ACCOUNT.burst + 1):
        assert client.post("/v1/device-list", forged).status_code == 400
    good = author.proof(_nonce(client))
    answers = [client.post("/v1/device-list", good).status_code for _ in range(OF_ACCOUNT.burst)]
    assert (answers[0], answers[-1]) == (200, 429)
    client.enrol(thief)


def _nonce(client: Client) -> str:
    return str(client.http.get("/v1/nonce").json()["nonce"])
