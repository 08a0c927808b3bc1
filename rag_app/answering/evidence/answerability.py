"""Answerability: the probability that the documents answer a question, from the question's evidence.

It is a logistic regression. `benchmarks/answerability.py` fits it, over data sets that weigh alike and with
as many questions that have an answer as have none. So .5 means: as likely as not, where nothing else is known
of a question. What the reader says is a signal too, but does not decide: see docs/answers.md.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

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
        lacks_value: 1 where a question asks for a sort of value that no statement has, else 0.
        unseen_name: 1 for a question with a name or years that no passage found has, else 0.
    """

    answers: float
    relevance: float
    lacks_value: float = 0.0
    unseen_name: float = 0.0


# Printed by `benchmarks/answerability.py`.
CALIBRATION = Calibration(-6.425, {"relevance": 10.16, "lacks_value": -4.152, "unseen_name": -2.659})
# The reader's least probability that some passage of a side answers. Of the 75 questions of mixed-dev with
# their page among the evidence one has less.
_LEAST_OF_A_SIDE = 0.1


def answerability(packed: PromptContext, *, lacks_value: bool = False, unseen_name: bool = False) -> float:
    """Return the probability, 0 to 1, that the evidence answers its question; 0 without evidence.

    Args:
        lacks_value: No statement has a value of the sort that the question asks for.
        unseen_name: The question has a name, or years, that no passage found has.
    """
    if not packed.evidence:
        return 0.0
    return CALIBRATION.probability(signals(packed, lacks_value=lacks_value, unseen_name=unseen_name))


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


def signals(packed: PromptContext, *, lacks_value: bool = False, unseen_name: bool = False) -> AnswerSignals:
    """Return the signals of evidence."""
    odds = [log_odds(item.reading.answers) for item in packed.evidence if item.reading]
    return AnswerSignals(max(odds, default=0.0), packed.relevance, float(lacks_value), float(unseen_name))
