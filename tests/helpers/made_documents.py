"""Documents with vectors that no encoder made: what stores do with them does not depend on their sense."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ingestion.documents import Chunk, Page, ParsedDocument, Status
from ingestion.encoders import Encodings
from ingestion.library import Library
from ingestion.storage.catalogue.records import Document
from ingestion.storage.originals import Source

POOLED, TOKEN = 384, 128


def unit(random: np.random.Generator, count: int, dimensions: int = TOKEN) -> NDArray[np.float32]:
    """Return random unit vectors."""
    vectors = random.normal(size=(count, dimensions)).astype(np.float32)
    made: NDArray[np.float32] = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return made


def encodings_of(passages: Sequence[NDArray[np.float32]]) -> Encodings:
    """Return the encodings of chunks with these tokens, each [tokens, 128]."""
    random = np.random.default_rng(0)
    tokens = np.concatenate([np.zeros((0, TOKEN), np.float32), *passages])
    return Encodings(
        cls=unit(random, len(passages), POOLED),
        mean=unit(random, len(passages), POOLED),
        tokens=tokens,
        offsets=np.cumsum([0, *map(len, passages)], dtype=np.int64),
        spans=np.zeros((len(tokens), 2), np.int32),
    )


def put(library: Library, name: str, text: str, passages: Sequence[NDArray[np.float32]]) -> Document:
    """Add a document of one chunk a page to the default collection, or replace that of its name."""
    file = library.folder.parent / name
    file.write_text(text, "utf-8")
    source = Source(
        str(file), name, hashlib.sha256(text.encode()).hexdigest(), len(text.encode()), Path(file)
    )
    pages = tuple(Page(number, f"{text} page {number}") for number in range(1, len(passages) + 1))
    chunks = [Chunk(i, page.number, 0, len(page.text), page.text, None, "") for i, page in enumerate(pages)]
    parsed = ParsedDocument(Status.OK, page_count=len(pages), pages=pages)
    encodings = {library.representation().id: encodings_of(passages)}
    return library.add(1, source, parsed, chunks, encodings, language="en")
