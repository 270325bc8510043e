"""Who may ask what: each door, each role, its own objects and another's (R46, R48, R50, R51).

The table is the policy: an answer that is not in it is a defect, and so is a door without a line.
"""

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

import httpx
import msgspec
import pytest

from diary.evidence import signature
from diary.rules.ids import AccountId, ContractId
from diary.rules.week import Week, slot_at
from diary.sealing.row import picture_name
from sync.protocol import Heal, Invoices, Nonce, Pull, Weeks, heal_payload
from tests.rule import rule
from tests.sync.server.asking_to_pay import PAYING, message_at, told_at
from tests.sync.server.author import Author
from tests.sync.server.conftest import WEDNESDAY, Here
from tests.sync.server.process import reasons
from tests.sync.server.saying import bonus, dispute, membership, payment
from tests.sync.server.seat import Seat, invitation, joined

SLOT = slot_at(WEDNESDAY) - 3
ROLES = (
    "nobody",
    "wrong token",
    "owner",
    "second device",
    "revoked device",
    "other account",
    "client",
    "client of another contract",
    "ended client",
    "manager",
    "ended manager",
    "manager of another contract",
)
# What each role is answered at each door about the owner's contract: a status, with the word where it is a
# fault; of a push, what became of the one row.
POLICY: dict[str, dict[str, str]] = {
    "GET /health": dict.fromkeys(ROLES, "200"),
    "GET /health/ready": dict.fromkeys(ROLES, "200"),
    "GET /v1/server": dict.fromkeys(ROLES, "200"),
    "GET /v1/nonce": dict.fromkeys(ROLES, "200"),
    # By the root's signature over a nonce: only who holds the phrase.
    "POST /v1/device-list": {
        **dict.fromkeys(ROLES, "403 not_yours"),
        "wrong token": "200",
        "owner": "200",
        "second device": "200",
        "revoked device": "200",
    },
    # By a device list that the root signed.
    "POST /v1/enrol": {
        **dict.fromkeys(ROLES, "403 not_yours"),
        "wrong token": "409 bad_device_list",
        "owner": "409 bad_device_list",
        "second device": "409 bad_device_list",
        "revoked device": "409 bad_device_list",
    },
    # By the secret of a link, which nobody here has.
    "POST /v1/join": dict.fromkeys(ROLES, "403 invitation_unknown"),
    "POST /v1/pull": {
        "nobody": "401 not_enrolled",
        "wrong token": "401 not_enrolled",
        "owner": "200 all",
        "second device": "200 all",
        "revoked device": "403 device_revoked",
        "other account": "403 not_yours",
        "client": "200 contract",
        "client of another contract": "200 another",
        "ended client": "403 device_revoked",
        "manager": "200 contract",
        "ended manager": "403 device_revoked",
        "manager of another contract": "200 another",
    },
    "POST /v1/weeks": {
        "nobody": "401 not_enrolled",
        "wrong token": "401 not_enrolled",
        "owner": "200",
        "second device": "200",
        "revoked device": "403 device_revoked",
        "other account": "403 not_yours",
        "client": "200",
        "client of another contract": "403 not_yours",
        "ended client": "403 device_revoked",
        "manager": "200",
        "ended manager": "403 device_revoked",
        "manager of another contract": "403 not_yours",
    },
    # A seat gets its own contract's part: another contract's has none of this one's.
    "POST /v1/invoices": {
        "nobody": "401 not_enrolled",
        "wrong token": "401 not_enrolled",
        "owner": "200",
        "second device": "200",
        "revoked device": "403 device_revoked",
        "other account": "403 not_yours",
        "client": "200",
        "client of another contract": "200",
        "ended client": "403 device_revoked",
        "manager": "200",
        "ended manager": "403 device_revoked",
        "manager of another contract": "200",
    },
    # Only the client adds a bonus, and says they paid what they were billed.
    "POST /v1/push a bonus": {
        "nobody": "401 not_enrolled",
        "wrong token": "401 not_enrolled",
        "owner": "200 not_yours",
        "second device": "200 not_yours",
        "revoked device": "403 device_revoked",
        "other account": "403 not_yours",
        "client": "200 not_in_review",
        "client of another contract": "200 not_yours",
        "ended client": "403 device_revoked",
        "manager": "200 not_yours",
        "ended manager": "403 device_revoked",
        "manager of another contract": "200 not_yours",
    },
    "POST /v1/push that they paid": {
        "nobody": "401 not_enrolled",
        "wrong token": "401 not_enrolled",
        "owner": "200 not_yours",
        "second device": "200 not_yours",
        "revoked device": "403 device_revoked",
        "other account": "403 not_yours",
        "client": "200 unknown_invoice",
        "client of another contract": "200 not_yours",
        "ended client": "403 device_revoked",
        "manager": "200 not_yours",
        "ended manager": "403 device_revoked",
        "manager of another contract": "200 not_yours",
    },
    # Only the freelancer says what came.
    "POST /v1/push that it came": {
        "nobody": "401 not_enrolled",
        "wrong token": "401 not_enrolled",
        "owner": "200 unknown_invoice",
        "second device": "200 unknown_invoice",
        "revoked device": "403 device_revoked",
        "other account": "403 not_yours",
        "client": "200 not_yours",
        "client of another contract": "200 not_yours",
        "ended client": "403 device_revoked",
        "manager": "200 not_yours",
        "ended manager": "403 device_revoked",
        "manager of another contract": "200 not_yours",
    },
    "POST /v1/push a capture": {
        "nobody": "401 not_enrolled",
        "wrong token": "401 not_enrolled",
        "owner": "200 received",
        "second device": "200 received",
        "revoked device": "403 device_revoked",
        "other account": "403 not_yours",
        "client": "200 not_yours",
        "client of another contract": "200 not_yours",
        "ended client": "403 device_revoked",
        "manager": "200 not_yours",
        "ended manager": "403 device_revoked",
        "manager of another contract": "200 not_yours",
    },
    "POST /v1/push a deletion": {
        "nobody": "401 not_enrolled",
        "wrong token": "401 not_enrolled",
        "owner": "200 received",
        "second device": "200 received",
        "revoked device": "403 device_revoked",
        "other account": "403 not_yours",
        "client": "200 not_yours",
        "client of another contract": "200 not_yours",
        "ended client": "403 device_revoked",
        "manager": "200 not_yours",
        "ended manager": "403 device_revoked",
        "manager of another contract": "200 not_yours",
    },
    # The client has joined: the terms are theirs (R8).
    "POST /v1/push terms": {
        "nobody": "401 not_enrolled",
        "wrong token": "401 not_enrolled",
        "owner": "200 not_yours",
        "second device": "200 not_yours",
        "revoked device": "403 device_revoked",
        "other account": "403 not_yours",
        "client": "200 received",
        "client of another contract": "200 not_yours",
        "ended client": "403 device_revoked",
        "manager": "200 not_yours",
        "ended manager": "403 device_revoked",
        "manager of another contract": "200 not_yours",
    },
    # Only the client disputes, and only in review (R62).
    "POST /v1/push a dispute": {
        "nobody": "401 not_enrolled",
        "wrong token": "401 not_enrolled",
        "owner": "200 not_yours",
        "second device": "200 not_yours",
        "revoked device": "403 device_revoked",
        "other account": "403 not_yours",
        "client": "200 not_in_review",
        "client of another contract": "200 not_yours",
        "ended client": "403 device_revoked",
        "manager": "200 not_yours",
        "ended manager": "403 device_revoked",
        "manager of another contract": "200 not_yours",
    },
    # Nobody but the freelancer lets anybody else read.
    "POST /v1/push an invitation": {
        "nobody": "401 not_enrolled",
        "wrong token": "401 not_enrolled",
        "owner": "200 received",
        "second device": "200 received",
        "revoked device": "403 device_revoked",
        "other account": "403 not_yours",
        "client": "200 not_yours",
        "client of another contract": "200 not_yours",
        "ended client": "403 device_revoked",
        "manager": "200 not_yours",
        "ended manager": "403 device_revoked",
        "manager of another contract": "200 not_yours",
    },
    # Both parties, and a manager, write messages, each in their own contract (R68).
    "POST /v1/push a message": {
        "nobody": "401 not_enrolled",
        "wrong token": "401 not_enrolled",
        "owner": "200 received",
        "second device": "200 received",
        "revoked device": "403 device_revoked",
        "other account": "403 not_yours",
        "client": "200 received",
        "client of another contract": "200 not_yours",
        "ended client": "403 device_revoked",
        "manager": "200 received",
        "ended manager": "403 device_revoked",
        "manager of another contract": "200 not_yours",
    },
    # Whose contracts an account bills as an agency stands in its own log.
    "POST /v1/push a membership": {
        "nobody": "401 not_enrolled",
        "wrong token": "401 not_enrolled",
        "owner": "200 received",
        "second device": "200 received",
        "revoked device": "403 device_revoked",
        "other account": "403 not_yours",
        "client": "200 not_yours",
        "client of another contract": "200 not_yours",
        "ended client": "403 device_revoked",
        "manager": "200 not_yours",
        "ended manager": "403 device_revoked",
        "manager of another contract": "200 not_yours",
    },
    **PAYING,
    # It takes nothing that is not proven by this server's own signatures, and admits who signs as listed.
    "POST /v1/heal": {
        "nobody": "401 not_enrolled",
        "wrong token": "400 bad_signature",
        "owner": "200",
        "second device": "200",
        "revoked device": "403 device_revoked",
        "other account": "401 not_enrolled",
        "client": "200",
        "client of another contract": "200",
        "ended client": "401 not_enrolled",
        "manager": "200",
        "ended manager": "401 not_enrolled",
        "manager of another contract": "200",
    },
    "HEAD /v1/pictures/{name}": {
        "nobody": "401",
        "wrong token": "401",
        "owner": "200",
        "second device": "200",
        "revoked device": "403",
        "other account": "404",
        "client": "200",
        "client of another contract": "404",
        "ended client": "403",
        "manager": "200",
        "ended manager": "403",
        "manager of another contract": "404",
    },
    "GET /v1/pictures/{name}": {
        "nobody": "401 not_enrolled",
        "wrong token": "401 not_enrolled",
        "owner": "200",
        "second device": "200",
        "revoked device": "403 device_revoked",
        "other account": "404 not_found",
        "client": "200",
        "client of another contract": "404 not_found",
        "ended client": "403 device_revoked",
        "manager": "200",
        "ended manager": "403 device_revoked",
        "manager of another contract": "404 not_found",
    },
    # A client brings no new picture, but back what a restored server lost: its name is its hash (R43).
    "PUT /v1/pictures/{name}": {
        "nobody": "401 not_enrolled",
        "wrong token": "401 not_enrolled",
        "owner": "200",
        "second device": "200",
        "revoked device": "403 device_revoked",
        "other account": "404 not_found",
        "client": "200",
        "client of another contract": "404 not_found",
        "ended client": "403 device_revoked",
        "manager": "200",
        "ended manager": "403 device_revoked",
        "manager of another contract": "404 not_found",
    },
}


@dataclass
class Scene:
    """A freelancer's contract with a client, another contract with another client, and everybody else."""

    here: Here
    picture: bytes
    roles: dict[str, Author] = field(default_factory=dict)

    @property
    def owner(self) -> Author:
        return self.roles["owner"]

    @property
    def name(self) -> str:
        return picture_name(self.picture)

    def headers(self, role: str) -> dict[str, str]:
        if role == "nobody":
            return {}
        author = self.roles[role]
        token = "0" * 64 if role == "wrong token" else author.keys.token
        return {"Authorization": f"Bearer {author.account}.{author.replica}.{token}"}

    def post(self, role: str, path: str, message: msgspec.Struct) -> httpx.Response:
        headers = {"Content-Type": "application/json", **self.headers(role)}
        return self.here.client.http.post(path, content=msgspec.json.encode(message), headers=headers)


@pytest.fixture
def scene(here: Here) -> Scene:
    """Return the scene; what is asked there is asked of a server that has it all."""
    owner = Author()
    here.client.enrol(owner, owner.enrol(owner.terms()))
    second = owner.second_device()
    here.client.enrol(second)
    revoked = second.second_device()
    here.client.enrol(revoked)
    owner.devices = revoked.devices
    revocation = owner.device_list(revoked={revoked.replica: 2})
    assert reasons(here.client.push(owner, revocation)) == ["received"]
    other_contract = ContractId("c" * 32)
    here.client.push(owner, owner.terms(contract=other_contract))
    ended = joined(here, owner, bytes([1] * 32))
    ends = invitation(owner, bytes([2] * 32), ends=(ended.replica,))
    assert reasons(here.client.push(owner, ends)) == ["received"]
    client = Seat(owner, bytes([2] * 32))
    here.client.post("/v1/join", client.join())
    here.client.push(owner, invitation(owner, bytes([3] * 32), contract=other_contract))
    elsewhere = Seat(owner, bytes([3] * 32), other_contract)
    here.client.post("/v1/join", elsewhere.join())
    stranger = Author()
    here.client.enrol(stranger, stranger.enrol(stranger.terms()))
    agency = Author().account
    manager = joined(here, owner, bytes([4] * 32), agency)
    gone = joined(here, owner, bytes([5] * 32), agency)
    assert reasons(here.client.push(owner, invitation(owner, bytes([5] * 32), withdrawn=True))) == [
        "received"
    ]
    here.client.push(owner, invitation(owner, bytes([6] * 32), contract=other_contract, agency=agency))
    manager_elsewhere = Seat(owner, bytes([6] * 32), other_contract)
    here.client.post("/v1/join", manager_elsewhere.join())
    scene = Scene(here, owner.picture())
    scene.roles = {
        "owner": owner,
        "wrong token": owner,
        "second device": second,
        "revoked device": revoked,
        "other account": stranger,
        "client": client,
        "client of another contract": elsewhere,
        "ended client": ended,
        "manager": manager,
        "ended manager": gone,
        "manager of another contract": manager_elsewhere,
        "nobody": Author(),
    }
    here.client.push(owner, owner.capture(SLOT, pictures=(scene.picture,)))
    assert here.client.upload(owner, scene.name, scene.picture).status_code == 200
    return scene


def said(answer: httpx.Response, *, named: bool = True) -> str:
    """Return the status, with the word of its fault."""
    if answer.status_code < 400 or not named:
        return str(answer.status_code)
    return f"{answer.status_code} {answer.json()['reason']}"


def pull(scene: Scene, role: str) -> str:
    answer = scene.post(role, "/v1/pull", Pull(account=scene.owner.account, cursors={}))
    if answer.status_code != 200:
        return said(answer)
    contracts = {page["contract"] for page in answer.json()["pages"]}
    if scene.owner.account in contracts:
        return "200 all"
    return "200 contract" if contracts == {scene.owner.contract} else "200 another"


def push(scene: Scene, role: str, kind: str) -> str:
    """Push one row for the owner's contract, signed by the role's own key."""
    author = scene.roles[role]
    own = author.account, author.contract
    author.account, author.contract = scene.owner.account, scene.owner.contract
    match kind:
        case "a capture":
            row = author.capture(SLOT - 1)
        case "a deletion":
            row = author.entry(SLOT - 1, life=1)
        case "a dispute":
            row = dispute(author, "raised", SLOT)
        case "a membership":
            row = membership(author, AccountId("3" * 32), ContractId("4" * 32))
        case "a bonus":
            row = bonus(author, 500, Week.of(slot_at(WEDNESDAY)).name, "EUR")
        case "that they paid":
            row = payment(author, "paid", 500, currency="EUR")
        case "that it came":
            row = payment(author, "received", 500, currency="EUR", id_=os.urandom(16).hex())
        case "an invitation":
            row = invitation(author, os.urandom(32))
        case "a message":
            row = author.sealed(author.header("message"))
        case _:
            row = author.terms()
    message = author.push(row)
    author.account, author.contract = own
    answer = scene.post(role, "/v1/push", message)
    if answer.status_code != 200:
        return said(answer)
    (told,) = msgspec.json.decode(answer.json()["answers"]["text"])
    return f"200 {told.get('reason', 'received')}"


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
    return said(scene.post(role, "/v1/heal", message))


def device_list(scene: Scene, role: str) -> str:
    """Ask for the owner's lists with a nonce that the role's own root signed."""
    http = scene.here.client.http
    proof = scene.roles[role].proof(http.get("/v1/nonce").json()["nonce"])
    asked = msgspec.structs.replace(proof, account=AccountId(scene.owner.account))
    return said(scene.post(role, "/v1/device-list", asked))


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
    return said(scene.post(role, "/v1/enrol", msgspec.structs.replace(message, push=given)))


def _paying(door: str, scene: Scene, role: str) -> str:
    message = message_at(door, AccountId(scene.owner.account), ContractId(scene.owner.contract))
    method, path = door.split()[:2]
    headers = {"Content-Type": "application/json", **scene.headers(role)}
    answer = scene.here.client.http.request(method, path, content=message, headers=headers)
    return said(answer) if answer.status_code != 200 else f"200 {told_at(door, answer.json())}".rstrip()


ASK: dict[str, Callable[[Scene, str], str]] = {
    "GET /health": lambda scene, role: said(get(scene, role, "/health")),
    "GET /health/ready": lambda scene, role: said(get(scene, role, "/health/ready")),
    "GET /v1/server": lambda scene, role: said(get(scene, role, "/v1/server")),
    "GET /v1/nonce": lambda scene, role: said(get(scene, role, "/v1/nonce")),
    "POST /v1/device-list": device_list,
    "POST /v1/enrol": enrol,
    "POST /v1/join": lambda scene, role: said(
        scene.post(role, "/v1/join", Seat(scene.owner, bytes([9] * 32)).join())
    ),
    "POST /v1/pull": pull,
    "POST /v1/weeks": lambda scene, role: said(
        scene.post(role, "/v1/weeks", Weeks(account=scene.owner.account, contract=scene.owner.contract))
    ),
    "POST /v1/invoices": lambda scene, role: said(
        scene.post(role, "/v1/invoices", Invoices(account=scene.owner.account))
    ),
    "POST /v1/push a bonus": lambda scene, role: push(scene, role, "a bonus"),
    "POST /v1/push that they paid": lambda scene, role: push(scene, role, "that they paid"),
    "POST /v1/push that it came": lambda scene, role: push(scene, role, "that it came"),
    "POST /v1/push a capture": lambda scene, role: push(scene, role, "a capture"),
    "POST /v1/push a deletion": lambda scene, role: push(scene, role, "a deletion"),
    "POST /v1/push a message": lambda scene, role: push(scene, role, "a message"),
    "POST /v1/push terms": lambda scene, role: push(scene, role, "terms"),
    "POST /v1/push a dispute": lambda scene, role: push(scene, role, "a dispute"),
    "POST /v1/push a membership": lambda scene, role: push(scene, role, "a membership"),
    "POST /v1/push an invitation": lambda scene, role: push(scene, role, "an invitation"),
    **{door: partial(_paying, door) for door in PAYING},
    "POST /v1/heal": heal,
    "HEAD /v1/pictures/{name}": lambda scene, role: said(
        scene.here.client.http.head(f"/v1/pictures/{scene.name}", headers=scene.headers(role)), named=False
    ),
    "GET /v1/pictures/{name}": lambda scene, role: said(get(scene, role, f"/v1/pictures/{scene.name}")),
    "PUT /v1/pictures/{name}": lambda scene, role: said(
        scene.here.client.http.put(
            f"/v1/pictures/{scene.name}", content=scene.picture, headers=scene.headers(role)
        )
    ),
}


def get(scene: Scene, role: str, path: str) -> httpx.Response:
    return scene.here.client.http.get(path, headers=scene.headers(role))


@rule("R51")
def test_each_role_is_answered_at_each_door_as_the_policy_says(scene: Scene) -> None:
    answered = {door: {role: ask(scene, role) for role in ROLES} for door, ask in ASK.items()}
    differing = {
        (door, role): (answered[door][role], should)
        for door, roles in POLICY.items()
        for role, should in roles.items()
        if answered[door][role] != should
    }
    assert differing == {}, differing


@rule("R46")
def test_no_door_is_without_a_policy(here: Here) -> None:
    paths = here.client.http.get("/schema/openapi.json").json()["paths"]
    doors = {f"{method.upper()} {path}" for path, methods in paths.items() for method in methods}
    assert {" ".join(door.split()[:2]) for door in POLICY} == doors
    assert POLICY.keys() == ASK.keys()
    assert all(set(roles) == set(ROLES) for roles in POLICY.values())
