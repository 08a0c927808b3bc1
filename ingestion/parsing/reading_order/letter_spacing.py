"""Joins words that are set with space between their letters.

"T E R M I N A T I O N" is written with real spaces, letter by letter, or with gaps so wide that PDFium writes
spaces. If the gaps are even, and larger only between words, the small gaps are no spaces. Lists of letters
look the same, so the result must look like a word.
"""

import re
from itertools import pairwise
from statistics import median
from typing import NamedTuple

from ingestion.parsing.reading_order.english import is_english_word
from ingestion.parsing.reading_order.lines import Glyph, Glyphs
from ingestion.parsing.reading_order.segments import line_spans

_PART = r"(?:[^\W\d_]{1,4}|\d{1,4})[.,:;!?]?"
# A row of short pieces, the first of them of letters.
_STRETCH = re.compile(rf"(?<!\S)(?=[^\W\d_]){_PART}(?:[ \xa0\0]+{_PART}){{2,}}(?!\S)")
_THREE = re.compile(r"[\s][^\W\d_][ \xa0]+[^\W\d_][ \xa0]+[^\W\d_](?!\S)")
_DENSE = 3.2  # characters a piece, with the space behind it
_LEAST_LETTERS = 4
_LONGEST = 200
# Of a glyph's height, which is 1.2 times the font's size: the gaps between the letters of a word.
_LEAST_GAP, _MOST_GAP = 0.08, 1.4
_TOUCH = 0.1  # with letters at even distances, a wide letter may overlap the next by this much
# Distances within words differ from their median by less than the first factor, distances between words by
# more than the second.
_EVEN = 1.25
_APART = 1.4

_VOWELS = re.compile(r"[aeiouyàáâãäåæèéêëìíîïòóôõöøœùúûüýıαεηιουωаеёиоуыэюяіїє]")
_LATIN = re.compile(r"[a-zß-ÿ]")
_INITIALS = "jfmamjjasondjfm" + "smtwtfssmtwtfs" + "mtwtfssmtwtfss"
_GRADES = frozenset("abcdef")


class _Step(NamedTuple):
    """A letter and the next: their offsets, and whether white space lies between."""

    before: int
    after: int
    spaced: bool


def join_letters(raw: str, glyphs: Glyphs) -> str:
    """Replace spaces between the letters of one word by NULs; the length stays."""
    out: list[str] | None = None
    for begin, behind in line_spans(raw):
        # A cheap test that most lines fail: their pieces are too long, or no three single letters follow each
        # other.
        dense = behind - begin <= _DENSE * (raw.count(" ", begin, behind) + 1)
        if not dense and _THREE.search(raw, max(0, begin - 1), behind) is None:
            continue
        for match in _STRETCH.finditer(raw, begin, behind):
            if not _may_be_letters(match.group(), whole=match.span() == (begin, behind)):
                continue
            for start, end in _false_spaces(raw, *match.span(), glyphs):
                out = list(raw) if out is None else out
                out[start:end] = "\0" * (end - start)
    return raw if out is None else "".join(out)


def _may_be_letters(text: str, *, whole: bool) -> bool:
    pieces = text.split()
    singles = sum(len(piece.rstrip(".,:;!?")) == 1 for piece in pieces)
    letters = sum(map(len, pieces))
    if letters < _LEAST_LETTERS or len(text) > _LONGEST or letters > (_DENSE - 1) * len(pieces):
        return False
    return whole or 2 * singles >= len(pieces)


def _false_spaces(raw: str, start: int, end: int, glyphs: Glyphs) -> list[tuple[int, int]]:
    offsets = [offset for offset in range(start, end) if raw[offset] not in " \xa0\0"]
    boxes = [glyphs.box(offset) for offset in offsets]
    known = [box for box in boxes if box is not None]
    if len(known) < len(boxes) or not _on_one_line(known):
        return []
    steps = [
        _Step(one, two, two > one + 1 and not set(raw[one + 1 : two]) <= {"\0"})
        for one, two in pairwise(offsets)
    ]
    height = known[0].top - known[0].bottom
    best: list[bool] = []
    for distance in (_gap, _step, _centres):
        within = _even([distance(one, two) for one, two in pairwise(known)], height)
        if within is not None and sum(within) > sum(best) and _are_set_apart(known, within, height):
            best = within
    if not best or not _are_words(_groups(raw, offsets, best)):
        return []
    return [
        (step.before + 1, step.after)
        for step, inside in zip(steps, best, strict=True)
        if inside and step.spaced
    ]


def _are_set_apart(boxes: list[Glyph], within: list[bool], height: float) -> bool:
    """Whether there is space between the letters of each word, and no more than in set words."""
    gaps = [_gap(one, two) for (one, two), inside in zip(pairwise(boxes), within, strict=True) if inside]
    return (
        median(gaps) > _LEAST_GAP * height and min(gaps) > -_TOUCH * height and max(gaps) < _MOST_GAP * height
    )


def _even(distances: list[float], height: float) -> list[bool] | None:
    """For each distance, whether it is within a word; None if there are not two clear sizes."""
    ordered = sorted(distances)
    middle = ordered[len(ordered) // 3]
    if middle <= _LEAST_GAP * height:
        return None
    within = [distance <= _EVEN * middle for distance in distances]
    for distance, inside in zip(distances, within, strict=True):
        if inside and distance < middle / _EVEN:
            return None
        if not inside and distance < _APART * middle:
            return None
    return within


def _groups(raw: str, offsets: list[int], within: list[bool]) -> list[str]:
    groups = [raw[offsets[0]]]
    for offset, inside in zip(offsets[1:], within, strict=True):
        if inside:
            groups[-1] += raw[offset]
        else:
            groups.append(raw[offset])
    return groups


def _are_words(groups: list[str]) -> bool:
    """Whether the longest group looks like a word."""
    words = [group.rstrip(".,:;!?") for group in groups]
    longest = max((word for word in words if word.isalpha()), key=len, default="")
    if len(longest) < _LEAST_LETTERS or longest not in (longest.upper(), longest.lower(), longest.title()):
        return False
    folded = longest.lower()
    if is_english_word(folded):
        return True
    if len(folded) <= _LEAST_LETTERS or len(set(folded)) < 3 or folded in _INITIALS or set(folded) <= _GRADES:
        return False
    if list(folded) == sorted(folded) or folded.upper() == folded:
        return False  # an alphabet; or a script without capitals
    return bool(_VOWELS.search(folded)) or not _LATIN.search(folded)


def _on_one_line(boxes: list[Glyph]) -> bool:
    first = boxes[0]
    slack = 0.05 * (first.top - first.bottom)
    return all(abs(box.bottom - first.bottom) <= slack and abs(box.top - first.top) <= slack for box in boxes)


def _gap(one: Glyph, two: Glyph) -> float:
    return two.left - one.right


def _step(one: Glyph, two: Glyph) -> float:
    return two.left - one.left


def _centres(one: Glyph, two: Glyph) -> float:
    return (two.left + two.right - one.left - one.right) / 2
