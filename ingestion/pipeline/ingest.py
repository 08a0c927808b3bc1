"""Files into the library: hash, parse, chunk, encode, commit; one definite result a file.

    admission ─▶ parsing (children, a thread each) ─▶ encoding, several documents at once ─▶ one writer

The stages overlap: Chroma, SQLite and the disk work while the next documents are encoded. The queues
between them are bounded, so that memory does not grow with the number of files.
"""

import os
import time
from collections import Counter, deque
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, CancelledError, Future, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from ingestion.errors import Cancelled
from ingestion.library import Library
from ingestion.parsing import ParseLimits
from ingestion.parsing.limits import FILES_AT_ONCE
from ingestion.pipeline.admission import Admission, AdmittedFile
from ingestion.pipeline.context import IngestContext, IngestTask, is_interrupt
from ingestion.pipeline.encoding_stage import CHUNKS_TOGETHER, Pace, encode, take_batch
from ingestion.pipeline.folder_sync import find_files
from ingestion.pipeline.parsing_stage import ChunkedDocument, ParsingStage
from ingestion.pipeline.progress import IngestProgress, IngestResult
from ingestion.pipeline.writing_stage import write
from ingestion.storage.catalogue.catalogue import DEFAULT_COLLECTION

_PARSERS = min(FILES_AT_ONCE, os.cpu_count() or 1)
# Small documents being parsed or parsed ahead of the encoder, and batches encoded ahead of the writer.
_AHEAD = 128
_WRITES_AHEAD = 2
# Chunks of these: their text is held until they are written. Only long documents have so many.
_CHUNKS_AHEAD = 20_000
_POLL_SECONDS = 0.1


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
    """Ingest files and folders. A bad file is a result with a status and an error, and stops no other.

    Args:
        source_path: Gives the path by which a file is known, which identifies its document within the
            collection: its own resolved path, or, say, "upload:report.pdf" for a file that came without one.
        passwords: Gives the password of a file.
        encoding: The encoding of those files that are text.

    Yields:
        One result a file, when it is done: not always in their order.

    Raises:
        Cancelled: `cancelled` turned true; what was yielded before stays.
        InvalidInput: A folder holds nothing to ingest.
        StaleRepresentation: Another model made the library's vectors.
        LibraryError: The library cannot be written; what was yielded before stays.
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
    left_out: Callable[[int], bool] = lambda _: False,
) -> Generator[IngestResult]:
    """Ingest the tasks' files; see `ingest`. `IngestResult.file` is the task's place, from 1.

    A file whose place is `left_out` when its turn comes is passed over, without a result.
    """
    library.open_representations.writable()  # a stale representation is refused before anything is read
    collection_id = library.catalogue.ensure_collection(collection)
    context = IngestContext(library, collection_id, limits, len(tasks), on_progress, cancelled)
    pipeline = _Pipeline(context, left_out)
    try:
        yield from pipeline.run(tasks)
    finally:
        pipeline.close()


class _Pipeline:
    """One call's threads and the queues between them. Encoding runs in the caller's thread."""

    def __init__(self, context: IngestContext, left_out: Callable[[int], bool]) -> None:
        self._context = context
        self._left_out = left_out
        self._admission = Admission(context)
        self._stage = ParsingStage(context)
        self._parsers = ThreadPoolExecutor(_PARSERS, "parse")
        self._writer = ThreadPoolExecutor(1, "write")
        self._parsing: dict[Future[list[ChunkedDocument | IngestResult]], AdmittedFile] = {}
        self._parsed: list[ChunkedDocument] = []
        self._pace = Pace()
        self._writing: deque[tuple[Sequence[ChunkedDocument], Future[list[IngestResult]]]] = deque()
        self._unfinished: Counter[int] = Counter()  # documents of a file, those inside it among them
        self._held: dict[int, IngestResult] = {}  # of files with documents inside them that are in work
        self._lost_parts: dict[int, list[str]] = {}  # documents inside a file that a fault ended

    def close(self) -> None:
        """End children and threads; what is being written is finished."""
        self._context.stopping = True
        self._parsers.shutdown(cancel_futures=True)
        self._writer.shutdown(cancel_futures=True)
        self._stage.close()

    def run(self, tasks: Sequence[IngestTask]) -> Iterator[IngestResult]:
        """Yield a result for every file. Cancelled comes after the results of what was being written."""
        try:
            yield from self._results(tasks)
        except Cancelled:
            self.close()
            yield from self._held.values()
            for batch, future in self._writing:
                with suppress(Cancelled, CancelledError):  # a long document, and what waited for the writer
                    yield from (result for result in self._write_results(batch, future) if not result.is_part)
            raise

    def _results(self, tasks: Sequence[IngestTask]) -> Iterator[IngestResult]:
        left = deque(enumerate(tasks, start=1))
        while left or self._admission.is_holding or self._parsing or self._parsed or self._writing:
            self._context.check_cancelled()
            while left and self._has_room():
                yield from self._admit(*left.popleft())
            yield from self._collect(wait_for_one=not self._parsed)
            if self._parsed:
                self._parsed.sort(key=lambda item: item.number)
                yield from self._encode(take_batch(self._parsed, self._pace.chunks))
            yield from self._written(block=not self._parsed and not self._parsing and not left)
            left.extendleft(reversed(self._admission.released()))

    def _has_room(self) -> bool:
        waiting = sum(len(item.chunks) for item in self._parsed)
        slow = sum(not one.is_quick for one in self._parsing.values())
        small = slow <= _PARSERS and len(self._parsing) + len(self._parsed) < _AHEAD
        return small and waiting < 2 * CHUNKS_TOGETHER

    def _admit(self, number: int, task: IngestTask) -> Iterator[IngestResult]:
        """Send a file to be parsed; yield its result where it needs no parsing."""
        if self._left_out(number):
            return
        try:
            admitted = self._admission.admit(number, task)
        except BaseException as error:
            if is_interrupt(error):
                raise
            self._admission.release(number)
            admitted = self._context.unforeseen(number, task, error, where="while it was opened")
        if isinstance(admitted, AdmittedFile):
            self._parsing[self._parsers.submit(self._stage.parse, admitted)] = admitted
        elif admitted:
            yield admitted

    def _collect(self, *, wait_for_one: bool) -> Iterator[IngestResult]:
        """Take over what has been parsed, and yield the results of files that end here; wait a moment where
        there is nothing else to do."""
        if wait_for_one and self._parsing:
            awaited: list[Future[Any]] = [*self._parsing, *(future for _, future in self._writing)]
            wait(awaited, timeout=_POLL_SECONDS, return_when=FIRST_COMPLETED)
        done = [future for future in self._parsing if future.done()]
        items = [item for future in done for item in self._parse_results(self._parsing.pop(future), future)]
        self._unfinished.update(
            item.file if isinstance(item, IngestResult) else item.number for item in items
        )
        for item in items:
            if isinstance(item, ChunkedDocument):
                self._parsed.append(item)
            else:
                yield from self._ended(item)

    def _parse_results(
        self, admitted: AdmittedFile, future: Future[list[ChunkedDocument | IngestResult]]
    ) -> list[ChunkedDocument | IngestResult]:
        """Return what came of a file that was parsed."""
        if (error := future.exception()) is None:
            return future.result()
        number, task, source = admitted.number, admitted.task, admitted.source
        return [self._context.unforeseen(number, task, error, where="while it was read", source=source)]

    def _encode(self, batch: Sequence[ChunkedDocument]) -> Iterator[IngestResult]:
        """Encode documents and send them to be written; yield the results of files that end here. Where that
        fails, encode each alone: the other ones are not concerned."""
        fault = None
        started = time.perf_counter()
        try:
            encode(self._context, batch)
            self._pace.learn(sum(len(item.chunks) for item in batch), time.perf_counter() - started)
        except BaseException as error:
            if is_interrupt(error):
                raise
            fault = self._fault(batch[0], error, "while it was encoded")
        if fault is None:
            self._write(batch)
        elif len(batch) == 1:
            yield from self._ended(fault)
        else:
            for item in batch:
                yield from self._encode([item])

    def _write(self, batch: Sequence[ChunkedDocument]) -> None:
        """Send documents to the writer, unless the work is stopping: then they are left undone."""
        if not self._context.stopping:
            self._writing.append((batch, self._writer.submit(write, self._context, batch)))

    def _fault(self, item: ChunkedDocument, error: BaseException, where: str) -> IngestResult:
        """Return the result of a document that an unforeseen error ended. Raises the others."""
        item.close()
        result = self._context.unforeseen(item.number, item.task, error, where=where, source=item.source)
        return replace(result, is_part=item.is_part)

    def _write_results(
        self, batch: Sequence[ChunkedDocument], future: Future[list[IngestResult]]
    ) -> list[IngestResult]:
        """Return what came of the documents of a batch; send to the writer again what it left. Where it
        failed, each goes alone: the other ones are not concerned."""
        if (error := future.exception()) is None:
            results = future.result()
            if left := batch[len(results) :]:
                self._write(left)
            return results
        if len(batch) == 1:
            return [self._fault(batch[0], error, "while it was written to the library")]
        for item in batch:
            self._write([item])
        return []

    def _written(self, *, block: bool) -> Iterator[IngestResult]:
        """Yield the results of what is written; wait where there is nothing else, or too much waits."""
        while self._writing and (block or self._is_far_ahead() or self._writing[0][1].done()):
            self._context.check_cancelled()
            wait([self._writing[0][1]], timeout=_POLL_SECONDS)
            if self._writing[0][1].done():
                for result in self._write_results(*self._writing.popleft()):
                    yield from self._ended(result)

    def _is_far_ahead(self) -> bool:
        chunks = sum(len(item.chunks) for batch, _ in self._writing for item in batch)
        return len(self._writing) > _WRITES_AHEAD or chunks > _CHUNKS_AHEAD

    def _ended(self, result: IngestResult) -> Iterator[IngestResult]:
        """Count a document that has come to its end; yield the file's result with the last of them."""
        number = result.file
        self._unfinished[number] -= 1
        if not result.is_part:
            self._held[number] = result
        elif result.is_fault:
            self._lost_parts.setdefault(number, []).append(
                f"The attached file {result.name!r} is not in the library: {result.error}."
            )
        if self._unfinished[number] <= 0:
            self._stage.release(number)
            self._admission.release(number)
            if own := self._held.pop(number, None):
                yield replace(own, warnings=(*own.warnings, *self._lost_parts.pop(number, ())))


def _resolved(file: Path) -> Path:
    try:
        return file.resolve()
    except (OSError, RuntimeError, ValueError):  # a loop of links, a NUL: reported when it is read
        return file
