"""What is recommended, on results that one can judge by eye."""

from dataclasses import dataclass

import numpy as np
import pytest

from rag_app.evaluation.comparing import Floats
from rag_app.evaluation.recommending import recommend


@dataclass(frozen=True)
class Result:
    name: str
    ndcg: Floats
    latency_ms_p50: float
    bytes: int = 10**6

    @property
    def values(self) -> dict[str, Floats]:
        return {"ndcg@10": self.ndcg}

    @property
    def means(self) -> dict[str, float]:
        return {"ndcg@10": float(self.ndcg.mean())}


def noisy(mean: float, questions: int, seed: int) -> Floats:
    return np.clip(np.random.default_rng(seed).normal(mean, 0.1, questions), 0, 1)


def test_a_real_difference_is_recommended() -> None:
    found = recommend(
        [
            Result("mean", noisy(0.4, 80, 1), 4),
            Result("colbert", noisy(0.8, 80, 2), 9),
            Result("cls", noisy(0.3, 80, 3), 4),
        ]
    )
    assert (found.best, found.use, found.tied, found.worse) == (
        "colbert", "colbert", ("colbert",), ("mean", "cls"),
    )  # fmt: skip
    assert found.needed is None
    assert found.words.startswith("Use colbert: on these 80 questions it finds more than each of the others")


def test_of_those_not_told_apart_the_cheapest_is_chosen() -> None:
    base = noisy(0.6, 60, 1)
    found = recommend(
        [
            Result("fusion", base + np.tile([0.06, -0.05], 30), 12, 50 * 10**6),
            Result("hybrid", base, 5, 20 * 10**6),
            Result("bm25", base, 7, 10**6),
            Result("cls", base - 0.4, 3, 10**6),
        ]
    )
    assert (found.use, found.worse) == ("hybrid", ("cls",))
    assert found.tied == ("hybrid", "bm25", "fusion")
    assert "do not tell hybrid, bm25 and fusion apart; cls finds less" in found.words
    assert "the cheapest of them, hybrid: 5.0 ms a question, 20.0 MB stored" in found.words
    assert "bm25 stores least, 1.0 MB" in found.words
    assert found.needed is not None
    assert f"about {found.needed:,} questions" in found.words


def test_equal_ones_are_not_told_apart_by_any_number_of_questions() -> None:
    values = noisy(0.5, 40, 1)
    found = recommend([Result("a", values, 2), Result("b", values, 1)])
    assert (found.use, found.needed) == ("b", None)
    assert "which may be chance" not in found.words


def test_few_questions_recommend_nothing() -> None:
    found = recommend([Result("a", np.ones(19), 2), Result("b", np.zeros(19), 1)])
    assert (found.best, found.use) == ("a", None)
    assert found.words.startswith("19 questions are too few")
    assert recommend([Result("a", np.ones(1), 2), Result("b", np.zeros(1), 1)]).words.startswith(
        "1 question is too few"
    )


def test_one_alone_is_compared_with_nothing() -> None:
    assert recommend([Result("a", noisy(0.5, 40, 1), 2)]).use is None


@pytest.mark.parametrize("seed", range(3))
def test_chance_recommends_nothing_of_seven_that_are_the_same(seed: int) -> None:
    some = [Result(str(number), noisy(0.5, 50, 10 * seed + number), number + 1) for number in range(7)]
    assert len(recommend(some).tied) == 7
