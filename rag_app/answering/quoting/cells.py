"""The line that shows a table's row: its label, and the cells of the columns that a question asks for."""

import re

from rag_app.answering.quoting.candidates import Candidate
from rag_app.answering.quoting.rows import Row, Table, parse_row, read_table, shown_cell

# A row with more columns than this is shown by the column that the question asks for, or by the first ones.
_MOST_CELLS = 3
_YEAR = re.compile(r"\b(?:19|20)\d\d\b")
_SHORT_YEAR = re.compile(r"\b(?:fy|cy|fiscal|q[1-4]|h[12])\s?['’]?(\d\d)\b", re.IGNORECASE)
_MONTH = re.compile(
    r"\b(jan|feb|mar|apr|may|june?|july?|aug|sep|oct|nov|dec)[a-z]*\.?(?=\s+\d|\s+(?:of\s+)?(?:19|"
    r"20)\d\d|\W*$)",
    re.IGNORECASE,
)
# Words of a question, and the words of a column's head that they mean.
_LENGTHS = (
    (
        r"\bquarter|\bthree months\b|\bq[1-4]\b|\b1[23] weeks\b|\bthirteen",
        r"three months|1[23] weeks|quarter|thirteen|sixteen",
    ),
    (r"\bsix months\b|\bfirst half\b|\b26 weeks\b|\bh1\b", r"six months|26 weeks|twenty-six"),
    (r"\bnine months\b|\b3[69] weeks\b", r"nine months|3[69] weeks|thirty-nine"),
    (r"\byear\b|\bannual|\bfull[- ]year\b|\bfiscal\b", r"year|twelve months|5[23] weeks"),
)


def cell_line(one: Candidate, question: str) -> str:
    """Return a row as a line, like "Total assets · December 31, 2016: **$1,001 thousand**"; "" for no row.

    The cell is in bold where the question, or the reader's span, chooses its column.
    """
    row = parse_row(one.statement.text)
    if row is None:
        return ""
    statement, window = one.statement, one.window
    table = read_table(window.above + window.text[: statement.start], row)
    label = f"{table.section}: {row.label}" if table.section else row.label
    label = re.sub(r"\s*(?:\(\d\)|\*+)+$", "", label).rstrip(":")
    if not table.columns:
        return _whole_row(label, row, table)
    cells = [
        (head, shown_cell(row.values[place], table, row.label))
        for head, place in zip(table.columns, table.used, strict=True)
    ]
    wanted = asked_columns(question, table.columns)
    pointed = _pointed(one, row, table)
    if len(wanted) == 1:
        head, value = cells[wanted[0]]
        return f"{label} · {head}: **{value}**"
    if pointed is not None and (not wanted or pointed in wanted):
        head, value = cells[pointed]
        return f"{label} · {head}: **{value}**"
    shown = [cells[place] for place in wanted] or cells
    return f"{label} · " + "; ".join(f"{head}: {value}" for head, value in shown[:_MOST_CELLS])


def asked_columns(question: str, columns: tuple[str, ...]) -> list[int]:
    """Return the places of the columns that a question names, by period or by all words; mostly none."""
    years = set(_YEAR.findall(question)) | {f"20{short}" for short in _SHORT_YEAR.findall(question)}
    places = [place for place, head in enumerate(columns) if any(year in head for year in years)]
    if not years:
        said = set(re.findall(r"\w+", question.casefold()))
        return [
            place
            for place, head in enumerate(columns)
            if (words := re.findall(r"\w+", head.casefold())) and said.issuperset(words)
        ]
    months = {month[:3].casefold() for month in _MONTH.findall(question)}
    named = [place for place in places if any(month in columns[place].casefold() for month in months)]
    places = named or places
    for asked, head in _LENGTHS:
        if len(places) > 1 and re.search(asked, question, re.IGNORECASE):
            of_length = [place for place in places if re.search(head, columns[place], re.IGNORECASE)]
            places = of_length or places
    return places


def _pointed(one: Candidate, row: Row, table: Table) -> int | None:
    """Return the column of the value that the reader points to."""
    span = one.span
    if span is None or not row.places or span[2] < 0.3:
        return None
    said = one.sentence.text[span[0] - one.sentence.start : span[1] - one.sentence.start]
    bare = re.sub(r"[^\d.]", "", said)
    hits = [
        column
        for column, place in enumerate(table.used)
        if bare and re.sub(r"[^\d.]", "", row.values[place]) == bare
    ]
    return hits[0] if len(hits) == 1 else None


def _whole_row(label: str, row: Row, table: Table) -> str:
    """Return a row whose columns cannot be told, with the lines above it that may name them."""
    values = " · ".join(shown_cell(value, table, row.label) for value in row.values)
    if len(row.values) == 1:
        return f"{label}: {values}"
    head = f" (columns: {table.head})" if table.head and len(table.head.split()) <= 20 else ""
    return f"{label}: {values}{head}"
