"""Sentences that say of whom or what they speak only in the sentence before."""

import re
from collections.abc import Sequence

from ingestion.text.sentences import sentence_spans
from retrievers.reader.reading import Span

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
    """Return the spans of sentences; one that refers to the sentence before begins with that one.

    Args:
        text: Of the passage.
        sentences: Some of its sentences, or all.
    """
    starts = [one.start for one in sentence_spans(text)]
    found: list[Span] = []
    for start, end in sentences:
        word = re.match(r"\W*(\w+)", text[start:end])
        before = max((one for one in starts if one < start), default=start)
        refers = word is not None and word[1].casefold() in _REFERRING
        found.append((before if refers and start - before <= _LONGEST else start, end))
    return found
