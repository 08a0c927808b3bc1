"""Lines of pieces on a page: which of them are rows of values, and which are heads."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise

from ingestion.parsing.tables.words import DATE_WORD, UNIT_WORD, Piece, Word, pieces_of

# A year as it names a column: 2019, 2019 (a), 2019E, 16/15.
YEAR_HEAD = re.compile(r"(?:19|20)\d\d(?:\s?(?:\(\w\)|[A-Z]))?|\d\d/\d\d")
# A unit alone, where the labels have their head.
UNIT_LABEL = re.compile(
    r"\(?(?:(?:u\.?s\.? )?(?:dollars|amounts|shares|\$|€) )?in (?:thousand|million|billion)s\b.*",
    re.IGNORECASE,
)
_SHIFTED = 0.15  # of a line's height: a label and its values overlap at least so much
_MARK = re.compile(r"\(\w{1,2}\)|\*+")  # of a footnote
_PERIOD = re.compile(
    r"(?:19|20)\d\d,?|q[1-4]|[1-4]q\d*|fy\d*|change|ended|"
    r"(?:jan|feb|mar|apr|may|jun|jul|aug|sept?|oct|nov|dec)[a-z]*",
    re.IGNORECASE,
)


@dataclass
class Line:
    """A row of pieces on the page."""

    pieces: list[Piece]
    top: float = field(init=False)
    bottom: float = field(init=False)

    def __post_init__(self) -> None:
        self.top = max(piece.top for piece in self.pieces)
        self.bottom = min(piece.bottom for piece in self.pieces)

    @property
    def height(self) -> float:
        return self.top - self.bottom

    @property
    def left(self) -> float:
        return self.pieces[0].left

    @property
    def right(self) -> float:
        return self.pieces[-1].right

    @cached_property
    def values(self) -> list[Piece]:
        return [piece for piece in self.pieces if piece.is_value]

    @cached_property
    def is_head(self) -> bool:
        """Whether it says only years, dates and periods."""
        words = [word.text for piece in self.pieces for word in piece.words]
        if all(DATE_WORD.fullmatch(word) for word in words):
            return any(_PERIOD.fullmatch(word) for word in words)
        values = self.values
        if values and UNIT_LABEL.fullmatch(self.pieces[0].text):
            return all(DATE_WORD.fullmatch(word.text) for piece in values for word in piece.words)
        if not values or not all(YEAR_HEAD.fullmatch(one.text) for one in values):
            return False
        first = self.pieces[0]
        years = [int(one.text[:4]) for one in values if one.text[:4].isdigit()]
        steps = {one - two for one, two in pairwise(years)}
        return (
            first is values[0]
            or (len(years) > 1 and (steps in ({1}, {-1}) or (len(years) > 3 and steps == {1, -1})))
            or UNIT_WORD.search(first.text) is not None
            or all(DATE_WORD.fullmatch(word.text) for word in first.words)
        )

    @cached_property
    def is_data(self) -> bool:
        if self.is_head:
            return False
        values = [piece for piece in self.values if not _MARK.fullmatch(piece.text)]
        return bool(values) and (len(self.pieces) > 1) and not _is_numbering(self)

    @cached_property
    def words(self) -> int:
        return sum(len(piece.words) for piece in self.pieces)


def _is_numbering(line: Line) -> bool:
    """Whether the line's only values are the numbers or marks of a list's item, at its left."""
    others = [piece for piece in line.values if piece is not line.pieces[0]]
    return line.pieces[0].is_value and not others


def lines_of(rows: Sequence[Sequence[Word]]) -> list[Line]:
    """Rows of words as lines of pieces; values a little lower or higher than their label join it."""
    found: list[Line] = []
    for row in rows:
        if not row:
            continue
        line = Line(pieces_of(row))
        if found and _stands_beside(found[-1], line):
            words = [word for piece in (*found[-1].pieces, *line.pieces) for word in piece.words]
            found[-1] = Line(pieces_of(sorted(words, key=lambda word: word.left)))
        else:
            found.append(line)
    return found


def _stands_beside(last: Line, line: Line) -> bool:
    """Whether one of two lines is a label, and the other its values."""
    label, values = (last, line) if last.left < line.left else (line, last)
    return (
        last.bottom + _SHIFTED * line.height < line.top
        and not label.values
        and len(values.values) == len(values.pieces)
        and label.right < values.left
    )
