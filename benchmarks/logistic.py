"""Logistic regression over a few signals, fitted by Newton's method."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

PENALTY = 0.01  # of squared coefficients of standardised signals, per weight of all examples
STEPS = 50

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Fitted:
    """A logistic regression over raw signals."""

    intercept: float
    coefficients: Floats

    def probabilities(self, values: Floats) -> Floats:
        """Return [n] of signals [n, s]."""
        scores: Floats = 1 / (1 + np.exp(-(self.intercept + values @ self.coefficients)))
        return scores

    def printed(self, names: list[str]) -> str:
        """Return the expression that the application's code has."""
        body = ", ".join(
            f'"{name}": {value:.4g}' for name, value in zip(names, self.coefficients, strict=True)
        )
        return f"Calibration({self.intercept:.4g}, {{{body}}})"


def fitted(values: Floats, labels: Floats, weights: Floats) -> Fitted:
    """Fit signals [n, s] to labels [n] of 0 or 1, with weights [n] in sum 1 and a small penalty."""
    mean = weights @ values
    spread = np.sqrt(weights @ (values - mean) ** 2)
    spread[spread == 0] = 1.0
    columns = np.column_stack([np.ones(len(values)), (values - mean) / spread])
    penalty = PENALTY * np.diag([0.0, *np.ones(values.shape[1])])
    found = np.zeros(columns.shape[1])
    for _ in range(STEPS):
        probabilities = 1 / (1 + np.exp(-columns @ found))
        slope = columns.T @ (weights * (labels - probabilities)) - penalty @ found
        curve = (columns.T * (weights * probabilities * (1 - probabilities))) @ columns + penalty
        found += np.linalg.solve(curve, slope)
    return Fitted(float(found[0] - found[1:] @ (mean / spread)), found[1:] / spread)
