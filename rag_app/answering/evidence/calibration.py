"""Logistic regressions over signals that one can read; scripts in `benchmarks/` fit them."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

# A probability is kept this far from 0 and 1, so that its log-odds are finite.
_LEAST = 1e-3
_MOST_ODDS = 30.0


@dataclass(frozen=True, slots=True)
class Calibration:
    """A logistic regression: σ(intercept + Σ coefficient · signal). A signal that is not named counts 0."""

    intercept: float
    coefficients: Mapping[str, float]

    def probability(self, signals: object) -> float:
        """Return the probability that signals give: an object with a number of each coefficient's name."""
        score = self.intercept + sum(
            weight * float(getattr(signals, name)) for name, weight in self.coefficients.items()
        )
        return 1 / (1 + math.exp(-min(max(score, -_MOST_ODDS), _MOST_ODDS)))


def log_odds(probability: float) -> float:
    """Return ln(p / (1 - p)), kept finite."""
    kept = min(max(probability, _LEAST), 1 - _LEAST)
    return math.log(kept / (1 - kept))
