"""How sure a figure is, and whether two strategies differ: bootstrap intervals and paired tests, by SciPy."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# Resamples of the questions, as is usual; the seed makes a report the same when it is made again.
RESAMPLES = 10_000
CONFIDENCE = 0.95
_SEED = 0
# Resamples are drawn in parts of so many numbers.
_BATCH_NUMBERS = 5_000_000

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Interval:
    """A 95% confidence interval."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """How much better `a` is than `b` by a metric, on the same questions.

    `p` is of the paired randomisation test (Smucker, Allan and Carterette, 2007), two-sided; `p_adjusted` is
    Holm's, for as many comparisons as were made.
    """

    metric: str
    a: str
    b: str
    difference: float
    interval: Interval
    p: float
    p_adjusted: float


def interval(values: Floats) -> Interval:
    """Return the percentile bootstrap's interval of a mean, [n] values; the mean itself if all are equal."""
    if len(values) < 2 or np.ptp(values) == 0:
        mean = float(values.mean())
        return Interval(mean, mean)
    from scipy.stats import bootstrap

    found = bootstrap(
        (values,), np.mean, n_resamples=RESAMPLES, confidence_level=CONFIDENCE, method="percentile",
        batch=_batch(values), rng=np.random.default_rng(_SEED),
    ).confidence_interval  # fmt: skip
    return Interval(float(found.low), float(found.high))


def compare(metric: str, values: Mapping[str, Floats], reference: str) -> list[Comparison]:
    """Compare every named system with one of them by their values for the same questions."""
    others = [name for name in values if name != reference]
    differences = [values[name] - values[reference] for name in others]
    chances = [_chance(one) for one in differences]
    return [
        Comparison(metric, name, reference, float(one.mean()), interval(one), chance, adjusted)
        for name, one, chance, adjusted in zip(others, differences, chances, holm(chances), strict=True)
    ]


def holm(chances: Sequence[float]) -> list[float]:
    """Return the p-values of several tests, adjusted for their number (Holm, 1979)."""
    order = np.argsort(chances, kind="stable")
    adjusted = np.zeros(len(chances))
    highest = 0.0
    for rank, place in enumerate(order):
        highest = max(highest, min(1.0, chances[place] * (len(chances) - rank)))
        adjusted[place] = highest
    return [float(one) for one in adjusted]


def _chance(differences: Floats) -> float:
    """Return how likely a difference of this size is if the two systems are the same."""
    if len(differences) < 2 or not differences.any():  # one question tells nothing
        return 1.0
    from scipy.stats import permutation_test

    return float(
        permutation_test(
            (differences,), np.mean, permutation_type="samples", vectorized=True, n_resamples=RESAMPLES,
            batch=_batch(differences), rng=np.random.default_rng(_SEED),
        ).pvalue
    )  # fmt: skip


def _batch(values: Floats) -> int:
    return max(1, _BATCH_NUMBERS // len(values))
