"""What a reader says of a passage, by hand."""

from dataclasses import replace

import numpy as np
import pytest

from retrievers.reader.reading import AnswerSpan, Reading, SentenceReading

# "It sailed. In 1931."
TOKENS = np.array([[0, 2], [3, 9], [9, 10], [11, 13], [14, 18], [18, 19]], np.int32)
READING = Reading(
    1.5, 0.8, AnswerSpan(14, 18, 0.9), TOKENS, np.array([0, 0.25, 0.5, 0.5, 1, 0.75], np.float32)
)


@pytest.mark.parametrize(
    ("span", "expected"), [((0, 10), 0.25), ((11, 19), 0.75), ((14, 18), 1.0), ((2, 3), 0.0)]
)
def test_a_stretch_has_the_mean_of_its_tokens(span: tuple[int, int], expected: float) -> None:
    assert READING.marked(*span) == pytest.approx(expected)
    assert READING.sentence(*span) is None


def test_a_stretch_has_the_probability_of_the_sentence_that_has_most_of_it() -> None:
    read = replace(READING, sentences=(SentenceReading(0, 10, 0.1), SentenceReading(11, 19, 0.7)))
    assert (read.sentence(0, 10), read.sentence(8, 16), read.sentence(20, 30)) == (0.1, 0.7, None)


def test_readings_compare_without_their_arrays() -> None:
    assert replace(READING, tokens=TOKENS.copy()) == READING
    assert replace(READING, answers=0.1) != READING
