"""What the catalogue's tables hold, as values."""

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ingestion.documents import Status
from ingestion.text.line_numbers import first_line
from ingestion.text.names import composed, name_of

# The one representation that every library has: the built-in encoder's.
BUILTIN = 1


@dataclass(frozen=True, slots=True)
class Document:
    """One document of a collection, as the catalogue knows it. `added` is UTC in ISO 8601.

    `chunker` and `language` decide its chunks and the terms that BM25 knows it by; `reader` is the version
    of the parsers that made its text, `encoding` what a person said of it. `warnings` say what the text
    lacks. `paths` are all that its bytes were ingested from, `path` first. `label` is what people see: the
    name, with as many of its folders as tell it from the other documents of that name in its collection.
    """

    id: str
    collection: str
    collection_id: int
    name: str
    path: str
    title: str | None
    sha256: str
    bytes: int
    status: Status
    error: str | None
    pages: int
    pages_failed: int
    chunks: int
    version: int
    chunker: int
    language: str
    added: str
    warnings: tuple[str, ...] = ()
    reader: int = 1
    encoding: str | None = None
    # What may change while the document stays as it is.
    paths: tuple[str, ...] = field(default=(), compare=False)
    label: str = field(default="", compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "paths", self.paths or (self.path,))
        object.__setattr__(self, "label", self.label or self.name)

    @property
    def names(self) -> tuple[str, ...]:
        """All names of the document's files, its own first."""
        return tuple(dict.fromkeys((self.name, *map(name_of, self.paths))))

    def called(self, name: str) -> tuple[str, ...]:
        """Return those of `paths` that a person means by a name, a path, or the end of a path."""
        end = composed(name).removeprefix("./")
        return tuple(
            path
            for path in self.paths
            if end in (composed(path), name_of(path)) or _ends(composed(path), end)
        )

    def chunk_ids(self) -> list[str]:
        return [chunk_id(self.id, self.version, ordinal) for ordinal in range(self.chunks)]


def _ends(path: str, end: str) -> bool:
    """Return whether whole parts of the path are `end`."""
    return bool(end) and path.endswith("/" + end)


@dataclass(frozen=True, slots=True)
class StoredChunk:
    """A visible chunk with what is needed to show and cite it. `document` is the document's label."""

    id: str
    document_id: str
    document: str
    collection: str
    ordinal: int
    page: int
    start: int
    end: int
    heading: str | None
    context: str
    text: str

    @property
    def is_code(self) -> bool:
        """Whether it is source code, whose heading names its lines: every line end counts."""
        return first_line(self.heading) is not None


@dataclass(frozen=True, slots=True)
class Scope:
    """Where to search: collections, and within them only `documents` and `pages` unless these are None.

    `pages` is the first and the last page, counted from 1. An empty set of documents means that
    nothing is searched, never that everything is.
    """

    collections: tuple[int, ...]
    documents: frozenset[str] | None = None
    pages: tuple[int, int] | None = None


RepresentationState = Literal["building", "ready", "retired"]


@dataclass(frozen=True, slots=True)
class Representation:
    """A model's reading of every chunk: single vectors in Chroma ("cls", "mean"), tokens in segments.

    `source` is "builtin", a folder or a hub name. `scales` are the int8 scales of its token vectors.
    "building" is not searched yet, "retired" not any more.
    """

    id: int
    name: str
    source: str
    vector_kinds: tuple[str, ...]
    fingerprint: str
    dimension: int
    token_dimension: int
    codec: str
    scales: NDArray[np.float32] | None
    state: RepresentationState


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """Vectors that may lie somewhere without belonging there.

    "add" and "remove" are a document version's, in every representation; "encode" is a version's in the
    one representation that its only segment belongs to. `segments` are (representation id, file).
    """

    id: int
    kind: Literal["add", "remove", "encode"]
    collection_id: int
    document_id: str
    version: int
    chunks: int
    segments: tuple[tuple[int, str], ...]
    sha256: str

    def chunk_ids(self) -> list[str]:
        return [chunk_id(self.document_id, self.version, ordinal) for ordinal in range(self.chunks)]


def chunk_id(document_id: str, version: int, ordinal: int) -> str:
    """Return a chunk's id in every store. It carries the version, so that retiring an old version
    can never touch the new one."""
    return f"{document_id}:{version}:{ordinal}"


def document_of_chunk(chunk: str) -> str:
    """Return the document's id in a chunk's id."""
    return chunk.rsplit(":", 2)[0]
