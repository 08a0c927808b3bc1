"""Words of a page, and the pieces of its lines that belong to one cell."""

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from ingestion.parsing.geometry.places import union
from ingestion.parsing.reading_order.lines import Glyphs
from ingestion.parsing.reading_order.segments import WIDE_GAP, line_spans

# A value, as it stands in a cell: 1,001 · $ (0.09) · 6.3 % · — · N/A · 12-15. A word that begins a value may
# be its sign alone, and one that ends it a bracket or a footnote's mark.
VALUE = re.compile(
    r"[$€£¥]?\s?[(\[]?\s?[-–−+~<>≥≤±]?\s?[$€£¥]?\s?\d[\d.,'’ ]*(?:%?\s?[-–/]\s?\d[\d.,]*)?\s?"
    r"(?:%|x|bps?|pts?|[MBK]|€|million|billion)?\s?[)\]]?\s?%?\s?\)?(?:\s(?:\([a-z]{1,4}\)){1,3})?|"
    r"[$€£¥]?\s?[—–\-−]{1,3}\s?%?|n/?[am]\.?|nm|\*+|[xX✓✔●]",
    re.IGNORECASE,
)
UNIT_WORD = re.compile(r"\b(?:thousand|million|billion|dollars)s?\b|\b000s?\b", re.IGNORECASE)
SIGN = re.compile(r"[(]?(?:US)?[$€£¥]")
TAIL = re.compile(
    r"[)%]{1,2}|%?\)?\s?(?:\([a-z0-9*]{1,2}\)|\*{1,3}|[†‡])|pts?|bps?|x|(?:\([a-z]{1,2}\)){2,3}"
)
_MARK = re.compile(r"(?:\([a-z]{1,2}\)){1,3}")  # of a footnote
# A word of a date or of the name of a period, as heads of columns have them.
DATE_WORD = re.compile(
    r"(?:jan|feb|mar|apr|may|jun|jul|aug|sept?|oct|nov|dec)[a-z]*\.?,?|\d{1,2},?|(?:19|20)\d\d,?|q[1-4]|fy\d*|"
    r"[1-4]q|h[12]|\d{1,2}/\d{1,2}(?:/\d{2,4})?|ended|ending|as|of|at|vs\.?|and|to|years?|quarters?|"
    r"months?|weeks?|"
    r"three|six|nine|twelve|the|for|fiscal|change|\$|%|first|second|third|fourth|\d{4}[-–]\d{2,4}",
    re.IGNORECASE,
)
_BEFORE = ("$", "£")  # signs that begin a value
_LEADERS = re.compile(r"(?:\s?[.…_]){4,}")
_YEAR = re.compile(r"(?:19|20)\d\d")
_WORD = re.compile(r"[^\s\0\ufffe]+")

# Between two values of a row, of the lower word's height: closer ones are words of one text.
_VALUE_GAP = 0.38
_HEAD_GAP = 0.5  # behind a year
_MARK_GAP = 1.5  # before a footnote's mark


class Word(NamedTuple):
    """Characters `start` to `end` of the page's raw text and their box; `line` numbers its line of text."""

    start: int
    end: int
    left: float
    bottom: float
    right: float
    top: float
    line: int
    text: str

    @property
    def height(self) -> float:
        return self.top - self.bottom

    @property
    def middle(self) -> float:
        return (self.bottom + self.top) / 2

    @property
    def centre(self) -> float:
        return (self.left + self.right) / 2


class Piece(NamedTuple):
    """Words of one line that belong to one cell."""

    words: tuple[Word, ...]
    left: float
    bottom: float
    right: float
    top: float

    @property
    def text(self) -> str:
        return " ".join(word.text for word in self.words)

    @property
    def height(self) -> float:
        return self.top - self.bottom

    @property
    def centre(self) -> float:
        return (self.left + self.right) / 2

    @property
    def is_value(self) -> bool:
        return _is_value(self.text)


@lru_cache(maxsize=4096)
def _is_value(text: str) -> bool:
    return VALUE.fullmatch(text) is not None


def piece_of(words: Sequence[Word]) -> Piece:
    return Piece(tuple(words), *union(word[2:6] for word in words))


def words_of(raw: str, glyphs: Glyphs) -> list[Word]:
    """The words of a page in the order of its text, without those that have no box and without leaders."""
    found: list[Word] = []
    for number, (start, end) in enumerate(line_spans(raw)):
        blank = [match.span() for match in _LEADERS.finditer(raw, start, end)]
        for match in _WORD.finditer(raw, start, end):
            if any(first <= match.start() < last for first, last in blank):
                continue
            stop = min(
                (first for first, _ in blank if match.start() < first < match.end()), default=match.end()
            )
            first, last = glyphs.box(match.start()), glyphs.box(stop - 1)
            if first is None or last is None:
                continue
            found.append(Word(match.start(), stop, *union((first, last)), number, raw[match.start() : stop]))
    return found


def rows_of(words: Iterable[Word], *, as_written: bool) -> list[list[Word]]:
    """The words that stand beside each other, from the top; each row from the left.

    Args:
        words: Of a page.
        as_written: Only words that follow each other in the text may share a row: the page has columns.
    """
    rows: list[list[Word]] = []
    ordered = list(words) if as_written else sorted(words, key=lambda word: -(word.bottom + word.top))
    bottom = top = 0.0  # of the row's highest word, or of its last
    for word in ordered:
        height = word.height
        if rows and min(word.top, top) - max(word.bottom, bottom) > 0.5 * min(height, top - bottom):
            rows[-1].append(word)
            if as_written or height > top - bottom:
                bottom, top = word.bottom, word.top
        else:
            rows.append([word])
            bottom, top = word.bottom, word.top
    if as_written:
        rows.sort(key=lambda row: -max(word.top for word in row))
    return [sorted(row, key=lambda word: word.left) for row in rows]


def pieces_of(row: Sequence[Word]) -> list[Piece]:
    """The row cut at wide gaps, and between values; signs and brackets join their values."""
    return [piece_of(words) for words in _joined(list(_cut(row)))]


def _cut(row: Sequence[Word]) -> Iterator[list[Word]]:
    piece: list[Word] = []
    for word in row:
        if piece:
            last = piece[-1]
            gap = word.left - last.right
            height = min(word.height, last.height)
            of_values = _is_figure(last.text) and _is_figure(word.text)
            of_heads = _YEAR.fullmatch(last.text) is not None and not word.text[0].islower()
            if (
                gap > WIDE_GAP * height
                or (of_values and gap > _VALUE_GAP * height)
                or (of_heads and gap > _HEAD_GAP * height)
                or (word.text in _BEFORE and VALUE.fullmatch(last.text))
            ):
                yield piece
                piece = []
        piece.append(word)
    if piece:
        yield piece


@lru_cache(maxsize=4096)
def _is_figure(text: str) -> bool:
    return (
        VALUE.fullmatch(text) is not None
        or SIGN.fullmatch(text) is not None
        or TAIL.fullmatch(text) is not None
    )


def _joined(pieces: list[list[Word]]) -> list[list[Word]]:
    found: list[list[Word]] = []
    for piece in pieces:
        text = " ".join(word.text for word in piece)
        if found and SIGN.fullmatch(found[-1][-1].text) and VALUE.fullmatch(text):
            if len(found[-1]) > 1:  # "Revenue $" before the value
                sign = found[-1].pop()
                found.append([sign, *piece])
            else:
                found[-1] += piece
        elif (
            found
            and TAIL.fullmatch(text)
            and VALUE.fullmatch(" ".join(word.text for word in found[-1]))
            and piece[0].left - found[-1][-1].right < 2 * max(piece[0].height, found[-1][-1].height)
        ):
            found[-1] += piece
        elif (
            found
            and _MARK.fullmatch(text)
            and piece[0].left - found[-1][-1].right < _MARK_GAP * found[-1][-1].height
        ):  # of the label before it
            found[-1] += piece
        else:
            found.append(piece)
    return found
