"""Figures of answers, computed by hand and by scikit-learn."""

import numpy as np
import pytest

from rag_app.evaluation.answers.asking import WITHOUT_GOLD, AnsweredQuestion
from rag_app.evaluation.answers.gold import GoldMatch
from rag_app.evaluation.answers.measuring import area_under_curve, compared, measured
from rag_app.evaluation.answers.report import badness
from rag_app.evaluation.datasets import Question

GOLD = "a.pdf#page=1"
OTHER = "b.pdf#page=9"


def answered(
    identity: str,
    *cited: str,
    wanted: tuple[str, ...] = (GOLD,),
    refused: bool = False,
    contained: bool = False,
    text: str = "one two three [1]",
    signal: float = 0.5,
    kind: str = "fact",
    unsupported: float = 0.0,
) -> AnsweredQuestion:
    return AnsweredQuestion(
        question=Question(identity, f"{identity}?", kind=kind),
        wanted=wanted,
        text=text,
        refused=refused,
        cited=cited,
        quotes=(),
        signal=signal,
        seconds=1.0,
        match=GoldMatch(contained, False, 0.5) if wanted else None,
        standalone=None,
        llm="extractive",
        markers=frozenset({1, 2}),
        unsupported=unsupported,
    )


FOUR = (
    answered("first", GOLD, OTHER, contained=True, signal=0.9),
    answered("later", OTHER, GOLD, contained=True, text="**one** two [1, 2]", signal=0.8, kind="figure"),
    answered("wrong", OTHER, signal=0.4, unsupported=0.5),
    answered("refused", refused=True, signal=0.2),
)
NONE = (
    answered("told", OTHER, wanted=(), signal=0.6, kind="unanswerable", unsupported=1.0),
    answered("right", wanted=(), refused=True, signal=0.1, kind="unanswerable"),
)


def test_figures_are_those_of_a_person_with_a_pencil() -> None:
    found = measured("fusion", "fusion", None, [*FOUR, *NONE])
    assert found.means == {
        "refused": 1 / 4,
        "unanswerable_refused": 1 / 2,
        "first_citation_gold": 1 / 4,
        "any_citation_gold": 2 / 4,
        "gold_contained": 2 / 4,
        "exact_span": 0.0,
        "unsupported_sentences": (0.5 + 1) / 4,
        "words": (3 + 2 + 3) / 3,
        "citations": (2 + 2 + 1) / 3,
        "auc": (2 + 2 + 1 + 1) / 8,
    }
    assert (found.words_median, found.seconds_median) == (3, 1.0)
    assert [(one.kind, one.questions) for one in found.kinds] == [
        ("fact", 3), ("unanswerable", 2), ("figure", 1)
    ]  # fmt: skip
    assert found.kinds[2].means["any_citation_gold"] == 1.0
    assert found.kinds[1].means == {"unanswerable_refused": 0.5, "unsupported_sentences": 1.0}


def test_questions_without_their_gold_article_are_figures_of_their_own() -> None:
    taken = (
        answered("a", wanted=(), refused=True, signal=0.1, kind=WITHOUT_GOLD),
        answered("b", wanted=(), signal=0.3, kind=WITHOUT_GOLD),
    )
    found = measured("fusion", "fusion", None, [*FOUR, *taken])
    assert found.means["without_gold_refused"] == 0.5
    assert found.means["without_gold_auc"] == (2 + 2 + 2 + 1) / 8
    assert "unanswerable_refused" not in found.means
    assert "auc" not in found.means


@pytest.mark.parametrize("seed", range(5))
def test_the_area_is_scikit_learns(seed: int) -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    chance = np.random.default_rng(seed)
    positive = chance.normal(1, 1, 40).round(1)  # rounded, so that there are ties
    negative = chance.normal(0, 1, 15).round(1)
    area, spread = area_under_curve(positive, negative)
    truth = [1] * len(positive) + [0] * len(negative)
    assert area == pytest.approx(metrics.roc_auc_score(truth, np.concatenate([positive, negative])))
    assert 0 <= spread.low < area < spread.high <= 1


def test_the_areas_interval_is_about_the_bootstraps() -> None:
    chance = np.random.default_rng(1)
    positive, negative = chance.normal(1, 1, 80), chance.normal(0, 1, 40)
    _, spread = area_under_curve(positive, negative)
    areas = [
        area_under_curve(chance.choice(positive, len(positive)), chance.choice(negative, len(negative)))[0]
        for _ in range(1000)
    ]
    low, high = np.quantile(areas, [0.025, 0.975])
    assert (spread.low, spread.high) == (pytest.approx(low, abs=0.03), pytest.approx(high, abs=0.03))


def test_one_question_shows_nothing_about_the_area() -> None:
    area, spread = area_under_curve(np.array([0.5]), np.array([0.4, 0.5]))
    assert (area, spread.low, spread.high) == (0.75, 0.0, 1.0)


def test_systems_are_compared_on_the_same_questions() -> None:
    better = [answered(f"q{number}", GOLD, contained=True) for number in range(12)]
    worse = [answered(f"q{number}", OTHER, contained=True) for number in range(12)]
    one, other = (measured(name, name, None, some) for name, some in (("mean", worse), ("fusion", better)))
    found = {each.metric: each for each in compared([one, other], "fusion")}
    assert found.keys() == {
        "refused", "first_citation_gold", "any_citation_gold", "gold_contained", "exact_span"
    }  # fmt: skip
    assert found["first_citation_gold"].difference == -1.0
    assert found["first_citation_gold"].p_adjusted < 0.01
    assert (found["gold_contained"].difference, found["gold_contained"].p_adjusted) == (0.0, 1.0)


def test_the_worst_answer_comes_first() -> None:
    right_page = answered("page", GOLD)
    order = sorted([*FOUR, *NONE, right_page], key=badness)
    assert [one.question.id for one in order] == [
        "told", "wrong", "refused", "page", "later", "first", "right"
    ]  # fmt: skip
