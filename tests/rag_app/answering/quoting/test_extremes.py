"""The row with the most or the least of what a question asks for."""

from dataclasses import replace

import pytest

from ingestion.documents import Page
from ingestion.tables.reading import tables_of
from rag_app.answering.answers import PassageWindow, PromptContext
from rag_app.answering.quoting.composition import compose
from tests.helpers.evidence import evidence

VOTES = (
    "The shareholders elected the directors of the ferry company.\n"
    "Name | Votes For | Votes Against | Abstentions\n"
    "Ada Byron | 59,657 | 2,945 | 107\n"
    "Grace Murray | 54,760 | 51,844 | 921\n"
    "Edith Clarke | 54,484 | 16,105 | 77\n"
    "Total | 168,901 | 70,894 | 1,105"
)


def answer(question: str, text: str = VOTES) -> str:
    """Return the answer from all rows; the first one matches the question best."""
    item = evidence(1, text)
    sentences = tuple(replace(one, score=0.9 if "Ada Byron" in one.text else 0.4) for one in item.sentences)
    window = PassageWindow(text, 0, tables=tables_of([Page(1, text)]))
    found = compose(
        PromptContext((replace(item, window=window, sentences=sentences),), 1.0, question=question)
    )
    return "\n".join(one.line for one in found)


@pytest.mark.parametrize(
    ("question", "line"),
    [
        ("Who got the most votes against?", "Grace Murray · Votes Against: **51,844**"),
        (
            "Which director had the fewest votes against at the ferry company?",
            "Ada Byron · Votes Against: **2,945**",
        ),
        ("Who received the highest votes for?", "Ada Byron · Votes For: **59,657**"),
    ],
)
def test_the_row_with_the_most_or_the_least_answers(question: str, line: str) -> None:
    assert answer(question) == line


@pytest.mark.parametrize(
    "question",
    [
        "Who got at most votes against?",
        "Who got the most recent votes against?",
        "Who had the highest salary?",  # no column of that name
        "Who got the most votes?",  # of which column?
    ],
)
def test_nothing_is_said_where_the_column_is_not_certain(question: str) -> None:
    assert answer(question).split("\n")[0] != "Grace Murray · Votes Against: **51,844**"


def test_a_draw_has_no_winner() -> None:
    drawn = VOTES.replace("16,105", "51,844")
    assert not answer("Who got the most votes against?", drawn).startswith(("Grace Murray", "Edith Clarke"))
