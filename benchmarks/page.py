"""What the page adds to the engine's own time, and what a comparison costs beside its slowest strategy.

    RAG_EVAL_DATA=FOLDER python benchmarks/page.py [--quick] [--folder FOLDER] [--json FILE]

The library is that of financebench-dev: 20 filings, 2,458 pages, about 10,900 chunks. It is kept in FOLDER.

page/first-hit     ms from Enter to the first card in the browser; peer: the engine's own search
page/picture       ms from a click to the page's picture, drawn; peer: drawing it without the page
compare/4          ms for four strategies at once; peer: the slowest of them alone, per question
compare/apart      ms for the same four, one after the other; peer: the slowest of them alone
"""

import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from report import Result, arguments, compare, evaluation_data, publish

from ingestion.encoders import builtin_encoder
from ingestion.library import Library
from rag_app.config.environment import stay_offline
from rag_app.config.settings import Settings
from rag_app.evaluation.corpus import open_corpus
from rag_app.evaluation.datasets import read_dataset
from rag_app.service.composition import Assistant

STRATEGIES = ("fusion", "cascade", "colbert", "bm25")
QUESTIONS, QUICK_QUESTIONS = 60, 8
CLICKS, QUICK_CLICKS = 20, 4
CHROMIUM = "/usr/bin/chromium"


def columns(assistant: Assistant, questions: list[str]) -> list[Result]:
    """Time comparisons against the slowest strategy alone. Spaces make a question another one, so that no
    vectors are left from the time before."""
    options = [replace(assistant.options(), strategy=name, top_k=10) for name in STRATEGIES]
    together: list[float] = []
    apart: list[float] = []
    slowest: list[float] = []
    for number, question in enumerate(questions):
        alone = []
        for place, one in enumerate(options):
            began = time.perf_counter()
            assistant.search(question + " " * (place + 1), one)
            alone.append(1000 * (time.perf_counter() - began))
        began = time.perf_counter()
        assistant.compare(question + " " * (len(options) + 1), options)
        took = 1000 * (time.perf_counter() - began)
        if number:  # the first warms up
            together.append(took)
            apart.append(sum(alone))
            slowest.append(max(alone))
    return [
        compare("compare/4", "ms", together, slowest, "slowest alone"),
        compare("compare/apart", "ms", apart, slowest, "slowest alone"),
    ]


def drawing(assistant: Assistant, places: list[tuple[str, int]]) -> list[float]:
    """Return the ms that each page takes to be drawn, none of them drawn before."""
    taken = []
    for document, page in places:
        began = time.perf_counter()
        assistant.pages.view(document, page, [(0, 80)])
        taken.append(1000 * (time.perf_counter() - began))
    return taken


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """Serve the library; yield the address that opens the page once."""
    command = [sys.executable, "-u", "-m", "rag_app", "--data-dir", str(folder), "serve", "--port", "0"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    output = process.stdout
    assert output
    try:
        for line in output:
            if found := re.search(r"http://127\.0\.0\.1:\d+\S*", line):
                threading.Thread(target=lambda: sys.stderr.write(output.read()), daemon=True).start()
                yield found[0]
                return
        sys.exit("the server did not start")
    finally:
        process.terminate()
        process.wait(30)


def clicks(url: str, questions: list[str]) -> tuple[list[float], list[float], list[float]]:
    """Return ms from Enter to the first card, the engine's own ms for it, and ms from click to picture."""
    from playwright.sync_api import sync_playwright

    hits: list[float] = []
    engine: list[float] = []
    pictures: list[float] = []
    with sync_playwright() as started:
        browser = started.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"],
        )
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.goto(url)
        page.locator("#search-only input").check()
        for number, question in enumerate(questions):
            page.fill("#question textarea", question)
            asked = json.dumps(question.strip())
            began = time.perf_counter()
            page.press("#question textarea", "Enter")
            page.wait_for_function(
                "asked => document.querySelector('#sources .asked')?.textContent == asked"
                " && document.querySelector('#sources .card')",
                arg=json.loads(asked),
                polling=5,
            )
            took = 1000 * (time.perf_counter() - began)
            own = page.locator("#sources .summary").inner_text()
            found = re.search(r"in ([\d.]+) (ms|s)", own)
            assert found, own
            began = time.perf_counter()
            page.locator("#sources .card[open] [data-open=page]").first.click()
            page.wait_for_function(
                "() => { const i = document.querySelector('#viewer img'); return i && i.complete "
                "&& i.naturalWidth > 0 }",
                polling=5,
            )
            shown = 1000 * (time.perf_counter() - began)
            page.get_by_label("Close the source").click()
            page.wait_for_function("() => !document.querySelector('#viewer img')")
            if number:
                hits.append(took)
                engine.append(float(found[1]) * (1000 if found[2] == "s" else 1))
                pictures.append(shown)
        browser.close()
    return hits, engine, pictures


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--folder", type=Path, help="where the library is kept; temporary otherwise")
    options = parser.parse_args()
    stay_offline()
    dataset = read_dataset(evaluation_data() / "financebench-dev")
    questions = [one.text for one in dataset.questions]
    asked = questions[: QUICK_QUESTIONS if options.quick else QUESTIONS]
    clicked = questions[: QUICK_CLICKS if options.quick else CLICKS]
    with tempfile.TemporaryDirectory() as temporary:
        with open_corpus(dataset, options.folder or Path(temporary), builtin_encoder()) as corpus:
            folder = corpus.library.folder
        with Library.open(folder, builtin_encoder()) as library:
            assistant = Assistant(Settings(data_dir=folder), library)
            rows = columns(assistant, asked)
            best = [assistant.search(one, assistant.options()).hits[0].chunk for one in clicked]
            drawn = drawing(assistant, [(one.document_id, one.page) for one in best[1:]])
            chunks = sum(document.chunks for document in library.catalogue.documents())
        os.environ["RAG_APP_CONFIG"] = os.devnull
        with served(folder) as url:
            hits, engine, pictures = clicks(url, clicked)
    rows += [
        compare("page/first-hit", "ms", hits, engine, "engine's search"),
        compare("page/picture", "ms", pictures, drawn, "drawing alone"),
    ]
    settings = {
        "chunks": chunks,
        "strategies": list(STRATEGIES),
        "questions": len(asked),
        "clicks": len(clicked),
    }
    publish(rows, settings, options.json)


if __name__ == "__main__":
    main()
