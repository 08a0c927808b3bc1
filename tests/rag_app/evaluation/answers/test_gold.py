"""Whether an answer contains the gold answer, as a person would say."""

import pytest

from rag_app.evaluation.answers.gold import match_gold


@pytest.mark.parametrize(
    ("gold", "answer"),
    [
        # Figures are values, in any notation and scale.
        ("$1,001,425 thousand", "Total current assets | 1,001,425 | 837,411 [1]"),
        ("$1,001,425 thousand", "The total was $1.0 billion. [2]"),
        ("$559.0 million", "Repurchases of common shares (559,038)"),
        ("$12645.00", "Property, plant and equipment, net: $12,645 million"),
        ("$29 million", "DVD revenues | 29 | 36"),
        ("1.234,5 Euro", "Es kostet 1,234.5 Euro."),
        ("13 objectives", "There are thirteen objectives."),
        ("About 39.5%", "a margin of 39.53%"),
        ("FY2016: 4.1%", "4.1% in 2016"),
        # What is in brackets explains.
        ("About 60.5% ($3,933.3M of $6,497.5M)", "60.5% of it"),
        # Words by their stems, in another order, behind a marker or in bold.
        ("The pilot's failure to control the plane", "A **failure** of the pilot to control it [1]"),
        ("Only if the diabetes is uncontrolled.", "Patients with uncontrolled diabetes are excluded. [3]"),
        ("Johnson, 16.1 million", "16,106,442 votes were cast against Johnson."),
        ("ESP32-POE-ISO-16MB-IND", "Use the ESP32-POE-ISO-16MB-IND."),
        ("Section 11.3", "11.3 Termination for bankruptcy"),
        ("No.", "No, it may not."),
        ("One place says 3 times a year", "Each year three times, a place says."),
    ],
)  # fmt: skip
def test_a_person_finds_the_gold_answer(gold: str, answer: str) -> None:
    assert match_gold(answer, [gold]).contained


@pytest.mark.parametrize(
    ("gold", "answer"),
    [
        ("$1,001,425 thousand", "The total was $1.1 billion."),
        ("$1,001,425 thousand", "Page 1 of 425"),
        ("5 days", "It takes 5.3 days."),
        ("100 in total, 50 in each group", "100 patients take part."),
        ("32 warehouses", "There are 832 warehouses."),
        ("5", "The RV-5 was built in FY2005. [5]"),
        ("The pilot's failure to control the plane", "The pilot had 475 hours."),
        ("Yes, the plane was destroyed by fire.", "No, the plane was destroyed by fire."),
        ("No.", "There is no galvanic isolation."),
        ("4 weeks", "4. Every few weeks there is a meeting."),
        ("", "Anything."),
    ],
)
def test_a_person_does_not_find_the_gold_answer(gold: str, answer: str) -> None:
    assert not match_gold(answer, [gold]).contained


def test_words_of_the_question_prove_nothing() -> None:
    question, gold = "Which pilot of the RV-8 had more hours?", "The pilot of the RV-8 from Latrobe"
    assert not match_gold("The pilot of the RV-8 had hours.", [gold], question).contained
    assert match_gold("He came from Latrobe.", [gold], question).contained
    # Where the question offers the answer among others, its words are all there is.
    assert match_gold(
        "The shoulder trial.", ["the shoulder trial"], "The shoulder trial or the knee?"
    ).contained


def test_figures_of_the_question_need_no_repetition() -> None:
    question, gold = "What were the sales in 2016 and 2017?", "10 million in 2016 and 12 million in 2017"
    assert match_gold("Sales: 10 million, 12 million", [gold], question).contained
    assert not match_gold("Sales: 10 million in 2016", [gold], question).contained


def test_only_numbers_of_sources_are_markers() -> None:
    assert not match_gold("It takes [90] days. [1]", ["90 days"]).contained
    assert match_gold("It takes [90] days. [1]", ["90 days"], markers={1, 2}).contained
    assert not match_gold("Days go by. [1, 2]", ["1 or 2 days"], markers={1, 2}).contained


def test_the_best_of_several_gold_answers_counts() -> None:
    found = match_gold("In the winter of 1921.", ["spring of 1987", "1921", "early on"])
    assert (found.contained, found.exact, found.recall) == (True, True, 1.0)
    assert match_gold("In 1921.", []).contained is False


def test_recall_is_the_share_of_words_and_figures() -> None:
    # red, green, 7 of red, green, blue, 7
    found = match_gold("Red 7, green 7", ["Red, green and blue: 7"])
    assert found.recall == pytest.approx(3 / 4)
    assert not found.exact
