"""Versions, terms and segments made short, for the tests of the rules: one contract, one week."""

from dataclasses import replace
from datetime import datetime
from typing import Any

import msgspec

from diary.rules.contract import TermsHistory, TermsVersion
from diary.rules.ids import AccountId, ContractId, Millis, ReplicaId, Slot
from diary.rules.merge import Held
from diary.rules.sealed_content import CaptureContent, EntryContent, MinuteCounts, Moment, StampedText
from diary.rules.segment import Header, TermsInClear
from diary.rules.timesheet import SegmentView
from diary.rules.week import Week, slot_at

ACCOUNT = AccountId("ac" * 16)
CONTRACT = ContractId("c0" * 16)
OTHER_CONTRACT = ContractId("c1" * 16)
LAPTOP, DESKTOP, PHONE, SPARE = (ReplicaId(letter * 32) for letter in "abcd")
REPLICAS = (LAPTOP, DESKTOP, PHONE, SPARE)
PICTURE = ("11" * 32, 4096)
COMMIT = "22" * 32

WEEK = Week(2026, 47)  # Monday 16 to Sunday 22 November; locked on Monday the 23rd at 12:00 UTC


def ms(text: str) -> Millis:
    """Return the instant of "2026-11-17T09:00Z"."""
    return Millis(round(datetime.fromisoformat(text).timestamp() * 1000))


TUESDAY = ms("2026-11-17T09:00Z")
SLOT = slot_at(TUESDAY)
LOCK = WEEK.locked_at_ms
IN_TIME = ms("2026-11-17T10:00Z")


def capture(
    replica: ReplicaId = LAPTOP, n: int = 1, *, pictures: int = 2, slot: Slot = SLOT, **fields: Any
) -> Header:
    made = Header(
        v=1,
        type="capture",
        account=ACCOUNT,
        contract=CONTRACT,
        replica=replica,
        n=n,
        head=None,
        slot=slot,
        pictures=(PICTURE,) * pictures,
        epoch=1,
        commit=COMMIT,
    )
    return msgspec.structs.replace(made, **fields)


def entry(
    replica: ReplicaId = LAPTOP,
    n: int = 2,
    *,
    covers: dict[ReplicaId, int] | None = None,
    life: int = 0,
    manual: bool = False,
    slot: Slot = SLOT,
    **fields: Any,
) -> Header:
    made = Header(
        v=1,
        type="entry",
        account=ACCOUNT,
        contract=CONTRACT,
        replica=replica,
        n=n,
        head=None,
        slot=slot,
        vector={**(covers or {}), replica: n},
        life=life,
        manual=manual,
        epoch=1,
        commit=COMMIT,
    )
    return msgspec.structs.replace(made, **fields)


def received(header: Header, at_ms: int | None = IN_TIME) -> Held:
    return Held(header, None if at_ms is None else Millis(at_ms))


TERMS = TermsInClear(
    state="active",
    kind="hourly",
    limit_minutes=None,
    manual_allowed=True,
    masking_allowed=True,
    label_required=False,
    rate_minor=6000,
    currency="USD",
)


def terms(**fields: Any) -> TermsInClear:
    return msgspec.structs.replace(TERMS, **fields)


def history(*versions: tuple[str | int, dict[str, Any]]) -> TermsHistory:
    """Return the terms of `("2026-11-01T00:00Z", {"limit_minutes": 60}), ...`; none given: the plain ones."""
    return TermsHistory(
        tuple(
            TermsVersion(terms(**fields), Millis(at) if isinstance(at, int) else ms(at), (LAPTOP, number))
            for number, (at, fields) in enumerate(versions or (("2026-11-01T00:00Z", {}),), 1)
        )
    )


def capture_content(**fields: Any) -> CaptureContent:
    made = CaptureContent(
        contract=CONTRACT,
        slot=SLOT,
        minutes=(MinuteCounts(10, 2, 1, True),) * 10,
        application="Editor",
        title="main.py",
        moment=Moment(wall_ms=TUESDAY, monotonic_ms=5, boot="boot"),
        masked=False,
        no_picture=None,
        roles=("screen", "thumbnail"),
        picture_names=(PICTURE[0],) * 2,
        device="laptop",
    )
    return msgspec.structs.replace(made, **fields)


def entry_content(memo: StampedText | None = None, label: StampedText | None = None) -> EntryContent:
    return EntryContent(contract=CONTRACT, slot=SLOT, memo=memo, label=label)


def said(text: str, at_ms: int, replica: ReplicaId = LAPTOP) -> StampedText:
    return StampedText(text, (at_ms, replica))


SEGMENT = SegmentView(
    contract=CONTRACT,
    contract_title="Shop",
    client="Acme",
    slot=SLOT,
    kind="automatic",
    state="synced",
    memo="tests",
    label="",
    activity=10,
    minutes=(MinuteCounts(10, 2, 1, True),) * 10,
    applications=(),
    titles=(),
    snapshots=(),
    masked=False,
    no_picture=(),
    devices=(),
    received_at_ms=IN_TIME,
    leaf_index=1,
    bills=True,
    why_not=None,
    life=0,
    versions=(),
    defective=False,
    hourly=True,
)


def segment(**fields: Any) -> SegmentView:
    return replace(SEGMENT, **fields)
