"""Citations are computed: each sentence of an answer is aligned with the sentences of its evidence."""

import re
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from ingestion.encoders import Encoder, Encodings
from ingestion.sentences import sentence_spans
from rag_app.answers import AnswerSentence, Citation, Evidence, EvidenceSentence

# [1], and [1, 2] as some models write.
_MARKER = re.compile(r"\s*\[(\d{1,3}(?:\s*[,;]\s*\d{1,3})*)\]")
_MARKERS_BEHIND_STOP = re.compile(rf"([.!?])((?:{_MARKER.pattern})+)")
# Below this mean cosine a sentence without a marker of its own is not given a source.
_ALIGNED = 0.5


def cite_quotations(
    quoted: Iterable[tuple[Evidence, EvidenceSentence]],
) -> tuple[tuple[AnswerSentence, ...], tuple[Citation, ...]]:
    """Return sentences and citations of an answer that consists of quotations."""
    pairs = list(quoted)
    sentences = tuple(
        AnswerSentence(" ".join(s.text.split()), "supported", s.score, (e.number,)) for e, s in pairs
    )
    return sentences, tuple(_citation(e, s) for e, s in pairs)


def cite_text(
    text: str, evidence: Sequence[Evidence], encoder: Encoder
) -> tuple[tuple[AnswerSentence, ...], tuple[Citation, ...]]:
    """Return an LLM's answer by sentence, and the passages that its sentences rest on.

    A marker `[n]` that names no evidence is dropped. A sentence with markers cites the best sentence
    of each source it names; one without cites the best of all, if that is close enough.
    """
    pairs = [(item, sentence) for item in evidence for sentence in item.sentences]
    written = _sentences_with_markers(text, {item.number for item, _ in pairs})
    if not written or not pairs:
        return tuple(AnswerSentence(plain, None, None, ()) for plain, _ in written), ()
    scores = _similarities(
        encoder.encode([plain for plain, _ in written]), encoder.encode([s.text for _, s in pairs])
    )
    sentences: list[AnswerSentence] = []
    citations: dict[Citation, None] = {}
    for (plain, markers), row in zip(written, scores, strict=True):
        order = [int(place) for place in np.argsort(-row, kind="stable")]
        chosen = [next(p for p in order if pairs[p][0].number == marker) for marker in markers]
        if not chosen and row[order[0]] >= _ALIGNED:
            chosen = [order[0]]
        citations.update(dict.fromkeys(_citation(*pairs[place]) for place in chosen))
        best = max((float(row[place]) for place in chosen), default=None)
        sentences.append(AnswerSentence(plain, None, best, tuple(pairs[place][0].number for place in chosen)))
    return tuple(sentences), tuple(citations)


def _sentences_with_markers(text: str, known: set[int]) -> list[tuple[str, tuple[int, ...]]]:
    """Split an answer into sentences without markers, and the known markers of each."""
    # A marker behind the full stop belongs to the sentence before it.
    tidy = _MARKERS_BEHIND_STOP.sub(r"\2\1", text)
    written = []
    for span in sentence_spans(tidy):
        sentence = tidy[span.start : span.end]
        numbers = dict.fromkeys(
            int(number) for marker in _MARKER.findall(sentence) for number in re.findall(r"\d+", marker)
        )
        plain = " ".join(_MARKER.sub("", sentence).split())
        if any(character.isalnum() for character in plain):
            written.append((plain, tuple(number for number in numbers if number in known)))
    return written


def _similarities(answer: Encodings, sources: Encodings) -> NDArray[np.float32]:
    """Return [answer sentences, source sentences]: mean over the answer's tokens of the best cosine."""
    cosines = answer.tokens @ sources.tokens.T
    rows = [
        [
            float(cosines[a0:a1, s0:s1].max(axis=1).mean()) if a1 > a0 and s1 > s0 else 0.0
            for s0, s1 in zip(sources.offsets, sources.offsets[1:], strict=False)
        ]
        for a0, a1 in zip(answer.offsets, answer.offsets[1:], strict=False)
    ]
    return np.array(rows, dtype=np.float32)


def _citation(evidence: Evidence, sentence: EvidenceSentence) -> Citation:
    chunk = evidence.hit.chunk
    return Citation(
        marker=evidence.number,
        document=chunk.document,
        document_id=chunk.document_id,
        page=chunk.page,
        start=sentence.start,
        end=sentence.end,
        quote=sentence.text,
    )
