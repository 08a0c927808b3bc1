"""An empty conversation in a real browser: files dropped anywhere, questions to begin with."""

import base64
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.helpers.commands import Command
from tests.helpers.paths import SAMPLES

pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

from playwright.sync_api import Page, expect

from tests.helpers.page import (
    PATIENCE,
    PHONE,
    accessibility,
    open_page,
    opened,
    row,
    screenshot,
    serving,
)

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.slow

# Drags a file over the page's heading, and drops it there.
DRAG = """([name, content, drops]) => {
  const bytes = Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0));
  const data = new DataTransfer();
  data.items.add(new File([bytes], name, { type: "text/markdown" }));
  const place = document.querySelector("#header h1");
  for (const kind of drops ? ["dragover", "drop"] : ["dragover"])
    place.dispatchEvent(new DragEvent(kind, { dataTransfer: data, bubbles: true, cancelable: true }));
}"""


def drag(page: Page, file: Path, *, drops: bool) -> None:
    page.evaluate(DRAG, [file.name, base64.b64encode(file.read_bytes()).decode(), drops])


def test_files_are_dropped_anywhere_and_questions_come_from_them(browser: "Browser", tmp_path: Path) -> None:
    with (
        serving(tmp_path / "data", tmp_path / "tmp", RAG_APP_LLM="extractive") as server,
        opened(browser, server) as page,
    ):
        conversation = page.locator("#conversation")
        expect(conversation).to_contain_text("Drop your files anywhere on this page")
        screenshot(page, "first-empty")
        drag(page, SAMPLES / "bi-encoders.md", drops=False)
        expect(page.locator("#drop-note")).to_have_text("Drop the files to add them to your documents.")
        expect(page.locator("#drop-note")).to_be_hidden()  # they were dragged away again
        drag(page, SAMPLES / "bi-encoders.md", drops=True)
        expect(row(page, "bi-encoders.md")).to_contain_text("done: 1 page", timeout=PATIENCE)
        expect(conversation).to_contain_text("1 document is here.")
        expect(conversation).not_to_contain_text("sample")  # it was uploaded: it is this person's own

        first = conversation.locator("a.first")
        expect(first.first).to_have_text("When should I use a bi-encoder?", timeout=PATIENCE)
        screenshot(page, "first-questions")
        assert accessibility(page) == []
        first.first.focus()
        page.keyboard.press("Enter")
        expect(conversation.locator(".question")).to_have_text("When should I use a bi-encoder?")
        expect(conversation.locator(".reply").first).to_contain_text("right first stage", timeout=PATIENCE)
        expect(first).to_have_count(0)
        page.locator("#clear").click()
        expect(first.first).to_have_text("When should I use a bi-encoder?")
        page.set_viewport_size(PHONE)
        # Looked at until it is so: the questions are drawn again when the page has looked for changes.
        page.wait_for_function(
            "() => document.querySelector('#conversation a.first')?.getBoundingClientRect().height >= 44",
            timeout=PATIENCE,
        )
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
        screenshot(page, "first-questions-phone")
        open_page(page, "Library")
        expect(page.locator("#library-table")).to_contain_text("bi-encoders.md")
        drag(page, SAMPLES / "colbert.md", drops=True)
        expect(page.locator("#library-queue")).to_contain_text("colbert.md", timeout=PATIENCE)


@pytest.mark.soak
def test_samples_say_that_they_are_samples(browser: "Browser", tmp_path: Path, run: Command) -> None:
    folder = tmp_path / "docs" / "samples"
    folder.mkdir(parents=True)
    shutil.copy(SAMPLES / "colbert.pdf", folder)
    run("--data-dir", tmp_path / "data", "ingest", folder)
    with (
        serving(tmp_path / "data", tmp_path / "tmp", RAG_APP_LLM="extractive") as server,
        opened(browser, server, scheme="dark") as page,
    ):
        expect(page.locator("#conversation")).to_contain_text("1 document is here. It is a sample")
        expect(page.locator("#documents")).to_contain_text("3 pages · sample")
        expect(page.locator("#conversation a.first").first).to_be_visible(timeout=PATIENCE)
        screenshot(page, "first-samples-dark")
        open_page(page, "Library")
        expect(page.locator("#library-table")).to_contain_text("sample document")
