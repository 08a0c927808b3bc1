"""The heads of a table's columns: which lines they are, and which columns each of them stands over."""

import re
from collections.abc import Sequence

from ingestion.parsing.geometry.rules import Rules
from ingestion.parsing.tables.columns import ColumnBox
from ingestion.parsing.tables.lines import YEAR_HEAD, Line
from ingestion.parsing.tables.words import DATE_WORD, UNIT_WORD, Piece

_YEAR = re.compile(r"\b(?:19|20)\d\d\b")

# Of a line's height: how far an underline may lie below its head, and a head's centre from its columns'.
_UNDERLINE = 0.6
_OFF_CENTRE = 0.7


# A line above the heads that is the table's or the page's title.
_TITLE_WORD = re.compile(
    r"\b(?:consolidated|statements? of|incorporated|schedule|exhibit|\w+, inc\.)", re.IGNORECASE
)
_MOST_HEADS = 9
_MOST_SECTIONS = 4  # lines of labels between the heads and the first row of values
_MOST_SECTION_WORDS = 40
_MOST_LABEL_HEAD = 4  # words that stand above the labels
_MOST_LABEL_LINES, _MOST_LABEL_LINE_WORDS = 3, 10  # between the lines of the heads
_PROSE_WORDS = 9  # a line of as many words that reaches into the columns is prose
_NEAR = 1.8  # of a line's height: more space ends the heads


def heads_of(
    rows: Sequence[Sequence[Piece]], columns: Sequence[ColumnBox], rules: Rules
) -> list[list[tuple[int, int, Piece]]]:
    """For each row of heads, from the top: the first column of each piece, the columns it spans, and itself.

    Args:
        rows: Lines of pieces above the table's values, from the top.
        columns: From the left; they grow with the heads that stand over one of them.
        rules: Of the page; an underline says how far a head reaches.
    """
    found: list[list[tuple[int, int, Piece]]] = []
    boxes = [ColumnBox(one.left, one.right) for one in columns]
    below = [""] * len(boxes)  # what the lower heads of each column say
    for row in reversed(rows):
        placed: list[tuple[int, int, Piece]] = []
        taken = 0
        for index, piece in enumerate(row):
            first, last = _columns_under(index, row, boxes, taken, rules, below)
            if len(row) == 1 and is_of_dates(piece):
                dated = [place for place, words in enumerate(below) if place and _YEAR.search(words)]
                if dated and dated[-1] - dated[0] == len(dated) - 1 and first > 0:
                    first, last = dated[0], dated[-1]
            placed.append((first, last - first + 1, piece))
            taken = last + 1
            for place in range(first, last + 1):
                below[place] = f"{piece.text} {below[place]}"
            if first == last and not UNIT_WORD.search(piece.text):
                boxes[first].left = min(boxes[first].left, piece.left)
                boxes[first].right = max(boxes[first].right, piece.right)
            if taken >= len(boxes):
                break
        found.insert(0, placed)
    return found


def _columns_under(
    index: int,
    row: Sequence[Piece],
    boxes: Sequence[ColumnBox],
    taken: int,
    rules: Rules,
    below: Sequence[str],
) -> tuple[int, int]:
    piece, following = row[index], row[index + 1] if index + 1 < len(row) else None
    line = _underline(index, row, boxes[0].left, rules)
    if line is not None:
        covered = [
            place
            for place, box in enumerate(boxes)
            if place >= taken and line[0] - 2 <= (box.left + box.right) / 2 <= line[1] + 2
        ]
        if covered:
            return covered[0], covered[-1]
    under = [
        place
        for place, box in enumerate(boxes)
        if place >= taken and box.left < piece.right and piece.left < box.right
    ]
    if not under:
        place = min(range(taken, len(boxes)), key=lambda at: abs(_middle(boxes[at]) - piece.centre))
        under = [place]
    if len(under) > 1:
        centred = [
            place
            for place in under
            if abs(_middle(boxes[place]) - piece.centre) < _OFF_CENTRE / 2 * piece.height
        ]
        covers = (
            piece.left <= boxes[under[0]].left + piece.height
            and piece.right >= boxes[under[-1]].right - piece.height
        )
        if centred and not covers:
            under = centred[:1]
    first, last = under[0], under[-1]
    if taken == 0 and first == 0:
        return first, last
    may_reach = is_of_dates(piece)
    end = len(boxes)
    if following is not None:
        end = next(
            (place for place, box in enumerate(boxes) if place > last and box.right > following.left),
            len(boxes),
        )
    best, widest = (first, last), last - first
    for start in range(max(taken, 1), first + 1):
        for stop in range(last, end):
            off = abs((boxes[start].left + boxes[stop].right) / 2 - piece.centre)
            added = [below[at] for at in range(start, stop + 1) if not first <= at <= last]
            if not may_reach and any(added):
                continue
            if off <= _OFF_CENTRE * piece.height * (1 + 0.5 * (stop - start)) and stop - start > widest:
                best, widest = (start, stop), stop - start
    return best


def is_of_dates(piece: Piece) -> bool:
    """Whether a head says a stretch of time without its year: "Years Ended December 31,"."""
    words = [word.text for word in piece.words]
    return all(DATE_WORD.fullmatch(word) for word in words) and not (
        len(words) == 1 and re.fullmatch(r"(?:19|20)\d\d", words[0])
    )


def _middle(box: ColumnBox) -> float:
    return (box.left + box.right) / 2


def _underline(
    index: int, row: Sequence[Piece], table_left: float, rules: Rules
) -> tuple[float, float] | None:
    """The sides of the line that is below one piece of a row alone, and not below the whole table."""
    piece = row[index]
    height = piece.height
    others = [one for place, one in enumerate(row) if place != index]
    for y, left, right in rules.across:
        if (
            piece.bottom - _UNDERLINE * height < y < piece.bottom + 0.3 * height
            and left < piece.right
            and piece.left < right
            and right - left > 0.6 * (piece.right - piece.left)
            and abs((left + right) / 2 - piece.centre) < height
            and not any(left < one.centre < right for one in others)
            and (left > table_left + height or piece.left < table_left + height)
        ):
            return left, right
    return None


def head_lines(
    lines: Sequence[Line], first: int, columns: Sequence[ColumnBox]
) -> tuple[list[Line], list[Line]]:
    """The lines of heads above the first data row, and the lines of labels between them and that row."""
    found: list[Line] = []
    sections: list[Line] = []
    pending: list[Line] = []
    zone = columns[1].left
    below = lines[first]
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
        if not found and len(line.pieces) == len(columns) and _is_text_row(line, zone):
            sections.insert(0, line)
            below = line
            continue
        found = [line, *pending, *found]
        pending = []
        below = line
    if pending and UNIT_WORD.search(pending[-1].pieces[0].text):
        found.insert(0, pending[-1])
    centre = (columns[0].left + columns[-1].right) / 2
    wide = [line for line in found if len(line.pieces) > 2]
    while wide and len(found[-1].pieces) == 1 and found[-1] not in wide and not _is_of_heads(found[-1]):
        sections.insert(0, found.pop())  # in the middle, above the rows it is for
    while found and (
        _is_running_title(found[0], zone) or _is_title(found[0], centre, zone, columns[-1].right)
    ):
        del found[0]
    return found[-_MOST_HEADS:], sections if found else []


def _is_text_row(line: Line, zone: float) -> bool:
    """Whether a line of words above the first values is a row of its own: its label is no head."""
    label = line.pieces[0]
    return label.right <= zone and len(label.words) > _MOST_LABEL_HEAD and not _is_of_heads(line)


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
    is_whole_date = years == 1 and not is_of_dates(piece) and any(map(str.isalpha, piece.text))
    own = (zone + right) / 2
    is_central = abs(piece.centre - centre) < min(abs(piece.centre - own), 2 * piece.height)
    return years > 1 or (is_central and (is_whole_date or not line.is_head))


def _is_running_title(line: Line, zone: float) -> bool:
    """Whether a line above the heads has a title at its left."""
    first = line.pieces[0]
    is_label = first.right <= zone and len(line.pieces) == 2 and len(first.words) > _MOST_LABEL_HEAD
    return is_label and not _is_of_heads(line)
