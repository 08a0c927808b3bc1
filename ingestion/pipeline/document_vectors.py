"""One document's vectors, made block by block where it is long."""

from collections.abc import Callable, Iterator, Sequence

from ingestion.documents import Chunk
from ingestion.encoders import BLOCK_CHARACTERS, BLOCK_CHUNKS, Encodings
from ingestion.errors import LibraryError
from ingestion.pipeline.reuse import Reuse, chunk_key, encode_chunks, merge
from ingestion.storage.catalogue.records import StoredChunk
from ingestion.storage.open_representations import OpenRepresentation
from ingestion.storage.tokens.staged import StagedVectors
from ingestion.storage.tokens.store import DocumentVectors

AnyChunk = Chunk | StoredChunk


def is_long(chunks: Sequence[AnyChunk]) -> bool:
    """Whether the vectors of a document are too many to be held in memory at once."""
    return len(chunks) > BLOCK_CHUNKS or sum(len(chunk.text) for chunk in chunks) > BLOCK_CHARACTERS


def document_vectors(
    opened: OpenRepresentation,
    chunks: Sequence[AnyChunk],
    *,
    reuse: Reuse | None = None,
    on_progress: Callable[[int, int], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> DocumentVectors:
    """Encode one document's chunks.

    A long one is encoded in blocks, which are staged on the disk: memory holds one block, whatever the
    document's length. Chunks with the same text and context are encoded once.

    Args:
        reuse: Where vectors may be there already.
        on_progress: Called with (chunks done, all) as batches are done.
        cancelled: Called before each batch.

    Raises:
        Cancelled: `cancelled` returned true.
        ModelError: The model's files are missing or broken.
        LibraryError: The library's disk cannot be written.
    """
    if not is_long(chunks):
        return _encoded(opened, chunks, reuse, on_progress, cancelled)
    staged = opened.tokens.stage()
    try:
        _stage(staged, opened, chunks, reuse, on_progress, cancelled)
    except OSError as error:
        staged.close()
        raise LibraryError(
            f"token vectors cannot be written to {opened.tokens.folder}: {error}; "
            "check the disk's space and rights, then ingest the document again"
        ) from error
    except BaseException:
        staged.close()
        raise
    return staged


def _stage(
    staged: StagedVectors,
    opened: OpenRepresentation,
    chunks: Sequence[AnyChunk],
    reuse: Reuse | None,
    on_progress: Callable[[int, int], None] | None,
    cancelled: Callable[[], bool] | None,
) -> None:
    passages: list[int] = []  # of each chunk so far, its place among the different ones
    done = 0

    def report(some: int, count: int) -> None:
        if on_progress:
            on_progress(done + (len(passages) - done) * some // count, len(chunks))

    for block in _different_blocks(chunks, passages):
        staged.append(_encoded(opened, block, reuse, report, cancelled))
        report(1, 1)
        done = len(passages)
    if len(staged) < len(chunks):
        staged.arrange(passages)


def _different_blocks(chunks: Sequence[AnyChunk], passages: list[int]) -> Iterator[list[AnyChunk]]:
    """Yield the chunks that differ in text or context, in blocks of at most BLOCK_CHUNKS, and of
    BLOCK_CHARACTERS unless one chunk is longer. Appends each chunk's place among these to `passages`."""
    known: dict[bytes, int] = {}
    block: list[AnyChunk] = []
    characters = 0
    for chunk in chunks:
        key, size = chunk_key(chunk), len(chunk.text)
        if key not in known:
            if block and (len(block) == BLOCK_CHUNKS or characters + size > BLOCK_CHARACTERS):
                yield block
                block, characters = [], 0
            known[key] = len(known)
            block.append(chunk)
            characters += size
        passages.append(known[key])
    if block:
        yield block


def _encoded(
    opened: OpenRepresentation,
    chunks: Sequence[AnyChunk],
    reuse: Reuse | None,
    on_progress: Callable[[int, int], None] | None,
    cancelled: Callable[[], bool] | None,
) -> Encodings:
    known = reuse.known(chunks) if reuse else {}
    missing = [chunk for place, chunk in enumerate(chunks) if place not in known]

    def report(done: int, _: int) -> None:
        if on_progress:
            on_progress(len(chunks) * done // len(missing), len(chunks))

    made = encode_chunks(opened.encoder, missing, on_progress=report, cancelled=cancelled)
    return merge(len(chunks), known, made)
