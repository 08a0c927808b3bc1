"""Query rewriting: a follow-up question becomes a standalone question.

`questions.follow_ups` recognises follow-up questions. A model writes the standalone question; without a
model, or where its text is of no use, rules do (`questions.coreference`).
"""

import re
from collections.abc import Sequence

from langchain_core.messages import BaseMessage, HumanMessage, SystemMessage

from ingestion.text.sentences import sentence_spans
from ingestion.text.stopwords import stopwords_of
from rag_app.answering.answers import Exchange
from rag_app.answering.prompt_injection import is_instruction, without_hidden
from rag_app.answering.questions.coreference import behind, in_context
from rag_app.answering.questions.follow_ups import (
    NAMED_YEAR,
    asking_words,
    content,
    is_follow_up,
    languages_of,
)

# A rewritten question is about as long as the two that it joins.
MOST_TOKENS = 80
_LONGEST = 400
_ANSWER_SHOWN = 300
_EXCHANGES_SHOWN = 3

_RULES = """Rewrite the last question so that it can be understood without the conversation before it.
Put in what words like "it", "they" and "there" stand for. Change nothing else, and answer nothing.
Write one line: the question."""


def rewrite_messages(question: str, history: Sequence[Exchange]) -> list[BaseMessage]:
    """Return the prompt that asks a model for the standalone question."""
    told = "\n".join(
        f"Question: {one.question}\nAnswer: {_shown(one.answer)}" for one in history[-_EXCHANGES_SHOWN:]
    )
    return [SystemMessage(_RULES), HumanMessage(f"{told}\n\nLast question: {question}")]


def _shown(answer: str) -> str:
    """Return the beginning of an answer, without sentences that instruct a model."""
    spans = sentence_spans(answer)
    said = [answer[span.start : span.end] for span in spans]
    return without_hidden(" ".join(one for one in said if not is_instruction(one)))[:_ANSWER_SHOWN]


def accepted(written: str, question: str) -> str | None:
    """Return a model's standalone question; None for text that cannot be one."""
    lines = [line.strip() for line in written.strip().splitlines() if line.strip()]
    if len(lines) != 1 or not 3 <= len(lines[0]) <= _LONGEST:
        return None
    text = re.sub(
        r"^(?:standalone\s+|rewritten\s+|last\s+)?question\s*:\s*", "", lines[0], flags=re.IGNORECASE
    )
    text = text.strip("\"“”' ")
    # A model that lost the thread drops words of the question.
    kept = content(question, ["en"])
    return text if text and kept <= content(text, ["en"]) | stopwords_of("en") else None


def carried_over(question: str, history: Sequence[Exchange]) -> str:
    """Return a follow-up question with what it refers to.

    "When was it planted?" after "Where is the Bramley apple tree?" becomes "When was the Bramley apple tree
    planted?". Where it is uncertain what a word stands for, what the question before names stands behind the
    question; where that would be no reading, the question before itself does.
    """
    if not history:
        return question
    *earlier, last = history
    before = last.question.strip()
    if earlier and not before.endswith(")") and is_follow_up(before):
        before = carried_over(before, earlier)
    if not content(before, languages_of(before)) - asking_words(languages_of(before)):
        return question  # "Why?" tells nothing about the next question
    year = NAMED_YEAR.search(question)
    if (
        year
        and NAMED_YEAR.search(before)
        and not content(NAMED_YEAR.sub("", question), languages_of(question))
    ):
        return NAMED_YEAR.sub(year[0], before)
    if languages_of(question) == ["en"] and languages_of(before) == ["en"]:
        return in_context(question, before, last.answer)
    return behind(question, [before])
