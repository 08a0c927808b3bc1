"""Ranking metrics by question, computed by ir-measures (MacAvaney et al., 2022) with trec_eval.

nDCG@10 (Järvelin and Kekäläinen, 2002, with linear gains), MRR@10, recall@k and success@k rank passages, or
pages in data sets of documents. These have two more metrics: page@k, a relevant page among the first k, and
document@5, a page of a relevant document among the first five.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from rag_app.evaluation.datasets import Dataset, document_of

# The metrics' names here and in ir-measures.
_MEASURES = {
    "ndcg@10": "nDCG@10",
    "mrr@10": "RR@10",
    "recall@5": "R@5",
    "recall@20": "R@20",
    "recall@100": "R@100",
    "success@1": "Success@1",
    "success@5": "Success@5",
}
_PAGES = {"page@5": "Success@5", "page@10": "Success@10", "page@20": "Success@20"}
_FIRST_PAGES = 5
_ESTIMATED = ("recall@5", "recall@20", "mrr@10", "ndcg@10")

Values = Mapping[str, NDArray[np.float64]]


def metric_names(dataset: Dataset) -> tuple[str, ...]:
    """Return the metrics of a data set, the main metrics first."""
    if dataset.unit == "page":
        return ("page@5", "page@10", "page@20", "document@5", *_MEASURES)
    return tuple(_MEASURES)


def compared(dataset: Dataset) -> tuple[str, ...]:
    """Return the main metrics, by which systems are compared."""
    return ("page@5", "ndcg@10") if dataset.unit == "page" else ("ndcg@10",)


def estimated(dataset: Dataset) -> tuple[str, ...]:
    """Return the metrics whose confidence intervals are computed."""
    return tuple(dict.fromkeys((*compared(dataset), *_ESTIMATED)))


def measure(dataset: Dataset, rankings: Mapping[str, Sequence[str]]) -> Values:
    """Return each metric's value for each question, [q] in the order of the questions.

    Args:
        rankings: by question id, distinct ids of passages or pages, best first. A question without a ranking
            found nothing.
    """
    found = _values(dataset, _MEASURES, dataset.qrels, rankings)
    if dataset.unit == "page":
        found |= _values(dataset, _PAGES, dataset.qrels, rankings)
        documents = {
            question: {document_of(page): 1 for page, grade in pages.items() if grade > 0}
            for question, pages in dataset.qrels.items()
        }
        first = {
            question: list(dict.fromkeys(document_of(page) for page in pages[:_FIRST_PAGES]))
            for question, pages in rankings.items()
        }
        found |= _values(dataset, {"document@5": f"Success@{_FIRST_PAGES}"}, documents, first)
    return found


def _values(
    dataset: Dataset,
    measures: Mapping[str, str],
    qrels: Mapping[str, Mapping[str, int]],
    rankings: Mapping[str, Sequence[str]],
) -> dict[str, NDArray[np.float64]]:
    import ir_measures  # takes a second

    places = {question.id: place for place, question in enumerate(dataset.questions)}
    names = {measure: name for name, measure in measures.items()}
    parsed = [ir_measures.parse_measure(measure) for measure in names]
    found = {name: np.zeros(len(places)) for name in measures}
    judged = [
        ir_measures.Qrel(question, unit, grade)
        for question, units in qrels.items()
        for unit, grade in units.items()
    ]
    # trec_eval orders by score and breaks ties by id, so the scores are negative ranks.
    run = [
        ir_measures.ScoredDoc(question, unit, -float(rank))
        for question, units in rankings.items()
        for rank, unit in enumerate(units)
    ]
    for value in ir_measures.iter_calc(parsed, judged, run):
        if value.query_id in places:
            found[names[str(value.measure)]][places[value.query_id]] = value.value
    return found
