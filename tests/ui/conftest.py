"""A browser for the tests that need one, where there is one."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ingestion.encoders import Encoder
from ingestion.library import Library
from ingestion.pipeline.ingest import ingest
from tests.helpers.paths import SAMPLES

if TYPE_CHECKING:
    from playwright.sync_api import Browser

CHROMIUM = Path("/usr/bin/chromium")


# One for each file: Playwright keeps an event loop running while a browser is open; others want their own.
@pytest.fixture(scope="module")
def browser() -> "Iterator[Browser]":
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if not CHROMIUM.exists():
        pytest.skip(f"{CHROMIUM} is missing; install Debian's chromium")
    with playwright.sync_playwright() as started:
        launched = started.chromium.launch(
            executable_path=CHROMIUM,
            args=[
                "--no-sandbox",
                "--disable-dev-shm-usage",
                "--disable-gpu",
                "--disable-background-networking",
            ],
        )
        yield launched
        launched.close()


@pytest.fixture(scope="session")
def samples_library(tmp_path_factory: pytest.TempPathFactory, encoder: Encoder) -> Path:
    """The folder of a closed library that holds the samples as PDFs. Servers serve copies."""
    folder = tmp_path_factory.mktemp("samples") / "data"
    with Library.open(folder, encoder) as library:
        assert all(one.status == "ok" for one in ingest(library, sorted(SAMPLES.glob("*.pdf"))))
    return folder
