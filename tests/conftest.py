"""What holds for all tests."""

import os
from collections.abc import Iterator

import pytest
from hypothesis import settings
from playwright.sync_api import Browser, Playwright, expect, sync_playwright

# How long an example takes is the machine's business: other work on it must not fail a property.
settings.register_profile("on any machine", deadline=None)
settings.load_profile("on any machine")
# A machine for tests may have it set, and a user's has not: what waits in a buffer must fail here too.
os.environ.pop("PYTHONUNBUFFERED", None)
EXPECT_MILLIS_MAX = 30_000  # a page comes in a tenth of a second, and in ten beside many other tests


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    """Run the one driver of browsers that a process may have."""
    with sync_playwright() as running:
        expect.set_options(timeout=EXPECT_MILLIS_MAX)
        yield running


@pytest.fixture(scope="session")
def chromium(playwright: Playwright) -> Iterator[Browser]:
    """Run one Chromium for all tests of pages."""
    browser = playwright.chromium.launch(
        executable_path="/usr/bin/chromium", args=["--no-sandbox", "--disable-gpu"]
    )
    yield browser
    browser.close()
