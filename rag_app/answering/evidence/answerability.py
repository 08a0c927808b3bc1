"""Answerability: the probability that the documents answer a question, from the question and its evidence.

It is a logistic regression over the signals below. `benchmarks/answerability.py` fits its coefficients, over
data sets that weigh alike and with as many questions that have an answer as have none. So .5 means: as likely
as not, where nothing else is known of a question.

A passage that answers says what the question names, and the reader sees the answer in it. A passage that is
only about the subject lacks the other year, the other company, or the thing that is asked for.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields

from rag_app.answering.answers import Evidence, PromptContext
from rag_app.answering.evidence.calibration import Calibration, log_odds
from rag_app.answering.evidence.question_terms import (
    QuestionTerm,
    TermKind,
    language_of,
    mentioned,
    question_terms,
)
from retrievers.exact import Named


@dataclass(frozen=True, slots=True)
class AnswerSignals:
    """What tells whether evidence answers a question. The best passage is the one that answers most likely.

    Attributes:
        answers: The reader's log-odds that the best passage answers; 0 without a reader.
        second: The same, of the passage after it: an answer often stands in several.
        span: How sure the reader is of where in the best passage the answer stands, 0 to 1.
        relevance: MaxSim of the best-matching passage (`prompt_context.relevance`), about 0 to 1.
        names_lacking: The share of the question's names and figures that the best passage does not mention.
        words_lacking: The share of its words of content that the best passage does not mention; 0 for a
            passage in another language.
        names_unseen: The share of its names and figures that no passage of the evidence mentions.
        identifiers_missing: The share of its identifiers that no document has.
    """

    answers: float
    second: float
    span: float
    relevance: float
    names_lacking: float
    words_lacking: float
    names_unseen: float
    identifiers_missing: float


# Printed by `benchmarks/answerability.py --no-reader`.
WITHOUT_READER = Calibration(
    -3.544,
    {"relevance": 6.058, "names_lacking": -0.6546, "words_lacking": -0.9687, "names_unseen": -0.9811},
)
# The reader's own probability, until `benchmarks/answerability.py` has been run with it.
WITH_READER = Calibration(0.0, {"answers": 1.0})

SIGNALS = tuple(one.name for one in fields(AnswerSignals))
READER_SIGNALS = ("answers", "second", "span")


def answerability(question: str, packed: PromptContext, named: Sequence[Named] = ()) -> float:
    """Return the probability, 0 to 1, that the evidence answers the question; 0 without evidence."""
    if not packed.evidence:
        return 0.0
    is_read = any(item.reading is not None for item in packed.evidence)
    return (WITH_READER if is_read else WITHOUT_READER).probability(signals(question, packed, named))


def signals(question: str, packed: PromptContext, named: Sequence[Named] = ()) -> AnswerSignals:
    """Return the signals of a question and its evidence, of which there is some.

    Args:
        named: The identifiers of the question, with the passages that have them.
    """
    terms, language = question_terms(question), language_of(question)
    held = [mentioned(terms, item.hit.chunk, language) for item in packed.evidence]
    ranked = sorted(range(len(held)), key=lambda place: _order(packed.evidence[place]))
    best = packed.evidence[ranked[0]]
    odds = sorted((log_odds(item.reading.answers) for item in packed.evidence if item.reading), reverse=True)
    names = [term for term in terms if term.kind is not TermKind.WORD]
    is_foreign = language_of(best.hit.chunk.text) != language
    words = [term for term in terms if term.kind is TermKind.WORD and not is_foreign]
    return AnswerSignals(
        answers=odds[0] if odds else 0.0,
        second=odds[1] if len(odds) > 1 else log_odds(0.0) if odds else 0.0,
        span=best.reading.span.probability if best.reading and best.reading.span else 0.0,
        relevance=packed.relevance,
        names_lacking=_share_lacking(names, held[ranked[0]]),
        words_lacking=_share_lacking(words, held[ranked[0]]),
        names_unseen=_share_lacking(names, frozenset().union(*held)),
        identifiers_missing=sum(one.is_missing for one in named) / len(named) if named else 0.0,
    )


def _order(item: Evidence) -> tuple[float, float, int]:
    """Return what sorts the passage first that answers most likely: by the reader, else by MaxSim."""
    return (-item.reading.answers if item.reading else 0.0, -item.score, item.number)


def _share_lacking(terms: Sequence[QuestionTerm], held: frozenset[QuestionTerm]) -> float:
    return sum(term not in held for term in terms) / len(terms) if terms else 0.0
