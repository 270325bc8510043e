"""A list that ends a device, as the server takes it: never before a version that stands in a log (R50)."""

from sync.protocol import Enrol, WireVersion
from tests.rule import rule
from tests.sync.server.author import Author, n_of
from tests.sync.server.conftest import Here
from tests.sync.server.process import reasons
from tests.sync.server.test_list_leaf import enrolled, on


def ending(first: Author, second: Author, revoked_from: int) -> list[WireVersion]:
    return on(first, second, second.device_list(revoked={second.replica: revoked_from}))


@rule("R50")
def test_no_list_ends_a_device_before_what_it_wrote(here: Here) -> None:
    first, second = enrolled(here)
    last = second.grant()
    assert reasons(here.client.push(second, last)) == ["received"]
    devices = second.devices
    assert reasons(here.client.push(first, *ending(first, second, n_of(last)))) == ["bad_header"]
    second.devices = devices
    assert reasons(here.client.push(first, *ending(first, second, n_of(last) + 1))) == ["received"]
    assert here.client.post("/v1/push", second.push(), second).status_code == 403


@rule("R50")
def test_an_enrolment_with_such_a_list_stores_nothing(here: Here) -> None:
    first, second = enrolled(here)
    last = second.grant()
    here.client.push(second, last)
    message = Enrol(push=first.push(*ending(first, second, n_of(last))), token_hash=first.enrol().token_hash)
    answer = here.client.post("/v1/enrol", message)
    assert (answer.status_code, answer.json()["reason"]) == (409, "bad_device_list")
    assert here.client.pull(second).pages
