"""The directions of the glyphs of one line: the Unicode bidirectional algorithm (UAX 9), backwards.

The algorithm turns the order in which people type into the order in which a line is seen. Here the seen order
is known, and rules W1 to N2 say which glyphs run to the left.
"""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple


class Letter(NamedTuple):
    """A character in reading order, and its offset in the page's raw text."""

    character: str
    offset: int


@dataclass(slots=True)
class SeenGlyph:
    """A glyph of a line: its characters in reading order, its box, and the number of PDFium's word."""

    letters: list[Letter]
    left: float
    bottom: float
    right: float
    top: float
    word: int
    kind: str = "N"  # direction: "R", "L", "D" for digits, "N" for none of its own

    @property
    def height(self) -> float:
        return self.top - self.bottom

    @property
    def text(self) -> str:
        return "".join(letter.character for letter in self.letters)


def resolve_directions(seen: list[SeenGlyph], *, leftwards: bool) -> None:
    """Set the direction of each glyph by rules W1 to N2 of UAX 9, applied to the seen order."""
    classes = [_class(glyph.letters[0].character) for glyph in seen]
    base = "R" if leftwards else "L"
    for glyph, found in zip(seen, classes, strict=True):
        glyph.kind = found if found in "RL" else "D" if found in ("EN", "AN") else "N"
    _join_numbers(seen, classes)
    _hold_hyphens(seen)
    _spread(seen, "LD", "L")
    kinds = [glyph.kind for glyph in seen]
    start = 0
    while start < len(seen):
        end = start
        while end < len(seen) and kinds[end] == "N":
            end += 1
        if end > start:
            before = kinds[start - 1] if start else base
            after = kinds[end] if end < len(seen) else base
            # A number beside it counts as of the script around it (N1).
            sides = {"R" if side == "D" else side for side in (before, after)}
            kind = sides.pop() if len(sides) == 1 else base
            for glyph in seen[start:end]:
                glyph.kind = kind
        start = max(end, start + 1)
    for glyph in seen:
        if glyph.kind == "D":
            glyph.kind = "L"


def _class(character: str) -> str:
    found = unicodedata.bidirectional(character)
    return {"AL": "R"}.get(found, found) if found in ("R", "AL", "L", "EN", "AN", "ES", "CS", "ET") else "N"


def _join_numbers(seen: list[SeenGlyph], classes: Sequence[str]) -> None:
    """Make "1,5", "12:30" and "15/03/2024" one number, and "10-15" and "15%" except among Arabic."""
    for index, found in enumerate(classes):
        if found not in ("CS", "ES", "ET"):
            continue
        before = seen[index - 1].kind == "D" if index else False
        after = classes[index + 1] in ("EN", "AN") if index + 1 < len(seen) else False
        arabic = _is_arabic_after(seen, index)
        if found == "CS":
            joined = before and after
        elif found == "ES":
            joined = before and after and not arabic
        else:
            joined = (before or after) and not arabic
        if joined:
            seen[index].kind = "D"


def _hold_hyphens(seen: list[SeenGlyph]) -> None:
    """Keep a hyphen with the Latin letters on its left: a code that continues in the next line."""
    for index in range(1, len(seen)):
        behind = seen[index + 1].text if index + 1 < len(seen) else " "
        if seen[index].text in ("-", "/") and seen[index - 1].kind == "L" and behind == " ":
            seen[index].kind = "L"


def _is_arabic_after(seen: list[SeenGlyph], index: int) -> bool:
    """Whether the letter before a number, on its right, is Arabic, after which digits join less (W2)."""
    for glyph in seen[index + 1 :]:
        found = unicodedata.bidirectional(glyph.letters[0].character)
        if found in ("R", "L", "AL"):
            return found == "AL"
    return False


def _spread(seen: list[SeenGlyph], members: str, found: str) -> None:
    """Make everything between two letters of a left-to-right phrase, also digits, part of it."""
    index = 0
    while index < len(seen):
        if seen[index].kind not in members:
            index += 1
            continue
        first = last = index
        letters = seen[index].kind == found
        behind = index + 1
        while behind < len(seen) and (seen[behind].kind in members or seen[behind].kind == "N"):
            if seen[behind].kind in members:
                last = behind
                letters = letters or seen[behind].kind == found
            behind += 1
        if letters:
            for glyph in seen[first : last + 1]:
                glyph.kind = found
        index = behind
