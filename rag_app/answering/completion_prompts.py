"""Prompts for models that complete plain text: rules, numbered sources, a question, and "Answer:".

A model that was not tuned to chat goes on as the text before it does. So solved examples show what an
answer looks like. A model with an adapter that was trained on this form (`benchmarks/train_adapter.py`) needs
none. The tags of a chat's prompt would only be imitated.

No document can begin a source or a question of its own: a line like that is indented, and a source has no
blank line. Instructions about the form of the answers are one line below the rules, where they are short.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage

from rag_app.answering.answers import NO_ANSWER, AnswerInstructions, Evidence
from rag_app.answering.prompt_injection import harmless_name
from rag_app.answering.prompts import harmless_document, harmless_text, harmless_wish

RULES = (
    "Each question is answered briefly from the numbered sources, and the source is named after the answer, "
    f"like [1]. If no source holds the answer, the answer is: {NO_ANSWER}"
)
# Characters of instructions: a longer line leads a model that only completes text away from the sources.
MOST_FORM = 200
# A line that would look like a part of the prompt.
_OWN_LINE = re.compile(r"^(?=\s*(?:Source\s+\d|Question\s*:|Answer\s*:))", re.IGNORECASE | re.MULTILINE)
# A line of prose that goes on; copied into an answer it would end in mid-sentence.
_WRAPPED = re.compile(r"(?<=[a-z,;])[ \t]*\n(?=[a-z(])")
_BLANK_LINES = re.compile(r"\n\s*\n")


@dataclass(frozen=True, slots=True)
class NumberedSource:
    """A source as the prompt shows it.

    Attributes:
        document: Its file's name.
        context: The headings above the text, or the heads of its table; "" for none.
    """

    number: int
    document: str
    page: int
    context: str
    text: str


def form_line(text: str) -> str:
    """Return instructions in one line, as the prompt has them."""
    return " ".join(harmless_wish(text).split())


def completion_messages(
    question: str,
    evidence: Sequence[Evidence],
    *,
    is_trained: bool,
    instructions: AnswerInstructions = AnswerInstructions(),
) -> list[BaseMessage]:
    """Return the prompt for a question and its evidence.

    Args:
        is_trained: The model has an adapter for this form, and needs no solved examples.
        instructions: About the form of the answers, of at most `MOST_FORM` characters in one line.
    """
    form = form_line(instructions.text)
    rules = f"{RULES}\nForm of the answers: {form}" if form else RULES
    shown = [
        NumberedSource(
            item.number,
            harmless_document(item),
            item.hit.chunk.page,
            " ".join(harmless_name(item.hit.chunk.context, "").split()),
            harmless_text(item),
        )
        for item in evidence
    ]
    solved = () if is_trained else _solved()
    return [SystemMessage(rules), *solved, HumanMessage(sources_and_question(shown, question))]


def sources_and_question(sources: Sequence[NumberedSource], question: str) -> str:
    """Return the text of numbered sources, and a question below them."""
    return "\n\n".join([*map(_source, sources), f"Question: {' '.join(question.split())}"])


def _source(source: NumberedSource) -> str:
    place = ", ".join(filter(None, (source.document, f"page {source.page}", source.context)))
    text = _WRAPPED.sub(" ", _BLANK_LINES.sub("\n", source.text.strip()))
    text = _OWN_LINE.sub("  ", text)
    return f"Source {source.number} ({place}):\n{text}"


_BRIDGE = (
    "bridges.pdf",
    12,
    "Crossings of the Tamar",
    "The Saltash ferry carried passengers from about 1270. The Tamar Bridge opened in October 1961. "
    "It cost £1.5 million.",
)
_FERRY = ("ferries.docx", 3, "", "The Torpoint ferry has three boats. Each of them carries 73 cars.")


def _solved() -> Iterator[BaseMessage]:
    """Yield solved examples: a fact, a question that the sources leave open, a figure."""
    for places, question, answer in (
        ((_BRIDGE, _FERRY), "When was the bridge across the Tamar opened?", "It opened in October 1961 [1]."),
        ((_BRIDGE, _FERRY), "Who designed the bridge across the Tamar?", NO_ANSWER),
        ((_FERRY,), "How many cars does a boat of the Torpoint ferry carry?", "73 cars [1]."),
    ):
        shown = [NumberedSource(number, *place) for number, place in enumerate(places, 1)]
        yield HumanMessage(sources_and_question(shown, question))
        yield AIMessage(answer)
