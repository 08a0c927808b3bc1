"""The Evaluate page in headless Chromium: lists, runs, results, downloads, on real documents."""

import csv
import io
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

from playwright.sync_api import expect

from retrievers.strategies import STRATEGIES
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

# On the samples: 24 questions, so that something can be said of them, and one of hostile text.
ANSWERS = [
    ("Who proposed reciprocal rank fusion?", "Cormack"),
    ("What constant does reciprocal rank fusion use?", "60"),
    ("How does late interaction score a passage?", "MaxSim"),
    ("Which model is the built-in one distilled from?", "MiniLM"),
    ("What does a bi-encoder store?", "vector"),
    ("What does a cross-encoder read?", "together"),
]
ENDS = ("", " Say it shortly.", " Please", " I wonder")
NOTE_CHANGES = """(progress) => {
  window.said = [];
  const note = () => window.said.push(progress.textContent);
  new MutationObserver(note).observe(progress, {childList: true, subtree: true, characterData: true});
}"""
HOSTILE = "<img src=http://evil.example/x.png onerror=alert(1)> fusion | Cormack"


@pytest.fixture(scope="module")
def server(
    browser: "Browser", samples_library: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("evaluate")
    shutil.copytree(samples_library, folder / "data")
    with serving(folder / "data", folder / "tmp") as started:
        yield started


def show_page(page: "Page") -> None:
    open_page(page, "Evaluate")
    chosen = page.locator("#evaluate-strategies input:checked")
    expect(chosen).to_have_count(len(STRATEGIES), timeout=PATIENCE)


def test_a_list_is_checked_cancelled_run_and_exported(
    browser: "Browser", server: Server, tmp_path: Path
) -> None:
    rows = [f"{question}{end}\t{answer}" for question, answer in ANSWERS for end in ENDS]
    rows += [HOSTILE, "Who wrote it?\tnowhere.pdf\t3", "What is alone?"]
    questions = tmp_path / "mine.tsv"
    questions.write_text("\n".join(rows), "utf-8")
    with opened(browser, server) as page:
        show_page(page)
        expect(page.locator("#evaluate-judged")).to_contain_text("Nothing was judged yet")
        expect(page.locator("#evaluate-said")).to_contain_text("Nothing was evaluated yet")
        screenshot(page, "evaluate-empty")
        run, progress = page.locator("#evaluate-run"), page.locator("#evaluate-progress")
        run.click()
        message = page.locator("#evaluate-message")
        expect(message).to_contain_text("No passage is judged as relevant yet", timeout=PATIENCE)

        page.get_by_text("Question list", exact=True).first.click()
        page.set_input_files("#evaluate input[type=file]", str(questions))
        expect(page.locator("#evaluate-checked")).to_contain_text("2 lines cannot be used", timeout=PATIENCE)
        expect(page.locator("#evaluate-checked")).to_contain_text(
            "no searched document is named 'nowhere.pdf'"
        )
        assert not server.received()

        run.click()
        expect(page.locator("#evaluate-message")).to_contain_text("Run again to evaluate the 25 questions")
        run.click()
        page.locator("#evaluate-cancel").click()
        expect(progress).to_contain_text("Cancelled", timeout=PATIENCE)

        progress.evaluate(NOTE_CHANGES)
        run.click()
        expect(progress).not_to_be_empty()
        screenshot(page, "evaluate-running")
        expect(page.locator("#evaluate-said .said")).to_be_visible(timeout=PATIENCE)
        # The page asks how far it is once in a while: a quick stage may have passed in between.
        assert re.search(rf"\d of (25 questions|{len(STRATEGIES)})", page.evaluate("window.said.join()"))
        expect(page.locator("#evaluate-tables .charts svg")).to_have_count(4)
        expect(page.locator("#evaluate-tables tbody").first.locator("tr")).to_have_count(len(STRATEGIES))
        assert page.locator("#evaluate img").count() == 0
        screenshot(page, "evaluate-desktop")
        assert accessibility(page) == []

        with page.expect_download() as downloading:
            page.locator("#evaluate-downloads").get_by_text("questions.csv").click()
        found = list(csv.DictReader(io.StringIO(downloading.value.path().read_text("utf-8"))))
        assert len(found) == len(STRATEGIES) * 25
        with page.expect_download() as downloading:
            page.locator("#evaluate-downloads").get_by_text("qrels.trec").click()
        assert downloading.value.path().read_text("utf-8").startswith("q1 0 ")
    assert {file.parent.parent for file in server.received()} == {server.data / "temporary" / "results"}
    assert len(server.received()) == 5  # the result's files, until the next one or the server's end


def test_a_page_that_is_opened_later_sees_the_result(browser: "Browser", server: Server) -> None:
    with opened(browser, server, scheme="dark") as page:
        show_page(page)
        expect(page.locator("#evaluate-said .said")).to_be_visible(timeout=PATIENCE)
        screenshot(page, "evaluate-dark")
        assert accessibility(page) == []
        page.set_viewport_size(PHONE)
        page.emulate_media(color_scheme="light")
        page.reload()
        show_page(page)
        expect(page.locator("#evaluate-said .said")).to_be_visible(timeout=PATIENCE)
        page.locator("#evaluate-said").scroll_into_view_if_needed()
        screenshot(page, "evaluate-phone")
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
