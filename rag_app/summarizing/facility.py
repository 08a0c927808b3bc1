"""Facility location: chooses a few items that represent many."""

import heapq
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


def representatives(
    similarities: Floats, *, demand: Floats | None = None, merit: Floats | None = None
) -> Iterator[tuple[int, float]]:
    """Yield the columns that best represent the rows, each with its gain, until no column gains.

    Greedy facility location: each choice raises F(S) = Σ_i d_i max_{j∈S} s_ij most, where negative s count
    as 0. Without `merit` it reaches at least 1 - 1/e of the best F. From: Lin and Bilmes, "A Class of
    Submodular Functions for Document Summarization", ACL 2011. A gain only falls as S grows, so most gains
    are not computed again (Minoux, 1978).

    Args:
        similarities: [n, m], of n items to represent with m items to choose from.
        demand: [n], the weights d of the rows, scaled to sum 1; None: equal weights.
        merit: [m], at least 0, a factor on each column's gain; None: 1.
    """
    rows, columns = similarities.shape
    if not rows or not columns:
        return
    demand = np.full(rows, 1 / rows, np.float32) if demand is None else demand / demand.sum()
    merit = np.ones(columns, np.float32) if merit is None else merit
    covered = np.zeros(rows, np.float32)
    first = (demand @ np.maximum(similarities, 0)) * merit
    queue = [(-float(gain), column, 0) for column, gain in enumerate(first)]
    heapq.heapify(queue)
    chosen = 0
    while queue:
        bound, column, computed = heapq.heappop(queue)
        if computed < chosen:
            gain = float(demand @ np.maximum(similarities[:, column] - covered, 0) * merit[column])
            heapq.heappush(queue, (-gain, column, chosen))
            continue
        if bound >= 0:
            return
        covered = np.maximum(covered, similarities[:, column])
        chosen += 1
        yield column, -bound
