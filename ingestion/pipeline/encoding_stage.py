"""The third stage, in the caller's thread: the chunks of several documents are encoded together."""

import time
from collections.abc import Sequence
from functools import partial

from ingestion.encoders import BLOCK_CHARACTERS, BLOCK_CHUNKS
from ingestion.pipeline.context import IngestContext
from ingestion.pipeline.document_vectors import document_vectors
from ingestion.pipeline.parsing_stage import ChunkedDocument
from ingestion.pipeline.progress import IngestStage
from ingestion.pipeline.reuse import Reuse, encode_chunks, merge

# Chunks encoded together: enough for batches of equal length. A longer document goes alone, in blocks of so
# many.
CHUNKS_TOGETHER = BLOCK_CHUNKS
# Fewer leave the model's batches half empty.
FEWEST_TOGETHER = 64


class Pace:
    """How many chunks are encoded together: what takes about a second, so that documents are soon visible."""

    def __init__(self) -> None:
        self.chunks = FEWEST_TOGETHER

    def learn(self, chunks: int, seconds: float) -> None:
        """Take note of how long so many chunks took. Few say little, but for being slow."""
        if chunks >= FEWEST_TOGETHER or seconds > 1:
            rate = int(chunks / max(seconds, 1e-3))
            self.chunks = min(max(rate, FEWEST_TOGETHER), CHUNKS_TOGETHER)


def take_batch(parsed: list[ChunkedDocument], most: int = CHUNKS_TOGETHER) -> list[ChunkedDocument]:
    """Take documents to encode together off the list, the first ones first: of so many chunks at most, unless
    one document has more."""
    batch = [parsed.pop(0)]
    while parsed and not _is_too_much((*batch, parsed[0]), most):
        batch.append(parsed.pop(0))
    return batch


def _is_too_much(batch: Sequence[ChunkedDocument], most: int) -> bool:
    chunks = sum(len(item.chunks) for item in batch)
    characters = sum(len(page.text) for item in batch for page in item.parsed.pages)
    return chunks > most or characters > BLOCK_CHARACTERS


def encode(context: IngestContext, batch: Sequence[ChunkedDocument]) -> None:
    """Fill in the documents' vectors in every representation. Raises Cancelled."""
    started = time.perf_counter()
    total = sum(len(item.chunks) for item in batch)
    for item in batch:
        context.report(item.number, item.source.name, IngestStage.ENCODING, 0, len(item.chunks))
    if len(batch) == 1:
        _encode_one(context, batch[0])
    else:
        _encode_together(context, batch)
    elapsed = 1000 * (time.perf_counter() - started)
    for item in batch:
        item.encode_ms = elapsed * len(item.chunks) / max(total, 1)


def _encode_one(context: IngestContext, item: ChunkedDocument) -> None:
    for opened in context.library.open_representations.writable():
        item.vectors[opened.id] = document_vectors(
            opened,
            item.chunks,
            reuse=Reuse(context.library, opened, context.collection_id, item.source),
            on_progress=partial(context.report, item.number, item.source.name, IngestStage.ENCODING),
            cancelled=context.is_cancelled,
        )


def _encode_together(context: IngestContext, batch: Sequence[ChunkedDocument]) -> None:
    for opened in context.library.open_representations.writable():
        known = [
            Reuse(context.library, opened, context.collection_id, item.source).known(item.chunks)
            for item in batch
        ]
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
            item.vectors[opened.id] = merge(len(item.chunks), found, made.part(first, last))
            first = last


def _report_batch(
    context: IngestContext, batch: Sequence[ChunkedDocument], missing: int, done: int, _: int
) -> None:
    """Share the progress of a batch, whose chunks are encoded by length and not by document."""
    for item in batch:
        count = len(item.chunks)
        share = count * done // max(missing, 1)
        context.report(item.number, item.source.name, IngestStage.ENCODING, share, count)
