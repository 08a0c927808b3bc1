"""Workbooks (.xlsx): one page a sheet, rows as records, cells as they look.

openpyxl reads values and their formats; `sheets` reads what openpyxl leaves out.
"""

import datetime as dt
import math
import warnings
from collections.abc import Iterator, Sequence
from itertools import zip_longest
from pathlib import Path
from typing import Any, BinaryIO

import openpyxl
from openpyxl.utils import get_column_letter

from ingestion.parsing.frames import MAX_WARNINGS, FileWarning, Frame
from ingestion.parsing.limits import ParseLimits
from ingestion.parsing.office.date_formats import shown_moment
from ingestion.parsing.office.number_formats import shown_number, shown_text
from ingestion.parsing.office.sheets import Place, SheetExtras, read_extras, sheet_parts
from ingestion.parsing.shared.page_writer import LINE, PageWriter
from ingestion.parsing.shared.tables import record_lines
from ingestion.parsing.shared.zip_archive import BROKEN, OfficePackage
from ingestion.text.cleaning import sensible_title

# Exceptions of openpyxl on broken parts; expat's ParseError is a SyntaxError.
_BROKEN_PARTS = (ValueError, KeyError, TypeError, AttributeError, IndexError, SyntaxError)

_MOST_TITLES = 3
_MOST_COLUMNS = 16_384
_NAMED = 5  # cells, rows or columns in a warning; the rest is counted


def read_xlsx(path: Path, limits: ParseLimits) -> Iterator[Frame]:
    """Read a workbook: the last computed values in the formats of their cells.

    Raises:
        RefusalError: The file is broken, of another kind, protected, or larger than the limits.
    """
    package = OfficePackage(path, limits)
    sheets = list(sheet_parts(package))
    package.check_unpacked_size()
    writer = PageWriter(path.name, limits)
    notices: list[str] = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # openpyxl warns of content that saving would lose
        try:
            with path.open("rb") as file:
                _write_book(file, package, sheets, writer, notices)
        except (*BROKEN, *_BROKEN_PARTS) as error:
            raise package.corrupt(f"{type(error).__name__}: {error}") from error
    yield from map(FileWarning, notices[:MAX_WARNINGS])
    yield from writer.frames(sensible_title(package.title()), package.properties())


def _write_book(
    file: BinaryIO,
    package: OfficePackage,
    sheets: Sequence[tuple[str, str, str]],
    writer: PageWriter,
    notices: list[str],
) -> None:
    parts = {title: (part, state) for title, part, state in sheets}
    book = openpyxl.load_workbook(file, read_only=True, data_only=True, keep_links=False)
    try:
        for sheet in book.worksheets:
            sheet.reset_dimensions()  # the declared size may be a million empty rows
            part, state = parts.get(sheet.title, ("", "visible"))
            shown = _Worksheet(sheet, read_extras(package, part) if part else SheetExtras())
            lines = record_lines(shown.rows())
            first = next((line for line in lines if line), None)
            if first is None:
                continue
            writer.heading(f"{sheet.title} (hidden sheet)" if state != "visible" else sheet.title, 1)
            writer.block(first)
            for line in lines:
                writer.block(line)
            for line in shown.notes_apart:
                writer.block(line, LINE)
            if state != "visible":
                notices.append(f"The sheet {sheet.title!r} is hidden in the workbook; its text is here.")
            notices += shown.notices()
            writer.end_page()
    finally:
        book.close()


class _Worksheet:
    """A sheet's rows as a spreadsheet program shows them."""

    def __init__(self, sheet: Any, extras: SheetExtras) -> None:
        self._sheet = sheet
        self._extras = extras
        self._merged: dict[Place, str] = {}
        self._begun = False
        self._titles = 0
        self._uncomputed: list[str] = []
        self._hidden_rows: list[int] = []
        self.notes_apart: list[str] = []

    def rows(self) -> Iterator[list[str]]:
        """Yield the rows; a row of names over several columns is joined with the row below."""
        above: list[str] | None = None
        for number, cells in enumerate(self._sheet.iter_rows(), 1):
            row = self._row(number, cells)
            if not any(row):
                yield row
                continue
            if number in self._extras.hidden_rows:
                self._hidden_rows.append(number)
            if above is not None:
                row = _joined(above, row)
                above = None
            elif not self._begun and self._has_names_over_columns(number, row):
                above = row
                continue
            # A title above the names is one cell. A row of a list is one cell, too, but a sheet has few
            # titles.
            self._titles += 1
            self._begun = (
                self._begun or len({cell for cell in row if cell}) > 1 or self._titles > _MOST_TITLES
            )
            yield row
        if above is not None:
            yield above

    def _has_names_over_columns(self, number: int, row: list[str]) -> bool:
        return number in self._extras.wide_rows and len({cell for cell in row if cell}) > 1

    def _row(self, number: int, cells: Sequence[Any]) -> list[str]:
        row = [
            "" if cell.value is None else _shown(cell.value, cell.number_format if cell.has_style else None)
            for cell in cells
        ]
        extras = self._extras
        if extras.formulas:
            self._put_formulas(number, row)
        if extras.notes or extras.links:
            self._put_notes(number, row)
        if extras.covered:
            self._repeat_merged(number, row)
        return row

    def _put_formulas(self, number: int, row: list[str]) -> None:
        for column in range(1, len(row) + 1):
            if not row[column - 1] and (formula := self._extras.formulas.get((number, column))):
                row[column - 1] = formula
                self._uncomputed.append(f"{get_column_letter(column)}{number}")

    def _put_notes(self, number: int, row: list[str]) -> None:
        for column in range(1, len(row) + 1):
            text = row[column - 1]
            added = list(self._extras.notes.get((number, column), ()))
            link = self._extras.links.get((number, column))
            if link and link not in text:
                added.insert(0, link)
            if not added:
                continue
            if self._begun or not text:
                row[column - 1] = f"{text} [{'; '.join(added)}]".strip()
            else:  # a name would carry it into every row
                place = f"{get_column_letter(column)}{number}"
                self.notes_apart.append(f"{place} ({text}): {'; '.join(added)}")

    def _repeat_merged(self, number: int, row: list[str]) -> None:
        """Repeat the value of a merged range in each of its cells, unless it is a title."""
        covered = self._extras.covered
        row += [""] * (self._extras.wide_rows.get(number, 0) - len(row))
        for column in range(1, len(row) + 1):
            if covered.get((number, column)) == (number, column):
                self._merged[number, column] = row[column - 1]
        places = [(column, covered.get((number, column))) for column in range(1, len(row) + 1)]
        own = {place or (number, column) for column, place in places if row[column - 1] or place}
        if len(own) == 1 and number in self._extras.wide_rows:
            return
        for column, place in places:
            if place is not None and not row[column - 1]:
                row[column - 1] = self._merged.get(place, "")

    def notices(self) -> Iterator[str]:
        """Warnings about hidden content and missing values; each names the sheet."""
        title = self._sheet.title
        if self._uncomputed:
            cells = _named(self._uncomputed)
            yield (
                f"The sheet {title!r} has formulas whose values the file does not hold, in {cells}; the "
                "formulas are here instead. Open and save it in a spreadsheet program."
            )
        if self._hidden_rows:
            rows = _named([str(row) for row in self._hidden_rows])
            yield f"The sheet {title!r} has hidden rows ({rows}); their text is here."
        if self._extras.hidden_columns:
            columns = _named([*map(_columns, self._extras.hidden_columns)])
            yield f"The sheet {title!r} has hidden columns ({columns}); their text is here."


def _columns(span: tuple[int, int]) -> str:
    first, last = (get_column_letter(min(max(1, end), _MOST_COLUMNS)) for end in span)
    return first if first == last else f"{first}-{last}"


def _named(items: Sequence[str]) -> str:
    shown = ", ".join(items[:_NAMED])
    return f"{shown} and {len(items) - _NAMED} more" if len(items) > _NAMED else shown


def _joined(above: Sequence[str], row: Sequence[str]) -> list[str]:
    """Join two rows of names: "2023" over "Q1" and "Q2" is "2023 Q1" and "2023 Q2"."""
    pairs = zip_longest(above, row, fillvalue="")
    return [upper if upper == lower else f"{upper} {lower}".strip() for upper, lower in pairs]


def _shown(value: object, number_format: str | None) -> str:
    """A cell's value as it is shown."""
    match value:
        case str():
            return shown_text(value, number_format)
        case bool():
            return str(value).upper()
        case int() | float() if math.isfinite(value):
            return shown_number(value, number_format)
        case dt.datetime() | dt.date() | dt.time() | dt.timedelta():
            return shown_moment(value, number_format)
        case _:
            return str(value)
