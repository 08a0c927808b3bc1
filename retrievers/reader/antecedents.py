"""Sentences that say of whom or what they speak only in the sentence before."""

import re
from collections.abc import Sequence

Span = tuple[int, int]

# The first word of such a sentence, in the languages of the interface.
_REFERRING = frozenset(
    re.findall(
        r"\w+",
        """
    it its they their them this these that those he she his her him such both here there then otherwise
    er sie es ihr ihre sein seine dies diese dieser dieses dort dann il elle ils elles ce cette ces cela
    leur leurs son sa ses él ella ellos ellas esto esta este estos estas eso su sus
    """,
    )
)
_LONGEST = 320  # characters of the sentence before


def with_antecedents(text: str, sentences: Sequence[Span]) -> list[Span]:
    """Return the spans of sentences in order; one that refers to the sentence before begins with that one."""
    found: list[Span] = []
    for place, (start, end) in enumerate(sentences):
        word = re.match(r"\W*(\w+)", text[start:end])
        before = sentences[place - 1][0] if place else start
        refers = word is not None and word[1].casefold() in _REFERRING
        found.append((before if refers and start - before <= _LONGEST else start, end))
    return found
