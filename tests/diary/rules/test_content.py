"""What a segment says and shows (R14, R36, R47)."""

from itertools import permutations
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from diary.rules.content import agrees, merged
from diary.rules.ids import Millis
from diary.rules.sealed_content import CaptureContent, EntryContent, MinuteCounts, Moment, StampedText
from diary.rules.segment import Header
from tests.diary.rules.made import (
    CONTRACT,
    DESKTOP,
    LAPTOP,
    OTHER_CONTRACT,
    PHONE,
    PICTURE,
    REPLICAS,
    SLOT,
    TUESDAY,
    capture,
    capture_content,
    entry,
    entry_content,
    said,
)
from tests.rule import rule

counts = st.none() | st.integers(0, 50)
minutes = st.none() | st.builds(MinuteCounts, counts, counts, counts, st.booleans())
captured = st.lists(st.tuples(*[minutes] * 10), max_size=4)
stamps = st.tuples(st.integers(0, 3), st.sampled_from(REPLICAS))
texts = st.none() | st.builds(StampedText, st.sampled_from(["", "a", "b"]), stamps)
written = st.lists(st.tuples(texts, texts), max_size=4)


def at(wall_ms: int) -> Moment:
    return Moment(wall_ms=Millis(wall_ms), monotonic_ms=0, boot="boot")


def captures_of(rows: list[tuple[MinuteCounts | None, ...]]) -> list[tuple[Header, CaptureContent]]:
    return [
        (capture(replica, 1), capture_content(minutes=row, moment=at(TUESDAY - number), device=replica[0]))
        for number, (replica, row) in enumerate(zip(REPLICAS, rows, strict=False))
    ]


def entries_of(
    rows: list[tuple[StampedText | None, StampedText | None]],
) -> list[tuple[Header, EntryContent]]:
    return [(entry(REPLICAS[number], 2), entry_content(*row)) for number, row in enumerate(rows)]


@rule("R36")
@given(captured, written, st.randoms(use_true_random=False))
def test_the_order_of_contents_changes_nothing(
    minutes_: list[tuple[MinuteCounts | None, ...]], texts_: list[Any], chance: Any
) -> None:
    captures, entries = captures_of(minutes_), entries_of(texts_)
    expected = merged(captures, entries)
    chance.shuffle(captures)
    chance.shuffle(entries)
    assert merged(captures, entries) == expected


@rule("R36")
@given(captured)
def test_counts_add_up_minute_by_minute_and_a_minute_is_active_if_it_was_on_any_device(
    rows: list[tuple[MinuteCounts | None, ...]],
) -> None:
    content = merged(captures_of(rows), [])
    for index in range(10):
        column = [row[index] for row in rows]
        tracked = [minute for minute in column if minute is not None]
        minute = content.minutes[index]
        assert (minute is None) == (not tracked)
        if minute is not None:
            assert (minute.keystrokes or 0) == sum(one.keystrokes or 0 for one in tracked)
            assert (minute.clicks is None) == all(one.clicks is None for one in tracked)
            assert minute.is_active == any(one.is_active for one in tracked)
    active = [
        any(minute is not None and minute.is_active for minute in column)
        for column in zip(*rows, strict=True)
    ]
    assert content.activity == active.count(True)


@rule("R36")
@given(written)
def test_memo_and_label_are_each_the_one_with_the_greatest_stamp(rows: list[Any]) -> None:
    content = merged([], entries_of(rows))
    for chosen, said_ in (
        (content.memo, [row[0] for row in rows]),
        (content.label, [row[1] for row in rows]),
    ):
        known = [text for text in said_ if text is not None]
        assert (chosen is None) == (not known)
        if chosen is not None:
            assert chosen in known
            assert all(chosen.stamp >= text.stamp for text in known)


@rule("R36")
def test_memo_and_label_merge_apart() -> None:
    one = entry_content(memo=said("laptop's", 5), label=said("design", 1))
    other = entry_content(memo=said("desktop's", 4, DESKTOP), label=said("tests", 2, DESKTOP))
    content = merged([], [(entry(LAPTOP), one), (entry(DESKTOP), other)])
    assert content.memo == said("laptop's", 5)
    assert content.label == said("tests", 2, DESKTOP)


@rule("R36")
def test_an_unset_memo_takes_nothing_from_one_that_was_set_and_an_emptied_one_does() -> None:
    old = (entry(LAPTOP), entry_content(memo=said("old", 5)))
    assert merged([], [old, (entry(DESKTOP), entry_content())]).memo == said("old", 5)
    assert merged([], [old, (entry(DESKTOP), entry_content(memo=said("", 6)))]).memo == said("", 6)


@rule("R36")
def test_all_snapshots_are_kept_the_earlier_first() -> None:
    shots = [
        (
            capture(replica, 1, pictures=2),
            capture_content(moment=at(TUESDAY + moment), device=device, title=device, application="Editor"),
        )
        for replica, moment, device in ((LAPTOP, 9, "late"), (DESKTOP, 1, "early"), (PHONE, 5, "between"))
    ]
    for order in permutations(shots):
        content = merged(order, [])
        assert [shot.device for shot in content.snapshots] == ["early", "between", "late"]
        assert content.titles == content.devices == ("early", "between", "late")
        assert content.applications == ("Editor",)
    assert {shot.screen for shot in merged(shots, []).snapshots} == {PICTURE[0]}


@rule("R36")
def test_a_capture_may_hold_several_snapshots_each_with_its_own_pictures() -> None:
    names = tuple((f"{number:064x}", 4096) for number in range(5))
    roles = ("screen", "thumbnail", "camera", "screen", "thumbnail")
    seen = capture_content(roles=roles, picture_names=tuple(name for name, _ in names))
    header = msgspec.structs.replace(capture(), pictures=names)
    assert [
        (shot.screen[-1], shot.thumbnail[-1], shot.camera[-1:])
        for shot in merged([(header, seen)], []).snapshots
    ] == [("0", "1", "2"), ("3", "4", "")]


@rule("R16")
def test_a_capture_without_a_picture_says_why_and_shows_no_snapshot() -> None:
    why = capture_content(no_picture="the screen was locked", roles=(), picture_names=(), masked=False)
    content = merged([(capture(pictures=0), why), (capture(DESKTOP, pictures=0), why)], [])
    assert content.no_picture == ("the screen was locked",)
    assert content.snapshots == ()


@rule("R22")
def test_a_segment_is_masked_if_any_of_its_captures_is() -> None:
    plain, masked = capture_content(), capture_content(masked=True)
    assert merged([(capture(), plain), (capture(DESKTOP), masked)], []).masked
    assert not merged([(capture(), plain)], []).masked


@rule("R36")
def test_nothing_said_and_nothing_seen_is_empty() -> None:
    content = merged([], [])
    assert (content.minutes, content.activity) == ((None,) * 10, 0)
    assert (content.memo, content.label, content.snapshots, content.masked) == (None, None, (), False)


@rule("R47")
@pytest.mark.parametrize(
    ("fields", "honest"),
    [
        ({}, True),
        ({"slot": SLOT + 1}, False),
        ({"contract": OTHER_CONTRACT}, False),
        ({"picture_names": (PICTURE[0],)}, False),
        ({"picture_names": ("33" * 32,) * 2}, False),
        ({"roles": ("screen",)}, False),
        ({"minutes": (None,) * 9}, False),
    ],
)
def test_a_capture_that_disagrees_with_its_header_is_defective_and_still_shown(
    fields: dict[str, Any], *, honest: bool
) -> None:
    content = capture_content(**fields)
    assert agrees(capture(), content) is honest
    assert len(merged([(capture(), content)], []).minutes) == 10


@rule("R47")
def test_an_entry_that_disagrees_with_its_headers_stamp_is_defective() -> None:
    header = entry(stamp=(5, LAPTOP))
    assert agrees(header, entry_content(memo=said("a", 4), label=said("b", 5)))
    assert not agrees(header, entry_content(memo=said("a", 6)))
    assert not agrees(header, entry_content())
    assert agrees(entry(), EntryContent(contract=CONTRACT, slot=SLOT, memo=None, label=None))
