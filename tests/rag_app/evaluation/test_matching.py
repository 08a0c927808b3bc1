"""Whether a page says an answer: pairs that one can judge by eye."""

import pytest

from rag_app.evaluation.matching import AnswerPattern, PlainText


def said(answer: str, page: str) -> bool:
    return AnswerPattern.of(answer).is_in(PlainText.of(page))


@pytest.mark.parametrize(
    ("answer", "page"),
    [
        ("Ada Finch", "planted in 1921 by ADA\nFINCH."),
        ("the crane’s cable", "The crane's  cable broke"),
        ("'the crane's cable'.", "the crane’s cable broke"),
        ("1987–1990", "from 1987-1990"),
        ("international", "an inter-\nnational treaty"),
        ("Covid-19", "the spread of COVID 19 in May"),
        ("4.2 m", "High water was 4.2\u00a0m."),
        ("ﬁnal", "the final page"),
        ("東京", "会議は東京都で行われた"),
        ("12 %", "rose by 12%."),
        ("5", "page 5. The end"),
        ("2019", "（2019年）"),
    ],
)
def test_typography_does_not_matter(answer: str, page: str) -> None:
    assert said(answer, page)


@pytest.mark.parametrize(
    ("answer", "page"),
    [
        ("5", "in 1950"),
        ("5", "2.5 metres"),
        ("2", "2.5 metres"),
        ("1,200", "11,200"),
        ("pear", "pears"),
        ("art", "a cart"),
        ("10-20", "1020"),
        ("A1", "A 12"),
        ("noon", ""),
    ],
)
def test_parts_of_words_and_numbers_are_not_it(answer: str, page: str) -> None:
    assert not said(answer, page)


def test_a_later_place_counts_where_the_first_is_within_a_word() -> None:
    assert said("art", "The cart carries art.")


def test_an_answer_of_signs_is_nothing_to_look_for() -> None:
    assert AnswerPattern.of("—!").is_empty
    assert not AnswerPattern.of("—1!").is_empty
