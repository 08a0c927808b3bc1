"""Numbers of a library's documents, pages and vectors, and the room that they take."""

from collections import Counter
from dataclasses import dataclass

from ingestion.library import Library
from ingestion.maintenance.compacting import StoreBytes, store_bytes
from ingestion.storage.catalogue.records import RepresentationState


@dataclass(frozen=True, slots=True)
class CollectionStats:
    """A collection's documents. `characters` are those of its chunks."""

    name: str
    documents: int
    pages: int
    chunks: int
    characters: int


@dataclass(frozen=True, slots=True)
class RepresentationStats:
    """A representation's vectors.

    Attributes:
        readings: The kinds of its vectors: "cls", "mean", "tokens".
        bytes: The size of its segments' files; `code_bytes` of these are token vectors.
        section_bytes: The bytes of each section of these files, by name.
    """

    name: str
    state: RepresentationState
    readings: tuple[str, ...]
    dimension: int
    token_dimension: int
    codec: str
    documents: int
    tokens: int
    code_bytes: int
    bytes: int
    section_bytes: dict[str, int]


@dataclass(frozen=True, slots=True)
class Stats:
    """`text_bytes` and `word_bytes` are parts of the catalogue; `languages` counts documents.

    `oldest` and `newest` are when documents were added, UTC in ISO 8601; None without any.
    """

    collections: tuple[CollectionStats, ...]
    representations: tuple[RepresentationStats, ...]
    bytes: StoreBytes
    text_bytes: int
    word_bytes: int
    languages: dict[str, int]
    oldest: str | None
    newest: str | None


def stats(library: Library) -> Stats:
    """Return the library's numbers as of now. Reads no vectors and no text."""
    documents = library.catalogue.documents()
    added = [document.added for document in documents]
    database = library.catalogue.database
    (text,) = database.rows("SELECT coalesce(sum(length(pad) + length(body)), 0) AS bytes FROM texts")
    (words,) = database.rows("SELECT coalesce(sum(length(block)), 0) AS bytes FROM chunk_index_data")
    return Stats(
        collections=_collections(library),
        representations=_representations(library),
        bytes=store_bytes(library.folder),
        text_bytes=text["bytes"],
        word_bytes=words["bytes"],
        languages=dict(Counter(document.language for document in documents).most_common()),
        oldest=min(added, default=None),
        newest=max(added, default=None),
    )


def _collections(library: Library) -> tuple[CollectionStats, ...]:
    rows = library.catalogue.database.rows(
        "SELECT n.name, count(d.id) AS documents, coalesce(sum(d.page_count), 0) AS pages, "
        "coalesce(sum(d.chunk_count), 0) AS chunks, "
        "coalesce(sum((SELECT sum(c.end - c.start) FROM chunks c WHERE c.document_id = d.id)), 0) "
        "AS characters "
        "FROM collections n LEFT JOIN documents d ON d.collection_id = n.id GROUP BY n.id ORDER BY n.name"
    )
    return tuple(CollectionStats(**dict(row)) for row in rows)


def _representations(library: Library) -> tuple[RepresentationStats, ...]:
    found: list[RepresentationStats] = []
    for opened in library.open_representations.all():
        record, sizes = opened.record, opened.tokens.sizes()
        found.append(
            RepresentationStats(
                name=record.name,
                state=record.state,
                readings=record.vector_kinds,
                dimension=record.dimension,
                token_dimension=record.token_dimension,
                codec=record.codec,
                documents=len(library.representations.documents(record.id)),
                tokens=sizes.tokens,
                code_bytes=sizes.sections.get("codes", 0),
                bytes=sizes.files,
                section_bytes=dict(sizes.sections),
            )
        )
    return tuple(found)
