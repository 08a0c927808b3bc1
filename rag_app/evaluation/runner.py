"""Asks every system each question of a data set, one at a time, and measures what it finds."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ingestion.errors import Cancelled
from ingestion.maintenance import stats
from rag_app.evaluation.comparing import Comparison, Interval, compare, interval
from rag_app.evaluation.corpus import Corpus, IsCancelled, OnProgress
from rag_app.evaluation.datasets import Dataset, Question
from rag_app.evaluation.metrics import Values, compared, estimated, measure, metric_names
from rag_app.evaluation.recommending import Recommendation, recommend
from rag_app.evaluation.sizes import stored_bytes
from retrievers.reranking import Reranker, RerankLimits
from retrievers.search import search
from retrievers.strategies import DEFAULT_STRATEGY, Strategy

# Passages found for a question, as many as recall@100 needs.
TOP_K = 100
# Results and characters that a report shows beside the relevant ones.
_KEPT = 3
_PREVIEW = 200


@dataclass(frozen=True, slots=True)
class Retrieved:
    """The results of one question: distinct passages or pages, best first, and the first results' texts."""

    units: tuple[str, ...]
    previews: tuple[str, ...]
    milliseconds: float


@dataclass(frozen=True, slots=True)
class EvaluatedSystem:
    """A strategy with or without a reranker, over a corpus: `find` takes a question.

    `bytes` is the size of the stores that the strategy reads.
    """

    strategy: str
    reranker: str | None
    find: Callable[[str], Retrieved]
    bytes: int

    @property
    def name(self) -> str:
        return f"{self.strategy} + {self.reranker}" if self.reranker else self.strategy


@dataclass(frozen=True, slots=True)
class Lost:
    """A question without a relevant passage or page among its first five results.

    Attributes:
        wanted: the relevant passages or pages.
        rank: the rank of the first relevant result; None where there is none.
        found: the first results.
    """

    question: Question
    wanted: tuple[str, ...]
    rank: int | None
    found: tuple[str, ...]
    previews: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Result:
    """One system's figures: `values` [q] by metric, their means, and the means' 95% intervals."""

    strategy: str
    reranker: str | None
    name: str
    means: Mapping[str, float]
    intervals: Mapping[str, Interval]
    values: Values
    latency_ms_p50: float
    latency_ms_p95: float
    bytes: int
    lost: tuple[Lost, ...]
    rankings: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The results of all systems, their differences from `reference`, and the recommendation."""

    dataset: Dataset
    chunks: int
    metrics: tuple[str, ...]
    results: tuple[Result, ...]
    reference: str
    comparisons: tuple[Comparison, ...]
    recommendation: Recommendation


def evaluate(
    corpus: Corpus,
    contenders: Sequence[EvaluatedSystem],
    *,
    on_progress: OnProgress | None = None,
    cancelled: IsCancelled | None = None,
) -> Evaluation:
    """Ask every system each question of the corpus' data set.

    The systems are compared with the default strategy, or with the first system where it is not among them.
    Raises what `search` raises, and Cancelled.
    """
    dataset = corpus.dataset
    results = []
    for place, contender in enumerate(contenders):
        asked = dict(_ask(contender, dataset.questions, place, on_progress, cancelled))
        results.append(_result(dataset, contender, asked))
    names = [result.name for result in results]
    reference = DEFAULT_STRATEGY if DEFAULT_STRATEGY in names else names[0]
    comparisons = [
        comparison
        for metric in compared(dataset)
        for comparison in compare(metric, {one.name: one.values[metric] for one in results}, reference)
    ]
    chunks = sum(document.chunks for document in corpus.documents())
    return Evaluation(
        dataset,
        chunks,
        metric_names(dataset),
        tuple(results),
        reference,
        tuple(comparisons),
        recommend(results),
    )


def system_of(
    corpus: Corpus,
    strategy: Strategy,
    reranker: Reranker | None,
    top_k: int,
    limits: RerankLimits = RerankLimits(),
) -> EvaluatedSystem:
    """Return a strategy over the corpus as a system."""
    scope = corpus.scope()

    def find(question: str) -> Retrieved:
        result = search(
            corpus.library, question, strategy, scope, reranker=reranker, limits=limits, top_k=top_k
        )
        units = [corpus.unit(hit.chunk) for hit in result.hits]
        previews = {
            unit: hit.chunk.text[:_PREVIEW]
            for unit, hit in reversed(list(zip(units, result.hits, strict=True)))
        }
        distinct = tuple(dict.fromkeys(units))
        shown = tuple(previews[unit] for unit in distinct[:_KEPT])
        return Retrieved(distinct, shown, result.timings_ms["total"])

    name = reranker.name if reranker else None
    return EvaluatedSystem(strategy.name, name, find, stored_bytes(stats(corpus.library), strategy))


def _ask(
    contender: EvaluatedSystem,
    questions: Sequence[Question],
    spaces: int,
    on_progress: OnProgress | None,
    cancelled: IsCancelled | None,
) -> Iterator[tuple[str, Retrieved]]:
    contender.find("warm up")
    # Trailing spaces make a different question, whose vectors no earlier system has left in a cache.
    for number, question in enumerate(questions, start=1):
        if cancelled and cancelled():
            raise Cancelled("the evaluation")
        yield question.id, contender.find(question.text + " " * (spaces + 1))
        if on_progress:
            on_progress(contender.name, number, len(questions))


def _result(dataset: Dataset, contender: EvaluatedSystem, found: Mapping[str, Retrieved]) -> Result:
    rankings = {question: one.units for question, one in found.items()}
    values = measure(dataset, rankings)
    p50, p95 = np.percentile([one.milliseconds for one in found.values()], [50, 95])
    success = values["success@5"]
    return Result(
        strategy=contender.strategy,
        reranker=contender.reranker,
        name=contender.name,
        means={name: float(one.mean()) for name, one in values.items()},
        intervals={name: interval(values[name]) for name in estimated(dataset)},
        values=values,
        latency_ms_p50=float(p50),
        latency_ms_p95=float(p95),
        bytes=contender.bytes,
        lost=tuple(_lost(dataset, found, success)),
        rankings=rankings,
    )


def _lost(dataset: Dataset, found: Mapping[str, Retrieved], success: NDArray[np.float64]) -> Iterator[Lost]:
    for question, value in zip(dataset.questions, success, strict=True):
        if not value:
            wanted = tuple(unit for unit, grade in dataset.qrels[question.id].items() if grade > 0)
            one = found[question.id]
            ranks = [rank for rank, unit in enumerate(one.units, start=1) if unit in wanted]
            yield Lost(question, wanted, ranks[0] if ranks else None, one.units[:_KEPT], one.previews)
