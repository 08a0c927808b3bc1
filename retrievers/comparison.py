"""Several strategies' passages for one question, side by side: their ranks and overlaps."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ingestion.errors import InvalidInput
from retrievers.hits import Hit
from retrievers.search import SearchResult

FEWEST, MOST = 2, 4


@dataclass(frozen=True, slots=True)
class Column:
    """The passages that one strategy found.

    Attributes:
        timings_ms: What the strategy takes by itself, stages that it shares with other columns included,
            the question's vectors not.
        stored_bytes: The room that the stores that it reads take on the disk.
    """

    strategy: str
    reranker: str | None
    exact: bool
    hits: tuple[Hit, ...]
    timings_ms: Mapping[str, float]
    stored_bytes: int

    @property
    def name(self) -> str:
        return column_name(self.strategy, self.reranker)


@dataclass(frozen=True, slots=True)
class Row:
    """A passage and its rank in each column; None in a column that lacks it."""

    chunk_id: str
    ranks: tuple[int | None, ...]


@dataclass(frozen=True, slots=True)
class Overlap:
    """The overlap of two columns, given by their places, from 0: both have `shared` of `either` passages.

    `share` is the quotient, Jaccard's index: 1 where both found the same passages in any order.
    """

    left: int
    right: int
    shared: int
    either: int

    @property
    def share(self) -> float:
        return self.shared / self.either if self.either else 1.0


@dataclass(frozen=True, slots=True)
class StrategyComparison:
    """Columns in the order that was asked for; rows by their best rank; an overlap for each pair of columns.

    `encode_ms` is what the question's vectors took, once for all columns.
    """

    question: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    overlaps: tuple[Overlap, ...]
    encode_ms: float


def check_columns(columns: Sequence[tuple[str, str | None]]) -> None:
    """Raise InvalidInput for too few or too many (strategy, reranker), or one that is there twice."""
    if not FEWEST <= len(columns) <= MOST:
        raise InvalidInput(
            f"{len(columns)} to compare; choose {FEWEST} to {MOST} strategies, with or without a reranker"
        )
    names = [column_name(strategy, reranker) for strategy, reranker in columns]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise InvalidInput(f"{twice} is there twice; compare it with another strategy")


def column_name(strategy: str, reranker: str | None) -> str:
    return f"{strategy} + {reranker}" if reranker else strategy


def column_of(result: SearchResult, stored_bytes: int) -> Column:
    """Return a search's result as a column. The total includes stages that ran for another column before."""
    stages = {name: value for name, value in result.timings_ms.items() if name != "total"}
    timings = {**stages, "total": max(result.timings_ms.get("total", 0.0), sum(stages.values()))}
    return Column(result.strategy, result.reranker, result.exact, result.hits, timings, stored_bytes)


def compare(question: str, columns: Sequence[Column], encode_ms: float = 0.0) -> StrategyComparison:
    """Return the columns beside each other. Passages are the same where their chunk is."""
    return StrategyComparison(question, tuple(columns), _rows(columns), _overlaps(columns), encode_ms)


def _rows(columns: Sequence[Column]) -> tuple[Row, ...]:
    places = [{hit.chunk.id: hit.rank for hit in column.hits} for column in columns]
    chunks = dict.fromkeys(chunk for ranks in places for chunk in ranks)
    rows = [Row(chunk, tuple(ranks.get(chunk) for ranks in places)) for chunk in chunks]
    # By the best rank, then by how many columns have it, then by the others' ranks.
    return tuple(sorted(rows, key=_weight))


def _weight(row: Row) -> tuple[int, int, list[int]]:
    ranks = sorted(rank for rank in row.ranks if rank is not None)
    return ranks[0], -len(ranks), ranks


def _overlaps(columns: Sequence[Column]) -> tuple[Overlap, ...]:
    chunks = [{hit.chunk.id for hit in column.hits} for column in columns]
    return tuple(
        Overlap(left, right, len(chunks[left] & chunks[right]), len(chunks[left] | chunks[right]))
        for left in range(len(columns))
        for right in range(left + 1, len(columns))
    )
