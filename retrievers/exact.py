"""Identifiers that a question names literally, and the passages that hold them.

The index of words finds the passages that have all parts of an identifier; the passages' text decides. So
the cost hardly grows with the library.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher

from ingestion.library import Library
from ingestion.storage.catalogue.records import Scope, StoredChunk
from ingestion.text.identifiers import (
    Identifier,
    IdentifierKind,
    identifiers,
    key_of,
    kind_of,
    shape_of,
    spellings,
)
from retrievers.hits import Candidate, Ranking

# Passages whose text is read for an identifier.
_MOST_READ = 200
# An identifier that more passages hold (COVID-19 in a library on it) tells little: the strategy decides.
FEW = 20
# Identifiers of a question that are looked up: a question with more is a pasted list.
_MOST_ASKED = 8
# Neighbours that are looked up: those that differ in one of the last digits.
_LAST_DIGITS = 5
_NEAREST = 3
_ALIKE = 0.75
_DIGITS = "0123456789"
_LINE_START = re.compile(r"\n[ \t]*")
_PARTS = re.compile(r"\d+|[^\W\d_]+")


@dataclass(frozen=True, slots=True)
class Named:
    """An identifier of a question and the passages of the scope that hold it.

    Attributes:
        holders: Ids of chunks; of very many, those that were read.
        is_missing: No passage holds it, and documents would not write it in another way.
        nearest: Where it is missing, the identifiers of documents that differ least.
    """

    identifier: Identifier
    holders: frozenset[str]
    is_missing: bool = False
    nearest: tuple[str, ...] = ()

    @property
    def is_rare(self) -> bool:
        return 0 < len(self.holders) <= FEW


def named(library: Library, question: str, scope: Scope) -> tuple[Named, ...]:
    """Return what a question names literally; none for most questions."""
    return tuple(_named(library, one, scope) for one in identifiers(question)[:_MOST_ASKED])


def occurrences(identifier: Identifier, text: str) -> list[tuple[int, int]]:
    """Return where a text holds an identifier, as (start, end)."""
    if identifier.kind is IdentifierKind.PHRASE:
        pattern = r"[\W_]+".join(re.escape(word) for word in re.findall(r"[^\W_]+", identifier.text))
        found = re.finditer(rf"(?<![^\W_]){pattern}(?![^\W_])", text, re.IGNORECASE)
        return [match.span() for match in found]
    return [(start, end) for key, start, end in spellings(text) if key == identifier.key]


def competitors(identifier: Identifier, text: str) -> list[int]:
    """Return where a text turns to another identifier.

    These are the places of identifiers of the same shape (E-0103 for E-0102); where the identifier itself
    begins a line, also the places of any identifier that begins a line.
    """
    if identifier.kind is IdentifierKind.PHRASE:
        return []
    key, shape = identifier.key, shape_of(identifier.key)
    spelled = list(spellings(text))
    lines = {0, *(match.end() for match in _LINE_START.finditer(text))}
    heads_line = any(one == key and start in lines for one, start, _ in spelled)
    has_digits = any(map(str.isdigit, key))
    return [
        start
        for other, start, end in spelled
        if other != key
        and (
            (has_digits and shape_of(other) == shape)
            or (heads_line and start in lines and kind_of(text[start:end]) is not None)
        )
    ]


def with_holders_first(
    ranking: Ranking, chunks: dict[str, StoredChunk], found: Sequence[Named], library: Library
) -> tuple[Ranking, dict[str, StoredChunk]]:
    """Return the ranking with the passages first that hold most of the rare identifiers, and their chunks.

    Among equals the ranking's order stays; passages that it lacks come last.
    """
    rare = [one for one in found if one.is_rare]
    if not rare:
        return ranking, chunks
    known = {candidate.chunk_id for candidate in ranking.candidates}
    lacking = sorted({chunk for one in rare for chunk in one.holders} - known)
    added = library.catalogue.chunks(lacking)
    candidates = [
        *ranking.candidates,
        *(Candidate(chunk, 0.0, {"exact": 1.0}) for chunk in lacking if chunk in added),
    ]
    held = {c.chunk_id: sum(c.chunk_id in one.holders for one in rare) for c in candidates}
    ordered = tuple(sorted(candidates, key=lambda candidate: -held[candidate.chunk_id]))
    return (
        replace(ranking, candidates=ordered),
        {**chunks, **added},
    )


def _named(library: Library, identifier: Identifier, scope: Scope) -> Named:
    held, alike = _holders(library, identifier, scope)
    if held or not scope.collections:
        return Named(identifier, frozenset(held))
    if identifier.kind is IdentifierKind.PHRASE:
        return Named(identifier, frozenset(), is_missing=not alike)
    nearest = _nearest(library, identifier, scope)
    return Named(
        identifier, frozenset(), identifier.kind is IdentifierKind.CODE or bool(nearest), tuple(nearest)
    )


def _holders(library: Library, identifier: Identifier, scope: Scope) -> tuple[set[str], bool]:
    """Return the chunks that hold an identifier, and whether any has all of its words."""
    texts = [identifier.text]
    if identifier.kind is not IdentifierKind.PHRASE:
        texts = [
            " ".join(_PARTS.findall(identifier.text)),
            " ".join(identifier.text.split("-")),
            identifier.key,
        ]
    ids = library.catalogue.words.holding(texts, scope, _MOST_READ)
    chunks = library.catalogue.chunks(ids)
    return {
        chunk.id
        for chunk in chunks.values()
        if any(occurrences(identifier, part) for part in _written_in(chunk))
    }, bool(ids)


def _written_in(chunk: StoredChunk) -> Iterable[str]:
    return chunk.text, chunk.context, chunk.document


def _nearest(library: Library, identifier: Identifier, scope: Scope) -> list[str]:
    """Return the documents' identifiers that differ in one digit; else those that look most alike."""
    found: list[str] = []
    for text in _neighbours(identifier.text):
        neighbour = Identifier(text, 0, len(text), key_of(text), identifier.kind)
        if _holders(library, neighbour, scope)[0]:
            found.append(text)
        if len(found) == _NEAREST:
            return found
    if found or identifier.kind is not IdentifierKind.CODE:
        return found
    ids = [chunk for chunk, _ in library.catalogue.words.search(identifier.text, scope, FEW).hits]
    alike: dict[str, tuple[float, str]] = {}
    for chunk in library.catalogue.chunks(ids).values():
        for key, start, end in spellings(chunk.text):
            ratio = SequenceMatcher(None, identifier.key, key).ratio()
            if ratio >= _ALIKE and any(map(str.isdigit, key)):
                alike[key] = -ratio, chunk.text[start:end]
    return [text for _, text in sorted(alike.values())[:_NEAREST]]


def _neighbours(text: str) -> Iterable[str]:
    """Yield a code with one of its last digits changed, the least change first."""
    places = [place for place, character in enumerate(text) if character in _DIGITS]
    for place in reversed(places[-_LAST_DIGITS:]):
        value = int(text[place])
        for other in sorted(range(10), key=lambda digit: (abs(digit - value), -digit)):
            if other != value:
                yield f"{text[:place]}{other}{text[place + 1 :]}"
