"""Answerability: the probability that the documents answer a question, from the question's evidence.

It is a logistic regression over the signals below. `benchmarks/answerability.py` fits its coefficients, over
data sets that weigh alike and with as many questions that have an answer as have none. So .5 means: as likely
as not, where nothing else is known of a question.
"""

from dataclasses import dataclass, fields

from rag_app.answering.answers import PromptContext
from rag_app.answering.evidence.calibration import Calibration, log_odds


@dataclass(frozen=True, slots=True)
class AnswerSignals:
    """What tells whether evidence answers a question.

    Attributes:
        answers: The reader's log-odds that a passage answers, of the passage that answers most likely; 0
            without a reader.
        relevance: MaxSim of the best-matching passage (`prompt_context.relevance`), about 0 to 1.
    """

    answers: float
    relevance: float


# Printed by `benchmarks/answerability.py`, and with --no-reader.
WITH_READER = Calibration(-2.729, {"answers": 0.4758, "relevance": 3.562})
WITHOUT_READER = Calibration(-5.959, {"relevance": 8.638})

SIGNALS = tuple(one.name for one in fields(AnswerSignals))
READER_SIGNALS = ("answers",)


def answerability(packed: PromptContext) -> float:
    """Return the probability, 0 to 1, that the evidence answers its question; 0 without evidence."""
    if not packed.evidence:
        return 0.0
    is_read = any(item.reading is not None for item in packed.evidence)
    return (WITH_READER if is_read else WITHOUT_READER).probability(signals(packed))


def signals(packed: PromptContext) -> AnswerSignals:
    """Return the signals of evidence."""
    odds = [log_odds(item.reading.answers) for item in packed.evidence if item.reading]
    return AnswerSignals(max(odds, default=0.0), packed.relevance)
