"""Passages found for a question, compared between strategies, and explained."""

from collections.abc import Sequence

from ingestion.errors import EmptyQuestion
from ingestion.library import Library
from ingestion.storage.catalogue.filters import resolve
from ingestion.storage.open_representations import BUILTIN_NAME
from ingestion.storage.timing import Stopwatch
from rag_app.answering.answers import AskOptions
from rag_app.answering.model_pool import ModelPool
from rag_app.evaluation.sizes import Sizes
from retrievers.comparison import StrategyComparison, check_columns, column_of, compare
from retrievers.explain import Explanation, TermReason, explain, matched_terms
from retrievers.hits import Hit, Query
from retrievers.reranking import RerankLimits
from retrievers.search import SearchResult, query_of, search
from retrievers.strategies import strategy_named


class PassageSearch:
    """Searches one library. Safe to use from several threads."""

    def __init__(self, library: Library, models: ModelPool, limits: RerankLimits) -> None:
        self._library = library
        self._models = models
        self._limits = limits
        self._sizes = Sizes(library)

    def search(self, question: str, options: AskOptions, query: Query | None = None) -> SearchResult:
        """Return the passages found for a question.

        Args:
            query: The question, encoded before; None: it is encoded now.

        Raises:
            InvalidInput: The question is empty, or the options name what does not exist.
        """
        return search(
            self._library,
            question,
            strategy_named(options.strategy),
            resolve(self._library.catalogue, options.collections, options.filters),
            reranker=self._models.reranker(options.reranker),
            limits=self._limits,
            top_k=options.top_k,
            query=query,
        )

    def compare(self, question: str, options: Sequence[AskOptions]) -> StrategyComparison:
        """Return what two to four strategies find for one question.

        The question is encoded once, and a stage that several strategies share runs once.

        Raises:
            InvalidInput: There are fewer or more strategies, or one twice; and what `search` raises.
        """
        check_columns([(one.strategy, one.reranker) for one in options])
        strategies = [strategy_named(one.strategy) for one in options]
        if not any(character.isalnum() for character in question):
            raise EmptyQuestion
        watch = Stopwatch()
        query = query_of(self._library, question)
        with watch.stage("encode"):
            query.encoded_by(self._library.encoder)
        columns = [
            column_of(self.search(question, one, query), self._sizes.of(strategy))
            for one, strategy in zip(options, strategies, strict=True)
        ]
        return compare(question, columns, watch.timings_ms["encode"])

    def explain(self, found: SearchResult, hit: Hit) -> Explanation | None:
        """Return how a hit's token vectors match the question, for any strategy; None where the hit is gone.

        A strategy "NAME@REPRESENTATION" is explained with that representation's token vectors, if it has any.
        """
        _, _, name = found.strategy.partition("@")
        has_tokens = name and "tokens" in self._library.representation(name).record.vector_kinds
        return explain(self._library, found.query, hit.chunk, name if has_tokens else BUILTIN_NAME)

    def explain_words(self, found: SearchResult, hit: Hit) -> tuple[TermReason, ...]:
        """Return the words of the question that a hit has, in any form; none where its document is gone."""
        document = self._library.catalogue.document(hit.chunk.document_id)
        return () if document is None else matched_terms(found.query.text, hit.chunk, document.language)
