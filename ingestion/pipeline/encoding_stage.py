"""The third stage, in the caller's thread: the chunks of several documents are encoded together."""

import time
from collections.abc import Sequence
from functools import partial

from ingestion.pipeline.context import IngestContext
from ingestion.pipeline.parsing_stage import ChunkedDocument
from ingestion.pipeline.progress import IngestStage
from ingestion.pipeline.reuse import Reuse, encode_chunks

# Chunks encoded together: enough for batches of equal length. A longer document goes alone.
CHUNKS_TOGETHER = 256


def take_batch(parsed: list[ChunkedDocument]) -> list[ChunkedDocument]:
    """Take documents to encode together off the list, the first ones first."""
    batch = [parsed.pop(0)]
    while parsed and sum(len(item.chunks) for item in (*batch, parsed[0])) <= CHUNKS_TOGETHER:
        batch.append(parsed.pop(0))
    return batch


def encode(context: IngestContext, batch: Sequence[ChunkedDocument]) -> None:
    """Fill in the documents' vectors in every representation. Raises Cancelled."""
    started = time.perf_counter()
    total = sum(len(item.chunks) for item in batch)
    for item in batch:
        context.report(item.number, item.source.name, IngestStage.ENCODING, 0, len(item.chunks))
    for opened in context.library.open_representations.writable():
        reuse = Reuse(context.library, opened, context.collection_id)
        known = [reuse.known(item.source, item.chunks) for item in batch]
        missing = [
            chunk
            for item, found in zip(batch, known, strict=True)
            for position, chunk in enumerate(item.chunks)
            if position not in found
        ]
        made = encode_chunks(
            opened.encoder,
            missing,
            on_progress=partial(_report_batch, context, batch, len(missing)),
            cancelled=context.is_cancelled,
        )
        first = 0
        for item, found in zip(batch, known, strict=True):
            last = first + len(item.chunks) - len(found)
            item.encodings[opened.id] = reuse.merge(len(item.chunks), found, made.part(first, last))
            first = last
    elapsed = 1000 * (time.perf_counter() - started)
    for item in batch:
        item.encode_ms = elapsed * len(item.chunks) / max(total, 1)


def _report_batch(
    context: IngestContext, batch: Sequence[ChunkedDocument], missing: int, done: int, _: int
) -> None:
    """Share the progress of a batch, whose chunks are encoded by length and not by document."""
    for item in batch:
        count = len(item.chunks)
        share = count * done // max(missing, 1)
        context.report(item.number, item.source.name, IngestStage.ENCODING, share, count)
