"""What is asked of a passage: the question, or, where it has sides, what it asks of the passage's side."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from ingestion.library import Library
from rag_app.answering.answers import Evidence
from rag_app.answering.evidence.sentence_scores import Floats, other_forms, token_weights
from retrievers.exact import Named
from retrievers.glossary import Meaning
from retrievers.hits import Query, Side
from retrievers.search import SearchResult


@dataclass(frozen=True, slots=True)
class Asked:
    """A question as it is asked of some passages.

    Attributes:
        weights: [q], of its tokens.
        named: Its identifiers.
        forms: The question in the glossary's words, with the weights of their tokens.
    """

    query: Query
    weights: Floats
    named: tuple[Named, ...]
    forms: Sequence[tuple[Query, Floats]]


def asked_of(library: Library, result: SearchResult) -> Callable[[str], Asked]:
    """Return what says what is asked of a document, by its id."""
    whole = _asked(library, result)
    of_side: dict[str, Asked] = {}
    for side in result.sides:
        asked = _asked(library, _of(library, result, side))
        of_side |= dict.fromkeys(side.documents, asked)
    return lambda document: of_side.get(document, whole)


def of_side(evidence: Iterable[Evidence], side: Side) -> tuple[Evidence, ...]:
    """Return the evidence of a side's documents."""
    return tuple(item for item in evidence if item.hit.chunk.document_id in side.documents)


def _asked(library: Library, result: SearchResult) -> Asked:
    return Asked(result.query, token_weights(result.query), result.named, other_forms(library, result))


def _of(library: Library, result: SearchResult, side: Side) -> SearchResult:
    """Return a search's result with the question of a side, and those of its identifiers and terms."""
    text = side.within
    query = result.query.once(("side", text), lambda: Query(text, library.encoder))
    named = tuple(
        replace(one, identifier=replace(one.identifier, start=at, end=at + len(one.identifier.text)))
        for one in result.named
        if (at := text.find(one.identifier.text)) >= 0
    )
    terms = tuple(
        Meaning(one.term, one.also, at, at + len(one.term))
        for one in result.looked_for
        if (at := text.find(one.term)) >= 0
    )
    return replace(result, query=query, named=named, looked_for=terms)
