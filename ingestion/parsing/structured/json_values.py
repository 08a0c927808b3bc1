"""Untrusted JSON as values: numbers as they are written, each pair of an object kept, bounded depth."""

import json
from typing import TypeAlias

MAX_DEPTH = 64  # files that people make have less than ten


class JsonObject(tuple[tuple[str, "JsonValue"], ...]):
    """The pairs of an object in order; a name may come twice."""

    __slots__ = ()

    def get(self, name: str) -> "JsonValue":
        """Return the last value of a name; None without the name."""
        return next((value for key, value in reversed(self) if key == name), None)


class JsonNumber(str):
    """A number as the file writes it: 1.50 stays 1.50."""

    __slots__ = ()


JsonValue: TypeAlias = JsonObject | list["JsonValue"] | str | bool | None


class BrokenJsonError(ValueError):
    """A text that is no JSON. `line` and `column` count from 1; `reason` is the parser's."""

    def __init__(self, reason: str, line: int, column: int) -> None:
        super().__init__(reason)
        self.reason = reason
        self.line = line
        self.column = column


class DeepJsonError(ValueError):
    """A text that is nested deeper than MAX_DEPTH."""


def parse_json(text: str) -> JsonValue:
    """Parse a text.

    Raises:
        BrokenJsonError: It is no JSON.
        DeepJsonError: It is nested too deeply.
    """
    try:
        value: JsonValue = json.loads(
            text,
            object_pairs_hook=JsonObject,
            parse_int=JsonNumber,
            parse_float=JsonNumber,
            parse_constant=JsonNumber,
        )
    except json.JSONDecodeError as error:
        raise BrokenJsonError(error.msg, error.lineno, error.colno) from error
    except RecursionError as error:
        raise DeepJsonError from error
    if _is_deep(value):
        raise DeepJsonError
    return value


def _is_deep(value: JsonValue) -> bool:
    layer = [value]
    for _ in range(MAX_DEPTH):
        layer = [inner for one in layer for inner in children(one)]
        if not layer:
            return False
    return True


def children(value: JsonValue) -> list[JsonValue]:
    """Return the values inside an object or a list; none inside another value."""
    if isinstance(value, JsonObject):
        return [inner for _, inner in value]
    return value if isinstance(value, list) else []
