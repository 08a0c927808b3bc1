"""Tables for reports, and for other programs, whose cells no spreadsheet evaluates.

A spreadsheet takes a cell for a formula by its first character, and a formula may read files, ask servers and
start programs. Questions, ids and names of models come from documents and from other people's data sets.
"""

import csv
import io
from collections.abc import Iterable, Sequence

# Spreadsheets skip white space before these; East Asian ones know the wide forms as well.
_FORMULA = tuple("=+-@|＝＋－＠｜")


def csv_of(head: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    """Return a table with commas. Numbers stay numbers; every text is a text in a spreadsheet."""
    stream = io.StringIO()
    writer = csv.writer(stream)
    writer.writerows([literal(value) for value in row] for row in (head, *rows))
    return stream.getvalue()


def tsv_of(rows: Iterable[Iterable[object]]) -> str:
    """Return a table with tabs, without quotes; white space within a text becomes a space."""
    cells = ([" ".join(str(literal(value)).split()) for value in row] for row in rows)
    return "".join("\t".join(row) + "\n" for row in cells)


def id_of(name: str) -> str:
    """Return a name as an id, by which tables refer to each other: white space, and what begins a formula,
    is written as in a URL."""
    joined = "%20".join(name.split())
    if not joined.startswith(_FORMULA):
        return joined
    return "".join(f"%{byte:02X}" for byte in joined[0].encode()) + joined[1:]


def markdown_table(head: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    """Return a table whose cells are Markdown."""
    return "".join(f"| {' | '.join(line)} |\n" for line in (head, ["---"] * len(head), *lines))


def markdown_text(text: str) -> str:
    """Return text as Markdown that shows it literally, in one line."""
    line = "".join(f"\\{c}" if c in "\\`*_{}[]<>()|&~$" else c for c in " ".join(text.split()))
    return f"\\{line}" if line.startswith(("#", "+", "-", "=")) else line


def literal(value: object) -> object:
    """Return text that a spreadsheet shows instead of evaluating it; other values as they are."""
    if not isinstance(value, str):
        return value
    begins = value.lstrip()
    dangerous = begins.startswith(_FORMULA) or value.startswith(("\t", "\r", "\n"))
    return f"'{value}" if dangerous else value
