"""How each role asks at each door of the policy about the owner's contract (R46, R51)."""

import hashlib
import os
from collections.abc import Callable
from functools import partial
from typing import Any

import httpx
import msgspec

from diary.evidence import signature
from diary.rules.act_parts import AcceptanceInClear
from diary.rules.ids import AccountId, ContractId
from sync.money_messages import GiveBack, SetUpBilling, StartPayment, StateBilling
from sync.protocol import Heal, Invoices, Nonce, Pull, Weeks, WireVersion, heal_payload
from tests.sync.server.author import Author
from tests.sync.server.billed import FIRST, WEEK
from tests.sync.server.roles import CLAIM, LATE, PAYERS, SLOT, Scene
from tests.sync.server.saying import (
    acceptance,
    bonus,
    dispute,
    membership,
    payment,
    redaction,
    request,
    said,
    state,
)
from tests.sync.server.seat import Seat, invitation

Knock = Callable[[Scene, str], str]
Row = Callable[[Scene, Author], WireVersion]


def told(answer: httpx.Response, *, named: bool = True) -> str:
    """Return the status, with the word of its fault."""
    if answer.status_code < 400 or not named:
        return str(answer.status_code)
    return f"{answer.status_code} {answer.json()['reason']}"


def _new_id() -> str:
    return os.urandom(16).hex()


def _allowed(scene: Scene, by: Author) -> WireVersion:
    return said(by, "acceptance", acceptance=AcceptanceInClear(request=scene.request(), allows=True))


# One row each for the owner's contract, as the role would write it.
ROWS: dict[str, Row] = {
    "a capture": lambda _, by: by.capture(SLOT - 1),
    "a deletion": lambda _, by: by.entry(SLOT - 1, life=1),
    "terms": lambda _, by: by.terms(payer=PAYERS[0]),
    "a dispute": lambda _, by: dispute(by, "raised", FIRST + 1),
    "that it is disputed no more": lambda _, by: dispute(by, "withdrawn", FIRST + 1),
    "that late time is accepted": lambda _, by: acceptance(by, LATE),
    "that manual time is allowed": _allowed,
    "a bonus": lambda _, by: bonus(by, 500, WEEK.name),
    "that they paid": lambda _, by: payment(by, "paid", 500, id_=_new_id()),
    "that they did not pay": lambda _, by: payment(by, "withdrawn_claim", 500, id_=CLAIM),
    "that they paid another's bill": lambda _, by: payment(by, "paid", 500, id_=_new_id(), invoice=2),
    "that another's bill was paid": lambda _, by: payment(by, "received", 500, id_=_new_id(), invoice=2),
    "a request": lambda _, by: request(by),
    "a reply to a dispute": lambda _, by: dispute(by, "replied", FIRST),
    "that a dispute is right": lambda _, by: dispute(by, "conceded", FIRST),
    "that it came": lambda _, by: payment(by, "received", 500, id_=_new_id()),
    "that it was given back": lambda _, by: payment(by, "refunded", 500, id_=_new_id()),
    "a redaction": lambda _, by: redaction(by, FIRST),
    "an invitation": lambda _, by: invitation(by, os.urandom(32)),
    "a message": lambda _, by: by.sealed(by.header("message")),
    "a membership": lambda _, by: membership(by, AccountId("3" * 32), ContractId("4" * 32)),
    "a pause": lambda _, by: state(by, "paused"),
}


def push(row: Row, scene: Scene, role: str) -> str:
    """Push one row for the owner's contract, signed by the role's own key."""
    author = scene.roles[role]
    own = author.account, author.contract
    author.account, author.contract = scene.owner.account, scene.owner.contract
    message = author.push(row(scene, author))
    author.account, author.contract = own
    answer = scene.post(role, "/v1/push", message)
    if answer.status_code != 200:
        return told(answer)
    (became,) = msgspec.json.decode(answer.json()["answers"]["text"])
    return f"200 {became.get('reason', 'received')}"


def pull(scene: Scene, role: str) -> str:
    answer = scene.post(role, "/v1/pull", Pull(account=scene.owner.account, cursors={}))
    if answer.status_code != 200:
        return told(answer)
    contracts = {page["contract"] for page in answer.json()["pages"]}
    if scene.owner.account in contracts:
        return "200 all"
    return "200 contract" if contracts == {scene.owner.contract} else "200 another"


def heal(scene: Scene, role: str) -> str:
    author, http = scene.roles[role], scene.here.client.http
    nonce = msgspec.json.decode(http.get("/v1/nonce").content, type=Nonce).nonce
    token_hash = hashlib.sha256(author.keys.token.encode()).hexdigest()
    payload = heal_payload(scene.owner.account, author.replica, nonce, token_hash)
    sign = bytes(64) if role == "wrong token" else author.keys.sign(signature.HEAL, payload)
    message = Heal(
        account=scene.owner.account,
        replica=author.replica,
        nonce=nonce,
        token_hash=token_hash,
        signature=sign,
        rows=[],
        pushes={},
        answers=[],
        pages=[],
    )
    return told(scene.post(role, "/v1/heal", message))


def device_list(scene: Scene, role: str) -> str:
    """Ask for the owner's lists with a nonce that the role's own root signed."""
    proof = scene.roles[role].proof(scene.here.client.http.get("/v1/nonce").json()["nonce"])
    asked = msgspec.structs.replace(proof, account=AccountId(scene.owner.account))
    return told(scene.post(role, "/v1/device-list", asked))


def enrol(scene: Scene, role: str) -> str:
    """Enrol into the owner's account by a first list of the role's own root."""
    message = Author(scene.roles[role].phrase).enrol()
    push = msgspec.structs.replace(message.push, account=scene.owner.account)
    header = message.push.versions[0].header.replace(message.push.account, scene.owner.account)
    forged = [msgspec.structs.replace(message.push.versions[0], header=header)]
    given = (
        message.push
        if message.push.account == scene.owner.account
        else msgspec.structs.replace(push, versions=forged)
    )
    return told(scene.post(role, "/v1/enrol", msgspec.structs.replace(message, push=given)))


def join(scene: Scene, role: str) -> str:
    return told(scene.post(role, "/v1/join", Seat(scene.owner, bytes([9] * 32)).join()))


def weeks(scene: Scene, role: str) -> str:
    asked = Weeks(account=scene.owner.account, contract=scene.owner.contract)
    return told(scene.post(role, "/v1/weeks", asked))


def invoices(issuer: AccountId | None, scene: Scene, role: str) -> str:
    """Return the numbers of the invoices that are given out, each with nobody else's lines."""
    answer = scene.post(role, "/v1/invoices", Invoices(account=scene.owner.account, issuer=issuer))
    if answer.status_code != 200:
        return told(answer)
    given = [msgspec.json.decode(one["text"]) for one in answer.json()["invoices"]]
    if "owner" not in role and role != "second device":
        assert all(line["contract"] == one["contract"] for one in given for line in one["lines"])
    return " ".join(["200", *(str(one["number"]) for one in given)])


def _money(method: str, path: str, asked: Callable[[Scene], msgspec.Struct]) -> Knock:
    """Return how to ask at a door of money; where billing methods are told, how many."""

    def knock(scene: Scene, role: str) -> str:
        answer = scene.send(role, method, path, msgspec.json.encode(asked(scene)))
        if answer.status_code != 200:
            return told(answer)
        found: dict[str, Any] = answer.json()
        billing = found.get("billing") or found
        return f"200 {len(billing['methods'])}" if "methods" in billing else "200"

    return knock


def _message(scene: Scene, role: str) -> str:
    body = b'{"type": "checkout.session.completed"}'
    return told(scene.send(role, "POST", "/v1/gateway/messages", body))


def _read_picture(of: str, scene: Scene, role: str) -> str:
    answer = scene.get(role, f"/v1/pictures/{scene.name(of)}")
    assert answer.status_code != 200 or answer.content == scene.pictures[of]
    return told(answer)


def _ask_for_picture(scene: Scene, role: str) -> str:
    path = f"/v1/pictures/{scene.name('a segment')}"
    return told(scene.here.client.http.head(path, headers=scene.headers(role)), named=False)


def _bring_picture(scene: Scene, role: str) -> str:
    path = f"/v1/pictures/{scene.name('a segment')}"
    body = scene.pictures["a segment"]
    return told(scene.here.client.http.put(path, content=body, headers=scene.headers(role)))


def _to_get(path: str) -> Knock:
    return lambda scene, role: told(scene.get(role, path))


KNOCKS: dict[str, Knock] = {
    **{f"GET {path}": _to_get(path) for path in ("/health", "/health/ready", "/v1/server", "/v1/nonce")},
    "POST /v1/device-list": device_list,
    "POST /v1/enrol": enrol,
    "POST /v1/join": join,
    "POST /v1/pull": pull,
    "POST /v1/weeks": weeks,
    "POST /v1/invoices": partial(invoices, None),
    "POST /v1/invoices of an agency": partial(invoices, AccountId("5" * 32)),
    "POST /v1/payments": _money(
        "POST", "/v1/payments", lambda scene: StartPayment(account=scene.owner.account, invoice=1)
    ),
    "POST /v1/payments of another's bill": _money(
        "POST", "/v1/payments", lambda scene: StartPayment(account=scene.owner.account, invoice=2)
    ),
    **{f"POST /v1/push {what}": partial(push, row) for what, row in ROWS.items()},
    "POST /v1/billing/page": _money(
        "POST", "/v1/billing/page", lambda scene: SetUpBilling(account=scene.owner.account)
    ),
    "PUT /v1/billing": _money(
        "PUT",
        "/v1/billing",
        lambda scene: StateBilling(account=scene.owner.account, contract=scene.owner.contract, by_hand=True),
    ),
    "POST /v1/pull about billing": _money(
        "POST", "/v1/pull", lambda scene: Pull(account=scene.owner.account, cursors={}, billing=True)
    ),
    "POST /v1/refunds": _money(
        "POST",
        "/v1/refunds",
        lambda scene: GiveBack(
            account=scene.owner.account, contract=scene.owner.contract, invoice=1, id="1" * 32, minor=1
        ),
    ),
    "POST /v1/gateway/messages": _message,
    "POST /v1/heal": heal,
    "HEAD /v1/pictures/{name}": _ask_for_picture,
    "GET /v1/pictures/{name}": partial(_read_picture, "a segment"),
    "GET /v1/pictures/{name} of a message's file": partial(_read_picture, "a message's file"),
    "GET /v1/pictures/{name} of a receipt": partial(_read_picture, "a receipt"),
    "PUT /v1/pictures/{name}": _bring_picture,
}
