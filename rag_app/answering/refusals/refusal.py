"""A refusal: that the documents do not answer, why not, and the passages that come closest.

Its passages have citations like those of an answer, so that a person can open them, but are no answer.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ingestion.library import Library
from ingestion.storage.catalogue.records import Scope
from ingestion.text.sentences import sentence_spans
from rag_app.answering.answers import Citation, Evidence, EvidenceSentence, Outcome, PromptContext
from rag_app.answering.citations import citation_of
from rag_app.answering.evidence.answerability import speaks
from rag_app.answering.evidence.literal_matches import missing
from rag_app.answering.evidence.question_terms import (
    QuestionTerm,
    TermKind,
    language_of,
    mentioned,
    mentions,
    question_terms,
)
from rag_app.answering.questions.asked_values import AskedValue
from rag_app.answering.refusals.reasons import reason_for
from rag_app.answering.refusals.texts import RefusalTexts, texts_in
from retrievers.exact import Named
from retrievers.reader.reading import Reading

# A passage with less relevance, with no name and less than half of the question's terms, is not about it. Of
# questions about other subjects two in three find no other passages, of those about the documents one in
# forty (mixed-dev).
_RELATED, _TERMS = 0.5, 0.5
_MOST_PASSAGES = 3
# Words of a sentence that is shown; a longer one is cut.
_LEAST_WORDS, _MOST_WORDS = 6, 30
# The least share of letters among a readable sentence's characters, and of its words in lower case: rows of
# figures, headings and labels have fewer.
_LETTERS, _LOWER_CASE = 0.6, 0.4
_BEGINS = re.compile(r"[\"'“‘«(\[¿¡]*[A-ZÀ-ÖØ-ÞА-Я0-9]")
_ENDS = re.compile(r"(?<!\b\w)(?<!\s)[.!?。！？][\"'”’»)\]]*$")
_LEADERS = re.compile(r"(?:[.…]\s*){3}")  # of a table of contents


@dataclass(frozen=True, slots=True)
class Refusal:
    """What is said instead of an answer.

    Attributes:
        text: All of it.
        details: The text without its first sentence: the reason and the passages; "" for none.
        citations: Of the passages.
    """

    outcome: Outcome
    text: str
    details: str = ""
    citations: tuple[Citation, ...] = ()


def must_refuse(
    library: Library, question: str, packed: PromptContext, named: Sequence[Named], *, is_enough: bool
) -> bool:
    """Return whether a question is refused.

    Args:
        named: The identifiers of the question, with the passages that have them.
        is_enough: The answerability reaches the threshold.
    """
    if not packed.evidence or missing(named) is not None:
        return True
    if is_enough:
        return False
    # Across languages answerability says little: such passages answer if they are about the question.
    language = language_of(question)
    is_foreign = not speaks(library, packed.evidence, language)
    return not (is_foreign and is_related(packed, question_terms(question), language))


def refusal(
    library: Library,
    scope: Scope,
    question: str,
    packed: PromptContext,
    named: Sequence[Named] = (),
    *,
    lacking: AskedValue | None = None,
) -> Refusal:
    """Return the refusal of a question.

    Args:
        named: The identifiers of the question, with the passages that have them.
        lacking: The sort of value that the question asks for and no statement has.
    """
    language = language_of(question)
    texts, terms = texts_in(language), question_terms(question)
    unnamed = missing(named)
    is_about = bool(packed.sides) or is_related(packed, terms, language)
    if not is_about and not any(one.nearest for one in named):
        return Refusal(Outcome.NOTHING, unnamed or texts.nothing)
    reason = "" if unnamed else reason_for(library, scope, question, packed.evidence, lacking)
    lines, citations = _closest(packed.evidence, terms, language, texts)
    passages = "\n".join([texts.closest, *lines]) if lines else ""
    first = unnamed or texts.not_found
    details = "\n\n".join(filter(None, [reason, passages]))
    text = "\n\n".join(filter(None, [" ".join(filter(None, [first, reason])), passages]))
    return Refusal(Outcome.RELATED, text, details, citations)


def is_related(packed: PromptContext, terms: Sequence[QuestionTerm], language: str) -> bool:
    """Return whether any passage is about what a question asks."""
    held = [mentioned(terms, item.hit.chunk, language) for item in packed.evidence]
    return bool(held) and (
        packed.relevance >= _RELATED
        or any(term.kind is TermKind.NAME for passage in held for term in passage)
        or (len(terms) > 1 and max(map(len, held)) >= _TERMS * len(terms))
    )


def _closest(
    evidence: Sequence[Evidence], terms: Sequence[QuestionTerm], language: str, texts: RefusalTexts
) -> tuple[list[str], tuple[Citation, ...]]:
    """Return a line for each of the passages that come closest, with their citations."""
    lines: list[str] = []
    citations: list[Citation] = []
    shared = {item.number: len(mentioned(terms, item.hit.chunk, language)) for item in evidence}
    for item in sorted(evidence, key=_order):
        if 2 * shared[item.number] < max(shared.values()):
            continue
        sentence = _best_sentence(item, terms, language)
        if sentence is None or any(_said(one.quote) == _said(sentence.text) for one in citations):
            continue
        chunk = item.hit.chunk
        lines.append(
            f"• {chunk.document}, {texts.page} {chunk.page}: “{_shortened(sentence.text)}” [{item.number}]"
        )
        citations.append(citation_of(item, sentence))
        if len(lines) == _MOST_PASSAGES:
            break
    return lines, tuple(citations)


def _order(item: Evidence) -> tuple[float, int]:
    return (-item.reading.answers if item.reading else 0.0), item.number


def _best_sentence(item: Evidence, terms: Sequence[QuestionTerm], language: str) -> EvidenceSentence | None:
    """Return the readable sentence of a passage that comes closest; None for a passage without."""
    sentences = list(_readable(item))
    if not sentences:
        return None
    reading, chunk = item.reading, item.hit.chunk
    if reading is not None:
        return max(sentences, key=lambda one: _told(reading, one.start - chunk.start, one.end - chunk.start))
    return max(sentences, key=lambda one: len(mentions(terms, one.text, language)) + one.score)


def _told(reading: Reading, start: int, end: int) -> float:
    """Return how likely characters answer; only the best passages' sentences are read on their own."""
    alone = reading.sentence(start, end)
    return reading.marked(start, end) if alone is None else alone


def _readable(item: Evidence) -> Iterator[EvidenceSentence]:
    """Yield the whole sentences of a passage that a person can read alone."""
    chunk = item.hit.chunk
    for span in sentence_spans(chunk.text):
        text = chunk.text[span.start : span.end]
        words = text.split()
        letters = sum(map(str.isalpha, text))
        if (
            len(words) >= _LEAST_WORDS
            and sum(word[0].islower() for word in words) >= _LOWER_CASE * len(words)
            and not _LEADERS.search(text)
            and letters >= _LETTERS * sum(map(len, words))
            and _BEGINS.match(text)
            and _ENDS.search(text.rstrip())
        ):
            start, end = chunk.start + span.start, chunk.start + span.end
            packed = [one.score for one in item.sentences if start <= one.start and one.end <= end]
            yield EvidenceSentence(start, end, text, max(packed, default=0.0))


def _shortened(text: str) -> str:
    words = text.split()
    return " ".join(words) if len(words) <= _MOST_WORDS else f"{' '.join(words[:_MOST_WORDS])} …"


def _said(text: str) -> str:
    return " ".join(text.split()).casefold()
