"""Whatever is sent: a named error, never a 5xx (R44)."""

from collections.abc import Callable, Iterator

import msgspec
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from litestar import Litestar
from litestar.testing import TestClient

from diary.clock import GivenClock
from sync.protocol import Fault, WireVersion
from sync.server.app import create_app
from sync.server.settings import Settings
from tests.rule import rule
from tests.sync.server.author import Author
from tests.sync.server.conftest import WEDNESDAY, Here

# Every door of the document, method and path: a new one is fuzzed, or a test below fails.
DOORS = [
    ("get", "/health"),
    ("get", "/health/ready"),
    ("get", "/v1/server"),
    ("get", "/v1/nonce"),
    ("post", "/v1/device-list"),
    ("post", "/v1/enrol"),
    ("post", "/v1/join"),
    ("post", "/v1/heal"),
    ("post", "/v1/push"),
    ("post", "/v1/pull"),
    ("post", "/v1/weeks"),
    ("post", "/v1/invoices"),
    ("post", "/v1/payments"),
    ("post", "/v1/refunds"),
    ("post", "/v1/billing/page"),
    ("put", "/v1/billing"),
    ("post", "/v1/gateway/messages"),
    ("head", "/v1/pictures/{name}"),
    ("put", "/v1/pictures/{name}"),
    ("get", "/v1/pictures/{name}"),
]
EXAMPLES = 100
BOUNDED = settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(scope="module")
def author() -> Author:
    return Author()


@pytest.fixture(scope="module")
def http(tmp_path_factory: pytest.TempPathFactory, author: Author) -> Iterator[TestClient[Litestar]]:
    folder = tmp_path_factory.mktemp("fuzz")
    with TestClient(create_app(Settings(folder=folder), GivenClock(WEDNESDAY))) as client:
        body = msgspec.json.encode(author.enrol(author.terms()))
        assert client.post("/v1/enrol", content=body).status_code == 200
        yield client


@pytest.fixture(scope="module")
def api(http: TestClient[Litestar]) -> schemathesis.BaseSchema:
    document = http.get("/schema/openapi.json").json()
    return schemathesis.openapi.from_dict(document)


@rule("R44")
@BOUNDED
@given(given_choices=st.data())
@pytest.mark.parametrize(("method", "path"), DOORS)
def test_no_documented_request_makes_the_server_fail(
    api: schemathesis.BaseSchema,
    http: TestClient[Litestar],
    author: Author,
    method: str,
    path: str,
    given_choices: st.DataObject,
) -> None:
    # Schemathesis makes the requests; its own pytest plugin does not know this pytest.
    case = given_choices.draw(api[path][method].as_strategy())
    sent = case.as_transport_kwargs(base_url="http://testserver")
    body = sent.get("json")
    if isinstance(body, dict) and "account" in body:
        body["account"] = author.account  # further in than the first check
    answer = http.request(
        sent["method"],
        sent["url"],
        params=sent.get("params"),
        headers={**dict(sent.get("headers") or {}), **author.authorization},
        json=body,
        content=sent.get("data"),
    )
    check_answer(answer.status_code, answer.content, case.method)


def check_answer(status: int, content: bytes, method: str = "POST") -> None:
    assert status < 500
    if status >= 400 and method != "HEAD" and content:
        fault = msgspec.json.decode(content, type=Fault)
        assert fault.reason
        assert fault.because


@rule("R44")
@pytest.mark.parametrize(
    "header", [r"\ud800", r"\u0000", r"{\"v\":1e999}", r"{\"n\":9007199254740993}", "[" * 900]
)
def test_a_header_of_strange_text_is_a_bad_header_or_an_unreadable_push(
    http: TestClient[Litestar], author: Author, header: str
) -> None:
    made = msgspec.json.encode(author.push(author.capture(1)))
    strange = made.replace(msgspec.json.encode(author.account), b'"' + header.encode() + b'"', 1)
    headers = {**author.authorization, "Content-Type": "application/json"}
    answer = http.post("/v1/push", content=strange, headers=headers)
    assert answer.status_code in {400, 403}
    check_answer(answer.status_code, answer.content)


@rule("R44")
@BOUNDED
@given(body=st.binary(max_size=2000))
@pytest.mark.parametrize("path", [path for method, path in DOORS if method == "post"])
def test_bytes_of_any_kind_get_a_named_error(
    http: TestClient[Litestar], author: Author, path: str, body: bytes
) -> None:
    headers = {**author.authorization, "Content-Type": "application/json"}
    answer = http.post(path, content=body, headers=headers)
    assert answer.status_code in {400, 401, 413}
    check_answer(answer.status_code, answer.content)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=40),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)


@rule("R44")
@BOUNDED
@given(
    changes=st.dictionaries(
        st.sampled_from(
            [
                "account",
                "n",
                "slot",
                "vector",
                "life",
                "stamp",
                "pictures",
                "replica",
                "contract",
                "epoch",
                "commit",
                "terms",
                "grant",
                "devices",
                "type",
                "v",
                "head",
                "manual",
                "new",
            ]
        ),
        json_values,
    )
)
@pytest.mark.parametrize("kind", ["capture", "entry", "terms", "grant", "device_list"])
def test_a_signed_header_of_any_kind_is_answered_by_name(
    http: TestClient[Litestar], author: Author, kind: str, changes: dict[str, object]
) -> None:
    slot = WEDNESDAY // 600_000 - 2
    makers: dict[str, Callable[[], WireVersion]] = {
        "capture": lambda: author.capture(slot),
        "entry": lambda: author.entry(slot, memo="x"),
        "terms": author.terms,
        "grant": author.grant,
        "device_list": author.device_list,
    }
    made = makers[kind]()
    fields = {**msgspec.json.decode(made.header), **changes}
    altered = msgspec.structs.replace(made, header=msgspec.json.encode(fields).decode())
    headers = {**author.authorization, "Content-Type": "application/json"}
    answer = http.post("/v1/push", content=msgspec.json.encode(author.push(altered)), headers=headers)
    assert answer.status_code == 200


@pytest.mark.parametrize("path", ["/v1/nowhere", "/", "/v1/push/x"])
def test_an_unknown_address_is_answered_with_a_fault(http: TestClient[Litestar], path: str) -> None:
    answer = http.get(path)
    assert (answer.status_code, answer.json()["reason"]) == (404, "not_found")
    wrong = http.delete("/v1/push")
    assert (wrong.status_code, wrong.json()["reason"]) == (405, "bad_request")


def test_every_door_of_the_document_is_fuzzed(http: TestClient[Litestar]) -> None:
    paths = http.get("/schema/openapi.json").json()["paths"]
    assert sorted((method, path) for path, doors in paths.items() for method in doors) == sorted(DOORS)


def test_a_fault_says_what_to_do(here: Here) -> None:
    answer = here.client.http.get(f"/v1/pictures/{'1' * 64}")
    fault = msgspec.json.decode(answer.content, type=Fault)
    assert (fault.reason, "diary register" in fault.because) == ("not_enrolled", True)
