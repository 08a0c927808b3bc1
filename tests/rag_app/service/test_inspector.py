"""What is behind a score: MaxSim's numbers, what is kept of a passage, a question's way."""

from dataclasses import replace

import numpy as np
import pytest

from ingestion.errors import EmptyQuestion, InvalidInput, UnknownName
from ingestion.library import Library
from rag_app.answering.answers import AskOptions
from rag_app.config.settings import Settings
from rag_app.service.composition import Assistant
from rag_app.service.inspector import InspectedStage, stages
from retrievers.hits import Query
from ui.inspect.controller import InspectController

BIRTHPLACE, OBAMA = "Barack Obama birthplace", "Obama was born in Honolulu, Hawaii"
EIFFEL = "The Eiffel Tower is located in Paris, France."
CRANE = "When did the crane's cable break?"


@pytest.fixture
def assistant(stored: Library) -> Assistant:
    return Assistant(Settings(data_dir=stored.folder), stored)


def test_maxsim_is_the_sum_of_the_rows_maxima(assistant: Assistant) -> None:
    worked = assistant.inspector.work_through(f"  {BIRTHPLACE}\n", OBAMA)
    assert worked.question_tokens == ("Barack", "Obama", "birthplace")
    assert worked.passage_tokens[:5] == ("Obama", "was", "born", "in", "Honolulu")
    assert worked.cosines.shape == (3, len(worked.passage_tokens))
    matches = [worked.passage_tokens[place] for place in worked.best]
    assert matches[1] == "Obama"
    by_hand = [max(row) for row in worked.cosines.tolist()]
    assert list(worked.maxima) == pytest.approx(by_hand)
    assert worked.maxsim == pytest.approx(sum(by_hand))
    assert worked.mean == pytest.approx(
        float(np.dot(*(assistant.library.encoder.encode_query(text).mean[0] for text in (BIRTHPLACE, OBAMA))))
    )


def test_nothing_is_worked_through_without_words(assistant: Assistant) -> None:
    with pytest.raises(EmptyQuestion):
        assistant.inspector.work_through(" ", OBAMA)
    for text in ("", " ?! "):
        with pytest.raises(InvalidInput, match="the passage is empty"):
            assistant.inspector.work_through(BIRTHPLACE, text)
        with pytest.raises(InvalidInput, match="the passage is empty"):
            assistant.inspector.would_store(text)


def test_a_text_as_it_would_be_kept(assistant: Assistant) -> None:
    kept = assistant.inspector.would_store(EIFFEL)
    assert kept.tokens[:2] == ("The", "E")
    assert "".join(kept.tokens) == EIFFEL.replace(" ", "")
    assert kept.cls is not None
    assert kept.mean is not None
    assert (len(kept.cls), len(kept.mean)) == (384, 384)
    assert kept.matrix.shape == (len(kept.tokens), 128)
    assert (kept.codec, kept.code_bytes, kept.map_bytes) == (
        "int8", 128 * len(kept.tokens), 4 * len(kept.tokens),
    )  # fmt: skip
    assert (kept.document, kept.text_bytes) == (None, len(EIFFEL))


def test_a_passage_is_read_from_the_stores(assistant: Assistant) -> None:
    (orchard,) = [one for one in assistant.documents() if one.name == "orchard.md"]
    inspector, library = assistant.inspector, assistant.library
    assert inspector.passages(orchard.id) == orchard.chunks
    found = inspector.stored(orchard.id, orchard.chunks)
    chunk = library.catalogue.chunks([orchard.chunk_ids()[-1]])[orchard.chunk_ids()[-1]]
    made = library.encoder.encode([chunk.text], [chunk.context])
    assert (found.document, found.page, found.text) == ("orchard.md", 1, chunk.text)
    assert found.cls is not None
    assert found.mean is not None
    np.testing.assert_allclose(found.cls, made.cls[0], atol=1e-5)
    np.testing.assert_allclose(found.mean, made.mean[0], atol=1e-5)
    assert library.encoder.scales is not None
    assert np.abs(found.matrix - made.tokens).max() <= library.encoder.scales.max() / 2 + 1e-5
    context = sum(start == end for start, end in made.spans.tolist())
    assert 0 < context < len(found.tokens)
    assert set(found.tokens[:context]) == {"⟨context⟩"}
    assert found.tokens[-1] == "."
    assert found.has_a_row_a_token


def test_what_is_not_there_cannot_be_inspected(assistant: Assistant) -> None:
    (orchard,) = [one for one in assistant.documents() if one.name == "orchard.md"]
    for place in (0, orchard.chunks + 1):
        with pytest.raises(InvalidInput, match=r"orchard\.md has passages 1 to"):
            assistant.inspector.stored(orchard.id, place)
    with pytest.raises(UnknownName, match="choose another"):
        assistant.inspector.stored("gone", 1)
    assert assistant.inspector.passages("gone") == 0


def by_name(assistant: Assistant, **options: object) -> dict[str, InspectedStage]:
    trace = assistant.inspector.trace(CRANE, AskOptions(**options))  # type: ignore[arg-type]
    found = {stage.name: stage for step in stages(trace) for stage in step}
    citations = len(trace.answer.citations)
    assert found["Answer"].result == f"{citations} citation{'' if citations == 1 else 's'}"
    return found


def test_the_way_of_a_question_with_its_own_counts(assistant: Assistant) -> None:
    library = assistant.library
    scope, query = library.catalogue.scope(), Query(CRANE, library.encoder)
    words = library.catalogue.words.search(CRANE, scope, 100, candidates=True).hits
    chunks = sum(document.chunks for document in assistant.documents())
    found = by_name(assistant, strategy="fusion", top_k=2)
    assert list(found) == [
        "Question", "Encode", "mean", "bm25", "Candidates", "MaxSim", "Found", "Evidence", "Answer",
    ]  # fmt: skip
    assert found["Question"].result == f"{len(query.tokens)} tokens"
    assert found["bm25"].result == f"{len(words)} passage{'' if len(words) == 1 else 's'}"
    for name in ("mean", "Candidates", "MaxSim"):  # few passages: the nearest are all
        assert found[name].result == f"{chunks} passages"
    assert found["Found"].result == "2 passages"
    timed = {name for name, stage in found.items() if stage.milliseconds is not None}
    assert timed == found.keys() - {"Question", "Candidates"}


def test_each_strategy_has_the_steps_that_it_takes(assistant: Assistant) -> None:
    assert "Encode" not in by_name(assistant, strategy="bm25")
    late = by_name(assistant, strategy="colbert")
    assert late.keys().isdisjoint({"mean", "bm25", "Candidates"})
    assert "no better one is missing" in late["Found"].detail
    assert "no better one is missing" in by_name(assistant, strategy="cls")["Found"].detail
    assert "approximate" in by_name(assistant, strategy="cascade")["Found"].detail
    first = by_name(assistant, strategy="documents-first")
    assert first["Documents"].milliseconds is not None
    assert first.keys() - {"Documents"} == by_name(assistant, strategy="fusion").keys()
    reranked = by_name(assistant, strategy="hybrid", reranker="builtin", top_k=1)
    chunks = sum(document.chunks for document in assistant.documents())
    assert reranked["Rerank"].result == f"{chunks} passages"
    assert reranked["Rerank"].detail == "read by builtin"


def test_documents_that_share_the_first_places_are_said_to(assistant: Assistant) -> None:
    question = "When was the tree of the orchard planted, and when did the crane of the harbour break?"
    steps = stages(assistant.inspector.trace(question, AskOptions()))
    (step,) = [stage for step in steps for stage in step if stage.name == "Documents"]
    assert step.result == "first: orchard.md, harbour.pdf"
    assert step.detail.endswith("they take turns in the first places")
    assert "turns" not in by_name(assistant, strategy="documents-first")["Documents"].detail


def test_nothing_of_it_is_remembered(assistant: Assistant) -> None:
    before = len(assistant.receipts.list())
    trace = assistant.inspector.trace(CRANE, replace(AskOptions(), conversation="new"))
    assert trace.answer.conversation_id is None
    assert 0 < trace.evidence_tokens <= trace.budget
    assert len(assistant.receipts.list()) == before
    assert assistant.conversations.list() == []


def test_the_page_follows_a_question_through_the_collection_that_is_chosen(stocked: Library) -> None:
    stocked.catalogue.ensure_collection("other")
    page = InspectController(Assistant(Settings(data_dir=stocked.folder), stocked))
    assert "9 May 1987" in page.trace(CRANE, "bm25", "none")
    assert "9 May 1987" in page.trace(CRANE, "bm25", "none", "default")
    assert "9 May 1987" not in page.trace(CRANE, "bm25", "none", "other")
    assert 'role="alert"' in page.trace(CRANE, "bm25", "none", "nowhere")
