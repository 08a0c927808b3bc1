"""How well a statement answers: a logistic regression over what the reader says of it, where its passage
stands among those that were found, how it matches, and its form.

`benchmarks/quotations.py` fits the coefficients.
"""

from collections.abc import Sequence, Set
from dataclasses import dataclass, fields

from rag_app.answering.answers import Evidence
from rag_app.answering.evidence.calibration import Calibration, log_odds
from rag_app.answering.evidence.question_terms import QuestionTerm, TermKind
from rag_app.answering.quoting.fragments import is_labelled
from rag_app.answering.quoting.statements import Statement
from retrievers.fusion import standardised


@dataclass(frozen=True, slots=True)
class StatementSignals:
    """What tells whether a statement answers.

    Attributes:
        sentence: The reader's log-odds that it answers, read on its own; -4 where it was not read so, and 0
            without a reader.
        span: The probability of the reader's span where it is in the statement, else 0.
        standing: The score of its passage in the search, standardised over the evidence.
        match: The weighted cosines of its tokens with the question's (`EvidenceSentence.score`).
        fit: How well its form fits the type of answer, 0 to 1.
        is_other_field: It is a label with its value, and mentions no word of content that the question asks
            for, but a name at most.
    """

    sentence: float
    span: float
    standing: float
    match: float
    fit: float
    is_other_field: bool


SIGNALS = tuple(one.name for one in fields(StatementSignals))
READER_SIGNALS = ("sentence", "span")

# Printed by `benchmarks/quotations.py`, and with --no-reader.
WITH_READER = Calibration(
    -2.576,
    {
        "sentence": 0.4238,
        "span": 3.357,
        "standing": 0.7592,
        "match": 4.372,
        "fit": 0.4443,
        "is_other_field": -1.627,
    },
)
WITHOUT_READER = Calibration(
    -5.756, {"standing": 0.9511, "match": 8.053, "fit": 0.3574, "is_other_field": -1.753}
)

_UNREAD = -4.0


def worth(signals: StatementSignals, *, is_read: bool) -> float:
    """Return the probability, 0 to 1, that a statement answers."""
    return (WITH_READER if is_read else WITHOUT_READER).probability(signals)


def standings(evidence: Sequence[Evidence]) -> list[float]:
    """Return the scores of evidence in the search, less their mean, in standard deviations."""
    scores = [item.hit.score for item in evidence]
    if scores != sorted(scores, reverse=True):  # a reranker's order, which scores do not tell
        scores = [-float(item.hit.rank) for item in evidence]
    return standardised(scores)


def signals_of(
    item: Evidence,
    one: Statement,
    span: tuple[int, int],
    *,
    standing: float,
    match: float,
    fit: float,
    mentioned: Set[QuestionTerm],
) -> StatementSignals:
    """Return the signals of a statement.

    Args:
        span: Its characters in the passage's text, which may begin before it and end behind.
        mentioned: The terms of the question that it mentions.
    """
    reading, labelled = item.reading, is_labelled(one)
    start, end = max(0, span[0]), min(span[1], len(item.hit.chunk.text))
    alone = reading.sentence(start, end) if reading else None
    inside = (
        reading is not None
        and reading.span is not None
        and start <= reading.span.start
        and (reading.span.start < reading.span.end <= end)
    )
    return StatementSignals(
        sentence=0.0 if reading is None else _UNREAD if alone is None else log_odds(alone),
        span=reading.span.probability if inside and reading and reading.span else 0.0,
        standing=standing,
        match=match,
        fit=fit,
        is_other_field=labelled and not any(term.kind is TermKind.WORD for term in mentioned),
    )
