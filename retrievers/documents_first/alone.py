"""A question about several sides, asked of one of them alone: without the others' names.

"Compare the revenue of Amcor and Best Buy." is asked of Amcor as "What was the revenue of Amcor?". English
first; the words that join sides also in German, French, Spanish and Italian.
"""

import re
from collections.abc import Collection, Sequence
from itertools import pairwise

from ingestion.text.stopwords import is_stopword

Span = tuple[int, int]

_JOINS = (
    r"and|or|vs\.?|versus|than|as well as|und|oder|sowie|gegenüber|als|et|ou|que|y|o|e|compared (?:to|with)|"
    r"in comparison (?:to|with)|verglichen mit|im vergleich (?:zu|mit)"
)
# They join sides only in a comparison: "with" is also "do business with".
_JOINS_COMPARED = rf"{_JOINS}|with|to|from|against|mit|zu[mr]?|von|vom|bis|avec|à|de|con|a"
_PREPOSITIONS = (
    r"in|at|of|for|by|from|on|to|im|am|bei|beim|von|vom|für|zu[mr]?|dans|chez|de|du|en|del|di|da|à|al|nel"
)
_ARTICLES = r"the|an?|der|die|das|dem|den|des|eine?[mnrs]?|la|le|les|el|los|las|il|lo|un|une|una"
_SMALL = rf"(?:(?:{_PREPOSITIONS}|{_ARTICLES})\s+)*"
_COMPARES = re.compile(
    r"\bcompar\w*|\bdiffer\w*|\bversus\b|\bvs\b|\bvergleich\w*|\bunterschie\w*|\bunterscheid\w*|"
    r"\bdifféren\w*|\bdiferen\w*|\bdifferenz\w*|\bconfront\w*|"
    r"\b(?:higher|lower|more|less|larger|smaller|bigger|greater|better|worse|faster|slower|older|younger|longer|"
    r"shorter|earlier|later|above|below|höher|niedriger|größer|kleiner|mehr|weniger|besser|älter|jünger|länger|"
    r"kürzer|plus|moins|más|menos|mayor|menor|più|meno)\b",
    re.IGNORECASE,
)
_JOINED = re.compile(rf"[,;&/–]|\b(?:{_JOINS})(?!\w)", re.IGNORECASE)
# "from 2019 to 2020", and names alone: "Amcor Best Buy revenue".
_BESIDE = re.compile(r"(?:['’]s)?\s*(?:(?:to|bis|à|al?|-|–)\s*(?:the\s+)?)?", re.IGNORECASE)
_ONLY_JOINED = re.compile(rf"\s*[,;&/–]?\s*(?:(?:{_JOINS_COMPARED})(?!\w)\s*)?{_SMALL}", re.IGNORECASE)
_JOINED_BEFORE = re.compile(
    rf"(?:\s*[,;&/–])?\s*(?<!\w)(?:{_JOINS_COMPARED})\s+{_SMALL}$|\s*[,;&/–]\s*{_SMALL}$", re.IGNORECASE
)
_JOINED_BEHIND = re.compile(
    rf"(?:\s*[,;&/–])?\s*(?<!\w)(?:{_JOINS_COMPARED})(?!\w)\s*|\s*[,;&/–]\s*", re.IGNORECASE
)
_NEXT_WORD = re.compile(r"\s+[^\W\d_]+")
_POSSESSIVE = re.compile(r"['’]s?(?!\w)")
_QUESTION_WORDS = (
    r"what|who|whom|which|when|where|why|how|did|does|do|is|are|was|were|has|have|wer|was|wann|wo|warum|wie|"
    r"welche[rsn]?|qui|que|quand|où|comment|combien|quién|qué|cuándo|cómo"
)
# "What does A say about x, and what does B say about y?"
_NEXT_CLAUSE = re.compile(
    rf"(?:[,;]?\s+(?:and|und|et|y|e)|[,;.?!])\s+(?=(?:{_PREPOSITIONS})?\s*\b(?:{_QUESTION_WORDS})\b)",
    re.IGNORECASE,
)
_OR = re.compile(r",?\s+(?:or|oder|ou|o)\s+", re.IGNORECASE)
_AUXILIARY = re.compile(
    rf"\s*(?:{_QUESTION_WORDS}|can|could|will|would|hat|haben|ist|sind|war|waren|a|ont|ha|han)\b",
    re.IGNORECASE,
)
_MORE = (
    r"(?:the |an? )?(?:more|most|fewer|fewest|less|least|higher|highest|lower|lowest|larger|largest|smaller)"
)
# What a comparison says of both sides, and how it is asked of one.
_OF_BOTH = (
    (
        rf"^(\W*)(?:who|which(?: [^\W\d_]+)?) (?:had|has|have) {_MORE} ([^,]+s), ",
        r"\1What was the number of \2 of ",
    ),
    (rf"^(\W*)(?:who|which(?: [^\W\d_]+)?) (?:had|has|have) {_MORE} ([^,]+), ", r"\1What was the \2 of "),
    (r"^(\W*)[Dd](id|oes|o) (.+?) (?:more|less)(?: than)?(?=\W)", r"\1How much d\2 \3"),
    (r"^(\W*)(?:please )?compare (?!how\b|what\b|who\b|the way\b)(?:the )?(?=.*\w\s+\w)", r"\1What was the "),
    (r"^(\W*)(?:please )?compare (?:the way |(?=how\b|what\b|who\b))", r"\1"),
    (r"^(\W*)(?:bitte )?vergleiche?(?:n sie)? ", r"\1"),
    (r"\bthe (?:\w+ )?differences? in (.+?) between\b", r"\1 of"),
    (r"\b(?:the )?(?:\w+ )?differences? between ", ""),
    (r"\b(?:der|die) unterschiede? (?:im|in der|in den|beim|bei der) (.+?) zwischen\b", r"\1 von"),
    (r"\b(?:der|die|den) unterschiede? zwischen ", ""),
    (r"\b(?:la )?(?:différences?|diferencias?|differenz[ae]) (?:entre|tra|fra) ", ""),
    (r"\b(?:between|both|zwischen|sowohl|entre|tra|fra) ", ""),
    (r"\b(?:differs?|different)(?: from)?(?= |\W*$)", ""),
)  # fmt: skip
# Stands for a side's own name while the others are taken out; no question has it.
_NAME = "\ue0f1"
# "of Amcor", "at the Ronin Institute?"; "the Latrobe accident" keeps its article.
_OWN_NAME = re.compile(
    rf"(?:(?<!\w)(?:{_PREPOSITIONS})\s+)?(?:(?<!\w)(?:{_ARTICLES})\s+)?{_NAME}+(?:['’]s?(?!\w))?(?=\W*$)|"
    rf"(?:(?<!\w)(?:{_PREPOSITIONS})\s+)?{_NAME}+(?:['’]s?(?!\w))?",
    re.IGNORECASE,
)
# What a question may say without asking for anything.
_SAYS = frozenset({
    "compare", "compares", "define", "defines", "describe", "describes", "difference", "differences",
    "mean", "means", "report", "reported", "reports", "sagen", "sagt", "said", "say", "says", "steht",
    "tell", "tells", "unterschied", "vergleiche", "work", "works",
})  # fmt: skip
_TWICE = re.compile(r"\b(\w+)( \1\b)+", re.IGNORECASE)
_PREPOSITION_TWICE = re.compile(
    rf"\b(?:{_PREPOSITIONS})(?: (?:{_ARTICLES}))? (?=(?:{_PREPOSITIONS})\b)", re.IGNORECASE
)


def is_of_each(question: str, sides: Sequence[Collection[Span]]) -> bool:
    """Return whether a question asks something of each of its sides: "A and B", "from 2019 to 2020".

    "Does A mention B?" does not.

    Args:
        sides: The characters of the names of each.
    """
    if _COMPARES.search(question):
        return True
    own = [_own(side, sides) for side in sides]
    named = sorted(frozenset().union(*own))
    return all(
        _JOINED.search(question, before[1], after[0]) or _BESIDE.fullmatch(question, before[1], after[0])
        for before, after in pairwise(named)
        if not any({before, after} <= side for side in own)
    )


def are_joined(question: str, before: Span, after: Span) -> bool:
    """Return whether only a word such as "and" stands between two names."""
    gap = question[before[1] : after[0]]
    possessive = _POSSESSIVE.match(gap)
    gap = gap[possessive.end() :] if possessive else gap
    return bool(gap.strip()) and _ONLY_JOINED.fullmatch(gap) is not None


def alone(question: str, kept: Collection[Span], sides: Sequence[Collection[Span]]) -> str:
    """Return a question as it is asked of one side alone.

    Args:
        kept: The characters of this side's names.
        sides: Those of every side.
    """
    every = sorted({span for side in sides for span in _own(side, sides)})
    clause = _own_clause(question, kept, every) or _own_alternative(question, kept, sides)
    if clause:
        return _tidy(clause)
    return _tidy(_without(question, kept, every))


def within(
    question: str, kept: Collection[Span], sides: Sequence[Collection[Span]], name: Span | None
) -> str:
    """Return a question as it is asked within the documents of one side, which need not be named there.

    The name stays where hardly anything else is asked: "What is a cross-encoder?".

    Args:
        kept, sides: Those of `alone`.
        name: The characters of the name; None where it says what to look for in them too, such as a year.
    """
    if name is None or name not in _own(kept, sides):
        return alone(question, kept, sides)
    start, end = name
    marked = f"{question[:start]}{_NAME * (end - start)}{question[end:]}"
    asked = _OWN_NAME.sub(" ", alone(marked, kept, sides))
    words = re.findall(r"[^\W\d_]{3,}", asked.casefold())
    left = [word for word in words if not is_stopword(word) and word not in _SAYS]
    return _tidy(asked) if left else alone(question, kept, sides)


def _own(side: Collection[Span], sides: Sequence[Collection[Span]]) -> set[Span]:
    """Return the names that tell a side from the others."""
    return set(side) - set(sides[0]).intersection(*sides)


def _own_clause(question: str, kept: Collection[Span], every: Sequence[Span]) -> str:
    """Return the clause that asks of a side and of no other; "" where sides share a clause."""
    breaks = [match.span() for match in _NEXT_CLAUSE.finditer(question)]
    if not breaks:
        return ""
    starts, ends = [0, *(end for _, end in breaks)], [*(start for start, _ in breaks), len(question)]
    for start, end in zip(starts, ends, strict=True):
        inside = {span for span in every if start <= span[0] < end}
        if inside and inside == set(kept) & set(every):
            return f"{question[start:end].strip(' ,;.?!')}?"
    return ""


def _own_alternative(question: str, kept: Collection[Span], sides: Sequence[Collection[Span]]) -> str:
    """Return "Which is older, A?" of "Which is older, A or B?"; "" of another question."""
    spans = [sorted(side) for side in sides]
    first = min(side[0][0] for side in spans)
    region = max(question.rfind(mark, 0, first) for mark in ",:;") + 1
    if not region or _AUXILIARY.match(question, region) or len(question[:region].split()) < 3:
        return ""
    starts = [region]
    for before, after in pairwise(spans):
        joins = list(_OR.finditer(question, before[-1][1], max(after[0][0], before[-1][1])))
        if not joins:
            return ""
        starts.append(joins[-1].end())
    ends = [*starts[1:], len(question)]
    for start, end, side in zip(starts, ends, spans, strict=True):
        if set(side) == set(kept):
            return f"{question[:region]} {_OR.sub('', question[start:end]).strip(' ,;.?!')}?"
    return ""


def _without(question: str, kept: Collection[Span], every: Sequence[Span]) -> str:
    """Return a question without the names of the other sides, and without what joins them to this one."""
    for start, end in reversed(_blocks(question, kept, every)):
        before = max((behind for _, behind in every if behind <= start), default=None)
        after = min((begins for begins, _ in every if begins >= end), default=None)
        joined = _JOINED_BEFORE.search(question[before:start]) if before is not None else None
        first, last = start, end
        if before is not None and joined:
            first = before + joined.start()
        elif after is not None and (
            follows := _JOINED_BEHIND.match(question, _behind_noun(question, end, every), after)
        ):
            last = follows.end()
        question = f"{question[:first]} {question[last:]}"
    return question


def _behind_noun(question: str, end: int, every: Sequence[Span]) -> int:
    """Return the end of a noun behind a name that stands behind the next name too: "A trial and B trial"."""
    follows = _NEXT_WORD.match(question, end)
    others = (_NEXT_WORD.match(question, behind) for begins, behind in every if begins >= end)
    return follows.end() if follows and any(one and one[0] == follows[0] for one in others) else end


def _blocks(question: str, kept: Collection[Span], every: Sequence[Span]) -> list[Span]:
    """Return the names that are left out, those with nothing but "and" between them together."""
    blocks: list[Span] = []
    is_next = False
    for start, end in every:
        if (start, end) in kept:
            is_next = False
            continue
        possessive = _POSSESSIVE.match(question, end)
        last = possessive.end() if possessive else end
        if is_next and _ONLY_JOINED.fullmatch(question, blocks[-1][1], start):
            blocks[-1] = blocks[-1][0], last
        else:
            blocks.append((start, last))
        is_next = True
    return blocks


def _tidy(question: str) -> str:
    """Return a question without what a comparison says of both sides, and what is left of the others."""
    found = " ".join(question.split())
    for pattern, instead in _OF_BOTH:
        found = re.sub(pattern, instead, found, flags=re.IGNORECASE)
    found = _PREPOSITION_TWICE.sub("", _TWICE.sub(r"\1", " ".join(found.split())))
    return re.sub(r"\s+(?=[?.!,;])", "", " ".join(found.split())).strip(" ,;:")
