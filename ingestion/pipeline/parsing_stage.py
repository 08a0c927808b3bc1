"""The second stage, in threads: a file and the files inside it are parsed and cut into chunks."""

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from ingestion.chunking.chunker import chunk_pages
from ingestion.documents import Chunk, ParsedDocument, Status, name_as_words
from ingestion.parsing import SharedChild, parse
from ingestion.pipeline.admission import AdmittedFile
from ingestion.pipeline.context import IngestContext, IngestTask
from ingestion.pipeline.parts import ContainedFile, PartsReader
from ingestion.pipeline.progress import IngestResult, IngestStage
from ingestion.storage.originals import Source
from ingestion.storage.tokens.staged import StagedVectors
from ingestion.storage.tokens.store import DocumentVectors
from ingestion.text.leftovers import why_unreadable


@dataclass
class ChunkedDocument:
    """A document that is parsed, and what it still needs.

    Attributes:
        is_part: Whether it lies inside the task's file.
        parts: Of the task's file: the paths of the files inside it.
        vectors: By representation id.
    """

    task: IngestTask
    number: int
    source: Source
    parsed: ParsedDocument
    chunks: Sequence[Chunk]
    parse_ms: float = 0.0
    is_part: bool = False
    parts: tuple[str, ...] | None = None
    encode_ms: float = 0.0
    vectors: dict[int, DocumentVectors] = field(default_factory=dict)

    def close(self) -> None:
        """Remove what is staged on the disk."""
        for vectors in self.vectors.values():
            if isinstance(vectors, StagedVectors):
                vectors.close()


class ParsingStage:
    """Parses files. The folders with what was unpacked live until `release`."""

    def __init__(self, context: IngestContext) -> None:
        self._context = context
        self._unpacked: dict[int, TemporaryDirectory[str]] = {}
        self._children: dict[int, SharedChild] = {}  # by thread: a child ends with the one that started it

    def parse(self, admitted: AdmittedFile) -> list[ChunkedDocument | IngestResult]:
        """Read a file and the files inside it. The first item returned is the file's own."""
        started = time.perf_counter()
        context, source, task, number = self._context, admitted.source, admitted.task, admitted.number
        context.report(number, source.name, IngestStage.PARSING, 0, 0)
        parsed = parse(
            admitted.file,
            limits=context.limits,
            password=task.password,
            encoding=context.encoding_of(task, source),
            on_page=partial(context.report, number, source.name, IngestStage.PARSING),
            cancelled=context.is_cancelled,
            shared=self._children.setdefault(threading.get_ident(), SharedChild()),
        )
        if admitted.known and not _is_better(parsed, admitted.known):
            return [replace(admitted.known, status=Status.UNCHANGED)]
        parts = []
        if parsed.attachments:
            reader = self._parts_reader(admitted)
            parts = [self._part(task, number, part) for part in reader.read(source, parsed)]
            parsed = replace(parsed, warnings=(*parsed.warnings, *reader.warnings))
        if parsed.status not in (Status.OK, Status.PARTIAL):
            return [self._failed(admitted, parsed, has_parts=bool(parts)), *parts]
        chunks = self._chunks(source, parsed)
        parse_ms = 1000 * (time.perf_counter() - started)
        paths = tuple(part.path if isinstance(part, IngestResult) else part.source.path for part in parts)
        return [ChunkedDocument(task, number, source, parsed, chunks, parse_ms, parts=paths), *parts]

    def release(self, number: int) -> None:
        """Remove what was unpacked of a file, all of whose documents are written."""
        if folder := self._unpacked.pop(number, None):
            folder.cleanup()

    def close(self) -> None:
        """End the children and remove everything that was unpacked. No thread may be parsing."""
        for child in self._children.values():
            child.close()
        for number in list(self._unpacked):
            self.release(number)

    def _failed(self, admitted: AdmittedFile, parsed: ParsedDocument, *, has_parts: bool) -> IngestResult:
        source, context = admitted.source, self._context
        reason = why_unreadable(Path(source.name)) or parsed.error
        if context.library.catalogue.by_source(context.collection_id, source.path):
            reason = f"{reason}; the version ingested before stays searchable"
        if has_parts:
            reason = f"{reason}; the files inside it are documents of their own"
        return IngestResult(
            source.path,
            source.name,
            parsed.status,
            reason,
            sha256=source.sha256,
            pages=parsed.page_count,
            pages_failed=len(parsed.failures),
            file=admitted.number,
            warnings=parsed.warnings,
        )

    def _parts_reader(self, admitted: AdmittedFile) -> PartsReader:
        context, password = self._context, admitted.task.password
        self._unpacked[admitted.number] = folder = context.library.unpacking()
        return PartsReader(
            Path(folder.name), password=password, limits=context.limits, cancelled=context.is_cancelled
        )

    def _part(self, task: IngestTask, number: int, part: ContainedFile) -> ChunkedDocument | IngestResult:
        known = self._context.known_result(part.source, number, task)
        if known and known.status != Status.PARTIAL:
            return replace(known, is_part=True)
        chunks = self._chunks(part.source, part.parsed)
        return ChunkedDocument(task, number, part.source, part.parsed, chunks, is_part=True)

    def _chunks(self, source: Source, parsed: ParsedDocument) -> Sequence[Chunk]:
        encoder, title = self._context.library.encoder, name_as_words(source.name)
        return chunk_pages(parsed.pages, parsed.headings, encoder, title=title)


def _is_better(parsed: ParsedDocument, known: IngestResult) -> bool:
    """Whether reading a partial document again gave more of it: OCR may have come, a limit been raised."""
    return parsed.status is Status.OK or (
        parsed.status is Status.PARTIAL and len(parsed.failures) < known.pages_failed
    )
