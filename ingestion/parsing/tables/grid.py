"""A table on a page: its cells by row and column."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from ingestion.parsing.tables.words import Word

# (row, column, columns spanned, indent in points, start, end): a `CellPlace` without the table's number.
GridPlace = tuple[int, int, int, int, int, int]


@dataclass
class Grid:
    """A table's cells.

    Attributes:
        top, bottom: Where it lies on the page; y rises.
        cells: Words by (row, column, columns spanned). The rows of its head are negative, -1 the lowest.
    """

    top: float
    bottom: float
    cells: dict[tuple[int, int, int], list[Word]] = field(default_factory=dict)

    def add(self, row: int, column: int, width: int, words: Sequence[Word]) -> None:
        self.cells.setdefault((row, column, width), []).extend(words)

    def places(self) -> list[GridPlace]:
        """The cells as characters of the page, by row and column; a wrapped cell has several stretches."""
        left = min(
            (words[0].left for (_, column, _), words in self.cells.items() if column == 0), default=0.0
        )
        found: list[GridPlace] = []
        for (row, column, width), words in sorted(self.cells.items()):
            ordered = sorted(words, key=lambda word: word.start)
            indent = round(max(0.0, ordered[0].left - left)) if column == 0 else 0
            start = end = line = -1
            for word in ordered:
                if start >= 0 and (word.line != line or word.start - end > 4):
                    found.append((row, column, width, indent, start, end))
                    start = -1
                start = word.start if start < 0 else start
                end, line = word.end, word.line
            found.append((row, column, width, indent, start, end))
        return found
