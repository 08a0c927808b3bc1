"""A conversation as Markdown. Markup in questions, answers and documents stays text."""

import re

from rag_app.answering.prompt_injection import without_hidden
from rag_app.contract.answers import AnswerFields
from rag_app.contract.conversations import ConversationResponse

# Characters that could begin a link, an image, a heading, a list, a table or HTML.
_MARKUP = re.compile(r"([\\`*_{}\[\]<>()#+!|~&])")
_MARKUP_AT_START = re.compile(r"^(\s*)([-=:>]|\d+(?=[.)]))", re.MULTILINE)


def as_markdown(conversation: ConversationResponse) -> str:
    """Return a conversation as CommonMark."""
    parts = [f"# {escaped(conversation.title) or 'Conversation'}"]
    for turn in conversation.turns:
        parts.append(f"## {turn.number}\\. {escaped(turn.question)}")
        if turn.standalone_question != turn.question:
            parts.append(f"*Understood as:* {escaped(turn.standalone_question)}")
        variants = turn.all_variants
        for one in variants:
            if len(variants) > 1:
                chosen = ", chosen" if one is turn else ""
                parts.append(f"### Answer {one.variant} of {len(variants)}{chosen}")
            if (written := one.answer or one.partial) and written.answer:
                parts += _answer(written)
            if not one.answer:
                parts.append(f"*{escaped(f'{one.state}: {one.error}' if one.error else one.state)}*")
    return "\n\n".join(parts) + "\n"


def escaped(text: str) -> str:
    """Return text that CommonMark shows literally, as one paragraph."""
    plain = re.sub(r"\s*\n\s*", "\n", without_hidden(text).strip())
    return _MARKUP_AT_START.sub(r"\1\\\2", _MARKUP.sub(r"\\\1", plain))


def _answer(answer: AnswerFields) -> list[str]:
    parts = ["\n\n".join(escaped(paragraph) for paragraph in answer.answer.split("\n\n"))]
    sources = [
        f"- \\[{one.marker}\\] {escaped(one.place)}: “{escaped(' '.join(one.quote.split()))}”"
        for one in answer.citations
    ]
    if sources and not answer.abstained:  # the text of a refusal has its passages
        parts.append("Sources:\n\n" + "\n".join(sources))
    made = [answer.strategy, answer.reranker or "no reranker", answer.llm]
    parts.append(f"*{escaped(', '.join(made))}*")
    return parts
