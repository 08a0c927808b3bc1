"""The last stage, in one thread: documents with their vectors are committed to the library."""

import time
from collections.abc import Sequence
from dataclasses import replace

from ingestion.additions import Addition
from ingestion.documents import Status
from ingestion.errors import SourceChanged
from ingestion.pipeline.context import IngestContext
from ingestion.pipeline.document_vectors import is_long
from ingestion.pipeline.parsing_stage import ChunkedDocument
from ingestion.pipeline.progress import IngestResult, IngestStage
from ingestion.storage.catalogue.records import Document


def write(context: IngestContext, batch: Sequence[ChunkedDocument]) -> list[IngestResult]:
    """Commit the first documents of a batch together; return their results. The others must be written after
    them: they concern what these change.

    Raises:
        SourceChanged: The bytes of one file among several are others by now.
        LibraryError: A store cannot be written.
        DiskFull: The disk has no room for the documents.
        Cancelled: In the middle of a long document; short ones are finished.
    """
    try:
        return _write(context, batch)
    finally:
        for item in batch:
            item.close()


def _write(context: IngestContext, batch: Sequence[ChunkedDocument]) -> list[IngestResult]:
    started = time.perf_counter()
    library, first = context.library, batch[0]
    library.reserve.ensure_room(sum(item.source.bytes for item in batch))
    with library.changing:
        # The same bytes may have come from another file.
        known = context.known_result(first.source, first.number, first.task)
        if known and known.status != Status.PARTIAL:
            return [replace(known, is_part=first.is_part)]
        items = _apart(context, batch)
        for item in items:
            context.report(item.number, item.source.name, IngestStage.WRITING, 0, len(item.chunks))
        try:
            documents = _add(context, items)
        except SourceChanged as error:
            if len(items) > 1:
                raise
            return [replace(_result(first), status=Status.FAILED, error=str(error))]
        for item in items:
            if item.parts is not None:
                library.keep_parts(context.collection_id, item.source.path, item.parts)
    elapsed = 1000 * (time.perf_counter() - started)
    chunks = sum(len(item.chunks) for item in items)
    results = []
    for item, document in zip(items, documents, strict=True):
        count = len(item.chunks)
        context.report(item.number, item.source.name, IngestStage.WRITING, count, count)
        write_ms = elapsed * count / max(chunks, 1)
        timings = (("parse", item.parse_ms), ("encode", item.encode_ms), ("write", write_ms))
        result = replace(_result(item), document_id=document.id, chunks=document.chunks)
        results.append(replace(result, timings_ms=timings))
    return results


def _apart(context: IngestContext, batch: Sequence[ChunkedDocument]) -> list[ChunkedDocument]:
    """Return the first documents of a batch, as far as none concerns what another one changes."""
    changed: set[str] = set()
    items: list[ChunkedDocument] = []
    for item in batch:
        concerned = context.library.concerned(context.collection_id, item.source)
        if items and (changed & concerned or context.known_document(item.source, item.task)):
            break
        changed |= concerned
        items.append(item)
    return items


def _add(context: IngestContext, items: Sequence[ChunkedDocument]) -> list[Document]:
    first, count = items[0], len(items[0].chunks)

    def written(chunks: int) -> None:
        if chunks < count:
            context.check_cancelled()
            context.report(first.number, first.source.name, IngestStage.WRITING, chunks, count)

    additions = [
        Addition(
            item.source,
            item.parsed,
            item.chunks,
            item.vectors,
            encoding=context.encoding_of(item.task, item.source),
        )
        for item in items
    ]
    is_one_long = len(items) == 1 and is_long(first.chunks)
    return context.library.add_together(
        context.collection_id, additions, on_written=written if is_one_long else None
    )


def _result(item: ChunkedDocument) -> IngestResult:
    return IngestResult(
        path=item.source.path,
        name=item.source.name,
        status=item.parsed.status,
        error=item.parsed.error,
        sha256=item.source.sha256,
        pages=item.parsed.page_count,
        pages_failed=len(item.parsed.failures),
        file=item.number,
        warnings=item.parsed.warnings,
        is_part=item.is_part,
    )
