"""A chat as plain text, for models that have no chat template and complete what they read."""

from collections.abc import Sequence

ANSWER = "Answer:"
# A model goes on with a question of its own, or with another source; a blank line ends an answer.
STOPS = ("\n\n", "\nQuestion:", "\nSource ")


def plain_text(messages: Sequence[dict[str, str]]) -> str:
    """Return messages as a text that ends where the answer begins.

    Blank lines stand between the messages, and each user's message has a line with its answer, so that
    earlier answers show what is wanted.
    """
    text = ""
    for message in messages:
        content = message["content"].strip()
        if message["role"] == "assistant":
            text += f" {content}"
            continue
        text += f"\n\n{content}" if text else content
        if message["role"] == "user":
            text += f"\n{ANSWER}"
    return text
