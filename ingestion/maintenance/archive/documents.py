"""The documents of an archive: written as JSON, and read with distrust.

Every field is checked: its type, its length or size, and that ingestion could have made it.
"""

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, astuple, dataclass, field
from datetime import datetime
from reprlib import repr as shortened
from typing import Any, Protocol

from ingestion.documents import (
    Chunk,
    FileProperties,
    Heading,
    Page,
    PageFailure,
    PageLayout,
    ParsedDocument,
    Status,
)
from ingestion.errors import InvalidInput
from ingestion.fields.values import FIELD_NAMES, FieldName, checked_field
from ingestion.storage.catalogue.rows import layout_from

_SHA256 = re.compile(r"[0-9a-f]{64}")
# As the catalogue writes it. `fromisoformat` knows more forms, which do not sort as texts.
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|\+00:00)")
_YEARS = range(1970, 9999)

# Characters. A system's names have 255 bytes and its paths 4,096; a byte that is no text becomes "\xff", and
# a document of a container has the names of both.
_LONGEST_NAME = 4_096
_LONGEST_PATH = 32_768
_LONGEST_CODE = 100  # a language, an encoding, a fingerprint
_LONGEST_TEXT = 20_000  # a title, label, heading, context, reason or warning
_MOST_PATHS = 100_000
# Pages, levels, versions, places in a text.
_LARGEST_NUMBER = 2**31 - 1
_LARGEST_COUNT = 2**62


@dataclass(frozen=True)
class ArchivedDocument:
    """One document with everything that adding it takes. `segments` are members by fingerprint; `edits` is
    what a person wrote of its fields."""

    collection: str
    name: str
    paths: tuple[str, ...]
    sha256: str
    bytes: int
    chunker: int
    language: str
    added: str
    parsed: ParsedDocument
    chunks: tuple[Chunk, ...]
    segments: Mapping[str, str]
    original: str | None
    reader: int = 1
    encoding: str | None = None
    edits: Mapping[FieldName, str] = field(default_factory=dict)


class Hashed(Protocol):
    """A member's SHA-256 and its size."""

    @property
    def sha256(self) -> str: ...
    @property
    def bytes(self) -> int: ...


class Contents(Protocol):
    """What an archive's manifest says of the documents."""

    @property
    def collections(self) -> tuple[str, ...]: ...
    @property
    def representations(self) -> tuple[str, ...]: ...
    @property
    def members(self) -> Mapping[str, Hashed]: ...


def document_json(document: ArchivedDocument, fingerprints: Sequence[str]) -> dict[str, Any]:
    """The inverse of `document_from`. A chunk's text is not repeated: its page has it."""
    parsed = document.parsed
    return {
        "collection": document.collection,
        "name": document.name,
        "paths": list(document.paths),
        "sha256": document.sha256,
        "bytes": document.bytes,
        "chunker": document.chunker,
        "language": document.language,
        "added": document.added,
        "status": str(parsed.status),
        "error": parsed.error,
        "title": parsed.title,
        "page_count": parsed.page_count,
        "pages": [
            [page.number, page.text, page.label, page.layout and asdict(page.layout)] for page in parsed.pages
        ],
        "warnings": list(parsed.warnings),
        "reader": document.reader,
        "encoding": document.encoding,
        "failures": [[failure.number, failure.reason] for failure in parsed.failures],
        "headings": [[h.title, h.level, h.page, h.start] for h in parsed.headings],
        "chunks": [[c.page, c.start, c.end, c.heading, c.context] for c in document.chunks],
        "segments": {str(fingerprints.index(key)): member for key, member in document.segments.items()},
        "original": document.original,
        "properties": list(astuple(parsed.properties)),
        "edits": dict(document.edits),
    }


def document_from(fields: Mapping[str, Any], manifest: Contents) -> ArchivedDocument:
    """Read a document.

    Raises:
        ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError, RecursionError: A field is
            not what ingestion could have made.
    """
    pages = tuple(_page(*values) for values in fields["pages"])
    by_number = {page.number: page.text for page in pages}
    if len(by_number) != len(pages):
        raise ValueError("two pages have one number")
    chunks = tuple(_chunk(ordinal, by_number, *values) for ordinal, values in enumerate(fields["chunks"]))
    segments = {
        manifest.representations[_number(int(place))]: text_of(member, "a segment", _LONGEST_CODE)
        for place, member in fields["segments"].items()
    }
    if len(fields["paths"]) > _MOST_PATHS:
        raise ValueError(f"it has {len(fields['paths'])} paths")
    document = ArchivedDocument(
        collection=text_of(fields["collection"], "collection", _LONGEST_NAME),
        name=text_of(fields["name"], "name", _LONGEST_NAME),
        paths=tuple(text_of(path, "path", _LONGEST_PATH) for path in fields["paths"]),
        sha256=text_of(fields["sha256"], "sha256", _LONGEST_CODE),
        bytes=count_of(fields["bytes"]),
        chunker=_number(fields["chunker"]),
        language=text_of(fields["language"], "language", _LONGEST_CODE),
        added=_moment(fields["added"]),
        parsed=_parsed(fields, pages),
        chunks=chunks,
        segments=segments,
        original=_optional(fields["original"], "original", _LONGEST_CODE),
        reader=_number(fields.get("reader", 1)),
        encoding=_optional(fields.get("encoding"), "encoding", _LONGEST_CODE),
        edits=_edits(fields.get("edits", {})),
    )
    _check(document, manifest)
    return document


def _parsed(fields: Mapping[str, Any], pages: tuple[Page, ...]) -> ParsedDocument:
    return ParsedDocument(
        status=Status(text_of(fields["status"], "status", _LONGEST_CODE)),
        error=_optional(fields["error"], "error"),
        title=_optional(fields["title"], "title"),
        page_count=_number(fields["page_count"]),
        pages=pages,
        failures=tuple(PageFailure(_number(n), text_of(why, "a failure")) for n, why in fields["failures"]),
        headings=tuple(
            Heading(text_of(title, "a heading"), _number(level), _number(page), _number(start))
            for title, level, page, start in fields["headings"]
        ),
        warnings=tuple(text_of(one, "a warning") for one in fields.get("warnings", ())),
        properties=FileProperties(*(text_of(one, "a property") for one in fields.get("properties", ()))),
    )


def _edits(fields: Mapping[str, Any]) -> dict[FieldName, str]:
    """Read what a person wrote of a document's fields."""
    known: dict[str, FieldName] = {name: name for name in FIELD_NAMES}
    try:
        return {known[name]: checked_field(known[name], text_of(text, name)) for name, text in fields.items()}
    except InvalidInput as error:
        raise ValueError(str(error)) from error


def _check(document: ArchivedDocument, manifest: Contents) -> None:
    if document.collection not in manifest.collections:
        raise ValueError(f"its collection {document.collection!r} is not in the manifest")
    if not document.paths or not all(document.paths) or not document.name:
        raise ValueError("it has no path or no name")
    if not _SHA256.fullmatch(document.sha256):
        raise ValueError(f"{document.sha256!r} is no SHA-256")
    if document.parsed.status not in (Status.OK, Status.PARTIAL) or not document.parsed.pages:
        raise ValueError("it has no text")
    for member in document.segments.values():
        if not member.startswith("segments/") or member not in manifest.members:
            raise ValueError(f"{member!r} is none of its segments")
    if document.original is not None:
        original = manifest.members[document.original]
        if document.original != f"originals/{document.sha256}" or original.sha256 != document.sha256:
            raise ValueError("its original is not the document's")
        if original.bytes != document.bytes:
            raise ValueError(f"its original has {original.bytes} bytes and should have {document.bytes}")


def _page(number: object, text: object, label: object, layout: Any) -> Page:
    """Read a page. Its text is as long as it is: the size of the whole document is bounded."""
    if _number(number) < 1:
        raise ValueError("it has a page 0")
    found = None if layout is None else _layout(layout)
    own = text_of(text, "a page", None)
    if found is not None and not all(0 <= cell[5] < cell[6] <= len(own) for cell in found.tables):
        raise ValueError("the layout of a page has a cell that is not in its text")
    return Page(_number(number), own, _optional(label, "a label"), found)


def _layout(fields: Any) -> PageLayout:
    layout = layout_from(json.dumps(fields))
    assert layout is not None
    measures = [layout.width, layout.height, *(number for word in layout.words for number in word)]
    if any(len(word) != 6 for word in layout.words):
        raise ValueError("the layout of a page has a word without a box")
    if any(len(cell) != 7 for cell in layout.tables):
        raise ValueError("the layout of a page has a cell without a place")
    if not all(isinstance(one, int | float) and math.isfinite(one) for one in measures):
        raise ValueError("the layout of a page has measures that are no numbers")
    for number in (*(one for run in layout.runs for one in run), *(n for w in layout.words for n in w[:2])):
        _number(number)
    return layout


def _chunk(
    ordinal: int, pages: Mapping[int, str], page: Any, start: Any, end: Any, heading: Any, context: Any
) -> Chunk:
    text = pages[_number(page)]
    if not 0 <= _number(start) <= _number(end) <= len(text):
        raise ValueError(f"chunk {ordinal + 1} is not on its page")
    found = _optional(heading, "a chunk's heading"), text_of(context, "a chunk's context")
    return Chunk(ordinal, page, start, end, text[start:end], *found)


def text_of(value: object, what: str, longest: int | None = _LONGEST_TEXT) -> str:
    """Return a text that can be stored. Raises ValueError, TypeError naming `what` it is."""
    if not isinstance(value, str):
        raise TypeError(f"{what} is {shortened(value)}, which is no text")
    if longest is not None and len(value) > longest:
        raise ValueError(f"{what} has {len(value)} characters, and the limit is {longest}")
    if "\0" in value:
        raise ValueError(f"{what} holds NUL: {shortened(value)}")
    value.encode()  # half a surrogate pair can be written in JSON, and not stored
    return value


def _optional(value: object, what: str, longest: int | None = _LONGEST_TEXT) -> str | None:
    return None if value is None else text_of(value, what, longest)


def _moment(value: object) -> str:
    moment = text_of(value, "added", _LONGEST_CODE)
    try:
        year = datetime.fromisoformat(moment).year if _MOMENT.fullmatch(moment) else 0
    except ValueError:
        year = 0
    if year not in _YEARS:
        raise ValueError(f"added is {shortened(moment)}, which is no moment like 2026-01-31T12:00:00+00:00")
    return moment


def count_of(value: object, largest: int = _LARGEST_COUNT) -> int:
    """Return a number of bytes or things. Raises ValueError."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < largest:
        raise ValueError(f"{shortened(value)} is no count")
    return value


def _number(value: object) -> int:
    return count_of(value, _LARGEST_NUMBER)
