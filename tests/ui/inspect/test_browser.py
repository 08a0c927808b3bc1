"""The Inspect page in headless Chromium: the worked example, stored passages, a question's way."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

from playwright.sync_api import expect

from tests.helpers.page import (
    PATIENCE,
    PHONE,
    Server,
    accessibility,
    open_page,
    opened,
    screenshot,
    serving,
)

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.slow

QUESTION = "What constant does reciprocal rank fusion use, and who proposed it?"


@pytest.fixture(scope="module")
def server(
    browser: "Browser", samples_library: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("inspect")
    shutil.copytree(samples_library, folder / "data")
    with serving(folder / "data", folder / "tmp") as started:
        yield started


def show_page(page: "Page") -> None:
    open_page(page, "Inspect")
    expect(page.locator("#worked .cosines tbody tr")).to_have_count(3, timeout=PATIENCE)
    expect(page.locator("#stored .matrix img")).to_be_visible()


def picture(page: "Page", name: str) -> None:
    """Take a picture of the whole page, however long it is."""
    page.evaluate("window.scrollTo(0, 0)")
    height = page.evaluate("document.documentElement.scrollHeight")
    size = page.viewport_size
    assert size
    page.set_viewport_size({"width": size["width"], "height": height})
    screenshot(page, name)
    page.set_viewport_size(size)


def test_examples_own_texts_a_stored_passage_and_a_question(browser: "Browser", server: Server) -> None:
    with opened(browser, server) as page:
        show_page(page)
        expect(page.locator("#worked .best")).to_have_count(3)
        expect(page.locator("#worked .sum")).to_contain_text("MaxSim =")
        expect(page.locator("#stored")).to_contain_text("encoded now")

        page.get_by_label("Passage", exact=True).first.fill("He lives in <b>Chicago</b>")
        page.get_by_label("Query").fill("Where is his home?")
        page.get_by_label("Query").press("Enter")
        expect(page.locator("#worked .cosines thead")).to_contain_text("Chicago", timeout=PATIENCE)
        page.locator("#inspect-passage textarea").fill(" ")
        page.locator("#inspect-work").click()
        expect(page.locator("#worked")).to_contain_text("The passage is empty", timeout=PATIENCE)
        page.locator("#inspect-query textarea").fill("Barack Obama birthplace")
        page.locator("#inspect-passage textarea").fill("Obama was born in Honolulu, Hawaii")
        page.locator("#inspect-work").click()
        expect(page.locator("#worked .best")).to_have_count(3)

        page.locator("#inspect-document input").click()
        page.get_by_role("option", name="colbert.pdf").click()
        expect(page.locator("#stored")).to_contain_text("colbert.pdf, page 1, passage 1", timeout=PATIENCE)
        page.locator("#inspect-place input").fill("2")
        page.locator("#inspect-place input").press("Enter")
        expect(page.locator("#stored")).to_contain_text("passage 2, as it is stored", timeout=PATIENCE)

        expect(page.locator("#inspect-collection input")).to_have_value("default")
        page.locator("#inspect-question textarea").fill(QUESTION)
        page.locator("#inspect-question textarea").press("Enter")
        expect(page.locator("#trace .step")).to_have_count(9, timeout=PATIENCE)
        expect(page.locator("#trace .step.many .stage")).to_have_count(2)
        expect(page.locator("#trace .said")).to_contain_text("Cormack")
        expect(page.locator("#trace .time").first).to_have_text(re.compile(r"[\d.]+ m?s"))
        picture(page, "inspect-desktop")
        assert not accessibility(page)


@pytest.mark.soak
def test_phone(browser: "Browser", server: Server) -> None:
    with opened(browser, server, PHONE) as page:
        show_page(page)
        page.locator("#inspect-question textarea").fill(QUESTION)
        page.locator("#inspect-ask").click()
        expect(page.locator("#trace .step")).to_have_count(9, timeout=PATIENCE)
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
        picture(page, "inspect-phone")


@pytest.mark.soak
def test_dark(browser: "Browser", server: Server) -> None:
    with opened(browser, server, scheme="dark") as page:
        show_page(page)
        page.locator("#inspect-document input").click()
        page.get_by_role("option", name="bi-encoders.pdf").click()
        expect(page.locator("#stored")).to_contain_text("bi-encoders.pdf, page 1", timeout=PATIENCE)
        page.locator("#inspect-question textarea").fill(QUESTION)
        page.locator("#inspect-ask").click()
        expect(page.locator("#trace .step")).to_have_count(9, timeout=PATIENCE)
        picture(page, "inspect-dark")
        assert not accessibility(page)
