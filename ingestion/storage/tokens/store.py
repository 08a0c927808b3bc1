"""The token store: a folder of segments; the catalogue lists those that count."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ingestion.encoders import BLOCK_CHUNKS, Encodings, join
from ingestion.errors import LibraryDamaged
from ingestion.storage.durable import sync_folder
from ingestion.storage.timing import Stopwatch
from ingestion.storage.tokens.attached import AttachedSegments
from ingestion.storage.tokens.candidates import (
    CANDIDATES,
    EXHAUSTIVE_CHUNKS,
    Allowed,
    ScoredChunks,
    SearchedSegment,
    TopChunks,
    live_rows,
    select_candidates,
)
from ingestion.storage.tokens.codec import INT8, CodecSpec, QueryCodes, TokenArrays, store_tokens
from ingestion.storage.tokens.layout import DocumentKey
from ingestion.storage.tokens.segment import Segment
from ingestion.storage.tokens.staged import StagedVectors
from ingestion.storage.tokens.stored import StoredVectors
from ingestion.storage.tokens.writing import SegmentContents, write_segment

# A document's vectors: in memory; on the disk until it is committed; in a segment.
DocumentVectors = Encodings | StagedVectors | StoredVectors

# Bytes of segments that may be mapped before they are released; the system's cache may still keep them.
_MAPPED_BYTES = 2 << 30


@dataclass(frozen=True, slots=True)
class TokenMatch:
    """How a query's tokens match one chunk's.

    Attributes:
        similarities: [q, t] float32 cosines.
        spans: [t, 2] int: each token's characters in the chunk's text; (0, 0) for context tokens.
    """

    similarities: NDArray[np.float32]
    spans: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class KeptTokens:
    """The stored tokens of one chunk.

    Attributes:
        vectors: [v, k] float32, decoded.
        owners: [t] the place of each token's vector among these; None where each token has its own.
        spans: [t, 2] int: each token's characters in the chunk's text; (0, 0) for context tokens.
        code_bytes: The size of the codes.
        map_bytes: The size of spans and owners.
    """

    vectors: NDArray[np.float32]
    owners: NDArray[np.uint16] | None
    spans: NDArray[np.int64]
    code_bytes: int
    map_bytes: int

    @property
    def tokens(self) -> NDArray[np.float32]:
        """[t, k] float32: each token's vector."""
        return self.vectors if self.owners is None else self.vectors[self.owners]


@dataclass(frozen=True, slots=True)
class TokenSizes:
    """How much segments hold: tokens, the bytes of the files, and those of their sections by name."""

    tokens: int
    files: int
    sections: Mapping[str, int]


class TokenStore(AttachedSegments):
    """Per-token vectors of every chunk. Readers see the segments that were attached when they began.

    Blocks of a file are compared with its checksums when they are first read. `search` and `score` name the
    files that cannot be read in their results; all other methods raise LibraryDamaged for them.
    """

    def __init__(
        self,
        folder: Path,
        scales: NDArray[np.float32],
        spec: CodecSpec = INT8,
        explain: Callable[[str, LibraryDamaged], LibraryDamaged] = lambda _, error: error,
    ) -> None:
        super().__init__(folder, scales, explain)
        self.spec = spec
        self._codec = spec.vectors(scales)
        self._mapped = 0

    def stage(self) -> StagedVectors:
        """Return a place for the vectors of a long document, which come block by block."""
        return StagedVectors(self.folder, self.spec, self._scales)

    def write(self, name: str, document: DocumentKey, vectors: DocumentVectors, fingerprint: str) -> None:
        """Write a document's segment in the store's codec. It is not searched before `attach`."""
        if isinstance(vectors, Encodings):
            write_segment(
                self.folder / name, self._contents([(document, len(vectors))], vectors, fingerprint).file()
            )
        elif isinstance(vectors, StagedVectors):
            write_segment(self.folder / name, vectors.segment(fingerprint, document))
        elif len(vectors) <= BLOCK_CHUNKS:
            self.write(name, document, vectors.part(0, len(vectors)), fingerprint)
        else:
            with closing(self.stage()) as staged:
                for block in vectors.blocks():
                    staged.append(block)
                self.write(name, document, staged, fingerprint)

    def write_together(
        self,
        name: str,
        documents: Sequence[DocumentKey],
        vectors: Sequence[DocumentVectors],
        fingerprint: str,
    ) -> None:
        """Write several documents' vectors, all held in memory at once, as one segment."""
        parts = [some.part(0, len(some)) for some in vectors if not isinstance(some, StagedVectors)]
        owned = [(key, len(part)) for key, part in zip(documents, parts, strict=True)]
        write_segment(self.folder / name, self._contents(owned, join(parts), fingerprint).file())

    def _contents(
        self, documents: Sequence[tuple[DocumentKey, int]], encodings: Encodings, fingerprint: str
    ) -> SegmentContents:
        arrays = TokenArrays(encodings.tokens, encodings.offsets, encodings.spans, encodings.punctuation)
        stored = store_tokens(self.spec, self._scales, arrays)
        return SegmentContents(
            fingerprint=fingerprint,
            codec=self.spec.name,
            dimension=encodings.tokens.shape[1],
            documents=documents,
            codes=stored.codes,
            offsets=stored.offsets,
            spans=stored.spans,
            cls=encodings.cls,
            mean=encodings.mean,
            owners=stored.owners,
            token_offsets=stored.token_offsets,
        )

    def erase(self, name: str) -> None:
        """Remove a segment's file. One that is not there does not matter."""
        self.detach(name)
        (self.folder / name).unlink(missing_ok=True)
        (self.folder / name).with_suffix(".tmp").unlink(missing_ok=True)
        sync_folder(self.folder)

    def search(
        self,
        query: NDArray[np.float32],
        segments: Iterable[str],
        limit: int,
        allowed: Allowed | None = None,
        *,
        exhaustive_up_to: int = EXHAUSTIVE_CHUNKS,
        candidates: int = CANDIDATES,
        watch: Stopwatch | None = None,
    ) -> ScoredChunks:
        """Return the chunks with the best MaxSim, best first; equal scores in the order of ids, so that the
        result does not depend on how segments are cut.

        Args:
            query: [q, k] float32 unit vectors.
            segments: The segments to search.
            limit: The number of chunks to return.
            allowed: The chunks that may be found; all, where it is not given.
            exhaustive_up_to: Up to so many chunks, all are scored. In a larger scope, only the candidates
                with the best estimates are scored in segments with inverted lists.
            candidates: Their number; twice `limit`, where that is larger.
            watch: Gets the times of the stages "candidates", "gather" and "score".
        """
        watch = watch or Stopwatch()
        opened, unreadable = self.opened(segments)
        sought = [SearchedSegment(name, file, live_rows(file, dead, allowed)) for name, file, dead in opened]
        exhaustive = sum(map(len, sought)) <= exhaustive_up_to
        if not exhaustive:
            with watch.stage("candidates"):
                listed = [(one, self.lists_of(one.name, one.segment)) for one in sought]
                sought = select_candidates(query, listed, max(candidates, 2 * limit))
        codes = self._codec.encode_query(query)
        best = TopChunks(limit)
        lost: set[str] = set()
        for one in sought:
            rows, scores, some = self._maxsim(codes, one.name, one.segment, one.rows, watch)
            lost |= some
            best.offer(one.segment, rows, scores)
        return ScoredChunks(best.scores(), exhaustive, unreadable, frozenset(lost))

    def score(
        self,
        query: NDArray[np.float32],
        chunks: Sequence[tuple[str, str]],
        *,
        watch: Stopwatch | None = None,
    ) -> ScoredChunks:
        """Return the MaxSim of the given (segment, chunk id) pairs, by chunk id, in their order.

        Chunks whose segment is no longer attached are left out. `watch` gets the times of the
        stages "gather" and "score".
        """
        watch = watch or Stopwatch()
        codes = self._codec.encode_query(query)
        wanted: dict[str, list[str]] = {}
        for name, chunk in chunks:
            wanted.setdefault(self.current(name), []).append(chunk)
        scores: dict[str, float] = {}
        opened, unreadable = self.opened(wanted)
        lost: set[str] = set()
        for name, segment, _ in opened:
            with watch.stage("gather"):
                rows = np.array([segment.row(chunk) for chunk in wanted[name]], np.int64)
            sound, values, some = self._maxsim(codes, name, segment, rows, watch)
            assert sound is not None
            lost |= some
            scores.update(zip(segment.chunk_ids(sound), values.tolist(), strict=True))
        scored = {chunk: scores[chunk] for _, chunk in chunks if chunk in scores}
        return ScoredChunks(scored, True, unreadable, frozenset(lost))

    def _maxsim(
        self,
        codes: QueryCodes,
        name: str,
        segment: Segment,
        rows: NDArray[np.int64] | None,
        watch: Stopwatch,
    ) -> tuple[NDArray[np.int64] | None, NDArray[np.float32], set[str]]:
        """Return the readable chunks of a segment, their scores, and the ids of the others' documents."""
        from ingestion.storage.tokens.maxsim import maxsim  # torch: seconds to import

        with watch.stage("gather"):
            mapped = segment.codes.nbytes if rows is None else segment.fetch(rows)
            sound, lost = self._sound(name, segment, rows)
        with watch.stage("score"):
            scores = maxsim(codes, segment.codes, segment.offsets, sound)
        self._bound_memory(mapped)
        return sound, scores, lost

    def _bound_memory(self, more: int) -> None:
        """Give back what segments take of memory when it may have become much."""
        self._mapped += more
        if self._mapped > _MAPPED_BYTES:
            self._mapped = 0
            for attached in self._attached.values():
                if attached.segment:
                    attached.segment.release()

    def match(self, query: NDArray[np.float32], name: str, chunk: str) -> TokenMatch | None:
        """Return the similarity of each query token with each of a chunk's tokens, or None if it is gone.

        Raises LibraryDamaged.
        """
        kept = self.kept(name, chunk)
        if kept is None:
            return None
        similarities = query @ kept.vectors.T
        return TokenMatch(similarities if kept.owners is None else similarities[:, kept.owners], kept.spans)

    def kept(self, name: str, chunk: str) -> KeptTokens | None:
        """Return a chunk's stored tokens, or None if it is gone. Raises LibraryDamaged."""
        for _, attached in self.named([name]):
            try:
                segment = self.open_segment(name, attached)
                row = segment.row(chunk)
                first, last = int(segment.offsets[row]), int(segment.offsets[row + 1])
                start, end = int(segment.token_offsets[row]), int(segment.token_offsets[row + 1])
                segment.touch("codes", first, last)
                segment.touch("spans", start, end)
                codes, spans, owners = np.array(segment.codes[first:last]), segment.spans[start:end], None
                if segment.owners is not None:
                    segment.touch("owners", start, end)
                    owners = np.array(segment.owners[start:end])
            except LibraryDamaged as error:
                raise self.blame(name, error) from error
            return KeptTokens(
                vectors=self._codec.decode(codes),
                owners=owners,
                spans=np.array(spans, dtype=np.int64),
                code_bytes=codes.nbytes,
                map_bytes=spans.nbytes + (0 if owners is None else owners.nbytes),
            )
        return None

    def stored(self, path: Path, document: DocumentKey | None = None) -> StoredVectors:
        """Return a document's vectors, to be read block by block; see `StoredVectors`. The segment need not
        lie in the store's folder. Raises LibraryDamaged."""
        return StoredVectors(path, document, self.spec, self._scales)

    def read(self, path: Path, document: DocumentKey | None = None) -> Encodings:
        """Return all of a document's vectors at once. Raises LibraryDamaged as `stored` does."""
        stored = self.stored(path, document)
        return stored.part(0, len(stored))

    def sizes(self) -> TokenSizes:
        """Return how much the attached segments hold, without those that cannot be read."""
        tokens = files = 0
        sections: Counter[str] = Counter()
        for name, attached in self._attached.items():
            try:
                segment = attached.segment or Segment(self.folder / name)
            except LibraryDamaged:
                continue
            tokens += len(segment.spans)
            files += segment.bytes
            sections.update(segment.section_bytes())
        return TokenSizes(tokens, files, dict(sections))

    def verify(self) -> None:
        """Compare every attached segment with its checksums. Raises LibraryDamaged."""
        for name, attached in self.named(list(self._attached)):
            self.open_segment(name, attached).verify()

    def _sound(
        self, name: str, segment: Segment, rows: NDArray[np.int64] | None
    ) -> tuple[NDArray[np.int64] | None, set[str]]:
        """Return the chunks that can be read, and the ids of the documents of those that cannot."""
        sound = segment.sound(rows)
        if sound is rows:
            return rows, set()
        wanted = np.arange(len(segment)) if rows is None else rows
        missing = segment.chunk_ids(np.setdiff1d(wanted, sound if sound is not None else wanted))
        error = LibraryDamaged(f"the token segment {segment.path} fails its checksum in codes")
        self.blame(name, error)
        return sound, {chunk.rsplit(":", 2)[0] for chunk in missing}
