"""Cells of the tables on the pages of evidence, and which column a question asks for."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ingestion.tables.cells import period_of_cell, shown_cell, unit_of_cell, value_of
from ingestion.tables.periods import PERIOD_YEAR, asked_years
from ingestion.tables.table import Row, Table
from rag_app.answering.answers import Evidence, EvidenceSentence, PassageWindow
from rag_app.answering.quoting.cells import asked_columns, head_of
from rag_app.answering.quoting.lines import Quotation
from rag_app.answering.quoting.quotable_tables import label_of, names_columns
from rag_app.answering.quoting.statements import window_of

_SCALES = {"thousand": 1e3, "million": 1e6, "billion": 1e9}


@dataclass(frozen=True, slots=True)
class ReportCell:
    """A cell of a page, with the evidence that the page is of."""

    evidence: Evidence
    table: Table
    row: Row
    column: int

    @property
    def label(self) -> str:
        return label_of(self.row)[0]

    @property
    def period(self) -> str:
        return head_of(self.table, self.row, self.column)

    @property
    def year(self) -> int:
        years = PERIOD_YEAR.findall(period_of_cell(self.table, self.row, self.column) or self.period)
        return int(years[-1]) if years else 0

    @property
    def shown(self) -> str:
        return shown_cell(self.table, self.row, self.column)

    @property
    def unit(self) -> str:
        return unit_of_cell(self.table, self.row, self.column)

    @property
    def scale(self) -> float:
        return _SCALES.get(self.unit, 1.0)

    @property
    def value(self) -> float:
        return (value_of(self.row, self.column) or 0.0) * self.scale

    def quotation(self, line: str) -> Quotation:
        """Return a line that cites the row."""
        spans = [span for cell in (self.row.label, *self.row.cells) if cell for span in cell.spans]
        start, end = min(first for first, _ in spans), max(last for _, last in spans)
        window = window_of(self.evidence)
        text = _page_text(window, start, end) or f"{self.row.label.text} {self.shown}"
        return Quotation(self.evidence, EvidenceSentence(start, end, text, 0.0), line)


def report_rows(evidence: Sequence[Evidence]) -> Iterator[tuple[Evidence, Table, Row]]:
    """Yield the rows of the tables of the evidence's pages, each once."""
    seen = set[tuple[int, int]]()
    for item in evidence:
        for table in window_of(item).tables:
            place = item.hit.chunk.page, table.number
            if place not in seen and names_columns(table):
                seen.add(place)
                yield from ((item, table, row) for row in table.rows)


def asked_column(question: str, table: Table, row: Row) -> int | None:
    """Return the column of the time that a question asks for; without a time the latest; None if unsure."""
    places = [place for place in range(len(row.cells)) if value_of(row, place) is not None]
    heads = tuple(head_of(table, row, place) for place in places)
    wanted = asked_columns(question, heads)
    if len(wanted) == 1:
        return places[wanted[0]]
    years = [max(map(int, PERIOD_YEAR.findall(head)), default=0) for head in heads]
    if wanted or asked_years(question) or not years or years.count(max(years)) != 1 or not max(years):
        return None
    return places[years.index(max(years))]


def _page_text(window: PassageWindow, start: int, end: int) -> str:
    """Return characters of a page, as far as a window has them."""
    if window.start <= start and end <= window.start + len(window.text):
        return window.text[start - window.start : end - window.start]
    return ""
