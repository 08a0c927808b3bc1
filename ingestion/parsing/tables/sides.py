"""Pages whose text stands in two columns: a table in one of them has nothing of the other in its rows."""

from collections.abc import Iterator, Sequence
from statistics import median

from ingestion.parsing.tables.words import Word, rows_of

_STEPS = 16  # places between the columns that are tried, in the middle of the page's text
_MIDDLE = (0.4, 0.6)  # of the width of the text: where the space between the columns may be
_GUTTER = 0.9  # of a line's height: the least space between the columns
_OFF_BASELINE = 0.12  # of a line's height: lines of two columns are more apart than those of one row
_LEAST_ROWS = 6  # of two columns
_PROSE_WORDS, _LEAST_PROSE = 6, 4  # in a line of prose, and of such lines
_PROSE_WIDTH = 0.8  # of a side, which such a line fills
_LEAST_APART = 0.4  # of the rows with words on both sides


def sides_of(rows: Sequence[Sequence[Word]]) -> Iterator[list[list[Word]]]:
    """The rows of a page in groups that tables do not cross, from the top.

    Where lines of prose stand beside lines with other baselines, the page has two columns, and the rows of
    each are a group. Labels and values of one table share their baselines, or differ by the same distance.

    Args:
        rows: See `rows_of`.
    """
    gutter = _gutter(rows)
    together: list[list[Word]] = []
    for run, crosses in _runs(rows, gutter):
        if crosses or not _is_apart(run, gutter):
            together += run
            continue
        if together:
            yield together
            together = []
        words = [word for row in run for word in row]
        for side in (
            [word for word in words if word.centre < gutter],
            [word for word in words if word.centre >= gutter],
        ):
            yield rows_of(side, as_written=False)
    if together:
        yield together


def _gutter(rows: Sequence[Sequence[Word]]) -> float:
    """The place near the middle of the text that the fewest rows cross."""
    left = min((row[0].left for row in rows), default=0.0)
    right = max((row[-1].right for row in rows), default=0.0)
    first, last = (left + share * (right - left) for share in _MIDDLE)
    free = [gap for row in rows for gap in _gaps(row) if gap[0] < last and gap[1] > first]
    places = [first + step * (last - first) / _STEPS for step in range(_STEPS + 1)]
    middle = (left + right) / 2
    return max(
        places, key=lambda place: (sum(start < place < end for start, end in free), -abs(place - middle))
    )


def _gaps(row: Sequence[Word]) -> Iterator[tuple[float, float]]:
    """Where a row has no words: before, behind, and between those that are as far apart as columns."""
    end = float("-inf")
    least = _GUTTER * row[0].height
    for word in row:
        if word.left - end > least:
            yield end, word.left
        end = max(end, word.right)
    yield end, float("inf")


def _runs(rows: Sequence[Sequence[Word]], gutter: float) -> Iterator[tuple[list[list[Word]], bool]]:
    """The rows in stretches that cross the gutter, or do not."""
    run: list[list[Word]] = []
    was = False
    for row in rows:
        crosses = not any(start < gutter < end for start, end in _gaps(row))
        if run and crosses != was:
            yield run, was
            run = []
        run.append(list(row))
        was = crosses
    if run:
        yield run, was


def _is_apart(run: Sequence[Sequence[Word]], gutter: float) -> bool:
    """Whether the lines of each side have their own distances, and one side has lines of prose."""
    offsets: list[float] = []
    prose = [0, 0]
    left, right = min(row[0].left for row in run), max(row[-1].right for row in run)
    widths = gutter - left, right - gutter
    for row in run:
        sides = (
            [word for word in row if word.centre < gutter],
            [word for word in row if word.centre >= gutter],
        )
        for at, side in enumerate(sides):
            is_full = len(side) >= _PROSE_WORDS and side[-1].right - side[0].left > _PROSE_WIDTH * widths[at]
            prose[at] += is_full and not any(map(str.isdigit, side[-1].text))
        if all(sides):
            one, two = sides[0][-1], sides[1][0]
            offsets.append((one.bottom - two.bottom) / max(one.height, two.height))
    if len(offsets) < _LEAST_ROWS or max(prose) < _LEAST_PROSE:
        return False
    usual = median(offsets)
    return sum(abs(offset - usual) > _OFF_BASELINE for offset in offsets) > _LEAST_APART * len(offsets)
