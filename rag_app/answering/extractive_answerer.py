"""The built-in answerer: no weights, quotes the best sentences of the evidence, and says so."""

from collections import Counter
from collections.abc import Generator

from langchain_core.runnables import RunnableConfig

from ingestion.encoders import Encoder
from rag_app.answering.answers import CitedAnswer, Evidence, EvidenceSentence, PromptContext
from rag_app.answering.citations import cite_quotations
from rag_app.answering.evidence.prompt_context import SAME_QUESTION
from rag_app.answering.evidence.readability import MOST_WORDS
from rag_app.llm.choice import EXTRACTIVE

# A few sentences answer a factual question; more is what the sources panel is for.
_MOST_SENTENCES = 6
# A page of tables has many rows that match about as well; other pages shall have their say.
_MOST_OF_A_PAGE = 4
# Sentences that match clearly less well than the best one are left out. A sentence of a passage that
# matches well as a whole is worth more than the same one elsewhere.
_SHARE_OF_BEST = 0.8
# Where a document asks the question itself, what stands below it answers, and below another question that
# matches nearly as well.
_NEARLY = 0.05
# Evidence to choose from, which also is what the sources panel shows.
_EVIDENCE_TOKENS = 1500


class ExtractiveAnswerer:
    """Answers with quotations. Always available."""

    name = EXTRACTIVE
    leaves_machine: str | None = None

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder

    def count_tokens(self, text: str) -> int:
        return len(self._encoder.offsets(text))

    def evidence_tokens(self) -> int:
        return _EVIDENCE_TOKENS

    def fits(self, question: str, packed: PromptContext) -> bool:  # noqa: ARG002
        return True

    def write(self, question: str, packed: PromptContext, config: RunnableConfig) -> Generator[str]:  # noqa: ARG002
        """Yield the answer's text, a quotation at a time."""
        for place, (evidence, sentence) in enumerate(quotations(packed)):
            yield ("\n\n" if place else "") + f"{' '.join(sentence.text.split())} [{evidence.number}]"

    def cite(self, text: str, packed: PromptContext) -> CitedAnswer:
        return cite_quotations(quotations(packed), text)


def quotations(packed: PromptContext) -> list[tuple[Evidence, EvidenceSentence]]:
    """Return the sentences that answer, in reading order: at most 6, and 60 words.

    Those that have what the question names literally come first; headings are quoted where nothing else is.
    """
    pairs = [(evidence, sentence) for evidence in packed.evidence for sentence in evidence.sentences]
    told = [pair for pair in pairs if not pair[1].is_heading] or pairs
    known = max((sentence.answers for _, sentence in told), default=0.0)
    if known >= SAME_QUESTION:
        told = [pair for pair in told if pair[1].answers >= known - _NEARLY]
    ranked = sorted(
        told,
        key=lambda pair: (not pair[1].is_named, -_worth(*pair), pair[0].number, pair[1].start),
    )
    chosen: list[tuple[Evidence, EvidenceSentence]] = []
    pages: Counter[tuple[str, int]] = Counter()
    words = 0
    for evidence, sentence in ranked:
        length = len(sentence.text.split())
        if chosen and _worth(evidence, sentence) < _SHARE_OF_BEST * _worth(*chosen[0]):
            break
        page = (evidence.hit.chunk.document_id, evidence.hit.chunk.page)
        if pages[page] == _MOST_OF_A_PAGE or (chosen and words + length > MOST_WORDS):
            continue
        chosen.append((evidence, sentence))
        pages[page] += 1
        words += length
        if len(chosen) == _MOST_SENTENCES:
            break
    first = {evidence.number for evidence, sentence in chosen if sentence.is_named}
    return sorted(chosen, key=lambda pair: (pair[0].number not in first, pair[0].number, pair[1].start))


def _worth(evidence: Evidence, sentence: EvidenceSentence) -> float:
    return sentence.score + evidence.score
