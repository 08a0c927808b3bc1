"""The format of an archive of a library, written and read with distrust.

    manifest.json            format, version, collections, representations, members {name: [sha256, bytes]}
    documents/<n>.json       one document: metadata, pages, chunks, and which members are its own
    segments/<n>-<r>.tok     its token vectors in the representation <r> of the manifest
    originals/<sha256>       its own bytes, if asked for

An archive may come from anywhere. Nothing is unpacked under a name that it gives, every member has to be
in the manifest with its SHA-256 and size, and every value is checked before anything is imported.
"""

import hashlib
import json
import re
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import IO, Any

from ingestion.documents import Chunk, Heading, Page, PageFailure, ParsedDocument, Status
from ingestion.errors import InvalidInput
from ingestion.storage.catalogue.catalogue import check_collection_name
from ingestion.storage.catalogue.rows import layout_from

FORMAT = "rag-app library"
VERSION = 1
MANIFEST = "manifest.json"
_MEMBER = re.compile(r"documents/\d{1,9}\.json|segments/\d{1,9}-\d{1,4}\.tok|originals/[0-9a-f]{64}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
# JSON is read whole: more than the text of any document that ingestion accepts.
_LARGEST_JSON = 1 << 30
_BLOCK = 1 << 20

# What reading hostile JSON can raise.
MALFORMED = (KeyError, ValueError, TypeError, IndexError, AttributeError, OverflowError, RecursionError)
# What reading a member of a damaged zip file can raise; NotImplementedError is a RuntimeError.
_UNREADABLE = (zipfile.BadZipFile, zlib.error, OSError, EOFError, RuntimeError, ValueError, struct.error)


@dataclass(frozen=True, slots=True)
class Member:
    """A member's SHA-256 and its size in bytes."""

    sha256: str
    bytes: int


@dataclass(frozen=True)
class Manifest:
    """An archive's table of contents. `representations` are fingerprints, in the order of their numbers."""

    collections: tuple[str, ...]
    representations: tuple[str, ...]
    documents: int
    members: Mapping[str, Member]


@dataclass(frozen=True)
class ArchivedDocument:
    """One document with everything that adding it takes. `segments` are members by fingerprint."""

    collection: str
    name: str
    paths: tuple[str, ...]
    sha256: str
    bytes: int
    chunker: int
    language: str
    added: str
    parsed: ParsedDocument
    chunks: tuple[Chunk, ...]
    segments: Mapping[str, str]
    original: str | None
    reader: int = 1
    encoding: str | None = None


class ArchiveWriter:
    """Adds members to a zip file and keeps the manifest."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._zip = archive
        self._members: dict[str, Member] = {}

    def add_json(self, name: str, value: object) -> None:
        data = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
        self._zip.writestr(_info(name, zipfile.ZIP_DEFLATED), data)
        self._members[name] = Member(hashlib.sha256(data).hexdigest(), len(data))

    def add_stream(self, name: str, stream: IO[bytes]) -> None:
        """Copy a file as it is: int8 codes and most originals gain nothing by compression."""
        if name in self._members:
            return  # the original of two documents
        digest, size = hashlib.sha256(), 0
        with self._zip.open(_info(name, zipfile.ZIP_STORED), "w", force_zip64=True) as member:
            while block := stream.read(_BLOCK):
                member.write(block)
                digest.update(block)
                size += len(block)
        self._members[name] = Member(digest.hexdigest(), size)

    def finish(self, collections: Sequence[str], fingerprints: Sequence[str], documents: int) -> None:
        """Write the manifest, the last member."""
        members = {name: [member.sha256, member.bytes] for name, member in self._members.items()}
        self.add_json(
            MANIFEST,
            {
                "format": FORMAT,
                "version": VERSION,
                "collections": list(collections),
                "representations": list(fingerprints),
                "documents": documents,
                "members": members,
            },
        )


def _info(name: str, compression: int) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.compress_type = compression
    info.external_attr = 0o600 << 16
    return info


def document_json(document: ArchivedDocument, fingerprints: Sequence[str]) -> dict[str, Any]:
    """The inverse of `_document_from`. A chunk's text is not repeated: its page has it."""
    parsed = document.parsed
    return {
        "collection": document.collection,
        "name": document.name,
        "paths": list(document.paths),
        "sha256": document.sha256,
        "bytes": document.bytes,
        "chunker": document.chunker,
        "language": document.language,
        "added": document.added,
        "status": str(parsed.status),
        "error": parsed.error,
        "title": parsed.title,
        "page_count": parsed.page_count,
        "pages": [
            [page.number, page.text, page.label, page.layout and asdict(page.layout)] for page in parsed.pages
        ],
        "warnings": list(parsed.warnings),
        "reader": document.reader,
        "encoding": document.encoding,
        "failures": [[failure.number, failure.reason] for failure in parsed.failures],
        "headings": [[h.title, h.level, h.page, h.start] for h in parsed.headings],
        "chunks": [[c.page, c.start, c.end, c.heading, c.context] for c in document.chunks],
        "segments": {str(fingerprints.index(key)): member for key, member in document.segments.items()},
        "original": document.original,
    }


class ArchiveReader:
    """An archive opened for reading, its manifest and its list of members checked.

    Raises InvalidInput where it is no archive of a library or was tampered with.
    """

    def __init__(self, archive: zipfile.ZipFile, name: str) -> None:
        self._zip = archive
        self._name = name
        infos = archive.infolist()
        self._infos = {info.filename: info for info in infos}
        if MANIFEST not in self._infos:
            raise self.refused("it has no manifest.json: it is no export of a library")
        if len(self._infos) != len(infos):
            raise self.refused("it has two members of one name")
        self.manifest = self._read_manifest()
        self._check_list()

    def refused(self, reason: str) -> InvalidInput:
        return InvalidInput(f"the archive {self._name} is refused: {reason}; nothing was imported")

    def _read_manifest(self) -> Manifest:
        try:
            fields = json.loads(self._read(MANIFEST, self._infos[MANIFEST].file_size))
            if fields["format"] != FORMAT:
                raise self.refused("it is no export of a library")
            if fields["version"] != VERSION:
                raise self.refused(
                    f"its format is {fields['version']} and this version of the application knows {VERSION}"
                )
            members = {
                str(name): Member(_text(sha256), _count(size))
                for name, (sha256, size) in fields["members"].items()
            }
            return Manifest(
                collections=tuple(map(_text, fields["collections"])),
                representations=tuple(map(_text, fields["representations"])),
                documents=_count(fields["documents"]),
                members=members,
            )
        except MALFORMED as error:
            raise self.refused(f"its manifest cannot be read: {error}") from error

    def _check_list(self) -> None:
        known = set(self.manifest.members)
        if strange := sorted({*self._infos} - known - {MANIFEST}) or sorted(known - {*self._infos}):
            raise self.refused(f"{strange[0]!r} is not both in it and in its manifest")
        for name, member in self.manifest.members.items():
            info = self._infos[name]
            if not _MEMBER.fullmatch(name):
                raise self.refused(f"it has a member {name!r}")
            if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                raise self.refused(f"{name} is compressed in a way that exports are not")
            if info.file_size != member.bytes:
                raise self.refused(f"{name} has {info.file_size} bytes and should have {member.bytes}")
        for collection in self.manifest.collections:
            check_collection_name(collection)
        documents = {f"documents/{number}.json" for number in range(self.manifest.documents)}
        if documents != {name for name in known if name.startswith("documents/")}:
            raise self.refused("its documents are not those that it counts")

    @property
    def unpacked_bytes(self) -> int:
        return sum(member.bytes for member in self.manifest.members.values())

    def check_members(self, over: Callable[[Sequence[str]], Iterator[str]]) -> None:
        """Compare every member with its checksum, and read every document. `over` may stop the work."""
        for name in over(list(self.manifest.members)):
            for _ in self.blocks(name):
                pass
            if name.startswith("documents/"):
                self._document(name)

    def blocks(self, name: str) -> Iterator[bytes]:
        """Yield a member's bytes. Raises InvalidInput, at their end, where they are not the manifest's."""
        member = self.manifest.members[name]
        digest, size = hashlib.sha256(), 0
        try:
            with self._zip.open(name) as stream:
                while block := stream.read(_BLOCK):
                    digest.update(block)
                    size += len(block)
                    yield block
        except _UNREADABLE as error:
            raise self.refused(f"{name} cannot be read: {error}") from error
        if (digest.hexdigest(), size) != (member.sha256, member.bytes):
            raise self.refused(f"{name} fails its checksum")

    def documents(self) -> Iterator[ArchivedDocument]:
        for number in range(self.manifest.documents):
            yield self._document(f"documents/{number}.json")

    def _read(self, name: str, size: int) -> bytes:
        if size > _LARGEST_JSON:
            raise self.refused(f"{name} has {size} bytes")
        try:
            return self._zip.read(name)
        except _UNREADABLE as error:
            raise self.refused(f"{name} cannot be read: {error}") from error

    def _document(self, name: str) -> ArchivedDocument:
        data = self._read(name, self.manifest.members[name].bytes)
        try:
            return _document_from(json.loads(data), self.manifest)
        except MALFORMED as error:
            raise self.refused(f"{name} is no document: {error!r}") from error


def _document_from(fields: Mapping[str, Any], manifest: Manifest) -> ArchivedDocument:
    """Read a document. Raises one of MALFORMED for anything that ingestion could not have made."""
    pages = tuple(
        Page(_count(number), _text(text), _optional(label), layout_from(layout and json.dumps(layout)))
        for number, text, label, layout in fields["pages"]
    )
    by_number = {page.number: page.text for page in pages}
    if len(by_number) != len(pages):
        raise ValueError("two pages have one number")
    chunks = tuple(_chunk(ordinal, by_number, *values) for ordinal, values in enumerate(fields["chunks"]))
    parsed = ParsedDocument(
        status=Status(fields["status"]),
        error=_optional(fields["error"]),
        title=_optional(fields["title"]),
        page_count=_count(fields["page_count"]),
        pages=pages,
        failures=tuple(PageFailure(_count(n), _text(reason)) for n, reason in fields["failures"]),
        headings=tuple(
            Heading(_text(title), _count(level), _count(page), _count(start))
            for title, level, page, start in fields["headings"]
        ),
        warnings=tuple(map(_text, fields.get("warnings", ()))),
    )
    segments = {manifest.representations[int(r)]: _text(m) for r, m in fields["segments"].items()}
    document = ArchivedDocument(
        collection=_text(fields["collection"]),
        name=_text(fields["name"]),
        paths=tuple(map(_text, fields["paths"])),
        sha256=_text(fields["sha256"]),
        bytes=_count(fields["bytes"]),
        chunker=_count(fields["chunker"]),
        language=_text(fields["language"]),
        added=_text(fields["added"]),
        parsed=parsed,
        chunks=chunks,
        segments=segments,
        original=_optional(fields["original"]),
        reader=_count(fields.get("reader", 1)),
        encoding=_optional(fields.get("encoding")),
    )
    _check(document, manifest)
    return document


def _check(document: ArchivedDocument, manifest: Manifest) -> None:
    if document.collection not in manifest.collections:
        raise ValueError(f"its collection {document.collection!r} is not in the manifest")
    if not document.paths or not document.name:
        raise ValueError("it has no path or no name")
    if not _SHA256.fullmatch(document.sha256):
        raise ValueError(f"{document.sha256!r} is no SHA-256")
    if document.parsed.status not in (Status.OK, Status.PARTIAL) or not document.parsed.pages:
        raise ValueError("it has no text")
    for member in document.segments.values():
        if not member.startswith("segments/") or member not in manifest.members:
            raise ValueError(f"{member!r} is none of its segments")
    if document.original is not None:
        original = manifest.members[document.original]
        if document.original != f"originals/{document.sha256}" or original.sha256 != document.sha256:
            raise ValueError("its original is not the document's")


def _chunk(
    ordinal: int, pages: Mapping[int, str], page: Any, start: Any, end: Any, heading: Any, context: Any
) -> Chunk:
    text = pages[page]
    if not 0 <= _count(start) <= _count(end) <= len(text):
        raise ValueError(f"chunk {ordinal + 1} is not on its page")
    return Chunk(ordinal, page, start, end, text[start:end], _optional(heading), _text(context))


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no text")
    value.encode()  # half a surrogate pair can be written in JSON, and not stored
    return value


def _optional(value: object) -> str | None:
    return None if value is None else _text(value)


def _count(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 1 << 62:
        raise ValueError(f"{value!r} is no count")
    return value
