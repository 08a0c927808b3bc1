"""JSON documents of the command line and the HTTP API: a contract, versioned by `schema_version`."""

import json
import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from ingestion.errors import RagError
from ingestion.text.names import labels, name_of

if TYPE_CHECKING:
    from ingestion.collections import CollectionInfo
    from ingestion.documents import Page
    from ingestion.library_documents import DeletedDocument
    from ingestion.pipeline.queue import FileState, Job
    from ingestion.storage.catalogue.records import Document
    from rag_app.answering.answers import Answer
    from rag_app.config.settings import Settings
    from rag_app.history.conversations import Conversation, Turn
    from rag_app.history.receipts import Receipt
    from rag_app.history.records import OptionsRecord
    from rag_app.service.doctor import Check
    from rag_app.tasks import Task
    from retrievers.availability import StrategyState
    from retrievers.comparison import StrategyComparison
    from retrievers.explain import Explanation
    from retrievers.hits import Hit
    from retrievers.search import SearchResult

SCHEMA_VERSION = 1


def dump(fields: Mapping[str, Any]) -> str:
    """Return one JSON object with the schema's version first."""
    return json.dumps({"schema_version": SCHEMA_VERSION, **fields}, ensure_ascii=False, indent=2)


def ingest_fields(job: Mapping[str, Any], total_ms: float) -> dict[str, Any]:
    """Return how the files of a job (its fields) ended."""
    timings: dict[str, float] = {}
    for file in job["files"]:
        for stage, milliseconds in file["timings_ms"].items():
            timings[stage] = timings.get(stage, 0.0) + milliseconds
    documents = [
        {
            "document_id": file["document_id"],
            "name": file["name"],
            "path": file["path"],
            "sha256": file["sha256"],
            "status": file["status"],
            "pages": file["pages"],
            "pages_failed": file["pages_failed"],
            "chunks": file["chunks"],
            "error": file["error"],
            "warnings": file["warnings"],
        }
        for file in job["files"]
    ]
    return {
        "documents": documents,
        "passed_over": job["passed_over"],
        "timings_ms": rounded({**timings, "total": total_ms}),
        "job_id": job["job_id"],
    }


def job_fields(job: "Job", timings_ms: Mapping[str, Mapping[str, float]]) -> dict[str, Any]:
    """Return a job with its files; `timings_ms` are the stages' by a file's path, as far as known."""
    return {
        "job_id": job.id,
        "kind": job.kind,
        "collection": job.collection,
        "state": job.state,
        "created": job.created,
        "finished": job.finished,
        "error": job.error,
        "files": [
            _file_fields(file, label, timings_ms.get(file.source, {}))
            for file, label in zip(job.files, file_labels(job.files), strict=True)
        ],
        "passed_over": [
            {"name": name_of(one.path), "path": one.path, "kind": one.kind} for one in job.passed_over
        ],
    }


def file_labels(files: "Sequence[FileState]") -> list[str]:
    """Return what tells a job's files apart: their names, after folders where several have the name."""
    counts = Counter(file.name for file in files)
    found = labels({str(place): file.source for place, file in enumerate(files) if counts[file.name] > 1})
    return [found.get(str(place), file.name) for place, file in enumerate(files)]


def _file_fields(file: "FileState", label: str, timings_ms: Mapping[str, float]) -> dict[str, Any]:
    return {
        "name": file.name,
        "label": label,
        "path": file.source,
        "stage": file.stage,
        "done": file.done,
        "total": file.total,
        "status": file.status,
        "error": file.error,
        "document_id": file.document_id,
        "sha256": file.sha256,
        "pages": file.pages,
        "pages_failed": file.pages_failed,
        "chunks": file.chunks,
        "warnings": list(file.warnings),
        "timings_ms": rounded(timings_ms),
    }


def collection_fields(collections: "Iterable[CollectionInfo]") -> dict[str, Any]:
    return {
        "collections": [
            {
                "name": info.name,
                "documents": info.documents,
                "pages": info.pages,
                "chunks": info.chunks,
                "created": info.created,
            }
            for info in collections
        ]
    }


def page_fields(document_id: str, page: "Page") -> dict[str, Any]:
    return {"document_id": document_id, "page": page.number, "label": page.label, "text": page.text}


def task_fields(task: "Task") -> dict[str, Any]:
    """Return a task as it is now; `result` is what its command prints, once it is done."""
    return {
        "task_id": task.id,
        "kind": task.kind,
        "state": task.state,
        "started": task.started,
        "finished": task.finished,
        "stage": task.stage,
        "done": task.done,
        "total": task.total,
        "result": task.result,
        "error": error_fields(task.error) if task.error else None,
    }


def error_fields(error: BaseException) -> dict[str, Any]:
    """Return what a program needs to tell one error from another, and a person to mend it."""
    if isinstance(error, RagError):
        return {"type": type(error).__name__, "message": str(error)}
    return {"type": "InternalError", "message": f"unexpected {type(error).__name__}: {error}"}


def openai_error_fields(status: int, fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return an error's fields as OpenAI's clients know them; `code` tells one from another."""
    kind = "invalid_request_error" if status < 500 else "server_error"
    code = {401: "invalid_api_key", 429: "rate_limit_exceeded"}.get(status, fields["type"])
    return {"message": fields["message"], "type": kind, "param": fields.get("param"), "code": code}


def deleted_fields(deleted: "DeletedDocument") -> dict[str, Any]:
    """Return a document that was deleted, or that stays under the paths in `kept`."""
    return {
        **document_fields([deleted.document]),
        "deleted": list(deleted.paths),
        "kept": list(deleted.kept),
    }


def document_fields(documents: "Iterable[Document]") -> dict[str, Any]:
    """Return documents. `label` is what people and answers call a document: its name, after as many folders
    as tell it from others. A file with the same bytes under another path is among `paths` and `names`."""
    return {
        "documents": [
            {
                "document_id": document.id,
                "name": document.name,
                "label": document.label,
                "names": list(document.names),
                "path": document.path,
                "paths": list(document.paths),
                "sha256": document.sha256,
                "status": document.status,
                "pages": document.pages,
                "pages_failed": document.pages_failed,
                "chunks": document.chunks,
                "error": document.error,
                "warnings": list(document.warnings),
                "added": document.added,
                "collection": document.collection,
                "bytes": document.bytes,
                "title": document.title,
                "language": document.language,
            }
            for document in documents
        ]
    }


def hit_fields(hit: "Hit") -> dict[str, Any]:
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


def search_fields(
    result: "SearchResult", explanations: "Mapping[int, Explanation | None] | None" = None
) -> dict[str, Any]:
    """Return what was found; with `explanations` by rank, each hit says why."""
    hits = [hit_fields(hit) for hit in result.hits]
    if explanations is not None:
        for hit in hits:
            explanation = explanations[hit["rank"]]
            place = hit["start"], hit["text"]
            hit["explanation"] = explanation and explanation_fields(explanation, result.query.text, *place)
    return {
        "strategy": result.strategy,
        "reranker": result.reranker,
        "exact": result.exact,
        "hits": hits,
        "timings_ms": rounded(result.timings_ms),
    }


def comparison_fields(comparison: "StrategyComparison") -> dict[str, Any]:
    """Return columns with their hits, where each passage stands in each column, and what columns share."""
    return {
        "question": comparison.question,
        "encode_ms": round(comparison.encode_ms, 2),
        "columns": [
            {
                "strategy": column.strategy,
                "reranker": column.reranker,
                "exact": column.exact,
                "stored_bytes": column.stored_bytes,
                "timings_ms": rounded(column.timings_ms),
                "hits": [hit_fields(hit) for hit in column.hits],
            }
            for column in comparison.columns
        ],
        "rows": [{"chunk_id": row.chunk_id, "ranks": list(row.ranks)} for row in comparison.rows],
        "overlaps": [
            {"left": one.left, "right": one.right, "shared": one.shared, "either": one.either,
             "share": round(one.share, 4)}
            for one in comparison.overlaps
        ],
    }  # fmt: skip


def explanation_fields(
    explanation: "Explanation", question: str, offset: int, passage: str
) -> dict[str, Any]:
    """Return the reasons by token of the question. Places are characters of the page, as a hit's are."""
    return {
        "maxsim": explanation.maxsim,
        "tokens": [
            {
                "start": reason.start,
                "end": reason.end,
                "text": question[reason.start : reason.end],
                "similarity": reason.similarity,
                "matches": [
                    {"start": start, "end": end, "text": passage[start - offset : end - offset]}
                    for start, end in reason.places
                ],
            }
            for reason in explanation.reasons
        ],
    }


def answer_fields(answer: "Answer") -> dict[str, Any]:
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
                "reason": sentence.reason,
            }
            for sentence in answer.sentences
        ],
        "nearest": [hit_fields(hit) for hit in answer.nearest],
        "flags": list(answer.flags),
        "standalone_question": answer.standalone_question,
        "conversation_id": answer.conversation_id,
        "receipt_id": answer.receipt_id,
        "timings_ms": rounded(answer.timings_ms),
    }


def conversation_fields(conversations: "Iterable[Conversation]") -> dict[str, Any]:
    return {"conversations": [_conversation(one) for one in conversations]}


def turn_fields(
    conversation: "Conversation", turns: "Iterable[tuple[Turn, Answer | None]]"
) -> dict[str, Any]:
    """Return a conversation with its turns; `answer` has the fields of `answer_fields`."""
    return {
        **_conversation(conversation),
        "turns": [
            {
                "number": turn.number,
                "question": turn.question,
                "standalone_question": turn.standalone,
                "state": turn.state,
                "asked": turn.asked,
                "answer": answer and answer_fields(answer),
                "error": turn.error,
                "receipt_id": turn.receipt,
            }
            for turn, answer in turns
        ],
    }


def _conversation(conversation: "Conversation") -> dict[str, Any]:
    """Without the nonce: who writes documents must not get to know it."""
    return {
        "conversation_id": conversation.id,
        "title": conversation.title,
        "created": conversation.created,
        "updated": conversation.updated,
        "turns": conversation.turns,
    }


def receipt_line(receipt: "Receipt") -> dict[str, Any]:
    record = receipt.record
    return {
        "receipt_id": receipt.id,
        "created": receipt.created,
        "conversation_id": receipt.conversation,
        "question": record.question,
        "strategy": record.options.strategy,
        "llm": record.generator.name,
    }


def receipt_fields(receipt: "Receipt") -> dict[str, Any]:
    record = receipt.record
    return {
        "receipt_id": receipt.id,
        "created": receipt.created,
        "conversation_id": receipt.conversation,
        "application": record.application,
        "question": record.question,
        "standalone_question": record.standalone_question,
        "asked": _asked(record.options),
        "earlier": [[one.chunk_id, one.spans] for one in record.prior_evidence],
        "encoder": record.encoder,
        "representation": record.representation,
        "llm": asdict(record.generator),
        "hits": [asdict(hit) for hit in record.hits],
        "evidence_tokens": record.evidence_tokens,
        "evidence": [asdict(one) for one in record.evidence],
        "relevance": record.relevance,
        "nonce": record.nonce,
        "prompt_sha256": record.prompt_sha256,
        "answer": record.answer,
        "abstained": record.abstained,
        "timings_ms": record.timings_ms,
    }


def _asked(options: "OptionsRecord") -> dict[str, Any]:
    pages = options.pages
    return {
        **asdict(options),
        "reranker": options.reranker or "none",
        "added_from": options.added_from and options.added_from.isoformat(),
        "added_to": options.added_to and options.added_to.isoformat(),
        "pages": pages and f"{pages[0]}-{pages[1]}",
    }


def strategy_fields(states: "Iterable[StrategyState]") -> dict[str, Any]:
    return {
        "strategies": [
            {
                "name": state.strategy.name,
                "summary": state.strategy.summary,
                "representation": state.strategy.representation,
                "stores": list(state.strategy.stores),
                "storage": state.strategy.storage,
                "cost": state.strategy.cost,
                "available": state.available,
                "reason": state.reason,
            }
            for state in states
        ]
    }


def doctor_fields(settings: "Settings", checks: "Iterable[Check]") -> dict[str, Any]:
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
