"""A camera's frame on the pages: a picture of its own, after the screen (R13)."""

import msgspec
import pytest
from playwright.sync_api import Page, expect

from diary.rules.ids import Slot
from diary.rules.week import starts_at_ms
from tests.plugins.conftest import MORNING, Served, screen
from tests.practice import draft_of
from tests.rule import rule

pytestmark = pytest.mark.browser


@rule("R13")
def test_the_camera_s_frame_is_shown_apart_from_the_screen(served: Served, page: Page) -> None:
    at = Slot(MORNING[-1] + 1)
    served.clock.put(max(served.clock.now_ms(), starts_at_ms(Slot(at + 1))))
    draft = draft_of(served.contract, at, replica=served.diary.replica)
    pictures = (
        ("screen", screen(at)),
        ("thumbnail", screen(at, 320, 180)),
        ("camera", screen(at, 160, 120)),
    )
    place = served.diary.record(msgspec.structs.replace(draft, pictures=pictures))
    page.goto(served.address(served.segment_path(place)))
    figures = page.locator(".pictures figure")
    expect(figures).to_have_count(2)
    expect(figures.nth(0)).to_contain_text("Screen at")
    expect(figures.nth(1)).to_contain_text("Camera at")
    widths = [each.evaluate("one => one.naturalWidth") for each in figures.locator("img").all()]
    assert widths == [640, 160]
