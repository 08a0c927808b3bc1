"""The sort of value that a question asks for."""

import pytest

from rag_app.answering.questions.asked_values import ValueKind, asked_value


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        ("What percentage of patients recovered?", ValueKind.PERCENTAGE),
        ("What was Costco's membership renewal rate in 2023?", ValueKind.PERCENTAGE),
        ("What happened to the rate of deforestation?", None),
        ("For what purpose do you share my data?", None),
        ("How much does the board cost?", ValueKind.MONEY),
        ("What average price per gallon did FedEx pay for jet fuel?", ValueKind.MONEY),
        ("How many dollars a year does a fellow pay?", ValueKind.MONEY),
        ("How many pounds of steam does the engine use?", ValueKind.NUMBER),
        ("Wie hoch ist der monatliche Mitgliedsbeitrag?", ValueKind.MONEY),
        ("What is the Wi-Fi range of the board?", ValueKind.DISTANCE),
        ("What is the age range of the patients?", None),
        ("For how long must they keep it?", ValueKind.DURATION),
        ("How many days does the visa last?", ValueKind.DURATION),
        ("Wie lange dauert die Prüfung?", ValueKind.DURATION),
        ("How many patients took part?", ValueKind.COUNT),
        ("How high is the tower?", ValueKind.NUMBER),
        ("How old was the keeper?", ValueKind.AGE),
        ("At what age may he vote?", ValueKind.AGE),
        ("When was the tower built?", ValueKind.DATE),
        ("When do I have to switch it off?", None),  # a condition answers
        ("Who signed the agreement?", ValueKind.FULL_NAME),
        ("Who is the chief executive officer of Amcor?", ValueKind.FULL_NAME),
        ("Who proposed ColBERT?", ValueKind.PERSON),
        ("Who audits Block?", None),  # a firm
        ("Which board has an antenna?", None),
        ("Summarise the report.", None),
    ],
)
def test_what_is_asked_for(question: str, kind: ValueKind | None) -> None:
    found = asked_value(question)
    assert (found.kind if found else None) is kind


@pytest.mark.parametrize(
    ("question", "counted"),
    [
        ("How many monthly active Cash App customers did Square have?", {"customer"}),
        ("How many of the 40 patients became negative?", {"patient"}),
        ("What was the number of countries?", {"country"}),
        ("How many Grammy Award's has she won?", {"award"}),
        ("How many types of viruses are there?", set()),
        ("How many sheep are there?", {"sheep"}),
    ],
)
def test_what_is_counted(question: str, counted: set[str]) -> None:
    found = asked_value(question)
    assert found is not None
    assert found.counted == counted


def test_what_the_question_says_is_no_answer() -> None:
    found = asked_value("How many of the 40 patients of Eton recovered?")
    assert found is not None
    assert {"40", "Eton"} <= found.known
