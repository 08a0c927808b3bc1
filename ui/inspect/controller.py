"""What the Inspect page shows, as HTML."""

from dataclasses import replace

from ingestion.errors import RagError
from rag_app.service.composition import Assistant
from rag_app.service.questions import check_question
from ui.components.choices import Choices, reranker_chosen
from ui.components.text import render_notice, result_of
from ui.inspect.render import render_stored, render_trace, render_worked


class InspectController:
    """The actions of the page. One object serves all sessions."""

    def __init__(self, assistant: Assistant) -> None:
        self.assistant = assistant

    def documents(self) -> Choices:
        """Return the documents of all collections, with the collection where there are several."""
        names = self.assistant.collections()
        found = self.assistant.documents(names) if names else []
        several = len({document.collection for document in found}) > 1
        return sorted(
            (f"{document.label} ({document.collection})" if several else document.label, document.id)
            for document in found
            if document.chunks
        )

    def passages(self, document_id: str | None) -> int:
        """Return the number of a document's passages; 0 where it is gone."""
        return self.assistant.inspector.passages(document_id) if document_id else 0

    def worked(self, question: str, passage: str) -> str:
        """Return MaxSim of two texts, worked through."""
        return result_of(lambda: render_worked(self.assistant.inspector.work_through(question, passage)))

    def would_store(self, text: str) -> str:
        """Return the stored form of a text, which is not kept."""
        if not text.strip():
            return render_notice(words="The text is empty; type a sentence.")
        return result_of(lambda: render_stored(self.assistant.inspector.would_store(text)))

    def stored(self, document_id: str, place: int) -> str:
        """Return the stored form of a document's passage; places count from 1."""
        return result_of(lambda: render_stored(self.assistant.inspector.stored(document_id, place)))

    def trace(self, question: str, strategy: str, reranker: str | None, collection: str | None = None) -> str:
        """Return a question's way through a collection, by default the settings' collection."""
        try:
            check_question(question.strip())
        except RagError as error:
            return render_notice(error)
        usual = self.assistant.options()
        options = replace(
            usual,
            strategy=strategy,
            reranker=reranker_chosen(reranker),
            collections=(collection,) if collection else usual.collections,
        )
        return result_of(lambda: render_trace(self.assistant.inspector.trace(question.strip(), options)))
