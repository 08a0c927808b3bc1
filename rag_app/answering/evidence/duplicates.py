"""Repeated sentences: copies and versions of a document, boilerplate."""

import re
from collections.abc import Sequence
from dataclasses import replace

from ingestion.storage.catalogue.records import StoredChunk
from rag_app.answering.answers import EvidenceSentence
from rag_app.answering.fact_check import negations

# Sentences are compared by their sets of shingles of this many words (Broder, 1997). With this Jaccard
# similarity they say the same, if their figures and negations agree too.
_SHINGLE = 3
_SAME = 0.8


def merged(
    passages: Sequence[tuple[StoredChunk, Sequence[EvidenceSentence]]],
) -> list[list[EvidenceSentence]]:
    """Return each passage's sentences without repetitions of earlier ones, which list the pages in `also`."""
    first: list[_Said] = []
    kept: list[list[EvidenceSentence]] = [[] for _ in passages]
    for number, (chunk, sentences) in enumerate(passages):
        for sentence in sentences:
            said = _Said(sentence.text)
            same = next((other for other in first if other.says(said)), None)
            if same is None:
                said.place = number, len(kept[number])
                first.append(said)
                kept[number].append(sentence)
            else:
                passage, place = same.place
                elsewhere = f"{chunk.document}, page {chunk.page}"
                old = kept[passage][place]
                if elsewhere not in old.also:
                    kept[passage][place] = replace(old, also=(*old.also, elsewhere))
    return kept


class _Said:
    """The features of a sentence that are compared."""

    __slots__ = ("denied", "figures", "place", "plain", "shingles")

    def __init__(self, text: str) -> None:
        words = re.findall(r"\w+", text.casefold())
        self.plain = " ".join(words)
        self.figures = [word for word in words if any(map(str.isdigit, word))]
        self.denied = len(negations(text))
        self.shingles = {tuple(words[place : place + _SHINGLE]) for place in range(len(words) - _SHINGLE + 1)}
        self.place = (0, 0)

    def says(self, other: "_Said") -> bool:
        if self.plain == other.plain:
            return True
        if not self.shingles or not other.shingles or self.figures != other.figures:
            return False
        shared = len(self.shingles & other.shingles)
        return shared >= _SAME * len(self.shingles | other.shingles) and self.denied == other.denied
