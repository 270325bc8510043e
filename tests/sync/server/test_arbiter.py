"""The arbiter by rule: what is decided, in which order, and whom it does not touch (R25, R37, R40, R44)."""

import copy

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from diary.evidence.receipt import Receipt, Refusal
from diary.rules.contract import TermsHistory, TermsVersion
from diary.rules.devices import DeviceListInClear, ListedDevice
from diary.rules.ids import AccountId, ContractId, Millis, ReplicaId, Slot
from diary.rules.merge import Held, destroyed
from diary.rules.segment import Header
from diary.rules.week import Week, starts_at_ms
from sync.protocol import WireVersion
from sync.server.arbiter import Accepted, Answered, Books, Decision, Known, Refused, judge
from sync.server.pushed import Pushed, read
from tests.rule import rule
from tests.sync.server.versions import (
    ACCOUNT,
    CONTRACT,
    OTHER_ACCOUNT,
    OTHER_CONTRACT,
    REPLICA,
    ROOT,
    SLOT,
    TERMS,
    capture,
    entry,
    terms,
)

LOCK = Week.of(SLOT).locked_at_ms
OPEN = Millis(starts_at_ms(SLOT) + 3_600_000)
OTHER_REPLICA = ReplicaId("4" * 32)


def books(*, replica: ReplicaId = REPLICA, revoked_from: int | None = None, allowed: bool = True) -> Books:
    devices = tuple(
        ListedDevice(replica=item, sign="1" * 64, box="2" * 64, revoked_from=revoked_from)
        for item in (REPLICA, OTHER_REPLICA)
    )
    clear = type(TERMS)(
        **{**{name: getattr(TERMS, name) for name in TERMS.__struct_fields__}, "manual_allowed": allowed}
    )
    return Books(
        account=ACCOUNT,
        replica=replica,
        devices=DeviceListInClear(number=1, root=ROOT, recovery="3" * 64, signer="root", devices=devices),
        contracts={CONTRACT},
        terms={CONTRACT: TermsHistory((TermsVersion(clear, Millis(0), (REPLICA, 1)),))},
    )


def pushed(header: Header, *, body: bytes | None = b"sealed") -> Pushed:
    wrap = b"wrap" if body is not None and header.type in {"capture", "entry", "terms"} else None
    return read(WireVersion(header=header.to_bytes().decode(), body=body, wrap=wrap))


def word(decision: Decision) -> str:
    match decision:
        case Accepted():
            return "accepted"
        case Answered():
            return "answered"
        case Refused(reason):
            return reason


def receipt(header: Header, at_ms: int = OPEN) -> Receipt:
    return Receipt(
        replica=header.replica,
        n=header.n,
        contract=header.contract,
        log_epoch=1,
        index=0,
        received_at_ms=at_ms,
        leaf="0" * 64,
    )


def enter(item: Pushed, into: Books, at_ms: Millis) -> Decision:
    decision = judge(item, into, at_ms)
    if isinstance(decision, Accepted):
        into.accept(item, decision.header, receipt(decision.header, at_ms))
    return decision


instants = st.integers(0, LOCK * 2).map(Millis)
small_ids = st.sampled_from([REPLICA, OTHER_REPLICA])


@rule("R40")
@given(at_ms=instants, revoked=st.booleans(), n=st.integers(1, 9), deletes=st.booleans())
def test_a_known_name_is_answered_before_every_other_check(
    at_ms: Millis, *, revoked: bool, n: int, deletes: bool
) -> None:
    item = pushed(entry(n, life=int(deletes)))
    held = books(revoked_from=1 if revoked else None)
    first = Refusal(replica=REPLICA, n=n, reason="week_locked", because="", refused_at_ms=0)
    held.known[n] = Known(item.header_hash, item.body_hash, first)
    assert judge(item, held, at_ms) == Answered(first)
    emptied = pushed(entry(n, life=int(deletes)), body=None)
    assert judge(emptied, held, at_ms) == Answered(first)


@rule("R42")
@given(at_ms=instants, slot=st.integers(0, 2**20))
def test_a_known_name_with_other_content_is_always_reused(at_ms: Millis, slot: int) -> None:
    item, held = pushed(capture(3)), books()
    held.known[3] = Known(item.header_hash, item.body_hash, receipt(capture(3)))
    assert word(judge(pushed(capture(3, slot=slot)), held, at_ms)) == "version_reused"
    assert word(judge(pushed(capture(3), body=b"other"), held, at_ms)) == "version_reused"


@rule("R37")
@given(before_ms=st.integers(0, 5 * 86_400_000), after_ms=st.integers(0, 10**12))
def test_the_lock_alone_decides_about_an_edit(before_ms: int, after_ms: int) -> None:
    held = books()
    enter(pushed(capture(2)), held, OPEN)
    edit = pushed(entry(3))
    at_ms = max(OPEN, LOCK - 1 - before_ms)
    assert word(judge(edit, held, Millis(at_ms))) == "accepted"
    assert word(judge(edit, held, Millis(LOCK + after_ms))) == "week_locked"


@given(at_ms=instants, n=st.integers(1, 5), life=st.integers(0, 3), manual=st.booleans())
def test_judging_changes_nothing_and_is_repeatable(at_ms: Millis, n: int, life: int, *, manual: bool) -> None:
    held = books()
    enter(pushed(capture(1)), held, OPEN)
    before = copy.deepcopy(held)
    item = pushed(entry(n, life=life, manual=manual))
    assert judge(item, held, at_ms) == judge(item, held, at_ms)
    assert (held.known, held.standing, held.contracts, held.terms) == (
        before.known,
        before.standing,
        before.contracts,
        before.terms,
    )


bad_rows = st.sampled_from(
    [
        read(WireVersion(header="", body=None, wrap=None)),
        read(WireVersion(header='{"n":900}', body=None, wrap=None)),
        pushed(capture(901, account=OTHER_ACCOUNT)),
        pushed(capture(902, contract=OTHER_CONTRACT)),
        pushed(capture(903, replica=OTHER_REPLICA)),
        pushed(capture(904, slot=2**27)),
        pushed(terms(905), body=None),
        read(WireVersion(header=capture(906).to_bytes().decode(), body=b"x", wrap=None)),
    ]
)


@rule("R44")
@given(bad=st.lists(st.tuples(st.integers(0, 4), bad_rows), max_size=6))
def test_a_bad_row_never_fails_its_neighbours(bad: list[tuple[int, Pushed]]) -> None:
    good = [pushed(capture(1)), pushed(entry(2)), pushed(capture(3, slot=SLOT - 1)), pushed(entry(4, life=1))]
    alone = books()
    expected = [enter(item, alone, OPEN) for item in good]
    mixed: list[Pushed] = list(good)
    for place, item in bad:
        mixed.insert(place, item)
    together = books()
    found = [(item, enter(item, together, OPEN)) for item in mixed]
    assert [decision for item, decision in found if any(item is one for one in good)] == expected
    assert all(isinstance(made, Refused) for item, made in found if all(item is not one for one in good))


acts = st.lists(
    st.tuples(small_ids, st.sampled_from(["capture", "edit", "delete", "again"]), st.booleans()), max_size=12
)


@rule("R25")
@settings(max_examples=200)
@given(acts=acts, order=st.randoms(use_true_random=False))
def test_what_is_destroyed_step_by_step_is_what_the_whole_says(
    acts: list[tuple[ReplicaId, str, bool]], order: "object"
) -> None:
    written: list[Header] = []
    seen: dict[ReplicaId, int] = {}
    life = 0
    for number, (replica, act, knows) in enumerate(acts, start=1):
        if act == "capture":
            written.append(capture(number, replica=replica))
            continue
        if (act == "delete" and life % 2 == 0) or (act == "again" and life % 2 == 1):
            life += 1
        vector = {**(seen if knows or life else {}), replica: number}
        own = seen.get(replica)
        vector = {**({replica: own} if own else {}), **vector, replica: number}
        written.append(
            entry(number, life=life, replica=replica, manual=life > 1 and life % 2 == 0, vector=vector)
        )
        seen = {**seen, replica: number}
    held = books()
    gone: set[tuple[ReplicaId, int]] = set()
    accepted: list[Held] = []
    for header in written:
        held.replica = header.replica
        held.known = {}
        decision = enter(pushed(header), held, OPEN)
        if isinstance(decision, Accepted):
            accepted.append(Held(header, OPEN))
            assert not gone & set(decision.destroys)
            gone |= set(decision.destroys)
    assert gone == {item.header.name for item in destroyed(accepted)}


@rule("R44")
def test_a_deletion_is_refused_by_no_limit() -> None:
    held = books()
    vector = {}
    for n in range(1, 202):
        vector[REPLICA] = n
        last = enter(pushed(entry(n, vector=dict(vector))), held, OPEN)
    assert word(last) == "too_many_versions"
    assert word(enter(pushed(entry(300, life=1, vector={REPLICA: 300})), held, OPEN)) == "accepted"


@pytest.mark.parametrize(
    ("header", "body", "expected"),
    [
        (capture(1, account=AccountId("5" * 32)), b"x", "not_yours"),
        (capture(1, contract=OTHER_CONTRACT), b"x", "unknown_contract"),
        (terms(1, contract=OTHER_CONTRACT), b"x", "accepted"),
        (terms(1), None, "bad_header"),
        (capture(1, contract=ContractId(ACCOUNT)), b"x", "bad_header"),
        (capture(1, slot=SLOT + 1000), b"x", "slot_in_future"),
        (capture(1), None, "accepted"),
        (entry(1, life=4), b"x", "bad_header"),
        (entry(1, stamp=(OPEN + 10_000_000, REPLICA)), b"x", "clock_ahead"),
    ],
)
def test_each_refusal_has_its_word(header: Header, body: bytes | None, expected: str) -> None:
    assert word(judge(pushed(header, body=body), books(), OPEN)) == expected


@rule("R40")
@pytest.mark.parametrize("reason", ["slot_in_future", "clock_ahead"])
def test_what_the_device_mends_itself_is_not_stored(reason: str) -> None:
    late = entry(1, stamp=(OPEN + 10_000_000, REPLICA))
    header = capture(1, slot=SLOT + 1000) if reason == "slot_in_future" else late
    assert judge(pushed(header), books(), OPEN) == Refused(reason, _any_text(header), stored=False)


def _any_text(header: Header) -> str:
    decision = judge(pushed(header), books(), OPEN)
    assert isinstance(decision, Refused)
    assert decision.because
    return decision.because


@rule("R21")
def test_manual_time_without_permission_is_refused_for_good() -> None:
    decision = judge(pushed(entry(1, manual=True)), books(allowed=False), OPEN)
    assert isinstance(decision, Refused)
    assert (decision.reason, decision.stored) == ("manual_not_allowed", True)


def test_another_accounts_contract_is_not_this_ones() -> None:
    held = books()
    held.foreign = {OTHER_CONTRACT}
    assert word(judge(pushed(terms(1, contract=OTHER_CONTRACT)), held, OPEN)) == "not_yours"


@rule("R50")
@given(n=st.integers(1, 20), revoked_from=st.integers(1, 20))
def test_versions_from_the_revocation_on_do_not_count(n: int, revoked_from: int) -> None:
    decision = judge(pushed(capture(n)), books(revoked_from=revoked_from), OPEN)
    assert word(decision) == ("accepted" if n < revoked_from else "device_revoked")


@rule("R35")
def test_a_capture_that_comes_after_the_deletion_is_refused_before_the_lock_too() -> None:
    held = books()
    enter(pushed(capture(1)), held, OPEN)
    enter(pushed(entry(2, life=1)), held, OPEN)
    held.replica = OTHER_REPLICA
    late = capture(3, replica=OTHER_REPLICA, slot=Slot(SLOT))
    assert word(judge(pushed(late), held, OPEN)) == "slot_deleted"
