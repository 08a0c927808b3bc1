"""JSON, and JSON Lines: records as `name: value; name: value`, larger objects under headings."""

from collections.abc import Iterator
from pathlib import Path

from ingestion.documents import Status
from ingestion.parsing.encodings.decoding import decode
from ingestion.parsing.frames import Frame, RefusalError
from ingestion.parsing.limits import ParseLimits
from ingestion.parsing.shared.page_writer import LINE, PARAGRAPH, PageWriter
from ingestion.parsing.structured.json_values import (
    MAX_DEPTH,
    BrokenJsonError,
    DeepJsonError,
    JsonObject,
    JsonValue,
    parse_json,
)

# A record of so many characters is one line, so that its names and values are found together.
_LINE_CHARACTERS = 600
_NAME_CHARACTERS = 100  # a longer name is no heading
_NAMED_LINES = 5  # of lines that are no JSON, in a warning


def read_json(path: Path, limits: ParseLimits, *, encoding: str | None = None) -> Iterator[Frame]:
    """Read a JSON file. One whose lines are JSON each is read as JSON Lines.

    Raises:
        RefusalError: The file is no JSON, nested too deeply, or larger than the limits.
    """
    decoded = decode(path, told=encoding)
    yield from decoded.warnings
    try:
        value = parse_json(decoded.text)
    except BrokenJsonError as error:
        if error.reason == "Extra data" and (lines := _Lines(decoded.text)).are_json:
            yield from lines.frames(path, limits)
            return
        raise broken(path.name, error) from error
    except DeepJsonError as error:
        raise too_deep(path.name) from error
    writer = PageWriter(path.name, limits)
    _ValueWriter(writer).write(value)
    yield from writer.frames(None)


def read_json_lines(path: Path, limits: ParseLimits, *, encoding: str | None = None) -> Iterator[Frame]:
    """Read a file of JSON Lines. A line that is no JSON stays as it is, with a warning.

    Raises:
        RefusalError: No line is JSON, a line is nested too deeply, or the file is larger than the limits.
    """
    decoded = decode(path, told=encoding)
    yield from decoded.warnings
    yield from _Lines(decoded.text).frames(path, limits)


def broken(name: str, error: BrokenJsonError) -> RefusalError:
    """Return the error for a file that is no JSON."""
    return RefusalError(
        Status.CORRUPT,
        f"{name!r} is no JSON: {error.reason} in line {error.line}, column {error.column}; correct it, get a "
        "new copy, or rename it to end in .txt",
    )


def too_deep(name: str) -> RefusalError:
    """Return the error for a file that is nested too deeply."""
    return RefusalError(
        Status.FAILED,
        f"{name!r} is nested too deeply to be read (more than {MAX_DEPTH} levels); rename it to end in .txt",
    )


class _Lines:
    """The lines of a text, each a value of its own."""

    def __init__(self, text: str) -> None:
        self._lines = [line.strip("\r \t") for line in text.split("\n")]
        self._first_error: BrokenJsonError | None = None
        self._broken: list[int] = []

    @property
    def are_json(self) -> bool:
        """Whether each line is JSON."""
        try:
            for line in filter(None, self._lines):
                parse_json(line)
        except (BrokenJsonError, DeepJsonError):
            return False
        return True

    def frames(self, path: Path, limits: ParseLimits) -> Iterator[Frame]:
        writer = PageWriter(path.name, limits)
        values = _ValueWriter(writer)
        for number, line in enumerate(self._lines, 1):
            if not line:
                continue
            try:
                values.write(parse_json(line))
            except BrokenJsonError as error:
                self._first_error = self._first_error or BrokenJsonError(error.reason, number, error.column)
                self._broken.append(number)
                writer.block(line)
            except DeepJsonError as error:
                raise too_deep(path.name) from error
        if self._first_error and len(self._broken) == sum(map(bool, self._lines)):
            raise broken(path.name, self._first_error)
        if self._broken:
            named = ", ".join(map(str, self._broken[:_NAMED_LINES]))
            more = ", …" if len(self._broken) > _NAMED_LINES else ""
            count = len(self._broken)
            lines = "1 line is no JSON and stands" if count == 1 else f"{count} lines are no JSON and stand"
            writer.warn(f"{lines} in the text as written (line {named}{more}).")
        yield from writer.frames(None)


class _ValueWriter:
    """Writes values as paragraphs, and the names of large ones as headings."""

    def __init__(self, writer: PageWriter) -> None:
        self._writer = writer

    def write(self, value: JsonValue, depth: int = 0) -> None:
        """Write a value below `depth` names."""
        line = _line(value)
        if line is not None or not isinstance(value, list | JsonObject):
            self._writer.block(_text(value) if line is None else line)
        elif isinstance(value, JsonObject):
            self._write_object(value, depth)
        else:
            self._write_list(value, depth)

    def _write_list(self, values: list[JsonValue], depth: int) -> None:
        """Write each item as a paragraph, but words and numbers as lines."""
        gap = PARAGRAPH
        for value in values:
            if isinstance(value, list | JsonObject):
                self.write(value, depth)
                gap = PARAGRAPH
            else:
                self._writer.block(_text(value), gap)
                gap = LINE

    def _write_object(self, value: JsonObject, depth: int) -> None:
        """Write the short pairs as lines; then each large value under its name."""
        large = []
        gap = PARAGRAPH
        for name, inner in value:
            line = _line(inner)
            if line is None or len(name) > _NAME_CHARACTERS:
                large.append((name, inner))
            else:
                nested = _record(JsonObject([(name, inner)])) if isinstance(inner, JsonObject) else None
                self._writer.block(nested or f"{name}: {line}", gap)
                gap = LINE
        for name, inner in large:
            if not isinstance(inner, list | JsonObject):
                self._writer.block(f"{name}:")
                self._writer.block(_text(inner), LINE)
                continue
            if len(name) <= _NAME_CHARACTERS:
                self._writer.heading(name, depth + 2)  # level 1 would be the document's title
            else:
                self._writer.block(name)
            self.write(inner, depth + 1)


def _line(value: JsonValue) -> str | None:
    """A short value as one line; None for a longer one."""
    if isinstance(value, JsonObject):
        return _record(value) if value else "{}"
    if isinstance(value, list):
        return _list(value) if value else "[]"
    text = _text(value)
    return text if len(text) <= _LINE_CHARACTERS and "\n" not in text else None


def _record(record: JsonObject) -> str | None:
    """An object as `name: value; name: value`, with the names above a value joined; None for a long one."""
    parts: list[str] = []
    left = _LINE_CHARACTERS
    stack = [(name, inner) for name, inner in reversed(record[:_LINE_CHARACTERS])]
    if len(stack) < len(record):
        return None
    while stack:
        name, inner = stack.pop()
        if len(name) > left:  # also keeps the names of deep objects from growing without bound
            return None
        if isinstance(inner, JsonObject) and inner:
            if len(inner) > left:
                return None
            stack += [(f"{name} › {below[:left]}", deeper) for below, deeper in reversed(inner)]
            continue
        text = _line(inner)
        if text is None:
            return None
        parts.append(f"{name}: {text}")
        left -= len(parts[-1])
        if left < 0:
            return None
    return "; ".join(parts)


def _list(values: list[JsonValue]) -> str | None:
    """A list of words and numbers as one line; None for a long one, or one of lists and objects."""
    if len(values) > _LINE_CHARACTERS or any(isinstance(value, list | JsonObject) for value in values):
        return None
    line = ", ".join(map(_text, values))
    return line if len(line) <= _LINE_CHARACTERS and "\n" not in line else None


def _text(value: JsonValue) -> str:
    if isinstance(value, str):
        return value
    return "null" if value is None else "true" if value is True else "false"
