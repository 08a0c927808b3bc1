"""What a sentence needs beside it to be understood: who "it" is, and which year a column is of."""

import re
from collections.abc import Sequence

# A sentence that opens so speaks of the one before it.
_POINTS_BACK = re.compile(
    r"[\"'“‘(]*(?:he|she|it|its|they|their|this|that|these|those|such|his|her|however|therefore|thus|hence|"
    r"moreover|furthermore|also|in\s+addition|as\s+a\s+result|for\s+example|by\s+contrast)\b",
    re.IGNORECASE,
)
# The head of a table's columns has two years or more; its rows have two figures or more.
_COLUMN_HEADS = re.compile(r"\b(?:19|20)\d\d\b.*\b(?:19|20)\d\d\b", re.DOTALL)
_ROW = re.compile(r"(?:(?:^|\s)[($€£¥-]*\d[\d.,]*[)%]?(?=\s|$).*){2}", re.DOTALL)
# Rows and head are at most so many lines apart.
_HEAD_WITHIN = 25


def companions(sentences: Sequence[str]) -> dict[int, tuple[int, ...]]:
    """Return which other sentences of a passage each one needs, by their places; none for most."""
    found: dict[int, tuple[int, ...]] = {}
    for place, text in enumerate(sentences):
        needed = []
        if place and _POINTS_BACK.match(text):
            needed.append(place - 1)
        head = _head_of(place, sentences) if _ROW.search(text) and not _COLUMN_HEADS.search(text) else None
        if head is not None:
            needed.append(head)
        if needed:
            found[place] = tuple(dict.fromkeys(needed))
    return found


def _head_of(place: int, sentences: Sequence[str]) -> int | None:
    for before in range(place - 1, max(-1, place - 1 - _HEAD_WITHIN), -1):
        if _COLUMN_HEADS.search(sentences[before]):
            return before
    return None
