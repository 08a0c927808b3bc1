"""Shares: the sides of a question take turns in the first places of a list, so that each has its passages.

The best passage of each side comes first, then the next best of each. A passage of another document that
stands above all sides stays there. Behind the shared places the list goes on by its scores.
"""

from collections.abc import Sequence
from dataclasses import replace

from ingestion.storage.catalogue.records import document_of_chunk
from retrievers.hits import Candidate, Hit, Side

# As many passages as are handed on, if nobody says otherwise.
PLACES = 8
# Of other documents, above all sides.
_MOST_AHEAD = 2
# The score by which a passage is lifted to its turn.
SHARE = "share"


def taking_turns(sides: Sequence[Side]) -> tuple[Side, ...]:
    """Return the sides that share a list: those with documents; none where fewer than two have some."""
    found = tuple(side for side in sides if side.documents)
    return found if len(found) > 1 else ()


def shared(
    candidates: Sequence[Candidate], sides: Sequence[Side], own: Sequence[Sequence[str]] = ()
) -> tuple[Candidate, ...]:
    """Return candidates with the sides' turns first.

    A passage whose turn comes before its score gets the score of the passage behind it; SHARE is how much
    that is. So scores fall with the ranks, and add up.

    Args:
        candidates: By score, the best first.
        own: The chunk ids of each side that takes turns, in an order of its own; without it, in that of the
            list.
    """
    sides = taking_turns(sides)
    if not sides:
        return tuple(candidates)
    places = {one.chunk_id: place for place, one in enumerate(candidates)}
    orders = [[places[chunk] for chunk in chunks if chunk in places] for chunks in own]
    ordered = [
        candidates[place]
        for place in turns([document_of_chunk(one.chunk_id) for one in candidates], sides, orders)
    ]
    lifted: list[Candidate] = []
    for one in reversed(ordered):
        lift = lifted[-1].score - one.score if lifted else 0.0
        lifted.append(
            replace(one, score=lifted[-1].score, scores={**one.scores, SHARE: lift}) if lift > 0 else one
        )
    return tuple(reversed(lifted))


def unshared(candidates: Sequence[Candidate]) -> tuple[Candidate, ...]:
    """Return candidates in their order, with the scores that they have without a turn."""
    return tuple(_unshared(one) if SHARE in one.scores else one for one in candidates)


def _unshared(one: Candidate) -> Candidate:
    scores = {name: score for name, score in one.scores.items() if name != SHARE}
    return replace(one, score=one.score - one.scores[SHARE], scores=scores)


def in_turns(candidates: Sequence[Candidate], sides: Sequence[Side]) -> tuple[Candidate, ...]:
    """Return candidates with the sides' turns first; their scores stay."""
    sides = taking_turns(sides)
    if not sides:
        return tuple(candidates)
    return tuple(
        candidates[place] for place in turns([document_of_chunk(one.chunk_id) for one in candidates], sides)
    )


def shared_hits(hits: Sequence[Hit], sides: Sequence[Side]) -> tuple[Hit, ...]:
    """Return hits with the sides' turns first, ranked anew; their scores stay."""
    sides = taking_turns(sides)
    if not sides:
        return tuple(hits)
    ordered = [hits[place] for place in turns([hit.chunk.document_id for hit in hits], sides)]
    return tuple(replace(hit, rank=rank) for rank, hit in enumerate(ordered, start=1))


def turns(documents: Sequence[str], sides: Sequence[Side], own: Sequence[Sequence[int]] = ()) -> list[int]:
    """Return the places of a list in the order of the sides' turns.

    Args:
        documents: The list: the document's id of each passage, the best passage first.
        sides: Two or more. The one with the best passage comes first in each turn.
        own: Each side's places in an order of its own; what it leaves out follows.
    """
    of_side = {document: number for number, side in enumerate(sides) for document in side.documents}
    waiting: list[list[int]] = [list(places) for places in own] or [[] for _ in sides]
    for place, document in enumerate(documents):
        if document in of_side and place not in waiting[of_side[document]]:
            waiting[of_side[document]].append(place)
    named = [place for place, document in enumerate(documents) if document in of_side]
    ahead = list(range(min(named[0] if named else 0, _MOST_AHEAD)))
    rounds = max(1, (PLACES - len(ahead)) // len(sides))
    order = sorted((some for some in waiting if some), key=min)
    first = ahead + [some[number] for number in range(rounds) for some in order if number < len(some)]
    taken = set(first)
    return first + [place for place in range(len(documents)) if place not in taken]
