"""Files into the library: hash, parse, chunk, encode, commit; one definite result a file.

    parsing children (a thread each) ─▶ chunks ─▶ encoding, several documents at once ─▶ one writer

The three overlap: Chroma, SQLite and the disk work while the next documents are encoded. What waits
between them is bounded, so that memory does not grow with the number of files.
"""

import os
import stat
import time
from collections import Counter, deque
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from ingestion.chunking.chunker import chunk_pages
from ingestion.documents import Chunk, ParsedDocument, Status, name_as_words
from ingestion.encoders import Encodings
from ingestion.errors import Cancelled, SourceChanged
from ingestion.library import Library
from ingestion.parsing import TEXT_SUFFIXES, ParseLimits, parse
from ingestion.pipeline.folder_sync import find_files
from ingestion.pipeline.parts import ContainedFile, PartsReader
from ingestion.pipeline.progress import IngestProgress, IngestResult, IngestStage
from ingestion.pipeline.reuse import Reuse, is_current
from ingestion.storage.catalogue.catalogue import DEFAULT_COLLECTION
from ingestion.storage.originals import Source, hash_file, readable
from ingestion.text.leftovers import is_apple_double, why_unreadable
from ingestion.text.names import UPLOAD, composed, is_gone

__all__ = ["IngestProgress", "IngestResult", "IngestStage", "IngestTask", "find_files", "ingest", "run"]

# Chunks encoded together: enough for batches of equal length. A longer document goes alone.
_TOGETHER = 256
_PARSERS = min(4, os.cpu_count() or 1)
# Small documents parsed ahead of the encoder, and documents encoded ahead of the writer.
_AHEAD = 64
_WRITES_AHEAD = 4
_POLL_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class IngestTask:
    """A file to ingest. `source` is the path that it is known by; `password` opens an encrypted one.

    `encoding` is what a person says of a file that is text, and does not count for others.
    """

    file: Path
    source: str
    password: str | None = None
    encoding: str | None = None

    @property
    def told(self) -> str | None:
        """The encoding, of a file that is text."""
        return self.encoding if self.file.suffix.lower() in TEXT_SUFFIXES else None


def ingest(
    library: Library,
    paths: Sequence[Path],
    *,
    collection: str = DEFAULT_COLLECTION,
    limits: ParseLimits = ParseLimits(),
    source_path: Callable[[Path], str] = str,
    passwords: Callable[[Path], str | None] | None = None,
    encoding: str | None = None,
    on_progress: Callable[[IngestProgress], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Generator[IngestResult]:
    """Ingest files and folders; yield one result a file, when it is done: not always in their order.

    `source_path` gives the path by which a file is known, which identifies its document within the
    collection: its own resolved path, or, say, "upload:report.pdf" for a file that came without one.

    A bad file is a result with a status and an error, and stops no other. Raises Cancelled when
    `cancelled` turns true, InvalidInput for a folder without documents, StaleRepresentation, and
    LibraryError when the library cannot be written; what was yielded before stays.
    """
    tasks = [
        IngestTask(file, source_path(_resolved(file)), passwords(file) if passwords else None, encoding)
        for file in find_files(paths)
    ]
    yield from run(
        library, tasks, collection=collection, limits=limits, on_progress=on_progress, cancelled=cancelled
    )


def run(
    library: Library,
    tasks: Sequence[IngestTask],
    *,
    collection: str,
    limits: ParseLimits,
    on_progress: Callable[[IngestProgress], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
    left_out: Callable[[int], bool] | None = None,
) -> Generator[IngestResult]:
    """Ingest the tasks' files; see `ingest`. `IngestResult.file` is the task's place, from 1.

    A file whose place is `left_out` when its turn comes is passed over, without a result.
    """
    library.open_representations.writable()  # a stale representation is refused before anything is read
    collection_id = library.catalogue.ensure_collection(collection)
    work = _Run(library, collection_id, limits, len(tasks), on_progress, cancelled, left_out)
    try:
        yield from work.run(tasks)
    finally:
        work.close()


@dataclass
class _Waiting:
    """A document that is parsed, and what it still needs."""

    task: IngestTask
    number: int
    source: Source
    parsed: ParsedDocument
    chunks: list[Chunk]
    parse_ms: float
    is_part: bool = False  # a file inside the task's file
    parts: tuple[str, ...] | None = None  # of the task's file: the paths of those inside it
    encode_ms: float = 0.0
    encodings: dict[int, Encodings] = field(default_factory=dict)


class _Run:
    """One call's threads and what lies between them. Encoding runs in the caller's thread."""

    def __init__(
        self,
        library: Library,
        collection_id: int,
        limits: ParseLimits,
        files: int,
        on_progress: Callable[[IngestProgress], None] | None,
        cancelled: Callable[[], bool] | None,
        left_out: Callable[[int], bool] | None,
    ) -> None:
        self._library = library
        self._collection_id = collection_id
        self._limits = limits
        self._files = files
        self._on_progress = on_progress
        self._cancelled = cancelled
        self._left_out = left_out or (lambda _: False)
        self._stopping = False
        self._parsers = ThreadPoolExecutor(_PARSERS, "parse")
        self._writer = ThreadPoolExecutor(1, "write")
        self._parsing: dict[Future[list[_Waiting | IngestResult]], int] = {}
        self._unfinished: Counter[int] = Counter()  # documents of a file, its parts among them
        self._unpacked: dict[int, TemporaryDirectory[str]] = {}
        self._writing: deque[Future[IngestResult]] = deque()
        self._claimed: dict[int, set[str]] = {}  # bytes and paths that are on their way
        self._released = False
        self._held: list[tuple[int, IngestTask]] = []

    def close(self) -> None:
        """End children and threads; what is being written is finished."""
        self._stopping = True
        for future in self._parsing:
            future.cancel()
        self._parsers.shutdown(cancel_futures=True)
        self._writer.shutdown(cancel_futures=True)
        for folder in self._unpacked.values():
            folder.cleanup()

    def run(self, tasks: Sequence[IngestTask]) -> Iterator[IngestResult]:
        """Yield a result for every file. Cancelled comes after the results of what was being written."""
        try:
            yield from self._steps(tasks)
        except Cancelled:
            self.close()
            ended = [future.result() for future in self._writing if not future.cancelled()]
            yield from (result for result in ended if not result.is_part)
            raise

    def _steps(self, tasks: Sequence[IngestTask]) -> Iterator[IngestResult]:
        left = deque(enumerate(tasks, start=1))
        parsed: list[_Waiting] = []
        while left or self._held or self._parsing or parsed or self._writing:
            self._check_cancelled()
            while left and self._has_room(parsed):
                number, task = left.popleft()
                refused = None if self._left_out(number) else self._admit(number, task)
                if refused:
                    yield refused
            for item in self._collect(wait_for_one=not parsed and not self._writing):
                if isinstance(item, IngestResult):
                    self._release(item.file)
                    if not item.is_part:
                        yield item
                else:
                    parsed.append(item)
            if parsed:
                parsed.sort(key=lambda item: item.number)
                batch = self._batch(parsed)
                self._encode(batch)
                for item in batch:
                    self._writing.append(self._writer.submit(self._write, item))
            for result in self._written(block=not parsed and not self._parsing and not left):
                self._release(result.file)
                if not result.is_part:
                    yield result
            left.extendleft(reversed(self._let_go()))

    def _has_room(self, parsed: Sequence[_Waiting]) -> bool:
        waiting = sum(len(item.chunks) for item in parsed)
        return len(self._parsing) <= _PARSERS and len(parsed) < _AHEAD and waiting < 2 * _TOGETHER

    # Admitting, in order

    def _admit(self, number: int, task: IngestTask) -> IngestResult | None:
        """Send a file to be parsed, or hold it back while another with its bytes or path is on its way.

        Returns the result of a file that needs no parsing, or cannot be read.
        """
        name = composed(readable(task.file.name))
        result = IngestResult(readable(task.source), name, Status.FAILED, file=number)
        try:
            file = task.file.resolve()
            source = _source(file, result.path, name, self._limits)
            if is_apple_double(file):
                return replace(result, status=Status.UNSUPPORTED, error=why_unreadable(task.file))
        except _TooLargeError as error:
            return replace(result, status=Status.TOO_LARGE, error=str(error))
        except (OSError, RuntimeError, ValueError) as error:  # a loop of links, a NUL in the name
            reason = getattr(error, "strerror", None) or str(error)
            return replace(result, error=f"{result.path} cannot be read: {reason}; check its name and rights")
        keys = {source.sha256, composed(source.path)}
        if any(keys & claimed for claimed in self._claimed.values()):
            self._held.append((number, task))
            return None
        self._library.respell(self._collection_id, source.path)
        known = self._known(source, number, task)
        if known and known.status != Status.PARTIAL:
            return known
        self._claimed[number] = keys
        self._parsing[self._parsers.submit(self._parse, number, task, file, source, known)] = number
        return None

    def _release(self, number: int) -> None:
        """One document of a file has come to its end."""
        self._unfinished[number] -= 1
        if self._unfinished[number] > 0:
            return
        if folder := self._unpacked.pop(number, None):
            folder.cleanup()
        self._claimed.pop(number, None)
        self._released = True

    def _let_go(self) -> list[tuple[int, IngestTask]]:
        """Return the files that were held back, to be admitted anew, when another has come to its end."""
        if not self._released:
            return []
        self._released = False
        held, self._held = self._held, []
        return held

    # Parsing, in threads

    def _parse(
        self, number: int, task: IngestTask, file: Path, source: Source, known: IngestResult | None
    ) -> list[_Waiting | IngestResult]:
        """Read a file, and the files inside it; the first of what is returned is the file's own."""
        started = time.perf_counter()
        name = source.name
        self._report(number, name, IngestStage.PARSING, 0, 0)
        parsed = parse(
            file, limits=self._limits, password=task.password,
            encoding=self._encoding(task, source),
            on_page=partial(self._report, number, name, IngestStage.PARSING), cancelled=self._is_cancelled,
        )  # fmt: skip
        if known and not _is_better(parsed, known):
            return [replace(known, status=Status.UNCHANGED)]
        parts = []
        if parsed.attachments:
            reader = self._parts_reader(number, task)
            parts = [self._part(task, number, part) for part in reader.read(source, parsed)]
            parsed = replace(parsed, warnings=(*parsed.warnings, *reader.warnings))
        if parsed.status not in (Status.OK, Status.PARTIAL):
            reason = why_unreadable(Path(name)) or parsed.error
            if self._library.catalogue.by_source(self._collection_id, source.path):
                reason = f"{reason}; the version ingested before stays searchable"
            if parts:
                reason = f"{reason}; the files inside it are documents of their own"
            failed = IngestResult(
                source.path, name, parsed.status, reason, sha256=source.sha256, pages=parsed.page_count,
                pages_failed=len(parsed.failures), file=number, warnings=parsed.warnings,
            )  # fmt: skip
            return [failed, *parts]
        title = name_as_words(source.name)
        chunks = chunk_pages(parsed.pages, parsed.headings, self._library.encoder, title=title)
        parse_ms = 1000 * (time.perf_counter() - started)
        paths = tuple(part.path if isinstance(part, IngestResult) else part.source.path for part in parts)
        return [_Waiting(task, number, source, parsed, chunks, parse_ms, parts=paths), *parts]

    def _parts_reader(self, number: int, task: IngestTask) -> PartsReader:
        self._unpacked[number] = folder = self._library.unpacking()
        return PartsReader(
            Path(folder.name), password=task.password, limits=self._limits, cancelled=self._is_cancelled
        )

    def _part(self, task: IngestTask, number: int, part: ContainedFile) -> "_Waiting | IngestResult":
        source, parsed = part.source, part.parsed
        known = self._known(source, number, task)
        if known and known.status != Status.PARTIAL:
            return replace(known, is_part=True)
        title = name_as_words(source.name)
        chunks = chunk_pages(parsed.pages, parsed.headings, self._library.encoder, title=title)
        return _Waiting(task, number, source, parsed, chunks, 0.0, is_part=True)

    def _encoding(self, task: IngestTask, source: Source) -> str | None:
        """Return what a person says of a file's encoding, or said when the same bytes were ingested."""
        if task.told is not None:
            return task.told
        known = self._library.catalogue.by_content(source.sha256, self._collection_id)
        return known.encoding if known else None

    def _known(self, source: Source, number: int, task: IngestTask) -> IngestResult | None:
        """Return the result for bytes that the collection holds already, read and cut as they are now."""
        catalogue = self._library.catalogue
        document = catalogue.by_content(source.sha256, self._collection_id)
        if document is None or not is_current(document) or task.told not in (None, document.encoding):
            return None
        status = document.status if document.status == Status.PARTIAL else Status.UNCHANGED
        result = IngestResult(
            path=source.path, name=source.name, status=status, error=document.error,
            document_id=document.id, sha256=source.sha256, pages=document.pages,
            pages_failed=document.pages_failed, chunks=document.chunks, file=number,
            warnings=document.warnings,
        )  # fmt: skip
        if source.path in catalogue.sources.of(document.id):
            return result
        gone = [path for path in document.paths if _is_moved(path)]
        with self._library.changing:
            if catalogue.by_content(source.sha256, self._collection_id) != document:
                return None  # deleted or replaced meanwhile
            self._library.link(self._collection_id, source, document, instead_of=gone)
        same = f"has the same bytes as {document.name} ({document.path})"
        if len(gone) == len(document.paths):
            same += ", which is gone from there; the document goes by the new name"
        return replace(result, status=Status.DUPLICATE, error=same)

    def _collect(self, *, wait_for_one: bool) -> list[_Waiting | IngestResult]:
        """Return what has been parsed; wait a moment for it where there is nothing else to do."""
        if wait_for_one and self._parsing:
            wait(self._parsing, timeout=_POLL_SECONDS, return_when=FIRST_COMPLETED)
        done = [future for future in self._parsing if future.done()]
        for future in done:
            del self._parsing[future]
        items = [item for future in done for item in future.result()]
        self._unfinished.update(
            item.file if isinstance(item, IngestResult) else item.number for item in items
        )
        return items

    # Encoding, in the caller's thread

    @staticmethod
    def _batch(parsed: list[_Waiting]) -> list[_Waiting]:
        """Take documents to encode together, the first ones first."""
        batch = [parsed.pop(0)]
        while parsed and sum(len(item.chunks) for item in (*batch, parsed[0])) <= _TOGETHER:
            batch.append(parsed.pop(0))
        return batch

    def _encode(self, batch: Sequence[_Waiting]) -> None:
        started = time.perf_counter()
        total = sum(len(item.chunks) for item in batch)
        for item in batch:
            self._report(item.number, item.source.name, IngestStage.ENCODING, 0, len(item.chunks))
        for opened in self._library.open_representations.writable():
            reuse = Reuse(self._library, opened, self._collection_id)
            parts = [reuse.known(item.source, item.chunks) for item in batch]
            missing = [
                chunk for item, known in zip(batch, parts, strict=True)
                for position, chunk in enumerate(item.chunks) if position not in known
            ]  # fmt: skip
            made = opened.encoder.encode(
                [chunk.text for chunk in missing], [chunk.context for chunk in missing],
                on_progress=partial(self._report_batch, batch, len(missing)), cancelled=self._is_cancelled,
            )  # fmt: skip
            first = 0
            for item, known in zip(batch, parts, strict=True):
                last = first + len(item.chunks) - len(known)
                item.encodings[opened.id] = reuse.merge(len(item.chunks), known, made.part(first, last))
                first = last
        elapsed = 1000 * (time.perf_counter() - started)
        for item in batch:
            item.encode_ms = elapsed * len(item.chunks) / max(total, 1)

    # Writing, in one thread

    def _write(self, item: _Waiting) -> IngestResult:
        started = time.perf_counter()
        library, source, count = self._library, item.source, len(item.chunks)
        result = IngestResult(
            path=source.path, name=source.name, status=item.parsed.status, error=item.parsed.error,
            sha256=source.sha256, pages=item.parsed.page_count, pages_failed=len(item.parsed.failures),
            file=item.number, warnings=item.parsed.warnings, is_part=item.is_part,
        )  # fmt: skip
        self._report(item.number, source.name, IngestStage.WRITING, 0, count)
        with library.changing:
            # The same bytes may have come from another file.
            known = self._known(source, item.number, item.task)
            if known and known.status != Status.PARTIAL:
                return replace(known, is_part=item.is_part)
            try:
                document = library.add(
                    self._collection_id, source, item.parsed, item.chunks, item.encodings,
                    encoding=self._encoding(item.task, source),
                )  # fmt: skip
            except SourceChanged as error:
                return replace(result, status=Status.FAILED, error=str(error))
            if item.parts is not None:
                library.keep_parts(self._collection_id, source.path, item.parts)
        self._report(item.number, source.name, IngestStage.WRITING, count, count)
        write_ms = 1000 * (time.perf_counter() - started)
        timings = (("parse", item.parse_ms), ("encode", item.encode_ms), ("write", write_ms))
        return replace(result, document_id=document.id, chunks=document.chunks, timings_ms=timings)

    def _written(self, *, block: bool) -> Iterator[IngestResult]:
        """Yield the results of what is written; wait where there is nothing else, or too much waits."""
        while self._writing and (block or len(self._writing) > _WRITES_AHEAD or self._writing[0].done()):
            self._check_cancelled()
            wait([self._writing[0]], timeout=_POLL_SECONDS)
            if self._writing[0].done():
                yield self._writing.popleft().result()

    # Telling and being told

    def _report(self, number: int, name: str, stage: IngestStage, done: int, total: int) -> None:
        if self._on_progress:
            self._on_progress(IngestProgress(number, self._files, name, stage, done, total))

    def _report_batch(self, batch: Sequence[_Waiting], missing: int, done: int, _: int) -> None:
        """Share the progress of a batch, whose chunks are encoded by length and not by document."""
        for item in batch:
            count = len(item.chunks)
            share = count * done // max(missing, 1)
            self._report(item.number, item.source.name, IngestStage.ENCODING, share, count)

    def _is_cancelled(self) -> bool:
        return self._stopping or bool(self._cancelled and self._cancelled())

    def _check_cancelled(self) -> None:
        if self._is_cancelled():
            raise Cancelled("ingestion")


class _TooLargeError(Exception):
    """A file that is larger than may be read."""


def _source(file: Path, path: str, name: str, limits: ParseLimits) -> Source:
    state = file.stat()
    if not stat.S_ISREG(state.st_mode):
        raise OSError("it is a device or pipe, or a folder")
    if state.st_size > limits.max_bytes:
        raise _TooLargeError(
            f"{name!r} has {state.st_size} bytes, and the limit is {limits.max_bytes}; split it"
        )
    sha256, size = hash_file(file)
    return Source(path=path, name=name, sha256=sha256, bytes=size, file=file)


def _is_moved(path: str) -> bool:
    """Whether a file has left its path, which an upload never had."""
    return not path.startswith(UPLOAD) and is_gone(path)


def _is_better(parsed: ParsedDocument, known: IngestResult) -> bool:
    """Whether reading a partial document again gave more of it: OCR may have come, a limit been raised."""
    return parsed.status is Status.OK or (
        parsed.status is Status.PARTIAL and len(parsed.failures) < known.pages_failed
    )


def _resolved(file: Path) -> Path:
    try:
        return file.resolve()
    except (OSError, RuntimeError, ValueError):  # a loop of links, a NUL: reported when it is read
        return file
