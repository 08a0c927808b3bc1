"""Workbooks (.xlsx), inside the child process: one page a sheet, its rows as records.

openpyxl reads them, because a date in a cell is a number that only the styles tell from others.
"""

import datetime as dt
import math
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import openpyxl

from ingestion.parsing.archive import BROKEN, OfficePackage
from ingestion.parsing.cleaning import sensible_title
from ingestion.parsing.frames import Frame
from ingestion.parsing.limits import ParseLimits
from ingestion.parsing.pages import PageWriter
from ingestion.parsing.tables import record_lines

# What openpyxl raises on broken parts; expat's ParseError is a SyntaxError.
_BROKEN_PARTS = (ValueError, KeyError, TypeError, AttributeError, IndexError, SyntaxError)


def read_xlsx(path: Path, limits: ParseLimits) -> Iterator[Frame]:
    """The frames of a workbook: the values as they were last computed, formulas are not.

    Raises:
        RefusalError: The file is broken, of another kind, protected, or larger than the limits.
    """
    package = OfficePackage(path, limits)
    package.main_part("workbook")
    package.check_unpacked_size()
    writer = PageWriter(path.name, limits)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # openpyxl tells of what would be lost on saving
        try:
            with path.open("rb") as file:
                _write_book(file, writer)
        except (*BROKEN, *_BROKEN_PARTS) as error:
            raise package.corrupt(f"{type(error).__name__}: {error}") from error
    yield from writer.frames(sensible_title(package.title()))


def _write_book(file: BinaryIO, writer: PageWriter) -> None:
    book = openpyxl.load_workbook(file, read_only=True, data_only=True, keep_links=False)
    try:
        for sheet in book.worksheets:
            sheet.reset_dimensions()  # the file's own word for it, which may be a million empty rows
            lines = record_lines(
                [_shown(value) for value in row] for row in sheet.iter_rows(values_only=True)
            )
            first = next((line for line in lines if line), None)
            if first is None:
                continue
            writer.heading(sheet.title, 1)
            writer.block(first)
            for line in lines:
                writer.block(line)
            writer.end_page()
    finally:
        book.close()


def _shown(value: object) -> str:
    """A cell's value as text: dates as ISO 8601, whole numbers without a decimal point."""
    match value:
        case None:
            return ""
        case bool():
            return str(value).upper()
        case float() if math.isfinite(value) and value.is_integer() and abs(value) < 1e15:
            return str(int(value))
        case float():
            return f"{value:.12g}"  # 0.1 + 0.2 is shown as 0.3, as in the program
        case dt.datetime() if value.time() == dt.time():
            return str(value.date())
        case _:
            return str(value)
