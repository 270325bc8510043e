"""Where a picture is blacked out: values only."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capture.edges import ActiveWindow, Box, VisibleWindow
from capture.privacy import Privacy, in_picture, look
from diary.rules.private import PrivateRule
from tests.rule import rule

BANK = PrivateRule(words="bank")
BOXES = st.tuples(
    st.integers(-500, 4000), st.integers(-500, 2500), st.integers(1, 3000), st.integers(1, 2000)
)


@rule("R22")
@given(
    boxes=st.frozensets(BOXES, max_size=4),
    left=st.integers(0, 2000),
    top=st.integers(0, 1000),
    scale=st.sampled_from([1.0, 1.25, 1.5, 2.0]),
)
def test_every_pixel_of_a_private_window_lies_in_a_box_and_every_box_in_the_picture(
    boxes: frozenset[Box], left: int, top: int, scale: float
) -> None:
    width, height = 1920, 1080
    masked = in_picture(boxes, left, top, scale, (width, height))
    assert all(x >= 0 and y >= 0 and x + w <= width and y + h <= height for x, y, w, h in masked)
    for x, y, w, h in boxes:
        for px, py in (
            (x, y),
            (x + w - 1, y),
            (x, y + h - 1),
            (x + w - 1, y + h - 1),
            (x + w // 2, y + h // 2),
        ):
            # A pixel of the whole covers `scale` pixels of the picture: its first and its last.
            for at_x, at_y in (
                (int((px - left) * scale), int((py - top) * scale)),
                (int((px + 1 - left) * scale) - 1, int((py + 1 - top) * scale) - 1),
            ):
                if 0 <= at_x < width and 0 <= at_y < height:
                    assert any(a <= at_x < a + c and b <= at_y < b + d for a, b, c, d in masked), (x, y, w, h)


@rule("R22")
def test_a_box_beside_the_picture_masks_nothing() -> None:
    assert in_picture(frozenset({(0, 0, 640, 800)}), 640, 0, 1.0, (640, 800)) == ()


@rule("R22")
def test_a_look_knows_private_windows_by_place_and_the_active_one_by_name() -> None:
    windows = (
        VisibleWindow("Editor", "ledger", (0, 0, 500, 500)),
        VisibleWindow("Firefox", "My Bank", (200, 200, 300, 300)),
    )
    seen = look(Privacy((BANK,)), ActiveWindow("Firefox", "My Bank"), windows)
    assert (seen.boxes, seen.is_active_private) == (frozenset({(200, 200, 300, 300)}), True)
    seen = look(Privacy((BANK,)), ActiveWindow("Editor", "ledger"), windows)
    assert (len(seen.boxes or ()), seen.is_active_private) == (1, False)


@rule("R22")
@pytest.mark.parametrize(
    ("privacy", "windows"),
    [
        (Privacy((BANK,)), None),
        (Privacy(None), ()),
        (Privacy(None), (VisibleWindow("E", "l", (0, 0, 9, 9)),)),
    ],
)
def test_where_places_or_rules_are_not_known_nothing_is_known_to_be_public(
    privacy: Privacy, windows: tuple[VisibleWindow, ...] | None
) -> None:
    assert look(privacy, ActiveWindow("Editor", "ledger"), windows).boxes is None


@rule("R22")
def test_rules_that_cannot_be_read_hide_every_title() -> None:
    assert Privacy(None).hides(ActiveWindow("Editor", "ledger"))
    assert not Privacy().hides(ActiveWindow("Editor", "ledger"))
