"""A chat is tried as it is, then with fewer turns."""

from rag_app.llm.chat_forms import chat_forms, keeps_system_text


def said(*turns: str) -> list[dict[str, str]]:
    """Messages from texts like "user: Why?"."""
    return [{"role": role, "content": text} for role, _, text in (turn.partition(": ") for turn in turns)]


def test_a_chat_of_one_question_has_one_form() -> None:
    chat = said("user: Why?")
    assert list(chat_forms(chat)) == [chat]


def test_the_system_text_moves_into_the_first_question() -> None:
    chat = said("system: Be brief.", "user: Why?", "assistant: So.", "user: How?")
    moved = said("user: Be brief.\n\nWhy?", "assistant: So.", "user: How?")
    assert list(chat_forms(chat)) == [chat, moved]


def test_messages_of_one_role_in_a_row_are_joined_first() -> None:
    chat = said("system: Be brief.", "system: Be kind.", "user: Why?", "user: Tell me.")
    joined = said("system: Be brief.\n\nBe kind.", "user: Why?\n\nTell me.")
    moved = said("user: Be brief.\n\nBe kind.\n\nWhy?\n\nTell me.")
    assert list(chat_forms(chat)) == [chat, joined, moved]
    assert chat == said("system: Be brief.", "system: Be kind.", "user: Why?", "user: Tell me.")


def test_a_system_text_without_a_question_stays_where_it_is() -> None:
    for chat in (said("system: Be brief."), said("system: Be brief.", "assistant: So.")):
        assert list(chat_forms(chat)) == [chat]


def test_a_text_that_was_trimmed_is_kept_and_one_that_was_dropped_is_not() -> None:
    chat = said("system: Be brief.\n", "user: Why?")
    assert keeps_system_text(chat, "<system>Be brief.<user>Why?")
    assert not keeps_system_text(chat, "<user>Why?")
    assert keeps_system_text(chat[1:], "")
