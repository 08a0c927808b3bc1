"""Jupyter notebooks: text as Markdown, code and its printed results as they stand."""

import re
from collections.abc import Iterator
from pathlib import Path

from ingestion.documents import Status
from ingestion.parsing.encodings.decoding import decode
from ingestion.parsing.frames import Frame, RefusalError
from ingestion.parsing.limits import ParseLimits
from ingestion.parsing.markup.markdown import write_markdown
from ingestion.parsing.shared.missing_content import MissingContent
from ingestion.parsing.shared.page_writer import PageWriter
from ingestion.parsing.structured.json_reader import broken, too_deep
from ingestion.parsing.structured.json_values import (
    BrokenJsonError,
    DeepJsonError,
    JsonObject,
    JsonValue,
    parse_json,
)

# Colours of a terminal.
_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_PICTURES = "image/"
# How notebooks before format 4 name what they show, beside "text", "html" and "png".
_OLD_NAMES = {
    "text": "text/plain",
    "html": "text/html",
    "png": "image/png",
    "jpeg": "image/jpeg",
    "svg": "image/svg",
}


def read_notebook(path: Path, limits: ParseLimits, *, encoding: str | None = None) -> Iterator[Frame]:
    """Read a notebook of format 3 or 4. Pictures among its results are counted in a warning.

    Raises:
        RefusalError: The file is no notebook, nested too deeply, or larger than the limits.
    """
    decoded = decode(path, told=encoding)
    yield from decoded.warnings
    try:
        notebook = parse_json(decoded.text)
    except BrokenJsonError as error:
        raise broken(path.name, error) from error
    except DeepJsonError as error:
        raise too_deep(path.name) from error
    cells = _cells(notebook)
    if cells is None:
        raise RefusalError(
            Status.CORRUPT,
            f"{path.name!r} is JSON, but no notebook: it has no list of cells; rename it to end in .json",
        )
    writer = PageWriter(path.name, limits)
    shown = _CellWriter(writer, path.name)
    for cell in cells:
        shown.write(cell)
    shown.missing.warn()
    yield from writer.frames(None)


def _cells(notebook: JsonValue) -> list[JsonValue] | None:
    if not isinstance(notebook, JsonObject):
        return None
    cells = notebook.get("cells")
    if isinstance(cells, list):
        return cells
    sheets = notebook.get("worksheets")
    if not isinstance(sheets, list):
        return None
    found: list[JsonValue] = []
    for sheet in sheets:
        inner = sheet.get("cells") if isinstance(sheet, JsonObject) else None
        found += inner if isinstance(inner, list) else []
    return found


class _CellWriter:
    """Writes cells one below the other."""

    def __init__(self, writer: PageWriter, name: str) -> None:
        self._writer = writer
        self._name = name
        self.missing = MissingContent(writer)

    def write(self, cell: JsonValue) -> None:
        if not isinstance(cell, JsonObject):
            self.missing.note("damaged cells")
            return
        source = _joined(cell.get("source"))
        match cell.get("cell_type"):
            case "markdown":
                self._write_markdown(source)
            case "heading":
                level = str(cell.get("level"))
                self._writer.heading(source, int(level) if re.fullmatch("[1-6]", level) else 1)
            case "code":
                self._writer.block(source or _joined(cell.get("input")))
                outputs = cell.get("outputs")
                for output in outputs if isinstance(outputs, list) else ():
                    self._write_output(output)
            case _:
                self._writer.block(source)
        attached = cell.get("attachments")
        for name, _ in attached if isinstance(attached, JsonObject) else ():
            self.missing.note("pictures", name)

    def _write_markdown(self, source: str) -> None:
        source = source.replace("\r\n", "\n").replace("\r", "\n").replace("\f", "\n")
        for _ in write_markdown(source, self._writer, self._name):
            self.missing.note("pictures")

    def _write_output(self, output: JsonValue) -> None:
        if not isinstance(output, JsonObject):
            self.missing.note("damaged results")
            return
        if name := _joined(output.get("ename")):
            self._writer.block(f"{name}: {_plain(output.get('evalue'))}")
        elif output.get("output_type") == "stream":
            self._writer.block(_plain(output.get("text")))
        else:
            data = output.get("data")
            self._write_data(data if isinstance(data, JsonObject) else _old_data(output))

    def _write_data(self, data: JsonObject) -> None:
        """Write the form of a result that has the most structure, and count what is no text."""
        page = _joined(data.get("text/html"))
        plain = _plain(data.get("text/plain"))
        if "<table" in page:
            self._write_page(page)
        elif markdown := _joined(data.get("text/markdown")):
            self._write_markdown(markdown)
        elif not any(name.startswith(_PICTURES) for name, _ in data):
            if page and not plain:
                self._write_page(page)
            self._writer.block(plain)
        kinds = [name for name, _ in data]
        if any(kind.startswith(_PICTURES) for kind in kinds):
            self.missing.note("pictures among the results")
        elif kinds and not any(kind.startswith("text/") for kind in kinds):
            self.missing.note("results that are no text", kinds[0])

    def _write_page(self, source: str) -> None:
        from ingestion.parsing.markup.html import parse_html
        from ingestion.parsing.markup.html_writer import write_element

        root = parse_html(source, self._name)
        if root is not None:
            write_element(root, self._writer)


def _old_data(output: JsonObject) -> JsonObject:
    return JsonObject((_OLD_NAMES[name], value) for name, value in output if name in _OLD_NAMES)


def _plain(value: JsonValue) -> str:
    return _ESCAPES.sub("", _joined(value))


def _joined(value: JsonValue) -> str:
    """A text, which notebooks also write as a list of lines; "" for anything else."""
    if isinstance(value, list):
        return "".join(line for line in value if isinstance(line, str))
    return value if isinstance(value, str) else ""
