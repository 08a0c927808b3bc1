"""The type of answer that a question asks for."""

import pytest

from rag_app.answering.questions.answer_types import AnswerType, answer_type, sides


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        ("Who built the lighthouse?", AnswerType.WHO),
        ("Wer hat den Turm gebaut?", AnswerType.WHO),
        ("When was it built?", AnswerType.WHEN),
        ("In what year did it open?", AnswerType.WHEN),
        ("Bis wann muss ich kündigen?", AnswerType.WHEN),
        ("How many steps has the tower?", AnswerType.HOW_MANY),
        ("¿Cuántos escalones tiene?", AnswerType.HOW_MANY),
        ("How much does a ticket cost?", AnswerType.FIGURE),
        ("What was the total revenue in 2019?", AnswerType.FIGURE),
        ("Can I bring a dog?", AnswerType.YES_NO),
        ("Darf ich einen Hund mitbringen?", AnswerType.YES_NO),
        ("What is a fogline?", AnswerType.DEFINITION),
        ("What does GPV mean?", AnswerType.DEFINITION),
        ("Was ist ein Nebelseil?", AnswerType.DEFINITION),
        ("How do I change the lamp?", AnswerType.PROCEDURE),
        ("What are the duties of the keeper?", AnswerType.LIST),
        ("Which criteria must a keeper meet?", AnswerType.LIST),
        ("What is the difference between a beacon and a buoy?", AnswerType.COMPARISON),
        ("Why was the lamp put out?", AnswerType.REASON),
        ("The lamp was put out: why?", AnswerType.REASON),
        ("What was the cause of the fire?", AnswerType.REASON),
        ("What caused the fire?", AnswerType.REASON),
        ("What reason did the keeper give?", AnswerType.REASON),
        ("Which causes of action are named?", AnswerType.FACT),
        ("Warum wurde die Lampe gelöscht?", AnswerType.REASON),
        ("Where is the harbour?", AnswerType.FACT),
    ],
)
def test_the_words_tell_the_type(question: str, kind: AnswerType) -> None:
    assert answer_type(question) is kind


@pytest.mark.parametrize(
    ("question", "both"),
    [
        ("What is the difference between a beacon and a buoy?", ("beacon", "buoy")),
        ("Compare the revenue decline of Northyard and South Mill.", ("Northyard", "South Mill")),
        ("How does a beacon differ from a buoy?", ("beacon", "buoy")),
        ("How many people worked there in 2019 and in 2020?", ("2019", "2020")),
        ("Where is the harbour?", ()),
    ],
)
def test_the_sides_of_a_comparison_are_named(question: str, both: tuple[str, ...]) -> None:
    assert sides(question) == both
