"""A library, or some collections of it, as one file: to keep, to move, to give away."""

import os
import shutil
import zipfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, cast
from uuid import uuid4

from ingestion.chunking.chunker import chunk_pages
from ingestion.collections import adopt_instructions, instructions_of
from ingestion.documents import Chunk, name_as_words
from ingestion.encoders import CHUNKER_VERSION
from ingestion.errors import InvalidInput, LibraryDamaged, LibraryError
from ingestion.library import Library
from ingestion.maintenance.archive.documents import ArchivedDocument, document_json
from ingestion.maintenance.archive.file_format import ArchiveReader, ArchiveWriter, BoundedFile
from ingestion.maintenance.checks import text_fault
from ingestion.maintenance.report import MaintenanceProgress, Work
from ingestion.maintenance.segments import read_vectors
from ingestion.pipeline.document_vectors import document_vectors
from ingestion.regular_files import open_regular
from ingestion.storage.catalogue.records import Document, Representation
from ingestion.storage.durable import sync_folder
from ingestion.storage.open_representations import OpenRepresentation
from ingestion.storage.originals import Source, unpacking_folder
from ingestion.storage.tokens.merge import merge
from ingestion.storage.tokens.segment import Segment
from ingestion.storage.tokens.store import DocumentVectors
from ingestion.storage.tokens.stored import StoredVectors
from ingestion.storage.tokens.writing import dump_segment


@dataclass(frozen=True, slots=True)
class Exported:
    """The numbers of what an export holds, and its size in bytes.

    `unreadable` are the names of documents that are left out because their text is damaged.
    """

    documents: int
    chunks: int
    originals: int
    unreadable: tuple[str, ...]
    bytes: int


@dataclass(frozen=True, slots=True)
class Imported:
    """How many of an archive's documents were added, replaced or skipped; `encoded` had to be encoded.

    `instructions` are the collections that took the archive's instructions; `instructions_left` those that
    keep their own, or have documents of their own.
    """

    added: int
    replaced: int
    skipped: int
    encoded: int
    instructions: tuple[str, ...] = ()
    instructions_left: tuple[str, ...] = ()


def export_library(
    library: Library,
    file: Path,
    *,
    originals: bool = False,
    collections: Sequence[str] | None = None,
    force: bool = False,
    on_progress: Callable[[MaintenanceProgress], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Exported:
    """Write documents' text and vectors to a file, as of one moment. Changes wait, searching goes on.

    Args:
        originals: Whether the documents' own bytes are written, too.
        collections: The collections to export; all, where they are not given.
        force: Whether an existing file is replaced; it is replaced at the end.

    Raises:
        InvalidInput: The file exists.
        UnknownName: A collection does not exist.
        LibraryError: The file cannot be written; none is left.
        Cancelled: The caller has cancelled; no file is left.
    """
    _refuse_existing(file, force)
    work = Work("exporting", on_progress, cancelled)
    temporary = file.with_name(f".{file.name}.{uuid4().hex[:8]}.part")
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as stream, library.changing:
            with zipfile.ZipFile(stream, "w") as archive:
                exported = _Export(library, ArchiveWriter(archive), originals).write(collections, work)
            stream.flush()
            os.fsync(stream.fileno())
        _refuse_existing(file, force)
        temporary.replace(file)
        sync_folder(file.absolute().parent)
    except OSError as error:
        raise LibraryError(
            f"the export {file} cannot be written: {error.strerror or error}; "
            "check the disk's space and rights"
        ) from error
    finally:
        temporary.unlink(missing_ok=True)
    return Exported(*exported, file.stat().st_size)


def import_library(
    library: Library,
    file: Path,
    *,
    on_progress: Callable[[MaintenanceProgress], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Imported:
    """Add an archive's documents to the collections of the same names.

    The whole archive is checked first. A document whose bytes the collection has is skipped; a document
    with other bytes under the same path is replaced. A collection without documents and instructions takes
    the archive's instructions. The archive's vectors are taken where a model of the
    library made them; otherwise the text is encoded. Documents are added one by one, so an import that was
    interrupted goes on when it is started again.

    Raises:
        InvalidInput: The file is no sound archive; nothing has changed.
        StaleRepresentation: Another model made the library's vectors.
        LibraryError: A store cannot be written.
        Cancelled: The caller has cancelled; the documents added so far stay.
    """
    work = Work("importing", on_progress, cancelled)
    with ExitStack() as stack:
        try:
            bounded = cast(IO[bytes], BoundedFile(stack.enter_context(open_regular(file))))
            archive = stack.enter_context(zipfile.ZipFile(bounded))
        except OSError as error:
            raise InvalidInput(f"the archive {file} cannot be read: {error.strerror or error}") from error
        except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
            raise InvalidInput(
                f"the archive {file} is refused: it is no export of a library, or cut short ({error}); "
                "nothing was imported"
            ) from error
        reader = ArchiveReader(archive, str(file))
        free = shutil.disk_usage(library.folder).free
        if reader.unpacked_bytes > free:
            raise InvalidInput(
                f"the archive {file} needs {reader.unpacked_bytes} bytes, and {free} are free on the disk of "
                f"{library.folder}; nothing was imported"
            )
        reader.check_members(lambda names: work.over("checking", names))
        folder = unpacking_folder(library.folder)
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        return _Import(library, reader, folder, work).run()


def _refuse_existing(file: Path, force: bool) -> None:
    if file.exists() and not file.is_file():
        raise InvalidInput(f"{file} is a folder, pipe or device; name a file for the export")
    if file.exists() and not force:
        raise InvalidInput(f"{file} exists already; choose another name, or replace it with --force")


class _Export:
    """One export's way through the documents."""

    def __init__(self, library: Library, writer: ArchiveWriter, originals: bool) -> None:
        self._library = library
        self._writer = writer
        self._with_originals = originals
        self._originals: set[str] = set()
        self._representations: list[Representation] = library.representations.all("ready")

    def write(self, collections: Sequence[str] | None, work: Work) -> tuple[int, int, int, tuple[str, ...]]:
        catalogue = self._library.catalogue
        names = sorted(catalogue.collections()) if collections is None else list(dict.fromkeys(collections))
        documents = catalogue.documents(catalogue.collection_ids(names)) if names else []
        written: list[Document] = []
        unreadable: list[str] = []
        for document in work.over("documents", documents):
            if text_fault(self._library, document):
                unreadable.append(document.name)
            else:
                self._write_document(len(written), document)
                written.append(document)
        fingerprints = [record.fingerprint for record in self._representations]
        instructions = {k: text for k, text in instructions_of(catalogue).items() if k in names}
        self._writer.finish(names, fingerprints, len(written), instructions)
        chunks = sum(document.chunks for document in written)
        return len(written), chunks, len(self._originals), tuple(unreadable)

    def _write_document(self, number: int, document: Document) -> None:
        catalogue, fields = self._library.catalogue, self._library.fields
        archived = ArchivedDocument(
            collection=document.collection,
            name=document.name,
            paths=tuple(catalogue.sources.of(document.id)),
            sha256=document.sha256,
            bytes=document.bytes,
            chunker=document.chunker,
            language=document.language,
            added=document.added,
            parsed=replace(catalogue.parsed(document), properties=fields.properties(document.id)),
            chunks=tuple(
                Chunk(c.ordinal, c.page, c.start, c.end, c.text, c.heading, c.context)
                for c in catalogue.chunks_of(document)
            ),
            segments=self._write_segments(number, document),
            original=self._write_original(document) if self._with_originals else None,
            reader=document.reader,
            encoding=document.encoding,
            edits=fields.edits(document.id),
        )
        fingerprints = [record.fingerprint for record in self._representations]
        self._writer.add_json(f"documents/{number}.json", document_json(archived, fingerprints))

    def _write_segments(self, number: int, document: Document) -> dict[str, str]:
        """Write the token vectors that can be read; the import encodes the text of the others again."""
        members: dict[str, str] = {}
        key = document.id, document.version
        for place, record in enumerate(self._representations):
            file = self._library.representations.segment(document.id, record.id)
            try:
                segment = Segment(self._library.folder / "tokens" / (file or ""))
                merged = merge([(segment, [key])])
            except LibraryDamaged:
                continue
            name = f"segments/{number}-{place}.tok"
            with TemporaryFile(dir=self._library.folder) as stream:
                dump_segment(stream, merged.file)
                stream.seek(0)
                self._writer.add_stream(name, stream)
            members[record.fingerprint] = name
        return members

    def _write_original(self, document: Document) -> str | None:
        original = self._library.original(document.sha256)
        if not original.is_file():
            return None
        name = f"originals/{document.sha256}"
        with original.open("rb") as stream:
            self._writer.add_stream(name, stream)
        self._originals.add(name)
        return name


class _Import:
    """One import's way through the documents."""

    def __init__(self, library: Library, reader: ArchiveReader, folder: Path, work: Work) -> None:
        self._library = library
        self._reader = reader
        self._folder = folder
        self._work = work
        self._added = self._replaced = self._skipped = self._encoded = 0

    def run(self) -> Imported:
        shutil.rmtree(self._folder, ignore_errors=True)
        self._folder.mkdir(mode=0o700)
        targets = self._library.open_representations.writable()
        catalogue = self._library.catalogue
        manifest = self._reader.manifest
        taken, left = adopt_instructions(self._library, manifest.instructions)
        collections = {name: catalogue.ensure_collection(name) for name in manifest.collections}
        total = manifest.documents
        for number, document in enumerate(self._reader.documents()):
            self._work.check()
            self._work.report("documents", number, total)
            self._import(document, collections[document.collection], targets)
        self._work.report("documents", total, total)
        return Imported(self._added, self._replaced, self._skipped, self._encoded, taken, left)

    def _import(
        self, archived: ArchivedDocument, collection_id: int, targets: Sequence[OpenRepresentation]
    ) -> None:
        library, catalogue = self._library, self._library.catalogue
        present = catalogue.by_content(archived.sha256, collection_id)
        if present:
            self._skipped += 1
        else:
            known = [catalogue.by_source(collection_id, path) for path in archived.paths]
            present = self._add(archived, collection_id, targets)
            own = library.fields.edits(present.id)  # of the document that it replaces
            if edits := {name: text for name, text in archived.edits.items() if name not in own}:
                library.fields.edit(present.id, edits)
            self._replaced += any(known)
            self._added += not any(known)
        for path in archived.paths:
            if path not in catalogue.sources.of(present.id):
                library.link(collection_id, self._source(archived, path, None), present)

    def _add(
        self, archived: ArchivedDocument, collection_id: int, targets: Sequence[OpenRepresentation]
    ) -> Document:
        chunks: Sequence[Chunk] = archived.chunks
        current = archived.chunker == CHUNKER_VERSION
        if not current:
            parsed, title = archived.parsed, name_as_words(archived.name)
            chunks = chunk_pages(parsed.pages, parsed.headings, self._library.encoder, title=title)
        vectors: dict[int, DocumentVectors] = {}
        encoded = False
        for opened in targets:
            found: DocumentVectors | None = self._stored(archived, opened) if current else None
            if found is None:
                encoded = True
                found = document_vectors(opened, chunks, cancelled=self._work.cancelled)
            vectors[opened.id] = found
        self._encoded += encoded
        file = None
        if archived.original is not None:
            file = self._unpack(archived.original, self._folder / "original")
        source = self._source(archived, archived.paths[0], file)
        return self._library.add(
            collection_id,
            source,
            archived.parsed,
            chunks,
            vectors,
            language=archived.language,
            added=archived.added,
            reader=archived.reader,
            encoding=archived.encoding,
        )

    def _stored(self, archived: ArchivedDocument, opened: OpenRepresentation) -> StoredVectors | None:
        """Return the vectors that the archive has for a representation, or None where there are none or
        they cannot be this document's."""
        member = archived.segments.get(opened.record.fingerprint)
        if member is None:
            return None
        path = self._unpack(member, self._folder / "segment.tok")
        return read_vectors(opened, path, len(archived.chunks))

    def _unpack(self, member: str, path: Path) -> Path:
        path.unlink(missing_ok=True)  # a former one may still be mapped
        with path.open("xb") as stream:
            for block in self._reader.blocks(member):
                stream.write(block)
        return path

    @staticmethod
    def _source(archived: ArchivedDocument, path: str, file: Path | None) -> Source:
        name = archived.name if path == archived.paths[0] else Path(path).name
        return Source(path, name, archived.sha256, archived.bytes, file)
