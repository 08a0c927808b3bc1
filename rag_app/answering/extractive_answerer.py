"""The built-in answerer without a language model: it quotes the best sentences of the evidence."""

from collections import Counter
from collections.abc import Generator

from langchain_core.runnables import RunnableConfig

from ingestion.encoders import Encoder
from rag_app.answering.answers import CitedAnswer, Evidence, EvidenceSentence, PromptContext
from rag_app.answering.citations import cite_quotations
from rag_app.answering.evidence.prompt_context import SAME_QUESTION
from rag_app.answering.evidence.readability import MOST_WORDS
from rag_app.llm.choice import EXTRACTIVE

# A few sentences answer a factual question; the sources panel shows more.
_MOST_SENTENCES = 6
# A page of tables has many rows that match equally well; leave room for other pages.
_MOST_OF_A_PAGE = 4
# A sentence below this share of the best one is left out. A sentence of a well-matching passage counts more
# than the same sentence elsewhere.
_SHARE_OF_BEST = 0.8
# Where a document contains the question, the text below it answers, and the text below another question whose
# match is at most this much worse.
_NEARLY = 0.05
# The evidence to choose from; the sources panel shows it too.
_EVIDENCE_TOKENS = 1500


class ExtractiveAnswerer:
    """Answers with quotations. It is always available."""

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
        """Yield the answer's text, one quotation at a time."""
        for place, (evidence, sentence) in enumerate(quotations(packed)):
            yield ("\n\n" if place else "") + f"{' '.join(sentence.text.split())} [{evidence.number}]"

    def cite(self, text: str, packed: PromptContext) -> CitedAnswer:
        return cite_quotations(quotations(packed), text)


def quotations(packed: PromptContext) -> list[tuple[Evidence, EvidenceSentence]]:
    """Return the sentences that answer, in reading order: at most 6, and 60 words.

    Sentences with an identifier of the question come first; headings only where there is nothing else.
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
