"""Evidence as the packer makes it, of a text that need not lie in a library."""

from ingestion.storage.catalogue.records import StoredChunk
from ingestion.text.sentences import sentence_spans
from rag_app.answering.answers import Evidence, EvidenceSentence
from retrievers.hits import Hit


def evidence(
    number: int, text: str, *, document: str = "notes.txt", page: int = 1, start: int = 0
) -> Evidence:
    """Return evidence of all the sentences of a passage that begins at `start` of its page."""
    chunk = StoredChunk(
        id=f"d{number}:1:0",
        document_id=f"d{number}",
        document=document,
        collection="default",
        ordinal=0,
        page=page,
        start=start,
        end=start + len(text),
        heading=None,
        context="",
        text=text,
    )
    sentences = tuple(
        EvidenceSentence(start + span.start, start + span.end, text[span.start : span.end], 0.5)
        for span in sentence_spans(text)
    )
    return Evidence(number, Hit(number, chunk, 0.5, {}), sentences)
