"""A headless Chromium for the tests that go through pages as a person does."""

import os
import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.services import WITHOUT_SERVICES

_NAMES = ("chromium", "chromium-browser", "google-chrome")
_OPTIONS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    found = next((path for name in _NAMES if (path := shutil.which(name))), None)
    if found is None:
        if os.environ.get(WITHOUT_SERVICES) == "1":
            # The variable allows the tests to skip what they cannot fetch.
            pytest.skip(f"{WITHOUT_SERVICES}=1, and there is no Chromium")
        pytest.fail("There is no Chromium for this test: apt-get install chromium")
    # Its event loop belongs to the thread until it ends: for longer, no other test could run one of its own.
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=_OPTIONS)
        yield browser
        browser.close()


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    """A page without cookies of earlier tests."""
    with chromium.new_context() as context:
        yield context.new_page()
