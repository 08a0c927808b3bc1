"""Strategies, searches and comparisons."""

from typing import TYPE_CHECKING, Annotated, Self

from pydantic import AfterValidator, Field

from rag_app.contract.schema import Fields, Response, Timings, source

if TYPE_CHECKING:
    from retrievers.explain import Explanation
    from retrievers.hits import Hit

Share = Annotated[float, AfterValidator(lambda value: round(value, 4))]
Milliseconds = Annotated[float, AfterValidator(lambda value: round(value, 2))]


class StrategyFields(Fields):
    """A retrieval strategy, and whether it can be used on this library."""

    name: str = source("strategy", "name")
    summary: str = source("strategy", "summary")
    representation: str = source("strategy", "representation")
    stores: tuple[str, ...] = source("strategy", "stores")
    storage: str = source("strategy", "storage")
    cost: str = source("strategy", "cost")
    available: bool
    reason: str | None


class StrategiesResponse(Response):
    strategies: tuple[StrategyFields, ...]


class HitFields(Fields):
    """A passage that was found: characters `start` to `end` of the page's text."""

    rank: int = Field(description="from 1")
    chunk_id: str = source("chunk", "id")
    document: str = source("chunk", "document")
    document_id: str = source("chunk", "document_id")
    collection: str = source("chunk", "collection")
    heading: str | None = source("chunk", "heading")
    page: int = source("chunk", "page")
    start: int = source("chunk", "start")
    end: int = source("chunk", "end")
    score: float
    scores: dict[str, float] = Field(description="the scores that `score` is made of, by their names")
    text: str = source("chunk", "text")


class MatchFields(Fields):
    """A word of the passage: characters `start` to `end` of the page."""

    start: int
    end: int
    text: str


class TokenFields(Fields):
    """A token of the question, and the words of the passage that match it best."""

    start: int
    end: int
    text: str
    similarity: float = Field(description="cosine, from -1 to 1")
    matches: tuple[MatchFields, ...]


class ExplanationFields(Fields):
    """Why a passage matches: the best match of each token of the question."""

    maxsim: float = Field(description="the sum of the similarities")
    tokens: tuple[TokenFields, ...]

    @classmethod
    def of_passage(cls, explanation: "Explanation", question: str, start: int, passage: str) -> Self:
        """Return an explanation with the words it is about; the passage begins at `start` of its page."""
        tokens = tuple(
            TokenFields(
                start=reason.start,
                end=reason.end,
                text=question[reason.start : reason.end],
                similarity=reason.similarity,
                matches=tuple(
                    MatchFields(start=first, end=last, text=passage[first - start : last - start])
                    for first, last in reason.places
                ),
            )
            for reason in explanation.reasons
        )
        return cls(maxsim=explanation.maxsim, tokens=tokens)


class ExplainedHitFields(HitFields):
    """A passage with the reason why it was found; null where the passage has gone meanwhile."""

    explanation: ExplanationFields | None

    @classmethod
    def of_hit(cls, hit: "Hit", explanation: "Explanation | None", question: str) -> Self:
        fields = explanation and ExplanationFields.of_passage(
            explanation, question, hit.chunk.start, hit.chunk.text
        )
        return cls.of(**dict(HitFields.of(hit)), explanation=fields)


class LookedFirstFields(Fields):
    """A document that the question names."""

    document: str
    document_id: str
    probability: Share = Field(description="that the answer is in this document, from 0 to 1")
    words: tuple[str, ...] = Field(description="the question's words that name it")


class LookedForFields(Fields):
    """A term of the question that was looked for in other words, too: of the glossary, an abbreviation, or a
    typing error."""

    term: str
    also: tuple[str, ...] = Field(description="what was looked for also")


class FoundFields(Fields):
    """What a strategy found."""

    strategy: str
    reranker: str | None
    exact: bool = Field(description="whether no better passage can be missing")
    hits: tuple[ExplainedHitFields | HitFields, ...] = Field(description="best first")
    timings_ms: Timings
    looked_first: tuple[LookedFirstFields, ...] = Field(
        (),
        description="documents that were looked in first: those that the question names, of several sides "
        "all; the strategy fusion looks in all alike",
    )
    looked_for: tuple[LookedForFields, ...] = Field(
        (), description="terms that were looked for in other words, too"
    )


class SearchResponse(FoundFields, Response):
    warnings: tuple[str, ...] = Field(description="damage that the search met, and how to repair it")


class ColumnFields(Fields):
    """What one strategy of a comparison found."""

    strategy: str
    reranker: str | None
    exact: bool
    stored_bytes: int = Field(description="disk space of the stores that the strategy reads")
    timings_ms: Timings
    hits: tuple[HitFields, ...]


class RowFields(Fields):
    """A passage and its rank in each column; null in a column that lacks it."""

    chunk_id: str
    ranks: tuple[int | None, ...]


class OverlapFields(Fields):
    """How many passages two columns (by their places, from 0) share."""

    left: int
    right: int
    shared: int
    either: int
    share: Share = Field(description="shared / either (Jaccard's index)")


class CompareResponse(Response):
    question: str
    encode_ms: Milliseconds = Field(
        description="time for the question's vectors, computed once for all columns"
    )
    columns: tuple[ColumnFields, ...]
    rows: tuple[RowFields, ...]
    overlaps: tuple[OverlapFields, ...]
    warnings: tuple[str, ...]
