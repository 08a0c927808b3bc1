"""A language model's answer as people read it: cleaned, cut, or replaced by quotations where it is useless.

What has streamed before a verdict cannot be taken back. The quotations then stream behind it, and the
finished answer has them alone.
"""

import re
from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass

from langchain_core.runnables import RunnableConfig

from ingestion.errors import NothingWritten
from rag_app.answering.answerer import Answerer
from rag_app.answering.answers import (
    NO_ANSWER,
    AnswerProgress,
    CitedAnswer,
    Delta,
    PromptContext,
    ReasoningDelta,
)
from rag_app.answering.completion_prompts import RULES
from rag_app.answering.evidence.question_terms import language_of
from rag_app.answering.prompts import WISHES_RULES, messages
from rag_app.answering.written.answer_text import AnswerText
from rag_app.answering.written.judging import WrittenFor, fault_of
from rag_app.answering.written.texts import not_reliable

# Other words for the sentence of abstention, at the beginning of a text.
_NOTHING_SAID = re.compile(
    r"\W*(?:(?:yes|no)\W+)?(?:(?:the|these|this|your)\s+)?(?:(?:provided|given|numbered)\s+)?"
    r"(?:documents?|sources?|passages?|texts?|context)\s+(?:do|does)(?:\s+not|n[’']t)\s+"
    r"(?:answer\b|(?:hold|contain|provide|include|give|have)\s+(?:(?:the|an|any|enough|that)\s+)?"
    r"(?:answer|information)\b)",
    re.IGNORECASE,
)

Events = Generator[Delta | AnswerProgress | ReasoningDelta, None, "Reply"]


@dataclass(frozen=True, slots=True)
class Reply:
    """What an answerer wrote, and what became of it.

    Attributes:
        text: The text as it was written, or the quotations that stand for it.
        cited: The answer with its citations; None where the answerer says that there is none.
        flags: What a person has to know.
        model_text: The model's own text where quotations stand for it.
    """

    text: str
    cited: CitedAnswer | None
    flags: tuple[str, ...] = ()
    model_text: str | None = None


def reply(
    answerer: Answerer,
    fallback: Answerer | None,
    question: str,
    packed: PromptContext,
    config: RunnableConfig,
) -> Events:
    """Yield what an answerer writes; return the reply. Closing the generator stops the model.

    Args:
        fallback: Quotes the same evidence where a model's text is useless; None: the answerer is no model,
            and its text stays as it is.
    """
    if fallback is None:
        pieces: list[str] = []
        with closing(answerer.write(question, packed, config)) as writing:
            for piece in writing:
                if isinstance(piece, str):
                    pieces.append(piece)
                yield Delta(piece) if isinstance(piece, str) else piece
        text = "".join(pieces).strip()
        return Reply(text, None if says_no_answer(text) else answerer.cite(text, packed))
    return (yield from _judged(answerer, fallback, question, packed, config))


def says_no_answer(text: str) -> bool:
    """Return whether a text is the sentence of abstention, alone or with a few words around it.

    A longer answer that contains the sentence quotes it.
    """
    return len(text) <= 3 * len(NO_ANSWER) and NO_ANSWER.rstrip(".").casefold() in text.casefold()


def _means_no_answer(text: str) -> bool:
    """Return whether a model says, in other words than it was told, that nothing answers."""
    return len(text) <= 3 * len(NO_ANSWER) and _NOTHING_SAID.match(text) is not None


def _judged(
    answerer: Answerer, fallback: Answerer, question: str, packed: PromptContext, config: RunnableConfig
) -> Events:
    written = AnswerText(question, {item.number for item in packed.evidence})
    fault: str | None = None
    has_streamed = False
    try:
        # Closing the writer stops the model, also where nothing more of its text is wanted.
        with closing(answerer.write(question, packed, config)) as writing:
            for piece in writing:
                if not isinstance(piece, str):
                    yield piece
                    continue
                given = written.feed(piece)
                has_streamed = has_streamed or bool(given.strip())
                yield Delta(given)  # "" is a sign of life
                if written.is_over:
                    break
    except NothingWritten as error:
        fault = str(error)
    if given := written.finish():
        has_streamed = has_streamed or bool(given.strip())
        yield Delta(given)
    text = written.text()
    if says_no_answer(text) or _means_no_answer(text):
        return Reply(NO_ANSWER, None)  # weak models have other words for it, or a "Yes." before it
    cited = answerer.cite(text, packed)
    fault = fault or ("it went on with the sources" if written.copies else None)
    fault = fault or fault_of(
        text, _given(answerer, question, packed), cited.sentences, repeats=written.repeats
    )
    if fault is None:
        cut = f"{answerer.name} began to repeat itself; the answer ends before that"
        return Reply(text, cited, (cut,) if written.repeats else ())
    flag = f"the text of {answerer.name} was not usable ({fault}); quotations stand in its place"
    quoted = yield from _quoted(fallback, question, packed, config, has_streamed=has_streamed)
    text, cites = quoted
    return Reply(text, fallback.cite(text, packed) if cites else None, (flag,), written.raw.strip())


def _quoted(
    fallback: Answerer, question: str, packed: PromptContext, config: RunnableConfig, *, has_streamed: bool
) -> Generator[Delta | AnswerProgress | ReasoningDelta, None, tuple[str, bool]]:
    """Yield the quotations below a sentence that says why; return both, and whether there are quotations."""
    notice = not_reliable(language_of(question))
    pieces: list[str] = []
    yield Delta(f"\n\n{notice}" if has_streamed else notice)
    with closing(fallback.write(question, packed, config)) as writing:
        for piece in writing:
            if isinstance(piece, str):
                text = piece if pieces else f"\n\n{piece}"
                pieces.append(text)
                yield Delta(text)
    return f"{notice}{''.join(pieces)}".strip(), bool(re.search(r"\w", "".join(pieces)))


def _given(answerer: Answerer, question: str, packed: PromptContext) -> WrittenFor:
    wishes = (WISHES_RULES,) if packed.instructions else ()  # without what the person asks
    rules = "\n".join((RULES, *wishes, *(one.text for one in messages("", (), packed.nonce))))
    evidence = "\n".join(item.text for item in packed.evidence)
    # What is compared in two languages resembles nothing.
    needs_source = answerer.completes and language_of(question) == language_of(evidence)
    return WrittenFor(question, rules, evidence, {item.number for item in packed.evidence}, needs_source)
