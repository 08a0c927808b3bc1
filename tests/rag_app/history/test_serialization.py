"""A conversation that was kept is shown as it was answered."""

import re
from dataclasses import replace

import pytest

from ingestion.encoders import Encoder
from ingestion.errors import InvalidInput, UnknownName
from ingestion.library import Library
from ingestion.maintenance.reindex import reindex
from rag_app.config.settings import Settings
from rag_app.contract.search import HitFields
from rag_app.history.database import STATE_FILE
from rag_app.history.recorded_passages import GONE
from rag_app.history.replay import differences
from rag_app.history.turns import TurnState
from rag_app.service.composition import Assistant
from rag_app.service.local import LocalService
from tests.helpers.turned_encoder import Turned

QUESTION = "Who planted the Bramley apple tree?"


def nearest_of(service: LocalService, conversation: str) -> tuple[HitFields, ...]:
    """Return the passages of a conversation's first answer."""
    answer = service.conversation(conversation).turns[0].answer
    assert answer is not None
    return answer.nearest


@pytest.fixture
def assistant(stocked: Library) -> Assistant:
    return Assistant(Settings(data_dir=stocked.folder, llm="extractive"), stocked)


def test_an_answer_comes_back_with_its_evidence(assistant: Assistant) -> None:
    conversation = assistant.conversations.create().id
    asked = replace(assistant.options(), conversation=conversation, strategy="colbert")
    answer = assistant.ask(QUESTION, asked)
    (turn,) = assistant.restore(conversation)
    assert turn.answer is not None
    assert turn.found is not None
    for name in (
        "text",
        "strategy",
        "llm",
        "citations",
        "sentences",
        "outcome",
        "flags",
        "relevance",
        "answerability",
    ):
        assert getattr(turn.answer, name) == getattr(answer, name), name
    assert [hit.chunk.id for hit in turn.answer.nearest] == [hit.chunk.id for hit in answer.nearest]
    assert [hit.scores for hit in turn.found.result.hits] == [dict(hit.scores) for hit in answer.nearest]
    spans = [[(s.start, s.end, s.text) for s in one.sentences] for one in turn.answer.evidence]
    assert spans == [[(s.start, s.end, s.text) for s in one.sentences] for one in answer.evidence]
    assert turn.options.strategy == "colbert"
    # What was found can be explained again: the question is encoded when it is asked for.
    assert assistant.passages.explain(turn.found.result, turn.found.result.hits[0])


def test_without_a_receipt_what_is_cited_stands_for_the_evidence(stocked: Library) -> None:
    settings = Settings(data_dir=stocked.folder, llm="extractive", keep_receipts=False)
    assistant = Assistant(settings, stocked)
    conversation = assistant.conversations.create().id
    answer = assistant.ask(QUESTION, replace(assistant.options(), conversation=conversation))
    (turn,) = assistant.restore(conversation)
    assert turn.answer is not None
    assert answer.citations
    assert {one.number for one in turn.answer.evidence} == {one.marker for one in answer.citations}


def test_of_a_deleted_document_only_what_was_quoted_stays(assistant: Assistant) -> None:
    conversation = assistant.conversations.create().id
    answer = assistant.ask(QUESTION, replace(assistant.options(), conversation=conversation))
    service = LocalService(assistant)
    hits = nearest_of(service, conversation)
    assert [hit.text for hit in hits] == [hit.chunk.text for hit in answer.nearest]
    orchard = next(hit.chunk for hit in answer.nearest if hit.chunk.document == "orchard.md")
    unquoted = max(re.split(r"[.\n]", orchard.text), key=lambda part: len(part) * (part not in answer.text))
    state = assistant.library.folder / STATE_FILE
    assert unquoted.encode() not in state.read_bytes()
    assistant.delete(orchard.document_id)
    (turn,) = assistant.restore(conversation)
    assert turn.found is not None
    texts = {hit.chunk.document: hit.chunk.text for hit in turn.found.result.hits}
    assert texts["orchard.md"] == GONE
    assert len(set(texts.values())) > 1
    gone = [item for item in turn.found.packed.evidence if item.hit.chunk.text == GONE]
    assert [item.sentences for item in gone] == [()] * len(gone) != []
    assert "" in {hit.text for hit in nearest_of(service, conversation)}


def test_a_turn_without_an_answer_and_an_unknown_conversation(assistant: Assistant) -> None:
    conversation = assistant.conversations.create().id
    number = assistant.conversations.begin_turn(conversation, QUESTION)
    assistant.conversations.end_turn(conversation, number, TurnState.FAILED, error="no such model")
    (turn,) = assistant.restore(conversation)
    assert (turn.answer, turn.found, turn.turn.error) == (None, None, "no such model")
    with pytest.raises(UnknownName):
        assistant.restore("0000")


def test_pages_are_shown_and_what_cannot_be_drawn_says_why(assistant: Assistant) -> None:
    (orchard,) = [one for one in assistant.documents() if one.name == "orchard.md"]
    view = assistant.pages.view(orchard.id, 1, [(0, 7), (9_000, 9_001)])
    assert view.spans == ((0, 7),)
    assert view.picture is None
    assert view.reason == "Only PDFs and pictures have pages to draw; this is the text."
    assert view.page.text.startswith("Orchard")
    with pytest.raises(InvalidInput, match=r"page 2 of orchard\.md does not exist"):
        assistant.pages.view(orchard.id, 2)
    with pytest.raises(InvalidInput, match="was deleted from the library"):
        assistant.pages.view("gone", 1)
    assert (assistant.document_pages(orchard.id), assistant.document_pages("gone")) == (1, 0)
    assert (assistant.content_of(orchard.id), assistant.content_of("gone")) == (orchard.sha256, None)


def test_a_replay_tells_that_added_vectors_are_of_another_model(stocked: Library, encoder: Encoder) -> None:
    stocked.close()
    models = {"/models/a": Turned(encoder, "a", 1), "/models/b": Turned(encoder, "b", 2)}
    with Library.open(stocked.folder, encoder, load=models.__getitem__) as library:
        reindex(library, "added", source="/models/a")
        assistant = Assistant(Settings(data_dir=library.folder, llm="extractive"), library)
        asked = replace(assistant.options(), strategy="mean@added")
        answer = assistant.ask(QUESTION, asked)
        service = LocalService(assistant)
        assert service.replay(str(answer.receipt_id)).same
        record = assistant.receipts.get(str(answer.receipt_id)).record
        assert record.device == encoder.device
        assert not differences(replace(record, device=None), record)  # as former versions kept it
        assert differences(replace(record, device="cuda"), replace(record, device="cpu")) == [
            "the question was encoded on another device (cuda, now cpu)"
        ]
        reindex(library, "added", source="/models/b")  # finds the same, in the same order
        assert list(service.replay(str(answer.receipt_id)).differences) == [
            "the strategy's vectors were made by a different model"
        ]
