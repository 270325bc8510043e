"""What every storage keeps of what the parties say to each other (R10, R62, R69)."""

import pytest

from diary.clock import GivenClock
from diary.rules.act_parts import DisputeInClear, RequestInClear
from diary.rules.segment import Header
from sync.server.storage import Question, Storage
from tests.rule import rule
from tests.sync.server.versions import (
    ACCOUNT,
    CONTRACT,
    OTHER_CONTRACT,
    REPLICA,
    SLOT,
    append,
    capture,
    terms,
)


def act(kind: str, n: int, **parts: object) -> Header:
    named = {"account": ACCOUNT, "contract": CONTRACT, "replica": REPLICA, "n": n}
    return Header(v=1, type=kind, head=None, **named, **parts)  # type: ignore[arg-type]


ASKED = act("request", 4, request=RequestInClear(kind="manual_time"))
DISPUTED = act("dispute", 5, dispute=DisputeInClear(act="replied", slots=(SLOT,)))


@rule("R69")
@pytest.mark.parametrize("folded", [False, True], ids=["asked alone", "asked with the rest"])
def test_acts_come_in_log_order_with_their_receipt(
    storage: Storage, clock: GivenClock, *, folded: bool
) -> None:
    with storage.hold(ACCOUNT) as hold:
        append(hold, terms(2), capture(3), ASKED, terms(6, contract=OTHER_CONTRACT))
        first_ms = hold.received_at_ms
    clock.put(first_ms + 5)
    with storage.hold(ACCOUNT) as hold:
        append(hold, DISPUTED)
    with storage.hold(ACCOUNT) as hold:
        both = frozenset({CONTRACT, OTHER_CONTRACT})
        asked = Question(replica=REPLICA, ns=frozenset(), places=frozenset(), contracts=both, parties=both)
        found = hold.basis(asked).acts if folded else hold.acts(both)
    assert [(held.header, held.received_at_ms) for held in found[CONTRACT]] == [
        (ASKED, first_ms),
        (DISPUTED, first_ms + 5),
    ]
    assert found[OTHER_CONTRACT] == []
