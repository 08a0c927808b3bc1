"""Answerability: the probability that the documents answer a question, from the question's evidence.

It is a logistic regression. `benchmarks/answerability.py` fits it, over data sets that weigh alike and with
as many questions that have an answer as have none. So .5 means: as likely as not, where nothing else is known
of a question. What the reader says is a signal too, but does not decide: see docs/answers.md.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

from ingestion.library import Library
from ingestion.text.languages import UNDETERMINED
from rag_app.answering.answers import Evidence, PromptContext
from rag_app.answering.evidence.asked_of import of_side
from rag_app.answering.evidence.calibration import Calibration, log_odds
from rag_app.answering.evidence.question_terms import language_of


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
# The reader's least probability that some passage of a side answers. Of the 75 questions of mixed-dev with
# their page among the evidence one has less.
_LEAST_OF_A_SIDE = 0.1
SIGNALS = tuple(one.name for one in fields(AnswerSignals))


def answerability(packed: PromptContext, *, unknown_name: bool = False) -> float:
    """Return the probability, 0 to 1, that the evidence answers its question; 0 without evidence.

    Args:
        unknown_name: The question has a name that no document has.
    """
    return CALIBRATION.probability(signals(packed, unknown_name=unknown_name)) if packed.evidence else 0.0


def speaks(library: Library, evidence: Sequence[Evidence], language: str) -> bool:
    """Return whether the document of the best passage is in a language, as far as that is known."""
    ids = {item.hit.chunk.document_id for item in evidence[:1]}
    documents = [document for one in ids if (document := library.catalogue.document(one))]
    return all(document.language in (language, UNDETERMINED) for document in documents)


def lacking_sides(library: Library, packed: PromptContext, threshold: float) -> frozenset[str]:
    """Return the names of the sides whose evidence does not answer what is asked within their documents.

    Within a document that the question names, much looks relevant. So the reader decides here as well, of a
    question in English, which it has learned to read. Of a document in another language than the question
    nothing is said.

    Args:
        threshold: The least answerability.
    """
    found = set[str]()
    language = language_of(packed.question)
    for side in packed.sides:
        own = of_side(packed.evidence, side)
        if own and not speaks(library, own, language):
            continue
        best = max((item.relevance for item in own), default=0.0)
        read = [item.reading.answers for item in own if item.reading and language == "en"]
        is_read = not read or max(read) >= _LEAST_OF_A_SIDE
        if not is_read or answerability(replace(packed, evidence=own, relevance=best)) < threshold:
            found.add(side.name)
    return frozenset(found)


def signals(packed: PromptContext, *, unknown_name: bool = False) -> AnswerSignals:
    """Return the signals of evidence."""
    odds = [log_odds(item.reading.answers) for item in packed.evidence if item.reading]
    return AnswerSignals(max(odds, default=0.0), packed.relevance, float(unknown_name))
