"""Files into the library: find, hash, parse, chunk, encode, commit; one definite result a file."""

import hashlib
import stat
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import partial
from pathlib import Path

from ingestion.chunking import chunk_pages
from ingestion.documents import ParsedDocument, Status
from ingestion.errors import Cancelled, InvalidInput, SourceChanged
from ingestion.library import Library, Source
from ingestion.parsing import SUPPORTED_SUFFIXES, ParseLimits, parse
from ingestion.stores.catalogue import DEFAULT_COLLECTION
from ingestion.stores.records import Document


class Stage(StrEnum):
    """What is being done to a file."""

    PARSING = "parsing"
    ENCODING = "encoding"
    WRITING = "writing"


@dataclass(frozen=True, slots=True)
class Progress:
    """Where ingestion is: `done` of `total` pages (parsing) or chunks (encoding, writing) of a file.

    `file` counts from 1 to `files`.
    """

    file: int
    files: int
    name: str
    stage: Stage
    done: int
    total: int


@dataclass(frozen=True, slots=True)
class IngestResult:
    """How one file ended. Times are in milliseconds, by stage."""

    path: str
    name: str
    status: Status
    error: str | None = None
    document_id: str | None = None
    sha256: str | None = None
    pages: int = 0
    pages_failed: int = 0
    chunks: int = 0
    timings_ms: tuple[tuple[str, float], ...] = ()


def find_files(paths: Sequence[Path]) -> list[Path]:
    """Return the files to ingest: named files as they are, folders searched for supported ones.

    Hidden files and folders are passed over. Raises InvalidInput for a folder with nothing to ingest.
    """
    files: dict[Path, None] = {}
    for path in paths:
        if not path.is_dir():
            files[path.absolute()] = None
            continue
        found = [
            file
            for file in sorted(path.absolute().rglob("*"))
            if file.suffix.lower() in SUPPORTED_SUFFIXES
            and file.is_file()
            and not any(part.startswith(".") for part in file.relative_to(path.absolute()).parts)
        ]
        if not found:
            raise InvalidInput(
                f"the folder {path} holds nothing to ingest; supported are "
                + ", ".join(sorted(SUPPORTED_SUFFIXES))
            )
        files.update(dict.fromkeys(found))
    return list(files)


def ingest(
    library: Library,
    paths: Sequence[Path],
    *,
    collection: str = DEFAULT_COLLECTION,
    limits: ParseLimits = ParseLimits(),
    source_path: Callable[[Path], str] = str,
    on_progress: Callable[[Progress], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Iterator[IngestResult]:
    """Ingest files and folders; yield one result a file, when it is done.

    `source_path` gives the path by which a file is known, which identifies its document within the
    collection: its own resolved path, or, say, "upload:report.pdf" for a file that came without one.

    A bad file is a result with a status and an error, and stops no other. Raises Cancelled when
    `cancelled` turns true, InvalidInput for a folder without documents, and LibraryError when the
    library cannot be written; what was yielded before stays.
    """
    files = find_files(paths)
    collection_id = library.catalogue.ensure_collection(collection)
    for number, file in enumerate(files, start=1):
        if cancelled and cancelled():
            raise Cancelled("ingestion")
        report = partial(_report, on_progress, number, len(files), _readable(file.name))
        yield _FileIngestion(library, collection_id, limits, source_path, report, cancelled).run(file)


def _report(
    on_progress: Callable[[Progress], None] | None,
    file: int,
    files: int,
    name: str,
    stage: Stage,
    done: int,
    total: int,
) -> None:
    if on_progress:
        on_progress(Progress(file, files, name, stage, done, total))


@dataclass(frozen=True, slots=True)
class _FileIngestion:
    """One file's way into one collection."""

    library: Library
    collection_id: int
    limits: ParseLimits
    source_path: Callable[[Path], str]
    report: Callable[[Stage, int, int], None]
    cancelled: Callable[[], bool] | None

    def run(self, file: Path) -> IngestResult:
        started = time.perf_counter()
        result = IngestResult(_readable(str(file)), _readable(file.name), Status.FAILED)
        try:
            file = file.resolve()
            source = _source(file, _readable(self.source_path(file)), result.name)
        except (OSError, RuntimeError, ValueError) as error:  # a loop of links, a NUL in the name
            reason = getattr(error, "strerror", None) or str(error)
            return replace(result, error=f"{result.path} cannot be read: {reason}; check its name and rights")
        known = self._already_there(source)
        if known:
            return known
        self.report(Stage.PARSING, 0, 0)
        parsed = parse(
            source.file,
            limits=self.limits,
            on_page=partial(self.report, Stage.PARSING),
            cancelled=self.cancelled,
        )
        result = replace(
            result,
            path=source.path,
            sha256=source.sha256,
            status=parsed.status,
            error=parsed.error,
            pages=parsed.page_count,
            pages_failed=len(parsed.failures),
        )
        if parsed.status not in (Status.OK, Status.PARTIAL):
            if self.library.catalogue.by_source(self.collection_id, source.path):
                return replace(result, error=f"{parsed.error}; the version ingested before stays searchable")
            return result
        try:
            document, timings = self._commit(source, parsed, started)
        except SourceChanged as error:
            return replace(result, status=Status.FAILED, error=str(error))
        return replace(result, document_id=document.id, chunks=document.chunks, timings_ms=timings)

    def _commit(
        self, source: Source, parsed: ParsedDocument, started: float
    ) -> tuple[Document, tuple[tuple[str, float], ...]]:
        encoder = self.library.encoder
        chunks = chunk_pages(parsed.pages, parsed.headings, encoder, title=_title(source.name))
        parsed_at = time.perf_counter()
        self.report(Stage.ENCODING, 0, len(chunks))
        encodings = encoder.encode(
            [chunk.text for chunk in chunks],
            [chunk.context for chunk in chunks],
            on_progress=partial(self.report, Stage.ENCODING),
            cancelled=self.cancelled,
        )
        encoded_at = time.perf_counter()
        self.report(Stage.WRITING, 0, len(chunks))
        document = self.library.add(self.collection_id, source, parsed, chunks, encodings)
        self.report(Stage.WRITING, len(chunks), len(chunks))
        seconds = (parsed_at - started, encoded_at - parsed_at, time.perf_counter() - encoded_at)
        stages = ("parse", "encode", "write")
        return document, tuple(zip(stages, (1000 * s for s in seconds), strict=True))

    def _already_there(self, source: Source) -> IngestResult | None:
        library = self.library
        document = library.catalogue.by_content(self.collection_id, source.sha256)
        if document is None or document.fingerprint != library.encoder.fingerprint:
            return None
        result = IngestResult(
            path=source.path,
            name=source.name,
            status=Status.UNCHANGED,
            error=document.error,
            document_id=document.id,
            sha256=source.sha256,
            pages=document.pages,
            pages_failed=document.pages_failed,
            chunks=document.chunks,
        )
        if source.path in library.catalogue.sources(document.id):
            return result
        library.link(self.collection_id, source, document)
        same = f"has the same bytes as {document.name} ({document.path})"
        return replace(result, status=Status.DUPLICATE, error=same)


def _source(file: Path, path: str, name: str) -> Source:
    if not stat.S_ISREG(file.stat().st_mode):
        raise OSError("it is a device or pipe, or a folder")
    with file.open("rb") as stream:
        sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
        size = stream.seek(0, 2)
    return Source(path=path, name=name, sha256=sha256, bytes=size, file=file)


def _readable(name: str) -> str:
    """Return a file's name or path with the escapes that Python makes of bytes that are no UTF-8
    spelled out: as they are, they can neither be stored nor printed."""
    return name.encode("utf-8", "backslashreplace").decode("utf-8")


def _title(name: str) -> str:
    """A file's name as words: what people call the document, more reliably than its metadata."""
    return Path(name).stem.replace("_", " ").strip()
