"""The page with a model that has trained weights: its answer streams, is cited, and can be read."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tests.helpers.paths import SAMPLES
from tests.helpers.real_model import pulled_model

pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

from playwright.sync_api import expect

from tests.helpers.page import Server, ask, opened, screenshot, serving, upload

if TYPE_CHECKING:
    from playwright.sync_api import Browser

# The same model is asked past the page in tests/rag_app/test_real_model.py.
pytestmark = [pytest.mark.slow, pytest.mark.soak]


@pytest.fixture(scope="module")
def server(browser: "Browser", tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("model")
    model = pulled_model(folder / "data")
    with serving(folder / "data", folder / "tmp", RAG_APP_LLM=str(model)) as started:
        yield started


def test_its_answer_is_text_with_sources(browser: "Browser", server: Server) -> None:
    with opened(browser, server) as page:
        upload(page, SAMPLES / "bi-encoders.pdf", SAMPLES / "colbert.pdf")
        answer = ask(page, "Who proposed ColBERT?")
        expect(page.locator("#conversation .stamp").last).to_contain_text("gemma-3-270m-q4_k_m.gguf")
        assert "<source" not in answer
        assert "Source 1 (" not in answer
        expect(page.locator("#sources mark").first).to_be_visible()
        screenshot(page, "real-model")
