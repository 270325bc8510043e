"""The report: the same sums as the command's, over any days, by mouse and by keyboard (R31)."""

import csv
import io
from datetime import date
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Page, expect

from datasette_work_diary.report_page import report_page, stretches
from diary.evidence.table_text import table
from diary.reporting import Days, segments_of_days
from diary.rules.ids import ContractId
from diary.rules.report import Key, Sum, columns, row, sums_by
from tests.plugins.conftest import HOSTILE_MEMO, Served
from tests.plugins.views import reading
from tests.practice import slot
from tests.rule import rule

REPORT = "/-/diary/report"
NOVEMBER = Days(date(2026, 11, 1), date(2026, 11, 30))
ASKED = "from=2026-11-01&to=2026-11-30"


@rule("R31")
def test_the_line_of_what_does_not_bill_is_no_part_of_the_sum() -> None:
    sums = [Sum(("2026-11-18",), segments=9, billable=6), Sum(("2026-11-19",), segments=3, billable=3)]
    page = report_page(NOVEMBER, ("day",), sums, (), None, reading())
    assert [(line.billable, line.not_billed) for line in page.lines] == [("1:00", "0:30"), ("0:30", "")]
    assert (page.together, page.not_billed) == ("1:30", "0:30")
    assert page.lines[0].cells[0].href == "/-/diary/day/2026-11-18"


@rule("R52")
def test_an_address_holds_days_and_ids_and_nothing_that_anybody_wrote() -> None:
    contract = ContractId("a" * 32)
    sums = [Sum(("Orchard", "Secret label"), segments=1, billable=1)]
    page = report_page(NOVEMBER, ("contract", "label"), sums, (), contract, reading())
    assert page.csv_href == f"{REPORT}.csv?{ASKED}&by=contract,label&contract={contract}"
    assert "Secret" not in page.csv_href + page.json_href + "".join(one.value for one in page.stretches)


@pytest.mark.parametrize(
    ("days", "heading"),
    [
        (NOVEMBER, "1–30 November 2026"),
        (Days(date(2026, 11, 18), date(2026, 11, 18)), "18 November 2026"),
        (Days(date(2026, 10, 1), date(2026, 11, 30)), "1 October – 30 November 2026"),
        (Days(date(2025, 11, 1), date(2026, 11, 1)), "1 November 2025 – 1 November 2026"),
    ],
)
def test_the_heading_says_the_days(days: Days, heading: str) -> None:
    assert report_page(days, ("day",), (), (), None, reading()).heading == heading


def test_the_stretches_asked_for_often_end_where_they_say() -> None:
    named = dict(stretches(date(2026, 12, 31)))
    assert named["This week"] == Days(date(2026, 12, 28), date(2027, 1, 3))
    assert named["This month"] == Days(date(2026, 12, 1), date(2026, 12, 31))
    assert named["Last month"] == NOVEMBER
    assert named["This year"] == Days(date(2026, 1, 1), date(2026, 12, 31))


@pytest.mark.browser
@rule("R31")
def test_sums_of_a_month_are_asked_for_by_mouse_and_taken_away_as_csv(served: Served, page: Page) -> None:
    free = served.diary.new_contract(title="Free advice", kind="fixed_price", manual_allowed=True)
    served.diary.add_manual(free.id, [slot("2026-11-18T11:10Z")], "Advice")
    page.goto(served.address("/-/diary"))
    page.get_by_role("navigation", name="Diary").get_by_role("link", name="Report").click()
    page.get_by_label("From").fill("2026-11-01")
    page.get_by_label("To, with this day").fill("2026-11-30")
    page.get_by_label("Sums by").select_option(label="Contract and label")
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Report: 1–30 November 2026")
    expect(page.get_by_role("row", name="Together")).to_contain_text("1:40")
    expect(page.get_by_role("row", name="Does not bill").last).to_contain_text("0:10")
    with page.expect_download() as coming:
        page.get_by_role("link", name="CSV").click()
    assert coming.value.suggested_filename == "report-2026-11-01-to-2026-11-30.csv"
    keys: tuple[Key, ...] = ("contract", "label")
    sums = sums_by(keys, segments_of_days(served.diary, NOVEMBER, ZoneInfo("UTC")), ZoneInfo("UTC"))
    text = coming.value.path().read_text(encoding="utf-8")
    assert text.split() == table(columns(keys), map(row, sums)).split()
    told = page.request.get(served.address(f"{REPORT}.json?{ASKED}&by=contract,label")).json()
    assert [str(one["minutes"]) for one in told] == [
        line["minutes"] for line in csv.DictReader(io.StringIO(text))
    ]


@pytest.mark.browser
@rule("R31")
def test_one_contract_is_summed_up_by_keyboard_alone(served: Served, page: Page) -> None:
    served.diary.new_contract(title="Quiet contract")
    page.goto(served.address(f"{REPORT}?{ASKED}&by=label"))
    expect(page.get_by_role("row", name="Development")).to_contain_text("1:30")
    page.get_by_label("Contract").focus()
    page.keyboard.type("Quiet")
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Show")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_text("Nothing was recorded in these days.")).to_be_visible()


@pytest.mark.browser
def test_what_makes_no_report_is_said_and_a_label_with_markup_is_text(served: Served, page: Page) -> None:
    answer = page.request.get(served.address(f"{REPORT}?from=2026-12-01&to=2026-11-01"))
    assert answer.status == 409
    assert "the last day is before the first" in answer.text()
    assert page.request.get(served.address(f"{REPORT}.json?by=colour")).json()["status"] == 409
    served.diary.change_terms(served.contract.id, title=HOSTILE_MEMO)
    page.goto(served.address(f"{REPORT}?{ASKED}&by=contract"))
    expect(page.locator(".sums")).to_contain_text('<script>document.title="owned"</script>')
    expect(page).to_have_title("Report · Work diary")
