"""Typed values to render, without a library behind them."""

from typing import cast

from ingestion.encoders import Encoder
from ingestion.storage.catalogue.records import StoredChunk
from rag_app.answering.answers import (
    Answer,
    AnswerEvent,
    AskOptions,
    Citation,
    Evidence,
    PassagesFound,
    PromptContext,
)
from retrievers.hits import Hit, Query
from retrievers.search import SearchResult
from ui.components.answering import follow
from ui.components.conversation import Turn

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
        abstained=abstained,
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


def turn(question: str = "why?", *events: AnswerEvent, number: int = 1) -> Turn:
    return follow(Turn(number, question, AskOptions(strategy="colbert")), events)
