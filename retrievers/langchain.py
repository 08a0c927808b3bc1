"""Retriever and rerankers as LangChain parts, to be composed with others."""

from collections.abc import Sequence
from typing import Any

from langchain_core.callbacks import CallbackManagerForRetrieverRun, Callbacks, dispatch_custom_event
from langchain_core.cross_encoders import BaseCrossEncoder
from langchain_core.documents import BaseDocumentCompressor, Document
from langchain_core.retrievers import BaseRetriever
from pydantic import ConfigDict, Field

from ingestion.encoders.device import ANY_DEVICE, ComputeDevice
from ingestion.library import Library
from retrievers.hits import Hit
from retrievers.reranking import CrossEncoderReranker, Reranker, combined
from retrievers.search import MAX_TOP_K, search
from retrievers.strategies import DEFAULT_STRATEGY, strategy_named

STAGE_EVENT = "stage"


class StrategyRetriever(BaseRetriever):
    """One strategy over one open library, with an optional reranker.

    Callbacks get a custom event "stage" for each stage (encode, chroma, fts5, score, rerank, …) and for
    "total", with its milliseconds, beside the retriever's own start and end.

    Each document's `page_content` is the passage as it stands on its page; its metadata has document,
    document_id, collection, heading, page (from 1), start, end, rank, score and scores.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)

    library: Library
    strategy: str = DEFAULT_STRATEGY
    k: int = Field(default=8, ge=1, le=MAX_TOP_K)
    collections: tuple[str, ...] = ()
    documents: tuple[str, ...] = ()
    reranker: Any = None
    """A `retrievers.reranking.Reranker`, or None."""

    def _get_relevant_documents(
        self,
        query: str,
        *,
        run_manager: CallbackManagerForRetrieverRun,
        k: int | None = None,
    ) -> list[Document]:
        result = search(
            self.library,
            query,
            strategy_named(self.strategy),
            self.library.catalogue.scope(self.collections, self.documents),
            reranker=self.reranker,
            top_k=self.k if k is None else k,
        )
        for stage, milliseconds in result.timings_ms.items():
            dispatch_custom_event(
                STAGE_EVENT,
                {"stage": stage, "milliseconds": milliseconds},
                config={"callbacks": run_manager.get_child()},
            )
        return [as_document(hit) for hit in result.hits]


class RerankCompressor(BaseDocumentCompressor):
    """Keeps the `top_n` documents that a reranker likes best, each with its score in the metadata.

    A reranker that counts the first stage's score takes it from the metadata of `StrategyRetriever`;
    documents of other retrievers are ordered without.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)

    reranker: Any
    """A `retrievers.reranking.Reranker`."""
    top_n: int = Field(default=8, ge=1)

    def compress_documents(
        self,
        documents: Sequence[Document],
        query: str,
        callbacks: Callbacks | None = None,  # noqa: ARG002
    ) -> list[Document]:
        reranker: Reranker = self.reranker
        scores = reranker.score(query, [document.page_content for document in documents])
        first = [document.metadata.get("score") for document in documents]
        known = [one for one in first if isinstance(one, float)]
        totals = combined(reranker, scores, known) if len(known) == len(first) else scores
        order = sorted(range(len(documents)), key=lambda number: -totals[number])
        return [
            documents[number].model_copy(
                update={"metadata": {**documents[number].metadata, "cross_encoder": scores[number]}}
            )
            for number in order[: self.top_n]
        ]


class LocalCrossEncoder(BaseCrossEncoder):
    """Any sentence-transformers CrossEncoder on this machine, as LangChain's rerankers want it."""

    def __init__(self, name: str, compute: ComputeDevice = ANY_DEVICE) -> None:
        self._reranker = CrossEncoderReranker(name, compute=compute)

    def score(self, text_pairs: list[tuple[str, str]]) -> list[float]:
        """Return one score for each (question, passage)."""
        return self._reranker.score_pairs(text_pairs)


def as_document(hit: Hit) -> Document:
    """Return a hit as a LangChain document."""
    chunk = hit.chunk
    metadata = {
        "document": chunk.document,
        "document_id": chunk.document_id,
        "collection": chunk.collection,
        "heading": chunk.heading,
        "page": chunk.page,
        "start": chunk.start,
        "end": chunk.end,
        "rank": hit.rank,
        "score": hit.score,
        "scores": dict(hit.scores),
    }
    return Document(id=chunk.id, page_content=chunk.text, metadata=metadata)
