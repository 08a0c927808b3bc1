"""Identifiers of the question in evidence, matched literally.

An encoder's vectors of E-0102 and E-0103 are nearly equal. So for question tokens inside an identifier that
few passages have, this module replaces the cosine: by 1 where a passage has the identifier, or belongs to
it, and by 0 elsewhere.
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
    """Return the question's match with a passage, with identifiers matched literally.

    Args:
        asked: [q, 2], the characters of the question's tokens.
    """
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
    """Yield the spans of a passage that belong to an identifier.

    A span ends at the next identifier of the same form; without any, it is the whole passage.
    """
    others = sorted(competitors(one.identifier, chunk.text))
    if not others:
        yield 0, len(chunk.text)
        return
    for start, end in occurrences(one.identifier, chunk.text):
        line = chunk.text.rfind("\n", 0, start) + 1
        behind = next((other for other in others if other >= end), len(chunk.text))
        yield (start if any(line <= other < start for other in others) else line), behind


def is_of_another(named: Sequence[Named], chunk: StoredChunk, start: int, end: int) -> bool:
    """Return whether characters `start` to `end` of a passage belong to another identifier."""
    held = [one for one in named if one.is_rare and chunk.id in one.holders]
    stretches = [stretch for one in held for stretch in reached(one, chunk)]
    return bool(stretches) and not any(first < end and start < last for first, last in stretches)


def holds(named: Sequence[Named], text: str) -> bool:
    """Return whether a text has an identifier of the question that few passages have."""
    return any(occurrences(one.identifier, text) for one in named if one.is_rare)


def missing(named: Sequence[Named]) -> str | None:
    """Return the refusal of a question whose identifiers no document has; None where a document has one."""
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
    """Return a flag for each missing identifier, where documents have another one of the question."""
    if not any(one.holders for one in named):
        return ()
    return tuple(f"{one.identifier.text} is in none of your documents" for one in named if one.is_missing)


def _is_about(one: Named, chunk: StoredChunk) -> bool:
    return any(occurrences(one.identifier, text) for text in (chunk.context, chunk.document))
