"""Answerability: the probability that the documents answer a question, from the question's evidence.

It is a logistic regression. `benchmarks/answerability.py` fits it, over data sets that weigh alike and with
as many questions that have an answer as have none. So .5 means: as likely as not, where nothing else is known
of a question. What the reader says is a signal too, but does not decide: see docs/answers.md.
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
        unknown_name: 1 for a question with a name that no document has, else 0.
    """

    answers: float
    relevance: float
    unknown_name: float = 0.0


# The first two are printed by `benchmarks/answerability.py`. The third is counted: of four sets that weigh
# alike, 1.1% of the questions with an answer have such a name and 12% of those without; ln(.0112 / .120).
CALIBRATION = Calibration(-5.959, {"relevance": 8.638, "unknown_name": -2.37})
SIGNALS = tuple(one.name for one in fields(AnswerSignals))


def answerability(packed: PromptContext, *, unknown_name: bool = False) -> float:
    """Return the probability, 0 to 1, that the evidence answers its question; 0 without evidence.

    Args:
        unknown_name: The question has a name that no document has.
    """
    return CALIBRATION.probability(signals(packed, unknown_name=unknown_name)) if packed.evidence else 0.0


def signals(packed: PromptContext, *, unknown_name: bool = False) -> AnswerSignals:
    """Return the signals of evidence."""
    odds = [log_odds(item.reading.answers) for item in packed.evidence if item.reading]
    return AnswerSignals(max(odds, default=0.0), packed.relevance, float(unknown_name))
