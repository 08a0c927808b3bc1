"""Words of a question with a typing error, and how the documents write them."""

import re
from collections import Counter
from collections.abc import Sequence

from ingestion.library import Library
from ingestion.storage.catalogue.records import Scope
from ingestion.text.spelling import neighbours
from retrievers.glossary import Meaning
from retrievers.hits import Query

_WORD = re.compile(r"(?<!\w)[^\W\d_]+(?!\w)")
# Spellings that are looked up, and passages that are read for each.
_SPELLINGS, _PASSAGES = 5, 5


def misspelt(
    library: Library, query: Query, scope: Scope, known: Sequence[Meaning] = ()
) -> tuple[Meaning, ...]:
    """Return the words of a question that no passage has, with the word of a passage at one typing error.

    A word that is a single word piece of the encoder's vocabulary, or in a `known` term, is spelt right. A
    name with a capital is taken for another name only.
    """
    whole = {(int(start), int(end)) for start, end in query.encodings.spans}
    explained = {place for one in known for place in range(one.start, one.end)}
    found = []
    for match in _WORD.finditer(query.text):
        if match.span() in whole or match.start() in explained:
            continue
        near = library.catalogue.words.near(match.group(), scope)
        if near and (written := _written(library, match.group(), near, scope)):
            found.append(Meaning(match.group(), (written,), *match.span(), is_misspelt=True))
    return tuple(found)


def respelt(question: str, words: Sequence[Meaning]) -> str:
    """Return a question with its misspelt words as the documents write them; other terms stay."""
    for one in sorted((one for one in words if one.is_misspelt), key=lambda one: -one.start):
        question = question[: one.start] + one.also[0] + question[one.end :]
    return question


def _written(library: Library, word: str, near: list[str], scope: Scope) -> str:
    """Return the spelling that passages have most; "" where none has one."""
    wanted = set(neighbours(word.casefold()))
    for spelling in near[:_SPELLINGS]:
        ids = library.catalogue.words.holding([spelling], scope, _PASSAGES)
        counts = Counter(
            match.group()
            for chunk in library.catalogue.chunks(ids).values()
            for match in _WORD.finditer(chunk.text)
            if match.group().casefold() in wanted and _is_name(match.group()) >= _is_name(word)
        )
        if counts:
            return min(counts, key=lambda one: (-counts[one], one))
    return ""


def _is_name(word: str) -> bool:
    return word[0].isupper()
