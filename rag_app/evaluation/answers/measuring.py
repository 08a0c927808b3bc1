"""Figures of answers: each metric's values by question, means with intervals, by kind, and comparisons."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rag_app.evaluation.answers.asking import UNANSWERABLE, WITHOUT_GOLD, AnsweredQuestion
from rag_app.evaluation.comparing import CONFIDENCE, Comparison, Interval, compare, interval
from rag_app.evaluation.datasets import Dataset

Floats = NDArray[np.float64]

REFUSED = "refused"
FIRST_GOLD = "first_citation_gold"
ANY_GOLD = "any_citation_gold"
CONTAINED = "gold_contained"
EXACT = "exact_span"
REFUSED_UNANSWERABLE = "unanswerable_refused"
WITHOUT_GOLD_REFUSED = "without_gold_refused"
# Answered questions only.
UNSUPPORTED = "unsupported_sentences"
WORDS = "words"
CITATIONS = "citations"
AUC = "auc"
WITHOUT_GOLD_AUC = "without_gold_auc"


@dataclass(frozen=True, slots=True)
class AnswerMetric:
    """A metric that each of some questions has a value of.

    Attributes:
        what: What it says, for people.
        applies: Whether a question counts.
        value: A question's value.
        compared: Whether systems are compared by it.
    """

    what: str
    applies: Callable[[AnsweredQuestion], bool]
    value: Callable[[AnsweredQuestion], float]
    compared: bool = True


def _has_gold(one: AnsweredQuestion) -> bool:
    return one.is_answerable and one.match is not None


def _is_unanswerable(one: AnsweredQuestion) -> bool:
    return not one.is_answerable and one.question.kind != WITHOUT_GOLD


METRICS: Mapping[str, AnswerMetric] = {
    REFUSED: AnswerMetric(
        "questions with an answer that are refused", lambda one: one.is_answerable, lambda one: one.refused
    ),
    REFUSED_UNANSWERABLE: AnswerMetric(
        "questions without an answer that are refused", _is_unanswerable, lambda one: one.refused
    ),
    WITHOUT_GOLD_REFUSED: AnswerMetric(
        "questions that are refused when their gold article is taken out",
        lambda one: one.question.kind == WITHOUT_GOLD,
        lambda one: one.refused,
    ),
    FIRST_GOLD: AnswerMetric(
        "the first citation is on a gold page",
        lambda one: one.is_answerable,
        lambda one: one.cites_gold_first,
    ),
    ANY_GOLD: AnswerMetric(
        "a citation is on a gold page", lambda one: one.is_answerable, lambda one: one.cites_gold
    ),
    CONTAINED: AnswerMetric("the gold answer is in it", _has_gold, lambda one: one.contains_gold),
    EXACT: AnswerMetric("the gold answer's text is in it", _has_gold, lambda one: one.has_gold_text),
    UNSUPPORTED: AnswerMetric(
        "share of an answer's sentences that no source supports", lambda one: not one.refused,
        lambda one: one.unsupported, False,
    ),
    WORDS: AnswerMetric(
        "words of an answer", lambda one: one.is_answerable and not one.refused, lambda one: one.words, False
    ),
    CITATIONS: AnswerMetric(
        "citations of an answer", lambda one: one.is_answerable and not one.refused,
        lambda one: len(one.cited), False,
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class KindFigures:
    """The figures of the questions of one kind."""

    kind: str
    questions: int
    means: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class AnswerResult:
    """What one system answered, and how good that is.

    Attributes:
        name: The strategy, with the reranker.
        means: By metric; a metric without a question is left out.
        intervals: Their 95% intervals; that of the area under the curve is DeLong's.
        values: By metric, [q] of the questions that it applies to, in the order of asking.
        words_median: Of the answered questions that have an answer; seconds_median: of all questions.
    """

    name: str
    strategy: str
    reranker: str | None
    answers: tuple[AnsweredQuestion, ...]
    means: Mapping[str, float]
    intervals: Mapping[str, Interval]
    values: Mapping[str, Floats]
    kinds: tuple[KindFigures, ...]
    words_median: float
    seconds_median: float


@dataclass(frozen=True, slots=True)
class AnswerEvaluation:
    """The results of all systems, and how they differ from `reference`."""

    dataset: Dataset
    llm: str
    results: tuple[AnswerResult, ...]
    reference: str
    comparisons: tuple[Comparison, ...]


def measured(
    name: str, strategy: str, reranker: str | None, answers: Sequence[AnsweredQuestion]
) -> AnswerResult:
    """Return the figures of a system's answers."""
    values = _values(answers)
    means = {metric: float(one.mean()) for metric, one in values.items()}
    intervals = {metric: interval(one) for metric, one in values.items()}
    can = np.array([one.signal for one in answers if one.is_answerable])
    for metric, applies in (
        (AUC, _is_unanswerable),
        (WITHOUT_GOLD_AUC, METRICS[WITHOUT_GOLD_REFUSED].applies),
    ):
        cannot = np.array([one.signal for one in answers if applies(one)])
        if len(can) and len(cannot):
            means[metric], intervals[metric] = area_under_curve(can, cannot)
    words = values.get(WORDS, np.zeros(1))
    return AnswerResult(
        name=name,
        strategy=strategy,
        reranker=reranker,
        answers=tuple(answers),
        means=means,
        intervals=intervals,
        values=values,
        kinds=_by_kind(answers),
        words_median=float(np.median(words)),
        seconds_median=float(np.median([one.seconds for one in answers])),
    )


def compared(results: Sequence[AnswerResult], reference: str) -> tuple[Comparison, ...]:
    """Compare each result with the reference, by the metrics that all have for the same questions."""
    return tuple(
        comparison
        for metric, one in METRICS.items()
        if one.compared and all(metric in result.values for result in results)
        for comparison in compare(metric, {one.name: one.values[metric] for one in results}, reference)
    )


def area_under_curve(positive: Floats, negative: Floats) -> tuple[float, Interval]:
    """Return the area under the ROC curve, and its interval by DeLong, DeLong and Clarke-Pearson (1988).

    The area is the chance that a positive has a higher signal than a negative; ties count half.

    Args:
        positive, negative: [m] and [n] signals.
    """
    from scipy.stats import norm, rankdata

    m, n = len(positive), len(negative)
    together = rankdata(np.concatenate([positive, negative]))
    # The share of negatives below each positive, and of positives above each negative.
    below = (together[:m] - rankdata(positive)) / n
    above = 1.0 - (together[m:] - rankdata(negative)) / m
    area = float(below.mean())
    if min(m, n) < 2:
        return area, Interval(0.0, 1.0)
    deviation = float(np.sqrt(below.var(ddof=1) / m + above.var(ddof=1) / n))
    half = float(norm.ppf(0.5 + CONFIDENCE / 2)) * deviation
    return area, Interval(max(0.0, area - half), min(1.0, area + half))


def kind_of(one: AnsweredQuestion) -> str:
    """Return the kind under which a question is listed; "" where the data set names none."""
    return one.question.kind or ("" if one.is_answerable else UNANSWERABLE)


def _values(answers: Sequence[AnsweredQuestion]) -> dict[str, Floats]:
    found = {
        name: np.array([float(metric.value(one)) for one in answers if metric.applies(one)])
        for name, metric in METRICS.items()
    }
    return {name: values for name, values in found.items() if len(values)}


def _by_kind(answers: Sequence[AnsweredQuestion]) -> tuple[KindFigures, ...]:
    kinds: dict[str, list[AnsweredQuestion]] = {}
    for one in answers:
        kinds.setdefault(kind_of(one), []).append(one)
    if len(kinds) == 1:
        return ()
    return tuple(
        KindFigures(kind, len(some), {name: float(one.mean()) for name, one in _values(some).items()})
        for kind, some in sorted(kinds.items(), key=lambda item: (-len(item[1]), item[0]))
    )
