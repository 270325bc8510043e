"""The twelve roles of the policy at one server, and what each may want of the owner's contract (R46, R51)."""

from dataclasses import dataclass, field

import httpx
import msgspec

from diary.rules.act_parts import VersionName
from diary.rules.ids import ContractId
from diary.rules.segment import parse_header
from diary.rules.week import slot_at
from diary.sealing.row import padded_picture_bytes, picture_name
from sync.protocol import WireVersion
from tests.sync.server.author import Author
from tests.sync.server.billed import FIRST, LOCK
from tests.sync.server.conftest import Here
from tests.sync.server.process import reasons
from tests.sync.server.saying import dispute, payment, request
from tests.sync.server.seat import Seat, invitation, joined

NOW = LOCK + 3_600_000
SLOT = slot_at(NOW) - 3  # of the week that is open now
LATE = FIRST + 30
OTHER = ContractId("c" * 32)
PAYERS = ("b" * 32, "c" * 32)  # in the order of the invoices that they get
CLAIM = "7" * 32


@dataclass
class Scene:
    """A freelancer's contract with a client, another contract with another client, and everybody else."""

    here: Here
    roles: dict[str, Author] = field(default_factory=dict)
    pictures: dict[str, bytes] = field(default_factory=dict)  # by what they are of
    asked: WireVersion | None = None  # the owner's request for manual time

    @property
    def owner(self) -> Author:
        return self.roles["owner"]

    def name(self, of: str) -> str:
        """Return the sealed name of a picture, or of a file."""
        return picture_name(self.pictures[of])

    def request(self) -> VersionName:
        assert self.asked is not None
        return parse_header(self.asked.header.encode()).name

    def headers(self, role: str) -> dict[str, str]:
        if role == "nobody":
            return {}
        author = self.roles[role]
        token = "0" * 64 if role == "wrong token" else author.keys.token
        return {"Authorization": f"Bearer {author.account}.{author.replica}.{token}"}

    def get(self, role: str, path: str) -> httpx.Response:
        return self.here.client.http.get(path, headers=self.headers(role))

    def send(self, role: str, method: str, path: str, body: bytes) -> httpx.Response:
        headers = {"Content-Type": "application/json", **self.headers(role)}
        return self.here.client.http.request(method, path, content=body, headers=headers)

    def post(self, role: str, path: str, message: msgspec.Struct) -> httpx.Response:
        return self.send(role, "POST", path, msgspec.json.encode(message))

    def say(self, by: Author, *versions: WireVersion) -> None:
        assert set(reasons(self.here.client.push(by, *versions))) == {"received"}


def scene_at(here: Here) -> Scene:
    """Return the scene an hour after a lock that billed both contracts."""
    owner = Author()
    scene = Scene(here)
    mine, others = (
        _terms(owner, contract, payer)
        for contract, payer in zip((owner.contract, OTHER), PAYERS, strict=True)
    )
    here.client.enrol(owner, owner.enrol(mine, others))
    second = owner.second_device()
    here.client.enrol(second)
    revoked = second.second_device()
    here.client.enrol(revoked)
    owner.devices = revoked.devices
    scene.say(owner, owner.device_list(revoked={revoked.replica: 2}))
    ended = joined(here.client, owner, bytes([1] * 32))
    scene.say(owner, invitation(owner, bytes([2] * 32), ends=(ended.replica,)))
    client = Seat(owner, bytes([2] * 32))
    here.client.post("/v1/join", client.join())
    scene.say(owner, invitation(owner, bytes([3] * 32), contract=OTHER))
    elsewhere = Seat(owner, bytes([3] * 32), OTHER)
    here.client.post("/v1/join", elsewhere.join())
    stranger = Author()
    here.client.enrol(stranger, stranger.enrol(stranger.terms()))
    agency = Author().account
    manager = joined(here.client, owner, bytes([4] * 32), agency)
    gone = joined(here.client, owner, bytes([5] * 32), agency)
    scene.say(owner, invitation(owner, bytes([5] * 32), withdrawn=True))
    scene.say(owner, invitation(owner, bytes([6] * 32), contract=OTHER, agency=agency))
    manager_elsewhere = Seat(owner, bytes([6] * 32), OTHER)
    here.client.post("/v1/join", manager_elsewhere.join())
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
    _live(scene, client)
    return scene


def _terms(owner: Author, contract: ContractId, payer: str) -> WireVersion:
    return owner.terms(contract=contract, rate_minor=6000, currency="USD", payer=payer)


def _live(scene: Scene, client: Author) -> None:
    """Let both contracts be billed, and of the first be there what anybody could want to read or answer."""
    owner = scene.owner
    scene.pictures = {of: owner.picture() for of in ("a segment", "a message's file", "a receipt")}
    scene.say(owner, owner.capture(FIRST), owner.capture(FIRST + 1))
    scene.say(owner, owner.capture(FIRST + 2, contract=OTHER))
    scene.here.clock.put(NOW)
    scene.asked = request(owner)
    scene.say(owner, owner.capture(SLOT, pictures=(scene.pictures["a segment"],)), scene.asked)
    scene.say(owner, *(owner.capture(LATE + at) for at in range(2)))
    shown = _named(scene.pictures["a message's file"])
    scene.say(owner, owner.sealed(owner.header("message", pictures=shown)))
    paid = payment(client, "paid", 500, id_=CLAIM, receipts=_named(scene.pictures["a receipt"]))
    scene.say(client, dispute(client, "raised", FIRST), paid)
    for of, by in (("a segment", owner), ("a message's file", owner), ("a receipt", client)):
        picture = scene.pictures[of]
        assert scene.here.client.upload(by, picture_name(picture), picture).status_code == 200


def _named(file: bytes) -> tuple[tuple[str, int], ...]:
    return ((picture_name(file), padded_picture_bytes(file)),)
