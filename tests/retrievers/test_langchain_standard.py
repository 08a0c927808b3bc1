"""LangChain's own tests for retrievers, where langchain-tests is installed."""

from typing import Any

import pytest

from ingestion.library import Library
from retrievers.langchain import StrategyRetriever
from retrievers.strategies import STRATEGIES

integration_tests = pytest.importorskip("langchain_tests.integration_tests")


@pytest.mark.anyio
@pytest.mark.parametrize("strategy", STRATEGIES)
class TestStrategyRetriever(integration_tests.RetrieversIntegrationTests):  # type: ignore[misc, name-defined]
    @pytest.fixture(autouse=True)
    def _stocked(self, stocked: Library, strategy: str) -> None:
        self._library = stocked
        self._strategy = strategy

    @pytest.fixture
    def anyio_backend(self) -> str:
        return "asyncio"

    @property
    def retriever_constructor(self) -> type[StrategyRetriever]:
        return StrategyRetriever

    @property
    def retriever_constructor_params(self) -> dict[str, Any]:
        return {"library": self._library, "strategy": self._strategy}

    @property
    def retriever_query_example(self) -> str:
        return "When did the ferry sail, the pear ripen, and who planted the apple tree by the wall?"
