"""Receipts: what an answer was made of, so that it can be checked and made again.

A receipt has everything that decides an answer: question, strategy, models with their hashes, the passages
and sentences that were packed, the prompt's hash, sampling and seed; and what came of it.
"""

import hashlib
import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from typing import Any

from ingestion.errors import UnknownName
from ingestion.library import Library
from ingestion.timing import utc_now
from rag_app.answering.answers import Answer, AskOptions, Evidence, EvidenceRef, GeneratorInfo
from rag_app.answering.prompts import messages
from rag_app.history.database import State
from rag_app.llm.usage import CallOptions

_ID_BYTES = 8
# Those of conversations are kept as long as these.
_MOST_LOOSE = 10_000

Fields = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Receipt:
    """One answer's receipt; `fields` are what the command and the API show."""

    id: str
    conversation: str | None
    created: str
    fields: Fields


class Receipts:
    """The receipts of one data folder. Every method may raise LibraryError."""

    def __init__(self, state: State) -> None:
        self._state = state

    def add(self, fields: Fields, conversation: str | None = None) -> Receipt:
        """Keep a receipt. Of those without a conversation the last ten thousand are kept."""
        identity, now = secrets.token_hex(_ID_BYTES), utc_now("milliseconds")
        with self._state.changing() as connection:
            connection.execute(
                "INSERT INTO receipts VALUES (?, ?, ?, ?)",
                (identity, conversation, now, json.dumps(fields, ensure_ascii=False)),
            )
            connection.execute(
                "DELETE FROM receipts WHERE conversation IS NULL AND created < (SELECT created FROM receipts "
                "WHERE conversation IS NULL ORDER BY created DESC LIMIT 1 OFFSET ?)",
                (_MOST_LOOSE - 1,),
            )
        return Receipt(identity, conversation, now, fields)

    def get(self, identity: str) -> Receipt:
        """Raises UnknownName."""
        with self._state.reading() as connection:
            row = connection.execute("SELECT * FROM receipts WHERE id = ?", (identity,)).fetchone()
        if row is None:
            raise UnknownName("receipt", identity, (), advice="rag-app receipts lists them")
        return Receipt(row["id"], row["conversation"], row["created"], json.loads(row["fields"]))

    def list(self, limit: int = 50) -> list[Receipt]:
        """Return receipts, the latest first."""
        with self._state.reading() as connection:
            rows = connection.execute(
                "SELECT * FROM receipts ORDER BY created DESC, id LIMIT ?", (limit,)
            ).fetchall()
        return [
            Receipt(row["id"], row["conversation"], row["created"], json.loads(row["fields"])) for row in rows
        ]


def receipt_fields(
    answer: Answer, options: AskOptions, library: Library, generator: GeneratorInfo
) -> dict[str, Any]:
    """Return what decided an answer, and what came of it."""
    standalone = answer.standalone_question or answer.question
    return {
        "application": version("rag-app"),
        "question": answer.question,
        "standalone_question": standalone,
        "asked": _asked(options),
        "earlier": [[placed.chunk_id, placed.spans] for placed in options.earlier],
        "encoder": library.encoder.fingerprint,
        "representation": _representation(options.strategy, library),
        "llm": {
            "name": generator.name,
            "sha256": generator.sha256,
            "sampling": None if generator.sampling is None else asdict(generator.sampling),
            "max_tokens": generator.max_tokens,
            "thinking": generator.thinking,
        },
        "hits": [
            {"chunk_id": hit.chunk.id, "score": hit.score, "scores": dict(hit.scores)}
            for hit in answer.nearest
        ],
        "evidence_tokens": answer.budget,
        "evidence": _evidence(answer.evidence, library),
        "relevance": answer.relevance,
        "nonce": answer.nonce,
        "prompt_sha256": prompt_hash(standalone, answer.evidence, answer.nonce),
        "answer": answer.text,
        "abstained": answer.abstained,
        "timings_ms": {name: round(value, 2) for name, value in answer.timings_ms.items()},
    }


def differences(before: Fields, after: Fields) -> list[str]:
    """Return what of an answer made again is not as its receipt says; empty where all is the same."""
    found = []
    for name, what in _COMPARED.items():
        if before.get(name) != after.get(name):
            found.append(what)
    if before["llm"]["name"] != after["llm"]["name"] or _changed(before, after, "sha256"):
        found.append("the language model is another one")
    if [hit["chunk_id"] for hit in before["hits"]] != [hit["chunk_id"] for hit in after["hits"]]:
        found.append("other passages were found, or in another order")
    elif before["hits"] != after["hits"]:
        found.append("the passages' scores are others")
    return found


_COMPARED = {
    "application": "the application has another version",
    "encoder": "the encoder is another one",
    "representation": "the vectors that the strategy reads were made by another model",
    "evidence": "other evidence was packed",
    "prompt_sha256": "the prompt is another one",
    "answer": "the answer has another wording",
}


def prompt_hash(question: str, evidence: Sequence[Evidence], nonce: str) -> str:
    """Return the SHA-256 of the prompt's messages."""
    texts = [f"{message.type}\n{message.text}" for message in messages(question, evidence, nonce)]
    return hashlib.sha256("\0".join(texts).encode("utf-8", "surrogatepass")).hexdigest()


def request_of(fields: Fields) -> dict[str, Any]:
    """Return how an answer was asked for, as `rag_app.contract.requests.AskRequest` has it."""
    return {
        "question": fields["question"],
        "standalone": fields["standalone_question"],
        **{name: value for name, value in fields["asked"].items() if value not in (None, [], ())},
    }


def call_of(fields: Fields) -> CallOptions:
    """Return what the language model was called with."""
    llm = fields["llm"]
    return CallOptions(
        **(llm["sampling"] or {}), max_tokens=llm.get("max_tokens"), thinking=llm.get("thinking")
    )


def earlier_of(fields: Fields) -> tuple[EvidenceRef, ...]:
    """Return the evidence of the prompt before, which the answer's own was ordered by."""
    return tuple(
        EvidenceRef(chunk, tuple((start, end) for start, end in spans)) for chunk, spans in fields["earlier"]
    )


def _asked(options: AskOptions) -> dict[str, Any]:
    filters = options.filters
    pages = filters.pages
    return {
        "strategy": options.strategy,
        "reranker": options.reranker or "none",
        "top_k": options.top_k,
        "llm": options.llm,
        "collections": list(options.collections),
        "documents": list(filters.documents),
        "folders": list(filters.folders),
        "types": list(filters.types),
        "added_from": None if filters.added_from is None else filters.added_from.isoformat(),
        "added_to": None if filters.added_to is None else filters.added_to.isoformat(),
        "pages": None if pages is None else f"{pages[0]}-{pages[1] or ''}",
    }


def _representation(strategy: str, library: Library) -> str | None:
    """Return the fingerprint of the vectors that mean@NAME and its kind read, None for the built-in ones."""
    _, _, name = strategy.partition("@")
    return library.representation(name).record.fingerprint if name else None


def _changed(before: Fields, after: Fields, name: str) -> bool:
    """Whether both are known and differ."""
    one, other = before["llm"][name], after["llm"][name]
    return one is not None and other is not None and one != other


def _evidence(evidence: Sequence[Evidence], library: Library) -> list[dict[str, Any]]:
    found = []
    for item in evidence:
        chunk = item.hit.chunk
        document = library.catalogue.document(chunk.document_id)
        found.append({
            "number": item.number,
            "chunk_id": chunk.id,
            "document": chunk.document,
            "sha256": None if document is None else document.sha256,
            "page": chunk.page,
            "spans": [[sentence.start, sentence.end] for sentence in item.sentences],
        })  # fmt: skip
    return found
