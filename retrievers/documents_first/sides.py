"""The sides of a question: documents that it names beside each other, companies or periods.

"Amcor and Best Buy", "the 10-K of 2022 and of 2023": each side is one document, or several that the question
names alike. A side that only first lines name counts where names mean its documents more than any others.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from retrievers.documents_first.alone import alone, is_of_each, within
from retrievers.documents_first.mentions import Mention, ScopeWords, mentions, unknown_names
from retrievers.documents_first.names import DocumentNames
from retrievers.documents_first.periods import PERIOD_KINDS, YEARS, Span, plain_name
from retrievers.documents_first.prior import DocumentPrior
from retrievers.hits import Side

# A library's eight passages have one of each.
MOST_SIDES = 8


@dataclass(frozen=True, slots=True)
class _Part:
    """Documents by their places, the characters of the question that mean them, and how it calls them.

    `name_at` are the characters of a name that their text need not have: of a year there is none.
    """

    documents: frozenset[int]
    spans: frozenset[Span]
    name: str
    name_at: Span | None = None
    is_headed: bool = False


def sides_of(
    names: DocumentNames,
    question: str,
    of_scope: ScopeWords,
    prior: DocumentPrior,
    told: Callable[[str], DocumentPrior],
) -> tuple[Side, ...]:
    """Return the sides of a question, in its order; none where it names fewer than two beside each other.

    Args:
        prior: Of the question.
        told: Returns how probable the documents are by what names them alone, of another question.
    """
    divides = any(len(kind.asked(question, (0, len(question)))) > 1 for kind in PERIOD_KINDS)
    parts = _named(names, question, mentions(names, question, of_scope, divides=divides))
    if not parts and divides:
        series = _Part(_series(prior), frozenset(), "")
        parts = _periods_of(names, question, series, (0, len(question)))
    parts = parts[:MOST_SIDES]
    parts = [one for one in parts if not one.is_headed or _is_told(question, one, parts, told)]
    if parts and len(parts) < MOST_SIDES:
        known = [span for one in parts for span in one.spans]
        for span in unknown_names(question, known, of_scope)[: MOST_SIDES - len(parts)]:
            parts.append(_Part(frozenset(), frozenset({span}), question[slice(*span)], span))
        parts.sort(key=lambda one: min(one.spans))
    every = [one.spans for one in parts]
    if len(parts) < 2 or not is_of_each(question, every):
        return ()
    return tuple(
        Side(
            one.name,
            alone(question, one.spans, every),
            within(question, one.spans, every, one.name_at),
            frozenset(names.documents[place].id for place in one.documents),
        )
        for one in parts
    )


def _is_told(
    question: str, part: _Part, parts: Sequence[_Part], told: Callable[[str], DocumentPrior]
) -> bool:
    """Return whether names mean a part's documents more than any others, if the question is asked of it
    alone."""
    prior = told(alone(question, part.spans, [one.spans for one in parts]))
    return any(prior.log_probabilities[place] >= prior.log_probabilities.max() for place in part.documents)


def _named(names: DocumentNames, question: str, found: Sequence[Mention]) -> list[_Part]:
    groups = _groups(question, found)
    parts: list[_Part] = []
    for group, stretch in zip(groups, _stretches(question, groups), strict=True):
        periods = _periods_of(names, question, group, stretch)
        if len(groups) > 1:
            several = len(periods) > 1
            periods = [
                replace(one, name=f"{group.name} {one.name}" if several else group.name) for one in periods
            ]
        parts += periods or [group]
    return parts


def _groups(question: str, found: Sequence[Mention]) -> list[_Part]:
    """Return mentions of the same documents together, in the question's order; beside the name of a file its
    documents' first lines tell nothing more."""
    groups: list[list[Mention]] = []
    for one in sorted(found, key=lambda one: one.is_headed):
        group = next((each for each in groups if _shared(one, *each)), None)
        if group is None:
            groups.append([one])
        elif group[0].is_headed == one.is_headed:
            group.append(one)
    return sorted((_group(question, each) for each in groups), key=lambda group: min(group.spans))


def _shared(*mentions: Mention) -> frozenset[int]:
    return frozenset.intersection(*(one.documents for one in mentions))


def _group(question: str, found: Sequence[Mention]) -> _Part:
    longest = max(found, key=lambda one: (one.end - one.start, -one.start))
    return _Part(
        _shared(*found),
        frozenset((one.start, one.end) for one in found),
        question[longest.start : longest.end],
        (longest.start, longest.end),
        found[0].is_headed,
    )


def _stretches(question: str, groups: Sequence[_Part]) -> list[Span]:
    """Return where the periods of each group stand: behind its name, if each has some; else anywhere."""
    ends = [*(min(one.spans)[0] for one in groups[1:]), len(question)]
    own = [(min(one.spans)[0], end) for one, end in zip(groups, ends, strict=False)]
    return own if all(YEARS.asked(question, one) for one in own) else [(0, len(question))] * len(groups)


def _series(prior: DocumentPrior) -> frozenset[int]:
    """Return the documents that are called like the likeliest one, but for numbers."""
    documents = prior.names.documents
    plain = plain_name(documents[int(prior.log_probabilities.argmax())])
    return frozenset(place for place, one in enumerate(documents) if plain and plain_name(one) == plain)


def _periods_of(names: DocumentNames, question: str, group: _Part, stretch: Span) -> list[_Part]:
    """Return a group's documents by the periods that a question names: a part for each of several, or one
    part where it names one; none where it names none of theirs."""
    parts: list[_Part] = []
    left = group.documents
    for kind in PERIOD_KINDS:
        asked = kind.asked(question, stretch)
        having = {
            key: some
            for key in asked
            if (some := frozenset(place for place in left if key in kind.of(names.documents[place])))
        }
        every = frozenset[int]().union(*having.values())
        if len(having) == 1:
            left &= every
            parts = [replace(one, documents=one.documents & every or one.documents) for one in parts]
        elif having and not parts and len(every) == sum(map(len, having.values())):
            for key, some in having.items():
                spans = frozenset(asked[key])
                name = question[slice(*min(spans))]
                parts.append(_Part(some, group.spans | spans, name, None, group.is_headed))
    if not parts and left != group.documents:
        return [replace(group, documents=left)]
    return parts
