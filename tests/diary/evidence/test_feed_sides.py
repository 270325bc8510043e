"""What a reader believes of two parties: each writes its own, by what stands before it (R8, R48)."""

from typing import Any

import msgspec
import pytest

from diary.evidence import signature
from diary.evidence.alarm import FeedFaultError
from diary.evidence.feed import Reader
from diary.evidence.receipt import Cursor, Page
from diary.rules.act_parts import AcceptanceInClear, DisputeInClear, RequestInClear
from diary.rules.ids import Millis, ReplicaId, Slot
from diary.rules.seat import InvitationInClear, SeatInClear
from diary.rules.segment import GrantInClear, Header
from diary.sealing.invitation import InvitationKeys, sign_joining
from tests.diary.evidence.test_feed import ACCOUNT, CONTRACT, LAPTOP, NAMES, Log, capture, reader
from tests.diary.rules.made import terms
from tests.rule import rule

CLIENT = b"k" * 32
NAMES[CLIENT] = ReplicaId("3" * 32)
KEYS = InvitationKeys.of(bytes(32))
SLOT = Slot(2_990_000)

Version = tuple[Header, bytes]


def row(by: bytes, n: int, kind: Any, **parts: Any) -> Version:
    header = Header(
        v=1, type=kind, account=ACCOUNT, contract=CONTRACT, replica=NAMES[by], n=n, head=None, **parts
    )
    return header, b"sealed"


def set_terms(by: bytes, n: int, **changed: Any) -> Version:
    return row(by, n, "terms", terms=terms(**changed))


def state(by: bytes, n: int, word: str) -> Version:
    return row(by, n, "terms", state=word)


def invitation(n: int) -> Version:
    part = InvitationInClear(auth=KEYS.auth, expires_at_ms=Millis(9_999))
    return row(LAPTOP, n, "grant", grant=GrantInClear(to="invitation", epoch=1, invitation=part))


def joining() -> Version:
    seat = SeatInClear(sign=signature.public_of(CLIENT).hex(), box="0" * 64, invitation=KEYS.auth)
    header, _ = row(CLIENT, 1, "joining", seat=seat)
    body = sign_joining(header, KEYS.auth_seed).body
    assert body is not None
    return header, body


def shared_log(*later: tuple[bytes, Version]) -> Log:
    """Return a log that a client has joined, with rows after it."""
    log = Log(CONTRACT)
    log.append(LAPTOP, set_terms(LAPTOP, 2), invitation(3))
    log.append(CLIENT, joining())
    for by, version in later:
        log.append(by, version)
    return log


def dispute(by: bytes, n: int, act: Any) -> Version:
    return row(by, n, "dispute", dispute=DisputeInClear(act=act, slots=(SLOT,)), epoch=1, commit="0" * 64)


def request(by: bytes, n: int) -> Version:
    return row(by, n, "request", request=RequestInClear(kind="manual_time"), epoch=1, commit="0" * 64)


def accepted(by: bytes, n: int) -> Version:
    return row(by, n, "acceptance", acceptance=AcceptanceInClear(slots=(SLOT,)))


HONEST = (
    (LAPTOP, state(LAPTOP, 4, "paused")),
    (LAPTOP, state(LAPTOP, 5, "active")),
    (CLIENT, set_terms(CLIENT, 2, limit_minutes=60)),
    (CLIENT, dispute(CLIENT, 3, "raised")),
    (LAPTOP, dispute(LAPTOP, 6, "replied")),
    (CLIENT, accepted(CLIENT, 4)),
    (LAPTOP, capture(LAPTOP, 7)),
)


@rule("R48")
def test_honest_parties_are_believed_at_once_and_page_by_page() -> None:
    log = shared_log(*HONEST)
    assert len(reader().check(log.page(), None)) == len(log.rows)
    at_once = reader()
    for end in range(1, len(log.rows) + 1):
        page = msgspec.structs.replace(log.page(end - 1, end), head=Cursor(log_epoch=1, size=end))
        assert len(at_once.check(page, Cursor(1, end - 1) if end > 1 else None)) == 1


@rule("R8")
@rule("R48")
@pytest.mark.parametrize(
    "later",
    [
        [(LAPTOP, set_terms(LAPTOP, 4, limit_minutes=6000))],
        [(LAPTOP, accepted(LAPTOP, 4))],
        [(LAPTOP, dispute(LAPTOP, 4, "raised"))],
        [(CLIENT, dispute(CLIENT, 2, "replied"))],
        [(CLIENT, request(CLIENT, 2))],
        [(CLIENT, capture(CLIENT, 2))],
        [(CLIENT, state(CLIENT, 2, "paused")), (LAPTOP, state(LAPTOP, 4, "active"))],
        [(LAPTOP, state(LAPTOP, 4, "closed")), (LAPTOP, state(LAPTOP, 5, "active"))],
    ],
)  # fmt: skip
def test_a_row_of_the_wrong_side_gives_alarm_whatever_the_server_says(
    later: list[tuple[bytes, Version]],
) -> None:
    page = shared_log(*later).page()
    with pytest.raises(FeedFaultError) as fault:
        reader().check(page, None)
    assert fault.value.kind == "wrong_side"


@rule("R8")
def test_what_stood_before_the_cursor_counts_though_it_is_not_read_again() -> None:
    log = shared_log((CLIENT, state(CLIENT, 2, "paused")), (LAPTOP, state(LAPTOP, 4, "active")))
    cursor = Cursor(1, len(log.rows) - 1)
    first = reader()
    first.check(before(log, cursor.size), None)
    known = Reader(
        ACCOUNT,
        first.devices,
        {},
        seats_before=first._seats_of,
        terms_before=lambda contract: first._terms[contract],
    )
    with pytest.raises(FeedFaultError, match="paused"):
        known.check(log.page(cursor.size), cursor)


def before(log: Log, size: int) -> Page:
    return msgspec.structs.replace(log.page(0, size), head=Cursor(log_epoch=1, size=size))


@rule("R43")
def test_what_came_back_behind_a_restored_servers_log_is_not_judged_by_its_new_place() -> None:
    """Healed terms of before the joining stand after it: they bear the time of their first receipt."""
    log = shared_log((LAPTOP, set_terms(LAPTOP, 4)))
    healed = msgspec.structs.replace(log.rows[-1], log_epoch=5_000)
    page = msgspec.structs.replace(
        log.page(), rows=[*log.rows[:-1], healed], head=Cursor(log_epoch=5_000, size=len(log.rows))
    )
    assert len(reader().check(page, None)) == len(log.rows)
