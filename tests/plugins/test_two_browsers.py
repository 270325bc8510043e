"""Two browsers at one segment: neither takes away unseen what the other wrote (R26)."""

import pytest
from playwright.sync_api import BrowserContext, expect

from tests.plugins.conftest import MORNING, Served
from tests.rule import rule

pytestmark = pytest.mark.browser


@rule("R26")
def test_who_saves_second_sees_what_stands_and_may_still_put_theirs_there(
    served: Served, signed_in: BrowserContext
) -> None:
    path = served.address(served.segment_path((served.contract.id, MORNING[0])))
    first, second = signed_in.new_page(), signed_in.new_page()
    for page in (first, second):
        page.goto(path)
        page.get_by_role("textbox", name="Memo").fill("begun")
    first.get_by_role("textbox", name="Memo").fill("From the first")
    first.get_by_role("button", name="Save").click()
    expect(first.locator("#said")).to_contain_text("Saved for 1 segment.")
    second.get_by_role("textbox", name="Memo").fill("From the second")
    second.get_by_role("button", name="Save").click()
    expect(second.get_by_text("It was changed elsewhere meanwhile")).to_contain_text("From the first")
    expect(second.get_by_role("textbox", name="Memo")).to_have_value("From the second")
    assert served.memo_at(MORNING[0]) == "From the first"
    second.get_by_role("button", name="Save").click()
    expect(second.locator("#said")).to_contain_text("Saved for 1 segment.")
    assert served.memo_at(MORNING[0]) == "From the second"


@rule("R26")
def test_memo_and_label_changed_in_two_browsers_both_stay(served: Served, signed_in: BrowserContext) -> None:
    place = (served.contract.id, MORNING[1])
    first, second = signed_in.new_page(), signed_in.new_page()
    for page in (first, second):
        page.goto(served.address(served.segment_path(place)))
    first.get_by_role("combobox", name="Label").select_option("Review")
    first.get_by_role("button", name="Save").click()
    expect(first.locator("#said")).to_contain_text("Saved for 1 segment.")
    second.get_by_role("textbox", name="Memo").fill("Only the memo")
    second.get_by_role("button", name="Save").click()
    expect(second.locator("#said")).to_contain_text("Saved for 1 segment.")
    found = served.diary.segment(place)
    assert found is not None
    assert (found.memo, found.label) == ("Only the memo", "Review")


@rule("R25")
def test_an_edit_of_what_another_browser_removed_says_so_and_brings_nothing_back(
    served: Served, signed_in: BrowserContext
) -> None:
    place = (served.contract.id, MORNING[2])
    page = signed_in.new_page()
    page.goto(served.address("/-/diary/day/2026-11-18"))
    page.locator(f'input[value="{place[0]}/{place[1]}"]').check()
    page.get_by_role("button", name="Edit memo or label").click()
    served.diary.remove([place])
    page.get_by_role("textbox", name="Memo").fill("Too late")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Nothing is selected that could be edited.")).to_be_visible()
    assert served.memo_at(MORNING[2]) is None
