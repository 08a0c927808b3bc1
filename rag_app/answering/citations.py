"""Computed citations: each sentence of an answer is aligned with source sentences, and gets a verdict.

A sentence is aligned with the source sentences that together have the highest MaxSim: the mean over its
tokens of their best cosine; stop words count half. Its verdict follows the worst-matching half of its
content words, because a sentence with one wrong name has a high mean. The sources must state numbers, dates
and negations literally (`rag_app.answering.fact_check`), because similarity does not show them.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ingestion.encoders import Encoder
from ingestion.text.line_numbers import lines_between
from ingestion.text.sentences import sentence_spans
from ingestion.text.stopwords import stopwords_of
from rag_app.answering.answers import (
    AnswerSentence,
    Citation,
    CitedAnswer,
    Evidence,
    EvidenceSentence,
    Verdict,
)
from rag_app.answering.evidence.sentence_scores import STOPWORD_WEIGHT, lower_half
from rag_app.answering.fact_check import Literal, compare

# [1], and the forms of some models: [1, 2], [1-3], [Source 1], 【1】.
_MARKER = re.compile(r"\s*[\[【]\s*(?:[Ss]ources?\s*)?(\d{1,3}(?:\s*[-–,;]\s*\d{1,3})*)\s*[\]】]")
_PLAIN_MARKER = re.compile(r"\s*\[\d+\]")
_RANGE = re.compile(r"(\d+)\s*[-–]\s*(\d+)")
# The most numbers of a range; copied papers have wider ones.
_WIDEST = 20
_MARKERS_BEHIND_STOP = re.compile(rf"([.!?])((?:{_MARKER.pattern})+)")
_END = re.compile(r"[.!?…]?[\"'”’)]*$")
# Brackets that are no markers: those of code, of maths, of an element of a list.
_CODE = re.compile(r"```.*?(?:```|\Z)|~~~.*?(?:~~~|\Z)|`[^`\n]+`", re.DOTALL)
_NUMBERS = r"\[\s*\d{1,3}(?:\s*[-–,;]\s*\d{1,3})*\s*\]"
_IN_MATHS = re.compile(
    rf"(?<=[=+^×·÷≤≥∈])\s*{_NUMBERS}|{_NUMBERS}(?=\s*[=+^×·÷≤≥∈])|(?<=[^\W\d]){_NUMBERS}(?=\s*[=+*/<>^×·-]|\.\w)|"
    rf"\b(?:interval|range|vector|point|array|list|matrix|tuple|coordinates|set|between)s?\s+{_NUMBERS}",
    re.IGNORECASE,
)
# Stands for a bracket that is no marker's while a text is cited; no text has it.
_BRACKET = "\ue0f0"
# Calibrated on answers with planted sentences: docs/decisions/2026-11-26-supported-weak-unsupported.md.
SUPPORTED = 0.70
WEAK = 0.50
# A sentence with a lower mean cosine gets no citation.
ALIGNED = 0.5
# A source replaces the one that a marker names where it matches better by this much.
_BETTER = 0.08
# The most source sentences of a sentence, and the least that another one must add to its score.
_MOST_SOURCES = 3
_ADDS = 0.03

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class _Source:
    """A source sentence, with the token vectors of the sentence and its passage's context line."""

    evidence: Evidence
    sentence: EvidenceSentence
    tokens: Floats


@dataclass(frozen=True, slots=True)
class _Support:
    """The sources of a sentence, best first.

    Attributes:
        score: The mean cosine of its tokens with them.
        weakest: The same, of the worst-matching half of its content words.
    """

    sources: tuple[_Source, ...]
    score: float
    weakest: float


def cite_quotations(
    quoted: Iterable[tuple[Evidence, EvidenceSentence]], text: str, shown: Sequence[str] | None = None
) -> CitedAnswer:
    """Return sentences and citations of an answer that consists of quotations.

    Args:
        shown: How each quotation reads in the answer, where it is not as on the page.
    """
    pairs = list(quoted)
    lines = [s.text for _, s in pairs] if shown is None else shown
    sentences = tuple(
        AnswerSentence(" ".join(line.split()), Verdict.SUPPORTED, s.score, (e.number,))
        for line, (e, s) in zip(lines, pairs, strict=True)
    )
    return CitedAnswer(text, sentences, tuple(citation_of(e, s) for e, s in pairs))


def cite_text(text: str, evidence: Sequence[Evidence], encoder: Encoder) -> CitedAnswer:
    """Return an LLM's answer with a verdict for each sentence, and the citations.

    A marker `[n]` stays where its source matches about as well as the best source; else the best source's
    marker replaces it, and where no source matches, it is dropped.
    """
    original, text = text, _CODE.sub(_kept, _IN_MATHS.sub(_kept, text))
    written = _sentences_with_markers(text)
    sources = _encoded(evidence, encoder)
    if not written:
        return CitedAnswer(original, (), ())
    encoded = encoder.encode([one.plain for one in written])
    sentences: list[AnswerSentence] = []
    citations: dict[Citation, None] = {}
    for place, one in enumerate(written):
        part = encoded.part(place, place + 1)
        tokens, weights = part.tokens, _weights(one.plain, part.spans)
        support = _supported_by(tokens, weights, one.markers, sources)
        verdict, reason = _verdict(one.plain, support)
        is_cited = support.score >= ALIGNED and verdict is not Verdict.UNSUPPORTED
        cited = support.sources if is_cited else ()
        citations.update(dict.fromkeys(citation_of(each.evidence, each.sentence) for each in cited))
        markers = tuple(dict.fromkeys(each.evidence.number for each in cited))
        if set(markers) < set(one.markers):  # keep the order in which the model wrote them
            markers = tuple(number for number in one.markers if number in markers)
        sentences.append(AnswerSentence(one.plain, verdict, round(support.weakest, 4), markers, reason))
    rewritten = _rewritten(text, written, sentences).replace(_BRACKET, "[")
    return CitedAnswer(rewritten, tuple(sentences), tuple(citations))


def _kept(match: re.Match[str]) -> str:
    """Return text whose brackets are no markers'."""
    return match[0].replace("[", _BRACKET)


def _verdict(plain: str, support: _Support) -> tuple[Verdict, str | None]:
    if support.weakest < WEAK:
        return Verdict.UNSUPPORTED, "no source says this"
    source = " ".join(each.sentence.text for each in support.sources)
    finding = compare(plain, source, " ".join(_around(each.evidence) for each in support.sources))
    if finding.literal is Literal.CONTRADICTED:
        return Verdict.UNSUPPORTED, finding.reason
    if finding.literal is Literal.ROUNDED:
        return Verdict.WEAK, finding.reason
    if support.weakest < SUPPORTED:
        return Verdict.WEAK, "the sources say something close to it"
    return Verdict.SUPPORTED, None


def _around(evidence: Evidence) -> str:
    chunk = evidence.hit.chunk
    return f"{chunk.document} {chunk.context} {chunk.heading or ''} {chunk.text}"


def _encoded(evidence: Sequence[Evidence], encoder: Encoder) -> list[_Source]:
    """Return the sentences of the evidence with their vectors; each context line is encoded once."""
    pairs = [(item, sentence) for item in evidence for sentence in item.sentences]
    if not pairs:
        return []
    contexts = list(dict.fromkeys(item.hit.chunk.context for item in evidence if item.hit.chunk.context))
    encoded = encoder.encode([*(sentence.text for _, sentence in pairs), *contexts])
    lines = {
        context: encoded.part(place, place + 1).tokens
        for place, context in enumerate(contexts, start=len(pairs))
    }
    nothing = encoded.tokens[:0]
    return [
        _Source(item, sentence, np.concatenate([tokens, lines.get(item.hit.chunk.context, nothing)]))
        for place, (item, sentence) in enumerate(pairs)
        if len(tokens := encoded.part(place, place + 1).tokens)
    ]


def _weights(plain: str, spans: NDArray[np.int32]) -> Floats:
    """Return the weights of a sentence's tokens, [t], in sum 1; punctuation has 0."""
    words = [plain[start:end].casefold() for start, end in spans]
    weights = [
        0.0 if not any(map(str.isalnum, word)) else STOPWORD_WEIGHT if word in stopwords_of("en") else 1.0
        for word in words
    ]
    return np.array(weights, np.float32) / (sum(weights) or 1.0)


def _supported_by(
    tokens: Floats, weights: Floats, markers: Sequence[int], sources: Sequence[_Source]
) -> _Support:
    """Return the sources of a sentence: those that its markers name, unless others match better."""
    best = [(tokens @ source.tokens.T).max(axis=1) for source in sources]
    everywhere = _chosen(weights, best, range(len(sources)), sources)
    named = [place for place, source in enumerate(sources) if source.evidence.number in markers]
    if not named:
        return everywhere
    there = _chosen(weights, best, named, sources)
    return everywhere if everywhere.score > there.score + _BETTER else there


def _chosen(
    weights: Floats, best: Sequence[Floats], places: Iterable[int], sources: Sequence[_Source]
) -> _Support:
    """Return the best source sentence and those that add to it, chosen greedily."""
    places, chosen, score = list(places), list[int](), 0.0
    covered = np.full(len(weights), -1.0, np.float32)
    while places and len(chosen) < _MOST_SOURCES:
        scores = {place: float(weights @ np.maximum(covered, best[place])) for place in places}
        place = max(places, key=lambda place: scores[place])
        if chosen and scores[place] < score + _ADDS:
            break
        covered = np.maximum(covered, best[place])
        score = scores[place]
        chosen.append(place)
        places.remove(place)
    return _Support(tuple(sources[place] for place in chosen), score, lower_half(covered, weights))


@dataclass(frozen=True, slots=True)
class _Written:
    """A sentence of the answer at characters `start` to `end`; `plain` has no markers."""

    start: int
    end: int
    plain: str
    markers: tuple[int, ...]


def _tidy(text: str) -> str:
    """Move markers from behind a full stop to before it, into the sentence that they belong to."""
    return _MARKERS_BEHIND_STOP.sub(r"\2\1", text)


def _sentences_with_markers(text: str) -> list[_Written]:
    """Return the sentences of an answer, with the markers of each."""
    tidy = _tidy(text)
    written = []
    for span in sentence_spans(tidy):
        sentence = tidy[span.start : span.end]
        numbers = dict.fromkeys(
            number for marker in _MARKER.findall(sentence) for number in _numbers_of(marker)
        )
        plain = " ".join(_MARKER.sub("", sentence).split()).replace(_BRACKET, "[")
        if any(character.isalnum() for character in plain):
            written.append(_Written(span.start, span.end, plain, tuple(numbers)))
    return written


def _numbers_of(marker: str) -> list[int]:
    """Return the source numbers inside a marker."""
    for first, last in _RANGE.findall(marker):
        between = range(int(first), int(last) + 1)[:_WIDEST]
        marker = f"{marker} {' '.join(map(str, between))}"
    return [int(number) for number in re.findall(r"\d+", marker)]


def _rewritten(text: str, written: Sequence[_Written], sentences: Sequence[AnswerSentence]) -> str:
    """Return the answer with the markers of its judged sentences."""
    tidy = _tidy(text)
    parts, position = [], 0
    for one, sentence in zip(written, sentences, strict=True):
        parts.append(_MARKER.sub("", tidy[position : one.start]))
        raw = tidy[one.start : one.end]
        odd = any(not _PLAIN_MARKER.fullmatch(match[0]) for match in _MARKER.finditer(raw))
        if odd or set(one.markers) != set(sentence.markers):
            bare = _MARKER.sub("", raw)
            end = _END.search(bare)
            place = end.start() if end else len(bare)
            markers = "".join(f" [{number}]" for number in sentence.markers)
            raw = f"{bare[:place]}{markers}{bare[place:]}"
        parts.append(raw)
        position = one.end
    return "".join([*parts, _MARKER.sub("", tidy[position:])]).strip()


def citation_of(evidence: Evidence, sentence: EvidenceSentence) -> Citation:
    """Return the citation of a sentence of a passage."""
    chunk = evidence.hit.chunk
    return Citation(
        marker=evidence.number,
        document=chunk.document,
        document_id=chunk.document_id,
        page=chunk.page,
        start=sentence.start,
        end=sentence.end,
        quote=sentence.text,
        lines=lines_between(
            chunk.heading, chunk.text, sentence.start - chunk.start, sentence.end - chunk.start
        ),
    )
