"""Metrics by hand, and against another implementation on random rankings."""

from collections.abc import Mapping, Sequence

import numpy as np
import pytest

from rag_app.evaluation.datasets import Dataset, Question, Unit
from rag_app.evaluation.metrics import compared, measure, metric_names

Qrels = Mapping[str, Mapping[str, int]]


def dataset(qrels: Qrels, unit: Unit = "passage") -> Dataset:
    return Dataset("d", unit, tuple(Question(key, key) for key in qrels), qrels, 0, "c")


def ndcg(ranking: Sequence[str], grades: Mapping[str, int], k: int) -> float:
    gains = [max(grades.get(unit, 0), 0) for unit in ranking[:k]]
    ideal = sorted((max(grade, 0) for grade in grades.values()), reverse=True)[:k]
    dcg = [sum(gain / np.log2(rank + 1) for rank, gain in enumerate(some, 1)) for some in (gains, ideal)]
    return dcg[0] / dcg[1] if dcg[1] else 0.0


def others(ranking: Sequence[str], grades: Mapping[str, int]) -> dict[str, float]:
    """Every metric of a question, written down once more."""
    relevant = {unit for unit, grade in grades.items() if grade > 0}
    ranks = [rank for rank, unit in enumerate(ranking, 1) if unit in relevant]
    found = {"ndcg@10": ndcg(ranking, grades, 10)}
    found["mrr@10"] = 1 / ranks[0] if ranks and ranks[0] <= 10 else 0.0
    for k in (5, 20, 100):
        found[f"recall@{k}"] = sum(rank <= k for rank in ranks) / len(relevant) if relevant else 0.0
    for k in (1, 5):
        found[f"success@{k}"] = float(any(rank <= k for rank in ranks))
    return found


def test_by_hand() -> None:
    # A grade of 2 at rank 2 and one of 1 at rank 3; ideal: 2, 1 and 1.
    found = measure(dataset({"q": {"a": 2, "b": 1, "c": 1, "d": 0}}), {"q": ["d", "a", "b"]})
    gained, ideal = 2 / np.log2(3) + 1 / 2, 2 + 1 / np.log2(3) + 1 / 2
    expected = {
        "ndcg@10": gained / ideal, "mrr@10": 0.5, "recall@5": 2 / 3, "recall@20": 2 / 3, "recall@100": 2 / 3,
        "success@1": 0.0, "success@5": 1.0,
    }  # fmt: skip
    assert {name: values.tolist() for name, values in found.items()} == {
        name: [pytest.approx(value)] for name, value in expected.items()
    }


def test_a_question_that_found_nothing_counts_zero() -> None:
    found = measure(dataset({"q": {"a": 1}, "r": {"b": 1}}), {"r": ["b"], "q": []})
    assert found["ndcg@10"].tolist() == [0.0, 1.0]
    assert measure(dataset({"q": {"a": 1}}), {})["recall@100"].tolist() == [0.0]


def test_a_rank_decides_and_not_the_names() -> None:
    """trec_eval breaks ties by id; a ranking has none."""
    for ranking in (["z", "a"], ["a", "z"]):
        assert measure(dataset({"q": {"z": 1}}), {"q": ranking})["mrr@10"].tolist() == [
            1 / (1 + ranking.index("z"))
        ]


def test_agrees_with_another_implementation_on_random_rankings() -> None:
    random = np.random.default_rng(3)
    units = [f"u{number}" for number in range(200)]
    qrels, rankings = {}, {}
    for number in range(150):
        judged = random.choice(units, random.integers(1, 30), replace=False)
        qrels[f"q{number}"] = {str(unit): int(random.integers(-1, 4)) for unit in judged}
        some = random.choice(units, random.integers(0, 150), replace=False)
        rankings[f"q{number}"] = [str(unit) for unit in some]
    found = measure(dataset(qrels), rankings)
    for place, (question, grades) in enumerate(qrels.items()):
        for name, value in others(rankings[question], grades).items():
            assert found[name][place] == pytest.approx(value, abs=1e-9), (question, name)


def test_pages_and_documents() -> None:
    qrels = {"q": {"a.pdf#page=3": 1, "a.pdf#page=4": 1}}
    # The right page is sixth, another page of its document is fifth.
    ranking = ["b.pdf#page=1", "b.pdf#page=2", "b.pdf#page=3", "c.pdf#page=1", "a.pdf#page=9", "a.pdf#page=3"]
    found = measure(dataset(qrels, "page"), {"q": ranking})
    values = {name: found[name][0] for name in ("page@5", "page@10", "page@20", "document@5", "recall@20")}
    assert values == {"page@5": 0, "page@10": 1, "page@20": 1, "document@5": 1, "recall@20": 0.5}
    # A document beyond the first five pages does not count, however few documents these are of.
    later = [f"b.pdf#page={number}" for number in range(1, 6)] + ["a.pdf#page=3"]
    assert measure(dataset(qrels, "page"), {"q": later})["document@5"].tolist() == [0.0]


def test_what_is_compared_is_measured() -> None:
    for unit in ("passage", "page"):
        one = dataset({"q": {"a#page=1": 1}}, unit)
        assert set(compared(one)) < set(metric_names(one)) == set(measure(one, {}))
