"""The format of an archive of a library, written and read with distrust.

    manifest.json            format, version, collections, their instructions {name: text}, representations,
                             members {name: [sha256, bytes]}
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
from dataclasses import dataclass
from typing import IO

from ingestion.collections import checked_instructions
from ingestion.errors import InvalidInput
from ingestion.maintenance.archive.documents import ArchivedDocument, count_of, document_from, text_of
from ingestion.storage.catalogue.catalogue import check_collection_name

FORMAT = "rag-app library"
VERSION = 1
MANIFEST = "manifest.json"
_MEMBER = re.compile(r"documents/\d{1,9}\.json|segments/\d{1,9}-\d{1,4}\.tok|originals/[0-9a-f]{64}")
# JSON is read whole: more than the text of any document that ingestion accepts.
_LARGEST_JSON = 1 << 30
# The manifest of a million documents.
_LARGEST_MANIFEST = 1 << 28
_LONGEST_NAME = 1_000
# Text shrinks to a third or a tenth, and a table of equal rows to a hundredth.
_MOST_SHRUNK = 200
_ALWAYS_UNPACKED = 1 << 26
_BLOCK = 1 << 20

# What reading hostile JSON can raise.
MALFORMED = (KeyError, ValueError, TypeError, IndexError, AttributeError, OverflowError, RecursionError)
# What reading a member of a damaged zip file can raise; NotImplementedError is a RuntimeError.
_UNREADABLE = (zipfile.BadZipFile, zlib.error, OSError, EOFError, RuntimeError, ValueError, struct.error)


class BoundedFile:
    """A file that a zip archive is read from, in parts that fit into memory.

    `zipfile` reads the table of contents at once, as large as the file says that it is.
    """

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self.seek, self.tell, self.seekable = stream.seek, stream.tell, stream.seekable

    def read(self, size: int = -1) -> bytes:
        if size > _LARGEST_JSON:
            raise ValueError(f"its table of contents has {size} bytes")
        return self._stream.read(_LARGEST_JSON if size < 0 else size)


@dataclass(frozen=True, slots=True)
class Member:
    """A member's SHA-256 and its size in bytes."""

    sha256: str
    bytes: int


@dataclass(frozen=True)
class Manifest:
    """An archive's table of contents. `representations` are fingerprints, in the order of their numbers;
    `instructions` are by the name of a collection, and absent from older archives."""

    collections: tuple[str, ...]
    representations: tuple[str, ...]
    documents: int
    members: Mapping[str, Member]
    instructions: Mapping[str, str]


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

    def finish(
        self,
        collections: Sequence[str],
        fingerprints: Sequence[str],
        documents: int,
        instructions: Mapping[str, str],
    ) -> None:
        """Write the manifest, the last member."""
        members = {name: [member.sha256, member.bytes] for name, member in self._members.items()}
        self.add_json(
            MANIFEST,
            {
                "format": FORMAT,
                "version": VERSION,
                "collections": list(collections),
                "instructions": dict(instructions),
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
            fields = json.loads(self._read(MANIFEST, _LARGEST_MANIFEST))
            if fields["format"] != FORMAT:
                raise self.refused("it is no export of a library")
            if fields["version"] != VERSION:
                given = str(fields["version"])[:20]
                raise self.refused(
                    f"its format is {given} and this version of the application knows {VERSION}"
                )
            members = {
                text_of(name, "a member", _LONGEST_NAME): Member(
                    text_of(sha256, "a SHA-256", 64), count_of(size)
                )
                for name, (sha256, size) in fields["members"].items()
            }
            return Manifest(
                collections=tuple(
                    text_of(one, "a collection", _LONGEST_NAME) for one in fields["collections"]
                ),
                representations=tuple(
                    text_of(one, "a representation", _LONGEST_NAME) for one in fields["representations"]
                ),
                documents=count_of(fields["documents"]),
                members=members,
                instructions={
                    str(name): _instructions(text) for name, text in fields.get("instructions", {}).items()
                },
            )
        except MALFORMED as error:
            raise self.refused(f"its manifest cannot be read: {error}") from error

    def _check_list(self) -> None:
        known = set(self.manifest.members)
        if strange := sorted({*self._infos} - known - {MANIFEST}) or sorted(known - {*self._infos}):
            raise self.refused(f"{strange[0][:80]!r} is not both in it and in its manifest")
        for name, member in self.manifest.members.items():
            info = self._infos[name]
            if not _MEMBER.fullmatch(name):
                raise self.refused(f"it has a member {name[:80]!r}")
            if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                raise self.refused(f"{name} is compressed in a way that exports are not")
            if info.file_size != member.bytes:
                raise self.refused(f"{name} has {info.file_size} bytes and should have {member.bytes}")
        for collection in self.manifest.collections:
            check_collection_name(collection)
        if strange := sorted(self.manifest.instructions.keys() - set(self.manifest.collections)):
            raise self.refused(f"its instructions are of {strange[0][:80]!r}, none of its collections")
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

    def _read(self, name: str, largest: int) -> bytes:
        info = self._infos[name]
        if info.file_size > largest:
            raise self.refused(f"{name} has {info.file_size} bytes")
        if info.file_size > max(_ALWAYS_UNPACKED, _MOST_SHRUNK * info.compress_size):
            raise self.refused(
                f"{name} unpacks from {info.compress_size} to {info.file_size} bytes, which no text does"
            )
        try:
            return self._zip.read(name)
        except _UNREADABLE as error:
            raise self.refused(f"{name} cannot be read: {error}") from error

    def _document(self, name: str) -> ArchivedDocument:
        data = self._read(name, _LARGEST_JSON)
        try:
            return document_from(json.loads(data), self.manifest)
        except MALFORMED as error:
            raise self.refused(f"{name} is no document: {type(error).__name__}: {error}") from error


def _instructions(value: object) -> str:
    """Return a collection's instructions. Raises ValueError, TypeError for those that cannot be kept."""
    try:
        return checked_instructions(text_of(value, "an instruction"))
    except InvalidInput as error:
        raise ValueError(str(error)) from error


def _names(values: object, what: str) -> tuple[str, ...]:
    if not isinstance(values, list):
        raise TypeError(f"{what} is not in a list")
    return tuple(text_of(one, what, _LONGEST_NAME) for one in values)
