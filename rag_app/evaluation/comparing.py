"""Bootstrap confidence intervals and paired tests of strategies, computed by SciPy."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# Resamples of the questions. The fixed seed makes reports reproducible.
RESAMPLES = 10_000
CONFIDENCE = 0.95
_SEED = 0
# Resamples are drawn in batches of so many numbers.
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

    Attributes:
        p: two-sided paired randomisation test (Smucker, Allan and Carterette, 2007).
        p_adjusted: `p` adjusted for the number of comparisons (Holm, 1979).
    """

    metric: str
    a: str
    b: str
    difference: float
    interval: Interval
    p: float
    p_adjusted: float


def interval(values: Floats) -> Interval:
    """Return the percentile bootstrap interval of the mean of [n] values."""
    if len(values) < 2 or np.ptp(values) == 0:
        mean = float(values.mean())
        return Interval(mean, mean)
    from scipy.stats import bootstrap

    found = bootstrap(
        (values,),
        np.mean,
        n_resamples=RESAMPLES,
        confidence_level=CONFIDENCE,
        method="percentile",
        batch=_batch(values),
        rng=np.random.default_rng(_SEED),
    ).confidence_interval
    return Interval(float(found.low), float(found.high))


def compare(metric: str, values: Mapping[str, Floats], reference: str) -> list[Comparison]:
    """Compare each system with the reference, by their values [q] for the same questions."""
    others = [name for name in values if name != reference]
    differences = [values[name] - values[reference] for name in others]
    chances = [_chance(one) for one in differences]
    return [
        Comparison(metric, name, reference, float(one.mean()), interval(one), chance, adjusted)
        for name, one, chance, adjusted in zip(others, differences, chances, holm(chances), strict=True)
    ]


def holm(chances: Sequence[float]) -> list[float]:
    """Return p-values adjusted for the number of tests (Holm, 1979)."""
    order = np.argsort(chances, kind="stable")
    adjusted = np.zeros(len(chances))
    highest = 0.0
    for rank, place in enumerate(order):
        highest = max(highest, min(1.0, chances[place] * (len(chances) - rank)))
        adjusted[place] = highest
    return [float(one) for one in adjusted]


def _chance(differences: Floats) -> float:
    """Return the p-value of the differences [q] between two systems."""
    if len(differences) < 2 or not differences.any():  # one question shows nothing
        return 1.0
    from scipy.stats import permutation_test

    return float(
        permutation_test(
            (differences,),
            np.mean,
            permutation_type="samples",
            vectorized=True,
            n_resamples=RESAMPLES,
            batch=_batch(differences),
            rng=np.random.default_rng(_SEED),
        ).pvalue
    )


def _batch(values: Floats) -> int:
    return max(1, _BATCH_NUMBERS // len(values))
