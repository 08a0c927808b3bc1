"""Take the pictures of the guides: each page of the UI, with the sample documents, in headless Chromium.

Run by hand after the page has changed: python docs/scripts/screenshots.py [NAME …]
"""

import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

DOCS = Path(__file__).parent.parent
SAMPLES = sorted((DOCS / "samples").glob("*.pdf"))
QUESTION = "What constant does reciprocal rank fusion use, and who proposed it?"
JUDGEMENTS = (
    ("How much time did Sentence-BERT save?", "bi-encoders.pdf", 1),
    ("What is MaxSim?", "colbert.pdf", 1),
    ("Who proposed reciprocal rank fusion?", "bi-encoders.pdf", 3),
)
_WAIT = 60_000.0  # milliseconds
_RAG_APP = [sys.executable, "-m", "rag_app"]


@contextmanager
def served() -> Iterator[str]:
    """Serve a library of the samples, with judgements, and yield the page's address."""
    with tempfile.TemporaryDirectory(prefix="rag-app-pictures-") as data:
        command = [*_RAG_APP, "--data-dir", data]
        subprocess.run([*command, "ingest", *map(str, SAMPLES)], check=True)
        for question, document, page in JUDGEMENTS:
            said = ["judge", "add", question, "--document", document, "--page", str(page)]
            subprocess.run([*command, *said], check=True)
        process = subprocess.Popen(
            [*command, "serve", "--port", "0"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        try:
            assert process.stdout is not None
            yield next(found[0] for line in process.stdout if (found := re.search(r"http://\S+", line)))
        finally:
            process.terminate()
            process.wait(30)


def chat(page: Page) -> None:
    page.fill("#question textarea", QUESTION)
    page.keyboard.press("Enter")
    page.wait_for_selector("#sources mark", timeout=_WAIT)
    page.wait_for_selector("#conversation .stamp", timeout=_WAIT)
    page.locator("#conversation a", has_text="[1]").first.click()
    page.wait_for_timeout(3000)


def library(page: Page) -> None:
    page.wait_for_selector("#library-table table", timeout=_WAIT)
    page.wait_for_timeout(1500)


def document(page: Page) -> None:
    page.locator("#library-table").get_by_text("colbert.pdf").first.click()
    page.wait_for_timeout(3000)


def compare(page: Page) -> None:
    page.fill("#compare-question textarea", QUESTION)
    page.click("#compare-send")
    page.wait_for_selector("#voting", timeout=_WAIT)
    page.wait_for_timeout(1500)


def evaluate(page: Page) -> None:
    page.click("#evaluate-run")
    page.wait_for_selector("#evaluate-tables table", timeout=_WAIT)
    page.wait_for_timeout(1500)


def inspect(page: Page) -> None:
    page.click("#inspect-work")
    page.wait_for_selector("#worked table", timeout=_WAIT)
    page.wait_for_timeout(1500)


def models(page: Page) -> None:
    page.wait_for_selector("#models-list table, #models-list li", timeout=_WAIT)
    page.wait_for_timeout(1500)


PICTURES: dict[str, Callable[[Page], None]] = {
    "chat": chat, "library": library, "document": document, "compare": compare,
    "evaluate": evaluate, "inspect": inspect, "models": models,
}  # fmt: skip
# The page of a picture with another name.
PAGES = {"document": "library"}


def main(names: Sequence[str]) -> None:
    """Write docs/pictures/NAME.png for each name, by default for all."""
    with served() as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        context = browser.new_context(viewport={"width": 1280, "height": 860})
        context.new_page().goto(address)  # it opens the page once; the context is known from then on
        for name in names or PICTURES:
            page = context.new_page()
            page.goto(f"{address.partition('?')[0]}?tab={PAGES.get(name, name)}")
            page.wait_for_timeout(1500)
            PICTURES[name](page)
            shown = Image.open(BytesIO(page.screenshot())).convert("RGB")
            shown.quantize(128, dither=Image.Dither.NONE).save(
                DOCS / "pictures" / f"{name}.png", optimize=True
            )
            page.close()
            print(json.dumps({"wrote": f"docs/pictures/{name}.png"}))
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1:])
