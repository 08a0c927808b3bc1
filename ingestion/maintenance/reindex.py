"""Add, remake and remove representations, while the library stays searchable.

    row "building" → every document's vectors beside the old ones → one transaction: "building" becomes
    "ready", the former one "retired" → the retired one's vectors are erased

Interrupted at any point, the next call goes on: what is encoded stays, and what is retired is erased
when the library is opened.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import accumulate, pairwise
from pathlib import Path

from ingestion.chunking.chunker import chunk_pages
from ingestion.documents import Chunk, ParsedDocument, Status, name_as_words
from ingestion.encoders import BLOCK_CHUNKS, CHUNKER_VERSION, Encoder, Encodings
from ingestion.errors import Cancelled, InvalidInput, LibraryDamaged
from ingestion.library import Library
from ingestion.maintenance.checks import text_fault
from ingestion.parsing import READER_VERSION, ParseLimits, parse
from ingestion.pipeline.document_vectors import document_vectors
from ingestion.pipeline.parts import with_absent_parts
from ingestion.pipeline.reuse import Reuse, encode_chunks, is_current
from ingestion.storage.catalogue.records import Document, Representation, StoredChunk
from ingestion.storage.open_representations import BUILTIN_NAME, OpenRepresentation, describe
from ingestion.storage.originals import Source, under_its_name
from ingestion.storage.tokens.codec import INT8, can_convert
from ingestion.storage.tokens.store import DocumentVectors


@dataclass(frozen=True, slots=True)
class ReindexProgress:
    """`done` of `total` chunks have their new vectors; `name` is the document being encoded."""

    done: int
    total: int
    name: str


@dataclass(frozen=True, slots=True)
class ReindexResult:
    """What was done to a representation.

    Attributes:
        documents, chunks: Those that were encoded or converted; 0 where the representation was fresh.
        converted: The documents among them whose vectors were converted without the model.
        removed: Whether the representation was removed.
    """

    representation: str
    fingerprint: str
    codec: str
    documents: int
    chunks: int
    converted: int = 0
    removed: bool = False


def reindex(
    library: Library,
    name: str = BUILTIN_NAME,
    *,
    source: str | None = None,
    codec: str | None = None,
    on_progress: Callable[[ReindexProgress], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
    limits: ParseLimits = ParseLimits(),
) -> ReindexResult:
    """Remake a representation whose model, codec, chunker or parsers have changed; add a new one.

    The former vectors are searched until all new ones are there. Documents that older parsers read are
    parsed again from their originals; without an original, or with one that needs a password, their text
    stays. Token vectors are converted where the model is the same and the former codec has what the new one
    needs, and encoded otherwise.

    Args:
        source: The model's folder or hub name; the representation's own, where it is not given.
        codec: The name of a CodecSpec; the representation's own, where it is not given.
        limits: For parsing.

    Raises:
        InvalidInput: A new representation has no model.
        ModelError: The model cannot be loaded.
        Cancelled: The caller has cancelled; the next call goes on from there.
    """
    work = _Reindexing(library, limits, on_progress, cancelled)
    opened = _target(library, name, source, codec)
    work.renew()
    if opened.record.state == "building":
        while missing := library.representations.missing(opened.id):
            work.encode_for(opened, missing)
        _swap(library, opened)
    return ReindexResult(
        name, opened.record.fingerprint, opened.record.codec, work.documents, work.done, work.converted
    )


def remove_representation(library: Library, name: str) -> ReindexResult:
    """Remove a representation and its vectors. Raises UnknownName, InvalidInput for the built-in one."""
    if name == BUILTIN_NAME:
        raise InvalidInput(
            "the built-in representation stays: answers and citations need it; remove one that was added"
        )
    building = [
        i for i in library.open_representations.all() if i.name == name and i.record.state == "building"
    ]
    opened = building[0] if building else library.representation(name)
    _retire(library, opened)
    return ReindexResult(name, opened.record.fingerprint, opened.record.codec, 0, 0, removed=True)


def _target(library: Library, name: str, source: str | None, codec: str | None) -> OpenRepresentation:
    """Return the representation to bring up to date: the ready one if it is fresh, or one being built."""
    ready = next((opened for opened in library.open_representations.ready() if opened.name == name), None)
    if ready is None and source is None:
        raise InvalidInput(
            f"there is no representation {name!r} yet; name its model: "
            f"rag-app reindex --representation {name} --model FOLDER"
        )
    if name == BUILTIN_NAME and source is not None:
        raise InvalidInput(
            "the built-in representation has its own model; add another one under another name"
        )
    if ready is not None and source is None:
        source = ready.record.source
    assert source is not None
    encoder = library.open_representations.load(source)
    if codec is not None and "tokens" not in encoder.vector_kinds:
        raise InvalidInput(f"the model of {name} gives no token vectors for a codec; leave the codec away")
    if codec is None:
        codec = ready.record.codec if ready is not None else INT8.name
    wanted = replace(describe(name, encoder, source=source, codec=codec), state="building")
    if ready is not None and _alike(ready.record, wanted):
        return ready
    for opened in library.open_representations.all():
        if opened.name == name and opened.record.state == "building":
            if _alike(opened.record, wanted):
                return opened
            _retire(library, opened)
    with library.changing:
        with library.catalogue.database.transaction() as connection:
            record = library.representations.insert(connection, wanted)
        return library.open_representations.open(record)


def _alike(one: Representation, other: Representation) -> bool:
    return (one.fingerprint, one.source, one.codec) == (other.fingerprint, other.source, other.codec)


def _swap(library: Library, opened: OpenRepresentation) -> None:
    """Put a finished representation in the place of its former version."""
    with library.changing:
        former = [one for one in library.open_representations.ready() if one.name == opened.name]
        with library.catalogue.transaction() as connection:
            for one in former:
                library.representations.set_state(connection, one.id, "retired")
            library.representations.set_state(connection, opened.id, "ready")
        library.open_representations.open(replace(opened.record, state="ready"))
        for one in former:
            library.open_representations.close(one)
        library.journal_cleaner.erase_all()


def _retire(library: Library, opened: OpenRepresentation) -> None:
    with library.changing:
        with library.catalogue.transaction() as connection:
            library.representations.set_state(connection, opened.id, "retired")
        library.open_representations.close(opened)
        library.journal_cleaner.erase_all()


class _Reindexing:
    """One call's progress through the documents."""

    def __init__(
        self,
        library: Library,
        limits: ParseLimits,
        on_progress: Callable[[ReindexProgress], None] | None,
        cancelled: Callable[[], bool] | None,
    ) -> None:
        self._library = library
        self._limits = limits
        self._on_progress = on_progress
        self._cancelled = cancelled
        self.documents = 0
        self.converted = 0
        self.done = 0
        self._total = 0

    def renew(self) -> None:
        """Parse again what older parsers read, and chunk again what an older chunker cut."""
        library = self._library
        outdated = [d for d in library.catalogue.documents() if not is_current(d)]
        self._total = sum(document.chunks for document in outdated)
        for document in outdated:
            self._step(document.name)
            parsed, reader = self._read(document)
            # A damaged text stays as it is, so that its checksum goes on saying so.
            if reader == document.reader and (
                document.chunker == CHUNKER_VERSION or text_fault(library, document)
            ):
                self.done += document.chunks
                continue
            self._renew(document, parsed, reader)

    def _renew(self, document: Document, parsed: ParsedDocument, reader: int) -> None:
        library = self._library
        title = name_as_words(document.name)
        chunks = chunk_pages(parsed.pages, parsed.headings, library.encoder, title=title)
        file = library.original(document.sha256)
        source = Source(document.path, document.name, document.sha256, document.bytes, file)
        if parsed.attachments:
            parts = library.catalogue.sources.inside(document.collection_id, document.path)
            parsed = with_absent_parts(parsed, source, parts)
        vectors = {}
        for opened in library.open_representations.all():
            if opened.is_fresh:
                reuse = None
                if document.chunker == CHUNKER_VERSION:
                    reuse = Reuse(library, opened, document.collection_id, source)
                vectors[opened.id] = self._vectors(opened, chunks, document.name, reuse)
        with library.changing:
            if library.catalogue.document(document.id) != document:
                return  # replaced or deleted meanwhile
            keeps_language = reader == document.reader and document.language != "und"
            library.add(
                document.collection_id,
                source,
                parsed,
                chunks,
                vectors,
                language=document.language if keeps_language else None,
                added=document.added,
                reader=reader,
                encoding=document.encoding,
            )
        self.documents += 1
        self.done += document.chunks

    def _read(self, document: Document) -> tuple[ParsedDocument, int]:
        """Return a document as the parsers read it now, or as it is stored, and the version that read it."""
        library = self._library
        original = library.original(document.sha256)
        if document.reader != READER_VERSION and original.is_file():
            with library.unpacking() as folder:
                file = under_its_name(original, document.name, Path(folder))
                parsed = parse(
                    file, limits=self._limits, encoding=document.encoding, cancelled=self._cancelled
                )
            if parsed.status in (Status.OK, Status.PARTIAL) and len(parsed.failures) <= document.pages_failed:
                return parsed, READER_VERSION
        return library.catalogue.parsed(document), document.reader

    def encode_for(self, opened: OpenRepresentation, missing: Sequence[str]) -> None:
        """Encode documents for one representation, small ones together."""
        library = self._library
        documents = [d for d in map(library.catalogue.document, missing) if d is not None]
        self._total = self.done + sum(document.chunks for document in documents)
        documents = self._convert(documents, opened)
        for some in _batches(documents):
            chunks = [chunk for document in some for chunk in library.catalogue.chunks_of(document)]
            if len(chunks) != sum(document.chunks for document in some):
                continue  # one was replaced or deleted meanwhile: it is among the missing again, or gone
            if len(some) == 1:
                library.add_vectors(some[0], opened, self._vectors(opened, chunks, some[0].name))
            else:
                encodings = self._encode(opened.encoder, chunks, some[0].name)
                edges = accumulate((document.chunks for document in some), initial=0)
                for document, (first, last) in zip(some, pairwise(edges), strict=True):
                    library.add_vectors(document, opened, encodings.part(first, last))
            self.documents += len(some)
            self.done += len(chunks)

    def _convert(self, documents: Sequence[Document], opened: OpenRepresentation) -> list[Document]:
        """Give documents the token vectors that the representation's former version has of them, in its own
        codec. Returns those that it cannot give."""
        library = self._library
        former = next((one for one in library.open_representations.ready() if one.name == opened.name), None)
        if (
            former is None
            or former.record.fingerprint != opened.record.fingerprint
            or not can_convert(former.tokens.spec, opened.tokens.spec)
        ):
            return list(documents)
        files = library.representations.documents(former.id)
        left = []
        for document in documents:
            self._step(document.name)
            try:
                path = library.folder / "tokens" / files[document.id]
                vectors = former.tokens.stored(path, (document.id, document.version))
            except (KeyError, LibraryDamaged):  # it has none, they are damaged, or were merged meanwhile
                left.append(document)
                continue
            library.add_vectors(document, opened, vectors)
            self.documents += 1
            self.converted += 1
            self.done += document.chunks
        return left

    def _step(self, name: str) -> None:
        if self._cancelled and self._cancelled():
            raise Cancelled("reindexing")
        if self._on_progress:
            self._on_progress(ReindexProgress(self.done, self._total, name))

    def _vectors(
        self,
        opened: OpenRepresentation,
        chunks: Sequence[Chunk | StoredChunk],
        name: str,
        reuse: Reuse | None = None,
    ) -> DocumentVectors:
        """Encode one document."""
        self._step(name)
        report = partial(self._report, name)
        return document_vectors(opened, chunks, reuse=reuse, on_progress=report, cancelled=self._cancelled)

    def _encode(self, encoder: Encoder, chunks: Sequence[StoredChunk], name: str) -> Encodings:
        """Encode several documents together."""
        self._step(name)
        report = partial(self._report, name)
        return encode_chunks(encoder, chunks, on_progress=report, cancelled=self._cancelled)

    def _report(self, name: str, done: int, _: int) -> None:
        if self._on_progress:
            self._on_progress(ReindexProgress(self.done + done, self._total, name))


def _batches(documents: Sequence[Document]) -> Iterator[list[Document]]:
    """Group documents to at most BLOCK_CHUNKS chunks; a longer document is alone."""
    group: list[Document] = []
    for document in documents:
        if group and sum(one.chunks for one in group) + document.chunks > BLOCK_CHUNKS:
            yield group
            group = []
        group.append(document)
    if group:
        yield group
