"""The forms of a chat that a template may accept, where it refuses the chat as it is."""

from collections.abc import Iterator, Sequence

ChatMessage = dict[str, str]


def chat_forms(messages: Sequence[ChatMessage]) -> Iterator[list[ChatMessage]]:
    """Yield a chat as it is, and then in other forms, each with fewer turns.

    Some templates (Mistral's, Gemma's) refuse two messages of one role in a row: these are joined. Some
    (Gemma's, that of Mistral 7B) know no system role: the first question then begins with its text.
    """
    given = list(messages)
    yield given
    joined = _joined(given)
    if len(joined) < len(given):
        yield joined
    if len(joined) > 1 and (joined[0]["role"], joined[1]["role"]) == ("system", "user"):
        system, first, *rest = joined
        yield [_together(first, system["content"], first["content"]), *rest]


def keeps_system_text(messages: Sequence[ChatMessage], rendered: str) -> bool:
    """Return whether a rendered chat has the text of its system messages: some templates drop it."""
    return all(one["content"].strip() in rendered for one in messages if one["role"] == "system")


def _joined(messages: Sequence[ChatMessage]) -> list[ChatMessage]:
    joined: list[ChatMessage] = []
    for message in messages:
        if joined and joined[-1]["role"] == message["role"]:
            joined[-1] = _together(message, joined[-1]["content"], message["content"])
        else:
            joined.append(message)
    return joined


def _together(message: ChatMessage, *texts: str) -> ChatMessage:
    """Return a message with the texts, a blank line between them."""
    return {**message, "content": "\n\n".join(texts)}
