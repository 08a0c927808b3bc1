"""A chat becomes a text that a model goes on with."""

from rag_app.llm.process.plain_text import plain_text


def said(role: str, content: str) -> dict[str, str]:
    return {"role": role, "content": content}


def test_rules_questions_and_answers_stand_below_each_other() -> None:
    messages = [
        said("system", "Answer briefly.\n"),
        said("user", "Question: Where?"),
        said("assistant", "There [1]."),
        said("user", "Question: When?"),
    ]
    assert plain_text(messages) == (
        "Answer briefly.\n\nQuestion: Where?\nAnswer: There [1].\n\nQuestion: When?\nAnswer:"
    )


def test_it_begins_with_a_question_where_there_are_no_rules() -> None:
    assert plain_text([said("user", " Why? ")]) == "Why?\nAnswer:"
