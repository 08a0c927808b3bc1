"""A conversation as Markdown. Markup in questions, answers and documents stays text."""

import re
from collections.abc import Mapping
from typing import Any

from rag_app.answering.prompt_injection import without_hidden

# Characters that could begin a link, an image, a heading, a list, a table or HTML.
_MEANS_SOMETHING = re.compile(r"([\\`*_{}\[\]<>()#+!|~&])")
_BEGINS_SOMETHING = re.compile(r"^(\s*)([-=:>]|\d+(?=[.)]))", re.MULTILINE)


def as_markdown(conversation: Mapping[str, Any]) -> str:
    """Return a conversation (the fields of `rag_app.contract.output.turn_fields`) as CommonMark."""
    parts = [f"# {escaped(conversation['title']) or 'Conversation'}"]
    for turn in conversation["turns"]:
        parts.append(f"## {turn['number']}\\. {escaped(turn['question'])}")
        if turn["standalone_question"] != turn["question"]:
            parts.append(f"*Understood as:* {escaped(turn['standalone_question'])}")
        parts += _answer(turn["answer"]) if turn["answer"] else [f"*{escaped(_ended(turn))}*"]
    return "\n\n".join(parts) + "\n"


def escaped(text: str) -> str:
    """Return text that CommonMark shows literally, as one paragraph."""
    plain = re.sub(r"\s*\n\s*", "\n", without_hidden(text).strip())
    return _BEGINS_SOMETHING.sub(r"\1\\\2", _MEANS_SOMETHING.sub(r"\\\1", plain))


def _answer(answer: Mapping[str, Any]) -> list[str]:
    parts = ["\n\n".join(escaped(paragraph) for paragraph in answer["answer"].split("\n\n"))]
    sources = [
        f"- \\[{citation['marker']}\\] {escaped(citation['document'])}, page {citation['page']}: "
        f"“{escaped(' '.join(citation['quote'].split()))}”"
        for citation in answer["citations"]
    ]
    if sources:
        parts.append("Sources:\n\n" + "\n".join(sources))
    made = [answer["strategy"], answer["reranker"] or "no reranker", answer["llm"]]
    parts.append(f"*{escaped(', '.join(made))}*")
    return parts


def _ended(turn: Mapping[str, Any]) -> str:
    return f"{turn['state']}: {turn['error']}" if turn["error"] else str(turn["state"])
