"""A question about several sides, asked of one of them alone."""

import re

import pytest

from retrievers.documents_first.alone import alone, are_joined, is_of_each, within

Span = tuple[int, int]


def places(question: str, *names: str) -> frozenset[Span]:
    found = [re.search(rf"(?<!\w){re.escape(name)}", question) for name in names]
    return frozenset(match.span() for match in found if match)


@pytest.mark.parametrize(
    ("question", "names", "expected"),
    [
        (
            "Compare the revenue decline of Amcor and Best Buy.",
            ["Amcor", "Best Buy"],
            ["What was the revenue decline of Amcor.", "What was the revenue decline of Best Buy."],
        ),
        (
            "How many staff did OPM have in FY 2019 and in FY 2020?",
            ["FY 2019", "FY 2020"],
            ["How many staff did OPM have in FY 2019?", "How many staff did OPM have in FY 2020?"],
        ),
        (
            "Did it get slower from 2019 to 2020?",
            ["2019", "2020"],
            ["Did it get slower from 2019?", "Did it get slower from 2020?"],
        ),
        (
            "How far ahead are members invited at the Ronin Institute and at Makerspace?",
            ["Ronin Institute", "Makerspace"],
            [
                "How far ahead are members invited at the Ronin Institute?",
                "How far ahead are members invited at Makerspace?",
            ],
        ),
        (
            "Who had more total flying time, the instructor at Murfreesboro or the pilot at Latrobe?",
            ["Murfreesboro", "Latrobe"],
            [
                "What was the total flying time of the instructor at Murfreesboro?",
                "What was the total flying time of the pilot at Latrobe?",
            ],
        ),
        (
            "Which had more employees, FedEx or AES?",
            ["FedEx", "AES"],
            ["What was the number of employees of FedEx?", "What was the number of employees of AES?"],
        ),
        (
            "How long does the treatment last in the PRP trial and in the DVRd trial?",
            ["PRP", "DVRd"],
            [
                "How long does the treatment last in the PRP trial?",
                "How long does the treatment last in the DVRd trial?",
            ],
        ),
        (
            "Did Amcor's revenue fall more than Best Buy's?",
            ["Amcor", "Best Buy"],
            ["How much did Amcor's revenue fall?", "How much did revenue fall Best Buy's?"],
        ),
        (
            "What does Salesforce say about layoffs, and what does Netflix say about passwords?",
            ["Salesforce", "Netflix"],
            ["What does Salesforce say about layoffs?", "what does Netflix say about passwords?"],
        ),
        (
            "In 2023, did Amcor or Best Buy repurchase shares?",
            ["Amcor", "Best Buy"],
            ["In 2023, did Amcor repurchase shares?", "In 2023, did Best Buy repurchase shares?"],
        ),
        (
            "What were the margins of Ulta, McDonald's and Apple in 2023?",
            ["Ulta", "McDonald", "Apple"],
            [
                "What were the margins of Ulta in 2023?",
                "What were the margins of McDonald's in 2023?",
                "What were the margins of Apple in 2023?",
            ],
        ),
        (
            "What is the difference between a cross-encoder and a bi-encoder?",
            ["cross-encoder", "bi-encoder"],
            ["What is a cross-encoder?", "What is a bi-encoder?"],
        ),
        (
            "Vergleiche den Umsatz von Amcor und Best Buy.",
            ["Amcor", "Best Buy"],
            ["den Umsatz von Amcor.", "den Umsatz von Best Buy."],
        ),
        (
            "Wie hoch war der Umsatz von Pfizer und von 3M im Jahr 2016?",
            ["Pfizer", "3M"],
            [
                "Wie hoch war der Umsatz von Pfizer im Jahr 2016?",
                "Wie hoch war der Umsatz von 3M im Jahr 2016?",
            ],
        ),
        (
            "Was ist der Unterschied zwischen einem Cross-Encoder und einem Bi-Encoder?",
            ["Cross-Encoder", "Bi-Encoder"],
            ["Was ist einem Cross-Encoder?", "Was ist einem Bi-Encoder?"],
        ),
        ("sales walmart vs costco", ["walmart", "costco"], ["sales walmart", "sales costco"]),
    ],
)
def test_without_the_other_sides(question: str, names: list[str], expected: list[str]) -> None:
    sides = [places(question, name) for name in names]
    assert is_of_each(question, sides)
    assert [alone(question, side, sides) for side in sides] == expected


def test_a_name_that_all_sides_have_stays() -> None:
    question = "What did Amcor and Best Buy earn in 2022 and 2023?"
    at = {name: places(question, name) for name in ("Amcor", "Best Buy", "2022", "2023")}
    sides = [at[name] | at[year] for name in ("Amcor", "Best Buy") for year in ("2022", "2023")]
    assert [alone(question, side, sides) for side in sides] == [
        f"What did {name} earn in {year}?" for name in ("Amcor", "Best Buy") for year in ("2022", "2023")
    ]


@pytest.mark.parametrize(
    ("question", "names", "expected"),
    [
        ("What does the Ronin Institute say about OPM?", ["Ronin Institute", "OPM"], False),
        ("Does Amcor sell to Best Buy?", ["Amcor", "Best Buy"], False),
        ("Amcor Best Buy revenue", ["Amcor", "Best Buy"], True),
        ("How does Amcor's decline differ from Best Buy's?", ["Amcor", "Best Buy"], True),
        ("Is Amcor's margin above Best Buy's?", ["Amcor", "Best Buy"], True),
        ("Ist Amcors Umsatz höher als bei Best Buy?", ["Amcor", "Best Buy"], True),
    ],
)
def test_whether_something_is_asked_of_each(question: str, names: list[str], expected: bool) -> None:
    assert is_of_each(question, [places(question, name) for name in names]) is expected


@pytest.mark.parametrize(
    ("question", "names", "expected"),
    [
        (
            "How many shares were voted at the meetings of PepsiCo and Foot Locker?",
            ["PepsiCo", "Foot Locker"],
            "How many shares were voted at the meetings?",
        ),
        (
            "What was the weather at the Latrobe and the Murfreesboro accident?",
            ["Latrobe", "Murfreesboro"],
            "What was the weather at the accident?",
        ),
        (
            "Wie hoch war der Umsatz von Pfizer und von 3M im Jahr 2016?",
            ["Pfizer", "3M"],
            "Wie hoch war der Umsatz im Jahr 2016?",
        ),
        # Nothing else is asked.
        (
            "What is the difference between a cross-encoder and a bi-encoder?",
            ["cross-encoder", "bi-encoder"],
            "What is a cross-encoder?",
        ),
    ],
)
def test_within_its_documents_a_side_is_not_named(question: str, names: list[str], expected: str) -> None:
    sides = [places(question, name) for name in names]
    ((name,), *_) = sides
    assert within(question, sides[0], sides, name) == expected


def test_a_year_is_named_within_its_documents_too() -> None:
    question = "How many staff did OPM have in 2019 and in 2020?"
    sides = [places(question, "OPM", year) for year in ("2019", "2020")]
    assert within(question, sides[1], sides, None) == "How many staff did OPM have in 2020?"


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("Amcor and Toyota", True),
        ("Amcor's and Toyota's", True),
        ("Amcor Toyota", False),
        ("Amcor sells Toyota", False),
    ],
)
def test_names_that_only_a_word_joins(question: str, expected: bool) -> None:
    (first,), (second,) = places(question, "Amcor"), places(question, "Toyota")
    assert are_joined(question, first, second) is expected
