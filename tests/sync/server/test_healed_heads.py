"""A signed head tells a restored server that it lost something; nothing else does so by a head (R43, R56)."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pytest

from diary.clock import GivenClock
from diary.evidence.head import LogHead, read_head, sign_head
from diary.evidence.opening import FIRST_EPOCH
from diary.evidence.statement import SignedStatement
from diary.rules.ids import ContractId, Millis
from diary.rules.week import slot_at
from sync.protocol import HealAnswer, PushAnswer
from sync.server.healing import PROOFS_MAX
from sync.server.log import ServerKey
from tests.rule import rule
from tests.sync.server.author import Author
from tests.sync.server.backup import Restorable
from tests.sync.server.conftest import WEDNESDAY
from tests.sync.server.process import Client, answers_in, reasons
from tests.sync.server.seat import Seat, invitation
from tests.sync.server.shown import fault_of, heal, message, opening_of

if TYPE_CHECKING:
    from tests.sync.server.postgres import Postgres

SLOT = slot_at(WEDNESDAY) - 30
SECRET, OTHER_SECRET = bytes(range(32)), bytes(range(1, 33))
DAY = 24 * 3_600_000


@dataclass
class Scene:
    """A freelancer with two contracts, a client of one of them, and a stranger's account, at one server."""

    server: Restorable
    author: Author
    seat: Seat
    other: ContractId
    stranger: Author
    slots: int = 0
    backup: Restorable = field(init=False)

    @property
    def key(self) -> ServerKey:
        return ServerKey.at(self.server.folder / "server.key")

    def grow(self, client: Client, rows: int, contract: ContractId | None = None) -> None:
        """Let a contract's log grow by captures, each of another slot."""
        for _ in range(rows):
            self.slots += 1
            capture = self.author.capture(SLOT - self.slots, contract=contract or self.author.contract)
            assert reasons(client.push(self.author, capture)) == ["received"]

    def head(self, client: Client, contract: ContractId | None = None) -> SignedStatement:
        """Return the head of a log as the server signs it now, for its device."""
        return signed_head(client, self.author, contract or self.author.contract)

    def head_before_the_loss(self) -> SignedStatement:
        """Return the head of two rows that the backup lacks."""
        with self.server.serving() as client:
            self.grow(client, 2)
            return self.head(client)

    def back_up(self) -> None:
        self.backup = self.server.backed_up()

    def restore(self) -> Restorable:
        return self.server.restore(self.backup)


def signed_head(client: Client, by: Author, contract: ContractId) -> SignedStatement:
    (page,) = (page for page in client.pull(by).pages if page.contract == contract)
    assert page.signed_head is not None
    return page.signed_head


def show(client: Client, by: Author, *heads: SignedStatement, **changed: object) -> HealAnswer:
    return heal(client, message(client, by, heads=list(heads), **changed))


@pytest.fixture
def scene(request: pytest.FixtureRequest, tmp_path: Path, database_url: str | None) -> Scene:
    cluster: Postgres | None = request.getfixturevalue("cluster") if database_url else None
    server = Restorable(tmp_path / "server", GivenClock(WEDNESDAY), database_url, cluster)
    author, stranger = Author(), Author()
    other = ContractId("5" * 32)
    with server.serving() as client:
        client.enrol(author, author.enrol(author.terms(), invitation(author, SECRET)))
        assert reasons(client.push(author, author.terms(contract=other))) == ["received"]
        client.enrol(stranger, stranger.enrol(stranger.terms()))
        seat = Seat(author, SECRET)
        joined = answers_in(client.post("/v1/join", seat.join()), client.key())
        assert reasons(joined) == ["received"]
    scene = Scene(server, author, seat, other, stranger)
    scene.back_up()
    return scene


@rule("R43")
@rule("R56")
@pytest.mark.parametrize(
    ("by", "regrown"),
    [("a seat", 0), ("a seat", 2), ("a seat", 4), ("a device", 4)],
    ids=["shorter", "as long", "longer", "longer, by a device"],
)
def test_a_head_that_the_log_does_not_bear_out_makes_the_server_state_its_loss(
    scene: Scene, by: str, regrown: int
) -> None:
    head = scene.head_before_the_loss()
    shower: Author = scene.seat if by == "a seat" else scene.author
    with scene.restore().serving() as client:
        scene.grow(client, regrown)
        size = read_head(scene.head(client), client.key()).size
        answer = show(client, shower, head)
        opening = opening_of(client, answer.openings)
        assert (answer.healed, opening.log_epoch > FIRST_EPOCH) == (0, True)
        assert opening.heads[scene.author.contract].size == size
        assert (by == "a seat") == (
            scene.other not in opening.heads
        )  # a seat learns of no other contract (R51)
        again = show(client, shower, head)
        assert opening_of(client, again.openings) == opening  # its epoch is over: it proves nothing more
        openings = client.pull(scene.author).openings
        assert [opening_of(client, [one]).log_epoch for one in openings] == [opening.log_epoch]


@rule("R43")
def test_a_head_of_an_epoch_or_a_log_that_the_server_lost_is_proof_too(scene: Scene) -> None:
    later = ContractId("6" * 32)
    with scene.server.serving() as client:
        assert reasons(client.push(scene.author, scene.author.terms(contract=later))) == ["received"]
        unknown = scene.head(client, later)
    restored = scene.restore()
    backup = restored.backed_up()
    with restored.serving() as client:
        first = opening_of(client, show(client, scene.author, unknown).openings)
        assert later not in first.heads
        in_epoch = signed_head_in(client, scene, first.log_epoch)
    with restored.restore(backup).serving() as client:
        second = opening_of(client, show(client, scene.seat, in_epoch).openings)
        assert second.log_epoch > first.log_epoch


def signed_head_in(client: Client, scene: Scene, epoch: int) -> SignedStatement:
    """Return the head that came with a push in a later epoch."""
    push = scene.author.push(scene.author.capture(SLOT))
    pushed = msgspec.json.decode(client.post("/v1/push", push, scene.author).content, type=PushAnswer)
    (head,) = (one for one in pushed.heads if read_head(one, client.key()).log_epoch == epoch)
    return head


@rule("R43")
@rule("R51")
def test_what_proves_nothing_opens_no_epoch(scene: Scene) -> None:
    with scene.server.serving() as client:
        true = read_head(scene.head(client), client.key())
        shorter = scene.head(client)
        scene.grow(client, 2)
        foreign = signed_head(client, scene.stranger, scene.stranger.contract)
        nothing = LogHead(
            contract=scene.author.contract,
            log_epoch=9_000_000_000_000,
            size=0,
            root="0" * 64,
            at_ms=WEDNESDAY,
        )
        forged = sign_head(replace_head(true, size=99), b"another server's seed, 32 bytes.")
        altered = SignedStatement(
            text=shorter.text.replace('"size":', '"size":9'), signature=shorter.signature
        )
        for none in (
            [],
            [shorter],  # the log has grown since
            [scene.head(client)],
            [forged],
            [altered],
            [SignedStatement(text="{}", signature=bytes(64))],
            [foreign],
            [scene.key.head(nothing)],
            [scene.key.head(replace_head(true, log_epoch=0, size=99))],  # no epoch: it is no head
        ):
            for by in (scene.author, scene.seat):
                answer = show(client, by, *none)
                assert (answer.healed, answer.openings) == (0, [])
        longer = scene.key.head(replace_head(true, contract=scene.other, size=99))
        assert show(client, scene.seat, longer).openings == []  # another contract of the account
        stranger = scene.key.head(replace_head(true, contract=scene.stranger.contract, size=99))
        assert show(client, scene.author, stranger).openings == []
        assert [page.head.log_epoch for page in client.pull(scene.author).pages] == [FIRST_EPOCH] * 3


def replace_head(head: LogHead, **changed: object) -> LogHead:
    return msgspec.structs.replace(head, **changed)


@rule("R43")
def test_what_was_lost_before_the_newest_statement_is_stated_once(scene: Scene) -> None:
    head = scene.head_before_the_loss()
    with scene.restore().serving() as client:
        (first,) = show(client, scene.seat, head).openings
        epoch = opening_of(client, [first]).log_epoch
        scene.grow(client, 1)
        for by in (scene.seat, scene.author):
            answer = show(client, by, head, log_epoch=epoch)
            assert answer.openings == []


@rule("R43")
@rule("R51")
def test_no_stranger_and_no_removed_client_can_make_a_server_open_an_epoch(scene: Scene) -> None:
    head = scene.head_before_the_loss()
    with scene.restore().serving() as client:
        thief = Seat(scene.author, SECRET)
        assert fault_of(client, message(client, thief, heads=[head])) == (401, "not_enrolled")
        unsigned = message(client, scene.seat, heads=[head])
        unsigned = msgspec.structs.replace(unsigned, signature=bytes(64))
        assert fault_of(client, unsigned) == (400, "bad_signature")
        successor = Seat(scene.author, OTHER_SECRET)
        instead = invitation(scene.author, OTHER_SECRET, ends=(scene.seat.replica,))
        assert reasons(client.push(scene.author, instead)) == ["received"]
        assert reasons(answers_in(client.post("/v1/join", successor.join()), client.key())) == ["received"]
        assert fault_of(client, message(client, scene.seat, heads=[head])) == (401, "not_enrolled")
        assert show(client, scene.stranger, head).openings == []
        assert client.pull(scene.author).openings == []
        assert opening_of(client, show(client, successor, head).openings).log_epoch > FIRST_EPOCH


@rule("R6")
@rule("R43")
@pytest.mark.parametrize("regrown", [0, 4], ids=["shorter", "longer"])
def test_a_server_whose_clock_is_not_sure_states_nothing_by_a_head(scene: Scene, regrown: int) -> None:
    head = scene.head_before_the_loss()
    with scene.restore().serving() as client:
        scene.grow(client, regrown)
    scene.server.clock.put(Millis(WEDNESDAY + 9 * DAY))
    with scene.backup.serving() as client:
        assert fault_of(client, message(client, scene.seat, heads=[head])) == (503, "clock_unsure")
        assert client.pull(scene.author).openings == []


@rule("R43")
@rule("R44")
def test_no_more_heads_are_shown_at_once_than_other_proofs(scene: Scene) -> None:
    with scene.server.serving() as client:
        many = [scene.head(client)] * (PROOFS_MAX + 1)
        assert fault_of(client, message(client, scene.seat, heads=many)) == (413, "too_large")
        assert show(client, scene.seat, *many[1:]).openings == []
