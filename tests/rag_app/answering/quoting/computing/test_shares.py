"""A part's share of a total; and where none is said."""

import pytest

from rag_app.answering.quoting.computing.shares import AskedShare, asked_share, share
from tests.rag_app.answering.quoting.computing.test_computed import page

SALES = (
    ("iPhone ®", "39,669", "40,665"),
    ("Services", "21,213", "19,604"),
    ("Services to others", "213", "604"),
    ("eCommerce", "2,000", "1,000"),
    ("Total net sales", "81,797", "82,959"),
)
DUTIES = (
    ("Purchase duties", "30", "20"),
    ("Margin", "40%", "30%"),
    ("Losses", "(12)", "8"),
    ("Total contractual duties", "120", "80"),
)


@pytest.mark.parametrize(
    ("question", "part", "whole"),
    [
        ("What share of Apple's revenue in the quarter came from the iPhone?", {"iphone"}, "Apple's revenue"),
        ("What percentage of total sales did services make up?", {"services"}, "total sales"),
        ("What part of U.S. sales was e-commerce in the three months?", {"ecommerce"}, "U.S. sales"),
        ("What proportion of revenue does the firm derive from Canada?", {"canada"}, "revenue"),
        (
            "What is the value of the maintenance revenue as a percentage of the 2019 total revenue?",
            {"maintenance"},
            "the total revenue",
        ),
        ("Compute fees as a percentage of costs", None, ""),
        ("For what purpose do you share my data?", None, ""),
        ("What percentage of patients recovered?", None, ""),
    ],
)
def test_what_is_part_and_whole(question: str, part: set[str] | None, whole: str) -> None:
    assert asked_share(question) == (None if part is None else AskedShare(frozenset(part), whole))


def test_a_share_shows_how_it_is_computed_and_cites_both_rows() -> None:
    found = share("What share of Apple's revenue in 2022 came from the iPhone?", [page(3, SALES)])
    assert [one.line for one in found] == [
        "iPhone ® as a share of total net sales · December 31, 2022: **48.5%** = "
        "$39,669 million ÷ $81,797 million",
        "iPhone ® · December 31, 2022: $39,669 million",
        "Total net sales · December 31, 2022: $81,797 million",
    ]
    assert [one.sentence.text for one in found[1:]] == [
        "iPhone ® 39,669 40,665",
        "Total net sales 81,797 82,959",
    ]


@pytest.mark.parametrize(
    ("question", "first"),
    [
        ("What share of total sales were services in 2021?", "**23.6%** = $19,604 million ÷ $82,959 million"),
        ("What percentage of sales was e-commerce?", "**2.4%** = $2,000 million ÷ $81,797 million"),
        (
            "What were purchase duties as a percentage of total contractual duties?",
            "**25.0%** = $30 million ÷ $120 million",
        ),
    ],
)
def test_the_row_with_the_fewest_other_words_and_the_asked_column_count(question: str, first: str) -> None:
    found = share(question, [page(1, SALES), page(2, DUTIES)])
    assert found[0].line.endswith(first)


@pytest.mark.parametrize(
    "question",
    [
        "What share of revenue came from Canada?",  # no such row
        "What share of segment sales was the iPhone in 2022?",  # a part's total is another row
        "What were losses as a percentage of total contractual duties?",  # less than nothing
        "What was the margin as a percentage of total contractual duties?",
        "What share of revenue came from the iPhone in 2019?",  # no such year
        "What share of revenue came from the iPhone in 2021 and 2022?",
        "What were duties as a percentage of total duties?",  # the whole itself
    ],
)
def test_where_a_figure_is_not_sure_nothing_is_said(question: str) -> None:
    assert share(question, [page(1, SALES), page(2, DUTIES)]) == []
