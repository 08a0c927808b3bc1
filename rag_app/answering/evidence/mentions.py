"""The passages that mention a word or a name, by document."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from ingestion.library import Library
from ingestion.storage.catalogue.records import Scope, StoredChunk
from ingestion.text.stopwords import stopwords_of

# Passages that are read: more are "more than".
MOST_READ = 2000
_ENDING = 3  # letters of "bridges", "bridging" that may stand behind a word's stem
_SHORTEST_STEM = 4


@dataclass(frozen=True, slots=True)
class Mentions:
    """A document's passages that mention what was asked for.

    Attributes:
        best: The passage that says most of it, by BM25.
        spans: Where in the text of `best` it is mentioned.
    """

    best: StoredChunk
    passages: int
    spans: tuple[tuple[int, int], ...]


def mentions(library: Library, topic: str, scope: Scope) -> list[Mentions]:
    """Return the documents of a scope that mention a topic, those with most passages first.

    A passage mentions a topic of several words that has them as they stand; where no passage does, one that
    has all of its words. The words' endings may differ.
    """
    ids = library.catalogue.words.holding([topic], scope, MOST_READ)
    chunks = library.catalogue.chunks(ids)
    found = [chunks[one] for one in ids if one in chunks]
    for spans_in in _matchers(topic):
        holders = [(chunk, spans) for chunk in found if (spans := tuple(spans_in(chunk.text)))]
        if holders:
            return _by_document(holders)
    return []


def words_of(topic: str) -> list[str]:
    """Return a topic's words that name something."""
    words = re.findall(r"[^\W_]+", topic)
    return [word for word in words if word.casefold() not in stopwords_of("en")]


def _matchers(topic: str) -> Sequence[Callable[[str], Iterator[tuple[int, int]]]]:
    words = words_of(topic)
    stems = [_stem(word) for word in words]
    phrase = re.compile(r"(?<![^\W_])" + r"(?:[\W_]+[^\W_]{1,3})?[\W_]+".join(stems), re.IGNORECASE)

    def whole(text: str) -> Iterator[tuple[int, int]]:
        return (match.span() for match in phrase.finditer(text))

    def each(text: str) -> Iterator[tuple[int, int]]:
        places = [re.search(rf"(?<![^\W_]){stem}", text, re.IGNORECASE) for stem in stems]
        return (place.span() for place in places if place) if all(places) else iter(())

    return (whole, each) if len(words) > 1 else (whole,)


def _stem(word: str) -> str:
    """Return a pattern of a word with other endings: "bridge" for "bridges"; of a short word or a code, the
    word itself."""
    if len(word) <= _SHORTEST_STEM or not word.isalpha() or word.isupper():
        return rf"{re.escape(word)}(?:['’]?s)?(?![^\W_])"
    stem = (
        re.sub(r"(?:ies|es|s|y|e|ing|ed)$", "", word)
        if len(word) > _SHORTEST_STEM + 1
        else word.removesuffix("s")
    )
    return rf"{re.escape(stem)}[^\W_]{{0,{_ENDING}}}(?![^\W_])"


def _by_document(holders: list[tuple[StoredChunk, tuple[tuple[int, int], ...]]]) -> list[Mentions]:
    best: dict[str, tuple[StoredChunk, tuple[tuple[int, int], ...]]] = {}
    counts: dict[str, int] = {}
    for chunk, spans in holders:
        best.setdefault(chunk.document_id, (chunk, spans))
        counts[chunk.document_id] = counts.get(chunk.document_id, 0) + 1
    found = [Mentions(chunk, counts[one], spans) for one, (chunk, spans) in best.items()]
    return sorted(found, key=lambda one: (-one.passages, one.best.document.casefold()))
