"""What a reader believes of a client's rows: who was let in, and what a client may write (R48, R51)."""

from collections.abc import Callable

import pytest

from diary.evidence import signature
from diary.evidence.alarm import FeedFaultError
from diary.evidence.feed import Reader
from diary.evidence.receipt import Cursor
from diary.evidence.seats import Seats
from diary.rules.ids import ContractId, Millis, ReplicaId, Slot
from diary.rules.seat import InvitationInClear, SeatInClear
from diary.rules.segment import GrantInClear, Header, TermsInClear
from diary.sealing.invitation import InvitationKeys, sign_joining
from tests.diary.evidence.test_feed import ACCOUNT, CONTRACT, LAPTOP, NAMES, Log, account_log, capture
from tests.rule import rule

CLIENT, STRANGER = b"c" * 32, b"s" * 32
NAMES |= {CLIENT: ReplicaId("7" * 32), STRANGER: ReplicaId("8" * 32)}
OTHER = ContractId("e" * 32)
SECRET, AGAIN = InvitationKeys.of(b"1" * 32), InvitationKeys.of(b"2" * 32)
EXPIRES = Millis(5_000)
TERMS = TermsInClear(
    state="active",
    kind="hourly",
    limit_minutes=600,
    manual_allowed=True,
    masking_allowed=True,
    label_required=False,
    rate_minor=6000,
    currency="EUR",
)


def version(kind: str, by: bytes, n: int, contract: ContractId = CONTRACT, **parts: object) -> Header:
    named = {"account": ACCOUNT, "contract": contract, "replica": NAMES[by], "n": n, "head": None}
    return Header(v=1, type=kind, **named, **parts)  # type: ignore[arg-type]


def invitation(
    n: int,
    keys: InvitationKeys = SECRET,
    *,
    by: bytes = LAPTOP,
    contract: ContractId = CONTRACT,
    ends: tuple[ReplicaId, ...] = (),
    expires_at_ms: Millis = EXPIRES,
) -> tuple[Header, bytes]:
    part = InvitationInClear(auth=keys.auth, expires_at_ms=expires_at_ms, ends=ends)
    grant = GrantInClear(to="invitation", epoch=1, invitation=part)
    return version("grant", by, n, contract, grant=grant), b"sealed key"


def joining(
    by: bytes = CLIENT,
    keys: InvitationKeys = SECRET,
    *,
    contract: ContractId = CONTRACT,
    signed_by: InvitationKeys | None = None,
) -> tuple[Header, bytes]:
    seat = SeatInClear(sign=signature.public_of(by).hex(), box="0" * 64, invitation=keys.auth)
    header = version("joining", by, 1, contract, seat=seat)
    return header, sign_joining(header, (signed_by or keys).auth_seed).body or b""


def terms(by: bytes, n: int, contract: ContractId = CONTRACT) -> tuple[Header, bytes]:
    sealed = {"epoch": 1, "commit": "0" * 64}
    return version("terms", by, n, contract, terms=TERMS, **sealed), f"terms {n}".encode()


def reader(before: Callable[[ContractId], Seats] | None = None) -> Reader:
    new = Reader(ACCOUNT, None, {}) if before is None else Reader(ACCOUNT, None, {}, seats_before=before)
    new.check(account_log().page(), None)
    return new


def joined() -> Log:
    """Return a contract's log in which a client has joined."""
    log = Log(CONTRACT)
    log.append(LAPTOP, capture(LAPTOP, 2), invitation(3))
    log.append(CLIENT, joining())
    return log


@rule("R51")
def test_a_client_who_was_invited_joins_and_sets_terms() -> None:
    log = joined()
    log.append(CLIENT, terms(CLIENT, 2))
    log.append(LAPTOP, capture(LAPTOP, 4))
    assert [row.header.type for row in reader().check(log.page(), None)] == [
        "capture",
        "grant",
        "joining",
        "terms",
        "capture",
    ]


@rule("R51")
def test_a_reader_that_goes_on_later_knows_who_joined_before() -> None:
    log = joined()
    log.append(CLIENT, terms(CLIENT, 2))
    first = reader().check(log.page(end=3), None)

    def before(contract: ContractId) -> Seats:
        seats = Seats()
        for row in first:
            if contract == CONTRACT:
                seats.learn(row.header, row.raw, row.row.body or b"", Millis(row.row.received_at_ms))
        return seats

    rows = reader(before).check(log.page(3), Cursor(1, 3))
    assert [row.header.replica for row in rows] == [NAMES[CLIENT]]


@rule("R51")
def test_a_client_who_was_invited_again_writes_on_and_the_old_seat_does_not() -> None:
    log = joined()
    log.append(CLIENT, terms(CLIENT, 2))
    log.append(LAPTOP, invitation(4, AGAIN, ends=(NAMES[CLIENT],)))
    log.append(STRANGER, joining(STRANGER, AGAIN))
    log.append(STRANGER, terms(STRANGER, 2))
    assert len(reader().check(log.page(), None)) == 7
    log.append(CLIENT, terms(CLIENT, 3))
    assert fault(log) == "unlisted_device"


def fault(log: Log) -> str:
    with pytest.raises(FeedFaultError) as found:
        reader().check(log.page(), None)
    return found.value.kind


@rule("R48")
@pytest.mark.parametrize("life", [0, 1], ids=["an entry", "a tombstone"])
def test_what_only_the_freelancer_writes_gives_alarm_from_a_client(life: int) -> None:
    log = joined()
    entry = version(
        "entry",
        CLIENT,
        2,
        slot=Slot(2_990_000),
        life=life,
        manual=False,
        vector={NAMES[CLIENT]: 2},
        epoch=1,
        commit="0" * 64,
    )
    log.append(CLIENT, (entry, b"sealed"))
    assert fault(log) == "wrong_side"


@rule("R48")
def test_a_client_invites_nobody_and_records_nothing() -> None:
    for row in (invitation(2, AGAIN, by=CLIENT), capture(CLIENT, 2)):
        log = joined()
        log.append(CLIENT, row)
        assert fault(log) == "wrong_side"


@rule("R51")
def test_who_was_not_let_in_gives_alarm() -> None:
    bent = {
        "never invited": [(CLIENT, joining(keys=AGAIN))],
        "signed by another secret": [(CLIENT, joining(signed_by=AGAIN))],
        "a second one by the same link": [(CLIENT, joining()), (STRANGER, joining(STRANGER))],
    }
    for name, rows in bent.items():
        log = Log(CONTRACT)
        log.append(LAPTOP, invitation(3))
        for by, row in rows:
            log.append(by, row)
        assert (name, fault(log)) == (name, "bad_joining")
    expired = Log(CONTRACT)
    expired.append(LAPTOP, invitation(3, expires_at_ms=Millis(1_001)))
    expired.append(CLIENT, joining())
    assert fault(expired) == "bad_joining"


@rule("R51")
def test_an_invitation_to_one_contract_lets_nobody_into_another() -> None:
    believes = reader()
    believes.check(joined().page(), None)
    other = Log(OTHER)
    other.append(LAPTOP, capture(LAPTOP, 9, OTHER))
    other.append(CLIENT, terms(CLIENT, 2, OTHER))
    with pytest.raises(FeedFaultError) as found:
        believes.check(other.page(), None)
    assert found.value.kind == "unlisted_device"
    smuggled = Log(OTHER)
    smuggled.append(CLIENT, joining(contract=OTHER))
    with pytest.raises(FeedFaultError) as found:
        believes.check(smuggled.page(), None)
    assert found.value.kind == "bad_joining"


@rule("R51")
def test_a_client_under_a_devices_id_gives_alarm() -> None:
    log = Log(CONTRACT)
    log.append(LAPTOP, invitation(3))
    log.append(LAPTOP, joining(LAPTOP))
    assert fault(log) == "bad_joining"


@rule("R48")
def test_a_client_signs_by_the_key_that_joined_and_no_other() -> None:
    log = joined()
    log.append(CLIENT, terms(CLIENT, 2), seed=STRANGER)
    assert fault(log) == "bad_signature"
