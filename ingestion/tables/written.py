"""Tables that parsers wrote as lines: `cell | cell | cell`, or `name: value; name: value`."""

import re
from collections.abc import Iterator

from ingestion.documents import Page
from ingestion.tables.periods import PERIOD_YEAR, period_of, says_only_dates
from ingestion.tables.table import Cell, Column, Row, Table
from ingestion.tables.units import CURRENCY, UNIT, unit_in, without_unit

BAR = " | "
_FIELD = re.compile(r"(?P<name>[^:;|]{1,80}): (?P<value>[^;]*)(?:; |$)")
_NUMBER = re.compile(r"[-+−(]?[$€£¥]?\s?\d[\d.,'’\s]*%?\)?")
_LEAST_ROWS = 2
_OPEN = " |"  # ends a line whose last cell is empty
_MOST_LABEL = 100  # characters of a line without values in a table
_MOST_LABELS = 3  # such lines in a row

_Line = tuple[int, str]


def written_tables(page: Page) -> list[Table]:
    """Return the tables that stand as lines in a page's text, from the top."""
    lines: list[_Line] = []
    at = 0
    for line in page.text.split("\n"):
        lines.append((at, line))
        at += len(line) + 1
    found: list[Table] = []
    place = 0
    while place < len(lines):
        block = _block(lines, place)
        if len(block) >= _LEAST_ROWS:
            above = next((line for _, line in reversed(lines[:place]) if line.strip()), "")
            found.append(_table(page, len(found) + 1, block, above))
        place = max(place + 1, lines.index(block[-1], place) + 1 if block else 0)
    return found


def _block(lines: list[_Line], first: int) -> list[_Line]:
    """The lines of the table that begins with a line; none where none does."""
    line = lines[first][1]
    if BAR in line:
        last = first
        for place in range(first + 1, len(lines)):
            text = lines[place][1]
            if BAR in text or text.endswith(_OPEN):
                last = place
            elif not text.strip() or len(text) > _MOST_LABEL or place - last > _MOST_LABELS:
                break
        return lines[first : last + 1]  # lines without a bar between others are labels without values
    if not _is_record(line):
        return []
    block = [lines[first]]
    for each in lines[first + 1 :]:
        if _is_record(each[1]):
            block.append(each)
        elif each[1].strip():  # a blank line parts the records of one table
            break
    return block


def _is_record(line: str) -> bool:
    fields = _fields(0, line)
    return len(fields) > 1


def _fields(at: int, line: str) -> list[tuple[str, Cell]]:
    """The names and the values of a record; none of a line that is none."""
    found: list[tuple[str, Cell]] = []
    place = 0
    while place < len(line):
        match = _FIELD.match(line, place)
        if match is None:
            return []
        value = match["value"].strip()
        start = at + match.start("value")
        found.append((match["name"].strip(), Cell(value, ((start, start + len(value)),))))
        place = match.end()
    return found


def _table(page: Page, number: int, block: list[_Line], above: str) -> Table:
    if BAR in block[0][1]:
        head, rows = _barred(block)
    else:
        head, rows = _recorded(block)
    title = " ".join(above.split()) if above and len(above) <= 100 and above.rstrip()[-1] not in ".;," else ""
    unit = unit_in(f"{title} {' '.join(head)}")
    signs = [cell.text for row in rows for cell in row.cells if cell is not None]
    return Table(
        page=page.number,
        number=number,
        title=title.rstrip(":"),
        unit=unit.scale,
        exempt=unit.exempt,
        currency=next((sign.group() for text in signs if (sign := CURRENCY.search(text))), ""),
        label_head=head[0],
        columns=tuple(Column(without_unit(name), period_of(name, title)) for name in head[1:]),
        rows=tuple(rows),
        start=block[0][0],
        end=block[-1][0] + len(block[-1][1]),
    )


def _barred(block: list[_Line]) -> tuple[list[str], list[Row]]:
    lines: list[list[Cell | None]] = []
    for at, line in block:
        cells: list[Cell | None] = []
        place = 0
        for part in f"{line} ".split(BAR):
            text = part.strip()
            start = at + place + (len(part) - len(part.lstrip()))
            cells.append(Cell(text, ((start, start + len(text)),)) if text else None)
            place += len(part) + len(BAR)
        lines.append(cells)
    width = max(map(len, lines))
    bare = [len(cells) == 1 for cells in lines]
    lines = [cells + [None] * (width - len(cells)) for cells in lines]
    first = [cell.text if cell else "" for cell in lines[0]]
    if any(_NUMBER.fullmatch(text) and not PERIOD_YEAR.fullmatch(text) for text in first[1:]):
        return [""] * width, list(_with_sections(list(zip(bare, lines, strict=True))))
    heads = [first]
    for is_bare, cells in zip(bare[1:-1], lines[1:-1], strict=True):
        is_label = cells[0] is not None and not UNIT.search(cells[0].text)
        if is_bare or is_label or not all(map(_names_column, cells[1:])):
            break
        heads.append([cell.text if cell else "" for cell in cells])
    count = len(heads)
    names = [" ".join(filter(None, one)) for one in zip(*map(_spread, heads), strict=True)]
    return names, list(_with_sections(list(zip(bare, lines, strict=True))[count:]))


def _names_column(cell: Cell | None) -> bool:
    return (
        cell is None or PERIOD_YEAR.fullmatch(cell.text) is not None or _NUMBER.fullmatch(cell.text) is None
    )


def _spread(head: list[str]) -> list[str]:
    """A row of heads, with the only one that it has over all columns: "Years ended June 30,"."""
    named = [text for text in head[1:] if text]
    is_over_all = len(named) == 1 and len(head) > 2 and says_only_dates(named[0])
    return [head[0], *named * (len(head) - 1)] if is_over_all else head


def _with_sections(lines: list[tuple[bool, list[Cell | None]]]) -> Iterator[Row]:
    """The rows, each below the labels without cells that stand right above its block."""
    sections: list[str] = []
    was_label = False
    for is_bare, (label, *values) in lines:
        if label is not None and is_bare:
            sections = [*(sections if was_label else []), label.text.rstrip(" :")]
            was_label = True
        elif label is not None or any(values):
            yield Row(label or Cell(""), tuple(sections), tuple(values))
            was_label = False


def _recorded(block: list[_Line]) -> tuple[list[str], list[Row]]:
    records = [dict(_fields(at, line)) for at, line in block]
    names = list(dict.fromkeys(name for record in records for name in record))
    return names, [
        Row(record.get(names[0]) or Cell(""), (), tuple(record.get(name) for name in names[1:]))
        for record in records
    ]
