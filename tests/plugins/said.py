"""What a page says of an act, where a screen reader hears it."""

from playwright.sync_api import Locator, Page


def said(page: Page) -> Locator:
    """Return the one place where a page says how an act ended.

    Named by more than its role: a picture's zoom has a status of its own once its module has run, and a test
    that is slow enough would meet both.
    """
    return page.locator("#said").and_(page.get_by_role("status"))
