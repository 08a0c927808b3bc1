"""Intervals and tests: cases that can be worked out, and how often an interval holds the truth."""

import numpy as np
import pytest

from rag_app.evaluation.comparing import Interval, compare, holm, interval


def test_holm_by_hand() -> None:
    # Sorted .01, .02, .03, .5 times 4, 3, 2, 1: .04, .06, .06, .5; never less than the one before.
    assert holm([0.03, 0.01, 0.5, 0.02]) == pytest.approx([0.06, 0.04, 0.5, 0.06])
    assert holm([0.9, 0.8]) == [1.0, 1.0]
    assert holm([]) == []


def test_equal_values_have_no_interval() -> None:
    assert interval(np.full(9, 0.5)) == Interval(0.5, 0.5)
    assert interval(np.array([0.25])) == Interval(0.25, 0.25)


def test_an_interval_is_the_normal_one_of_many_values() -> None:
    values = np.random.default_rng(1).normal(0.4, 0.2, 2000)
    found, error = interval(values), values.std() / np.sqrt(len(values))
    assert (found.low, found.high) == pytest.approx(
        (values.mean() - 1.96 * error, values.mean() + 1.96 * error), abs=0.15 * error
    )


def test_an_interval_holds_the_truth_about_19_times_of_20() -> None:
    random = np.random.default_rng(2)
    found = [interval(random.binomial(1, 0.3, 80).astype(float)) for _ in range(60)]
    assert 51 <= sum(one.low <= 0.3 <= one.high for one in found) <= 60


def test_the_exact_chance_of_a_few_questions() -> None:
    # All five differ alike: of 32 ways to give them signs, two are as far from zero.
    values = {"a": np.array([0.9, 0.8, 0.7, 0.6, 0.5]), "b": np.array([0.1, 0.2, 0.3, 0.1, 0.2])}
    (found,) = compare("m", values, "b")
    assert (found.metric, found.a, found.b) == ("m", "a", "b")
    assert found.difference == pytest.approx(0.52)
    assert found.p == found.p_adjusted == pytest.approx(2 / 32)


def test_one_question_tells_nothing() -> None:
    (found,) = compare("m", {"a": np.array([1.0]), "b": np.array([0.0])}, "b")
    assert (found.difference, found.p, found.interval) == (1.0, 1.0, Interval(1.0, 1.0))


def test_pairs_tell_what_means_do_not() -> None:
    """Questions differ much and systems little, but always to the same side."""
    random = np.random.default_rng(4)
    hard = random.random(200)
    values = {"plain": hard, "better": hard + random.normal(0.02, 0.03, 200), "same": hard}
    better, same = compare("m", values, "plain")
    assert better.p_adjusted < 0.01
    assert better.interval.low > 0
    assert (same.p, same.difference, same.interval) == (1.0, 0.0, Interval(0.0, 0.0))


def test_figures_come_again() -> None:
    random = np.random.default_rng(5)
    values = {"a": random.random(50), "b": random.random(50)}
    assert compare("m", values, "a") == compare("m", values, "a")
