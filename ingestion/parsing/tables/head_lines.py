"""The lines above a table's first row: which of them are heads of its columns."""

import re
from collections.abc import Sequence

from ingestion.parsing.tables.columns import ColumnBox
from ingestion.parsing.tables.heads import is_of_dates, is_one_head
from ingestion.parsing.tables.lines import UNIT_LABEL, YEAR_HEAD, Line
from ingestion.parsing.tables.words import UNIT_WORD

# A line above the heads that is the table's or the page's title.
_TITLE_WORD = re.compile(
    r"\b(?:consolidated|statements? of|incorporated|schedule|exhibit|\w+, inc\.)", re.IGNORECASE
)
_MOST_HEADS = 9
_MOST_SECTIONS = 4  # lines of labels between the heads and the first row of values
_MOST_SECTION_WORDS = 40
_FIRST_ROWS = 8  # where none has words in the columns, a line of words above them is of heads
_MOST_LABEL_HEAD = 4  # words that stand above the labels
_MOST_LABEL_LINES, _MOST_LABEL_LINE_WORDS = 3, 10  # between the lines of the heads
_PROSE_WORDS = 9  # a line of as many words that reaches into the columns is prose
_NEAR = 1.8  # of a line's height: more space ends the heads


def head_lines(
    lines: Sequence[Line], first: int, columns: Sequence[ColumnBox]
) -> tuple[list[Line], list[Line]]:
    """The lines of heads above the first data row, and the lines of labels between them and that row."""
    found: list[Line] = []
    sections: list[Line] = []
    pending: list[Line] = []
    zone = columns[1].left
    below = lines[first]
    has_words = _have_words(lines[first : first + _FIRST_ROWS], zone)
    for place in range(first - 1, max(-1, first - 1 - _MOST_HEADS - _MOST_SECTIONS), -1):
        line = lines[place]
        if line.bottom - below.top > _NEAR * line.height or line.is_data:
            break
        in_zone = [piece for piece in line.pieces if piece.right > zone + 1]
        edge = min(zone - 2.5 * line.height, columns[0].right - 2 * line.height)
        crosses = [piece for piece in in_zone if piece.left < edge and not line.is_head]
        if any(len(piece.words) > _PROSE_WORDS for piece in in_zone if len(line.pieces) > 1):
            break
        if crosses or (len(line.pieces) == 1 and in_zone and line.words > _PROSE_WORDS + 3):
            break
        if not in_zone and found:
            if len(pending) == _MOST_LABEL_LINES or line.words > _MOST_LABEL_LINE_WORDS:
                break
            pending.insert(0, line)  # of the labels' own head, if a head stands above
            below = line
            continue
        if not in_zone:
            if len(sections) >= _MOST_SECTIONS or line.words > _MOST_SECTION_WORDS:
                break
            sections.insert(0, line)
            below = line
            continue
        wraps = len(line.pieces) == 1 and any(map(_is_form_row, sections))
        if not found and (
            wraps
            or _is_form_row(line)
            or (len(line.pieces) == len(columns) and has_words and _is_text_row(line, zone))
        ):
            sections.insert(0, line)
            below = line
            continue
        found = [line, *pending, *found]
        pending = []
        below = line
    if pending and _is_unit_line(pending[-1].pieces[0].text):
        found.insert(0, pending[-1])
    return _without_others(found, sections, columns)


def _without_others(
    found: list[Line], sections: list[Line], columns: Sequence[ColumnBox]
) -> tuple[list[Line], list[Line]]:
    """The heads without the lines of sections below them and the titles above them, and the sections."""
    zone, right = columns[1].left, columns[-1].right
    centre = (columns[0].left + right) / 2
    wide = [line for line in found if len(line.pieces) > 2]
    while (
        wide
        and len(found[-1].pieces) == 1
        and found[-1] not in wide
        and not _is_of_heads(found[-1])
        and not _goes_on(found, columns)
    ):
        sections.insert(0, found.pop())  # in the middle, above the rows it is for
    while found and (_is_running_title(found[0], zone) or _is_title(found[0], centre, zone, right)):
        del found[0]
    return found[-_MOST_HEADS:], sections if found or any(map(_is_form_row, sections)) else []


def _have_words(lines: Sequence[Line], zone: float) -> bool:
    """Whether rows have words right of where the columns of values begin."""
    pieces = [piece for line in lines if line.is_data for piece in line.pieces[1:]]
    return any(not piece.is_value and piece.left > zone - 1 for piece in pieces)


def _is_unit_line(text: str) -> bool:
    """Whether a line says the unit, and hardly anything outside of brackets: no sentence."""
    if text[-1] in ":." or text[0].islower():
        return False
    rest = re.sub(r"\([^()]*\)", " ", text).split()
    return UNIT_WORD.search(text) is not None and (
        len(rest) <= _MOST_LABEL_HEAD or UNIT_LABEL.match(text) is not None
    )


def _goes_on(lines: Sequence[Line], columns: Sequence[ColumnBox]) -> bool:
    """Whether the last line has one more word of the head of one column, which stands right above it."""
    if len(lines) < 2:
        return False
    upper, piece = lines[-2], lines[-1].pieces[0]
    centres = [(one.left + columns[-1].right) / 2 for one in columns[:2]]
    if any(abs(centre - piece.centre) < 2 * piece.height for centre in centres):
        return False
    return any(is_one_head(one, piece) for one in upper.pieces)


def _is_form_row(line: Line) -> bool:
    """Whether a line has a label with a colon and its value: a row of a form, and no head."""
    return len(line.pieces) > 1 and line.pieces[0].text.endswith(":") and not _is_of_heads(line)


def _is_text_row(line: Line, zone: float) -> bool:
    """Whether a line of words above the first values is a row of its own: its label is no head."""
    label = line.pieces[0]
    texts = [piece.text for piece in line.pieces[1:]]
    repeats = len(texts) > 2 and len(set(texts)) < len(texts)  # U.S., Foreign, U.S., Foreign
    is_long = label.right <= zone and len(label.words) > _MOST_LABEL_HEAD
    return is_long and not repeats and not _is_of_heads(line)


def _is_of_heads(line: Line) -> bool:
    text = line.pieces[0].text
    return line.is_head or UNIT_WORD.search(text) is not None or is_of_dates(line.pieces[0])


def _is_title(line: Line, centre: float, zone: float, right: float) -> bool:
    """Whether a line stands in the middle of the whole table, and not of its columns of values."""
    piece = line.pieces[0]
    if len(line.pieces) > 1 or UNIT_WORD.search(piece.text):
        return False
    years = sum(YEAR_HEAD.fullmatch(word.text.strip(",")) is not None for word in piece.words)
    if _TITLE_WORD.search(piece.text):
        return True
    is_whole_date = years == 1 and any(map(str.isalpha, piece.text))
    own = (zone + right) / 2
    is_central = abs(piece.centre - centre) < min(abs(piece.centre - own), 2 * piece.height)
    return years > 1 or (is_central and (is_whole_date or not line.is_head))


def _is_running_title(line: Line, zone: float) -> bool:
    """Whether a line above the heads has a title at its left."""
    first = line.pieces[0]
    is_label = first.right <= zone and len(line.pieces) == 2 and len(first.words) > _MOST_LABEL_HEAD
    return is_label and not _is_of_heads(line)
