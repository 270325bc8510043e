"""A server that lies to a client: each lie gives alarm by name, and nothing unproven is shown (R47, R48)."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass

import msgspec
import pytest

from diary.contracts import Contract
from diary.errors import DamageError
from diary.evidence.alarm import FeedFaultError
from diary.evidence.receipt import Cursor, LogRow, Page
from diary.rules.week import Week
from sync.protocol import Pull
from tests.practice import SCREEN, record_slot, slot
from tests.rule import rule
from tests.sync.clients import invited, join_in, shown
from tests.sync.stage import Device, Stage, two_devices

NINE, TEN, ELEVEN = (slot(f"2026-11-18T{hour}:00Z") for hour in ("09", "10", "11"))
WEEK = Week.of(NINE)


@dataclass
class Scene:
    """A client who has seen one segment; two more, and one of another client, wait at the server."""

    a: Device
    client: Device
    contract: Contract
    page: Page
    foreign: Page

    def take(self, *rows: LogRow, page: Page | None = None) -> None:
        whole = page or self.page
        self.client.diary.take_pages(
            [
                msgspec.structs.replace(
                    whole, rows=list(rows), contract=self.contract.id, proof=None, before=None
                )
            ]
        )

    @property
    def captures(self) -> list[LogRow]:
        return [row for row in self.page.rows if '"capture"' in row.header]


@pytest.fixture
def scene(stage: Stage) -> Scene:
    a, b, contract = two_devices(stage, [NINE])
    other = a.diary.new_contract(title="Another client's work")
    client = join_in(stage, invited(a, contract))
    for device in (a, b, client):
        device.sync()
    cursor = client.diary.cursors()[contract.id]
    for at in (TEN, ELEVEN):
        record_slot(a.diary, contract, at, memo=None, picture=SCREEN + str(at).encode())
    record_slot(a.diary, other, TEN, memo=None, picture=SCREEN + b"other")
    a.sync()
    a.line.authorise(a.diary.account, a.diary.replica, a.diary.token)
    pages = a.line.pull(Pull(account=a.diary.account, cursors={contract.id: cursor})).pages
    by_contract = {page.contract: page for page in pages}
    return Scene(a, client, contract, by_contract[contract.id], by_contract[other.id])


Bend = Callable[[Scene], list[LogRow]]


def swapped(scene: Scene, *fields: str) -> list[LogRow]:
    """Return the rows with these parts of the two captures exchanged."""
    one, two = scene.captures
    bent = {
        id(one): msgspec.structs.replace(one, **{name: getattr(two, name) for name in fields}),
        id(two): msgspec.structs.replace(two, **{name: getattr(one, name) for name in fields}),
    }
    return [bent.get(id(row), row) for row in scene.page.rows]


def instead(scene: Scene, **changed: object) -> list[LogRow]:
    """Return the rows with the first capture's parts replaced."""
    first = scene.captures[0]
    return [msgspec.structs.replace(row, **changed) if row is first else row for row in scene.page.rows]


def with_forged_tombstone(scene: Scene) -> list[LogRow]:
    """Return the rows with the first capture's name on a deletion of what the client was shown before."""
    said = json.loads(scene.captures[0].header)
    for name in ("pictures", "epoch", "commit"):
        del said[name]
    gone = said | {"type": "entry", "slot": NINE, "vector": {said["replica"]: said["n"]}}
    header = json.dumps(gone | {"life": 1, "manual": False}, separators=(",", ":"))
    return instead(scene, header=header, body=None, wrap=None, body_hash=hashlib.sha256(b"").hexdigest())


def with_foreign(scene: Scene) -> list[LogRow]:
    foreign = next(row for row in scene.foreign.rows if '"capture"' in row.header)
    index = scene.captures[0].index
    scene.page.pushes.update(scene.foreign.pushes)
    moved = msgspec.structs.replace(foreign, index=index)
    return [moved if row.index == index else row for row in scene.page.rows]


LIES: dict[str, tuple[Bend, str]] = {
    "bodies swapped": (lambda scene: swapped(scene, "body"), "bad_signature"),
    "bodies and their hashes swapped": (lambda scene: swapped(scene, "body", "body_hash"), "bad_signature"),
    "headers swapped": (lambda scene: swapped(scene, "header"), "bad_signature"),
    "an altered body": (lambda scene: instead(scene, body=b"x" * 300), "bad_signature"),
    "a tombstone that nobody signed": (with_forged_tombstone, "bad_signature"),
    "another account's row": (
        lambda scene: instead(
            scene, header=scene.captures[0].header.replace(scene.a.diary.account, "ab" * 16, 1)
        ),
        "wrong_place",
    ),
    "another contract's row": (with_foreign, "wrong_place"),
    "a row left out": (
        lambda scene: [row for row in scene.page.rows if row is not scene.captures[0]],
        "hole",
    ),
}


@rule("R48")
@pytest.mark.parametrize("lie", LIES)
def test_a_lie_gives_alarm_by_name_and_nothing_of_it_is_shown(scene: Scene, lie: str) -> None:
    bend, kind = LIES[lie]
    before = shown(scene.client, scene.contract, WEEK)
    with pytest.raises(FeedFaultError) as fault:
        scene.take(*bend(scene))
    assert fault.value.kind == kind
    assert shown(scene.client, scene.contract, WEEK) == before
    assert [alarm.kind for alarm in scene.client.diary.alarms()] == [kind]
    scene.client.sync()
    assert shown(scene.client, scene.contract, WEEK) == shown(scene.a, scene.contract, WEEK)


@rule("R47")
def test_wraps_that_were_swapped_open_nothing(scene: Scene) -> None:
    scene.take(*swapped(scene, "wrap"))
    segments = {one.slot: one for one in shown(scene.client, scene.contract, WEEK)[0]}
    assert [segments[at].defective for at in (NINE, TEN, ELEVEN)] == [False, True, True]
    assert [segments[at].snapshots for at in (TEN, ELEVEN)] == [(), ()]


@rule("R47")
def test_a_picture_under_another_pictures_name_is_not_kept(scene: Scene) -> None:
    scene.take(*scene.page.rows)
    names = [ref.name for ref in scene.client.diary.pictures_to_fetch()]
    other = scene.a.diary.sealed_picture(names[1])
    assert other is not None
    with pytest.raises(DamageError, match="do not make its name"):
        scene.client.diary.keep_picture(names[0], other)


@rule("R45")
def test_a_head_that_the_server_did_not_sign_gives_alarm(scene: Scene) -> None:
    for head in (Cursor(1, 1), Cursor(9, 99)):
        with pytest.raises(FeedFaultError) as fault:
            scene.take(page=msgspec.structs.replace(scene.page, head=head))
        assert fault.value.kind == "unsigned_head"
