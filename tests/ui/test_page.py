"""The page as it is built, without a browser: what it offers to whom."""

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from ingestion.encoders import Encoder
from ingestion.library import Library
from rag_app.assistant import Assistant
from rag_app.settings import Settings
from tests.conftest import SAMPLES
from ui.app import build
from ui.background import Job, Workers
from ui.choices import strategy_choices, strategy_help
from ui.documents import Documents


@pytest.fixture
def assistant(library: Library, tmp_path: Path) -> Assistant:
    return Assistant(Settings(data_dir=tmp_path / "library"), library)


@pytest.fixture
def config(assistant: Assistant) -> dict[str, Any]:
    """What the browser is told of the page.

    Without a running loop Gradio makes some and leaves them open; a thread, because Playwright's runs here.
    """

    async def built() -> dict[str, Any]:
        return dict(build(assistant).get_config_file())

    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, built()).result()


def test_no_handler_is_an_endpoint(config: dict[str, Any]) -> None:
    handlers = config["dependencies"]
    assert handlers
    assert {handler["api_visibility"] for handler in handlers} == {"private"}


def test_the_page_names_no_other_host(config: dict[str, Any]) -> None:
    shown = json.dumps([item["props"] for item in config["components"]], default=str)
    assert "http://" not in shown
    assert "https://" not in shown


def test_a_strategy_that_cannot_be_used_is_explained(stocked: Library, encoder: Encoder) -> None:
    stocked.close()
    segment = sorted((stocked.folder / "tokens").iterdir())[0]
    segment.write_bytes(segment.read_bytes()[:100])
    with Library.open(stocked.folder, encoder) as damaged:
        states = Assistant(Settings(data_dir=stocked.folder), damaged).strategies()
    offered = [name for name, _ in strategy_choices(states)]
    assert "colbert" not in offered
    assert "mean" in offered
    (chosen, _), *unusable = strategy_help(states, "mean")
    assert chosen == "mean"
    (reason,) = {words for name, words in unusable if name in ("colbert", "cascade")}
    assert reason.startswith("is not available: the token vectors of ")
    assert "rag-app repair" in reason


def test_uploads_are_deleted_whatever_becomes_of_them(assistant: Assistant, tmp_path: Path) -> None:
    received = tmp_path / "received"
    good, bad = received / "a" / "bi-encoders.md", received / "b" / "broken.pdf"
    for file, content in ((good, (SAMPLES / "bi-encoders.md").read_bytes()), (bad, b"no PDF")):
        file.parent.mkdir(parents=True)
        file.write_bytes(content)
    folder = tmp_path / "uploads"
    folder.mkdir()
    documents = Documents(assistant, Workers(), folder)
    taken = documents.take([(good, "C:\\files\\John's <notes>.md"), (bad, "../..")])
    assert not list(received.rglob("*"))
    *_, (rows, _) = documents.ingest(taken, Job())
    assert [row.mood for row in rows] == ["done", "failed"]
    assert [document.path for document in documents.listed()] == ["upload:John's <notes>.md"]
    assert taken[1].name == "broken.pdf"
    assert not list(folder.iterdir())


def test_cancelled_uploads_are_deleted_and_said_to_be_cancelled(assistant: Assistant, tmp_path: Path) -> None:
    file = tmp_path / "received" / "bi-encoders.md"
    file.parent.mkdir()
    file.write_bytes((SAMPLES / "bi-encoders.md").read_bytes())
    documents = Documents(assistant, Workers(), tmp_path)
    (taken,) = documents.take([(file, file.name)])
    job = Job()
    job.stop()
    *_, (rows, _) = documents.ingest([taken], job)
    assert [row.words for row in rows] == ["cancelled"]
    assert documents.listed() == []
    assert not taken.exists()
