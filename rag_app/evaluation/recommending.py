"""Recommends a strategy where the questions show a difference, and otherwise the cheapest of the equals."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from rich.filesize import decimal

from rag_app.evaluation.comparing import Floats, compare, holm

# Significance level, after adjustment for the number of comparisons.
LEVEL = 0.05
# With fewer questions, only huge differences would be significant.
FEWEST = 20
# (z of a two-sided test at 5% + z of 80% power)²: for the number of questions that a difference needs.
_POWER = (1.960 + 0.842) ** 2

METRIC = "ndcg@10"


class Measured(Protocol):
    """The part of a result that a recommendation reads."""

    @property
    def name(self) -> str: ...
    @property
    def means(self) -> Mapping[str, float]: ...
    @property
    def values(self) -> Mapping[str, Floats]: ...
    @property
    def latency_ms_p50(self) -> float: ...
    @property
    def bytes(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Recommendation:
    """What the questions show.

    Attributes:
        best: the system with the highest mean, significant or not.
        use: the recommended system: `best` where it is significantly better than all others, else the
            cheapest of `tied`; None with too few questions, or with one system only.
        tied: `best` and the systems that are not significantly worse, the cheapest first.
        worse: the systems that are significantly worse.
        needed: about how many questions would show the difference seen between `best` and `use`; None where
            there is none.
        words: the recommendation in sentences.
    """

    metric: str
    questions: int
    best: str
    use: str | None
    tied: tuple[str, ...]
    worse: tuple[str, ...]
    needed: int | None
    words: str


def recommend(results: Sequence[Measured], metric: str = METRIC) -> Recommendation:
    """Return the recommendation that the results support.

    The best system is compared with each other by the paired randomisation test. It was chosen after looking
    at the results, so Holm's adjustment counts every pair of systems.
    """
    best = max(results, key=lambda one: one.means[metric])
    found = compare(metric, {one.name: one.values[metric] for one in results}, best.name)
    pairs = len(results) * (len(results) - 1) // 2
    adjusted = holm([one.p for one in found] + [1.0] * (pairs - len(found)))[: len(found)]
    worse = {one.a for one, chance in zip(found, adjusted, strict=True) if chance < LEVEL}
    tied = sorted((one for one in results if one.name not in worse), key=_cost)
    questions = len(best.values[metric])
    use = None if questions < FEWEST or len(results) < 2 else tied[0]
    needed = _needed(best.values[metric] - use.values[metric]) if use else None
    return Recommendation(
        metric,
        questions,
        best.name,
        use.name if use else None,
        tuple(one.name for one in tied),
        tuple(one.name for one in results if one.name in worse),
        needed,
        _words(results, best, tied, questions, needed),
    )


def _cost(one: Measured) -> tuple[float, int]:
    return one.latency_ms_p50, one.bytes


def _needed(differences: Floats) -> int | None:
    mean, spread = float(differences.mean()), float(differences.std(ddof=1))
    if mean <= 0 or spread == 0:
        return None
    needed = math.ceil(_POWER * (spread / mean) ** 2)
    return (
        needed if needed < 100 else round(needed, 1 - int(math.log10(needed)))
    )  # two digits at most: an estimate


def _words(
    results: Sequence[Measured], best: Measured, tied: Sequence[Measured], questions: int, needed: int | None
) -> str:
    many = "1 question is" if questions == 1 else f"{questions} questions are"
    if len(results) < 2:
        return "Nothing was compared; choose two or more."
    if questions < FEWEST:
        return (
            f"{many} too few to recommend anything: with fewer than {FEWEST}, which one is ahead is mostly "
            "chance."
        )
    price = f"{_milliseconds(tied[0].latency_ms_p50)} a question, {decimal(tied[0].bytes)} stored"
    if len(tied) == 1:
        return (
            f"Use {best.name}: on these {questions} questions it finds more than each of the others, by more "
            f"than chance (p < {LEVEL:.2f}, {METRIC}). It costs {price}."
        )
    names = _listed([one.name for one in tied])
    worse = [one.name for one in results if one not in tied]
    less_found = f"; {_listed(worse)} {'finds' if len(worse) == 1 else 'find'} less" if worse else ""
    smallest = min(tied, key=lambda one: one.bytes)
    less = f"; {smallest.name} stores least, {decimal(smallest.bytes)}" if smallest is not tied[0] else ""
    more = (
        f" {best.name} is ahead of it by {_ahead(best, tied[0])}, which may be chance; about {needed:,} "
        "questions like these would tell."
        if needed
        else ""
    )
    return (
        f"These {questions} questions do not tell {names} apart{less_found}. The sensible choice is the "
        f"cheapest of them, {tied[0].name}: {price}{less}.{more}"
    )


def _ahead(best: Measured, other: Measured) -> str:
    return f"{best.means[METRIC] - other.means[METRIC]:.3f}".removeprefix("0")


def _listed(names: Sequence[str]) -> str:
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last


def _milliseconds(value: float) -> str:
    return f"{value:.0f} ms" if value >= 10 else f"{value:.1f} ms"
