"""Libraries of any size, made from real passages: what `benchmarks/query.py` measures.

A chunk is put together from windows of 30 to 90 tokens of random passages: their words, their token vectors
with noise, and the mean of their passages' single vectors. So chunks have the vocabulary, the clusters and
the matches of real ones, and none is another's copy. Documents have 20 chunks.

Everything is written by the library's own parts, but many documents at a time: as a library looks after
`rag-app compact`.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ingestion.documents import Chunk, Page, ParsedDocument, Status
from ingestion.encoders import CHUNKER_VERSION, Encoder, Encodings
from ingestion.library import Library
from ingestion.storage.catalogue.records import Document
from ingestion.storage.catalogue.rows import insert_document, prepare_text
from ingestion.storage.catalogue.sources import insert_source
from ingestion.storage.segment_merging import MAX_CHUNKS
from ingestion.storage.timing import utc_now
from ingestion.storage.tokens.codec import Int8Codec
from ingestion.storage.tokens.layout import section_of
from ingestion.storage.tokens.merge import merge
from ingestion.storage.tokens.segment import Segment
from ingestion.storage.tokens.writing import SegmentData, write_segment

CHUNKS_A_DOCUMENT = 20
SHORTEST, LONGEST = 120, 240  # tokens of a chunk
_WINDOW = (30, 90)
# Noise of a third of a token's length: cosine .94 to the token that it was.
_NOISE = 0.35
_STEP = 5120  # chunks made at a time

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Real:
    """Encoded passages with their texts; token vectors as int8 codes."""

    texts: Sequence[str]
    codes: NDArray[np.int8]
    offsets: NDArray[np.int64]
    spans: NDArray[np.int32]
    mean: Floats

    @classmethod
    def of(cls, texts: Sequence[str], encodings: Encodings, scales: Floats) -> "Real":
        codes = Int8Codec(scales).encode(encodings.tokens)
        return cls(texts, codes, encodings.offsets, encodings.spans, encodings.mean)


@dataclass(frozen=True)
class Made:
    """Chunks that were made: texts, and vectors as a segment keeps them."""

    texts: list[str]
    codes: NDArray[np.int8]
    offsets: NDArray[np.int64]
    spans: NDArray[np.uint16]
    mean: Floats


class Maker:
    """Makes chunks; the same seed makes the same."""

    def __init__(self, real: Real, seed: int = 0) -> None:
        self._real = real
        self._random = np.random.default_rng(seed)
        spread = np.sqrt((real.codes[:: max(len(real.codes) // 200_000, 1)].astype(np.float32) ** 2).mean(0))
        noise = self._random.normal(size=(1 << 16, real.codes.shape[1])) * spread * _NOISE
        self._noise = noise.astype(np.float32)
        # Tokens of a context line stand nowhere in the text.
        own = real.spans[:, 1] > 0
        places = []
        for passage, (first, last) in enumerate(pairwise(real.offsets.tolist())):
            start = first + int(own[first:last].argmax()) if last > first else last
            if last - start >= _WINDOW[0]:
                places.append((passage, start, last))
        self._passages = places

    def make(self, count: int) -> Made:
        """Return so many new chunks."""
        real, random = self._real, self._random
        texts: list[str] = []
        codes: list[NDArray[np.int8]] = []
        spans: list[NDArray[np.integer]] = []
        means = np.zeros((count, real.mean.shape[1]), np.float32)
        lengths = np.zeros(count, np.int64)
        for row in range(count):
            wanted = int(random.integers(SHORTEST, LONGEST + 1))
            parts: list[str] = []
            at = 0
            while wanted > 0:
                passage, first, last = self._passages[random.integers(len(self._passages))]
                window = min(int(random.integers(_WINDOW[0], _WINDOW[1] + 1)), last - first, wanted)
                start = first + int(random.integers(0, last - first - window + 1))
                own = real.spans[start : start + window]
                begin, end = int(own[:, 0].min()), int(own[:, 1].max())
                parts.append(real.texts[passage][begin:end])
                spans.append(np.maximum(own - begin, 0) + at)
                at += end - begin + 1
                codes.append(real.codes[start : start + window])
                means[row] += window * real.mean[passage]
                lengths[row] += window
                wanted -= window
            texts.append(" ".join(parts))
        values = np.concatenate(codes).astype(np.float32)
        places = random.integers(0, len(self._noise), -(-len(values) // 64))
        rows = (places[:, None] + np.arange(64)).reshape(-1)[: len(values)] % len(self._noise)
        values += self._noise[rows]
        values *= 1 / np.sqrt(1 + _NOISE**2)
        made = np.clip(np.rint(values), -127, 127).astype(np.int8)
        means += 0.02 * random.normal(size=means.shape) * np.linalg.norm(means, axis=1, keepdims=True)
        means /= np.linalg.norm(means, axis=1, keepdims=True)
        return Made(
            texts,
            made,
            np.concatenate([[0], np.cumsum(lengths)]),
            np.concatenate(spans).astype(np.uint16),
            means.astype(np.float32),
        )


class MeanAndTokens:
    """The built-in encoder without CLS vectors, so that Chroma holds one vector a chunk."""

    vector_kinds = frozenset({"mean", "tokens"})

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder

    def __getattr__(self, name: str) -> Any:
        return getattr(self._encoder, name)


def build(
    folder: Path, encoder: Encoder, real: Real, chunks: int, tell: Callable[[str], None] = print
) -> None:
    """Make a library of so many chunks, a multiple of 20."""
    maker = Maker(real)
    with Library.open(folder, encoder) as library, ThreadPoolExecutor(1) as chroma:
        index = library.representation()
        done = number = 0
        while done < chunks:
            some = min(chunks - done, MAX_CHUNKS // CHUNKS_A_DOCUMENT * CHUNKS_A_DOCUMENT)
            raw, name = library.folder / "raw.tok", f"merged-made{number:04}.tok"
            made = list(_made(maker, some))
            identities = [f"{done + i:016}" for i in range(0, some, CHUNKS_A_DOCUMENT)]
            writing = chroma.submit(_fill_chroma, library, identities, made)
            _fill_catalogue(library, identities, made, name)
            write_segment(raw, _segment(index.record.fingerprint, identities, made))
            source = Segment(raw)
            merged = merge(
                [(source, source.document_keys())], scales=index.record.scales, books=index.tokens.codebooks()
            )
            write_segment(library.folder / "tokens" / name, merged.file)
            raw.unlink()
            index.tokens.attach([name])
            tell(f"{done + some} of {chunks} chunks: segment written")
            writing.result()
            done += some
            number += 1
            tell(f"{done} of {chunks} chunks")
        with library.catalogue.transaction() as connection:
            connection.execute("INSERT INTO chunk_index (chunk_index) VALUES ('optimize')")


def documents_of(maker: Maker, count: int) -> Iterator[tuple[ParsedDocument, list[Chunk], Encodings]]:
    """Yield documents as `Library.add` takes them, without encoding."""
    for made in _made(maker, count * CHUNKS_A_DOCUMENT, CHUNKS_A_DOCUMENT):
        parsed, chunks = _document(made.texts)
        yield (
            parsed,
            chunks,
            Encodings(
                cls=np.zeros((len(chunks), 0), np.float32),
                mean=made.mean,
                tokens=made.codes.astype(np.float32),
                offsets=made.offsets,
                spans=made.spans.astype(np.int32),
            ),
        )


def _made(maker: Maker, count: int, step: int = _STEP) -> Iterator[Made]:
    for first in range(0, count, step):
        yield maker.make(min(step, count - first))


def _document(texts: Sequence[str]) -> tuple[ParsedDocument, list[Chunk]]:
    """Return a document with a chunk a page."""
    pages = tuple(Page(number, text) for number, text in enumerate(texts, start=1))
    chunks = [Chunk(i, i + 1, 0, len(text), text, None, "") for i, text in enumerate(texts)]
    return ParsedDocument(Status.OK, page_count=len(pages), pages=pages), chunks


def _fill_catalogue(library: Library, identities: Sequence[str], made: Sequence[Made], file: str) -> None:
    catalogue, index = library.catalogue, library.representation()
    ((name, collection),) = catalogue.collections().items()
    texts = [text for one in made for text in one.texts]
    added = utc_now()
    rows = []
    for i, identity in enumerate(identities):
        parsed, chunks = _document(texts[i * CHUNKS_A_DOCUMENT : (i + 1) * CHUNKS_A_DOCUMENT])
        document = Document(
            id=identity,
            collection=name,
            collection_id=collection,
            name=f"{identity}.txt",
            path=f"/made/{identity}.txt",
            title=None,
            sha256=identity * 4,
            bytes=0,
            status=Status.OK,
            error=None,
            pages=len(chunks),
            pages_failed=0,
            chunks=len(chunks),
            version=1,
            chunker=CHUNKER_VERSION,
            language="en",
            added=added,
        )
        rows.append((document, prepare_text(parsed, chunks, "en", catalogue.terms)))
    with catalogue.transaction() as connection:
        connection.execute(
            "INSERT INTO segment_files (file, representation_id, collection_id, chunks) VALUES (?, ?, ?, ?)",
            (file, index.id, collection, len(texts)),
        )
        for document, text in rows:
            insert_document(connection, document, text)
            insert_source(connection, collection, document.path, document.id)
            connection.execute(
                "INSERT INTO segments (document_id, representation_id, file) VALUES (?, ?, ?)",
                (document.id, index.id, file),
            )


def _fill_chroma(library: Library, identities: Sequence[str], made: Sequence[Made]) -> None:
    (collection,) = library.catalogue.collections().values()
    ids = [f"{identity}:1:{i}" for identity in identities for i in range(CHUNKS_A_DOCUMENT)]
    pages = [i + 1 for _ in identities for i in range(CHUNKS_A_DOCUMENT)]
    first = 0
    for one in made:
        last = first + len(one.texts)
        library.vectors.upsert(
            collection,
            "mean",
            ids[first:last],
            one.mean,
            pages[first:last],
            representation=library.representation().id,
        )
        first = last


def _segment(fingerprint: str, identities: Sequence[str], made: Sequence[Made]) -> SegmentData:
    chunks = sum(len(one.texts) for one in made)
    edges = np.cumsum([0, *(int(one.offsets[-1]) for one in made)])
    offsets = [one.offsets[1:] + edge for one, edge in zip(made, edges[:-1], strict=True)]
    arrays: dict[str, NDArray[Any]] = {
        "documents": np.array([identity.encode() for identity in identities], "|S24"),
        "versions": np.ones(len(identities), np.int32),
        "firsts": np.arange(0, chunks + 1, CHUNKS_A_DOCUMENT),
        "offsets": np.concatenate([np.zeros(1, np.int64), *offsets]),
        "codes": np.concatenate([one.codes for one in made]),
        "spans": np.concatenate([one.spans for one in made]),
        "cls": np.zeros((chunks, 0), np.float32),
        "mean": np.concatenate([one.mean for one in made]),
    }
    sections = {name: section_of(name, array) for name, array in arrays.items()}
    return SegmentData(fingerprint, "int8", arrays["codes"].shape[1], sections)
