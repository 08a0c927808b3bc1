"""The last stage, in one thread: a document with its vectors is committed to the library."""

import time
from dataclasses import replace

from ingestion.documents import Status
from ingestion.errors import SourceChanged
from ingestion.pipeline.context import IngestContext
from ingestion.pipeline.document_vectors import is_long
from ingestion.pipeline.parsing_stage import ChunkedDocument
from ingestion.pipeline.progress import IngestResult, IngestStage


def write(context: IngestContext, item: ChunkedDocument) -> IngestResult:
    """Commit a document.

    Raises:
        LibraryError: A store cannot be written.
        DiskFull: The disk has no room for the document.
        Cancelled: In the middle of a long document; a short one is finished.
    """
    try:
        return _write(context, item)
    finally:
        item.close()


def _write(context: IngestContext, item: ChunkedDocument) -> IngestResult:
    started = time.perf_counter()
    library, source, parsed, count = context.library, item.source, item.parsed, len(item.chunks)
    result = IngestResult(
        path=source.path,
        name=source.name,
        status=parsed.status,
        error=parsed.error,
        sha256=source.sha256,
        pages=parsed.page_count,
        pages_failed=len(parsed.failures),
        file=item.number,
        warnings=parsed.warnings,
        is_part=item.is_part,
    )
    context.report(item.number, source.name, IngestStage.WRITING, 0, count)
    library.reserve.ensure_room(source.bytes)
    with library.changing:
        # The same bytes may have come from another file.
        known = context.known_result(source, item.number, item.task)
        if known and known.status != Status.PARTIAL:
            return replace(known, is_part=item.is_part)
        encoding = context.encoding_of(item.task, source)

        def written(chunks: int) -> None:
            if chunks < count:
                context.check_cancelled()
                context.report(item.number, source.name, IngestStage.WRITING, chunks, count)

        try:
            document = library.add(
                context.collection_id,
                source,
                parsed,
                item.chunks,
                item.vectors,
                encoding=encoding,
                on_written=written if is_long(item.chunks) else None,
            )
        except SourceChanged as error:
            return replace(result, status=Status.FAILED, error=str(error))
        if item.parts is not None:
            library.keep_parts(context.collection_id, source.path, item.parts)
    context.report(item.number, source.name, IngestStage.WRITING, count, count)
    write_ms = 1000 * (time.perf_counter() - started)
    timings = (("parse", item.parse_ms), ("encode", item.encode_ms), ("write", write_ms))
    return replace(result, document_id=document.id, chunks=document.chunks, timings_ms=timings)
