"""LangChain's own tests for retrievers, of every strategy, with and without a reranker. None is skipped.

For our other parts, the compressor of documents and the cross-encoder, langchain-tests has no suite (1.1):
`test_langchain_parts.py` has tests of our own. There is no unit suite for retrievers either.
"""

from collections.abc import Iterator
from typing import Any

import pytest
from langchain_tests.integration_tests import RetrieversIntegrationTests

from ingestion.encoders import Encoder
from ingestion.library import Library
from ingestion.pipeline.ingest import ingest
from retrievers.langchain import StrategyRetriever
from retrievers.reader import BuiltinReader
from retrievers.reranking import Reranker
from retrievers.strategies import STRATEGIES
from tests.helpers.documents import HARBOUR, ORCHARD


@pytest.fixture(scope="module")
def held(tmp_path_factory: pytest.TempPathFactory, encoder: Encoder) -> Iterator[Library]:
    """A library of two small documents, which the tests only read."""
    files = tmp_path_factory.mktemp("files")
    (files / "orchard.md").write_text(ORCHARD, "utf-8")
    (files / "harbour.md").write_text(HARBOUR, "utf-8")
    with Library.open(tmp_path_factory.mktemp("library"), encoder) as opened:
        assert [result.status for result in ingest(opened, [files])] == ["ok", "ok"]
        yield opened


@pytest.mark.anyio
@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("reranker", [None, BuiltinReader()], ids=["plain", "reranked"])
class TestStrategyRetriever(RetrieversIntegrationTests):
    @pytest.fixture(autouse=True)
    def _stocked(self, held: Library, strategy: str, reranker: Reranker | None) -> None:
        self._library = held
        self._strategy = strategy
        self._reranker = reranker

    @pytest.fixture
    def anyio_backend(self) -> str:
        return "asyncio"

    @property
    def retriever_constructor(self) -> type[StrategyRetriever]:
        return StrategyRetriever

    @property
    def retriever_constructor_params(self) -> dict[str, Any]:
        return {"library": self._library, "strategy": self._strategy, "reranker": self._reranker}

    @property
    def retriever_query_example(self) -> str:
        return "When did the ferry sail, the pear ripen, and who planted the apple tree by the wall?"
