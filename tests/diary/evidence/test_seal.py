"""What a frozen week comes to, and the seal under it (R37b, R57)."""

import hashlib
from collections.abc import Sequence

import msgspec
import pytest

from diary.errors import PeerError
from diary.evidence.head import LogHead, read_head, sign_head
from diary.evidence.seal import (
    Reckoning,
    Records,
    Seal,
    SealedSlot,
    differing,
    overlapping,
    read_seal,
    reckon,
    says_the_same,
    sign_seal,
)
from diary.evidence.statement import BrokenStatementError, ForgedStatementError, SignedStatement
from diary.rules.ids import ContractId, Slot
from diary.rules.merge import Held
from tests.diary.rules.made import (
    CONTRACT,
    DESKTOP,
    LAPTOP,
    LOCK,
    OTHER_CONTRACT,
    SLOT,
    WEEK,
    capture,
    entry,
    history,
    ms,
    received,
)
from tests.rule import rule
from tests.vector_file import vectors

FAULTS: dict[str, type[PeerError]] = {"bad_signature": ForgedStatementError, "broken": BrokenStatementError}
LATER = Slot(SLOT + 1)


class Case(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    public: str
    text: str
    signature: str
    expect: str
    seed: str = ""

    @property
    def signed(self) -> SignedStatement:
        return SignedStatement(text=self.text, signature=bytes.fromhex(self.signature))


class HeadCase(Case, frozen=True, kw_only=True):
    head: LogHead | None = None


class SealCase(Case, frozen=True, kw_only=True):
    seal: Seal | None = None


class DigestCase(msgspec.Struct, frozen=True):
    name: str
    leaves: list[str]
    digest: str


class SealFile(msgspec.Struct, frozen=True):
    heads: list[HeadCase]
    seals: list[SealCase]
    digests: list[DigestCase]


FILE = vectors("seal", SealFile)


def held(*versions: Held, beside: Sequence[Held] = ()) -> Records:
    return Records(
        held={CONTRACT: versions, OTHER_CONTRACT: beside},
        histories={CONTRACT: history(), OTHER_CONTRACT: history()},
    )


def slots(records: Records, of: ContractId = CONTRACT) -> list[SealedSlot]:
    return list(reckon(WEEK, records)[of].slots)


@rule("R57")
@pytest.mark.parametrize("case", FILE.seals, ids=lambda case: case.name)
def test_a_seal_is_read_only_as_the_server_signed_it(case: SealCase) -> None:
    key = bytes.fromhex(case.public)
    if case.expect != "verifies":
        with pytest.raises(FAULTS[case.expect]):
            read_seal(case.signed, key)
        return
    assert case.seal is not None
    assert read_seal(case.signed, key) == case.seal
    # One of before there were digests is read for ever, and made no more.
    if case.seal.reckoning.has_digests:
        assert sign_seal(case.seal, bytes.fromhex(case.seed)) == case.signed


@rule("R57")
@pytest.mark.parametrize("case", FILE.digests, ids=lambda case: case.name)
def test_a_slots_digest_is_over_the_leaves_of_its_rows_in_their_order(case: DigestCase) -> None:
    rows = [received(entry(n=3 + at)) for at in range(len(case.leaves) - 1)]
    logged = [
        msgspec.structs.replace(row, leaf=bytes.fromhex(leaf))
        for row, leaf in zip([received(capture()), *rows], case.leaves, strict=True)
    ]
    late = msgspec.structs.replace(received(entry(n=30), LOCK), leaf=b"\x01" * 32)
    assert [slot.digest for slot in slots(held(*logged, late))] == [case.digest]
    assert [slot.digest for slot in slots(held(*reversed(logged)))] != [case.digest] or len(logged) == 1


@rule("R57")
def test_a_memo_that_is_kept_back_makes_another_week_than_was_sealed() -> None:
    rows = [
        msgspec.structs.replace(row, leaf=bytes([at]) * 32)
        for at, row in enumerate(
            [received(capture()), received(entry(n=3)), received(capture(n=4, slot=LATER))]
        )
    ]
    sealed = reckon(WEEK, held(*rows))[CONTRACT]
    without = reckon(WEEK, held(rows[0], rows[2]))[CONTRACT]
    assert without.billable == sealed.billable
    assert says_the_same(sealed, sealed)
    assert not says_the_same(sealed, without)
    assert differing(sealed, without) == [SLOT]


@rule("R57")
def test_a_seal_of_before_there_were_digests_is_held_to_what_it_says() -> None:
    rows = [msgspec.structs.replace(received(capture()), leaf=b"\x07" * 32)]
    old, now = reckon(WEEK, held(received(capture())))[CONTRACT], reckon(WEEK, held(*rows))[CONTRACT]
    assert (old.has_digests, now.has_digests) == (False, True)
    assert says_the_same(old, now)
    assert not says_the_same(msgspec.structs.replace(old, billable=2), now)
    assert not says_the_same(now, old)
    assert not says_the_same(old, None)


@rule("R56")
@pytest.mark.parametrize("case", FILE.heads, ids=lambda case: case.name)
def test_a_head_is_read_only_as_the_server_signed_it(case: HeadCase) -> None:
    key = bytes.fromhex(case.public)
    if case.expect != "verifies":
        with pytest.raises(FAULTS[case.expect]):
            read_head(case.signed, key)
        return
    assert case.head is not None
    assert read_head(case.signed, key) == case.head
    assert sign_head(case.head, bytes.fromhex(case.seed)) == case.signed


@rule("R57")
def test_a_week_comes_to_its_billable_segments_and_their_amount() -> None:
    manual = entry(n=3, manual=True, slot=LATER)
    found = reckon(WEEK, held(received(capture()), received(manual)))[CONTRACT]
    assert (found.billable, found.amount_minor, found.terms.currency) == (2, 2000, "USD")
    assert found.slots == (
        SealedSlot(SLOT, "automatic", "synced", True, None),
        SealedSlot(LATER, "manual", "synced", True, None),
    )


@rule("R37b")
def test_what_the_log_received_from_the_lock_on_is_not_in_the_frozen_record() -> None:
    deleted_late = entry(n=3, covers={}, life=1)
    late = capture(n=4, slot=LATER)
    records = held(received(capture()), received(deleted_late, LOCK), received(late, LOCK))
    assert slots(records) == [SealedSlot(SLOT, "automatic", "synced", True, None)]


@rule("R37b")
def test_every_order_of_the_rows_makes_the_same_record() -> None:
    rows = [received(capture()), received(entry(n=3)), received(entry(DESKTOP, 2, life=1))]
    assert (
        slots(held(*rows))
        == slots(held(*reversed(rows)))
        == [SealedSlot(SLOT, None, "deleted", False, "deleted")]
    )


@rule("R28")
def test_who_knows_one_contract_alone_takes_overlapping_as_it_is_stated() -> None:
    first, second = received(capture()), received(capture(DESKTOP, contract=OTHER_CONTRACT), LOCK - 1)
    server = reckon(WEEK, held(first, beside=[second]))
    stated = overlapping(server[OTHER_CONTRACT])
    assert stated == {SLOT}
    alone = Records(
        held={OTHER_CONTRACT: [second]}, histories={OTHER_CONTRACT: history()}, overlapping=stated
    )
    assert reckon(WEEK, alone)[OTHER_CONTRACT] == server[OTHER_CONTRACT]


@rule("R28")
def test_what_could_never_bill_is_not_called_overlapping_whatever_is_stated() -> None:
    forbidden = history(("2026-11-01T00:00Z", {"manual_allowed": False}))
    records = Records(
        held={CONTRACT: [received(entry(manual=True))]},
        histories={CONTRACT: forbidden},
        overlapping={SLOT},
    )
    assert [slot.why_not for slot in slots(records)] == ["manual_not_allowed"]


@rule("R57")
def test_a_week_without_rows_before_its_lock_comes_to_nothing() -> None:
    assert reckon(WEEK, held(received(capture(), LOCK))) == {}
    assert reckon(WEEK.next(), held(received(capture()))) == {}
    assert reckon(WEEK, held(received(capture(LAPTOP, slot=SLOT), None))) == {}


@rule("R61")
def test_the_amount_is_rounded_once_half_up() -> None:
    odd = {CONTRACT: history((ms("2026-11-01T00:00Z"), {"rate_minor": 1001}))}
    rows = [received(capture(n=number, slot=Slot(SLOT + number))) for number in range(1, 4)]
    found: Reckoning = reckon(WEEK, Records(held={CONTRACT: rows}, histories=odd))[CONTRACT]
    assert (found.billable, found.amount_minor) == (3, 501)


@rule("R56")
def test_the_vectors_roots_are_hashes() -> None:
    assert all(
        case.head is None or len(case.head.root) == 2 * hashlib.sha256().digest_size for case in FILE.heads
    )
