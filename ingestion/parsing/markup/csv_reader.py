"""CSV and TSV files."""

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Literal

from ingestion.documents import Status
from ingestion.parsing.encodings.decoding import decode
from ingestion.parsing.frames import Frame, RefusalError
from ingestion.parsing.limits import ParseLimits
from ingestion.parsing.shared.page_writer import PageWriter
from ingestion.parsing.shared.tables import Row, record_lines

_SAMPLE_CHARACTERS = 64 * 1024  # to find the separator in
_SEPARATORS = ",;\t|"


def read_csv(path: Path, limits: ParseLimits, *, encoding: str | None = None) -> Iterator[Frame]:
    """Read a CSV or TSV file: each row becomes a paragraph, so that no passage ends within a row.

    Raises:
        RefusalError: The file is binary or broken, or larger than the limits.
    """
    decoded = decode(path, told=encoding)
    yield from decoded.warnings
    text = decoded.text
    writer = PageWriter(path.name, limits)
    try:
        _write_rows(writer, _rows(text, path, limits, csv.QUOTE_MINIMAL))
    except csv.Error:
        # A field longer than a page: its quotation mark never closes. Then the mark is a plain character.
        writer = PageWriter(path.name, limits)
        try:
            _write_rows(writer, _rows(text, path, limits, csv.QUOTE_NONE))
        except csv.Error as error:
            raise RefusalError(
                Status.CORRUPT, f"{path.name!r} cannot be read as a table ({error}); save it again as CSV"
            ) from error
    yield from writer.frames(None)


def _write_rows(writer: PageWriter, rows: Iterator[Row]) -> None:
    for line in record_lines(rows, may_lack_names=True):
        writer.block(line)


def _rows(text: str, path: Path, limits: ParseLimits, quoting: Literal[0, 3]) -> Iterator[Row]:
    separator = "\t" if path.suffix.lower() == ".tsv" else None
    first, _, rest = text.partition("\n")
    if (told := re.fullmatch(r'"?sep=(.)"?\r?', first)) is not None:  # Excel's own mark
        separator, text = told.group(1), rest
    csv.field_size_limit(limits.max_page_characters)
    return csv.reader(io.StringIO(text, newline=""), delimiter=separator or _separator(text), quoting=quoting)


def _separator(text: str) -> str:
    """The separator that makes the most rows equally wide; a comma if none makes columns."""
    sample = text[:_SAMPLE_CHARACTERS]
    if len(sample) < len(text):
        sample = sample[: sample.rfind("\n") + 1] or sample
    best, best_score = ",", (0.0, 0)
    for separator in _SEPARATORS:
        try:
            rows = islice(csv.reader(io.StringIO(sample, newline=""), delimiter=separator), 200)
            widths = Counter(len(row) for row in rows if row)
        except csv.Error:
            continue
        columns = Counter({width: count for width, count in widths.items() if width > 1})
        if columns:
            width, count = columns.most_common(1)[0]
            best, best_score = max(
                (best, best_score), (separator, (count / widths.total(), width)), key=lambda item: item[1]
            )
    return best
