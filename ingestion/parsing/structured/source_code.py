"""Source code: its lines as they stand, so that a citation can name them."""

from collections.abc import Iterator
from pathlib import Path

from ingestion.documents import Page, Status
from ingestion.parsing.encodings.decoding import decode
from ingestion.parsing.frames import Frame, PageCount, PageLabel, RefusalError, TextDone
from ingestion.parsing.limits import ParseLimits
from ingestion.parsing.shared.hidden_text import HiddenText
from ingestion.parsing.shared.page_writer import PART_CHARACTERS, parts
from ingestion.text.cleaning import clean
from ingestion.text.line_numbers import lines_label

# Signs that `clean` makes line breaks of, and that no editor counts as one.
_NO_LINE_BREAKS = str.maketrans(dict.fromkeys("\f\v\x85\u2028\u2029", " "))


def read_source_code(path: Path, limits: ParseLimits, *, encoding: str | None = None) -> Iterator[Frame]:
    """Read a file of source code. Long files are cut into pages between blocks; a page's label has its lines.

    Raises:
        RefusalError: The file is binary or broken, or larger than the limits.
    """
    decoded = decode(path, told=encoding)
    yield from decoded.warnings
    raw = decoded.text.replace("\r\n", "\n").replace("\r", "\n").translate(_NO_LINE_BREAKS)
    hidden = HiddenText()
    text = clean(raw)
    spans = list(parts(text, min(PART_CHARACTERS, limits.max_page_characters)))
    if len(spans) > limits.max_pages or len(text) > limits.max_characters:
        raise RefusalError(
            Status.TOO_LARGE,
            f"{path.name!r} has {len(text)} characters in {len(spans)} parts, and the limits are "
            f"{limits.max_characters} and {limits.max_pages}; split the file",
        )
    hidden.look_at(raw, 1)
    yield PageCount(len(spans))
    for number, (start, end) in enumerate(spans, 1):
        yield Page(number, text[start:end])
    yield from hidden.warnings()
    yield TextDone()
    line = 1
    for number, (start, end) in enumerate(spans, 1):
        breaks = text.count("\n", start, end)
        ends_line = text.endswith("\n", start, end)
        yield PageLabel(number, lines_label(line, line + max(0, breaks - ends_line)))
        line += breaks
