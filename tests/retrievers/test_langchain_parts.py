"""The LangChain adapters compose, run async, and are seen by callbacks."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.documents import Document
from langchain_core.runnables import RunnableLambda

from ingestion.errors import UnknownName
from ingestion.library import Library
from retrievers.langchain import STAGE_EVENT, LocalCrossEncoder, RerankCompressor, StrategyRetriever
from retrievers.reader import BuiltinReader
from retrievers.reranking import CrossEncoderReranker, combined
from retrievers.strategies import STRATEGIES

QUESTION = "When was the Bramley apple tree planted?"


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_the_retriever_returns_documents_with_their_places(stocked: Library, strategy: str) -> None:
    documents = StrategyRetriever(library=stocked, strategy=strategy, k=2).invoke(QUESTION)
    first = documents[0]
    assert "Ada Finch" in first.page_content
    assert first.metadata["document"] == "orchard.md"
    assert first.metadata["page"] == 1
    page = stocked.catalogue.page(first.metadata["document_id"], 1)
    assert page is not None
    assert page.text[first.metadata["start"] : first.metadata["end"]] == first.page_content
    assert len(documents) <= 2


def test_k_can_be_given_with_a_question(stocked: Library) -> None:
    assert len(StrategyRetriever(library=stocked, strategy="colbert").invoke(QUESTION, k=1)) == 1


def test_it_composes_and_callbacks_see_each_stage(stocked: Library, cross_encoder_folder: Path) -> None:
    class Seen(BaseCallbackHandler):
        queries: list[str]
        stages: list[str]

        def __init__(self) -> None:
            self.queries = []
            self.stages = []

        def on_retriever_start(self, serialized: Any, query: str, **rest: Any) -> None:
            self.queries.append(query)

        def on_custom_event(self, name: str, data: Any, **rest: Any) -> None:
            assert name == STAGE_EVENT
            assert data["milliseconds"] >= 0
            self.stages.append(data["stage"])

    seen = Seen()
    count: RunnableLambda[list[Document], int] = RunnableLambda(len)
    reranker = CrossEncoderReranker("tiny", cross_encoder_folder)
    chain = StrategyRetriever(library=stocked, strategy="bm25", reranker=reranker) | count
    assert chain.invoke(QUESTION, {"callbacks": [seen]}) >= 1
    assert seen.queries == [QUESTION]
    assert seen.stages == ["fts5", "read", "rerank", "total"]
    assert asyncio.run(chain.ainvoke(QUESTION)) >= 1


def test_an_unknown_strategy_is_an_error(stocked: Library) -> None:
    with pytest.raises(UnknownName):
        StrategyRetriever(library=stocked, strategy="splade").invoke(QUESTION)


def test_the_compressor_keeps_the_best(cross_encoder_folder: Path) -> None:
    reranker = CrossEncoderReranker("tiny", cross_encoder_folder)
    texts = ["The apple tree.", "The ferry sailed at noon.", "A cool cellar."]
    documents = [Document(text, metadata={"n": n}) for n, text in enumerate(texts)]
    kept = RerankCompressor(reranker=reranker, top_n=2).compress_documents(documents, "apples?")
    scores = reranker.score("apples?", texts)
    best = sorted(range(3), key=lambda n: -scores[n])[:2]
    assert [document.metadata["n"] for document in kept] == best
    assert kept[0].metadata["cross_encoder"] == pytest.approx(max(scores), abs=1e-6)


def test_the_compressor_counts_the_first_stage_where_it_is_known(stocked: Library) -> None:
    reranker = BuiltinReader()
    documents = StrategyRetriever(library=stocked, strategy="mean", k=6).invoke(QUESTION)
    own = reranker.score(QUESTION, [one.page_content for one in documents])
    totals = combined(reranker, own, [one.metadata["score"] for one in documents])
    plain = [Document(one.page_content, id=one.id) for one in documents]
    compressor = RerankCompressor(reranker=reranker, top_n=6)
    for given, scores in ((documents, totals), (plain, own)):
        kept = compressor.compress_documents(given, QUESTION)
        order = sorted(range(len(given)), key=lambda number: -scores[number])
        assert [one.id for one in kept] == [given[number].id for number in order]
    assert totals != pytest.approx(own)


def test_the_cross_encoder_scores_pairs(cross_encoder_folder: Path) -> None:
    pairs = [("apples?", "The apple tree."), ("pears?", "A cool cellar.")]
    scores = LocalCrossEncoder(str(cross_encoder_folder)).score(pairs)
    direct = CrossEncoderReranker(str(cross_encoder_folder))
    assert scores == pytest.approx([direct.score(q, [p])[0] for q, p in pairs], abs=1e-5)


def test_retriever_and_compressor_compose(stocked: Library, cross_encoder_folder: Path) -> None:
    reranker = CrossEncoderReranker("tiny", cross_encoder_folder)
    compressor = RerankCompressor(reranker=reranker, top_n=2)
    found = StrategyRetriever(library=stocked, strategy="mean", k=4)
    reranked: RunnableLambda[list[Document], list[Document]] = RunnableLambda(
        lambda documents: list(compressor.compress_documents(documents, QUESTION))
    )
    documents = (found | reranked).invoke(QUESTION)
    scores = [document.metadata["cross_encoder"] for document in documents]
    assert len(scores) == 2
    assert scores == sorted(scores, reverse=True)
    assert asyncio.run(compressor.acompress_documents(found.invoke(QUESTION), QUESTION)) == documents
