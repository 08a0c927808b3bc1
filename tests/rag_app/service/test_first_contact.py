"""Questions to begin with are tried before they are offered, on a real library."""

import pytest

from ingestion.library import Library
from ingestion.pipeline.ingest import ingest
from rag_app.config.settings import Settings
from rag_app.service.composition import Assistant
from rag_app.service.first_contact import FirstQuestions
from tests.helpers.paths import SAMPLES

pytestmark = pytest.mark.slow


def looked(first: FirstQuestions, collection: str = "default") -> tuple[str, ...]:
    """Return the questions of a collection when all have been tried."""
    first.of(collection)
    if first._thread is not None:
        first._thread.join()
    return first.of(collection)


def test_what_is_offered_is_answered_by_its_own_page(stocked: Library) -> None:
    assistant = Assistant(Settings(data_dir=stocked.folder, llm="extractive"), stocked)
    library = assistant.library
    list(ingest(library, [SAMPLES / "bi-encoders.md", SAMPLES / "colbert.md"]))
    before = len(assistant.receipts.list())
    found = looked(assistant.first_questions)
    assert "When should I use a bi-encoder?" in found
    assert len(found) == len(set(found)) <= 3
    for question in found:
        assert not assistant.questions.repeat(question, assistant.options())[0].abstained
    assert (len(assistant.receipts.list()), assistant.conversations.list()) == (before, [])
    # The same library has the same questions.
    again = Assistant(Settings(data_dir=stocked.folder, llm="extractive"), library)
    assert looked(again.first_questions) == found
    assert looked(again.first_questions, "nowhere") == ()


def test_nothing_is_tried_while_the_application_is_busy(stocked: Library) -> None:
    assistant = Assistant(Settings(data_dir=stocked.folder, llm="extractive"), stocked)
    tried: list[str] = []

    def fail(question: str, options: object) -> None:
        tried.append(question)

    busy = FirstQuestions(stocked, assistant.options, fail, fail, lambda: True)  # type: ignore[arg-type]
    assert looked(busy) == ()
    assert not tried
    busy.close()
    assert busy.of("default") == ()
