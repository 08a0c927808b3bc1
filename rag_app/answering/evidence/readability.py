"""Readable evidence: sentences with the companions that they need, and long sentences in pieces."""

import re
from collections.abc import Sequence

# A sentence with such a beginning refers to the one before it.
_POINTS_BACK = re.compile(
    r"[\"'“‘(]*(?:he|she|it|its|they|their|this|that|these|those|such|his|her|however|therefore|thus|hence|"
    r"moreover|furthermore|also|in\s+addition|as\s+a\s+result|for\s+example|by\s+contrast)\b",
    re.IGNORECASE,
)
# The head of a table's columns has two years or more; its rows have two figures or more.
_COLUMN_HEADS = re.compile(r"\b(?:19|20)\d\d\b.*\b(?:19|20)\d\d\b", re.DOTALL)
_ROW = re.compile(r"(?:(?:^|\s)[($€£¥-]*\d[\d.,]*[)%]?(?=\s|$).*){2}", re.DOTALL)
# The most lines between a row and its head.
_HEAD_WITHIN = 25
# The most words of a quotation. Longer text (a list, a table without lines) is cut: at a comma if one follows
# the least number of words.
MOST_WORDS = 60
_LEAST_WORDS = 20
_WORD = re.compile(r"\S+")


def pieces(text: str) -> list[tuple[int, int]]:
    """Return the spans of a sentence's pieces of at most MOST_WORDS words; mostly one."""
    words = [match.span() for match in _WORD.finditer(text)]
    found = []
    while len(words) > MOST_WORDS:
        cut = next(
            (at for at in range(MOST_WORDS, _LEAST_WORDS, -1) if text[words[at - 1][1] - 1] in ",;:|"),
            MOST_WORDS,
        )
        found.append((words[0][0], words[cut - 1][1]))
        words = words[cut:]
    return [*found, (words[0][0], words[-1][1])] if words else found


def companions(sentences: Sequence[str]) -> dict[int, tuple[int, ...]]:
    """Return the place of a sentence → the places of the sentences that it needs; most need none."""
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
