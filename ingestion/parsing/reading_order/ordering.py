"""Repairs a page's text from PDFium: joins words, removes copies, and puts lines in reading order.

    PDFium's text ──lines──▶ rows ──overprint, letter_spacing──▶ words ──columns, right_to_left──▶ order
    ──hyphens──▶ RawPage

Each step works on raw characters and their places on the page, after a cheap test that most pages fail.
Removed characters become NULs, which `clean` drops; moved characters keep the offset of their glyph.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from ingestion.parsing.reading_order.bidi import Letter
from ingestion.parsing.reading_order.columns import column_order, in_columns
from ingestion.parsing.reading_order.hyphens import join_words
from ingestion.parsing.reading_order.letter_spacing import join_letters
from ingestion.parsing.reading_order.lines import ROW_OVERLAP, mend_rows, part_lines
from ingestion.parsing.reading_order.overprint import without_copies
from ingestion.parsing.reading_order.right_to_left import (
    Origins,
    RightToLeft,
    has_right_to_left,
    is_mostly_right_to_left,
)
from ingestion.parsing.reading_order.segments import LineSegment, line_box, line_spans


@dataclass(frozen=True, slots=True)
class OrderedText:
    """A page's text in reading order.

    Attributes:
        text: With NULs for removed characters.
        offsets: The offset of each character in PDFium's text; None if all offsets are equal.
    """

    text: str
    offsets: Sequence[int] | None


def read(raw: str, glyphs: Origins) -> OrderedText:
    """Repair and order one page.

    Args:
        raw: PDFium's text of the page.
        glyphs: The places of its characters.
    """
    text = mend_rows(part_lines(raw, glyphs), glyphs)
    text = join_letters(without_copies(text, glyphs), glyphs)
    letters = _arranged(text, glyphs)
    if letters is None:
        return OrderedText(join_words(text), None)
    arranged = "".join(letter.character for letter in letters)
    return OrderedText(join_words(arranged), [letter.offset for letter in letters])


def _arranged(text: str, glyphs: Origins) -> list[Letter] | None:
    """The page's characters in reading order; None if the text's own order is right."""
    if has_right_to_left(text):
        return _right_to_left(text, glyphs)
    ordered = column_order(text, glyphs)
    return None if ordered is None else _in_lines(text, ordered)


def _in_lines(text: str, ordered: Sequence[LineSegment]) -> list[Letter] | None:
    """The segments' characters, with a line break between segments that are apart in `text`."""
    starts = sorted(segment.start for segment in ordered)
    following = dict(pairwise(starts))
    letters: list[Letter] = []
    for segment, after in zip(ordered, [*ordered[1:], None], strict=True):
        letters += _verbatim(text, segment.start, segment.end)
        if after is None or text[segment.end - 1] == "\ufffe":
            continue
        if following.get(segment.start) == after.start:
            letters += _verbatim(text, segment.end, after.start)
        else:
            letters.append(Letter("\n", _white_space(text, segment.start, segment.end)))
    return letters if _is_whole(text, letters) else None


def _right_to_left(text: str, glyphs: Origins) -> list[Letter] | None:
    """The characters of a page with right-to-left text, ordered by their places."""
    leftwards = is_mostly_right_to_left(text)
    reader = RightToLeft(text, glyphs)
    letters: list[Letter] = []
    cells: list[LineSegment] = []
    for row in _rows(text, glyphs):
        start, end = row[0][0], row[-1][1]
        if letters and letters[-1].character != "\ufffe":
            letters.append(Letter("\n", _white_space(text, start, end)))
        written = "".join(text[slice(*span)] for span in row)
        turned = has_right_to_left(written) or (leftwards and len(row) > 1)
        if not turned or not glyphs.is_level(start):
            for span in row:
                box = line_box(*span, glyphs)
                place = len(letters)
                letters += _verbatim(text, *span)
                if box is not None:
                    cells.append(LineSegment(place, len(letters), *box[2:]))
            continue
        for number, cell in enumerate(reader.cells(row, leftwards=leftwards)):
            if number:
                letters.append(Letter(" ", _white_space(text, start, end)))
            cells.append(LineSegment(len(letters), len(letters) + len(cell.letters), *cell[1:]))
            letters += cell.letters
    letters = _column_by_column(letters, cells, leftwards=leftwards)
    return letters if _is_whole(text, letters) else None


def _column_by_column(letters: list[Letter], cells: list[LineSegment], *, leftwards: bool) -> list[Letter]:
    text = "".join(letter.character for letter in letters)
    ordered = in_columns(text, cells, rightmost_first=leftwards)
    lines = None if ordered is None else _in_lines(text, ordered)
    if lines is None:
        return letters
    return [Letter(character, letters[place].offset) for character, place in lines]


def _rows(text: str, glyphs: Origins) -> Iterator[list[tuple[int, int]]]:
    """Rows of lines: lines that follow each other side by side are one row, which PDFium broke."""
    row: list[tuple[int, int]] = []
    last: LineSegment | None = None
    for start, end in line_spans(text):
        box = line_box(start, end, glyphs)
        if row and (box is None or last is None or not _stands_beside(last, box)):
            yield row
            row = []
        row.append((start, end))
        last = box
    if row:
        yield row


def _stands_beside(one: LineSegment, two: LineSegment) -> bool:
    """Whether two lines are parts of one row, such as Arabic letters and the points above them."""
    shared = min(one.top, two.top) - max(one.bottom, two.bottom)
    return shared > ROW_OVERLAP * min(one.height, two.height)


def _verbatim(text: str, start: int, end: int) -> list[Letter]:
    return [Letter(text[offset], offset) for offset in range(start, end)]


def _white_space(text: str, start: int, end: int) -> int:
    """The offset of white space beside a stretch; of its last character where there is none."""
    for offset in (end, start - 1):
        if 0 <= offset < len(text) and text[offset].isspace():
            return offset
    return end - 1


def _is_whole(text: str, letters: list[Letter]) -> bool:
    """Whether the letters include each character of the text; if not, the new order is wrong."""
    found = {letter.offset for letter in letters}
    return all(
        offset in found or character.isspace() or character in "\0\u200e\u200f"
        for offset, character in enumerate(text)
    )
