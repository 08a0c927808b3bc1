"""Reads the tables of a document's pages: from the places of their cells, or from lines of text."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from ingestion.documents import CellPlace, Page
from ingestion.tables.periods import MONTH_DAY, PERIOD_YEAR, SPAN, period_of, says_only_dates
from ingestion.tables.table import Cell, Column, Row, Span, Table, without_note
from ingestion.tables.units import CURRENCY, UNIT, Unit, unit_in, without_unit
from ingestion.tables.written import written_tables

# Lines above a table among which its title and its unit are looked for.
_LINES_ABOVE = 6
_MOST_TITLE_LINES = 2
_DATES_ABOVE = 4
_INTRODUCTION = 2  # lines that say the unit together: "(in" may end the first, and "millions):" be the second
_MOST_COMPARED_WORDS = 7
_MOST_TITLE_CHARACTERS = 110
# Characters between two tables of a page that may share their heads.
_BETWEEN = 160
_RUNNING = re.compile(r"table of contents|\d{1,4}|page \d+(?: of \d+)?", re.IGNORECASE)
# A line that ends so is a row of the table above.
_VALUE_AT_END = re.compile(r"(?:\(\$?[\d.,]+\)|\d,\d{3}|%|[—–]|\$ ?[\d.,]+)$")
_CAPTION = re.compile(r"^\W{0,2}(?:table|tabelle|tabla|tableau)\s+[\w.-]+", re.IGNORECASE)


def tables_of(pages: Sequence[Page]) -> tuple[Table, ...]:
    """Return the tables of a document's pages, which are in order.

    A table without heads at the top of a page that is as wide as the last one of the page before goes on
    with it.
    """
    found: list[Table] = []
    former_page: Page | None = None
    for page in pages:
        tables = tables_on(page)
        if tables and former_page is not None and not tables[0].unit and tables[0].start < _BETWEEN:
            unit, exempt = _unit("", _lines_above(former_page.text), "")  # its sentence ends the page before
            tables[0] = replace(tables[0], unit=unit, exempt=exempt)
        former_page = page
        for number, table in enumerate(tables):
            former = tables[number - 1] if number else found[-1] if found else None
            if former is not None and _goes_on(former, table):
                tables[number] = _continued(former, table)
        found += tables
    return tuple(found)


def tables_on(page: Page) -> list[Table]:
    """Return the tables of one page, from the top, without what they share with the page before."""
    cells: dict[int, list[CellPlace]] = {}
    for place in page.layout.tables if page.layout else ():
        cells.setdefault(place[0], []).append(place)
    if not cells:
        return written_tables(page)
    found: list[Table] = []
    for number, places in enumerate(cells.values(), start=1):
        start = min(place[5] for place in places)
        after = max((table.end for table in found if table.end <= start), default=0)
        found.append(_table(page, number, places, after))
    return found


def _table(page: Page, number: int, places: Sequence[CellPlace], after: int) -> Table:
    """A table from its cells; `after` is where the one above it ends."""
    grid: dict[tuple[int, int], tuple[int, int, list[Span]]] = {}
    for _, row, column, width, indent, start, end in places:
        grid.setdefault((row, column), (width, indent, []))[2].append((start, end))
    texts = {place: _text(page.text, spans) for place, (_, _, spans) in grid.items()}
    last = max(column + width - 1 for (_, column), (width, _, _) in grid.items())
    start = min(place[5] for place in places)
    above = _lines_above(page.text[after:start])
    unit_text = " ".join(text for (row, _), text in texts.items() if row < 0 and UNIT.search(text))
    unit, exempt = _unit(unit_text, above, page.text)
    title = _title(above)
    label_head = " ".join(
        without_unit(text)
        for (row, column), text in sorted(texts.items())
        if row < 0 and column == 0 and not _is_unit(text)
    )
    labels = [texts[row, 0] for row, column in sorted(texts) if row < 0 and column == 0]
    dates = next((without_unit(text) for text in labels if says_only_dates(without_unit(text))), "")
    compared = next((line for line in above if _is_compared(line)), "")
    dated = next((line for line in above[:_DATES_ABOVE] if _is_dated(line)), compared or title)
    around = label_head if says_only_dates(label_head) else dates or dated
    columns = tuple(_column(column, grid, texts, around) for column in range(1, last + 1))
    rows = tuple(_rows(grid, texts, last))
    signs = [text for (row, _), text in texts.items() if row >= 0] + [unit_text]
    sign = next((found.group() for text in signs if (found := CURRENCY.search(text))), "")
    return Table(
        page=page.number,
        number=number,
        title=title,
        unit=unit,
        exempt=exempt,
        currency=sign
        or ("$" if re.search(r"\bdollars\b", unit_text + " ".join(above), re.IGNORECASE) else ""),
        label_head=label_head,
        columns=columns,
        rows=rows,
        start=start,
        end=max(place[6] for place in places),
    )


def _text(page: str, spans: Sequence[Span]) -> str:
    return " ".join(" ".join(page[start:end].split()) for start, end in sorted(spans))


def _column(
    column: int,
    grid: dict[tuple[int, int], tuple[int, int, list[Span]]],
    texts: dict[tuple[int, int], str],
    around: str,
) -> Column:
    levels = [
        without_unit(texts[row, first])
        for (row, first), (width, _, _) in sorted(grid.items())
        if row < 0 and first <= column < first + width and (first > 0 or width > 1)
    ]
    head = " ".join(level for level in levels if level)
    return Column(head, period_of(head, around))


def _is_unit(text: str) -> bool:
    return not re.search(r"\w", UNIT.sub(" ", text))


def _rows(
    grid: dict[tuple[int, int], tuple[int, int, list[Span]]], texts: dict[tuple[int, int], str], last: int
) -> Iterator[Row]:
    """The rows with a cell, each with the labels above it that have none."""
    sections: list[tuple[int, str, bool]] = []  # indent, label, whether rows below were further right
    for row in sorted({row for row, _ in grid if row >= 0}):
        _, indent, spans = grid.get((row, 0), (1, 0, []))
        label = Cell(texts.get((row, 0), ""), tuple(sorted(spans)))
        cells = tuple(
            Cell(texts[row, column], tuple(sorted(grid[row, column][2]))) if (row, column) in grid else None
            for column in range(1, last + 1)
        )
        if not any(cells):
            sections = [one for one in sections if one[0] < indent]
            sections.append((indent, without_note(label.text), False))
            continue
        while sections and label.text and _is_left(sections[-1], indent, label.text):
            sections.pop()
        if sections and indent > sections[-1][0]:
            sections[-1] = (*sections[-1][:2], True)
        yield Row(label, tuple(name for _, name, _ in sections), cells)


def _is_left(section: tuple[int, str, bool], indent: int, label: str) -> bool:
    """Whether a row stands no more below a section: further left, or as far after rows further right."""
    own, name, had_indented = section
    if PERIOD_YEAR.search(name) and says_only_dates(name):
        return indent < own  # a date holds until the next
    if indent == own and re.match(r"total\b", label, re.IGNORECASE):
        return True
    return indent < own or (indent == own and had_indented)


def _is_dated(line: str) -> bool:
    """Whether a line above a table is a date or a stretch of time: "Years ended December 31"."""
    bare = without_unit(line)
    return MONTH_DAY.search(bare) is not None and says_only_dates(bare)


def _is_compared(line: str) -> bool:
    """Whether a line above a table names the years that it compares: "Fiscal year 2015 versus 2014"."""
    return (
        SPAN.search(line) is not None and len(line.split()) <= _MOST_COMPARED_WORDS and line[-1] not in ".:,"
    )


def _lines_above(text: str) -> list[str]:
    """The last lines of the text before a table, the nearest first."""
    lines = [" ".join(line.split()) for line in text.split("\n")]
    return [line for line in reversed(lines) if line and not _RUNNING.fullmatch(line)][:_LINES_ABOVE]


def _unit(heads: str, above: Sequence[str], page: str) -> tuple[str, str]:
    """The scale of a table's amounts and what it is not for: from its heads, or near above, or its page.

    A line of the page that ends with a value is a row, and its unit is its own: "Volume (in millions) $ 49".
    """
    top = [" ".join(line.split()) for line in page.split("\n", _LINES_ABOVE + 2)[: _LINES_ABOVE + 1]]
    short = (line for line in top if len(line) < _MOST_TITLE_CHARACTERS)
    introduction = " ".join(reversed(above[:_INTRODUCTION]))
    around = (*above[:1], introduction, *above[1:], *short)
    for text in (heads, *(line for line in around if not _VALUE_AT_END.search(line))):
        found = unit_in(text)
        if found.scale:
            return found.scale, found.exempt
    return Unit().scale, ""


def _title(above: Sequence[str]) -> str:
    """The title lines right above a table; "" where prose stands there."""
    found: list[str] = []
    for line in above:
        if _CAPTION.match(line):
            return line
        bare = without_unit(line)
        if not re.search(r"[^\W\d]", bare) or says_only_dates(bare):
            if found:
                break
            continue
        is_title = (
            len(line) <= _MOST_TITLE_CHARACTERS
            and line[-1] not in ".,;:"
            and (line[0].isupper() or line[0].isdigit())
        )
        if (
            not is_title
            or _VALUE_AT_END.search(line)
            or len(found) == _MOST_TITLE_LINES
            or (found and PERIOD_YEAR.search(line))
        ):
            break
        found.insert(0, bare)
        if len(bare) > _MOST_TITLE_CHARACTERS / 2:
            break
    return found[-1] if found else ""


def _goes_on(former: Table, table: Table) -> bool:
    """Whether a table without heads has those of the one before it."""
    if any(column.head for column in table.columns) or len(former.columns) != len(table.columns):
        return False
    if former.page == table.page:
        return table.start - former.end < _BETWEEN
    return former.page == table.page - 1 and table.number == 1 and table.start < _BETWEEN


def _continued(former: Table, table: Table) -> Table:
    return replace(
        table,
        columns=former.columns,
        unit=table.unit or former.unit,
        exempt=table.exempt or former.exempt,
        currency=table.currency or former.currency,
        title=table.title if table.title and former.page == table.page else former.title,
        label_head=table.label_head or former.label_head,
        continues=True,
    )
