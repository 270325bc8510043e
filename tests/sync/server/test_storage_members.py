"""What every storage keeps of an agency's members, and shows of one account to another (R61, R69)."""

from diary.clock import GivenClock
from diary.evidence.statement import SignedStatement
from diary.rules.ids import AccountId, ContractId, Millis
from diary.rules.membership import MembershipInClear
from diary.rules.segment import Header
from diary.rules.stays import stays
from sync.server.kept_log import NewSeal
from sync.server.storage import Storage
from tests.rule import rule
from tests.sync.server.versions import ACCOUNT, CONTRACT, REPLICA, append, capture, terms

AGENCY = AccountId("a9" * 16)
LOCK = Millis(1_795_435_200_000)


def membership(n: int, contract: ContractId = CONTRACT, *, ends: bool = False) -> Header:
    part = MembershipInClear(account=ACCOUNT, contract=contract, ends=ends)
    own = ContractId(AGENCY)
    return Header(
        v=1, type="membership", account=AGENCY, contract=own, replica=REPLICA, n=n, head=None, membership=part
    )


@rule("R61")
@rule("R69")
def test_memberships_come_in_log_order_with_their_receipt_and_only_their_accounts(
    storage: Storage, clock: GivenClock
) -> None:
    other = ContractId("b" * 32)
    with storage.hold(AGENCY) as hold:
        hold.open_account("0" * 64)
        append(hold, membership(1), membership(2, other))
        first_ms = hold.received_at_ms
    clock.put(first_ms + 5)
    with storage.hold(AGENCY) as hold:
        append(hold, membership(3, ends=True))
    with storage.hold(ACCOUNT) as hold:
        append(hold, terms(2), capture(3))
        assert hold.memberships() == []
        found = hold.beside(AGENCY).memberships()
    assert [(held.header.n, held.received_at_ms) for held in found] == [
        (1, first_ms),
        (2, first_ms),
        (3, first_ms + 5),
    ]
    assert [(one.contract, one.from_ms, one.until_ms) for one in stays(found)] == [
        (CONTRACT, first_ms, first_ms + 5),
        (other, first_ms, None),
    ]


@rule("R61")
@rule("R57")
def test_another_account_is_seen_as_it_was_committed(storage: Storage) -> None:
    seal = SignedStatement(text="{}", signature=bytes(64))
    with storage.hold(ACCOUNT) as hold:
        append(hold, terms(2), capture(3))
        hold.keep_seals([NewSeal(CONTRACT, 1, "2026-W47", seal)])
        hold.note_sealed(LOCK)
        received_at_ms = hold.received_at_ms
    with storage.hold(AGENCY) as hold:
        beside = hold.beside(ACCOUNT)
        assert beside.sealed_until_ms == LOCK
        assert beside.newest_seals("2026-W47") == {CONTRACT: seal}
        assert [one.received_at_ms for one in beside.terms([CONTRACT])[CONTRACT]] == [received_at_ms]
        assert hold.newest_seals("2026-W47") == {}


@rule("R61")
def test_an_account_that_is_not_open_here_has_nothing_to_show(storage: Storage) -> None:
    with storage.hold(ACCOUNT) as hold:
        beside = hold.beside(AGENCY)
        assert (beside.sealed_until_ms, beside.memberships(), dict(beside.all_logs())) == (0, [], {})
