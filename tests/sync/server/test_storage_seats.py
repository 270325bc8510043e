"""What every storage keeps of clients' seats (R28, R51, R69)."""

from pathlib import Path

import pytest

from diary.clock import GivenClock
from diary.evidence.receipt import Cursor
from diary.rules.ids import AccountId, ContractId, Millis, ReplicaId
from diary.rules.seat import InvitationInClear, SeatInClear
from diary.rules.segment import GrantInClear, Header
from diary.sealing.invitation import InvitationKeys, sign_joining
from sync.server.storage import Credential, Storage
from sync.server.storage_sqlite import SqliteStorage
from tests.rule import rule
from tests.sync.server.versions import (
    ACCOUNT,
    CONTRACT,
    OTHER_ACCOUNT,
    OTHER_CONTRACT,
    REPLICA,
    SLOT,
    append,
    capture,
    device_list,
    terms,
)

KEYS = InvitationKeys.of(bytes(32))
SEAT = ReplicaId("5" * 32)
LATER = Millis(2_000_000_000_000)
EVERYTHING = 1 << 30


def header(kind: str, replica: ReplicaId, n: int, **parts: object) -> Header:
    named = {"account": ACCOUNT, "contract": CONTRACT, "replica": replica, "n": n}
    return Header(v=1, type=kind, head=None, **named, **parts)  # type: ignore[arg-type]


INVITATION = header(
    "grant",
    REPLICA,
    3,
    grant=GrantInClear(
        to="invitation", epoch=1, invitation=InvitationInClear(auth=KEYS.auth, expires_at_ms=LATER)
    ),
)
JOINING = header("joining", SEAT, 1, seat=SeatInClear(sign="1" * 64, box="2" * 64, invitation=KEYS.auth))
SIGNATURE = sign_joining(JOINING, KEYS.auth_seed).body


@rule("R51")
class TestEveryStorage:
    def test_seats_are_known_by_the_grants_and_joinings_of_their_log(self, storage: Storage) -> None:
        with storage.hold(ACCOUNT) as hold:
            append(hold, terms(2), INVITATION)
            before = hold.seats({CONTRACT, OTHER_CONTRACT})
            append(hold, JOINING, body=SIGNATURE)
        with storage.hold(ACCOUNT) as hold:
            after = hold.seats({CONTRACT})
        assert (list(before[CONTRACT].invitations), before[CONTRACT].has_client) == ([KEYS.auth], False)
        assert not before[OTHER_CONTRACT].invitations
        seat = after[CONTRACT].in_force(SEAT)
        assert seat is not None
        assert (seat.keys, seat.joined_at_ms) == (JOINING.seat, hold.received_at_ms)

    def test_a_seat_has_access_until_it_ends_whatever_the_device_list_says(self, storage: Storage) -> None:
        with storage.hold(ACCOUNT) as hold:
            hold.admit(REPLICA, b"1" * 32)
            assert hold.admit(SEAT, b"2" * 32, CONTRACT) == b"2" * 32
            append(hold, device_list(2, number=2), body=b"t" * 64)
        assert storage.credential(ACCOUNT, SEAT) == Credential(b"2" * 32, revoked=False, contract=CONTRACT)
        with storage.hold(ACCOUNT) as hold:
            hold.end_seats({SEAT, REPLICA})
            append(hold, device_list(3, number=3), body=b"t" * 64)
        assert storage.credential(ACCOUNT, SEAT) == Credential(b"2" * 32, revoked=True, contract=CONTRACT)
        assert storage.credential(ACCOUNT, REPLICA) == Credential(b"1" * 32, revoked=False)

    def test_a_feed_of_one_contract_says_nothing_of_the_others(self, storage: Storage) -> None:
        with storage.hold(ACCOUNT) as hold:
            append(hold, terms(2), terms(3, contract=OTHER_CONTRACT))
        for cursors in ({}, {ContractId("7" * 32): Cursor(1, 3), ContractId(ACCOUNT): Cursor(1, 9)}):
            feed = storage.feed(ACCOUNT, cursors, 100, EVERYTHING, only=CONTRACT)
            assert ([page.contract for page in feed.pages], feed.more) == ([CONTRACT], False)
        assert storage.feed(ACCOUNT, {CONTRACT: Cursor(1, 1)}, 100, EVERYTHING, only=CONTRACT).pages == []

    def test_a_picture_is_of_the_contract_whose_row_names_it(self, storage: Storage) -> None:
        picture = "9" * 64
        with storage.hold(ACCOUNT) as hold:
            append(hold, terms(2), capture(3, pictures=((picture, 4096),)))
        assert storage.is_picture_of(ACCOUNT, CONTRACT, picture)
        assert not storage.is_picture_of(ACCOUNT, OTHER_CONTRACT, picture)
        assert not storage.is_picture_of(OTHER_ACCOUNT, CONTRACT, picture)
        with storage.hold(ACCOUNT) as hold:
            hold.destroy([(REPLICA, 3)])
        assert not storage.is_picture_of(ACCOUNT, CONTRACT, picture)

    @rule("R28")
    def test_rivals_are_found_in_the_slots_that_contracts_share(self, storage: Storage) -> None:
        with storage.hold(ACCOUNT) as hold:
            append(
                hold,
                terms(2),
                terms(3, contract=OTHER_CONTRACT),
                capture(4),
                capture(5, slot=SLOT + 1),
                capture(6, contract=OTHER_CONTRACT),
                capture(7, slot=SLOT + 2, contract=OTHER_CONTRACT),
            )
        found = storage.rivals(ACCOUNT, CONTRACT, range(SLOT, SLOT + 9))
        assert {place: [item.header.n for item in held] for place, held in found.standing.items()} == {
            (CONTRACT, SLOT): [4],
            (OTHER_CONTRACT, SLOT): [6],
        }
        assert set(found.terms) == {CONTRACT, OTHER_CONTRACT}
        for account, contract, first in (
            (ACCOUNT, CONTRACT, SLOT + 1),
            (ACCOUNT, ContractId("7" * 32), 0),
            (OTHER_ACCOUNT, CONTRACT, 0),
        ):
            slots = range(first, SLOT + 9)
            assert storage.rivals(AccountId(account), contract, slots).standing == {}
        assert storage.rivals(ACCOUNT, CONTRACT, range(SLOT)).standing == {}


@pytest.mark.parametrize("statement", ["SEATS", "SHARED_SLOTS", "PICTURE_OF"])
@rule("R69")
def test_the_embedded_database_finds_seats_by_an_index(
    statement: str, tmp_path: Path, clock: GivenClock
) -> None:
    from sync.server import storage_sqlite_statements as sql

    storage = SqliteStorage(tmp_path / "server.db", clock)
    asked = dict.fromkeys(("account", "contract", "first", "end", "name", "contracts"), "[]")
    plan = storage._connection.execute(f"EXPLAIN QUERY PLAN {getattr(sql, statement)}", asked).fetchall()
    storage.close()
    lines = [str(line) for *_, line in plan]
    scans = [line for line in lines if "SCAN" in line and "json_each" not in line]
    assert set(scans) <= {"SCAN CONSTANT ROW"}
