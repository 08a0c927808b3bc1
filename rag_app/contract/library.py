"""Collections, statistics of the library, and the results of its maintenance tasks."""

from pydantic import Field

from rag_app.contract.schema import Fields, Response


class CollectionFields(Fields):
    """A collection and how much is in it."""

    name: str
    documents: int
    pages: int
    chunks: int
    created: str
    instructions: str = Field(
        description="what it asks of a language model about the form of answers; empty: nothing"
    )


class CollectionsResponse(Response):
    collections: tuple[CollectionFields, ...]


class StoreBytesFields(Fields):
    """What each store takes on the disk."""

    catalogue: int
    chroma: int
    tokens: int
    originals: int


class CollectionStatsFields(Fields):
    """How much is in a collection."""

    name: str
    documents: int
    pages: int
    chunks: int
    characters: int


class RepresentationStatsFields(Fields):
    """Vectors of one model, and the disk space that they take."""

    name: str
    state: str
    readings: tuple[str, ...]
    dimension: int
    token_dimension: int
    codec: str
    documents: int
    tokens: int
    code_bytes: int
    bytes: int
    section_bytes: dict[str, int]


class StatsResponse(Response):
    collections: tuple[CollectionStatsFields, ...]
    representations: tuple[RepresentationStatsFields, ...]
    bytes: StoreBytesFields
    text_bytes: int
    word_bytes: int
    languages: dict[str, int] = Field(description="how many documents each language has")
    oldest: str | None
    newest: str | None


class ProblemFields(Fields):
    """Damage, and the command that repairs it."""

    store: str
    what: str
    document: str | None
    mend: str


class VerifyFields(Fields):
    """Problems that verify found, and how much it checked."""

    ok: bool
    problems: tuple[ProblemFields, ...]
    notes: tuple[str, ...]
    documents: int
    chunks: int
    segments: int
    vectors: int
    originals: int


class RepairedFields(Fields):
    """Something that was repaired."""

    store: str
    what: str
    document: str | None


class RepairFields(Fields):
    """Repairs, and the problems that are left."""

    ok: bool
    done: tuple[RepairedFields, ...]
    left: tuple[ProblemFields, ...]


class CompactFields(Fields):
    """What the stores took on the disk before and after."""

    bytes_before: int
    bytes_after: int
    before: StoreBytesFields
    after: StoreBytesFields


class ReindexFields(Fields):
    """Documents and chunks whose vectors were computed again; none where they were up to date."""

    representation: str
    fingerprint: str
    codec: str
    documents: int
    chunks: int
    converted: int = Field(description="of the documents, those whose vectors were converted, not encoded")
    removed: bool


class ExportFields(Fields):
    """An archive that was written."""

    file: str
    documents: int
    chunks: int
    originals: int
    unreadable: tuple[str, ...] = Field(description="documents left out, because their text is damaged")
    bytes: int


class ImportFields(Fields):
    """How an archive's documents were imported."""

    file: str
    added: int
    replaced: int
    skipped: int
    encoded: int = Field(description="how many of them had to be encoded")
    instructions: tuple[str, ...] = Field(
        (), description="collections that have the archive's instructions now"
    )
    instructions_left: tuple[str, ...] = Field(
        (), description="collections with documents or instructions of their own, which took none"
    )


class RebuildResponse(Response):
    """The result of rebuilding the whole library."""

    ok: bool
    documents: int
    parsed: int
    encoded: int
    uploads: int
    lost: tuple[str, ...]
    unnamed: tuple[str, ...] = Field(description="documents whose name, collection and path are lost")
    kept: str | None = Field(description="the folder with the files that were there before")
