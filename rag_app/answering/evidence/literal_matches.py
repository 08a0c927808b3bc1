"""Identifiers in evidence: what a question names literally is in a line, or it is not.

A model's vectors of E-0102 and E-0103 are nearly the same. So for the question's tokens within an identifier
that few passages hold, the cosine is replaced: 1 where the passage has the identifier, or belongs to it, and
0 elsewhere.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ingestion.storage.catalogue.records import StoredChunk
from ingestion.storage.tokens.store import TokenMatch
from retrievers.exact import Named, competitors, occurrences

Span = tuple[int, int]
Spans = NDArray[np.int64] | NDArray[np.int32]


def with_identifiers(
    match: TokenMatch, chunk: StoredChunk, named: Sequence[Named], asked: Spans
) -> TokenMatch:
    """Return how the question's tokens, at the characters `asked` [q, 2], match a passage, with what the
    question names literally compared as it is written."""
    rare = [one for one in named if one.is_rare]
    if not rare or not match.similarities.size:
        return match
    similarities = match.similarities.copy()
    starts, ends = match.spans[:, 0], match.spans[:, 1]
    is_context = (starts == 0) & (ends == 0)
    for one in rare:
        within = (asked[:, 0] >= one.identifier.start) & (asked[:, 1] <= one.identifier.end)
        within &= asked[:, 1] > asked[:, 0]
        row = np.zeros(len(starts), np.float32)
        if chunk.id in one.holders:
            for start, end in reached(one, chunk):
                row[(starts >= start) & (ends <= end) & (ends > starts)] = 1.0
            if _is_about(one, chunk) and not competitors(one.identifier, chunk.text):
                row[is_context] = 1.0
        similarities[within] = row
    return replace(match, similarities=similarities)


def reached(one: Named, chunk: StoredChunk) -> Iterator[Span]:
    """Yield the stretches of a passage's text that belong to an identifier: from where it stands to the next
    one of its make; the whole passage where there is no other."""
    others = sorted(competitors(one.identifier, chunk.text))
    if not others:
        yield 0, len(chunk.text)
        return
    for start, end in occurrences(one.identifier, chunk.text):
        line = chunk.text.rfind("\n", 0, start) + 1
        behind = next((other for other in others if other >= end), len(chunk.text))
        yield (start if any(line <= other < start for other in others) else line), behind


def is_of_another(named: Sequence[Named], chunk: StoredChunk, start: int, end: int) -> bool:
    """Whether characters `start` to `end` of a passage that holds an identifier belong to another one."""
    held = [one for one in named if one.is_rare and chunk.id in one.holders]
    stretches = [stretch for one in held for stretch in reached(one, chunk)]
    return bool(stretches) and not any(first < end and start < last for first, last in stretches)


def holds(named: Sequence[Named], text: str) -> bool:
    """Whether a text has one of the identifiers that few passages hold."""
    return any(occurrences(one.identifier, text) for one in named if one.is_rare)


def missing(named: Sequence[Named]) -> str | None:
    """Return the sentence that says that no document has what a question names; None where one has some."""
    lacking = [one for one in named if one.is_missing]
    if not lacking or any(one.holders for one in named):
        return None
    texts = [
        f"“{one.identifier.text}”" if " " in one.identifier.text else one.identifier.text for one in lacking
    ]
    subject = f"{', '.join(texts[:-1])} and {texts[-1]} are" if len(texts) > 1 else f"{texts[0]} is"
    nearest = list(dict.fromkeys(text for one in lacking for text in one.nearest))
    behind = ""
    if nearest:
        behind = f"; the nearest {'are' if len(nearest) > 1 else 'is'} {', '.join(nearest)}"
    return f"{subject} in none of your documents{behind}."


def partly_missing(named: Sequence[Named]) -> tuple[str, ...]:
    """Return a flag for each identifier that no document has, where documents have another one."""
    if not any(one.holders for one in named):
        return ()
    return tuple(f"{one.identifier.text} is in none of your documents" for one in named if one.is_missing)


def _is_about(one: Named, chunk: StoredChunk) -> bool:
    return any(occurrences(one.identifier, text) for text in (chunk.context, chunk.document))
