"""A question in the glossary's words."""

import pytest

from rag_app.answering.evidence.spelled_out import best_form, spelled_out
from retrievers.glossary import Meaning

QUESTION = "How much capex did the mill have?"
CAPEX = Meaning(
    "capex", ("capital expenditures", "purchases of property and plant", "statements of cash flows"), 9, 14
)


def test_each_meaning_takes_the_place_of_the_term() -> None:
    assert spelled_out(QUESTION, [CAPEX]) == [
        "How much capital expenditures did the mill have?",
        "How much purchases of property and plant did the mill have?",
    ]
    assert spelled_out("another question", [CAPEX]) == []  # whose places they are not


@pytest.mark.parametrize(
    ("passage", "form"),
    [
        ("Payments for property and plant 12 11", "purchases of property and plant"),
        ("Capital expenditures rose.", "capital expenditures"),
        ("Our capex rose, and so did capital expenditures of others.", "capex"),
        ("The keeper left early.", "capex"),
    ],
)
def test_the_form_that_a_line_of_the_passages_has_is_read(passage: str, form: str) -> None:
    asked = "And how much capex did the mill have?"
    assert best_form(asked, [CAPEX], ["Something else.", passage]) == asked.replace("capex", form)
