"""How well the cells of tables are told: by the parsers, and by other libraries on the same pages.

    RAG_EVAL_DATA=FOLDER python benchmarks/tables.py [--quick] [--peers] [--json FILE]

`benchmarks/data/marked_tables.jsonl` has cells of 178 tables of filings-dev and mixed-dev, marked by hand on
the pictures of the pages. It holds places and no text: boxes of the value, of its row's label and of its
column's heads, in points from the top left corner, with the unit and the period that the page gives. The
rules were made with the tables of the part "development". Those of "report" were marked afterwards and not
looked at, but a rule was kept only where their totals did not fall.

PART/value         the share of marked cells whose text is a cell of its own
PART/row           with the label of its row: the first cell, with the text beside it where that is a number
PART/column        with all words of its column's heads, and no other
PART/unit          with the unit: thousand, million, billion, %
PART/period        with the period
PART/right         with all of these
PART/heads/NAME    value, row and, less strictly, all words of its column's heads somewhere above it; the peer
                   is a library (--peers): img2table, camelot (stream) or pdfplumber, where it is installed
PART/seconds/NAME  a page, median
"""

import json
import re
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pypdfium2
from report import Result, arguments, compare, evaluation_data, figure, publish

from ingestion.documents import Page
from ingestion.parsing.geometry.layout import page_of
from ingestion.parsing.geometry.places import CharacterPlaces, Place, union
from ingestion.parsing.pdf.pdfium import PdfiumFile
from ingestion.parsing.pictures import stretches_of
from ingestion.tables.cells import period_of_cell, unit_of_cell
from ingestion.tables.reading import tables_of
from ingestion.tables.table import Cell, Row, Table, without_note
from rag_app.config.environment import stay_offline

MARKS = Path(__file__).parent / "data" / "marked_tables.jsonl"
PARTS = ("development", "report")
STRICT = ("value", "row", "column", "unit", "period", "right")
MOST_CHARACTERS = 1_000_000
# Words of a unit, which the marks leave out of a column's heads.
UNIT_WORDS = frozenset(
    ("in", "millions", "thousands", "billions", "except", "per", "share", "data", "dollars", "amounts")
) | {"unaudited"}
QUICK = 12


@dataclass(frozen=True, slots=True)
class FoundCell:
    """A cell that a library gives: its text, where that is known its box, and what it is said to be."""

    text: str
    box: Place | None
    labels: tuple[str, ...]
    heads: str
    label_head: str = ""
    period: str = ""
    unit: str = ""


@dataclass(frozen=True, slots=True)
class MarkedCell:
    """A cell as it was marked, with the words that stand in its boxes."""

    value: str
    middle: tuple[float, float]
    row: str
    column: str
    period: str
    unit: str


Reader = Callable[[Path, int], list[FoundCell]]


def words_on(page: pypdfium2.PdfPage) -> list[tuple[str, Place]]:
    """Return a page's words with their boxes, told by the spaces between glyphs alone."""
    text = page.get_textpage()
    places = CharacterPlaces(page, text, page.get_size())
    found: list[tuple[str, Place]] = []
    current: tuple[str, Place] | None = None
    for index in range(text.count_chars()):
        box, character = places.place(index), places.character(index)
        if box is None or ord(character) < ord(" "):
            current = None
            continue
        if current is not None and not _goes_on(current[1], box):
            current = None
        if current is None:
            current = character, box
            found.append(current)
        else:
            current = current[0] + character, union((current[1], box))
            found[-1] = current
    return found


def _goes_on(word: Place, box: Place) -> bool:
    height = box[3] - box[1]
    overlap = min(box[3], word[3]) - max(box[1], word[1])
    return box[0] - word[2] <= height / 4 and box[0] >= word[0] - 1 and overlap >= 0.3 * height


def text_in(boxes: Sequence[Place], words: Sequence[tuple[str, Place]]) -> str:
    """Return the words whose middles lie in boxes, box by box."""
    return " ".join(
        word
        for left, top, right, bottom in boxes
        for word, box in words
        if left - 1 <= (box[0] + box[2]) / 2 <= right + 1 and top - 1 <= (box[1] + box[3]) / 2 <= bottom + 1
    )


def marked_cells(table: dict[str, Any], words: Sequence[tuple[str, Place]]) -> Iterator[MarkedCell]:
    for cell in table["cells"]:
        left, top, right, bottom = union(cell["value"])
        texts = {name: text_in(cell[name], words) for name in ("value", "row", "column")}
        yield MarkedCell(
            texts["value"],
            ((left + right) / 2, (top + bottom) / 2),
            texts["row"],
            texts["column"],
            cell["period"],
            cell["unit"],
        )


# What the libraries find


def read_ours(file: Path, number: int) -> list[FoundCell]:
    document = PdfiumFile(file, None)
    pages = [page_of(each, document.text(each, MOST_CHARACTERS)) for each in (number - 1, number) if each > 0]
    with pypdfium2.PdfDocument(file) as drawn:
        page = drawn[number - 1]
        places = CharacterPlaces(page, page.get_textpage(), page.get_size())
        return [
            _cell_of(table, row, column, cell, pages[-1], places)
            for table in tables_of(pages)
            if table.page == number
            for row in table.rows
            for column, cell in enumerate(row.cells)
            if cell is not None
        ]


def _cell_of(
    table: Table, row: Row, column: int, cell: Cell, page: Page, places: CharacterPlaces
) -> FoundCell:
    stretches, _ = stretches_of(page.layout, cell.spans)
    boxes = [places.place(index) for first, behind in stretches for index in range(first, behind)]
    label = without_note(row.label.text)
    beside = [one.text for one in row.cells[:column] if one is not None]
    return FoundCell(
        cell.text,
        union([box for box in boxes if box is not None]) if any(boxes) else None,
        (label, f"{label} {beside[0]}" if beside else label, beside[-1] if beside else label),
        table.columns[column].head,
        table.label_head,
        period_of_cell(table, row, column),
        unit_of_cell(table, row, column),
    )


def _from_rows(rows: Sequence[Sequence[tuple[str, Place | None]]]) -> Iterator[FoundCell]:
    """Return the cells of a plain grid: a cell's label is what stands left of it, its heads all above it."""
    for number, row in enumerate(rows):
        for column, (text, box) in enumerate(row):
            left = [word for word, _ in row[:column] if re.search(r"[^\W\d]", word)]
            above = " ".join(each[column][0] for each in rows[:number] if column < len(each))
            yield FoundCell(" ".join(text.split()), box, (" ".join(left), left[0] if left else ""), above)


def read_with_pdfplumber(file: Path, number: int) -> list[FoundCell]:
    import pdfplumber  # type: ignore[import-not-found]

    with pdfplumber.open(file) as document:
        tables = document.pages[number - 1].extract_tables()
    return [cell for rows in tables for cell in _from_rows([[(one or "", None) for one in r] for r in rows])]


def read_with_camelot(file: Path, number: int) -> list[FoundCell]:
    import camelot  # type: ignore[import-not-found]

    tables = camelot.read_pdf(str(file), pages=str(number), flavor="stream")
    grids = [[[(str(one), None) for one in row] for row in table.data] for table in tables]
    return [cell for rows in grids for cell in _from_rows(rows)]


def read_with_img2table(file: Path, number: int) -> list[FoundCell]:
    from img2table.document import PDF  # type: ignore[import-not-found]

    tables = PDF(str(file), pages=[number - 1]).extract_tables(borderless_tables=True)
    found: list[FoundCell] = []
    for table in tables[number - 1]:
        rows = [[(one.value or "", None) for one in row] for row in table.content.values()]
        found += _from_rows(rows)
    return found


PEERS: dict[str, Reader] = {
    "img2table": read_with_img2table,
    "camelot": read_with_camelot,
    "pdfplumber": read_with_pdfplumber,
}

# How they are compared


def _tokens(text: str) -> list[str]:
    bare = re.sub(r"\((?:\d{1,2}|[a-z])\)|[*†‡]", "", text.casefold().replace("’", "'"))
    return re.findall(r"[^\W_]+|%", re.sub(r"(?:\s?[.…_]){3,}", " ", bare).replace("-", ""))


def _without_units(text: str) -> list[str]:
    return sorted(token for token in _tokens(text) if token not in UNIT_WORDS)


def _same_value(one: str, two: str) -> bool:
    bare = [re.sub(r"[\W_]" if len(text) > 25 else r"[\s$€£*]", "", text.casefold()) for text in (one, two)]
    return bare[0] == bare[1]


def _is_there(found: FoundCell, marked: MarkedCell) -> bool:
    if not _same_value(found.text, marked.value):
        return False
    if found.box is None:
        return True
    left, top, right, bottom = found.box
    return left - 3 <= marked.middle[0] <= right + 3 and top - 3 <= marked.middle[1] <= bottom + 3


def strictly(found: FoundCell, marked: MarkedCell) -> tuple[bool, bool, bool, bool]:
    """Return whether row, column, unit and period are right."""
    row = "".join(_tokens(marked.row))
    heads, wanted = _without_units(found.heads), _without_units(marked.column)
    words = {"the", "for", "of", "as", "at"}
    periods = [set(_tokens(text)) - words for text in (found.period, marked.period)]
    return (
        row in {"".join(_tokens(label)) for label in found.labels},
        wanted in (heads, sorted(heads + _without_units(found.label_head))),
        found.unit == marked.unit,
        periods[0] == periods[1],
    )


def score(found: Sequence[FoundCell], marked: MarkedCell) -> dict[str, float]:
    """Return what is right of the best cell with a marked cell's value: 1.0 or 0.0 by name."""
    there = [cell for cell in found if _is_there(cell, marked)]
    best = max((strictly(cell, marked) for cell in there), key=sum, default=(False,) * 4)
    head = any(
        "".join(_tokens(marked.row)) in {"".join(_tokens(label)) for label in cell.labels}
        and set(_without_units(marked.column)) <= set(_tokens(f"{cell.heads} {cell.label_head}"))
        for cell in there
    )
    names = ("row", "column", "unit", "period")
    right = {name: float(value) for name, value in zip(names, best, strict=True)}
    return {"value": float(bool(there)), **right, "right": float(all(best)), "heads": float(head)}


def measured(tables: Sequence[dict[str, Any]], read: Reader) -> tuple[dict[str, list[float]], list[float]]:
    """Return the scores of all marked cells, by name, and the seconds that each page took."""
    scores: dict[str, list[float]] = {}
    seconds: list[float] = []
    for table in tables:
        file = evaluation_data() / table["set"] / "documents" / table["document"]
        with pypdfium2.PdfDocument(file) as document:
            marked = list(marked_cells(table, words_on(document[table["page"] - 1])))
        began = time.perf_counter()
        found = read(file, table["page"])
        seconds.append(time.perf_counter() - began)
        for cell in marked:
            for name, value in score(found, cell).items():
                scores.setdefault(name, []).append(value)
    return scores, seconds


def results(tables: Sequence[dict[str, Any]], peers: Sequence[str]) -> Iterator[Result]:
    for part in PARTS:
        own = [table for table in tables if table["part"] == part]
        scores, seconds = measured(own, read_ours)
        for name in STRICT:
            yield figure(f"{part}/{name}", "share", [statistics.mean(scores[name])])
        heads = [statistics.mean(scores["heads"])]
        yield figure(f"{part}/heads", "share", heads)
        yield figure(f"{part}/tables", "tables", [len(own)])
        yield figure(f"{part}/cells", "cells", [len(scores["value"])])
        for peer in peers:
            theirs, times = measured(own, PEERS[peer])
            yield compare(f"{part}/heads/{peer}", "share", heads, [statistics.mean(theirs["heads"])], peer)
            yield compare(f"{part}/seconds/{peer}", "s a page", seconds, times, peer)


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--peers", action="store_true", help="compare with the libraries that are installed")
    given = parser.parse_args()
    stay_offline()
    tables = [json.loads(line) for line in MARKS.read_text(encoding="utf-8").splitlines()]
    peers = [name for name in PEERS if given.peers and find_spec(name)]
    if given.peers and not peers:
        sys.exit(f"none of these is installed: {', '.join(PEERS)}")
    if given.quick:
        tables = [table for part in PARTS for table in tables if table["part"] == part][
            :: len(tables) // QUICK
        ]
    publish(list(results(tables, peers)), {"marks": MARKS.name}, given.json)


if __name__ == "__main__":
    main()
