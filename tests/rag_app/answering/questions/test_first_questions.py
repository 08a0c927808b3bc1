"""Questions to begin with: what makes one, and what never does."""

from ingestion.documents import Heading, Page
from rag_app.answering.questions.first_questions import first_questions, is_about

PROSE = "The clock is wound every Monday by the keeper, who notes the hour in a book beside it. " * 2


def questions(
    *sections: tuple[str, str], name: str = "Clocks", language: str = "en", outlined: bool = True
) -> list[str]:
    """Return the questions of a page with these headings and texts."""
    text, headings = "", []
    for title, below in sections:
        headings.append(Heading(title, 1, 1, len(text)))
        text += f"{title}\n{below}\n"
    made = first_questions("d1", name, language, [Page(1, text)], headings if outlined else [])
    return [one.question for one in made]


def test_a_heading_that_asks_is_taken_as_it_is() -> None:
    assert questions(("2.1 Who may wind the clock?", PROSE)) == ["Who may wind the clock?"]
    assert questions(("How to wind a clock", PROSE)) == ["How do I wind a clock?"]
    assert questions(("When to call the keeper", PROSE)) == ["When should I call the keeper?"]
    assert questions(("Replace the spring", PROSE)) == ["How do I replace the spring?"]


def test_what_a_sentence_defines_is_asked_for() -> None:
    text = "An escapement is a part that passes the force of the spring on to the pendulum. " + PROSE
    assert questions(("Words", text)) == ["What is an escapement?"]
    assert "What does “Net sales” mean?" in questions(
        ("1.", "“Net sales” means all amounts that a buyer has paid in a year. " + PROSE)
    )
    for sentence in ("It is a part of the clock that nobody sees.", "The result is a sum of all the parts."):
        assert questions(("Words", f"{sentence} {PROSE}")) == []


def test_a_subject_is_asked_for_in_the_document_s_language() -> None:
    assert questions(("Winding and greasing", PROSE)) == [
        "What is said about winding and greasing?",
        "What does “Clocks” say about winding and greasing?",
    ]
    assert questions(("Pflege des Uhrwerks", PROSE), language="de") == [
        "Was steht in „Clocks“ über Pflege des Uhrwerks?"
    ]
    assert questions(("Winding and greasing", PROSE), language="ru") == []
    assert len(questions(("Winding and greasing", PROSE), name="x" * 61)) == 1


def test_no_question_comes_from_what_says_nothing() -> None:
    contents = "Winding .... 3\nGreasing .... 5\nStoring .... 9\n" * 6
    for title, below in (
        ("References", PROSE),
        ("Table of Contents", PROSE),
        ("Introduction", PROSE),
        ("When to use it", PROSE),
        ("Table 3. Winding", PROSE),
        ("Winding, 2019 = 44%", PROSE),
        ("Winding and greasing", "Short."),
        ("Winding and greasing", contents),
        ("WINDING AND GREASING", PROSE),
    ):
        assert questions((title, below)) == [], title
    # A running head stands on every page.
    assert questions(("Winding and greasing", PROSE), ("Winding and greasing", PROSE)) == []


def test_lines_above_prose_are_headings_where_a_file_names_none() -> None:
    found = questions(("1.2 Winding and greasing", PROSE), outlined=False)
    assert found[0] == "What is said about winding and greasing?"


def test_an_answer_names_its_subject() -> None:
    assert is_about("Threat shifting is the response of adversaries.", "Threat shifting")
    assert is_about("The clocks are wound on Mondays.", "clock winding wound")
    assert not is_about("For Arduino you can find them here.", "Olimex-made software")
