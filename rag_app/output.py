"""JSON documents of the command line: a contract, versioned by `schema_version`."""

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ingestion.pipeline import IngestResult
from ingestion.stores.records import Document
from rag_app.answers import Answer
from rag_app.assistant import StrategyState
from rag_app.doctor import Check
from rag_app.settings import Settings
from retrievers.hits import Hit
from retrievers.search import SearchResult

SCHEMA_VERSION = 1


def dump(fields: Mapping[str, Any]) -> str:
    """Return one JSON object with the schema's version first."""
    return json.dumps({"schema_version": SCHEMA_VERSION, **fields}, ensure_ascii=False, indent=2)


def ingest_fields(results: Sequence[IngestResult], total_ms: float) -> dict[str, Any]:
    timings: dict[str, float] = {}
    for result in results:
        for stage, milliseconds in result.timings_ms:
            timings[stage] = timings.get(stage, 0.0) + milliseconds
    documents = [
        {
            "document_id": result.document_id,
            "name": result.name,
            "path": result.path,
            "sha256": result.sha256,
            "status": result.status,
            "pages": result.pages,
            "pages_failed": result.pages_failed,
            "chunks": result.chunks,
            "error": result.error,
        }
        for result in results
    ]
    return {"documents": documents, "timings_ms": rounded({**timings, "total": total_ms})}


def document_fields(documents: Iterable[Document]) -> dict[str, Any]:
    return {
        "documents": [
            {
                "document_id": document.id,
                "name": document.name,
                "path": document.path,
                "sha256": document.sha256,
                "status": document.status,
                "pages": document.pages,
                "pages_failed": document.pages_failed,
                "chunks": document.chunks,
                "error": document.error,
                "added": document.added,
                "collection": document.collection,
                "bytes": document.bytes,
            }
            for document in documents
        ]
    }


def hit_fields(hit: Hit) -> dict[str, Any]:
    return {
        "rank": hit.rank,
        "chunk_id": hit.chunk.id,
        "document": hit.chunk.document,
        "document_id": hit.chunk.document_id,
        "collection": hit.chunk.collection,
        "heading": hit.chunk.heading,
        "page": hit.chunk.page,
        "start": hit.chunk.start,
        "end": hit.chunk.end,
        "score": hit.score,
        "scores": dict(hit.scores),
        "text": hit.chunk.text,
    }


def search_fields(result: SearchResult) -> dict[str, Any]:
    return {
        "strategy": result.strategy,
        "reranker": result.reranker,
        "exact": result.exact,
        "hits": [hit_fields(hit) for hit in result.hits],
        "timings_ms": rounded(result.timings_ms),
    }


def answer_fields(answer: Answer) -> dict[str, Any]:
    """Return an answer's fields. Those that later versions fill are null."""
    return {
        "question": answer.question,
        "answer": answer.text,
        "abstained": answer.abstained,
        "strategy": answer.strategy,
        "reranker": answer.reranker,
        "llm": answer.llm,
        "citations": [
            {
                "marker": citation.marker,
                "document": citation.document,
                "document_id": citation.document_id,
                "page": citation.page,
                "start": citation.start,
                "end": citation.end,
                "quote": citation.quote,
            }
            for citation in answer.citations
        ],
        "sentences": [
            {
                "text": sentence.text,
                "verdict": sentence.verdict,
                "score": sentence.score,
                "markers": list(sentence.markers),
            }
            for sentence in answer.sentences
        ],
        "nearest": [hit_fields(hit) for hit in answer.nearest],
        "flags": list(answer.flags),
        "standalone_question": None,
        "conversation_id": None,
        "receipt_id": None,
        "timings_ms": rounded(answer.timings_ms),
    }


def strategy_fields(states: Iterable[StrategyState]) -> dict[str, Any]:
    return {
        "strategies": [
            {
                "name": state.strategy.name,
                "summary": state.strategy.summary,
                "representation": state.strategy.representation,
                "stores": list(state.strategy.stores),
                "available": state.available,
                "reason": state.reason,
            }
            for state in states
        ]
    }


def doctor_fields(settings: Settings, checks: Iterable[Check]) -> dict[str, Any]:
    return {
        "data_dir": str(settings.data_dir),
        "offline": os.environ.get("HF_HUB_OFFLINE") == "1",
        "checks": [
            {"name": check.name, "state": check.state, "detail": check.detail, "mend": check.mend}
            for check in checks
        ],
    }


def rounded(timings: Mapping[str, float]) -> dict[str, float]:
    """Milliseconds to a hundredth: the clock knows no more."""
    return {name: round(value, 2) for name, value in timings.items()}
