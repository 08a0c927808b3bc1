"""Judgements of passages: whether each answers a question."""

from collections.abc import Sequence

from ingestion.errors import RagError
from rag_app.evaluation.judgements import Judgement
from rag_app.service.composition import Assistant
from retrievers.hits import Hit


class JudgementController:
    """Keeps and finds judgements. One object serves all sessions."""

    def __init__(self, assistant: Assistant) -> None:
        self.assistant = assistant

    def judge(self, question: str, hits: Sequence[Hit], grade: int) -> None:
        """Keep that passages answer a question (1) or do not (0).

        Raises RagError where none of their documents is in the library any more.
        """
        found = [
            Judgement(question, sha256, chunk.page, chunk.document, grade, chunk.start, chunk.end)
            for chunk in (hit.chunk for hit in hits)
            if (sha256 := self.assistant.content_of(chunk.document_id))
        ]
        if not found:
            raise RagError("the passage's document is not in the library any more; ask again")
        self.assistant.judgements.add(found)

    def grades(self, question: str, hits: Sequence[Hit]) -> dict[str, int]:
        """Return the grades of hits by chunk id: the passage's own, else its page's."""
        judged = {
            (one.sha256, one.page, one.start, one.end): one.grade
            for one in self.assistant.judgements.of(question)
        }
        if not judged:
            return {}
        found: dict[str, int] = {}
        for chunk in (hit.chunk for hit in hits):
            content = self.assistant.content_of(chunk.document_id) or ""
            for span in ((chunk.start, chunk.end), (0, 0)):
                if (grade := judged.get((content, chunk.page, *span))) is not None:
                    found.setdefault(chunk.id, grade)
        return found
