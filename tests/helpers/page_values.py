"""Typed values to render, without a library behind them."""

from dataclasses import replace
from typing import Any, cast

from ingestion.documents import Status
from ingestion.encoders import Encoder
from ingestion.pipeline.queue import FileState, Job
from ingestion.storage.catalogue.records import Document, StoredChunk
from rag_app.answering.answers import (
    Answer,
    AnswerEvent,
    AskOptions,
    Citation,
    Evidence,
    Outcome,
    PassagesFound,
    PromptContext,
)
from retrievers.hits import Hit, Query
from retrievers.search import SearchResult
from ui.components.answering import follow
from ui.components.turns import ChatTurn

START = 100  # where the chunk begins on its page


def hit(text: str, *, rank: int = 1, document: str = "notes.pdf", heading: str | None = None) -> Hit:
    chunk = StoredChunk(
        id=f"c{rank}",
        document_id="d1",
        document=document,
        collection="default",
        ordinal=0,
        page=3,
        start=START,
        end=START + len(text),
        heading=heading,
        context="",
        text=text,
    )
    return Hit(rank, chunk, 0.5, {"mean": 0.25, "maxsim": 0.5})


def citation(quote: str, text: str, *, marker: int = 1) -> Citation:
    start = START + text.index(quote)
    return Citation(marker, "notes.pdf", "d1", 3, start, start + len(quote), quote)


def found(*hits: Hit, exact: bool = True) -> PassagesFound:
    query = Query("why?", cast("Encoder", None))
    result = SearchResult(query, "colbert", None, exact, hits, {"maxsim": 1.0, "total": 2.0})
    return PassagesFound(result, PromptContext(tuple(Evidence(h.rank, h, ()) for h in hits), 0.6))


def answer(
    text: str,
    *hits: Hit,
    citations: tuple[Citation, ...] = (),
    abstained: bool = False,
    llm: str = "extractive",
) -> Answer:
    return Answer(
        question="why?",
        text=text,
        outcome=Outcome.RELATED if abstained else Outcome.ANSWERED,
        strategy="colbert",
        reranker=None,
        llm=llm,
        citations=citations,
        sentences=(),
        nearest=hits,
        evidence=tuple(Evidence(h.rank, h, ()) for h in hits),
        relevance=0.6,
        timings_ms={"maxsim": 1.0, "answer": 40.0, "total": 42.0},
    )


def turn(question: str = "why?", *events: AnswerEvent, number: int = 1) -> ChatTurn:
    return follow(ChatTurn(number, question, AskOptions(strategy="colbert")), events)


def document(name: str = "report.pdf", status: Status = Status.OK, error: str | None = None) -> Document:
    return Document(
        id="d1",
        collection="default",
        collection_id=1,
        name=name,
        path=f"upload:{name}",
        title=None,
        sha256="0" * 64,
        bytes=10,
        status=status,
        error=error,
        pages=12,
        pages_failed=0,
        chunks=1,
        version=1,
        chunker=1,
        language="en",
        added="2025-01-01T00:00:00Z",
    )


def file(name: str = "a.pdf", stage: str = "queued", **fields: Any) -> FileState:
    path = f"/staged/{name}"
    return replace(FileState(1, path, f"upload:{name}", name, staged=True, stage=stage), **fields)


def job(*files: FileState, state: str = "running", identity: int = 1, error: str | None = None) -> Job:
    finished = None if state in ("queued", "running") else "2025-01-01T00:00:01Z"
    return Job(identity, "ingest", "default", state, "2025-01-01T00:00:00Z", finished, error, files)
